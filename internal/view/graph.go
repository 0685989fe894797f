package view

import "github.com/profoundhq/profound/internal/profile"

// Node is one entry of a graph: a frame with what was sampled in it (flat)
// and in it or below it (cum).
type Node struct {
	*Frame
	Flat, FlatDiv int64
	Cum, CumDiv   int64
	// In and Out index Graph.Edges; removed edges stay listed until Edges
	// are read through EdgesIn and EdgesOut.
	In, Out []int32

	frame  int32 // number in the frame table
	parent int32 // call tree only: the node this was reached from, -1 for none
}

// FlatValue is the flat value, averaged if the view is.
func (n *Node) FlatValue() int64 { return mean(n.Flat, n.FlatDiv) }

// CumValue is the cumulative value, averaged if the view is.
func (n *Node) CumValue() int64 { return mean(n.Cum, n.CumDiv) }

// Edge is a call from one node to another.
type Edge struct {
	Src, Dst          int32
	Weight, WeightDiv int64
	// Residual edges stand for a path over nodes that are not shown.
	Residual bool
	// Inline is true when every call of the edge was inlined.
	Inline  bool
	removed bool
}

// Value is the weight, averaged if the view is.
func (e *Edge) Value() int64 { return mean(e.Weight, e.WeightDiv) }

// Graph is a call graph or, with Tree set, a forest of call paths.
type Graph struct {
	Nodes []Node
	Edges []Edge
	// Order lists the nodes shown. Nodes without a value are not among them
	// but may be ends of edges.
	Order []int32
	Tree  bool

	view  *View
	kept  []int32 // by frame number: node, or -1; nil in a tree
	paths []int32 // tree: by stack, the node of its leaf
}

// Name is the printed name of node n.
func (g *Graph) Name(n int32) string { return g.view.nodeTable().name(g.Nodes[n].frame) }

// EdgesIn lists the edges that lead to node n.
func (g *Graph) EdgesIn(n int32) []*Edge { return g.live(g.Nodes[n].In) }

// EdgesOut lists the edges that leave node n.
func (g *Graph) EdgesOut(n int32) []*Edge { return g.live(g.Nodes[n].Out) }

func (g *Graph) live(list []int32) []*Edge {
	out := make([]*Edge, 0, len(list))
	for _, e := range list {
		if ed := &g.Edges[e]; !ed.removed {
			out = append(out, ed)
		}
	}
	return out
}

// stackWeights adds the samples of each stack up. used marks stacks with a
// sample that counts, even when its values cancel out.
type stackWeights struct {
	value, div []int64
	used       []bool
}

func (v *View) weights() *stackWeights {
	p := v.Profile
	n := p.Stacks.Len()
	w := &stackWeights{value: make([]int64, n), used: make([]bool, n)}
	if v.Divisors != nil {
		w.div = make([]int64, n)
	}
	for i, s := range p.Samples.Stack {
		x, d := v.Values[i], v.divisor(i)
		if x == 0 && d == 0 {
			continue
		}
		w.used[s] = true
		w.value[s] += x
		if w.div != nil {
			w.div[s] += d
		}
	}
	return w
}

func (w *stackWeights) of(id int) (value, div int64) {
	if w.div != nil {
		div = w.div[id]
	}
	return w.value[id], div
}

// nodeTable is the frame table of the view's graphs.
func (v *View) nodeTable() *frameTable {
	if v.frames == nil {
		v.frames = buildFrames(v.Profile, v.ObjNames, TrimPath(v.Options.TrimPath, v.Options.SourcePath))
	}
	return v.frames
}

// edgeWanted says for which frames incoming edges are collected.
type edgeWanted int

const (
	noEdges     edgeWanted = iota
	inlineEdges            // only edges to frames that are inlined somewhere
	allEdges
)

// graph builds the graph of the kept frames; keep nil keeps all.
func (v *View) graph(w *stackWeights, keep []bool, edges edgeWanted) *Graph {
	t := v.nodeTable()
	g := &Graph{view: v, kept: make([]int32, len(t.frames))}
	g.Nodes = make([]Node, 0, len(t.frames))
	for f := range t.frames {
		g.kept[f] = -1
		if keep == nil || keep[f] {
			g.kept[f] = int32(len(g.Nodes))
			g.Nodes = append(g.Nodes, Node{Frame: &t.frames[f], frame: int32(f), parent: -1})
		}
	}
	b := &graphBuilder{g: g, t: t, p: v.Profile, w: w, seen: make([]uint32, len(g.Nodes)), edges: edges}
	if edges == noEdges {
		b.walkValues()
	} else {
		b.walk(nil)
	}
	g.Order = g.listed(v.Options.DropNegative)
	return g
}

