package leak

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// every is a look each so many seconds.
func every(i int, sec float64) time.Time {
	return day().Add(time.Duration(float64(i) * sec * float64(time.Second)))
}

// TestGoroutineCause: goroutines of a dependency keep heap that the program
// allocates; the goroutines are the cause, and who starts them comes from a
// clue.
func TestGoroutineCause(t *testing.T) {
	stacks := map[string][]string{
		"read":  {"net/http.(*persistConn).readLoop", "runtime.selectgo", "runtime.gopark"},
		"main":  {"main.main", "main.serve", "time.Sleep", "runtime.gopark"},
		"write": {"net/http.(*persistConn).readLoop", "bufio.(*Reader).Peek", "runtime.netpollblock", "runtime.gopark"},
	}
	h := NewHistory()
	for i := range 60 {
		n := int64(i)
		l := Look{At: every(i, 1), Fresh: true, Gauges: NoGauges()}
		l.Goroutine = goroutineProfile(t, map[string]int64{"read": 10 + n + n%3, "write": 2 + n - n%3, "main": 3}, stacks)
		l.Heap = heapProfile(t, 1,
			heapRow{[]string{"main.main", "main.fetch", "net/http.Get"}, 64, 100 * n, 10},
			heapRow{[]string{"net/http.(*persistConn).readLoop", "bufio.NewReader"}, 65536, 20 + 2*n, 20 + 2*n})
		mustAdd(t, h, l)
	}
	v := Judge(h, Options{})
	g, m := &v.Findings[0], &v.Findings[1]
	if g.Resource != Goroutines || g.Class != Leak || len(g.Path) != 1 || !close(g.Slope.Value, 2, 0.1) || len(g.Below) != 2 {
		t.Errorf("goroutines by what they run: %s", describe(v))
	}
	if m.Resource != Heap || m.Cause != 0 {
		t.Errorf("the goroutines are the cause of the heap: %s", describe(v))
	}
	if g.BlameLevel != Inferred || blamed(g) != "main.fetch" || blamed(m) != "main.fetch" {
		t.Errorf("without clues, who calls net/http is blamed: %v %v", g.Origin, m.Origin)
	}

	b := profile.NewBuilder(profile.ValueType{Type: "goroutine", Unit: "count"})
	b.Sample(stackOf(b, 0, []string{"created by main.dial", "net/http.(*persistConn).readLoop", "runtime.gopark"}), []int64{50}, b.StringLabel("created_by", "main.dial"))
	waiting, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	v = Judge(h, Options{Clues: Clues{Waiting: waiting}})
	if g = &v.Findings[0]; blamed(g) != "main.dial" || g.BlameLevel != Certain {
		t.Errorf("the runtime says who started them: %v", g.Origin)
	}

	b = profile.NewBuilder(profile.ValueType{Type: "goroutines_created", Unit: "count"}, profile.ValueType{Type: "syscalls", Unit: "count"})
	b.Sample(stackOf(b, 0, []string{"net/http.(*Transport).dialConnFor", "net/http.(*Transport).dialConn"}), []int64{9, 0}, b.StringLabel("started", "net/http.(*persistConn).readLoop"))
	b.Sample(stackOf(b, 0, []string{"main.main", "main.poll", "net/http.(*Client).Do"}), []int64{9, 0}, b.StringLabel("started", "net/http.(*Transport).dialConnFor"))
	b.Sample(stackOf(b, 0, []string{"main.main", "main.other"}), []int64{99, 0}, b.StringLabel("started", "main.other.func1"))
	trace, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	v = Judge(h, Options{Clues: Clues{Trace: trace}})
	if g = &v.Findings[0]; blamed(g) != "main.poll" || g.BlameLevel != Tested {
		t.Errorf("the trace says who starts them: %v", g.Origin)
	}
}

