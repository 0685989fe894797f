package retain

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// A heap as large as the one the goals are set for:
//
//	go test ./internal/retain -run - -bench . -objects 12000000
var objects = flag.Int("objects", 1_000_000, "objects of the graph of the benchmarks")

// The shapes of heapLike, as kinds of vertices.
const (
	garbage = 1 + iota
	listNode
	listValue
	mapGroup
	mapValue
	treeNode
	sharedValue
)

// heapLike makes a graph in the shapes heaps are made of, with about 1.2 edges
// an object. Shapes grow at the same time, as in a service, so that their
// objects lie between each other:
//
//	garbage that points into the heap                   10 % of objects
//	a doubly linked list with a value at each node      17 %
//	a wide map: groups of eight values                  27 %
//	trees of at most four children each                 33 %
//	values in one long slice                            13 %
//
// One object of fifty also points to a random one. kinds has the shape of each
// vertex.
func heapLike(n int) (g *Graph, kinds []uint8) {
	const list, groups, trees, shared, synthetic = 1, 2, 3, 4, 5
	rnd := rand.New(rand.NewPCG(1, 2))
	edges := make([][]uint32, n)
	kinds = make([]uint8, n)
	edges[0] = []uint32{list, groups, trees, shared}
	hang := func(from, v uint32, kind uint8) {
		edges[from] = append(edges[from], v)
		kinds[v] = kind
	}
	var node, group uint32
	room := 0         // in the group
	var open []uint32 // tree nodes with room
	for v := uint32(synthetic); v < uint32(n); v++ {
		switch roll := rnd.IntN(120); {
		case roll < 12:
			edges[v] = append(edges[v], v/2)
			kinds[v] = garbage
		case roll < 22 && node == 0:
			hang(list, v, listNode)
			node = v
		case roll < 22:
			hang(node, v, listNode)
			edges[v] = append(edges[v], node)
			node = v
		case roll < 32:
			hang(max(node, list), v, listValue)
		case roll < 64 && room == 0:
			hang(groups, v, mapGroup)
			group, room = v, 8
		case roll < 64:
			hang(group, v, mapValue)
			room--
		case roll < 104:
			if len(open) == 0 || rnd.IntN(10000) == 0 {
				hang(trees, v, treeNode)
			} else {
				i := rnd.IntN(len(open))
				hang(open[i], v, treeNode)
				if len(edges[open[i]]) >= 4 {
					open = slices.Delete(open, i, i+1)
				}
			}
			if open = append(open, v); len(open) > 256 {
				open = slices.Delete(open, 0, 128)
			}
		default:
			hang(shared, v, sharedValue)
		}
		if rnd.IntN(50) == 0 && v > synthetic {
			edges[v] = append(edges[v], synthetic+rnd.Uint32N(v-synthetic))
		}
	}
	var b Builder
	b.Grow(n+1, 3*n/2)
	for v := range edges {
		b.Vertex(16 + uint64(v%7)*16)
		for _, to := range edges[v] {
			b.Edge(to)
		}
	}
	b.sizes, b.offsets = slices.Clip(b.sizes), slices.Clip(b.offsets)
	g, err := Join(synthetic, &b)
	if err != nil {
		panic(err)
	}
	return g, kinds
}

// benchGraph is heapLike in the size asked for, made once.
var benchGraph = sync.OnceValue(func() *Graph {
	g, _ := heapLike(*objects)
	runtime.GC()
	return g
})

var benchKinds = sync.OnceValue(func() byShape {
	_, kinds := heapLike(*objects)
	runtime.GC()
	return byShape{kinds}
})

var benchResult = sync.OnceValue(func() *Result { return Compute(clone(benchGraph()), Options{}) })

func clone(g *Graph) *Graph {
	c := *g
	c.sizes, c.offsets, c.targets = slices.Clone(g.sizes), slices.Clone(g.offsets), slices.Clone(g.targets)
	return &c
}

// perSecond reports how many objects are done in a second.
func perSecond(b *testing.B) {
	b.ReportMetric(float64(*objects)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mobjects/s")
}

func BenchmarkCompute(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		g := clone(benchGraph())
		runtime.GC()
		b.StartTimer()
		Compute(g, Options{})
	}
	perSecond(b)
}

func BenchmarkSearch(b *testing.B) {
	for b.Loop() {
		(&Result{synthetic: benchGraph().synthetic}).search(benchGraph())
	}
	perSecond(b)
}

// BenchmarkDominators is Semi-NCA alone.
func BenchmarkDominators(b *testing.B) {
	r := benchResult()
	n := len(r.vertex)
	tree := make([]uint32, n) // parents of the search: the last holder before
	for v := 1; v < n; v++ {
		for _, h := range r.in[r.inAt[v]:r.inAt[v+1]] {
			if h < uint32(v) {
				tree[v] = h
			}
		}
	}
	parent, ancestor, semi, label := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
	for b.Loop() {
		b.StopTimer()
		copy(parent, tree)
		copy(ancestor, tree)
		b.StartTimer()
		r.dominators(parent, ancestor, semi, label)
	}
	perSecond(b)
}

// BenchmarkNearest is the search for shortest paths, done once for a result.
func BenchmarkNearest(b *testing.B) {
	r := benchResult()
	for b.Loop() {
		newNearSearch(r, nil).all()
	}
	perSecond(b)
}

func BenchmarkPath(b *testing.B) {
	r := benchResult()
	r.nearest()
	steps := 0
	for i := 0; b.Loop(); i++ {
		steps += len(r.Path(r.vertex[i*7919%1000000%len(r.vertex)]))
	}
	b.ReportMetric(float64(steps)/float64(b.N), "steps")
}

func BenchmarkPaths(b *testing.B) {
	r := benchResult()
	r.nearest()
	for i := 0; b.Loop(); i++ {
		r.Paths(r.vertex[i*7919%1000000%len(r.vertex)], 5, 0)
	}
}

// BenchmarkWhatIf takes out a vertex and a reference right below the super
// root, so that all of the heap is marked.
func BenchmarkWhatIf(b *testing.B) {
	r := benchResult()
	for b.Loop() {
		r.WhatIf([]Edge{{0, 1}}, []uint32{3})
	}
	perSecond(b)
}

// byShape takes shapes for types.
type byShape struct{ kinds []uint8 }

// Label is the root's number, then always the same field.
func (l byShape) Label(from, to uint32) uint32 {
	if to < 5 {
		return to
	}
	return 1000
}

// Kind is the shape.
func (l byShape) Kind(v uint32) uint32 { return uint32(l.kinds[v]) }

func BenchmarkMerge(b *testing.B) {
	r := benchResult()
	r.nearest()
	var every []uint32
	for v := uint32(0); v < uint32(r.Vertices()); v += 1000 {
		every = append(every, v)
	}
	l := benchKinds()
	for b.Loop() {
		r.Merge(ShortestPath, every, l)
	}
}

func BenchmarkDominatorTree(b *testing.B) {
	r := benchResult()
	l, nodes := benchKinds(), 0
	for b.Loop() {
		nodes = len(r.DominatorTree(l).Nodes)
	}
	b.ReportMetric(float64(nodes), "nodes")
	perSecond(b)
}

func BenchmarkKinds(b *testing.B) {
	r, l := benchResult(), benchKinds()
	for b.Loop() {
		r.Kinds(l.Kind)
	}
	perSecond(b)
}

func BenchmarkDrops(b *testing.B) {
	r := benchResult()
	for b.Loop() {
		r.Drops(20, nil)
	}
	perSecond(b)
}