// listed selects the nodes to show: those with a value, and no negative ones
// if they are to be dropped.
func (g *Graph) listed(dropNegative bool) []int32 {
	order := make([]int32, 0, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Cum == 0 && n.Flat == 0 {
			continue
		}
		if dropNegative && (n.Flat < 0 || n.Flat == 0 && n.Cum < 0) {
			continue
		}
		order = append(order, int32(i))
	}
	return order
}

type graphBuilder struct {
	g     *Graph
	t     *frameTable
	p     *profile.Profile
	w     *stackWeights
	seen  []uint32 // by node: the last stack (plus 1) that counted it
	edges edgeWanted
	index pairIndex // numbers the edges by their ends
	used  []uint32  // by edge: the last stack (plus 1) that counted it
}

// What a location is to walkValues, besides the node of its only frame.
const (
	frameGone  = -1 // none of its frames is kept
	framesMany = -2 // it has several frames
)

// walkValues adds flat and cum without edges: the hot loop of every report. A
// node counts once for a stack, however often it recurs. Many stacks are
// divided among the processors.
func (b *graphBuilder) walkValues() {
	nodeOf := b.nodeOfLocation()
	n := b.p.Stacks.Len()
	sums := make([]*valueSums, profile.Parts(n))
	profile.InParts(n, len(sums), func(k, from, to int) { sums[k] = b.sumValues(nodeOf, from, to) })
	for _, s := range sums {
		for i := range b.g.Nodes {
			node := &b.g.Nodes[i]
			node.Cum += s.cum[i].value
			node.Flat += s.flat[i]
			node.FlatDiv += s.flatDiv[i]
		}
	}
	if b.w.div != nil {
		b.walkDivisors(nodeOf)
	}
}

// valueSums are flat and cum of some stacks, by node.
type valueSums struct {
	cum           []cumSum
	flat, flatDiv []int64
}

// cumSum is a value and the last stack (plus 1) that counted for it: side by
// side, because a node that is looked at is mostly counted too.
type cumSum struct {
	value int64
	seen  uint32
}

func (c *cumSum) add(stamp uint32, value int64) {
	if c.seen != stamp {
		c.seen = stamp
		c.value += value
	}
}

// sumValues adds up the stacks from one to another.
func (b *graphBuilder) sumValues(nodeOf []int32, from, to int) *valueSums {
	stacks := &b.p.Stacks
	n := len(b.g.Nodes)
	s := &valueSums{make([]cumSum, n), make([]int64, n), make([]int64, n)}
	for id := from; id < to; id++ {
		if !b.w.used[id] {
			continue
		}
		value, div := b.w.of(id)
		frames := stacks.Frames[stacks.Offsets[id]:stacks.Offsets[id+1]]
		stamp := uint32(id) + 1
		for _, loc := range frames {
			if n := nodeOf[loc]; n >= 0 {
				s.cum[n].add(stamp, value)
			} else if n == framesMany {
				for _, f := range b.t.of(loc) {
					if n := b.g.kept[f]; n >= 0 {
						s.cum[n].add(stamp, value)
					}
				}
			}
		}
		if len(frames) > 0 {
			if n := b.g.kept[b.t.ids[b.t.offsets[frames[0]]]]; n >= 0 {
				s.flat[n] += value
				s.flatDiv[n] += div
			}
		}
	}
	return s
}

// walkDivisors adds what cumulative values are averaged over.
func (b *graphBuilder) walkDivisors(nodeOf []int32) {
	stacks := &b.p.Stacks
	clear(b.seen)
	for id := range stacks.Len() {
		if !b.w.used[id] {
			continue
		}
		stamp := uint32(id) + 1
		for _, loc := range stacks.Of(profile.StackID(id)) {
			if nodeOf[loc] == frameGone {
				continue
			}
			for _, f := range b.t.of(loc) {
				if n := b.g.kept[f]; n >= 0 && b.seen[n] != stamp {
					b.seen[n] = stamp
					b.g.Nodes[n].CumDiv += b.w.div[id]
				}
			}
		}
	}
}

