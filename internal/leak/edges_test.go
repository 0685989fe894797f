package leak

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// gaugesAt is a look of nothing but gauges.
func gaugesAt(at time.Time, set map[Gauge]float64) Look {
	l := Look{At: at, Gauges: NoGauges()}
	for g, v := range set {
		l.Gauges[g] = v
	}
	return l
}

// TestUnsampled: a program that samples nothing is judged by the size of its
// heap, and is not called steady.
func TestUnsampled(t *testing.T) {
	h := NewHistory()
	said := 0
	for i := range 60 {
		l := gaugesAt(every(i, 1), map[Gauge]float64{HeapAlloc: 10e6 + 2e6*float64(i), Resident: 30e6 + 2e6*float64(i)})
		l.Heap, l.Fresh = heapProfile(t, 0), true
		for _, w := range h.Add(l) {
			if said++; !strings.Contains(w.Error(), "MemProfileRate is 0") {
				t.Error(w)
			}
		}
	}
	v := Judge(h, Options{})
	if said != 1 || len(v.Findings) != 1 || v.Findings[0].Resource != Heap || v.Findings[0].Class != Leak || !close(v.Findings[0].Slope.Value, 2e6, 1e4) {
		t.Errorf("said %d times: %s", said, describe(v))
	}
}

// TestEmptyHeapProfile is of a program that holds next to nothing.
func TestEmptyHeapProfile(t *testing.T) {
	h := NewHistory()
	mustAdd(t, h, Look{At: day(), Heap: heapProfile(t, 1), Gauges: NoGauges()})
	wantWarning(t, h.Add(Look{At: day(), Heap: heapProfile(t, 1), Gauges: NoGauges()}), "two looks at")
	wantWarning(t, h.Add(Look{At: day().Add(-time.Second), Gauges: NoGauges()}), "went back")
}

