package main

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

func expect(signal, blame string) zooCase {
	return zooCase{expectation: expectation{Case: "case", Leak: signal != "none", Signal: signal, BlameFrame: blame}, group: "zoo"}
}

const mixedAnswer = `{"schema":"leak/1","verdict":"leak","findings":[
 {"class":"leak","resource":"goroutines","sentence":"G","blame":{"function":"main.run"},"cause":-1,
  "path":[{"function":"main.run","line":3}],"slope":{"value":2,"low":1.9,"high":2.1}},
 {"class":"leak","resource":"heap","sentence":"H","blame":{"function":"main.render"},"cause":0,
  "path":[{"function":"main.serve","line":7},{"function":"main.render","line":9}],"slope":{"value":1048576,"low":943718,"high":1153434}},
 {"class":"growing","resource":"heap","sentence":"W","slope":{"value":null,"low":null,"high":null},"cause":-1}],
 "totals":[{"class":"leak","resource":"heap","sentence":"T","slope":{"value":1048576,"low":943718,"high":1153434},"cause":-1}]}`

// heapAnswer has one finding, of the heap.
const heapAnswer = `{"schema":"leak/1","verdict":"leak","findings":[
 {"class":"leak","resource":"heap","sentence":"H","blame":{"function":"main.render"},"cause":-1,
  "path":[{"function":"main.serve","line":7},{"function":"main.render","line":9}],"slope":{"value":1048576,"low":943718,"high":1153434}}]}`

func answerOf(t *testing.T, text string) *answer {
	t.Helper()
	a, err := parseAnswer([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestJudge(t *testing.T) {
	none := `{"schema":"leak/1","verdict":"steady","findings":[]}`
	growing := `{"schema":"leak/1","verdict":"growing","findings":[{"class":"growing","resource":"heap"}]}`
	tests := []struct {
		name, text      string
		c               zooCase
		right, growing  bool
		signal          bool
		blame           match
		line, best, not string
	}{
		{"cause", mixedAnswer, expect("goroutine", `main\.run`), true, false, true, exactly, "ok", "G", ""},
		{"only the second finding is right", mixedAnswer, expect("heap", `main\.render`), true, false, false, noMatch, "wrong resource", "G", ""},
		{"heap", heapAnswer, expect("heap", `main\.render`), true, false, true, exactly, "ok", "H", ""},
		{"caller", heapAnswer, expect("heap", `main\.serve`), true, false, true, onPath, "wrong blame", "H", ""},
		{"other function", heapAnswer, expect("heap", `main\.parse`), true, false, true, noMatch, "wrong blame", "H", ""},
		{"other resource", mixedAnswer, expect("fd", `main\.run`), true, false, false, exactly, "wrong resource", "G", ""},
		{"missed", growing, expect("heap", `main\.run`), false, true, false, noMatch, "MISSED (growing)", "", ""},
		{"false", mixedAnswer, expect("none", "-"), false, false, false, noMatch, "FALSE", "G", ""},
		{"decoy", none, expect("none", "-"), true, false, false, noMatch, "ok", "", "growing"},
		{"growing decoy", growing, expect("none", "-"), true, true, false, noMatch, "ok, growing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := judge(tt.c, answerOf(t, tt.text), nil)
			if o.right() != tt.right || o.growing != tt.growing || o.signal != tt.signal || o.blame != tt.blame {
				t.Errorf("right %v, growing %v, signal %v, blame %v", o.right(), o.growing, o.signal, o.blame)
			}
			if o.best != nil && o.best.Sentence != tt.best || o.best == nil && tt.best != "" {
				t.Errorf("the best finding is %+v, want %q", o.best, tt.best)
			}
			if line := o.line(); !strings.HasPrefix(line, tt.line) || tt.not != "" && strings.Contains(line, tt.not) {
				t.Errorf("line %q, want %q", line, tt.line)
			}
		})
	}
}

// twinOf grows by perSecond bytes below main.serve, main.render, and is flat
// elsewhere.
func twinOf(perSecond float64) *twin {
	t := &twin{}
	for i := range 10 {
		grown := perSecond * float64(i)
		heap := &exact{Rows: []exactRow{
			{[]frame{{"runtime.main", "", 1}, {"main.serve", "", 7}, {"main.render", "", 9}}, 100 + grown},
			{[]frame{{"main.serve", "", 8}, {"main.render", "", 9}}, 5000},
		}, Total: 5100 + grown}
		at := dayOne().Add(time.Duration(i) * time.Second)
		heap.At = at
		t.Polls = append(t.Polls, poll{At: at, Heap: heap, Goroutine: &exact{At: at, Total: 3}, Resident: math.NaN()})
	}
	return t
}

func TestJudgeAgainstTwin(t *testing.T) {
	c := expect("heap", `main\.render`)
	for _, tt := range []struct {
		answer  string
		slope   float64
		covered bool
		stray   int
	}{{heapAnswer, 1 << 20, true, 0}, {heapAnswer, 1.2e6, false, 0}, {heapAnswer, 0, false, 1}} {
		o := judge(c, answerOf(t, tt.answer), twinOf(tt.slope))
		if !o.known || o.covered != tt.covered || math.Abs(o.truth.slope-tt.slope) > 1e-3 {
			t.Errorf("slope %v: known %v, covered %v, truth %+v", tt.slope, o.known, o.covered, o.truth)
		}
		if len(o.stray) != tt.stray {
			t.Errorf("slope %v: stray %q", tt.slope, o.stray)
		}
	}
}

func TestTwinIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "twin")
	want := twinOf(1e6)
	if err := want.save(path); err != nil {
		t.Fatal(err)
	}
	got, err := loadTwin(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &finding{Resource: "heap", Path: []frame{{"main.serve", "", 7}}}
	if f := (&finding{Resource: "heap", Path: []frame{{"main.serve", "", 8}}, Below: []branch{{}}}); math.Abs(want.of(f).slope-1e6) > 1 {
		t.Errorf("a line of several counts alone: %+v", want.of(f))
	}
	if got.of(f) != want.of(f) {
		t.Errorf("%+v, want %+v", got.of(f), want.of(f))
	}
}

func TestLeastSquares(t *testing.T) {
	if got := leastSquares([]float64{0, 1, 2, 3}, []float64{1, 3, 5, 7}); math.Abs(got-2) > 1e-12 {
		t.Errorf("slope %v, want 2", got)
	}
}

func TestSums(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	f := b.Function("main.f", "", "f.go", 1)
	g := b.Function("main.g", "", "f.go", 5)
	leaf := b.Location(0, 0x10, profile.Line{Function: g, Line: 6}, profile.Line{Function: f, Line: 2})
	b.Sample([]profile.LocationID{leaf}, []int64{40})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	e, err := sums(p, "inuse_space")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path []frame
		want float64
	}{
		{nil, 40},
		{[]frame{{"main.f", "", 2}}, 40},
		{[]frame{{"main.f", "", 2}, {"main.g", "", 6}}, 40},
		{[]frame{{"main.f", "", 0}, {"main.g", "", 0}}, 40},
		{[]frame{{"main.f", "", 3}}, 0},
		{[]frame{{"main.g", "", 6}, {"main.f", "", 2}}, 0},
	} {
		if got := e.below(tt.path); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.path, got, tt.want)
		}
	}
}