// TestOffHeap: resident memory grows, the heap does not.
func TestOffHeap(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "goroutines_created", Unit: "count"}, profile.ValueType{Type: "syscalls", Unit: "count"})
	b.Sample(stackOf(b, 0, []string{"main.main", "main.load", "syscall.Mmap", "syscall.mmap"}), []int64{0, 5})
	b.Sample(stackOf(b, 0, []string{"main.main", "main.log", "os.(*File).Write", "syscall.write"}), []int64{0, 500})
	trace, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	h := NewHistory()
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 60 {
		g := NoGauges()
		g[Sys], g[HeapReleased] = 20<<20, 4<<20
		g[ResidentAnon] = 18<<20 + float64(i)*(1<<20) + 1e5*rng.NormFloat64()
		g[Resident] = g[ResidentAnon] + 8<<20
		g[HeapAlloc], g[HeapInuse], g[HeapIdle], g[StackInuse], g[RuntimeOther] = 8<<20, 9<<20, 6<<20, 1<<20, 4<<20
		mustAdd(t, h, Look{At: every(i, 1), Gauges: g})
	}
	v := Judge(h, Options{Limit: 1 << 30, Clues: Clues{Trace: trace}})
	if len(v.Findings) != 1 || v.Findings[0].Resource != OffHeap || v.Findings[0].Class != Leak || blamed(&v.Findings[0]) != "main.load" {
		t.Fatalf("memory outside the heap: %s", describe(v))
	}
	if s := v.Findings[0].Slope; s.Low > 1<<20 || s.High < 1<<20 {
		t.Errorf("slope %v, want one MiB/s", s)
	}
	left := float64(1<<30) - (18+8+59)<<20
	want := every(59, 1).Add(time.Duration(left / (1 << 20) * float64(time.Second)))
	if v.Forecast == nil || math.Abs(v.Forecast.OOM.Value.Sub(want).Seconds()) > 60 || v.Forecast.LimitName != "-limit" {
		t.Errorf("forecast %+v, want %v", v.Forecast, want)
	}
	l := v.Ledger
	if sum := l.LiveHeap + l.Garbage + l.Fragmentation + l.Stacks + l.Runtime + l.OffHeap + l.Rest; !math.IsNaN(l.LiveHeap) && sum != l.Resident {
		t.Errorf("the ledger does not close: %v of %v", sum, l.Resident)
	}
	if !close(l.Growth[6], 1<<20, 1e5) {
		t.Errorf("growth of the parts: %v", l.Growth)
	}
}

// TestFilled: a gauge that is asked for more rarely than others.
func TestFilled(t *testing.T) {
	nan := math.NaN()
	s := &segment{}
	for i, v := range []float64{nan, 10, nan, nan, 40, nan} {
		g := NoGauges()
		g[Sys] = v
		s.gauges = append(s.gauges, gaugePoint{float64(i), g})
	}
	for i, want := range []float64{10, 10, 20, 30, 40, 40} {
		if got := s.filled(Sys)[i]; got != want {
			t.Errorf("point %d is %g, want %g", i, got, want)
		}
	}
}

// TestDescriptors: open files reach their limit.
func TestDescriptors(t *testing.T) {
	h := NewHistory()
	for i := range 60 {
		g := NoGauges()
		g[Descriptors], g[DescriptorLimit] = 20+float64(2*i), 1024
		mustAdd(t, h, Look{At: every(i, 1), Gauges: g})
	}
	v := Judge(h, Options{})
	if len(v.Findings) != 1 || v.Findings[0].Resource != FileDescriptors || v.Findings[0].Class != Leak {
		t.Fatalf("descriptors: %s", describe(v))
	}
	want := every(59, 1).Add(443 * time.Second)
	if f := v.Forecast; f == nil || f.LimitName != "descriptors" || math.Abs(f.OOM.Value.Sub(want).Seconds()) > 30 {
		t.Errorf("forecast %+v, want %v", v.Forecast, want)
	}
}

// TestCertain: what the runtime says can never run again is a leak at once.
func TestCertain(t *testing.T) {
	stacks := map[string][]string{"stuck": {"main.worker", "runtime.chansend1", "runtime.chansend", "runtime.gopark"}}
	h := NewHistory()
	mustAdd(t, h, Look{At: day(), Leaked: goroutineProfile(t, map[string]int64{"stuck": 3}, stacks), Gauges: NoGauges()})
	v := Judge(h, Options{})
	if len(v.Findings) != 1 || v.Findings[0].Class != Leak || v.Findings[0].Level != Certain || blamed(&v.Findings[0]) != "main.worker" {
		t.Fatalf("leaked goroutines: %s", describe(v))
	}
	if p := v.Findings[0].Path; p[len(p)-1].Function != "runtime.chansend1" {
		t.Errorf("the path ends in %v", p[len(p)-1])
	}
}

// TestCertainGrowth: growth of goroutines that can never run again is one
// finding, not two.
func TestCertainGrowth(t *testing.T) {
	stacks := map[string][]string{"stuck": {"main.worker", "runtime.gopark"}}
	h := NewHistory()
	for i := range 40 {
		n := goroutineProfile(t, map[string]int64{"stuck": int64(3 * i)}, stacks)
		l := Look{At: every(i, 1), Goroutine: n, Gauges: NoGauges()}
		if i%10 == 9 {
			l.Leaked = n
		}
		mustAdd(t, h, l)
	}
	v := Judge(h, Options{})
	if len(v.Findings) != 1 || v.Findings[0].Level != Certain || !close(v.Findings[0].Slope.Value, 3, 0.1) {
		t.Errorf("leaked goroutines that grow: %s", describe(v))
	}
}

