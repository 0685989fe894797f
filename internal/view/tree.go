package view

// tree builds the forest of call paths: a node for each distinct path of
// frames, however many stacks share it.
func (v *View) tree(w *stackWeights) *Graph {
	t := v.nodeTable()
	p := v.Profile
	g := &Graph{view: v, Tree: true, paths: make([]int32, p.Stacks.Len())}
	var paths pairIndex // numbers the nodes by their parent, plus 1, and frame
	var inline []bool   // by node: every call of it was inlined
	for id := range p.Stacks.Len() {
		g.paths[id] = -1
		if !w.used[id] {
			continue
		}
		value, div := w.of(id)
		parent := int32(-1)
		frames := p.Stacks.Frames[p.Stacks.Offsets[id]:p.Stacks.Offsets[id+1]]
		for i := len(frames) - 1; i >= 0; i-- {
			lines := t.of(frames[i])
			for l := len(lines) - 1; l >= 0; l-- {
				f := lines[l]
				n, isNew := paths.find(parent+1, f)
				if isNew {
					g.Nodes = append(g.Nodes, Node{Frame: &t.frames[f], frame: f, parent: parent})
					inline = append(inline, true)
				}
				g.Nodes[n].Cum += value
				g.Nodes[n].CumDiv += div
				inline[n] = inline[n] && l != len(lines)-1
				parent = n
			}
		}
		g.paths[id] = parent
		if parent >= 0 {
			g.Nodes[parent].Flat += value
			g.Nodes[parent].FlatDiv += div
		}
	}
	g.Edges = make([]Edge, 0, len(g.Nodes))
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.parent >= 0 {
			g.Edges = append(g.Edges, Edge{Src: n.parent, Dst: int32(i), Weight: n.Cum, WeightDiv: n.CumDiv, Inline: inline[i]})
		}
	}
	g.link()
	g.Order = g.listed(v.Options.DropNegative)
	return g
}

// trimTree keeps only the nodes in keep; the children of a removed node hang
// on its parent by a residual edge, or become roots.
func (g *Graph) trimTree(keep []bool) {
	kept := g.Order[:0]
	for _, cur := range g.Order {
		if keep[cur] {
			kept = append(kept, cur)
			continue
		}
		up := g.edgeUp(cur)
		if up == nil {
			for _, i := range g.Nodes[cur].Out {
				g.Edges[i].removed = true
			}
			continue
		}
		up.removed = true
		parent := &g.Nodes[up.Src]
		for _, i := range g.Nodes[cur].Out {
			e := &g.Edges[i]
			if e.removed {
				continue
			}
			e.Src = up.Src
			e.Residual = true
			e.Inline = up.Inline && e.Inline
			parent.Out = append(parent.Out, i)
		}
		g.Nodes[cur].Out = nil
	}
	g.Order = kept
}

// edgeUp is the edge to a node of a tree from its parent, nil for a root.
func (g *Graph) edgeUp(n int32) *Edge {
	for _, i := range g.Nodes[n].In {
		if e := &g.Edges[i]; !e.removed {
			return e
		}
	}
	return nil
}

// Parent is the node that n was reached from before anything was removed, -1
// for roots and in graphs that are no trees.
func (g *Graph) Parent(n int32) int32 { return g.Nodes[n].parent }
