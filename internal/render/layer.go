package render

import (
	"cmp"
	"math"
	"slices"
)

// arc is one drawable edge of a component. After breakCycles it points down: tail lies above head.
type arc struct {
	tail, head int32 // local node numbers
	edge       int   // index in Graph.Edges
	reversed   bool
	weight     float64 // 0..1
}

// component is one connected part of a graph while it is being laid out. Local node numbers run from 0 in the order of
// nodes; vertices are the nodes followed by the dummies that long arcs are cut into.
type component struct {
	nodes []int // index in Graph.Nodes
	arcs  []arc
	rank  []int32 // layer of each node, 0 on top

	// Filled by expand. A vertex below len(nodes) is that node, the others are dummies.
	chains [][]int32 // per arc: vertices from tail to head
	layer  []int32   // per vertex
	left   []float64 // px from the vertex's axis to its left end
	right  []float64 // px from the axis to its right end
	layers [][]int32 // vertices of each layer, left to right
	pos    []int32   // place of each vertex in its layer
	up     adjacency // neighbours one layer above
	down   adjacency // neighbours one layer below

	x          []float64 // axis of each vertex, px
	layerY     []float64 // top of each layer
	layerH     []float64
	width      float64
	height     float64
	crossings  int
	hidden     []int   // edges too long to route, see maxDummies
	pathWeight float64 // heaviest arc, for packing
}

// components cuts a graph into connected parts, the heaviest first; isolated nodes come last in input order.
func components(g Graph, plain []int) []*component {
	n := len(g.Nodes)
	parent := make([]int32, n)
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(v int32) int32 {
		for parent[v] != v {
			parent[v] = parent[parent[v]]
			v = parent[v]
		}
		return v
	}
	for _, e := range plain {
		a, b := find(int32(g.Edges[e].From)), find(int32(g.Edges[e].To))
		parent[max(a, b)] = min(a, b)
	}
	byRoot := make([]*component, n)
	local := make([]int32, n)
	var out []*component
	for v := range n {
		r := find(int32(v))
		if byRoot[r] == nil {
			byRoot[r] = &component{}
			out = append(out, byRoot[r])
		}
		local[v] = int32(len(byRoot[r].nodes))
		byRoot[r].nodes = append(byRoot[r].nodes, v)
	}
	for _, e := range plain {
		c := byRoot[find(int32(g.Edges[e].From))]
		w := clamp01(g.Edges[e].Weight)
		c.arcs = append(c.arcs, arc{local[g.Edges[e].From], local[g.Edges[e].To], e, false, w})
		c.pathWeight = max(c.pathWeight, w)
	}
	slices.SortStableFunc(out, func(a, b *component) int {
		if d := cmp.Compare(min(len(b.arcs), 1), min(len(a.arcs), 1)); d != 0 {
			return d
		}
		return cmp.Compare(b.pathWeight, a.pathWeight)
	})
	return out
}

// breakCycles turns arcs that close a cycle around. It walks depth first, from sources and then from the nodes that send
// more than they get, along the heaviest arc first, so the heavy path keeps its direction.
func (c *component) breakCycles() {
	n := len(c.nodes)
	out := newAdjacency(n, len(c.arcs), func(i int) (int32, int32) { return c.arcs[i].tail, int32(i) })
	net, in := make([]float64, n), make([]int, n)
	for _, a := range c.arcs {
		net[a.tail] += a.weight
		net[a.head] -= a.weight
		in[a.head]++
	}
	for v := range n {
		slices.SortStableFunc(out.of(int32(v)), func(a, b int32) int { return cmp.Compare(c.arcs[b].weight, c.arcs[a].weight) })
	}
	starts := make([]int32, n)
	for i := range starts {
		starts[i] = int32(i)
	}
	slices.SortStableFunc(starts, func(a, b int32) int {
		if d := cmp.Compare(min(in[a], 1), min(in[b], 1)); d != 0 {
			return d
		}
		return cmp.Compare(net[b], net[a])
	})
	const (
		fresh = iota
		onPath
		done
	)
	state := make([]uint8, n)
	next := make([]int32, n)
	var path []int32
	for _, s := range starts {
		if state[s] != fresh {
			continue
		}
		path = append(path[:0], s)
		state[s] = onPath
		for len(path) > 0 {
			v := path[len(path)-1]
			arcs := out.of(v)
			if int(next[v]) == len(arcs) {
				state[v] = done
				path = path[:len(path)-1]
				continue
			}
			a := &c.arcs[arcs[next[v]]]
			next[v]++
			switch state[a.head] {
			case onPath:
				a.reversed = true
			case fresh:
				state[a.head] = onPath
				path = append(path, a.head)
			}
		}
	}
	for i := range c.arcs {
		if a := &c.arcs[i]; a.reversed {
			a.tail, a.head = a.head, a.tail
		}
	}
}

