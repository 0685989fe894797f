package view

// tree builds the forest of call paths: a node for each distinct path of
// frames, however many stacks share it.
func (v *View) tree(w *stackWeights) *Graph {
	t := v.nodeTable()
	p := v.Profile
	g := &Graph{view: v, Tree: true, paths: make([]int32, p.Stacks.Len())}
	var children edgeIndex // keyed by parent node + 1 and frame
	var nodeOf []int32
	edgeOf := []int32{}
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
				c, isNew := children.find(parent+1, lines[l])
				if isNew {
					nodeOf = append(nodeOf, g.addTreeNode(t, parent, lines[l], &edgeOf))
				}
				n := nodeOf[c]
				node := &g.Nodes[n]
				node.Cum += value
				node.CumDiv += div
				if e := edgeOf[n]; e >= 0 {
					ed := &g.Edges[e]
					ed.Weight += value
					ed.WeightDiv += div
					ed.Inline = ed.Inline && l != len(lines)-1
				}
				parent = n
			}
		}
		g.paths[id] = parent
		if parent >= 0 {
			g.Nodes[parent].Flat += value
			g.Nodes[parent].FlatDiv += div
		}
	}
	g.Order = g.listed(v.Options.DropNegative)
	return g
}

func (g *Graph) addTreeNode(t *frameTable, parent, frame int32, edgeOf *[]int32) int32 {
	n := int32(len(g.Nodes))
	g.Nodes = append(g.Nodes, Node{Frame: t.frames[frame], frame: frame, parent: parent})
	e := int32(-1)
	if parent >= 0 {
		e = int32(len(g.Edges))
		g.Edges = append(g.Edges, Edge{Src: parent, Dst: n, Inline: true})
		g.Nodes[parent].Out = append(g.Nodes[parent].Out, e)
		g.Nodes[n].In = append(g.Nodes[n].In, e)
	}
	*edgeOf = append(*edgeOf, e)
	return n
}

// trimTree keeps only the nodes in keep; the children of a removed node hang
// on its parent by a residual edge, or become roots.
func (g *Graph) trimTree(keep map[int32]bool) {
	order := g.Order
	g.Order = make([]int32, 0, len(keep))
	for _, cur := range order {
		if keep[cur] {
			g.Order = append(g.Order, cur)
			continue
		}
		in := g.EdgesIn(cur)
		out := g.EdgesOut(cur)
		if len(in) == 0 {
			for _, e := range out {
				e.removed = true
			}
			continue
		}
		up := in[0]
		parent, inline := up.Src, up.Inline
		up.removed = true
		for _, i := range g.Nodes[cur].Out {
			e := &g.Edges[i]
			if e.removed {
				continue
			}
			e.Src = parent
			e.Residual = true
			e.Inline = inline && e.Inline
			g.Nodes[parent].Out = append(g.Nodes[parent].Out, i)
		}
		g.Nodes[cur].Out = nil
	}
}

// Parent is the node that n was reached from before anything was removed, -1
// for roots and in graphs that are no trees.
func (g *Graph) Parent(n int32) int32 { return g.Nodes[n].parent }
