package leak

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// service makes looks at a service of one leaking and some steady stacks.
type service struct {
	t      *testing.T
	rng    *rand.Rand
	target string
	build  string
	rate   float64 // sampled objects of the leak a look
	k      float64
	base   []float64
	alloc  []float64
}

const servicePeriod = 512 << 10

func newService(t *testing.T, seed uint64, rate float64) *service {
	s := &service{t: t, rng: rand.New(rand.NewPCG(seed, 1)), rate: rate, build: "b1"}
	s.restart()
	return s
}

func (s *service) restart() {
	s.k = 0
	s.base, s.alloc = make([]float64, 20), make([]float64, 20)
	for i := range s.base {
		s.base[i] = float64(5 + i)
		s.alloc[i] = s.base[i]
	}
}

// look lets some time pass and makes the profile.
func (s *service) look(at time.Time) Look {
	for s.rng.Float64() < s.rate/(1+s.rate) {
		s.k++
	}
	const size = 512
	scale := func(k float64) int64 { return int64(k / sampled(size, servicePeriod)) }
	rows := []heapRow{{[]string{"main.main", "main.serve", "main.keep", "lib.put"}, size, scale(s.k), scale(s.k)}}
	for i := range s.base {
		s.alloc[i] += float64(s.rng.IntN(3))
		k := s.base[i] + float64(s.rng.IntN(3))
		rows = append(rows, heapRow{[]string{"main.main", "main.serve", "main.step", fmt.Sprint("lib.f", i)}, size, scale(s.alloc[i] + 3), scale(min(k, s.alloc[i]+3))})
	}
	p := heapProfile(s.t, servicePeriod, rows...)
	p.Mappings[1].BuildID = s.build
	return Look{At: at, Target: s.target, Heap: p, Fresh: true, Gauges: NoGauges()}
}

func mustAdd(t *testing.T, h *History, l Look) {
	t.Helper()
	for _, w := range h.Add(l) {
		t.Errorf("unexpected warning: %v", w)
	}
}

func wantWarning(t *testing.T, got []error, words string) {
	t.Helper()
	for _, w := range got {
		if strings.Contains(w.Error(), words) {
			return
		}
	}
	t.Errorf("no warning with %q, got %v", words, got)
}

func theLeak(t *testing.T, v *Verdict) *Finding {
	t.Helper()
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Class == Leak && f.Resource == Heap {
			return f
		}
	}
	t.Fatalf("no leak found: %s", describe(v))
	return nil
}

func TestExactCounts(t *testing.T) {
	for _, period := range []int64{1, 16 << 10, 512 << 10} {
		for _, size := range []int64{16, 1000, 512 << 10, 5 << 20} {
			for _, k := range []float64{1, 3, 19, 1000} {
				p := sampled(size, period)
				objects := int64(k / p)
				h := NewHistory()
				mustAdd(t, h, Look{At: day(), Heap: heapProfile(t, period, heapRow{[]string{"main.f"}, size, objects, objects}), Gauges: NoGauges()})
				c := h.targets[0].segs[0].streams[heapStream].columns[0]
				if want := k; c.k[0] != want || c.a[0] != want {
					t.Errorf("period %d, size %d: %v sampled objects became %v", period, size, want, c.k[0])
				}
			}
		}
	}
}

func TestRestartsPool(t *testing.T) {
	h := NewHistory()
	s := newService(t, 1, 0.2)
	restarts := 0
	for i := range 400 {
		if i > 0 && i%100 == 0 {
			s.restart()
			restarts++
			if w := h.Add(s.look(day().Add(time.Duration(i) * 5 * time.Minute))); restarts == 1 {
				wantWarning(t, w, "a restart")
			} else if len(w) > 0 {
				t.Errorf("said again: %v", w) // the sum is told with the verdict
			}
			continue
		}
		mustAdd(t, h, s.look(day().Add(time.Duration(i)*5*time.Minute)))
	}
	f := theLeak(t, Judge(h, Options{}))
	// Twenty samples a run are enough only together with the other runs.
	if f.Samples < 40 || len(h.targets[0].segs) != restarts+1 {
		t.Errorf("%d samples over %d runs", f.Samples, len(h.targets[0].segs))
	}
	truth := 0.2 * servicePeriod / 300
	if f.Slope.Low > truth || f.Slope.High < truth {
		t.Errorf("slope %v, want %.0f", f.Slope, truth)
	}
}

