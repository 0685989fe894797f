package leak

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// heapRow is one line of a heap profile: objects of a size on a stack.
type heapRow struct {
	stack       []string // outermost first
	size        int64
	alloc, live int64 // objects, as scaled by the runtime
}

// heapProfile makes a heap profile.
func heapProfile(t testing.TB, period int64, rows ...heapRow) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(
		profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
		profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	b.Header().Period = period
	m := b.Mapping(profile.Mapping{Start: 1, Limit: 2, File: "/src/app/app", BuildID: "b1"})
	for _, r := range rows {
		b.Sample(stackOf(b, m, r.stack), []int64{r.alloc, r.alloc * r.size, r.live, r.live * r.size}, b.NumLabel("bytes", r.size, "bytes"))
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func stackOf(b *profile.Builder, m profile.MappingID, stack []string) []profile.LocationID {
	var frames []profile.LocationID
	for _, f := range stack {
		file := "/src/app/" + f + ".go"
		if strings.HasPrefix(f, "x/") { // a dependency
			file = "/src/go/pkg/mod/x@v1.0.0/" + f + ".go"
		}
		fn := b.Function(f, f, file, 1)
		frames = append([]profile.LocationID{b.Location(m, 0, profile.Line{Function: fn, Line: 10})}, frames...)
	}
	return frames
}

// goroutineProfile makes a goroutine profile of stacks and their numbers.
func goroutineProfile(t testing.TB, counts map[string]int64, stacks map[string][]string) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(profile.ValueType{Type: "goroutine", Unit: "count"})
	b.Header().Period = 1
	m := b.Mapping(profile.Mapping{Start: 1, Limit: 2, File: "/src/app/app", BuildID: "b1"})
	for _, name := range sortedKeys(counts) {
		b.Sample(stackOf(b, m, stacks[name]), []int64{counts[name]})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// TestRounds drives rounds whose growth is known.
func TestRounds(t *testing.T) {
	constant := func(v int64) func(int64) int64 { return func(int64) int64 { return v } }
	noisy := func(i int64) int64 { return 500 + i*7919%13 }
	for _, tt := range []struct {
		name   string
		period int64
		rounds int64
		size   int64
		live   func(round int64) int64 // objects, exactly
		want   Class
		slope  float64 // bytes a round
	}{
		{"100 bytes a round, all sampled", 1, 10, 100, func(i int64) int64 { return 50 + i }, Leak, 100},
		{"100 bytes a round, five rounds", 1, 6, 100, func(i int64) int64 { return 50 + i }, Leak, 100},
		{"100 bytes a round cannot be seen", 512 << 10, 10, 100, constant(5243), Steady, 0},
		{"a cache filled in the first two rounds", 1, 10, 4096, func(i int64) int64 { return min(i, 2) * 100 }, Filling, 0},
		{"a pool that warms up for five rounds", 1, 12, 1024, func(i int64) int64 { return min(i, 5) * 20 }, Filling, 0},
		{"as much after each round", 1, 10, 64, constant(1000), Steady, 0},
		{"a little more or less after each round", 1, 15, 64, noisy, Steady, 0},
		{"much a round, sampled", 16 << 10, 12, 1024, func(i int64) int64 { return 17 * 8 * (i + 1) }, Leak, 1024 * 17 * 8},
	} {
		h := NewRounds()
		for i := range tt.rounds {
			live := tt.live(i)
			p := heapProfile(t, tt.period,
				heapRow{[]string{"main.TestX", "main.work", "lib.keep"}, tt.size, live, live},
				heapRow{[]string{"main.TestX", "main.work", "lib.churn"}, 64, 10000 + 10000*i, 100})
			h.Add(Look{At: day().Add(time.Duration(i) * time.Second), Heap: p, Fresh: true, Gauges: NoGauges()})
		}
		v := Judge(h, Options{})
		if len(v.Findings) == 0 {
			if tt.want == Leak || tt.want == Filling && false {
				t.Errorf("%s: nothing found: %s", tt.name, describe(v))
			}
			continue
		}
		f := v.Findings[0]
		if f.Class != tt.want {
			t.Errorf("%s: class %d, want %d: %s", tt.name, f.Class, tt.want, describe(v))
		}
		if tt.want == Leak && (f.Slope.Low > tt.slope*1.001 || f.Slope.High < tt.slope*0.999) {
			t.Errorf("%s: slope %v, want %g", tt.name, f.Slope, tt.slope)
		}
	}
}

// TestRoundsAppend: a slice that grows by the same each round is copied to a
// larger one ever more rarely.
func TestRoundsAppend(t *testing.T) {
	h := NewRounds()
	var rows []heapRow
	data, capacity := int64(0), int64(0)
	for i := range int64(20) {
		data += 800
		for capacity < data {
			capacity = max(1024, 2*capacity)
			for k := range rows {
				rows[k].live = 0
			}
			rows = append(rows, heapRow{[]string{"main.TestX", "main.add"}, capacity, 1, 1})
		}
		h.Add(Look{At: day().Add(time.Duration(i) * time.Second), Heap: heapProfile(t, 1, rows...), Fresh: true, Gauges: NoGauges()})
	}
	v := Judge(h, Options{})
	if v.Worst() != Leak {
		t.Errorf("append was not found: %s", describe(v))
	}
}

// TestRoundsGoroutines: one goroutine a round is found, some at the start are
// not.
func TestRoundsGoroutines(t *testing.T) {
	stacks := map[string][]string{"stuck": {"main.TestX.func1", "runtime.gopark"}, "pool": {"main.worker", "runtime.gopark"}, "test": {"testing.tRunner"}}
	for _, tt := range []struct {
		name   string
		rounds int64
		counts func(i int64) map[string]int64
		want   Class
	}{
		{"one a round", 6, func(i int64) map[string]int64 { return map[string]int64{"stuck": i + 1, "test": 2} }, Leak},
		{"a pool of four", 8, func(i int64) map[string]int64 { return map[string]int64{"pool": min(4, 2+i), "test": 2} }, Steady},
		{"as many", 8, func(i int64) map[string]int64 { return map[string]int64{"pool": 4, "test": 2} }, Steady},
	} {
		h := NewRounds()
		for i := range tt.rounds {
			h.Add(Look{At: day().Add(time.Duration(i) * time.Second), Goroutine: goroutineProfile(t, tt.counts(i), stacks), Gauges: NoGauges()})
		}
		v := Judge(h, Options{})
		leaks := 0
		for _, f := range v.Findings {
			if f.Class == Leak {
				leaks++
				if f.Path[f.Blame].Function != "main.TestX.func1" || !close(f.Slope.Value, 1, 1e-9) || f.Level != Certain {
					t.Errorf("%s: %s", tt.name, describe(v))
				}
			}
		}
		if (leaks == 1) != (tt.want == Leak) {
			t.Errorf("%s: %s", tt.name, fmt.Sprint(describe(v)))
		}
	}
}
