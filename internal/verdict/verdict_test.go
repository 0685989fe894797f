package verdict

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// noon is when these verdicts are read.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func in(d time.Duration) time.Time { return noon().Add(d) }

func est(v, lo, hi float64) leak.Estimate { return leak.Estimate{Value: v, Low: lo, High: hi} }

func none() leak.Estimate { return est(math.NaN(), math.NaN(), math.NaN()) }

const mb = 1 << 20

func path() []leak.Frame {
	return []leak.Frame{
		{Function: "runtime.main", File: "/go/src/runtime/proc.go", Line: 283},
		{Function: "main.main", File: "/src/app/main.go", Line: 12, Own: true},
		{Function: "example.com/app/sync.(*Loop).reconcile", File: "/src/app/sync/loop.go", Line: 88, Own: true},
		{Function: "k8s.io/client/transport.(*tlsTransportCache).get", File: "/src/pkg/mod/k8s.io/client@v1.2.3/transport/cache.go", Line: 40},
	}
}

// heapLeak is the finding other tests change.
func heapLeak() leak.Finding {
	f := leak.Finding{
		Resource: leak.Heap, Class: leak.Leak, Level: leak.Tested, Path: path(), Blame: 2, BlameLevel: leak.Certain,
		Before: est(4*mb, 3*mb, 5*mb), After: est(94*mb, 80*mb, 108*mb), Slope: est(1.5*mb, 1.23*mb, 1.77*mb),
		Keeps: 0.96, Samples: 124, P: 3e-12, Since: in(-time.Minute), Plateau: none(), Cause: -1,
	}
	for i := range 61 {
		f.Times = append(f.Times, in(time.Duration(i-60)*time.Second))
		f.Values = append(f.Values, float64(4+i)*mb*1.5)
		f.Errors = append(f.Errors, mb)
	}
	return f
}

