package leak

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// large is the history of two days of looks at a service with many deep
// stacks, of which one in five hundred leaks.
func large(b *testing.B, looks, stacks int) (*History, []Look) {
	rng := rand.New(rand.NewPCG(1, 1))
	bl := profile.NewBuilder(
		profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
		profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	bl.Header().Period = 512 << 10
	for i := range stacks {
		stack := []string{"main.main"}
		for d := range 19 {
			stack = append(stack, "app/p"+strconv.Itoa(d)+".f"+strconv.Itoa(i%(1+(d+1)*(d+1)*(d+1))))
		}
		bl.Sample(stackOf(bl, 0, stack), make([]int64, 4), bl.NumLabel("bytes", 64, "bytes"))
	}
	template, err := bl.Profile()
	if err != nil {
		b.Fatal(err)
	}
	alloc, live := make([]int64, stacks), make([]int64, stacks)
	h := NewHistory()
	var all []Look
	for i := range looks {
		p := template.ShallowCopy()
		var v [4][]int64
		for k := range v {
			v[k] = make([]int64, stacks)
		}
		for s := range stacks {
			n := int64(rng.IntN(3))
			alloc[s] += n
			live[s] += n
			if s%500 != 7 {
				live[s] -= min(live[s], int64(rng.IntN(3)))
			}
			v[0][s], v[1][s], v[2][s], v[3][s] = alloc[s]*8192, alloc[s]*8192*64, live[s]*8192, live[s]*8192*64
		}
		p.Samples.Values = v[:]
		l := Look{At: day().Add(time.Duration(i) * 5 * time.Minute), Heap: p, Fresh: true, Gauges: NoGauges()}
		h.Add(l)
		all = append(all, l)
	}
	return h, all
}

// BenchmarkJudge judges 48 h of a look every five minutes at 5,000 stacks of
// twenty frames.
func BenchmarkJudge(b *testing.B) {
	h, _ := large(b, 576, 5000)
	b.ResetTimer()
	for b.Loop() {
		if v := Judge(h, Options{}); v.Worst() != Leak {
			b.Fatal("no leak found")
		}
	}
}

// BenchmarkAdd adds one look at 5,000 stacks of twenty frames.
func BenchmarkAdd(b *testing.B) {
	_, looks := large(b, 50, 5000)
	for b.Loop() {
		h := NewHistory()
		for _, l := range looks {
			h.Add(l)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50, "ns/look")
}
