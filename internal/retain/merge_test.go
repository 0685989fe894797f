package retain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// table labels steps by the vertex they lead to.
type table struct {
	labels, kinds map[uint32]uint32
	// plain is for vertices that are not in labels.
	plain func(v uint32) uint32
}

func (l table) Label(_, to uint32) uint32 {
	if x, ok := l.labels[to]; ok {
		return x
	}
	return l.plain(to)
}
func (l table) Kind(v uint32) uint32 { return l.kinds[v] }

// text shows a tree, a node a line: label and kind, * if repeated, Self and Sum.
func (t *Tree) text() string {
	var b strings.Builder
	var show func(i uint32, depth int)
	show = func(i uint32, depth int) {
		n := t.Nodes[i]
		star := ""
		if n.Repeated {
			star = "*"
		}
		fmt.Fprintf(&b, "%s%d/%d%s %d of %d\n", strings.Repeat(" ", depth), n.Label, n.Kind, star, n.Self.Objects, n.Sum.Objects)
		for j := i + 1; int(j) < len(t.Nodes); j++ {
			if t.Nodes[j].Parent == i {
				show(j, depth+1)
			}
		}
	}
	show(0, 0)
	return b.String()
}

func objectsOf(r *Result, from uint32) []uint32 {
	var all []uint32
	for v := from; v < uint32(r.Vertices()); v++ {
		all = append(all, v)
	}
	return all
}

func TestMergeShapes(t *testing.T) {
	for _, c := range []struct {
		name   string
		edges  [][]uint32 // 0 and 1 are synthetic
		labels map[uint32]uint32
		kinds  map[uint32]uint32
		want   string
	}{
		{"list with values", [][]uint32{{1}, {2}, {3, 5}, {4, 6}, {7}, nil, nil, nil},
			map[uint32]uint32{1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 4, 7: 4}, map[uint32]uint32{2: 9, 3: 9, 4: 9},
			`0/0 0 of 6
 1/0 0 of 6
  2/9 1 of 6
   3/9* 2 of 4
    4/0 2 of 2
   4/0 1 of 1
`},
		{"tree with left and right", [][]uint32{{1}, {2}, {3, 4}, {5, 6}, nil, nil, nil},
			map[uint32]uint32{1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 4}, map[uint32]uint32{2: 9, 3: 9, 4: 9, 5: 9, 6: 9},
			`0/0 0 of 5
 1/0 0 of 5
  2/9 1 of 5
   3/9* 3 of 3
   4/9 1 of 1
`},
		{"loop of two types", [][]uint32{{1}, {2}, {3}, {4}, {5}, {6}, nil},
			map[uint32]uint32{1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 4}, map[uint32]uint32{2: 8, 3: 9, 4: 8, 5: 9, 6: 8},
			`0/0 0 of 5
 1/0 0 of 5
  2/8 1 of 5
   3/9* 2 of 4
    4/8 2 of 2
`},
		{"hidden parts of a map", [][]uint32{{1}, {2}, {3}, {4, 5}, nil, nil},
			map[uint32]uint32{1: 1, 2: 2, 3: 0, 4: 3, 5: 3}, map[uint32]uint32{2: 8, 4: 7, 5: 7},
			`0/0 0 of 4
 1/0 0 of 4
  2/8 2 of 4
   3/7 2 of 2
`},
		{"unknown kinds", [][]uint32{{1}, {2}, {3}, {4}, nil},
			map[uint32]uint32{1: 1, 2: 2, 3: 3, 4: 3}, nil,
			`0/0 0 of 3
 1/0 0 of 3
  2/0 1 of 3
   3/0* 2 of 2
`},
	} {
		p := &plain{synthetic: 2, sizes: make([]uint64, len(c.edges)), edges: c.edges, ranks: make([]uint8, 2)}
		r := p.compute(t)
		l := table{labels: c.labels, kinds: c.kinds}
		whole := r.DominatorTree(l).text()
		for _, route := range []Route{ShortestPath, DominatorPath} {
			tree, _ := r.Merge(route, objectsOf(r, 2), l)
			if got := tree.text(); got != c.want {
				t.Errorf("%s, route %d:\n%swant\n%s", c.name, route, got, c.want)
			}
		}
		if whole != c.want {
			t.Errorf("%s, all:\n%swant\n%s", c.name, whole, c.want)
		}
	}
}

// naiveMerge collapses one path after the other and adds up what ends where,
// by the names of nodes.
func naiveMerge(p *plain, r *Result, route Route, vertices []uint32, l Labels) map[string]Amount {
	sums := map[string]Amount{}
	for _, v := range vertices {
		path := r.Path(v)
		if route == DominatorPath {
			path = r.Dominators(v)
		}
		if path == nil {
			continue
		}
		type step struct{ label, kind uint32 }
		var steps []step
		for i := 1; i < len(path); i++ {
			s := step{l.Label(path[i-1], path[i]), l.Kind(path[i])}
			if s.label == 0 {
				continue
			}
			n := len(steps)
			above := uint32(0) // the kind above the last step
			if n > 1 {
				above = steps[n-2].kind
			}
			if s.kind != 0 && n > 0 && steps[n-1].kind == s.kind && above == s.kind {
				continue
			}
			back := -1
			for j := n - 1; j >= max(0, n-maxLoop) && back < 0; j-- {
				if steps[j] == s {
					back = j
				}
			}
			if back >= 0 {
				steps = steps[:back+1]
				continue
			}
			steps = append(steps, s)
		}
		a := Amount{Bytes: p.sizes[v]}
		if int(v) >= p.synthetic {
			a.Objects = 1
		}
		for i := range len(steps) + 1 {
			name := fmt.Sprint(steps[:i])
			sums[name] = sums[name].Add(a)
		}
	}
	return sums
}

