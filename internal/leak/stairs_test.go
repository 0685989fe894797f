package leak

import (
	"math"
	"math/rand/v2"
	"testing"
)

// single is a series of one object so large that it is sampled for sure, at a
// look each second.
func single(n int, size func(i int) float64) *series {
	s := newSeries(make([]float64, n))
	for i := range s.t {
		s.t[i], s.y[i], s.k[i], s.a[i] = float64(i), size(i), 1, 1
		if i > 0 {
			s.a[i], s.cum[i] = s.a[i-1], s.cum[i-1]
		}
		if i == 0 || s.y[i] != s.y[i-1] {
			s.a[i]++
			s.cum[i] += s.y[i]
		}
	}
	return s
}

// capacity is that of a slice which is copied to one larger by a factor as
// often as data has no room in it.
func capacity(from, factor float64, data func(i int) float64) func(i int) float64 {
	return func(i int) float64 {
		c := from
		for c < data(i) {
			c *= factor
		}
		return c
	}
}

// TestStairs: one object that is replaced by a larger one again and again.
func TestStairs(t *testing.T) {
	const mb = 1 << 20
	linear := func(rate float64) func(int) float64 {
		return func(i int) float64 { return rate * (float64(i) + 1) }
	}
	with := func(f func(int) float64, more func(i int) float64) func(int) float64 {
		return func(i int) float64 { return f(i) + more(i) }
	}
	start := func(i int) float64 { return [...]float64{0.7, 0.1, 1.2, 0, 0}[min(i, 4)] * mb }
	flicker := func(i int) float64 { return float64(i*7%5/4) * mb / 2 }
	for _, tt := range []struct {
		name  string
		looks int
		size  func(i int) float64
		want  Class
		truth float64 // bytes a second, inside the interval
	}{
		{"by a quarter", 60, capacity(mb, 1.25, linear(mb/2)), Leak, mb / 2},
		{"by a quarter, small ones sampled by chance", 60, with(capacity(mb/2, 1.25, linear(mb/2)), start), Leak, mb / 2},
		{"by a quarter beside what comes and goes", 60, with(capacity(mb, 1.25, linear(mb/2)), flicker), Leak, mb / 2},
		{"by a quarter, slowly", 200, capacity(4*mb, 1.25, func(i int) float64 { return 4*mb + float64(i)*mb/4 }), Leak, mb / 4},
		{"doubling", 60, capacity(mb, 2, linear(mb)), Leak, mb},
		{"doubling beside a constant", 120, capacity(mb, 2, linear(mb)), Leak, mb},
		{"by a quarter for a third of the time", 60, capacity(mb, 1.25, func(i int) float64 { return mb * float64(min(i, 20)) }), Step, 0},
		{"one step", 60, func(i int) float64 { return mb * float64(2+10*(i/30)) }, Step, 0},
		{"two steps", 60, func(i int) float64 { return mb * [...]float64{4, 10, 20}[i/22] }, Step, 0},
		{"a ring", 60, func(int) float64 { return 16 * mb }, Steady, 0},
	} {
		j := confirm(single(tt.looks, tt.size), setting{whole: mb, gate: minBytes})
		if j.class != tt.want {
			t.Errorf("%s: class %d %s, p %.2g", tt.name, j.class, j.reason.Code, j.p)
		}
		if tt.truth > 0 && (j.slope.Low > tt.truth || j.slope.High < tt.truth || j.slope.Value < tt.truth || j.slope.Value > 1.5*tt.truth || j.samples < 4 || j.p > 1e-4) {
			t.Errorf("%s: slope %v, want %g; %d jumps, p %.2g", tt.name, j.slope, tt.truth, j.samples, j.p)
		}
	}
}

// TestNoStairs: what is replaced by larger and smaller ones is no leak,
// however long one looks.
func TestNoStairs(t *testing.T) {
	const mb = 1 << 20
	flushed := capacity(mb/2, 1.25, func(i int) float64 { return mb * float64(i%10) })
	leaks, runs := 0, 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		sizes := make([]float64, 200)
		for i := range sizes {
			sizes[i] = mb * (4 + 12*rng.Float64())
		}
		level, most := 8.0, 8.0
		queue := make([]float64, 200) // of a length that walks at random
		for i := range queue {
			level = math.Abs(level + rng.NormFloat64())
			most = max(most, level)
			queue[i] = capacity(mb, 2, func(int) float64 { return most * mb / 2 })(i)
		}
		for _, size := range []func(int) float64{
			func(i int) float64 { return sizes[i/5] },
			func(i int) float64 { return sizes[i/15] },
			func(i int) float64 { return queue[i] },
			flushed,
		} {
			runs++
			if j := confirm(single(12+rng.IntN(180), size), setting{whole: mb, gate: minBytes}); j.class == Leak {
				leaks++
			}
		}
	}
	if leaks*200 > runs {
		t.Errorf("%d of %d are called leaks", leaks, runs)
	}
}

// TestThreads: memory of the runtime's own threads, few and large.
func TestThreads(t *testing.T) {
	rows := func(path ...string) *Verdict {
		h := NewHistory()
		size := capacity(1<<20, 1.25, func(i int) float64 { return float64(i) * (1 << 19) })
		born := map[int64]int64{}
		for i := range 60 {
			now := int64(size(i))
			born[now] = 1
			var heap []heapRow
			for s := range born {
				heap = append(heap, heapRow{path, s, 1, max(0, 1-(now-s))})
			}
			mustAdd(t, h, Look{At: every(i, 1), Heap: heapProfile(t, 1, heap...), Fresh: true, Gauges: NoGauges()})
		}
		return Judge(h, Options{})
	}
	if v := rows("main.main", "main.keep"); v.Worst() != Leak || v.Findings[0].Reason.Code != "stairs" || v.Findings[0].Samples < 8 || v.Totals[0].Class != Leak {
		t.Errorf("a slice of the program: %s", describe(v))
	}
	if v := rows("runtime.mstart", "runtime.systemstack", "runtime.allocm"); v.Worst() == Leak {
		t.Errorf("threads: %s", describe(v))
	}
}
