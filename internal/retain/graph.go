package retain

import (
	"fmt"
	"math"
)

// Amount is a quantity of memory.
type Amount struct {
	Bytes   uint64
	Objects uint64 // synthetic vertices do not count
}

// Add is the sum of two amounts.
func (a Amount) Add(b Amount) Amount { return Amount{a.Bytes + b.Bytes, a.Objects + b.Objects} }

// Sub is a without b, which must not be larger.
func (a Amount) Sub(b Amount) Amount { return Amount{a.Bytes - b.Bytes, a.Objects - b.Objects} }

// Graph is a checked graph of objects, in compressed rows: the edges of vertex
// v are targets[offsets[v]:offsets[v+1]]. Compute uses it up.
type Graph struct {
	synthetic int
	sizes     []uint32          // bytes, bigSize: see big
	big       map[uint32]uint64 // sizes that do not fit
	offsets   []uint32
	targets   []uint32
}

// bigSize in Graph.sizes says that the size may stand in Graph.big.
const bigSize = math.MaxUint32

// Vertices is the number of vertices, garbage included.
func (g *Graph) Vertices() int { return len(g.sizes) }

// Edges is the number of edges as they were given.
func (g *Graph) Edges() int { return len(g.targets) }

// Synthetic is the number of the first object: the vertices below are roots
// and groups of roots.
func (g *Graph) Synthetic() int { return g.synthetic }

// Size is the size of v alone, in bytes.
func (g *Graph) Size(v uint32) uint64 {
	kept := g.sizes[v]
	if kept == bigSize {
		if b, ok := g.big[v]; ok {
			return b
		}
	}
	return uint64(kept)
}

// Room is how many bytes Compute and the first question about shortest paths
// take besides what the graph has.
func (g *Graph) Room() uint64 { return 36*uint64(g.Vertices()) + 4*uint64(g.Edges()) }

// Targets are the vertices v points to, in the order they were given. The
// slice belongs to the graph.
func (g *Graph) Targets(v uint32) []uint32 {
	return g.targets[g.offsets[v]:g.offsets[v+1]]
}

// FromCSR makes a graph from rows that are already there and takes them over.
// The first synthetic vertices are roots; sizes has one entry for each vertex,
// in bytes; the edges of v are targets[offsets[v]:offsets[v+1]], so offsets
// has one entry more than sizes. Sizes of 4 GiB and more are set with SetSize.
func FromCSR(synthetic int, sizes, offsets, targets []uint32) (*Graph, error) {
	g := &Graph{synthetic: synthetic, sizes: sizes, offsets: offsets, targets: targets}
	if err := g.check(); err != nil {
		return nil, err
	}
	return g, nil
}

// SetSize changes the size of v alone, in bytes.
func (g *Graph) SetSize(v uint32, bytes uint64) { setSize(g.sizes, &g.big, v, bytes) }

func setSize(sizes []uint32, big *map[uint32]uint64, v uint32, bytes uint64) {
	if bytes < bigSize {
		sizes[v] = uint32(bytes)
		return
	}
	if *big == nil {
		*big = map[uint32]uint64{}
	}
	sizes[v] = bigSize
	(*big)[v] = bytes
}

// check refuses rows that are no graph.
func (g *Graph) check() error {
	n := len(g.sizes)
	switch {
	case n == 0:
		return fmt.Errorf("graph: no vertices; vertex 0 is the super root and must be there")
	case uint64(n) >= none:
		return fmt.Errorf("graph: %d vertices; more than %d cannot be numbered", n, uint32(none)-1)
	case g.synthetic < 1 || g.synthetic > n:
		return fmt.Errorf("graph: %d synthetic vertices of %d; at least the super root is one", g.synthetic, n)
	case len(g.offsets) != n+1:
		return fmt.Errorf("graph: %d offsets for %d vertices; one more than vertices is needed", len(g.offsets), n)
	case uint64(len(g.targets)) > math.MaxUint32:
		return fmt.Errorf("graph: %d edges; more than %d cannot be numbered", len(g.targets), uint32(math.MaxUint32))
	case g.offsets[0] != 0 || int(g.offsets[n]) != len(g.targets):
		return fmt.Errorf("graph: offsets go from %d to %d; they must go from 0 to %d, the number of edges", g.offsets[0], g.offsets[n], len(g.targets))
	}
	for v := range n {
		if g.offsets[v] > g.offsets[v+1] {
			return fmt.Errorf("graph: vertex %d: offsets fall from %d to %d", v, g.offsets[v], g.offsets[v+1])
		}
	}
	first := g.offsets[g.synthetic]
	for e, t := range g.targets {
		if int(t) >= n {
			return fmt.Errorf("graph: edge %d points to vertex %d of %d", e, t, n)
		}
		if e >= int(first) && int(t) < g.synthetic {
			return fmt.Errorf("graph: edge %d leads from an object to the synthetic vertex %d; only synthetic vertices may point to roots", e, t)
		}
	}
	return nil
}
