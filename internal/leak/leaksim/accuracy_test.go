package leaksim

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/leak"
)

// TestAccuracy is the measurement with few seeds: far from the bars for all,
// something is broken.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	for _, short := range []bool{true, false} {
		res := Accuracy(Options{Seeds: 2, Short: short})
		var table strings.Builder
		if err := res.WriteText(&table); err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + table.String())
		if res.Precision < 0.97 || res.Recall < 0.9 || res.Coverage < 0.8 || res.PathRight < 0.9 || res.EndsWithin < 0.75 || res.FalseTwice > 0.04 {
			t.Errorf("worse than it was, short %v:\n%s", short, table.String())
		}
	}
}

// TestRunsRepeat: runs of one seed are equal, of another are not.
func TestRunsRepeat(t *testing.T) {
	sc := Scenarios()[5]
	values := func(seed uint64) [][]int64 {
		r := sc.New(seed)
		for range 5 {
			r.Next()
		}
		return r.Next().Heap.Samples.Values
	}
	if !reflect.DeepEqual(values(1), values(1)) {
		t.Error("the same seed gives another run")
	}
	if reflect.DeepEqual(values(1), values(2)) {
		t.Error("another seed gives the same run")
	}
}

// TestSimulatedSampling: what a site holds, by its samples, has the mean and
// the error that the theory says.
func TestSimulatedSampling(t *testing.T) {
	sc := &Scenario{Name: "x", Every: 300, sites: one(&site{rate: constant(1e6), life: 600, size: 1024, born: 600e6})}
	var y []float64
	for seed := range uint64(40) {
		r := sc.New(seed)
		for range 10 {
			r.Next()
		}
		s := r.sites[len(r.sites)-1]
		y = append(y, s.k*s.weight())
	}
	sum, squares := 0.0, 0.0
	for _, v := range y {
		sum += v
	}
	mean := sum / float64(len(y))
	for _, v := range y {
		squares += (v - mean) * (v - mean)
	}
	sd, want := math.Sqrt(squares/float64(len(y)-1)), math.Sqrt(period*600e6)
	if math.Abs(mean/600e6-1) > 0.02 || sd < 0.7*want || sd > 1.4*want {
		t.Errorf("mean %.4g, want 6e8; spread %.3g, want %.3g", mean, sd, want)
	}
}

// TestVerdictsAgree: the verdict on a generated run is a leak when one of its
// findings is, and never else.
func TestVerdictsAgree(t *testing.T) {
	for _, sc := range ShortRuns() {
		r, h := sc.New(7), leak.NewHistory()
		for i := range int(60 / sc.Every) {
			h.Add(r.Next())
			if i%20 != 19 {
				continue
			}
			v := leak.Judge(h, leak.Options{})
			worst := leak.Unknown
			for k := range v.Findings {
				worst = max(worst, v.Findings[k].Class)
			}
			if w := v.Worst(); w != worst && max(w, worst) >= leak.Growing {
				t.Errorf("%s after %g s: the verdict is %d, the worst finding %d", sc.Name, r.t, w, worst)
			}
		}
	}
}
