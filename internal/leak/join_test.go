package leak

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// grownBy is a minute of looks at stacks, each with the bytes it holds by the
// part of the minute that passed, in objects of 1 KB.
func grownBy(t *testing.T, stacks map[string]func(f float64) float64) *History {
	t.Helper()
	h := NewHistory()
	names := sortedKeys(stacks)
	const size = 1024
	p := sampled(size, servicePeriod)
	born, last := map[string]float64{}, map[string]float64{}
	for i := range 120 {
		var rows []heapRow
		for _, name := range names {
			k := math.Floor(stacks[name](float64(i)/119) / size * p)
			born[name] += max(0, k-last[name])
			last[name] = k
			rows = append(rows, heapRow{strings.Fields(name), size, int64(born[name] / p), int64(k / p)})
		}
		mustAdd(t, h, Look{At: every(i, 0.5), Heap: heapProfile(t, servicePeriod, rows...), Fresh: true, Gauges: NoGauges()})
	}
	return h
}

// TestJoin: parts of one leak are one finding, with the slope of all.
func TestJoin(t *testing.T) {
	const mb = 1 << 20
	even := func(v float64) func(float64) float64 { return func(f float64) float64 { return v * mb * f } }
	fills := func(v float64) func(float64) float64 {
		return func(f float64) float64 { return v * mb * (1 - math.Exp(-5*f)) }
	}
	step := func(v float64) func(float64) float64 {
		return func(f float64) float64 { return v * mb * math.Round(f) }
	}
	for _, tt := range []struct {
		name   string
		stacks map[string]func(float64) float64
		leaks  []string // blamed, with MB of growth
		others int      // findings that are no leaks
	}{
		{"a map beside the entries doubles once", map[string]func(float64) float64{
			"main.main main.handle x/lib.entry": even(40), "main.main main.handle x/lib.table": step(12), "main.main main.rest": even(0)}, []string{"main.handle 52"}, 0},
		{"what fills beside a leak of the same function", map[string]func(float64) float64{
			"main.main main.handle x/lib.request": even(30), "main.main main.handle x/lib.header": fills(20), "main.main main.rest": even(0)}, []string{"main.handle 50"}, 0},
		{"a cache of another function", map[string]func(float64) float64{
			"main.main main.handle x/lib.request": even(30), "main.main main.cache x/lib.put": fills(20)}, []string{"main.handle 30"}, 1},
		{"two functions of the program below one", map[string]func(float64) float64{
			"main.main main.handle main.parse x/lib.text": even(20), "main.main main.handle main.keep x/lib.request": even(30)}, []string{"main.keep 30", "main.parse 20"}, 0},
		{"a function that calls itself on many ways", map[string]func(float64) float64{
			"main.main main.work main.route main.left main.route x/lib.put":              even(20),
			"main.main main.work main.route main.right main.route main.left main.route":  even(15),
			"main.main main.work main.route main.right main.route main.right main.route": even(14),
			"main.main main.rest": even(0)}, []string{"main.route 49"}, 0},
	} {
		v := Judge(grownBy(t, tt.stacks), Options{})
		if err := consistent(v); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		others := 0
		for _, f := range v.Findings {
			if f.Class != Leak {
				others++
			}
		}
		if len(v.Findings)-others != len(tt.leaks) || others != tt.others {
			t.Errorf("%s: %s", tt.name, describe(v))
			continue
		}
		for i, want := range tt.leaks {
			name, amount, _ := strings.Cut(want, " ")
			f := &v.Findings[i]
			if grew := f.After.Value / mb; blamed(f) != name || math.Abs(grew-number(t, amount)) > 2 {
				t.Errorf("%s: %s, %.3g MB, want %s", tt.name, blamed(f), grew, want)
			}
		}
	}
}

