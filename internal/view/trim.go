package view

import (
	"cmp"
	"slices"
	"strings"
)

// Purpose says how a graph will be shown, which decides how it is trimmed.
type Purpose int

const (
	// ForList is a flat list: edges are collected only where they tell that a
	// node was inlined.
	ForList Purpose = iota
	// ForText shows callers and callees of each node.
	ForText
	// ForCallgrind is ForText with the call tree honoured.
	ForCallgrind
	// ForPicture is a drawing: nodes are chosen by how much they tell, their
	// labels are collected and redundant edges left out.
	ForPicture
)

// Trimmed is a graph reduced to what is worth showing.
type Trimmed struct {
	*Graph
	// OrigCount is the number of nodes before the node count was applied.
	OrigCount    int
	DroppedNodes int
	DroppedEdges int
	// Tags are the labels of the nodes shown, by node; ForPicture only.
	Tags map[int32]*NodeTags
}

// Trim builds the graph and drops nodes below NodeFraction of its total,
// all but the NodeCount most telling ones, and edges below EdgeFraction. The
// first graph only decides what is kept, so it is built without edges.
func (v *View) Trim(purpose Purpose) *Trimmed {
	o := v.Options
	visual := purpose == ForPicture
	callTree := o.CallTree && purpose >= ForCallgrind
	w := v.weights()
	var t Trimmed
	g := v.firstGraph(w, callTree)
	var total int64
	for _, n := range g.Order {
		total += g.Nodes[n].Flat
	}
	nodeCutoff := abs(int64(float64(total) * o.NodeFraction))
	edgeCutoff := abs(int64(float64(total) * o.EdgeFraction))

	listed := len(g.Order)
	keep := g.above(nodeCutoff)
	cut := nodeCutoff > 0 && len(keep) < listed
	if cut {
		t.DroppedNodes = listed - len(keep)
	}
	if purpose == ForList {
		if cut {
			g.Order = keep
		}
		v.trimList(w, g, &t, edgeCutoff, cut)
		return &t
	}
	switch {
	case cut && callTree:
		g.trimTree(g.nodeSet(keep))
	case cut:
		g = v.graph(w, g.frameSet(keep), allEdges)
	case !callTree:
		g = v.graph(w, nil, allEdges)
	}
	t.OrigCount = len(g.Order)

	g.sort(o.Sort == "cum", visual)
	if o.NodeCount > 0 {
		g.trimEdges(edgeCutoff)
		limit := o.NodeCount
		if visual {
			limit = g.countWithTags(w, limit, nodeCutoff)
		}
		if limit < len(g.Order) {
			if callTree {
				g.trimTree(g.nodeSet(g.Order[:limit]))
			} else {
				g = v.graph(w, g.frameSet(g.Order[:limit]), allEdges)
			}
			g.sort(o.Sort == "cum", visual)
		}
	}
	t.DroppedEdges = g.trimEdges(edgeCutoff)
	if visual {
		t.Tags = g.collectTags(g.Order, nodeCutoff)
		g.removeRedundantEdges()
	}
	t.Graph = g
	return &t
}

// trimList finishes a flat list, which needs no graph of the kept nodes: their
// values are those of the first graph.
func (v *View) trimList(w *stackWeights, g *Graph, t *Trimmed, edgeCutoff int64, cut bool) {
	t.OrigCount = len(g.Order)
	g.sort(v.Options.Sort == "cum", false)
	if n := v.Options.NodeCount; n > 0 && n < len(g.Order) {
		g.Order = g.Order[:n]
		cut = true
	}
	v.inlineEdges(w, g, cut)
	t.DroppedEdges = g.trimEdges(edgeCutoff)
	t.Graph = g
}

// Whole builds the graph of everything, with edges but without trimming; its
// Order is not sorted.
func (v *View) Whole() *Graph {
	return v.graph(v.weights(), nil, allEdges)
}

// WholeNodes is Whole without edges.
func (v *View) WholeNodes() *Graph {
	return v.graph(v.weights(), nil, noEdges)
}

// WholeTree builds the forest of all call paths.
func (v *View) WholeTree() *Graph { return v.tree(v.weights()) }

func (v *View) firstGraph(w *stackWeights, callTree bool) *Graph {
	if callTree {
		return v.tree(w)
	}
	return v.graph(w, nil, noEdges)
}

// above lists the nodes whose cum reaches the cutoff.
func (g *Graph) above(cutoff int64) []int32 {
	var out []int32
	for _, n := range g.Order {
		if abs(g.Nodes[n].Cum) >= cutoff {
			out = append(out, n)
		}
	}
	return out
}

func (g *Graph) nodeSet(nodes []int32) []bool {
	set := make([]bool, len(g.Nodes))
	for _, n := range nodes {
		set[n] = true
	}
	return set
}

// frameSet turns nodes into a set of frames to keep.
func (g *Graph) frameSet(nodes []int32) []bool {
	set := make([]bool, len(g.view.nodeTable().frames))
	for _, n := range nodes {
		set[g.Nodes[n].frame] = true
	}
	return set
}

// trimEdges removes the edges into shown nodes that weigh less than cutoff and
// returns how many it removed.
func (g *Graph) trimEdges(cutoff int64) int {
	dropped := 0
	for _, n := range g.Order {
		for _, i := range g.Nodes[n].In {
			if e := &g.Edges[i]; !e.removed && abs(e.Weight) < cutoff {
				e.removed = true
				dropped++
			}
		}
	}
	return dropped
}

// removeRedundantEdges removes residual edges whose ends stay connected by
// another path. Nodes are visited in reverse and edges lightest first; the
// first edge of a node that is not residual ends its turn.
func (g *Graph) removeRedundantEdges() {
	seen := make([]int32, len(g.Nodes))
	stamp := int32(0)
	for i := len(g.Order) - 1; i >= 0; i-- {
		in := g.SortedIn(g.Order[i])
		for j := len(in) - 1; j >= 0; j-- {
			e := in[j]
			if !e.Residual {
				break
			}
			stamp++
			if g.reachable(e, seen, stamp) {
				e.removed = true
			}
		}
	}
}

// reachable tells whether e.Src reaches e.Dst without e.
func (g *Graph) reachable(e *Edge, seen []int32, stamp int32) bool {
	queue := []int32{e.Dst}
	seen[e.Dst] = stamp
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, i := range g.Nodes[n].In {
			ie := &g.Edges[i]
			if ie.removed || ie == e || seen[ie.Src] == stamp {
				continue
			}
			if ie.Src == e.Src {
				return true
			}
			seen[ie.Src] = stamp
			queue = append(queue, ie.Src)
		}
	}
	return false
}

// SortedIn is EdgesIn, heaviest first.
func (g *Graph) SortedIn(n int32) []*Edge { return g.SortEdges(g.EdgesIn(n)) }

// SortedOut is EdgesOut, heaviest first.
func (g *Graph) SortedOut(n int32) []*Edge { return g.SortEdges(g.EdgesOut(n)) }

// SortEdges sorts edges by weight, then by the names of their ends.
func (g *Graph) SortEdges(edges []*Edge) []*Edge {
	slices.SortStableFunc(edges, func(a, b *Edge) int {
		if c := cmp.Compare(abs(b.Weight), abs(a.Weight)); c != 0 {
			return c
		}
		if a.Src != b.Src {
			if c := strings.Compare(g.Name(a.Src), g.Name(b.Src)); c != 0 {
				return c
			}
		}
		return strings.Compare(g.Name(a.Dst), g.Name(b.Dst))
	})
	return edges
}
