package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// maxSites bounds the allocation sites listed with one holder.
const maxSites = 5

// addSites finds for holders where what they hold was allocated: by the
// sampled objects below each node.
func (a *Analysis) addSites(t *retain.Tree, nodes []uint32, holders []Holding) {
	if len(a.Heap.Samples) == 0 {
		return
	}
	index := map[uint32]int{}
	for i, n := range nodes {
		index[n] = i
	}
	// owner of a node of the tree: the holder it lies below, -1 for none.
	owner := make([]int, len(t.Nodes))
	owner[0] = -1
	for i := 1; i < len(t.Nodes); i++ {
		owner[i] = owner[t.Nodes[i].Parent]
		if k, ok := index[uint32(i)]; ok {
			owner[i] = k
		}
	}
	sums := make([]map[int]*Site, len(nodes))
	for i, at := range a.sampleNodes(t) {
		k := owner[at]
		if at == 0 || k < 0 {
			continue
		}
		if sums[k] == nil {
			sums[k] = map[int]*Site{}
		}
		s := &a.Heap.Samples[i]
		a.addSample(sums[k], s)
	}
	for k := range holders {
		holders[k].Sites = a.joined(sums[k], maxSites)
	}
}

// addSample counts a sampled object to its site.
func (a *Analysis) addSample(sums map[int]*Site, s *goheap.Sample) {
	b := &a.Heap.Buckets[s.Bucket]
	x := sums[s.Bucket]
	if x == nil {
		x = &Site{Stack: b.Stack, Type: a.Heap.Name(s.Vertex)}
		sums[s.Bucket] = x
	}
	x.Samples++
	x.Objects += b.Weight
	x.Bytes += b.Weight * float64(b.Size)
}

// joined lists sites by bytes; buckets of one line and type are one site.
func (a *Analysis) joined(sums map[int]*Site, n int) []Site {
	type key struct {
		frame goheap.Frame
		typ   string
	}
	index := map[key]int{}
	var out []Site
	for _, b := range slices.Sorted(keysOf(sums)) {
		s := sums[b]
		k := key{typ: s.Type}
		if len(s.Stack) > 0 {
			k.frame = s.Stack[0]
		}
		if i, ok := index[k]; ok {
			o := &out[i]
			if s.Bytes > o.Bytes {
				o.Stack = s.Stack
			}
			o.Bytes, o.Objects, o.Samples = o.Bytes+s.Bytes, o.Objects+s.Objects, o.Samples+s.Samples
			continue
		}
		index[k] = len(out)
		out = append(out, *s)
	}
	slices.SortStableFunc(out, func(x, y Site) int { return cmp.Compare(y.Bytes, x.Bytes) })
	return out[:min(n, len(out))]
}

func keysOf(m map[int]*Site) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// sampleNodes is, by sample, the node of the dominator tree it lies in.
func (a *Analysis) sampleNodes(t *retain.Tree) []uint32 {
	if a.at != nil {
		return a.at
	}
	// The tree's nodes are found again by walking it with the same labels.
	index := map[[3]uint32]uint32{}
	for i := 1; i < len(t.Nodes); i++ {
		n := &t.Nodes[i]
		index[[3]uint32{n.Parent, n.Label, n.Kind}] = uint32(i)
	}
	a.at = make([]uint32, len(a.Heap.Samples))
	for i := range a.Heap.Samples {
		a.at[i] = a.nodeOf(index, a.Heap.Samples[i].Vertex)
	}
	return a.at
}

func (a *Analysis) nodeOf(index map[[3]uint32]uint32, v uint32) uint32 {
	node := uint32(0)
	chain := a.Result.Dominators(v)
	for i := 1; i < len(chain); i++ {
		label, kind := a.labels.Label(chain[i-1], chain[i]), a.labels.Kind(chain[i])
		if label == 0 {
			continue
		}
		next, ok := index[[3]uint32{node, label, kind}]
		if !ok {
			return node // a loop the tree has folded
		}
		node = next
	}
	return node
}

// Sites are the ways in which what matching sites allocated is held, most
// first: each site and path of one shape is a holding. match gets a stack leaf
// first.
func (a *Analysis) Sites(n int, match func(stack []goheap.Frame) bool) []Holding {
	buckets := make([]bool, len(a.Heap.Buckets))
	for i := range buckets {
		buckets[i] = match(a.Heap.Buckets[i].Stack)
	}
	var vertices []uint32
	var samples []*goheap.Sample
	for i := range a.Heap.Samples {
		if s := &a.Heap.Samples[i]; buckets[s.Bucket] && a.Result.Reachable(s.Vertex) {
			vertices, samples = append(vertices, s.Vertex), append(samples, s)
		}
	}
	if len(vertices) == 0 {
		return nil
	}
	t, at := a.Result.Merge(retain.ShortestPath, vertices, a.labels)
	type group struct {
		sums    map[int]*Site
		members []uint32
	}
	groups := map[uint32]*group{}
	var order []uint32
	for i, node := range at {
		g := groups[node]
		if g == nil {
			g = &group{sums: map[int]*Site{}}
			groups[node], order = g, append(order, node)
		}
		a.addSample(g.sums, samples[i])
		g.members = append(g.members, vertices[i])
	}
	var out []Holding
	for _, node := range order {
		g := groups[node]
		for _, s := range a.joined(g.sums, len(g.sums)) {
			h := Holding{
				Site: &s, Amount: retain.Amount{Bytes: uint64(s.Bytes), Objects: uint64(s.Objects + 0.5)},
				Type: s.Type, Path: a.steps(t, t.Path(node)), Example: t.Nodes[node].Example, Root: a.rootOf(t.Nodes[node].Example),
			}
			a.cut(&h, g.members)
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(x, y Holding) int { return cmp.Compare(y.Amount.Bytes, x.Amount.Bytes) })
	return out[:min(n, len(out))]
}

// cut finds the reference that is best removed: on the way to the members the
// vertex that dominates all of them and lies deepest, without being one of
// many. Frees is what that vertex retains.
func (a *Analysis) cut(h *Holding, members []uint32) {
	common := a.Result.Dominators(members[0])
	for _, v := range members[1:] {
		chain := a.Result.Dominators(v)
		k := 0
		for k < len(common) && k < len(chain) && common[k] == chain[k] {
			k++
		}
		common = common[:k]
	}
	for len(common) > 0 {
		switch a.Heap.Kind(common[len(common)-1]) {
		case goheap.KindRoot, goheap.KindPackage:
			common = common[:len(common)-1]
			continue
		}
		break
	}
	if len(common) == 0 {
		return
	}
	d := common[len(common)-1]
	h.Frees = a.Result.Retained(d)
	// Every path leads through it; count the hops that do. What is inside a
	// map is one hop with the map.
	path := a.Result.Path(members[0])
	hops := 0
	for _, hop := range a.Heap.Hops(path[:slices.Index(path, d)+1]) {
		if a.Heap.Kind(hop.Vertex) != goheap.KindGoroutine { // as in steps
			hops++
		}
	}
	h.Cut = min(hops, len(h.Path))
}
