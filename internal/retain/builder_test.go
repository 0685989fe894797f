package retain

import (
	"fmt"
	"math"
	"slices"
)

// Builder makes graphs for tests: it collects vertices and their edges in the order of their numbers.
// Several builders can be filled at the same time, each with a range of
// vertices, and joined.
type Builder struct {
	sizes   []uint32
	big     map[uint32]uint64
	offsets []uint32 // where the edges of each vertex begin
	targets []uint32
}

// Grow makes room for so many more vertices and edges.
func (b *Builder) Grow(vertices, edges int) {
	b.sizes = slices.Grow(b.sizes, vertices)
	b.offsets = slices.Grow(b.offsets, vertices)
	b.targets = slices.Grow(b.targets, edges)
}

// Vertex adds a vertex of so many bytes and returns its number in this
// builder; joined, it is that number plus the vertices of the builders before.
func (b *Builder) Vertex(bytes uint64) uint32 {
	v := uint32(len(b.sizes))
	b.sizes = append(b.sizes, uint32(bytes))
	if bytes >= bigSize {
		setSize(b.sizes, &b.big, v, bytes)
	}
	b.offsets = append(b.offsets, uint32(len(b.targets)))
	return v
}

// Edge lets the vertex added last point to another, by its number in the
// whole graph. The other may be added later.
func (b *Builder) Edge(to uint32) { b.targets = append(b.targets, to) }

// Vertices is the number of vertices added so far.
func (b *Builder) Vertices() int { return len(b.sizes) }

// Join makes one graph of the builders, one after the other; the first
// synthetic vertices of it are roots. The builders are empty afterwards.
func Join(synthetic int, parts ...*Builder) (*Graph, error) {
	if len(parts) == 1 {
		return parts[0].graph(synthetic)
	}
	vertices, edges := 0, 0
	for _, p := range parts {
		vertices += len(p.sizes)
		edges += len(p.targets)
	}
	if uint64(vertices) >= none || uint64(edges) > math.MaxUint32 {
		return nil, fmt.Errorf("graph: %d vertices and %d edges; more than %d cannot be numbered", vertices, edges, uint32(math.MaxUint32))
	}
	var whole Builder
	whole.Grow(vertices+1, edges)
	for _, p := range parts {
		firstVertex, firstEdge := uint32(len(whole.sizes)), uint32(len(whole.targets))
		whole.sizes = append(whole.sizes, p.sizes...)
		whole.targets = append(whole.targets, p.targets...)
		for _, o := range p.offsets {
			whole.offsets = append(whole.offsets, firstEdge+o)
		}
		for v, bytes := range p.big {
			setSize(whole.sizes, &whole.big, firstVertex+v, bytes)
		}
		*p = Builder{}
	}
	return whole.graph(synthetic)
}

// graph turns the builder into a graph and empties it.
func (b *Builder) graph(synthetic int) (*Graph, error) {
	g := &Graph{synthetic: synthetic, sizes: b.sizes, big: b.big, targets: b.targets}
	g.offsets = append(b.offsets, uint32(len(b.targets)))
	*b = Builder{}
	if err := g.check(); err != nil {
		return nil, err
	}
	return g, nil
}
