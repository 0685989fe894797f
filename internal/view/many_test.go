package view

import (
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// TestManyStacks divides the work; the naive sums are of one loop.
func TestManyStacks(t *testing.T) {
	p := decode(t, profiletest.Random(1, profiletest.Shape{Samples: 3 * stacksPerWorker, Functions: 500, Depth: 6, Inlines: true}).Bytes(profiletest.Wire{}))
	v := prepare(t, p, Defaults())
	g := v.WholeNodes()
	w := v.weights()
	table := v.nodeTable()
	flat, cum := make([]int64, len(g.Nodes)), make([]int64, len(g.Nodes))
	for id := range v.Profile.Stacks.Len() {
		if !w.used[id] {
			continue
		}
		met := map[int32]bool{}
		for i, loc := range v.Profile.Stacks.Of(profile.StackID(id)) {
			for j, f := range table.of(loc) {
				n := g.kept[f]
				if i+j == 0 {
					flat[n] += w.value[id]
				}
				if !met[n] {
					met[n] = true
					cum[n] += w.value[id]
				}
			}
		}
	}
	for i := range g.Nodes {
		if g.Nodes[i].Flat != flat[i] || g.Nodes[i].Cum != cum[i] {
			t.Fatalf("%s: %d %d, want %d %d", g.Name(int32(i)), g.Nodes[i].Flat, g.Nodes[i].Cum, flat[i], cum[i])
		}
	}
}
