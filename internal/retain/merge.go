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
			node = m.step(node, n, path[j])
			n = path[j]
			known.set(n, node)
		}
		at[i] = node
		m.end(node, n)
	}
	return m.tree(), at
}

// DominatorTree is the whole dominator tree with vertices of the same label
// and kind below one node taken together. Sum is then what the vertices of a
// node retain together.
func (r *Result) DominatorTree(l Labels) *Tree {
	m := newMerger(r, l)
	at := make([]uint32, len(r.vertex))
	m.end(0, 0)
	for n := uint32(1); n < uint32(len(at)); n++ {
		d := r.idom[n]
		at[n] = m.step(at[d], d, n)
		m.end(at[n], n)
	}
	return m.tree()
}

// merger makes a tree.
type merger struct {
	r     *Result
	l     Labels
	nodes []Node
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
	return &merger{r: r, l: l, nodes: []Node{{}}, index: map[step]uint32{}}
}

// step is the node a path comes to when it goes on from a node, which stands
// for the number from, to the number to.
func (m *merger) step(node, from, to uint32) uint32 {
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
	if n := &m.nodes[slot.node]; n.Example == 0 || m.r.bytes[to] > m.r.bytes[m.r.at(n.Example)] {
		n.Example = v
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
		m.nodes = append(m.nodes, Node{Parent: s.parent, Label: s.label, Kind: s.kind})
		m.index[s] = node
	}
	return node
}

// end counts a vertex whose path ends at a node.
func (m *merger) end(node, number uint32) {
	n := &m.nodes[node]
	n.Self = n.Self.Add(m.r.self(number))
}

func (m *merger) tree() *Tree {
	t := &Tree{m.nodes}
	t.sum()
	return t
}