// adjacency is a compressed list of neighbours: those of v are list[start[v]:start[v+1]].
type adjacency struct{ start, list []int32 }

// newAdjacency builds the lists of n vertices from m pairs; the neighbours of a vertex keep the order of the pairs.
func newAdjacency(n, m int, pair func(i int) (v, neighbour int32)) adjacency {
	a := adjacency{make([]int32, n+1), make([]int32, m)}
	for i := range m {
		v, _ := pair(i)
		a.start[v+1]++
	}
	for v := range n {
		a.start[v+1] += a.start[v]
	}
	fill := slices.Clone(a.start)
	for i := range m {
		v, w := pair(i)
		a.list[fill[v]] = w
		fill[v]++
	}
	return a
}

func (a adjacency) of(v int32) []int32 { return a.list[a.start[v]:a.start[v+1]] }

// assignLayers gives each node its layer and then makes layers wider than the limit shorter.
func (c *component) assignLayers(widths []float64, o Options) {
	r := newRanker(len(c.nodes), c.arcs)
	r.run()
	c.rank = r.rank
	c.narrow(widths, o)
}

// narrow moves the lightest sinks of an over-wide layer to the next layer, from top to bottom: a caller of a hundred leaves
// gets a block of leaves instead of one row a hundred boxes wide.
func (c *component) narrow(widths []float64, o Options) {
	limit := o.MaxLayer
	if limit == 0 {
		area := 0.0
		for _, w := range widths {
			area += (w + o.NodeGap) * (40 + o.LayerGap)
		}
		limit = max(1500, math.Sqrt(area*o.Aspect)*1.25)
	}
	n := len(c.nodes)
	heaviest, isTail := make([]float64, n), make([]bool, n)
	for _, a := range c.arcs {
		isTail[a.tail] = true
		heaviest[a.head] = max(heaviest[a.head], a.weight)
	}
	depth := int32(0)
	for _, r := range c.rank {
		depth = max(depth, r)
	}
	byLayer := make([][]int32, depth+1)
	for v, r := range c.rank {
		byLayer[r] = append(byLayer[r], int32(v))
	}
	for r := 1; r < len(byLayer); r++ { // byLayer grows while leaves are pushed down
		total := 0.0
		var sinks []int32
		for _, v := range byLayer[r] {
			total += widths[v] + o.NodeGap
			if !isTail[v] {
				sinks = append(sinks, v)
			}
		}
		if total <= limit {
			continue
		}
		slices.SortStableFunc(sinks, func(a, b int32) int { return cmp.Compare(heaviest[a], heaviest[b]) })
		for _, v := range sinks {
			if total <= limit || len(byLayer[r]) == 1 {
				break
			}
			total -= widths[v] + o.NodeGap/2 // its arc still passes through
			if r+1 == len(byLayer) {
				byLayer = append(byLayer, nil)
			}
			byLayer[r] = slices.DeleteFunc(byLayer[r], func(u int32) bool { return u == v })
			byLayer[r+1] = append(byLayer[r+1], v)
			c.rank[v] = int32(r + 1)
		}
	}
}