func TestMemstat(t *testing.T) {
	text := []byte("heap profile: 1: 2\n# runtime.MemStats\n# Alloc = 7\n# HeapReleased = 12345\n")
	if got := memstat(text, "HeapReleased"); got != 12345 {
		t.Errorf("HeapReleased is %v", got)
	}
	if got := memstat(text, "Sys"); !math.IsNaN(got) {
		t.Errorf("Sys is %v, want NaN", got)
	}
}

func TestBadAnswers(t *testing.T) {
	for _, text := range []string{"", "profound: no such host", `{"schema":"top/1"}`} {
		if _, err := parseAnswer([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestPage(t *testing.T) {
	leak, decoy, missing := expect("heap", `main\.render`), expect("none", "-"), expect("heap", "x")
	p := &page{Command: "go run .", Machine: "a machine", During: time.Minute, Parallel: 4, Live: []outcome{
		judge(leak, answerOf(t, heapAnswer), twinOf(1<<20)),
		judge(decoy, answerOf(t, `{"schema":"leak/1","verdict":"growing","findings":[{"class":"growing","resource":"heap"}]}`), twinOf(0)),
	}}
	if p.missed() {
		t.Errorf("a bar is missed in\n%s", p.markdown())
	}
	stray := *p
	stray.Live = append(slices.Clone(p.Live), judge(leak, answerOf(t, mixedAnswer), twinOf(1<<20))) // no goroutines grow in the twin
	if !stray.missed() || len(stray.Live[2].stray) != 1 {
		t.Errorf("a leak called where nothing grows is no miss in\n%s", stray.markdown())
	}
	if none := (&page{}); !none.missed() {
		t.Error("nothing measured is no miss")
	}
	if decoys := (&page{Live: p.Live[1:]}); !decoys.missed() || !strings.Contains(decoys.markdown(), "| leaks found | **nothing measured** |") {
		t.Errorf("no leaks measured is no miss in\n%s", decoys.markdown())
	}
	p.Live = append(p.Live, judge(missing, answerOf(t, `{"schema":"leak/1","verdict":"steady","findings":[]}`), twinOf(1<<20)),
		outcome{zooCase: leak, err: io.ErrUnexpectedEOF})
	text := p.markdown()
	for _, want := range []string{"| leaks found | **1 of 2, 50.0 %** | at least 95 % |", "**missed**: steady",
		"1.00 (0.90 to 1.10) | 1.00 | yes", "| not measured | **1 of 4** | none |", "decoys called growing at the end | 1 of 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !p.missed() {
		t.Error("no bar is missed")
	}
}

func TestReadManifest(t *testing.T) {
	rows, err := readManifest(filepath.Join("..", "..", "..", "examples", "zoo", "manifest.json"))
	if err != nil || len(rows) < 38 {
		t.Fatalf("%d cases: %v", len(rows), err)
	}
	bad := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(bad, []byte(`[{"case":"x","blame_frame":"("}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readManifest(bad); err == nil {
		t.Error("a pattern that is none is accepted")
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"-again", "-dir", "/somewhere/x", "-parallel", "2", "--zoo=../z", "-o", "page.md", "-sim"})
	if want := "go run ./internal/bench/accuracy -again -parallel 2 -sim"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-parallel", "0"}, {"-for", "1s"}, {"-only", "("}, {"what"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	s, err := parse(nil, io.Discard)
	if err != nil || !s.live || !s.recorded || !s.sim || !s.speed {
		t.Errorf("without flags: %+v, %v", s, err)
	}
}