func (b *graphBuilder) nodeOfLocation() []int32 {
	nodeOf := make([]int32, b.p.Locations.Len())
	for loc := range nodeOf {
		switch ids := b.t.of(profile.LocationID(loc)); len(ids) {
		case 0:
			nodeOf[loc] = frameGone
		case 1:
			nodeOf[loc] = b.g.kept[ids[0]]
		default:
			nodeOf[loc] = frameGone
			for _, f := range ids {
				if b.g.kept[f] >= 0 {
					nodeOf[loc] = framesMany
				}
			}
		}
	}
	return nodeOf
}

// walk adds flat, cum and edges, root to leaf, of the stacks that have a
// wanted location; nil wants all. Many stacks are divided among the processors;
// edges come in the order in which one would meet them.
func (b *graphBuilder) walk(wanted []bool) {
	nodeOf := b.nodeOfLocation()
	n := b.p.Stacks.Len()
	parts := make([]*graphBuilder, profile.Parts(n))
	parts[0] = b
	for k := 1; k < len(parts); k++ {
		parts[k] = &graphBuilder{g: &Graph{kept: b.g.kept, Nodes: make([]Node, len(b.g.Nodes))}, t: b.t, p: b.p, w: b.w, seen: make([]uint32, len(b.g.Nodes)), edges: b.edges}
	}
	profile.InParts(n, len(parts), func(k, from, to int) { parts[k].walkStacks(nodeOf, wanted, from, to) })
	for _, part := range parts[1:] {
		b.addUp(part.g)
	}
	b.g.link()
}

// addUp adds what another builder found in other stacks.
func (b *graphBuilder) addUp(g *Graph) {
	for i := range g.Nodes {
		to, from := &b.g.Nodes[i], &g.Nodes[i]
		to.Flat, to.FlatDiv = to.Flat+from.Flat, to.FlatDiv+from.FlatDiv
		to.Cum, to.CumDiv = to.Cum+from.Cum, to.CumDiv+from.CumDiv
	}
	for i := range g.Edges {
		from := &g.Edges[i]
		e, isNew := b.index.find(from.Src, from.Dst)
		if isNew {
			b.g.Edges = append(b.g.Edges, *from)
			b.used = append(b.used, 0)
			continue
		}
		to := &b.g.Edges[e]
		to.Weight, to.WeightDiv = to.Weight+from.Weight, to.WeightDiv+from.WeightDiv
		to.Residual, to.Inline = to.Residual || from.Residual, to.Inline && from.Inline
	}
}

// walkStacks is walk for the stacks from one to another, without the links.
func (b *graphBuilder) walkStacks(nodeOf []int32, wanted []bool, from, to int) {
	stacks := &b.p.Stacks
	kept := b.g.kept
	nodes := b.g.Nodes
	for id := from; id < to; id++ {
		if !b.w.used[id] {
			continue
		}
		value, div := b.w.of(id)
		stamp := uint32(id) + 1
		parent := int32(-1)
		residual := false
		frames := stacks.Frames[stacks.Offsets[id]:stacks.Offsets[id+1]]
		if wanted != nil && !anyWanted(frames, wanted) {
			continue
		}
		for i := len(frames) - 1; i >= 0; i-- {
			if nodeOf[frames[i]] == frameGone {
				residual = true
				continue
			}
			lines := b.t.of(frames[i])
			for l := len(lines) - 1; l >= 0; l-- {
				n := kept[lines[l]]
				if n < 0 {
					residual = true
					continue
				}
				if b.seen[n] != stamp {
					b.seen[n] = stamp
					nodes[n].Cum += value
					nodes[n].CumDiv += div
				}
				if parent >= 0 && n != parent && (b.edges == allEdges || b.edges == inlineEdges && b.t.inlined[lines[l]]) {
					b.addEdge(parent, n, value, div, residual, l != len(lines)-1, stamp)
				}
				parent = n
				residual = false
			}
		}
		if parent >= 0 && !residual {
			nodes[parent].Flat += value
			nodes[parent].FlatDiv += div
		}
	}
}