// TestMemoryModel compares the end of memory with going through the life of
// a process second by second.
func TestMemoryModel(t *testing.T) {
	for _, m := range []memory{
		{live: 100e6, grows: 1e6, pace: 1, target: 200e6, overhead: 10e6, goLimit: math.Inf(1), outside: 20e6},
		{live: 100e6, grows: 1e6, pace: 1, target: 200e6, overhead: 10e6, goLimit: 600e6, outside: 20e6},
		{live: 100e6, grows: 1e6, pace: 0.5, overhead: 10e6, goLimit: math.Inf(1), outside: 20e6, outsideGrows: 5e5},
		{live: 100e6, grows: 1e6, pace: -1, allocates: 9e6, goLimit: math.Inf(1)},
	} {
		const limit = 1e9
		want := 0.0
		for m.peak(want, 1) < limit {
			want++
		}
		if got := when(limit, func(sec float64) float64 { return m.peak(sec, 1) }); math.Abs(got-want) > 1 {
			t.Errorf("%+v reaches the limit after %g s, want %g", m, got, want)
		}
	}
	m := memory{live: 100e6, grows: 1e6, pace: 1, target: 200e6, goLimit: math.Inf(1)}
	if got := when(600e6, func(sec float64) float64 { return m.peak(sec, 1) }); !close(got, 200, 0.1) {
		t.Errorf("the heap is twice what lives: %g s, want 200", got)
	}
	if got := when(1e9, func(sec float64) float64 { return m.peak(sec, 0) }); !math.IsInf(got, 1) {
		t.Errorf("what does not grow never ends, got %g", got)
	}
}

// TestPile: many that wait long at one place are a leak without any growth.
func TestPile(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "goroutine", Unit: "count"})
	add := func(n, minutes int64, stack ...string) {
		b.Sample(stackOf(b, 0, stack), []int64{n}, b.NumLabel("wait", minutes, "minutes"))
	}
	add(3000, 40, "created by main.start", "main.work", "runtime.chanrecv1", "runtime.gopark")
	add(5000, 2, "created by main.start", "main.busy", "runtime.chanrecv1", "runtime.gopark")
	add(900, 90, "created by main.start", "main.few", "runtime.chanrecv1", "runtime.gopark")
	for i := range 5 {
		add(int64(i), 1, "main.other"+string(rune('a'+i)), "runtime.gopark")
	}
	waiting, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	v := Judge(NewHistory(), Options{Clues: Clues{Waiting: waiting}})
	if len(v.Findings) != 1 || v.Findings[0].Reason.Code != "pile" || blamed(&v.Findings[0]) != "main.work" || v.Findings[0].Samples != 3000 {
		t.Errorf("piles: %s", describe(v))
	}
}

// TestGoroutineShapes: exact counts over a minute.
func TestGoroutineShapes(t *testing.T) {
	stacks := map[string][]string{"x": {"main.work", "runtime.gopark"}, "rest": {"main.main", "runtime.gopark"}}
	for _, tt := range []struct {
		name  string
		count func(rng *rand.Rand, i int) float64
		leak  bool
	}{
		{"one every two seconds", func(_ *rand.Rand, i int) float64 { return float64(i / 2) }, true},
		{"three a second", func(_ *rand.Rand, i int) float64 { return float64(3 * i) }, true},
		{"a few a second at random", func(rng *rand.Rand, i int) float64 { return 3*float64(i) + 4*rng.Float64() }, true},
		{"a pool that fills in 20 s", func(_ *rand.Rand, i int) float64 { return min(60, 3*float64(i)) }, false},
		{"a pool that fills at once", func(_ *rand.Rand, i int) float64 { return 40 * math.Min(1, float64(i)) }, false},
		{"connections come and go", func(rng *rand.Rand, _ int) float64 { return float64(20 + rng.IntN(30)) }, false},
		{"load in a wave", func(_ *rand.Rand, i int) float64 { return math.Round(50 + 30*math.Sin(float64(i)/6)) }, false},
		{"one burst", func(_ *rand.Rand, i int) float64 {
			if i > 20 && i < 30 {
				return 200
			}
			return 5
		}, false},
		{"a step", func(_ *rand.Rand, i int) float64 {
			if i > 30 {
				return 64
			}
			return 8
		}, false},
	} {
		h := NewHistory()
		rng := rand.New(rand.NewPCG(9, 9))
		for i := range 60 {
			n := map[string]int64{"rest": 12, "x": int64(tt.count(rng, i))}
			mustAdd(t, h, Look{At: every(i, 1), Goroutine: goroutineProfile(t, n, stacks), Gauges: NoGauges()})
		}
		if v := Judge(h, Options{}); (v.Worst() == Leak) != tt.leak {
			t.Errorf("%s: %s", tt.name, describe(v))
		}
	}
}
