package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRunStepsGoesOnAfterAFailure(t *testing.T) {
	pass := func(context.Context, *checker) (string, error) { return "3 files", nil }
	fail := func(context.Context, *checker) (string, error) { return "", errors.New("main.go is wrong") }
	skip := func(context.Context, *checker) (string, error) { return "", fmt.Errorf("%w: no gcc", errSkip) }
	hang := func(ctx context.Context, _ *checker) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	tests := []struct {
		name  string
		steps []step
		code  int
		want  []string
	}{
		{"all pass", []step{{"a", time.Minute, pass}, {"b", time.Minute, pass}}, 0, []string{"a: 3 files", "\n2 passed, 0 failed\n"}},
		{"one fails", []step{{"a", time.Minute, fail}, {"b", time.Minute, pass}}, 1, []string{"FAIL", "main.go is wrong", "\n1 passed, 1 failed\n"}},
		{"skipped steps do not count", []step{{"a", time.Minute, skip}, {"b", time.Minute, pass}}, 0, []string{"a: not run: no gcc", "\n1 passed, 0 failed\n"}},
		{"a step that hangs", []step{{"a", time.Millisecond, hang}}, 1, []string{"limit of 1ms", "\n0 passed, 1 failed\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if code := runSteps(t.Context(), tt.steps, &checker{out: io.Discard}, &b); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, b.String())
				}
			}
		})
	}
}

func TestParseTargets(t *testing.T) {
	got := parseTargets("ok  \texample.com/a\t0.003s\nFuzzB\nFuzzC\nok  \texample.com/b\t0.010s\n?   \texample.com/c\t[no test files]\nFuzzD\nok  \texample.com/d\t0.1s\n")
	want := []target{{"example.com/b", "FuzzB"}, {"example.com/b", "FuzzC"}, {"example.com/d", "FuzzD"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFuzzTimeStaysInItsBudget(t *testing.T) {
	if got := timeEach(10); got != 30*time.Second {
		t.Errorf("10 targets: %s each", got)
	}
	for n := 1; n < 200; n++ {
		rounds := time.Duration((n + fuzzSlots - 1) / fuzzSlots)
		if total := rounds * timeEach(n); total > fuzzBudget+fuzzEach {
			t.Errorf("%d targets take %s", n, total)
		}
	}
}

func TestLackingNamesPackagesOnce(t *testing.T) {
	packages, what := lacking(func(p string) bool { return !strings.HasSuffix(p, "objcopy") && p != "addr2line" })
	if !slices.Equal(packages, []string{"binutils"}) || len(what) != 2 {
		t.Errorf("got %q for %q", packages, what)
	}
}

func TestNodeTally(t *testing.T) {
	text := "✔ a (3ms)\nℹ tests 12\nℹ pass 12\nℹ fail 0\nweb/dist is as the sources give it\nℹ pass 3\nℹ fail 2\n"
	if got := nodeTally(text); got != "15 tests passed, 2 failed" {
		t.Errorf("got %q", got)
	}
	if got := nodeTally("# pass 4\n# fail 0\n"); got != "4 tests passed" {
		t.Errorf("got %q", got)
	}
}

func TestStepNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range steps() {
		if seen[s.name] || s.limit == 0 {
			t.Errorf("step %q: a name of its own and a limit, please", s.name)
		}
		seen[s.name] = true
	}
}

func TestTallyAddsUp(t *testing.T) {
	passed, failed := tally("    a_test.go:5: 12 passed, 0 failed (3 deliberately different)\nok\n    b_test.go:9: 30 passed, 2 failed\n")
	if passed != 42 || failed != 2 {
		t.Errorf("got %d and %d", passed, failed)
	}
}