func TestReplicasPool(t *testing.T) {
	found := func(replicas int) bool {
		h := NewHistory()
		var all []*service
		for r := range replicas {
			s := newService(t, uint64(r), 0.1)
			s.target = fmt.Sprint("host", r)
			all = append(all, s)
		}
		for i := range 100 {
			for _, s := range all {
				mustAdd(t, h, s.look(day().Add(time.Duration(i)*5*time.Minute)))
			}
		}
		v := Judge(h, Options{})
		if v.Targets != replicas {
			t.Errorf("%d targets, want %d", v.Targets, replicas)
		}
		return v.Worst() == Leak
	}
	if found(1) || !found(6) {
		t.Errorf("ten samples: one process alone says %v, six together %v", found(1), found(6))
	}
}

func TestNewBuild(t *testing.T) {
	h := NewHistory()
	s := newService(t, 3, 0)
	for i := range 200 {
		at := day().Add(time.Duration(i) * 5 * time.Minute)
		if i == 90 {
			s.build, s.rate = "b2", 0.5
			s.restart()
			wantWarning(t, h.Add(s.look(at)), "a new build")
			continue
		}
		mustAdd(t, h, s.look(at))
	}
	v := Judge(h, Options{})
	wantWarning(t, v.Warnings, "of 2 builds one is judged")
	f := theLeak(t, v)
	if f.Times[0].Before(day().Add(90 * 5 * time.Minute)) {
		t.Errorf("the old build is part of the judgement: from %v", f.Times[0])
	}
}

func TestOtherProgram(t *testing.T) {
	h := NewHistory()
	s := newService(t, 4, 0)
	mustAdd(t, h, s.look(day()))
	other := heapProfile(t, servicePeriod, heapRow{[]string{"main.main", "main.other", "main.strange"}, 64, 10, 10})
	other.Mappings[1].File, other.Mappings[1].BuildID = "/src/other/other", "x"
	wantWarning(t, h.Add(Look{At: day().Add(time.Minute), Heap: other, Gauges: NoGauges()}), "another program")
	mustAdd(t, h, s.look(day().Add(2*time.Minute)))
	if v := Judge(h, Options{}); v.Looks != 2 {
		t.Errorf("%d looks, want 2", v.Looks)
	}
}

func TestClockGoesBack(t *testing.T) {
	h := NewHistory()
	s := newService(t, 5, 0.5)
	for i := range 120 {
		at := day().Add(time.Duration(i) * 5 * time.Minute)
		if i == 50 {
			wantWarning(t, h.Add(s.look(day())), "clock went back")
		}
		mustAdd(t, h, s.look(at))
	}
	theLeak(t, Judge(h, Options{}))
}

func TestMissingAndUnevenLooks(t *testing.T) {
	h := NewHistory()
	s := newService(t, 6, 0.3)
	for i := range 300 {
		l := s.look(day().Add(time.Duration(i)*5*time.Minute + time.Duration(s.rng.IntN(100))*time.Second))
		if i > 100 && i < 140 || s.rng.IntN(3) == 0 {
			continue
		}
		mustAdd(t, h, l)
	}
	v := Judge(h, Options{})
	wantWarning(t, v.Warnings, "no look between")
	f := theLeak(t, v)
	truth := 0.3 * servicePeriod / 300
	if f.Slope.Low > truth || f.Slope.High < truth {
		t.Errorf("slope %v, want %.0f", f.Slope, truth)
	}
}

func TestOneLook(t *testing.T) {
	h := NewHistory()
	if v := Judge(h, Options{}); v.Worst() != Unknown || v.Looks != 0 {
		t.Errorf("nothing seen: %s", describe(v))
	}
	mustAdd(t, h, newService(t, 7, 0).look(day()))
	v := Judge(h, Options{})
	if v.Worst() != Unknown || len(v.Totals) != 1 || v.Totals[0].Reason.Code != "too-few-looks" {
		t.Errorf("one look: %s", describe(v))
	}
}

func TestTwoLooks(t *testing.T) {
	h := NewHistory()
	for i, k := range []int64{10, 60} {
		n := k * 8192
		mustAdd(t, h, Look{At: day().Add(time.Duration(i) * time.Hour), Heap: heapProfile(t, servicePeriod, heapRow{[]string{"main.main", "main.keep"}, 64, n, n}), Gauges: NoGauges()})
	}
	v := Judge(h, Options{})
	if v.Worst() != Growing || v.Findings[0].Reason.Code != "too-few-looks" || v.Findings[0].Earliest.IsZero() {
		t.Errorf("two looks: %s", describe(v))
	}
}

