package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

// dayOne is when generated histories begin.
func dayOne() time.Time { return time.Unix(1_700_000_000, 0) }

// timeJudge judges a large history several times on one core and returns the
// seconds each took.
func timeJudge(stacks, looks, runs int) ([]float64, leak.Class, error) {
	h, err := largeHistory(stacks, looks)
	if err != nil {
		return nil, leak.Unknown, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var took []float64
	class := leak.Unknown
	for range runs {
		runtime.GC()
		began := time.Now()
		class = leak.Judge(h, leak.Options{}).Worst()
		took = append(took, time.Since(began).Seconds())
	}
	return took, class, nil
}

// largeHistory is a service of many stacks with small objects that come and
// go, of which every 500th stack keeps what it allocates.
func largeHistory(stacks, looks int) (*leak.History, error) {
	const size, period = 64, 512 << 10
	template, err := largeProfile(stacks, size, period)
	if err != nil {
		return nil, err
	}
	// An object of 64 bytes stands for period/64 objects when it is sampled.
	const each = period / size
	rng := rand.New(rand.NewPCG(7, 8))
	born, live := make([]int64, stacks), make([]int64, stacks)
	h := leak.NewHistory()
	for i := range looks {
		values := make([][]int64, 4)
		for k := range values {
			values[k] = make([]int64, stacks)
		}
		for s := range stacks {
			n := int64(rng.IntN(3))
			born[s] += n
			live[s] += n
			if s%500 != 0 {
				live[s] -= min(live[s], int64(rng.IntN(3)))
			}
			values[0][s], values[1][s] = born[s]*each, born[s]*each*size
			values[2][s], values[3][s] = live[s]*each, live[s]*each*size
		}
		p := template.ShallowCopy()
		p.Samples.Values = values
		h.Add(leak.Look{At: dayOne().Add(time.Duration(i) * 5 * time.Minute), Heap: p, Fresh: true, Gauges: leak.NoGauges()})
	}
	return h, nil
}

// largeProfile has stacks of 20 frames that part more and more towards the
// leaf.
func largeProfile(stacks int, size, period int64) (*profile.Profile, error) {
	b := profile.NewBuilder(
		profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
		profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	b.Header().Period = period
	for s := range stacks {
		var frames []profile.LocationID // leaf first
		for depth := 19; depth >= 0; depth-- {
			ways := 1 + depth*depth*depth
			name := fmt.Sprintf("shop/p%d.f%d", depth, s%ways)
			f := b.Function(name, name, "/src/shop/p.go", 1)
			frames = append(frames, b.Location(0, 0, profile.Line{Function: f, Line: int64(depth + 1)}))
		}
		b.Sample(frames, make([]int64, 4), b.NumLabel("bytes", size, "bytes"))
	}
	return b.Profile()
}
