package retain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// everyStep lets a path be cut anywhere.
func everyStep(path []uint32) []int {
	var at []int
	for i := 1; i < len(path); i++ {
		at = append(at, i)
	}
	return at
}

// TestJoint compares with marking: without all the references enough of the
// targets go, and without all but one of them too few do.
func TestJoint(t *testing.T) {
	several := 0
	eachGraph(t, 2000, func(t *testing.T, p *plain, rnd *rand.Rand) {
		p.parts = rnd.IntN(2) == 0
		r := p.compute(t)
		live := p.marked(nil, nil)
		var targets []uint32
		for v := 1; v < len(p.sizes); v++ {
			if rnd.IntN(4) == 0 {
				targets = append(targets, uint32(v))
			}
		}
		enough := []float64{0.5, 0.8, 1}[rnd.IntN(3)]
		ways, ok := r.Joint(targets, JointOptions{Cuts: everyStep, Most: 1000, Enough: enough})
		var all uint64
		for _, v := range targets {
			if live[v] {
				all += p.sizes[v]
			}
		}
		if ok != (all > 0) {
			t.Fatalf("%v: found is %v", targets, ok)
		}
		gone := func(ways []Way) bool {
			var edges []Edge
			for i := range ways {
				edges = append(edges, ways[i].Edge())
			}
			kept, left := p.marked(edges, nil), uint64(0)
			for _, v := range targets {
				if kept[v] {
					left += p.sizes[v]
				}
			}
			return float64(all-left) >= enough*float64(all)
		}
		if ok && !gone(ways) {
			t.Errorf("%v stay without %v", targets, ways)
		}
		for i, w := range ways {
			if len(ways) > 1 && gone(slices.Delete(slices.Clone(ways), i, i+1)) {
				t.Errorf("%v go without %v, of which %d is not needed", targets, ways, i)
			}
			for k := 1; k < len(w.Path); k++ {
				if w.Path[0] != 0 || !slices.Contains(p.edges[w.Path[k-1]], w.Path[k]) {
					t.Errorf("%v is no path", w.Path)
				}
			}
			if !slices.Contains(targets, w.Path[len(w.Path)-1]) {
				t.Errorf("%v ends at none of %v", w.Path, targets)
			}
		}
		if len(ways) > 2 {
			several++
		}
	})
	if several < 50 && !testing.Short() {
		t.Errorf("only %d of many ways", several)
	}
}

// TestJointContainers: a thousand values in a map, a list of pointers and a
// doubly linked list are held in three ways, whatever else holds a few.
func TestJointContainers(t *testing.T) {
	const n = 1000
	// 1 map, 2 list, 3 head and 4 a few of them are roots.
	p := &plain{synthetic: 5, sizes: make([]uint64, 5+2*n), edges: make([][]uint32, 5+2*n), ranks: make([]uint8, 5)}
	p.edges[0] = []uint32{1, 2, 3, 4}
	var values []uint32
	for i := range uint32(n) {
		node, value := 5+i, 5+n+i
		p.sizes[value] = 100
		values = append(values, value)
		p.edges[1], p.edges[2], p.edges[node] = append(p.edges[1], value), append(p.edges[2], value), append(p.edges[node], value)
		if i == 0 {
			p.edges[3] = []uint32{node}
		} else {
			p.edges[node], p.edges[node-1] = append(p.edges[node], node-1), append(p.edges[node-1], node)
		}
		if i%10 == 0 {
			p.edges[4] = append(p.edges[4], value)
		}
	}
	r := p.compute(t)
	roots := func(path []uint32) []int { return []int{1} }
	ways, ok := r.Joint(values, JointOptions{Cuts: roots, Most: 4, Enough: 0.8})
	var cuts []uint32
	for i := range ways {
		cuts = append(cuts, ways[i].Edge().To)
	}
	slices.Sort(cuts)
	if !ok || !slices.Equal(cuts, []uint32{1, 2, 3}) {
		t.Errorf("cuts at %v, %v", cuts, ok)
	}
	if ways, ok := r.Joint(values, JointOptions{Cuts: roots, Most: 2, Enough: 0.8}); ok || len(ways) != 2 {
		t.Errorf("with two: %v, %v", ways, ok)
	}
	if _, ok := r.Joint(values, JointOptions{Cuts: roots, Most: 4, Enough: 0.8, Budget: n}); ok {
		t.Error("the budget was not kept")
	}
}