// TestNoisyLine: growth under noise is no step, and a step under noise is one.
func TestNoisyLine(t *testing.T) {
	judged := func(seed uint64, n int, noise float64, shape func(x float64) float64) Class {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		h := NewHistory()
		for i := range n {
			mustAdd(t, h, gaugesAt(every(i, 300), map[Gauge]float64{Resident: 100e6 + 200e6*(shape(float64(i)/float64(n))+noise*rng.NormFloat64())}))
		}
		return Judge(h, Options{}).Totals[0].Class
	}
	line := func(x float64) float64 { return x }
	step := func(x float64) float64 { return math.Floor(x + 0.4) }
	two := func(x float64) float64 { return math.Floor(2*x+0.7) / 2 }
	const seeds = 20
	for _, tt := range []struct {
		n           int
		noise       float64
		lines, jump int // steps at most among lines, at least among steps
	}{{60, 0.1, 0, 19}, {60, 0.2, 6, 18}, {288, 0.3, 1, 19}, {288, 0.5, 6, 18}} {
		lines, jumps, twice := 0, 0, 0
		for seed := range uint64(seeds) {
			lines += btoi(judged(seed, tt.n, tt.noise, line) == Step)
			jumps += btoi(judged(seed, tt.n, tt.noise, step) != Leak)
			twice += btoi(judged(seed, tt.n, tt.noise, two) != Leak)
		}
		if lines > tt.lines || jumps < tt.jump || twice < tt.jump {
			t.Errorf("%d points, noise %v: of %d lines %d are steps; of as many steps %d are no leak, of two steps %d", tt.n, tt.noise, seeds, lines, jumps, twice)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestFixedAfterRestart: descriptors leaked for an hour, and not in the fifty
// minutes since another process runs: that is what is judged and foretold.
func TestFixedAfterRestart(t *testing.T) {
	h := NewHistory()
	for i := range 110 {
		set := map[Gauge]float64{StartTime: 1, Descriptors: 100 + float64(i), DescriptorLimit: 1024}
		if i >= 60 {
			set[StartTime], set[Descriptors] = 1e6, 20
		}
		h.Add(gaugesAt(every(i, 60), set))
	}
	if v := Judge(h, Options{}); v.Worst() != Steady || v.Forecast != nil || v.Restarts != 1 {
		t.Errorf("%s, %+v", describe(v), v.Forecast)
	}
}

// TestSameProcess: the start by the clock moves when that is set; a process
// that follows within two seconds is another one.
func TestSameProcess(t *testing.T) {
	for _, tt := range []struct {
		name            string
		start, tick, id float64 // of the second half, less those of the first
		restarts        int
	}{{"clock set", 5, 0, 0, 0}, {"quick restart", 1, 100, 0, 1}, {"same tick, another number", 0, 0, 7, 1}} {
		h := NewHistory()
		for i := range 40 {
			set := map[Gauge]float64{StartTime: 1000, StartTicks: 5000, ProcessID: 17, Descriptors: 100 + float64(i)}
			if i >= 20 {
				set[StartTime], set[StartTicks], set[ProcessID] = 1000+tt.start, 5000+tt.tick, 17+tt.id
			}
			h.Add(gaugesAt(every(i, 1), set))
		}
		if v := Judge(h, Options{}); v.Restarts != tt.restarts {
			t.Errorf("%s: %d restarts, want %d", tt.name, v.Restarts, tt.restarts)
		}
	}
}

// TestCertainInOneReplica: one goroutine that can never run again, in one of
// several replicas.
func TestCertainInOneReplica(t *testing.T) {
	stacks := map[string][]string{"stuck": {"main.worker", "runtime.chansend1", "runtime.gopark"}, "other": {"main.zero", "runtime.gopark"}}
	h := NewHistory()
	for i := range 20 {
		for r, counts := range []map[string]int64{{"stuck": 1}, {"other": 0}, {"stuck": 2}} {
			mustAdd(t, h, Look{At: every(i, 1), Target: fmt.Sprint(r), Leaked: goroutineProfile(t, counts, stacks), Gauges: NoGauges()})
		}
	}
	v := Judge(h, Options{})
	if len(v.Findings) != 1 || v.Findings[0].Level != Certain || v.Findings[0].Reason.Code != Unreachable || v.Findings[0].After.Value != 3 {
		t.Errorf("%s", describe(v))
	}
}

// TestHeapExplainsResident: resident memory rises with a heap that grows to a
// plateau or with the load, and may not leak beside it; one that rises by much
// more does.
func TestHeapExplainsResident(t *testing.T) {
	heap := Finding{Resource: Heap, Class: Filling, Before: Estimate{Value: 10e6}, After: Estimate{Value: 60e6}}
	for _, tt := range []struct {
		class  Class
		growth float64
		want   int // findings
	}{{Filling, 110e6, 0}, {Load, 150e6, 0}, {Step, 50e6, 0}, {Steady, 110e6, 1}, {Filling, 400e6, 1}} {
		heap.Class = tt.class
		j := &judge{h: NewHistory(), v: &Verdict{Totals: []Finding{heap, {Resource: ResidentMemory, Class: Leak, Before: Estimate{Value: 50e6}, After: Estimate{Value: 50e6 + tt.growth}}}}}
		j.reconcile()
		if len(j.v.Findings) != tt.want {
			t.Errorf("heap of class %d, resident +%g: %d findings, want %d", tt.class, tt.growth, len(j.v.Findings), tt.want)
		}
	}
}

// TestOthersInTheGroup: what other processes of the cgroup hold is not left
// for this one; what is in files is.
func TestOthersInTheGroup(t *testing.T) {
	j := &judge{h: NewHistory()}
	g := NoGauges()
	g[GroupMax], g[NodeMemory], g[NodeAvailable], g[Resident] = 1000, 1e9, 1e9, 300
	if limit, reach, name := j.limit(&g); limit != 1000 || reach != 1000 || name != "memory.max" {
		t.Errorf("others are not known: %v, %v, %s", limit, reach, name)
	}
	g[GroupCurrent], g[GroupCache], g[ResidentAnon] = 900, 200, 250
	if limit, reach, name := j.limit(&g); limit != 1000 || reach != 550 || name != "memory.max" {
		t.Errorf("%v, %v, %s: want 550 left of 1000", limit, reach, name)
	}
}

// TestOtherClock: the last collection by a clock that is an hour off is not
// when the heap was seen.
func TestOtherClock(t *testing.T) {
	for off, want := range map[time.Duration]float64{0: 600 - 20, time.Hour: 600} {
		s := newService(t, 1, 1)
		h := NewHistory()
		for i := range 11 {
			l := s.look(every(i, 60))
			l.Fresh = false
			l.Gauges[LastGC] = float64(l.At.Add(-20*time.Second-off).UnixNano()) / 1e9
			mustAdd(t, h, l)
		}
		at := h.targets[0].segs[0].streams[heapStream].t
		if got := at[len(at)-1]; math.Abs(got-want) > 1e-3 {
			t.Errorf("%v off: the last look is at second %v, want %v", off, got, want)
		}
	}
}

// TestBalancer: looks that come from two replicas in turn are many restarts:
// said once, with what it may be, and the history stays small.
func TestBalancer(t *testing.T) {
	a, b := newService(t, 1, 1<<20), newService(t, 2, 1<<20)
	h := NewHistory()
	said := 0
	for i := range 300 {
		la, lb := a.look(every(i, 1)), b.look(every(i, 1))
		if i%2 == 1 {
			la = lb
		}
		said += len(h.Add(la))
	}
	v := Judge(h, Options{})
	if said != 1 || v.Restarts < 100 || len(h.targets[0].segs) > maxSegments {
		t.Errorf("said %d times, %d restarts, %d segments", said, v.Restarts, len(h.targets[0].segs))
	}
	wantWarning(t, v.Warnings, "load balancer")
}

// TestBudget: many replicas with many stacks share one budget.
func TestBudget(t *testing.T) {
	h := NewHistory()
	wide := &stream{t: make([]float64, 100)}
	for range maxCells / 200 {
		wide.columns = append(wide.columns, &column{start: 100})
	}
	for i := range 6 {
		tg := h.target(fmt.Sprint(i))
		s := &segment{}
		s.streams[heapStream] = *wide
		tg.segs = append(tg.segs, s)
	}
	h.thin()
	cells := 0
	for _, tg := range h.targets {
		cells += tg.segs[0].streams[heapStream].cells()
	}
	if cells > maxCells {
		t.Errorf("%d numbers, more than %d", cells, maxCells)
	}
}

// TestRoundsNowAndThen: what grows in every second or third round leaks, once
// it has done so often enough; a pool that needs more twice does not.
func TestRoundsNowAndThen(t *testing.T) {
	stacks := map[string][]string{"stuck": {"main.TestX.func1", "runtime.gopark"}, "test": {"testing.tRunner"}}
	for _, tt := range []struct {
		name   string
		rounds int
		n      func(i int) int
		want   Class
	}{
		{"every second round", 21, func(i int) int { return 1 + i/2 }, Leak},
		{"every third round", 41, func(i int) int { return 1 + i/3 }, Leak},
		{"every third round, a few", 31, func(i int) int { return 1 + i/5*3 }, Growing},
		{"two steps", 31, func(i int) int { return 1 + i/14*10 }, Growing},
		{"and down again", 31, func(i int) int { return 3 + i/2 - 2*(i%3) }, Filling},
	} {
		h := NewRounds()
		for i := range tt.rounds {
			counts := map[string]int64{"stuck": int64(tt.n(i)), "test": 2}
			mustAdd(t, h, Look{At: time.Unix(int64(i), 0), Goroutine: goroutineProfile(t, counts, stacks), Gauges: NoGauges()})
		}
		v := Judge(h, Options{})
		if len(v.Findings) != 1 || v.Findings[0].Class != tt.want {
			t.Errorf("%s: %s", tt.name, describe(v))
		}
	}
	h := NewRounds()
	for i := range 8 {
		w := h.Add(gaugesAt(time.Unix(int64(i), 0), map[Gauge]float64{NumGC: float64(50 - i/5*50)}))
		if i == 5 {
			wantWarning(t, w, "a restart at round 5")
		}
	}
}

// TestLedgerOfUntouched: memory that was allocated and never touched is not
// resident; no part of the sum is negative.
func TestLedgerOfUntouched(t *testing.T) {
	g := NoGauges()
	g[Resident], g[HeapLive], g[HeapAlloc], g[HeapInuse], g[HeapIdle], g[HeapReleased] = 30e6, 5e6, 415e6, 416e6, 3e6, 2e6
	for i, p := range split(&g, math.NaN()) {
		if p < 0 {
			t.Errorf("part %d is %v", i, p)
		}
	}
}
