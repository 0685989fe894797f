package retain

import "slices"

// Node is a generalised step of a Tree: what was reached by the same labels
// and kinds.
type Node struct {
	Parent      uint32 // index of the node before; of the first: 0
	Label, Kind uint32
	Example     uint32 // of the vertices that were reached the one that retains most
	Repeated    bool   // the step was gone several times in a row: a linked list, say
	Self        Amount // of the vertices that end here
	Sum         Amount // Self and that of all nodes below
}

// Tree holds merged paths. Nodes[0] is the super root; a node comes after its
// parent.
type Tree struct{ Nodes []Node }

// Path are the indices of the nodes from the first to node, without the first.
func (t *Tree) Path(node uint32) []uint32 {
	var p []uint32
	for ; node != 0; node = t.Nodes[node].Parent {
		p = append(p, node)
	}
	slices.Reverse(p)
	return p
}

// Prune leaves out nodes whose Sum has less than share of all bytes, and adds
// them to Self of the node above. to[i] is where node i went.
func (t *Tree) Prune(share float64) (pruned *Tree, to []uint32) {
	least := share * float64(t.Nodes[0].Sum.Bytes)
	pruned = &Tree{}
	to = make([]uint32, len(t.Nodes))
	for i, n := range t.Nodes {
		parent := to[n.Parent]
		if i > 0 && float64(n.Sum.Bytes) < least {
			to[i] = parent
			up := &pruned.Nodes[parent]
			up.Self = up.Self.Add(n.Self)
			continue
		}
		to[i] = uint32(len(pruned.Nodes))
		n.Parent = parent
		pruned.Nodes = append(pruned.Nodes, n)
	}
	return pruned, to
}

// Samples gives out the nodes of the tree that have something of their own, as
// samples: the indices of the nodes from that one to the first (leaf first,
// without the first) and its Self. The stack is only good until yield returns.
func (t *Tree) Samples(yield func(stack []uint32, a Amount)) {
	var stack []uint32
	for i, n := range t.Nodes {
		if n.Self == (Amount{}) {
			continue
		}
		stack = stack[:0]
		for i := uint32(i); i != 0; i = t.Nodes[i].Parent {
			stack = append(stack, i)
		}
		yield(stack, n.Self)
	}
}

// sum adds up the sums.
func (t *Tree) sum() {
	for i := range t.Nodes {
		t.Nodes[i].Sum = t.Nodes[i].Self
	}
	for i := len(t.Nodes) - 1; i > 0; i-- {
		p := &t.Nodes[t.Nodes[i].Parent]
		p.Sum = p.Sum.Add(t.Nodes[i].Sum)
	}
}
