package why

import (
	"cmp"
	"slices"
	"sync"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

const (
	// keepShare is how much of its parent a child must retain to be followed
	// to where memory piles up.
	keepShare = 0.8
	// splitShare is how much of what does not pile up in one child must be in
	// large children for these to be told one by one, and largeShare is how
	// much each must have.
	splitShare = 0.5
	largeShare = 0.2
	// showShare is how much of a node a child must have to be shown as what it
	// consists of.
	showShare = 0.5
	// runtimeShare is how much of the heap the runtime's own data must hold to
	// be worth telling.
	runtimeShare = 0.1
)

// Holders are the n places that hold most: for each root, or part of one, the
// point where memory piles up, with the places that allocated it. Those below
// share of the whole heap are left out; the runtime comes last.
func (a *Analysis) Holders(n int, share float64) []Holding {
	var paths sync.WaitGroup
	paths.Go(func() { a.Result.Path(0) }) // finds them all: as long as the tree takes
	t := a.foldedTree()
	paths.Wait()
	p := piles{Analysis: a, f: t, t: t.Tree, kids: children(t.Tree), least: max(1, uint64(share*float64(a.Heap.Stats.Bytes)))}
	p.visit(0)
	last := map[uint32]bool{}
	for _, node := range p.nodes {
		last[node] = a.byRuntime(a.root(a.Result.Path(t.Nodes[node].Example)))
	}
	nodes := slices.DeleteFunc(p.nodes, func(x uint32) bool {
		return last[x] && float64(p.sum(x)) < runtimeShare*float64(a.Heap.Stats.Bytes)
	})
	slices.SortStableFunc(nodes, func(x, y uint32) int {
		return cmp.Or(runtimeLast(last[x], last[y]), cmp.Compare(p.sum(y), p.sum(x)))
	})
	nodes = nodes[:min(n, len(nodes))]
	out := make([]Holding, 0, len(nodes))
	for _, node := range nodes {
		out = append(out, p.holding(node))
	}
	a.addSites(t.Tree, nodes, out)
	return out
}

// piles finds where memory piles up in the dominator tree.
type piles struct {
	*Analysis
	f     *folded
	t     *retain.Tree // that of f
	kids  [][]uint32
	least uint64
	nodes []uint32
}

func children(t *retain.Tree) [][]uint32 {
	kids := make([][]uint32, len(t.Nodes))
	for i := 1; i < len(t.Nodes); i++ {
		p := t.Nodes[i].Parent
		kids[p] = append(kids[p], uint32(i))
	}
	return kids
}

func (a *Analysis) dominatorTree() *retain.Tree {
	if a.tree == nil {
		a.tree = a.Result.DominatorTree(a.labels)
	}
	return a.tree
}

// sum is what a node retains, stacks included: they are memory too.
func (p *piles) sum(node uint32) uint64 { return p.t.Nodes[node].Sum.Bytes }

// visit collects the piles below a node that only gathers others.
func (p *piles) visit(node uint32) {
	for _, k := range p.kids[node] {
		if p.sum(k) < p.least {
			continue
		}
		at := p.pile(k)
		if k := p.Heap.Kind(p.t.Nodes[at].Example); k == goheap.KindPackage || p.splits(at) {
			p.visit(at)
			continue
		}
		p.nodes = append(p.nodes, at)
	}
}

// pile descends from a node while one child has most of it.
func (p *piles) pile(node uint32) uint32 {
	for {
		child := p.largest(node)
		if child == 0 || float64(p.sum(child)) < keepShare*float64(p.sum(node)) {
			return node
		}
		// One container with many elements is where it piles up: the
		// elements themselves are many vertices and none of them holds it.
		if !p.isOne(child, node) {
			return node
		}
		node = child
	}
}

// isOne tells whether most of what a child has of its parent is one vertex.
func (p *piles) isOne(child, parent uint32) bool {
	return float64(p.Result.Retained(p.t.Nodes[child].Example).Bytes) >= keepShare*min(float64(p.sum(child)), float64(p.sum(parent)))
}

// splits tells whether most of a node is in some large parts, which are better
// told each for itself: the fields of one large variable.
func (p *piles) splits(node uint32) bool {
	large, parts := uint64(0), 0
	for _, k := range p.kids[node] {
		if s := p.sum(k); s >= p.least && float64(s) >= largeShare*float64(p.sum(node)) && p.isOne(k, k) {
			large += s
			parts++
		}
	}
	return parts > 1 && float64(large) >= splitShare*float64(p.sum(node))
}

func (p *piles) largest(node uint32) uint32 {
	var largest uint32
	for _, k := range p.kids[node] {
		if largest == 0 || p.sum(k) > p.sum(largest) {
			largest = k
		}
	}
	return largest
}

// holding describes what piles up at a node: what most of it is, the way
// there, and the reference to remove.
func (p *piles) holding(node uint32) Holding {
	last := node
	for {
		child, whole := p.largest(last), p.sum(node)
		if p.Heap.Kind(p.t.Nodes[last].Example) < goheap.KindLocal {
			whole -= min(whole, p.stacksOf(node))
		}
		if child == 0 || float64(p.sum(child)) < showShare*float64(whole) || p.stacksOf(last) > p.sum(last)/2 {
			break
		}
		last = child
	}
	n := &p.t.Nodes[last]
	h := Holding{Amount: n.Sum, Example: n.Example, Address: p.addr(n.Example), Root: p.rootKind(n.Example)}
	h.Amount.Bytes -= min(h.Amount.Bytes, p.stacksOf(last))
	if t := p.Heap.Type(n.Example); p.Heap.IsObject(n.Example) && (t == nil || t.Role != goheap.RoleMap) { // a map is many vertices
		h.Type, h.Pointed = p.typeOf(n.Example)
		h.Amount.Objects, h.Below = n.Self.Objects, n.Sum.Objects > n.Self.Objects
	}
	h.Path = p.goOn(p.told(p.Result.Path(p.typical(n.Example))), p.f, last)
	top := n.Example
	for top != 0 && float64(p.heapOf(top).Bytes) < keepShare*float64(h.Amount.Bytes) {
		top, _ = p.Result.Dominator(top)
	}
	p.cut(&h, top, func() []uint32 { return p.membersOf(last) })
	return h
}

// maxTypical bounds the objects that are asked for their paths.
const maxTypical = 64

// typical is an object like v whose best path has the shape that most of its
// kind have: v itself if it is one of them. Only those that have the same
// dominator are looked at.
func (p *piles) typical(v uint32) uint32 {
	kind := p.labels.Kind(v)
	d, ok := p.Result.Dominator(v)
	if !ok || kind == 0 {
		return v
	}
	var alike []uint32
	for c := range p.Result.Children(d) {
		if p.labels.Kind(c) == kind {
			alike = append(alike, c)
		}
	}
	count, first := map[string]int{}, map[string]uint32{}
	own := shape(p.told(p.Result.Path(v)))
	best := own
	for i := range min(len(alike), maxTypical) {
		c := alike[i*len(alike)/min(len(alike), maxTypical)]
		s := shape(p.told(p.Result.Path(c)))
		count[s]++
		if _, ok := first[s]; !ok {
			first[s] = c
		}
		if count[s] > count[best] {
			best = s
		}
	}
	if best == own {
		return v
	}
	return first[best]
}

// stacksOf are the bytes of stacks in a node of goroutines.
func (p *piles) stacksOf(node uint32) uint64 {
	v := p.t.Nodes[node].Example
	if p.Heap.Kind(v) == goheap.KindGoroutine {
		v, _ = p.Result.Dominator(v)
	}
	if p.Heap.Kind(v) != goheap.KindGroup {
		return 0
	}
	sum := uint64(0)
	for i := range p.Heap.Groups { // groups of one name are one node
		if g := &p.Heap.Groups[i]; p.Heap.Name(g.Vertex) == p.Heap.Name(v) {
			sum += g.StackBytes
		}
	}
	return sum
}

// rootKind is the kind of the root an object is reached from.
func (a *Analysis) rootKind(v uint32) goheap.Kind {
	return a.Heap.Kind(a.root(a.Result.Path(v)))
}
