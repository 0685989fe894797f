package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// TestMain lets this test binary play the programs that are measured.
func TestMain(m *testing.M) {
	switch os.Getenv("COMPARE_TEST_ROLE") {
	case "":
		os.Exit(m.Run())
	case "spin":
		for start := time.Now(); time.Since(start) < time.Minute; {
		}
	case "grow":
		var kept [][]byte
		for range 1 << 10 {
			kept = append(kept, bytes.Repeat([]byte{1}, 16<<20))
		}
		runtime.KeepAlive(kept)
	case "touch":
		runtime.KeepAlive(bytes.Repeat([]byte{1}, 128<<20))
	case "fail":
		os.Stderr.WriteString("no such flag\n")
		os.Exit(2)
	}
}

func runRole(t *testing.T, role string, lim limits) (usage, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runProcess(t.Context(), []string{exe}, append(os.Environ(), "COMPARE_TEST_ROLE="+role), lim)
}

func TestRunProcess(t *testing.T) {
	t.Run("peak", func(t *testing.T) {
		u, err := runRole(t, "touch", limits{})
		if err != nil {
			t.Fatal(err)
		}
		if u.peak == 0 && runtime.GOOS == "windows" {
			t.Skip("no peak under Windows")
		}
		if u.peak < 128<<20 || u.cpu <= 0 || u.wall <= 0 || u.stopped != "" {
			t.Errorf("%+v, want a peak of 128 MiB at least", u)
		}
	})
	t.Run("time limit", func(t *testing.T) {
		u, err := runRole(t, "spin", limits{wall: 300 * time.Millisecond})
		if err != nil || u.stopped != "time limit" || u.cpu <= 0 {
			t.Errorf("%+v, %v", u, err)
		}
	})
	t.Run("memory limit", func(t *testing.T) {
		if runtime.GOOS != "linux" || raceEnabled() {
			t.Skip("address space is limited under Linux only, and the race detector needs terabytes of it")
		}
		u, err := runRole(t, "grow", limits{memory: 1 << 30})
		if err != nil || u.stopped != "memory limit" || u.peak > 1<<30 {
			t.Errorf("%+v, %v", u, err)
		}
	})
	t.Run("failure", func(t *testing.T) {
		_, err := runRole(t, "fail", limits{})
		if err == nil || !strings.Contains(err.Error(), "no such flag") {
			t.Errorf("error is %v, want the message of the program in it", err)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := runProcess(ctx, []string{"go"}, nil, limits{}); err == nil {
			t.Error("no error after cancel")
		}
	})
}

func TestJudge(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name string
		want bar
		got  ratios
		same sameness
		out  string
		ok   bool
	}{
		{"no bar", bar{}, ratios{cpu: 2, wall: 2, peak: 2}, sameYes, "-", true},
		{"pass", bar{cpu: 100, peak: 25}, ratios{cpu: 120, wall: 1, peak: 25}, sameYes, "pass", true},
		{"one missed", bar{cpu: 100, peak: 25}, ratios{cpu: 120, peak: 20}, sameYes, "MISSED: memory 20.0x of 25.0x", false},
		{"both missed", bar{cpu: 100, peak: 25}, ratios{cpu: 9, peak: 20}, sameYes, "MISSED: CPU 9.00x of 100x, memory 20.0x of 25.0x", false},
		{"differ", bar{cpu: 100}, ratios{cpu: 200}, sameNo, "DIFFER: outputs are not the same bytes", false},
		{"bound settles", bar{cpu: 100}, ratios{cpu: 101, atLeast: true}, sameUnknown, "pass", true},
		{"bound leaves open", bar{cpu: 100, peak: 25}, ratios{cpu: 101, peak: 20, atLeast: true}, sameUnknown, "open: memory 20.0x of 25.0x", true},
		{"unknown peak", bar{cpu: 100, peak: 25}, ratios{cpu: 101, peak: nan}, sameYes, "open: memory unknown", true},
	} {
		v := judge(test.want, test.got, test.same)
		if v.String() != test.out || v.ok() != test.ok {
			t.Errorf("%s: %q, ok %v; want %q, %v", test.name, v, v.ok(), test.out, test.ok)
		}
	}
}

func TestLabelledSize(t *testing.T) {
	for _, test := range []struct {
		available int64
		want      int
	}{{0, 100_000}, {2 * gib, 100_000}, {8 * gib, 300_000}, {15 * gib, 300_000}, {16 * gib, million}, {64 * gib, million}} {
		if got := labelledSize(test.available); got != test.want {
			t.Errorf("%d GiB: %d samples, want %d", test.available/gib, got, test.want)
		}
	}
}

