package retain

import (
	"math/rand/v2"
	"testing"
)

// TestPathTree compares with the paths of all vertices, merged one by one.
func TestPathTree(t *testing.T) {
	eachGraph(t, 300, func(t *testing.T, p *plain, rnd *rand.Rand) {
		r := p.compute(t)
		labels := table{kinds: map[uint32]uint32{}, plain: func(v uint32) uint32 { return v % 4 }}
		var all []uint32
		for v := range uint32(r.Vertices()) {
			labels.kinds[v] = rnd.Uint32N(3)
			all = append(all, v)
		}
		tree, at := r.PathTree(labels)
		compareSums(t, tree, naiveMerge(p, r, ShortestPath, all, labels))
		_, one := r.Merge(ShortestPath, all, labels)
		for v := range all {
			if (at[v] == 0) != (one[v] == 0) {
				t.Errorf("vertex %d ends at %d, merged at %d", v, at[v], one[v])
			}
		}
		if len(at) != r.Vertices() {
			t.Errorf("%d places of %d vertices", len(at), r.Vertices())
		}
	})
}