// TestStaleProfiles: without gc=1 the same profile comes again until a cycle
// ends. Ten looks at it are one.
func TestStaleProfiles(t *testing.T) {
	h := NewHistory()
	s := newService(t, 8, 2)
	var l Look
	for i := range 300 {
		if i%10 == 0 {
			l = s.look(day())
		}
		l.At, l.Fresh = day().Add(time.Duration(i)*2*time.Minute), false
		mustAdd(t, h, l)
	}
	if n := len(h.targets[0].segs[0].streams[heapStream].t); n != 30 {
		t.Errorf("%d points, want 30", n)
	}
	theLeak(t, Judge(h, Options{}))
}

// TestLastCycle: a profile that is not fresh is of the time of the last
// collection, when that is known.
func TestLastCycle(t *testing.T) {
	h := NewHistory()
	s := newService(t, 8, 2)
	for i := range 5 {
		l := s.look(day().Add(time.Duration(i) * time.Minute))
		l.Fresh = false
		l.Gauges[LastGC] = float64(day().Unix() + int64(i)*60 - 20)
		mustAdd(t, h, l)
	}
	if got := h.targets[0].segs[0].streams[heapStream].t; got[0] != -20 || got[4] != 220 {
		t.Errorf("times of the points: %v", got)
	}
}

func TestBounded(t *testing.T) {
	h := NewHistory()
	p := heapProfile(t, 1, heapRow{[]string{"main.f"}, 64, 1, 1})
	for i := range 5000 {
		mustAdd(t, h, Look{At: day().Add(time.Duration(i) * time.Second), Heap: p, Fresh: true, Gauges: NoGauges()})
	}
	st := &h.targets[0].segs[0].streams[heapStream]
	if n := len(st.t); n > maxPoints || n < maxPoints/2 {
		t.Errorf("%d points are kept", n)
	}
	if got, want := st.t[len(st.t)-1], 4999.0; got != want {
		t.Errorf("the last point is of second %g, want %g", got, want)
	}
	if len(st.columns[0].k) != len(st.t) {
		t.Errorf("%d values for %d points", len(st.columns[0].k), len(st.t))
	}
}

func TestProfileWithoutColumns(t *testing.T) {
	h := NewHistory()
	p, err := profile.NewBuilder(profile.ValueType{Type: "cpu", Unit: "nanoseconds"}).Profile()
	if err != nil {
		t.Fatal(err)
	}
	wantWarning(t, h.Add(Look{At: day(), Heap: p, Gauges: NoGauges()}), "inuse_space")
	wantWarning(t, h.Add(Look{Heap: p, Gauges: NoGauges()}), "no time")
}

// TestAnything judges histories of random looks: whatever comes, there is a
// verdict, and its numbers are numbers.
func TestAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	count := func() int64 { return int64(math.Exp(12 * rng.Float64())) }
	for range 300 {
		h := NewHistory()
		at := day()
		alloc := make([]int64, 6)
		for range rng.IntN(40) {
			at = at.Add(time.Duration(rng.IntN(600)-20) * time.Second)
			l := Look{At: at, Target: fmt.Sprint(rng.IntN(2)), Fresh: rng.IntN(2) == 0, Gauges: NoGauges()}
			for i := range l.Gauges {
				if rng.IntN(3) == 0 {
					l.Gauges[i] = math.Exp(40*rng.Float64()) - 1
				}
			}
			var rows []heapRow
			for i := range alloc {
				alloc[i] += count()
				if rng.IntN(60) == 0 {
					alloc[i] = 0
				}
				rows = append(rows, heapRow{[]string{"main.main", fmt.Sprint("lib.f", i%3), fmt.Sprint("lib.g", i)}, int64(rng.IntN(3)) * count(), alloc[i], rng.Int64N(alloc[i] + 1)})
			}
			if rng.IntN(4) > 0 {
				l.Heap = heapProfile(t, 512<<10, rows...)
			}
			if rng.IntN(3) > 0 {
				l.Goroutine = goroutineProfile(t, map[string]int64{"a": count(), "b": int64(rng.IntN(3))}, map[string][]string{"a": {"lib.x", "runtime.gopark"}, "b": {"main.y"}})
			}
			if rng.IntN(9) == 0 {
				l.Leaked = l.Goroutine
			}
			h.Add(l)
		}
		v := Judge(h, Options{Limit: float64(rng.IntN(2)) * 1e9})
		for _, list := range [][]Finding{v.Findings, v.Totals} {
			for _, f := range list {
				if f.Class >= Growing && f.Level != Certain && math.IsNaN(f.Slope.Value) || f.Class >= classCount || f.P < 0 || f.P > 1 || f.Blame >= len(f.Path) || f.Cause >= len(v.Findings) {
					t.Fatalf("not sound: %+v", f)
				}
			}
		}
	}
}