// link lists every edge at its ends, in the order of Edges.
func (g *Graph) link() {
	ins, outs := make([]int32, len(g.Nodes)), make([]int32, len(g.Nodes))
	for i := range g.Edges {
		outs[g.Edges[i].Src]++
		ins[g.Edges[i].Dst]++
	}
	in, out := make([]int32, len(g.Edges)), make([]int32, len(g.Edges))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.In, in = in[:0:ins[i]], in[ins[i]:]
		n.Out, out = out[:0:outs[i]], out[outs[i]:]
	}
	for i := range g.Edges {
		src, dst := &g.Nodes[g.Edges[i].Src], &g.Nodes[g.Edges[i].Dst]
		src.Out = append(src.Out, int32(i))
		dst.In = append(dst.In, int32(i))
	}
}

func anyWanted(frames []profile.LocationID, wanted []bool) bool {
	for _, loc := range frames {
		if wanted[loc] {
			return true
		}
	}
	return false
}

// inlineEdges collects, for a flat list, the edges into those shown nodes
// that were inlined somewhere. Values of g do not change: a node's flat and
// cum do not depend on which others are kept. cut tells that the other nodes
// are left out of the graph; else they are in it, but not worth showing.
func (v *View) inlineEdges(w *stackWeights, g *Graph, cut bool) {
	t := v.nodeTable()
	shown := make([]bool, len(t.frames))
	inlined := make([]bool, len(t.frames))
	any := false
	for _, n := range g.Order {
		f := g.Nodes[n].frame
		shown[f] = true
		inlined[f] = t.inlined[f]
		any = any || inlined[f]
	}
	if !any {
		return
	}
	wanted := make([]bool, v.Profile.Locations.Len())
	for loc := range wanted {
		for _, f := range t.of(profile.LocationID(loc)) {
			wanted[loc] = wanted[loc] || inlined[f]
		}
	}
	e := &Graph{view: v, kept: make([]int32, len(t.frames)), Nodes: make([]Node, len(g.Nodes))}
	for f := range e.kept {
		e.kept[f] = -1
		if shown[f] || !cut {
			e.kept[f] = g.kept[f]
		}
	}
	b := &graphBuilder{g: e, t: t, p: v.Profile, w: w, seen: make([]uint32, len(e.Nodes)), edges: inlineEdges}
	b.walk(wanted)
	g.Edges = e.Edges
	for i := range g.Nodes {
		g.Nodes[i].In, g.Nodes[i].Out = e.Nodes[i].In, e.Nodes[i].Out
	}
}

func (b *graphBuilder) addEdge(src, dst int32, value, div int64, residual, inline bool, stamp uint32) {
	e, isNew := b.index.find(src, dst)
	if isNew {
		b.g.Edges = append(b.g.Edges, Edge{Src: src, Dst: dst, Inline: true})
		b.used = append(b.used, 0)
	}
	// An edge counts once for a stack, by its first occurrence.
	if b.used[e] == stamp {
		return
	}
	b.used[e] = stamp
	ed := &b.g.Edges[e]
	ed.Weight += value
	ed.WeightDiv += div
	ed.Residual = ed.Residual || residual
	ed.Inline = ed.Inline && inline
}

// pairIndex numbers pairs of ids from 0 in the order they are first asked for:
// open addressing over packed pairs.
type pairIndex struct {
	keys []uint64 // packed pairs plus one; 0 is free
	vals []int32
	n    int // pairs
}

func (x *pairIndex) find(a, b int32) (number int32, isNew bool) {
	if 2*x.n >= len(x.keys) {
		x.grow()
	}
	key := uint64(uint32(a))<<32 | uint64(uint32(b)) + 1
	mask := uint64(len(x.keys) - 1)
	for i := pairHash(key) & mask; ; i = (i + 1) & mask {
		switch x.keys[i] {
		case key:
			return x.vals[i], false
		case 0:
			number = int32(x.n)
			x.keys[i], x.vals[i] = key, number
			x.n++
			return number, true
		}
	}
}

func pairHash(k uint64) uint64 {
	k *= 0x9E3779B97F4A7C15
	return k ^ k>>31
}

func (x *pairIndex) grow() {
	old := *x
	n := max(256, 2*len(old.keys))
	x.keys, x.vals = make([]uint64, n), make([]int32, n)
	mask := uint64(n - 1)
	for j, key := range old.keys {
		if key == 0 {
			continue
		}
		i := pairHash(key) & mask
		for x.keys[i] != 0 {
			i = (i + 1) & mask
		}
		x.keys[i], x.vals[i] = key, old.vals[j]
	}
}
