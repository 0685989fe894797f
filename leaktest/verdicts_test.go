package leaktest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestVerdicts runs the tests of testdata/leaky, which leak, and reads what
// they print.
func TestVerdicts(t *testing.T) {
	cmd := exec.Command("go", "test", "-json", "./testdata/leaky")
	out, err := cmd.Output()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	printed, failed := map[string]string{}, map[string]bool{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, s.Bytes())
		}
		switch e.Action {
		case "output":
			printed[e.Test] += e.Output
		case "pass", "fail":
			failed[e.Test] = e.Action == "fail"
		}
	}
	for _, tt := range []struct {
		test string
		fail bool
		want []string // "!": must not be there
	}{
		{"TestMap", true, []string{"leaky_test.go:19: leaktest: LEAK leaky.(*Store).Put keeps", "a round (", "leaky.TestMap.func1", "leaky.go:25", "go test -artifacts"}},
		{"TestAppend", true, []string{"LEAK leaky.(*Store).Log keeps", "leaky.go:29"}},
		{"TestSubstring", true, []string{"LEAK leaky.(*Store).Name", "kB a round", "leaky.go:"}},
		{"TestGoroutine", true, []string{"LEAK leaky.listen: goroutines that do not end: +1 a round", "see what leaky.listen waits for"}},
		{"TestDescriptor", true, []string{"LEAK file descriptors are not closed: +1 a round", "close what each round opens: /dev/null (2", "leaky.(*Store).Open"}},
		{"TestTiny", true, []string{"LEAK leaky.(*List).Push keeps 100 % of what it allocates: +64 B a round (64 to 64"}},
		{"TestTinyInNoise", true, []string{"LEAK leaky.(*List).Push keeps"}},
		{"TestEveryThird", true, []string{"LEAK leaky.listen: goroutines that do not end", "LEAK leaky.TestEveryThird.func1 keeps"}},
		{"TestRarely", false, []string{"GROWING leaky.TestRarely.func1", "of the rounds"}},
		{"TestServer", true, []string{"LEAK leaky.(*Store).Put keeps", "leaky.TestServer.func1"}},
		{"TestRoundFails", true, []string{"round 3 went wrong", "!leaktest:"}},
		{"TestNested", true, []string{"NoGrowth is called within a round of NoGrowth"}},
		{"TestBadOption", true, []string{"leaktest: Rounds(2): 6 rounds are needed"}},
		{"TestLeftBehind", true, []string{
			"leaktest: 5 goroutines are left that were started during the test, 50ms after its end",
			"3 goroutines such as ", "chan receive for less than a minute", "created by leaky.Subscribe", "leaky.Stuck.func1",
			"next: receive from the channel", "leaky.TestLeftBehind.func1", "created by time.goFunc",
		}},
		{"TestLeftByChild", true, []string{"1 goroutine is left", "leaky.listen"}},
		{"TestParallel/leaves", true, []string{"1 goroutine is left", "created by leaky.Subscribe"}},
		{"TestParallel/leaks", true, []string{"LEAK leaky.(*Store).Put keeps"}},
		{"TestParallel/leaks_too", true, []string{"LEAK leaky.(*List).Push keeps"}},
		{"TestParallel/noise", false, nil},
	} {
		// Long lines are wrapped.
		text := strings.Join(strings.Fields(printed[tt.test]), " ")
		if fail, ran := failed[tt.test]; !ran || fail != tt.fail {
			t.Errorf("%s: failed is %v, ran is %v:\n%s", tt.test, fail, ran, printed[tt.test])
		}
		for _, want := range tt.want {
			want, not := strings.CutPrefix(want, "!")
			if strings.Contains(text, want) == not {
				t.Errorf("%s: %q is to be there: %v\n%s", tt.test, want, !not, printed[tt.test])
			}
		}
	}
}

// TestFewDependencies: who imports leaktest gets no modules of others, and
// none of our larger parts.
func TestFewDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/profoundhq/profound/"
	for dep := range strings.Lines(string(out)) {
		dep = strings.TrimSpace(dep)
		first, _, _ := strings.Cut(dep, "/")
		pkg, own := strings.CutPrefix(dep, ours)
		switch {
		case !strings.Contains(first, "."):
		case own && pkg != "internal/report" && pkg != "internal/source" && pkg != "internal/symbol" && pkg != "internal/format":
		default:
			t.Errorf("leaktest depends on %s", dep)
		}
	}
}

// TestGuide: the code in the guide is that of testdata/cache, and the messages
// are what it prints, numbers aside.
func TestGuide(t *testing.T) {
	page, err := os.ReadFile("../docs/guide/leaktest.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("testdata/cache/cache_test.go")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "./testdata/cache").Output()
	if _, ok := err.(*exec.ExitError); !ok {
		t.Fatalf("the tests of the guide do not fail: %v\n%s", err, out)
	}
	printed := plain(string(out))
	blocks := regexp.MustCompile("(?ms)^```(go|text)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 4 {
		t.Errorf("the guide has %d blocks of code and output", len(blocks))
	}
	for _, b := range blocks {
		if b[1] == "go" {
			if !strings.Contains(string(code), b[2]) {
				t.Errorf("the guide has code that is not in testdata/cache:\n%s", b[2])
			}
			continue
		}
		for line := range strings.Lines(b[2]) {
			if !strings.Contains(printed, plain(line)) {
				t.Errorf("the guide has a line that is not printed: %s\n%s", line, out)
			}
		}
	}
}

// plain leaves only the words of a text.
func plain(text string) string {
	text = regexp.MustCompile(`\S*/([a-z]+\.go)`).ReplaceAllString(text, "$1")
	text = regexp.MustCompile(`  [_.~=+*#-]+\n`).ReplaceAllString(text, "\n")
	text = regexp.MustCompile(`[0-9.]+`).ReplaceAllString(text, "0")
	text = regexp.MustCompile(`0 [kMG]B`).ReplaceAllString(text, "0 B")
	return strings.Join(strings.Fields(text), " ")
}