// TestStartedTogether: goroutines that the same code starts equally often are
// one finding; those that it starts at another rate are not.
func TestStartedTogether(t *testing.T) {
	stacks := map[string][]string{
		"read":  {"x/net.(*conn).readLoop", "runtime.gopark"},
		"write": {"x/net.(*conn).writeLoop", "runtime.gopark"},
		"serve": {"main.(*server).serve", "runtime.gopark"},
		"other": {"x/net.(*pool).reap", "runtime.gopark"},
	}
	h := NewHistory()
	for i := range 60 {
		n := int64(3 * i)
		l := Look{At: every(i, 1), Gauges: NoGauges()}
		l.Goroutine = goroutineProfile(t, map[string]int64{"read": n, "write": n, "serve": n + 1, "other": 2 * n / 3}, stacks)
		l.Heap = heapProfile(t, 1, heapRow{[]string{"main.main", "main.fetch", "x/net.dial"}, 64, 100 * n, 10})
		l.Gauges[Descriptors] = float64(10 + 2*n)
		mustAdd(t, h, l)
	}
	waiting := startedBy(t, "main.fetch", "x/net.(*conn).readLoop", "x/net.(*conn).writeLoop", "main.(*server).serve", "x/net.(*pool).reap")
	v := Judge(h, Options{Clues: Clues{Waiting: waiting}})
	if err := consistent(v); err != nil {
		t.Error(err)
	}
	if len(v.Findings) != 3 || len(v.Findings[0].Below) != 3 || v.Findings[0].Path[0].Function != "main.(*server).serve" || !close(v.Findings[0].Slope.Value, 3, 0.1) {
		t.Fatalf("three kinds started together, one that is not, and descriptors: %s", describe(v))
	}
	share := 0.0
	for _, b := range v.Findings[0].Below {
		share += b.Share
	}
	if !close(share, 1, 0.01) {
		t.Errorf("the shares of the kinds add up to %g", share)
	}
	if f := &v.Findings[2]; f.Resource != FileDescriptors || f.Cause != 0 {
		t.Errorf("descriptors and their cause: %s", describe(v))
	}
}

// TestAkin: heap that a method takes is held by goroutines that another method
// of the same type starts, if it grows as they do.
func TestAkin(t *testing.T) {
	stacks := map[string][]string{"deliver": {"app/poll.(*fetcher).deliver", "runtime.gopark"}}
	for _, tt := range []struct {
		name  string
		path  string
		late  bool // the heap began in the middle
		cause int
	}{
		{"the same type", "app/poll.(*fetcher).start", false, 0},
		{"another type", "app/poll.(*cache).start", false, -1},
		{"another time", "app/poll.(*fetcher).start", true, -1},
	} {
		h := NewHistory()
		rng := rand.New(rand.NewPCG(4, 4))
		n, objects := 0, int64(0)
		for i := range 80 {
			n += rng.IntN(5)
			objects = int64(40 * n)
			if tt.late {
				objects = int64(max(0, i-50) * 300)
			}
			l := Look{At: every(i, 1), Fresh: true, Gauges: NoGauges()}
			l.Goroutine = goroutineProfile(t, map[string]int64{"deliver": int64(n)}, stacks)
			l.Heap = heapProfile(t, 1, heapRow{[]string{"main.main", tt.path, "app/poll.parse"}, 4096, objects, objects})
			mustAdd(t, h, l)
		}
		v := Judge(h, Options{})
		if len(v.Findings) != 2 || v.Findings[1].Resource != Heap || v.Findings[1].Cause != tt.cause {
			t.Errorf("%s: %s", tt.name, describe(v))
		}
	}
}

func TestFamily(t *testing.T) {
	for function, want := range map[string]string{
		"main.work":                       "main.work",
		"main.work.func1":                 "main.work",
		"main.(*jobs).work.func1.2":       "main.(*jobs)",
		"main.jobs.work":                  "main.jobs",
		"a.b/c.d/pkg.(*T).m":              "a.b/c.d/pkg.(*T)",
		"a.b/pkg.F[...].func1":            "a.b/pkg.F[",
		"a.b/pkg.(*list[go.shape.int]).m": "a.b/pkg.(*list[go.shape.int])",
		"x":                               "x.",
	} {
		if got := family(function); got != want {
			t.Errorf("%s is of %s, want %s", function, got, want)
		}
	}
}
