package leak

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// consistent says what contradicts itself in a verdict.
func consistent(v *Verdict) error {
	worst := Unknown
	for i := range v.Findings {
		f := &v.Findings[i]
		worst = max(worst, f.Class)
		if f.Cause == i || f.Cause >= 0 && v.Findings[f.Cause].Class < Growing {
			return fmt.Errorf("finding %d has the cause %d: %s", i, f.Cause, describe(v))
		}
		if f.Class == Growing && len(f.Values) >= minLooks && !(f.Slope.Low > 0) && !math.IsNaN(f.Slope.Low) {
			return fmt.Errorf("finding %d grows, and may as well not: %s", i, describe(v))
		}
	}
	if w := v.Worst(); w >= Growing && w != worst || worst >= Growing && w != worst {
		return fmt.Errorf("the verdict is %d, the worst finding %d: %s", w, worst, describe(v))
	}
	for i := range v.Totals {
		f := &v.Totals[i]
		if f.Class == Leak && worst < Growing {
			return fmt.Errorf("resource %d leaks, and no finding says so: %s", f.Resource, describe(v))
		}
	}
	return nil
}

// TestConsistent judges what services were recorded or kept beside or in the
// repository.
func TestConsistent(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	seen := 0
	for _, pattern := range []string{filepath.Join(shared, "recorded", "*"), filepath.Join("..", "..", "bench-out", "accuracy", "runs", "*", "*", "run")} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			t.Run(filepath.ToSlash(dir), func(t *testing.T) {
				if err := consistent(Judge(readRecorded(t, dir, 2), Options{})); err != nil {
					t.Error(err)
				}
			})
			seen++
		}
	}
	if seen == 0 {
		t.Skip("no runs of services here")
	}
}

// TestResidentAlone: resident memory that grows is a finding when nothing
// else explains it, and none when something does.
func TestResidentAlone(t *testing.T) {
	for _, heap := range []bool{false, true} {
		h := NewHistory()
		for i := range 80 {
			g := NoGauges()
			g[Resident] = float64(20+i) * (1 << 20)
			l := Look{At: every(i, 1), Fresh: true, Gauges: g}
			if heap {
				l.Heap = heapProfile(t, 1, heapRow{[]string{"main.main", "main.keep"}, 1024, int64(512 * i), int64(512 * i)})
			}
			mustAdd(t, h, l)
		}
		v := Judge(h, Options{Limit: 1 << 30})
		if err := consistent(v); err != nil {
			t.Error(err)
		}
		want := ResidentMemory
		if heap {
			want = Heap
		}
		if len(v.Findings) != 1 || v.Findings[0].Resource != want || v.Worst() != Leak || v.Forecast == nil || v.Forecast.OOM.IsZero() {
			t.Errorf("with a heap that explains it %v: %s", heap, describe(v))
		}
	}
}

// TestMayBeNothing: growth whose interval has zero in it is no finding, nor is
// it said of the whole.
func TestMayBeNothing(t *testing.T) {
	for class, want := range map[Class]Class{Growing: Steady, Leak: Leak, Filling: Filling} {
		j := nothing()
		j.slope = Estimate{5, -1, 11}
		if got := sober(j.as(class, "", 0)); got.class != want {
			t.Errorf("class %d becomes %d", class, got.class)
		}
	}
}

// TestNotYetRun: a goroutine that has not run yet has the end of all
// goroutines on its stack, on whichever side, and is of its entry.
func TestNotYetRun(t *testing.T) {
	h := NewHistory()
	stacks := map[string][]string{
		"new": {"runtime.goexit", "main.work", "runtime.goexit"},
		"old": {"runtime.goexit", "main.work", "time.Sleep", "runtime.gopark"},
	}
	for i := range 60 {
		n := int64(3 * i)
		l := Look{At: every(i, 1), Goroutine: goroutineProfile(t, map[string]int64{"new": n % 7, "old": n - n%7}, stacks), Gauges: NoGauges()}
		mustAdd(t, h, l)
	}
	v := Judge(h, Options{})
	if len(v.Findings) != 1 || v.Findings[0].Path[0].Function != "main.work" || !close(v.Findings[0].Slope.Value, 3, 0.1) {
		t.Errorf("all are of main.work: %s", describe(v))
	}
}

// startedBy is a dump of goroutines by one function.
func startedBy(t *testing.T, by string, entries ...string) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(profile.ValueType{Type: "goroutine", Unit: "count"})
	for _, e := range entries {
		b.Sample(stackOf(b, 0, []string{createdName + by, e, "runtime.gopark"}), []int64{50}, b.StringLabel("created_by", by))
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