// sums are the sums of a tree by the names of nodes.
func (t *Tree) sums() map[string]Amount {
	sums := map[string]Amount{}
	for i, n := range t.Nodes {
		var steps []string
		for _, j := range t.Path(uint32(i)) {
			steps = append(steps, fmt.Sprintf("{%d %d}", t.Nodes[j].Label, t.Nodes[j].Kind))
		}
		sums["["+strings.Join(steps, " ")+"]"] = n.Sum
	}
	return sums
}

func TestMergeAgainstOneByOne(t *testing.T) {
	eachGraph(t, 2000, func(t *testing.T, p *plain, rnd *rand.Rand) {
		r := p.compute(t)
		l := table{kinds: map[uint32]uint32{}, plain: func(v uint32) uint32 { return v * 7 % 5 }}
		var vertices []uint32
		for v := range uint32(len(p.sizes)) {
			l.kinds[v] = rnd.Uint32N(4)
			for range rnd.IntN(3) {
				vertices = append(vertices, v)
			}
		}
		for _, route := range []Route{ShortestPath, DominatorPath} {
			tree, at := r.Merge(route, vertices, l)
			compareSums(t, tree, naiveMerge(p, r, route, vertices, l))
			var total Amount
			ends := make([]Amount, len(tree.Nodes))
			for i, v := range vertices {
				if r.Reachable(v) {
					total = total.Add(r.self(r.at(v)))
					ends[at[i]] = ends[at[i]].Add(r.self(r.at(v)))
				}
			}
			if tree.Nodes[0].Sum != total {
				t.Errorf("sum is %v, want %v", tree.Nodes[0].Sum, total)
			}
			for i, n := range tree.Nodes {
				if n.Self != ends[i] {
					t.Errorf("node %d has %v of its own, at says %v", i, n.Self, ends[i])
				}
			}
		}
		tree := r.DominatorTree(l)
		compareSums(t, tree, naiveMerge(p, r, DominatorPath, objectsOf(r, 0), l))
		checkPrune(t, r, tree)
	})
}

func compareSums(t *testing.T, tree *Tree, want map[string]Amount) {
	t.Helper()
	got := tree.sums()
	for name, a := range want {
		if got[name] != a {
			t.Errorf("%s has %v, want %v", name, got[name], a)
		}
	}
	for name, a := range got {
		// Where everything that was asked for went round a loop, nothing ends.
		if _, ok := want[name]; !ok && a != (Amount{}) {
			t.Errorf("%s has %v, but is no path", name, a)
		}
	}
}

// checkPrune wants totals kept, small nodes gone, samples that add up.
func checkPrune(t *testing.T, r *Result, tree *Tree) {
	t.Helper()
	pruned, to := tree.Prune(0.2)
	var self Amount
	for i, n := range pruned.Nodes {
		self = self.Add(n.Self)
		if i > 0 && float64(n.Sum.Bytes) < 0.2*float64(r.Total().Bytes) {
			t.Errorf("node %d of %v was kept", i, n.Sum)
		}
		if i > 0 && int(n.Parent) >= i {
			t.Errorf("node %d comes before its parent %d", i, n.Parent)
		}
	}
	if self != r.Total() {
		t.Errorf("pruned nodes have %v, want %v", self, r.Total())
	}
	for i, j := range to {
		if n := pruned.Nodes[j]; n.Sum.Bytes < tree.Nodes[i].Sum.Bytes {
			t.Errorf("node %d went to %d, which is smaller", i, j)
		}
	}
	var sum Amount
	pruned.Samples(func(stack []uint32, a Amount) {
		sum = sum.Add(a)
		leaf := uint32(0)
		if len(stack) > 0 {
			leaf = stack[0]
		}
		up := pruned.Path(leaf)
		slices.Reverse(up)
		if !slices.Equal(stack, up) {
			t.Errorf("stack is %v, want %v", stack, up)
		}
	})
	if sum != r.Total() {
		t.Errorf("samples add up to %v, want %v", sum, r.Total())
	}
}

func TestMergeGarbage(t *testing.T) {
	p := &plain{synthetic: 1, sizes: []uint64{0, 8, 8}, edges: [][]uint32{{1}, nil, {1}}, ranks: []uint8{0}}
	r := p.compute(t)
	tree, at := r.Merge(ShortestPath, []uint32{2, 1}, table{plain: func(v uint32) uint32 { return v }})
	if !slices.Equal(at, []uint32{0, 1}) || tree.Nodes[0].Sum != (Amount{8, 1}) || tree.Nodes[1].Example != 1 {
		t.Errorf("at %v, %+v", at, tree.Nodes)
	}
}