func TestBoundsFor(t *testing.T) {
	for _, test := range []struct {
		cpu       time.Duration
		available int64
		want      limits
	}{
		{2 * time.Second, 10 * gib, limits{240 * time.Second, 8 * gib}},
		{time.Millisecond, 64 * gib, limits{time.Minute, 16 * gib}},
		{time.Minute, 0, limits{15 * time.Minute, 0}},
	} {
		if got := boundsFor(bar{cpu: 100}, usage{cpu: test.cpu}, test.available); got != test.want {
			t.Errorf("%v, %d GiB: %+v, want %+v", test.cpu, test.available/gib, got, test.want)
		}
	}
}

func TestPlan(t *testing.T) {
	for _, quick := range []bool{false, true} {
		for _, available := range []int64{0, 64 * gib} {
			cases, notes := plan(quick, available)
			if small := !quick && available == 0; (len(notes) > 0) != (quick || small) {
				t.Errorf("quick %v, %d available: notes %q", quick, available, notes)
			}
			seen := map[string]bool{}
			for _, c := range cases {
				if seen[c.name] {
					t.Errorf("two cases are called %s", c.name)
				}
				seen[c.name] = true
				if c.pairs == 0 || c.bounded && c.bar.cpu == 0 {
					t.Errorf("%s: %+v", c.name, c)
				}
			}
		}
	}
}

func TestCompareSums(t *testing.T) {
	dir := t.TempDir()
	sums := func(texts ...string) *side {
		s := &side{}
		for _, text := range texts {
			file := filepath.Join(dir, "out")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			sum, err := sumOf(file, false)
			if err != nil {
				t.Fatal(err)
			}
			s.sums = append(s.sums, sum)
		}
		return s
	}
	for _, test := range []struct {
		name         string
		ours, theirs *side
		want         sameness
	}{
		{"same", sums("a"), sums("a"), sameYes},
		{"different", sums("a"), sums("b"), sameNo},
		{"pprof wavers", sums("a"), sums("b", "a"), sameYes},
		{"profound wavers", sums("a", "b"), sums("a"), sameNo},
		{"pprof stopped", sums("a"), sums(), sameUnknown},
	} {
		if got := compareSums(test.ours, test.theirs); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestTable(t *testing.T) {
	stopped := row{
		benchCase:  benchCase{name: "dot-labelled-1M", bar: bar{cpu: 100}},
		inputBytes: 1,
		ours:       []usage{{cpu: 3 * time.Second, wall: time.Second, peak: 500 << 20}, {cpu: time.Second, wall: time.Second, peak: 400 << 20}, {cpu: 2 * time.Second, wall: time.Second, peak: 300 << 20}},
		theirs:     []usage{{cpu: 300 * time.Second, wall: 250 * time.Second, peak: 12 << 30, stopped: "time limit"}},
		floor:      []usage{{cpu: 500 * time.Millisecond}},
		same:       sameUnknown,
	}
	tab := table{Rows: []row{stopped}, Unresolved: 4 << 20}
	var md strings.Builder
	tab.markdown(&md)
	for _, want := range []string{
		"| dot-labelled-1M | 2.00 | 1.00 | 400 | >300 | >250 | >12288 | >150x | >250x | >30.7x | 0.5000 | 4.00x | - | CPU 100x | pass |",
		"- dot-labelled-1M: pprof was stopped by the time limit at 300 s CPU, 12.0 GiB; its figures and the ratios are lower bounds",
		"- peaks of less than 4 MiB cannot be told apart",
	} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("markdown lacks %q:\n%s", want, md.String())
		}
	}
	if got, want := len(stopped.cells()), len(header()); got != want {
		t.Errorf("a row has %d cells, the header %d", got, want)
	}
}

func TestFlagErrors(t *testing.T) {
	for _, args := range [][]string{{"-cases", "("}, {"more"}, {"-nonsense"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, &stdout, &stderr); code != 2 {
			t.Errorf("%q: exit code %d, want 2", args, code)
		}
		if stderr.Len() == 0 {
			t.Errorf("%q: no message", args)
		}
	}
}

// raceEnabled tells whether this test binary was built with -race.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// TestWriteParts wants each program to change its own part of the document.
func TestWriteParts(t *testing.T) {
	const other = "\n## Reading a process\n\nother\n"
	for _, c := range []struct{ name, old, programs, page, want string }{
		{"new", "", "# A\n", pageHeading + "new\n", "# A\n" + pageHeading + "new\n"},
		{"page kept", "# A\n" + pageHeading + "old\n" + other, "# B\n", "", "# B\n" + pageHeading + "old\n" + other},
		{"others first", "# A\n" + other + pageHeading + "old\n", "# B\n", pageHeading + "new\n", "# B\n" + pageHeading + "new\n" + other},
		{"programs kept", "# A\n" + other, "", pageHeading + "new\n", "# A\n" + pageHeading + "new\n" + other},
	} {
		file := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(file, []byte(c.old), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := writeParts(file, c.programs, c.page); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(file); string(got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