func TestSentence(t *testing.T) {
	forecast := &leak.Forecast{
		Limit: 512 * mb, LimitName: "memory.max", Used: 130 * mb, Slope: est(3*mb, 2.5*mb, 3.5*mb),
		OOM: leak.Date{Value: in(130 * time.Minute), Earliest: in(110 * time.Minute), Latest: in(160 * time.Minute)},
	}
	for _, tt := range []struct {
		name     string
		forecast *leak.Forecast
		change   func(f *leak.Finding)
		want     string
	}{
		{"leak", forecast, func(f *leak.Finding) {},
			"LEAK sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get keeps 96 % of what it allocates: +1.50 MB/s (1.23 to 1.77, 124 samples), out of memory in 2 h 10 (1 h 50 to 2 h 40) at memory.max"},
		{"no forecast, nothing known of what it keeps", nil, func(f *leak.Finding) { f.Keeps = math.NaN() },
			"LEAK sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get grows: +1.50 MB/s (1.23 to 1.77, 124 samples)"},
		{"an effect has no date of its own", forecast, func(f *leak.Finding) { f.Cause = 0 },
			"LEAK sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get keeps 96 % of what it allocates: +1.50 MB/s (1.23 to 1.77, 124 samples)"},
		{"a short chain below", nil, func(f *leak.Finding) {
			f.Path, f.Below = f.Path[:3], []leak.Branch{{Path: f.Path[3:], Share: 1}}
		}, "LEAK sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get keeps 96 % of what it allocates: +1.50 MB/s (1.23 to 1.77, 124 samples)"},
		{"goroutines", nil, func(f *leak.Finding) {
			f.Resource, f.Slope, f.Samples = leak.Goroutines, est(2, 1.9, 2.1), 118
			f.Path = f.Path[3:]
			f.Origin = []leak.Frame{{Function: "main.reload", File: "/src/app/main.go", Line: 20, Own: true}}
		}, "LEAK main.reload -> transport.(*tlsTransportCache).get: goroutines that do not end: +2/s (1.90 to 2.10, 118 more), from main.reload"},
		{"certain", nil, func(f *leak.Finding) {
			f.Resource, f.Reason.Code, f.After, f.Level = leak.Goroutines, leak.Unreachable, est(12, 12, 12), leak.Certain
		}, "LEAK sync.(*Loop).reconcile: 12 goroutines can never run again"},
		{"off-heap", nil, func(f *leak.Finding) {
			f.Resource, f.Path = leak.OffHeap, nil
			f.Origin = []leak.Frame{{Function: "main.load", Own: true}}
		}, "LEAK memory outside the Go heap grows (cgo or mmap): +1.50 MB/s (1.23 to 1.77, 61 looks), from main.load"},
		{"descriptors", nil, func(f *leak.Finding) {
			f.Resource, f.Path, f.Slope, f.Samples = leak.FileDescriptors, nil, est(2.5, 2.4, 2.6), 1
		}, "LEAK file descriptors are not closed: +2.50/s (2.40 to 2.60, 1 more)"},
		{"growing", nil, func(f *leak.Finding) {
			f.Class, f.Reason.Code, f.Samples, f.Earliest = leak.Growing, leak.TooFewSamples, 3, in(140*time.Minute)
		}, "GROWING sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get keeps 96 % of what it allocates: +1.50 MB/s (1.23 to 1.77, 3 samples); too early to call it a leak: only 3 samples so far; earliest verdict at 14:20, in 2 h 20"},
		{"filling", nil, func(f *leak.Finding) {
			f.Class, f.Plateau, f.Settles = leak.Filling, est(120*mb, 100*mb, 140*mb), in(3*time.Minute)
		}, "FILLING sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get grew from 4 MB to 94 MB ± 14 MB and slows down towards a plateau of about 120 MB (100 MB to 140 MB), there at 12:03:00"},
		{"step", nil, func(f *leak.Finding) { f.Class, f.Path, f.Resource = leak.Step, nil, leak.Goroutines },
			"STEP goroutines jumped from 4194304 to 98566144 ± 14680064 at 11:59:00 and stay there"},
		{"load", nil, func(f *leak.Finding) { f.Class, f.Reason.Share = leak.Load, 0.92 },
			"LOAD sync.(*Loop).reconcile -> transport.(*tlsTransportCache).get grew from 4 MB to 94 MB ± 14 MB with the load, which explains 92 % of it"},
		{"churn", nil, func(f *leak.Finding) { f.Class, f.Path, f.Keeps = leak.Churn, nil, 0.001 },
			"CHURN the live heap stays at 94 MB ± 14 MB: much is allocated and nothing of it kept"},
		{"steady", nil, func(f *leak.Finding) { f.Class, f.Path = leak.Steady, nil },
			"STEADY the live heap stays at 94 MB ± 14 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &leak.Verdict{Findings: []leak.Finding{heapLeak()}, Forecast: tt.forecast, Looks: 61}
			f := &v.Findings[0]
			tt.change(f)
			if got := Sentence(v, f, Options{Now: noon()}); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestText prints whole verdicts, as text and as JSON.
func TestText(t *testing.T) {
	total := heapLeak()
	total.Path = nil
	goroutines := total
	goroutines.Resource, goroutines.Class, goroutines.Before, goroutines.After = leak.Goroutines, leak.Steady, est(12, 12, 12), est(12, 12, 12)
	goroutines.Slope, goroutines.Values = est(0, 0, 0), []float64{12, 12, 12}
	step := heapLeak()
	step.Class, step.Path = leak.Step, path()[:2]
	split := heapLeak()
	split.Path = split.Path[:3]
	split.Below = []leak.Branch{{Path: path()[3:], Share: 0.5}, {Path: path()[1:3], Share: 0.4}}
	grow := heapLeak()
	grow.Class, grow.Reason.Code, grow.Earliest, grow.Cause = leak.Growing, leak.TooShort, in(4*time.Hour), 0
	all := &leak.Verdict{
		From: in(-time.Minute), To: noon(), Looks: 61, Targets: 2,
		Findings: []leak.Finding{split, grow, step}, Totals: []leak.Finding{goroutines, total},
		Forecast: &leak.Forecast{
			Limit: 512 * mb, LimitName: "memory.max", Used: 130 * mb, Slope: est(3*mb, 2.5*mb, 3.5*mb),
			Thrash: leak.Date{Value: in(time.Hour), Earliest: in(50 * time.Minute)},
			OOM:    leak.Date{Value: in(130 * time.Minute), Earliest: in(110 * time.Minute), Latest: in(160 * time.Minute)},
		},
		Ledger: &leak.Ledger{Resident: 130 * mb, LiveHeap: 94 * mb, Garbage: 20 * mb, Fragmentation: 4 * mb, Stacks: mb,
			Runtime: 6 * mb, OffHeap: 5 * mb, Growth: [8]float64{3 * mb, 1.5 * mb, 1.5 * mb}},
		Warnings: []error{errors.New("127.0.0.1:6060 restarted at 11:59:30; both runs are judged together")},
	}
	quiet := &leak.Verdict{From: in(-time.Minute), To: noon(), Looks: 61, Targets: 1, Totals: []leak.Finding{goroutines}, Earliest: in(time.Hour)}
	quietHeap := total
	quietHeap.Class = leak.Steady
	quiet.Totals = append(quiet.Totals, quietHeap)
	next := func(*leak.Finding) []string {
		return []string{"profound -list 'reconcile$' http://localhost:6060/debug/pprof/heap"}
	}
	for name, tt := range map[string]struct {
		v *leak.Verdict
		o Options
	}{
		"all":    {all, Options{Next: next}},
		"narrow": {all, Options{Width: 48, ASCII: true}},
		"quiet":  {quiet, Options{}},
		"single": {&leak.Verdict{Looks: 1}, Options{}},
		"empty":  {&leak.Verdict{}, Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.o.Now = noon()
			var text, js bytes.Buffer
			if err := Write(&text, tt.v, tt.o); err != nil {
				t.Fatal(err)
			}
			if err := WriteJSON(&js, tt.v, tt.o); err != nil {
				t.Fatal(err)
			}
			var back map[string]any
			if err := json.Unmarshal(js.Bytes(), &back); err != nil || back["schema"] != "leak/1" {
				t.Errorf("JSON: %v, schema %v", err, back["schema"])
			}
			golden(t, filepath.Join("testdata", name+".txt"), text.Bytes())
			if name == "all" {
				golden(t, filepath.Join("testdata", name+".json"), js.Bytes())
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update rewrites it):\n%s", name, got)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1500 * time.Millisecond: "1.5 s", 59 * time.Second: "59 s", 10 * time.Minute: "10 min",
		130 * time.Minute: "2 h 10", 47 * time.Hour: "47 h 00", 76 * time.Hour: "3 d 4 h", 100 * 24 * time.Hour: "100 days", -1: "no time",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestUnknown prints a finding of which nothing is known: no NaN may show.
func TestUnknown(t *testing.T) {
	f := leak.Finding{Before: none(), After: none(), Slope: none(), Plateau: none(), Keeps: math.NaN(), P: math.NaN(), Cause: -1}
	for c := leak.Unknown; c <= leak.Leak; c++ {
		for r := leak.Goroutines; r <= leak.ResidentMemory; r++ {
			f.Class, f.Resource = c, r
			v := &leak.Verdict{Findings: []leak.Finding{f}, Totals: []leak.Finding{f}, Looks: 2}
			var b bytes.Buffer
			if err := Write(&b, v, Options{Now: noon()}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "NaN") {
				t.Errorf("class %d, resource %d:\n%s", c, r, b.String())
			}
		}
	}
}

// TestJudged prints what Judge makes of looks: goroutines of which the runtime
// says that they can never run again. What a program calls its functions does
// not steer the terminal.
func TestJudged(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "goroutineleak", Unit: "count"})
	frame := func(name string) profile.LocationID {
		return b.Location(0, 0, profile.Line{Function: b.Function(name, name, "/src/app/main.go", 1), Line: 3})
	}
	b.Sample([]profile.LocationID{frame("runtime.chansend1"), frame("main.worker\x1b[31mEVIL\x1b]0;title\x07")}, []int64{12})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	h := leak.NewHistory()
	for i := range 3 {
		h.Add(leak.Look{At: in(time.Duration(i) * time.Second), Leaked: p, Gauges: leak.NoGauges()})
	}
	v := leak.Judge(h, leak.Options{})
	v.Warnings = append(v.Warnings, errors.New("it answered \x1b[2J"))
	var out bytes.Buffer
	if err := Write(&out, v, Options{Now: noon()}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{": 12 goroutines can never run again", "certain   the collector found that nothing can ever wake them"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\x07") {
		t.Errorf("%q", out.String())
	}
}

// TestWithoutHeap: a verdict that knows nothing of the heap does not sound like
// one that does.
func TestWithoutHeap(t *testing.T) {
	v := &leak.Verdict{Looks: 20, Totals: []leak.Finding{
		{Resource: leak.Goroutines, Class: leak.Steady}, {Resource: leak.FileDescriptors, Class: leak.Steady},
	}}
	if got := Headline(v, Options{Now: noon()}); got != "No leak was seen, but the heap could not be judged" {
		t.Error(got)
	}
}

// TestWatchingIsOver: of what was saved, a moment to come back at is past.
func TestWatchingIsOver(t *testing.T) {
	for left, want := range map[time.Duration]string{
		140 * time.Minute:     "; needs 2 h 20 more of watching",
		30 * time.Millisecond: "; needs 1 s more of watching",
	} {
		f := leak.Finding{Class: leak.Growing, Resource: leak.Heap, Path: []leak.Frame{{Function: "main.load"}}, Keeps: math.NaN(), Earliest: noon().Add(left)}
		if got := Sentence(&leak.Verdict{}, &f, Options{Now: noon(), Over: true}); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
