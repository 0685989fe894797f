package retain

// Labels generalises steps, so that paths of the same shape become one. The
// numbers are the caller's.
type Labels interface {
	// Label is what a step is called: the root's name or the field, without
	// the index. 0 hides the step: the parts of a map, say. In a dominator
	// tree from need not point to to itself.
	Label(from, to uint32) uint32
	// Kind is the type of a vertex; 0 is unknown.
	Kind(v uint32) uint32
}

// Route says which paths are merged.
type Route int

// The routes.
const (
	ShortestPath  Route = iota // as Path
	DominatorPath              // as Dominators
)

// Merge lays the paths to the vertices together; each counts with its own
// size, as often as it is given. at[i] is the node where the path to
// vertices[i] ends, 0 for garbage: for sums of the caller's own, of weighted
// samples, say.
//
// A step that comes again on a path (the same label and kind), or that leads
// from a kind to the same kind again and again, goes round a loop: the path
// goes on from the first time, and the node is marked as repeated.
func (r *Result) Merge(route Route, vertices []uint32, l Labels) (t *Tree, at []uint32) {
	parent := r.idom
	if route == ShortestPath {
		parent = r.nearest().parent
	}
	m := newMerger(r, l)
	known := newSparse(len(r.vertex))
	known.set(0, 0)
	at = make([]uint32, len(vertices))
	var path []uint32
	for i, v := range vertices {
		n := r.at(v)
		if n == none {
			continue
		}
		path = path[:0]
		node, ok := known.get(n)
		for !ok {
			path = append(path, n)
			n = parent[n]
			node, ok = known.get(n)
		}
		for j := len(path) - 1; j >= 0; j-- {
			node = m.step(node, n, path[j], r.bytes(path[j]))
			n = path[j]
			known.set(n, node)
		}
		at[i] = node
		m.end(node, r.self(n))
	}
	return m.tree(), at
}

// DominatorTree is the whole dominator tree with vertices of the same label
// and kind below one node taken together. Sum is then what the vertices of a
// node retain together.
func (r *Result) DominatorTree(l Labels) *Tree {
	m := newMerger(r, l)
	m.end(0, r.selfAt(0, 0))
	// above are the nodes of what dominates the vertex whose turn is, which
	// ends with that of number last.
	above, last := []uint32{0}, uint32(0)
	for i, n := range r.order[1:] {
		p, count, d := uint32(i)+1, r.count[n], r.idom[n]
		for ; last != d; last = r.idom[last] {
			above = above[:len(above)-1]
		}
		node := m.step(above[len(above)-1], d, n, r.sums.of(p, count))
		m.end(node, r.selfAt(n, p))
		if count > 1 {
			above, last = append(above, node), n
		}
	}
	return m.tree()
}

// merger makes a tree.
type merger struct {
	r     *Result
	l     Labels
	nodes []Node
	most  []uint64 // by node: what Example retains, bytes
	index map[step]uint32
	// recent remembers steps by a hash: most steps were just gone.
	recent [1 << 10]struct {
		step
		node uint32
	}
}

// step leads from a node to the one below.
type step struct{ parent, label, kind uint32 }

func newMerger(r *Result, l Labels) *merger {
	return &merger{r: r, l: l, nodes: []Node{{}}, most: []uint64{0}, index: map[step]uint32{}}
}

// step is the node a path comes to when it goes on from a node, which stands
// for the number from, to the number to, which retains so many bytes.
func (m *merger) step(node, from, to uint32, bytes uint64) uint32 {
	v := m.r.vertex[to]
	label := m.l.Label(m.r.vertex[from], v)
	if label == 0 {
		return node
	}
	s := step{node, label, m.l.Kind(v)}
	slot := &m.recent[(s.parent*0x9e3779b1^s.label*0x85ebca6b^s.kind*0xc2b2ae35)>>22]
	if slot.node == 0 || slot.step != s {
		slot.step, slot.node = s, m.find(s)
	}
	if bytes > m.most[slot.node] || m.nodes[slot.node].Example == 0 {
		m.nodes[slot.node].Example, m.most[slot.node] = v, bytes
	}
	return slot.node
}

// maxLoop is how many steps back a loop may begin.
const maxLoop = 16

// find looks the step up: round a loop, or to a node below, made if need be.
func (m *merger) find(s step) uint32 {
	if n := &m.nodes[s.parent]; s.kind != 0 && n.Kind == s.kind && m.nodes[n.Parent].Kind == s.kind {
		n.Repeated = true
		return s.parent
	}
	for a, i := s.parent, 0; a != 0 && i < maxLoop; a, i = m.nodes[a].Parent, i+1 {
		if n := &m.nodes[a]; n.Label == s.label && n.Kind == s.kind {
			n.Repeated = true
			return a
		}
	}
	node, ok := m.index[s]
	if !ok {
		node = uint32(len(m.nodes))
		m.nodes, m.most = append(m.nodes, Node{Parent: s.parent, Label: s.label, Kind: s.kind}), append(m.most, 0)
		m.index[s] = node
	}
	return node
}

// end counts a vertex, which takes so much, whose path ends at a node.
func (m *merger) end(node uint32, self Amount) {
	n := &m.nodes[node]
	n.Self = n.Self.Add(self)
}

func (m *merger) tree() *Tree {
	t := &Tree{m.nodes}
	t.sum()
	return t
}
