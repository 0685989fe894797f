package retain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plain is a graph in the plainest form, for oracles. Vertices below synthetic
// are roots.
type plain struct {
	synthetic int
	sizes     []uint64
	edges     [][]uint32
	ranks     []uint8
	parts     bool // every third object is part of what leads to it
}

// part is Options.Part.
func (p *plain) part(v uint32) bool { return p.parts && int(v) >= p.synthetic && v%3 == 0 }

// steps is the length of a path, without the steps to parts.
func (p *plain) steps(path []uint32) int {
	n := len(path) - 1
	for _, v := range path {
		if p.part(v) {
			n--
		}
	}
	return n
}

// graph builds the real graph, from several builders.
func (p *plain) graph(t testing.TB) *Graph {
	t.Helper()
	var parts []*Builder
	for v, size := range p.sizes {
		if v%5 == 0 {
			parts = append(parts, &Builder{})
		}
		b := parts[len(parts)-1]
		b.Vertex(size)
		for _, to := range p.edges[v] {
			b.Edge(to)
		}
	}
	g, err := Join(p.synthetic, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (p *plain) compute(t testing.TB) *Result {
	t.Helper()
	return Compute(p.graph(t), Options{Rank: func(v uint32) uint8 { return p.ranks[v] }, Part: p.part})
}

// decode makes a graph of at most 40 vertices from any bytes: how many
// vertices, how many of them synthetic, ranks, then edges as pairs. Self loops,
// repeated edges and garbage come by themselves.
func decode(data []byte) *plain {
	next := func() int {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int(b)
	}
	n := 1 + next()%40
	p := &plain{synthetic: 1 + next()%min(n, 8), sizes: make([]uint64, n), edges: make([][]uint32, n), ranks: make([]uint8, n)}
	for v := range p.synthetic {
		p.ranks[v] = uint8(max(0, next()%6-2))
	}
	for v := range p.sizes {
		p.sizes[v] = 1 << (v % 40) // sums tell which vertices are in them
		if v%7 == 6 {
			p.sizes[v] = 0
		}
	}
	for len(data) > 1 {
		from, to := next()%n, next()%n
		if from < p.synthetic || to >= p.synthetic {
			p.edges[from] = append(p.edges[from], uint32(to))
		}
	}
	return p
}

// random bytes that decode to something worth a look.
func randomBytes(rnd *rand.Rand) []byte {
	data := make([]byte, 10+rnd.IntN(150))
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	return data
}

// marked are the vertices that can be reached without what is removed.
func (p *plain) marked(edges []Edge, vertices []uint32) []bool {
	seen := make([]bool, len(p.sizes))
	var mark func(v uint32)
	mark = func(v uint32) {
		if seen[v] || slices.Contains(vertices, v) {
			return
		}
		seen[v] = true
		for _, to := range p.edges[v] {
			if !slices.Contains(edges, Edge{v, to}) {
				mark(to)
			}
		}
	}
	mark(0)
	return seen
}

// amount adds up the vertices in from and not in without.
func (p *plain) amount(in, without []bool) Amount {
	var a Amount
	for v := range p.sizes {
		if in[v] && (without == nil || !without[v]) {
			a.Bytes += p.sizes[v]
			if v >= p.synthetic {
				a.Objects++
			}
		}
	}
	return a
}

// dominators by sets: the dominators of a vertex are itself and what all its
// holders have in common, repeated until nothing changes. Garbage has none.
func (p *plain) dominators() [][]bool {
	n := len(p.sizes)
	live := p.marked(nil, nil)
	dom := make([][]bool, n)
	for v := range dom {
		dom[v] = make([]bool, n)
		for d := range dom[v] {
			dom[v][d] = live[v] && live[d] && (v != 0 || d == 0)
		}
	}
	for changed := true; changed; {
		changed = false
		for from := range n {
			if !live[from] {
				continue
			}
			for _, v := range p.edges[from] {
				for d := range dom[v] {
					if dom[v][d] && d != int(v) && !dom[from][d] {
						dom[v][d], changed = false, true
					}
				}
			}
		}
	}
	return dom
}

// eachGraph runs a check on many random graphs.
func eachGraph(t *testing.T, n int, check func(t *testing.T, p *plain, rnd *rand.Rand)) {
	if testing.Short() {
		n /= 10
	}
	for seed := range n {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		check(t, decode(randomBytes(rnd)), rnd)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestComputeAgainstOracles(t *testing.T) {
	eachGraph(t, 3000, func(t *testing.T, p *plain, _ *rand.Rand) { checkCompute(t, p) })
}

// TestComputeOnLargerGraphs has trees deep enough for paths to be compressed
// again and again, and compares each vertex with marking without it.
func TestComputeOnLargerGraphs(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		p := &plain{synthetic: 1, sizes: make([]uint64, 600), edges: make([][]uint32, 600), ranks: make([]uint8, 1)}
		for v := uint32(1); v < 600; v++ {
			p.sizes[v] = uint64(v)
			near := v - 1 - rnd.Uint32N(min(v, 1+rnd.Uint32N(20)))
			p.edges[near] = append(p.edges[near], v)
			for range rnd.Uint32N(3) {
				if w := 1 + rnd.Uint32N(599); seed%2 == 0 || w < v { // or only backwards
					p.edges[v] = append(p.edges[v], w)
				}
			}
		}
		checkCompute(t, p)
	}
}

// TestComputeOnHeap compares a hundred vertices of a graph shaped like a heap
// with marking without them.
func TestComputeOnHeap(t *testing.T) {
	g, _ := heapLike(20_000)
	p := &plain{synthetic: g.Synthetic(), ranks: make([]uint8, g.Synthetic())}
	for v := range uint32(g.Vertices()) {
		p.sizes = append(p.sizes, g.Size(v))
		p.edges = append(p.edges, g.Targets(v))
	}
	r := p.compute(t)
	live := p.marked(nil, nil)
	rnd := rand.New(rand.NewPCG(1, 6))
	for _, top := range r.Top(20, nil) {
		checkRemoval(t, p, r, top.Vertex, live)
	}
	for range 100 {
		checkRemoval(t, p, r, rnd.Uint32N(uint32(g.Vertices())), live)
	}
}

func checkRemoval(t *testing.T, p *plain, r *Result, v uint32, live []bool) {
	t.Helper()
	var want Amount
	if live[v] {
		want = p.amount(live, p.marked(nil, []uint32{v}))
	}
	if got := r.Retained(v); got != want {
		t.Errorf("%d retains %v, want %v", v, got, want)
	}
	if got := r.WhatIf(nil, []uint32{v}).Amount; got != want {
		t.Errorf("without %d %v go free, want %v", v, got, want)
	}
}

func FuzzCompute(f *testing.F) {
	for seed := range 20 {
		f.Add(randomBytes(rand.New(rand.NewPCG(uint64(seed), 2))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		checkCompute(t, decode(data))
	})
}

// checkCompute compares dominators with the sets, and retained sizes with
// marking without the vertex.
func checkCompute(t *testing.T, p *plain) {
	r := p.compute(t)
	live := p.marked(nil, nil)
	dom := p.dominators()
	if got, want := r.Total(), p.amount(live, nil); got != want {
		t.Errorf("total is %v, want %v", got, want)
	}
	all := make([]bool, len(p.sizes))
	for v := range all {
		all[v] = true
	}
	if got, want := r.Unreachable(), p.amount(all, live); got != want {
		t.Errorf("garbage is %v, want %v", got, want)
	}
	for v := range uint32(len(p.sizes)) {
		checkVertex(t, p, r, v, live, dom[v])
	}
}

func checkVertex(t *testing.T, p *plain, r *Result, v uint32, live, dom []bool) {
	if r.Reachable(v) != live[v] {
		t.Fatalf("reachable %d is %v", v, r.Reachable(v))
	}
	var want []uint32
	for d := range uint32(len(dom)) {
		if dom[d] {
			want = append(want, d)
		}
		if got := r.Dominates(d, v); got != dom[d] {
			t.Errorf("%d dominates %d is %v", d, v, got)
		}
	}
	chain := r.Dominators(v)
	if sorted := slices.Sorted(slices.Values(chain)); !slices.Equal(sorted, want) {
		t.Errorf("dominators of %d are %v, want %v", v, chain, want)
	}
	d, ok := r.Dominator(v)
	if ok != (len(chain) > 1) || ok && d != chain[len(chain)-2] {
		t.Errorf("dominator of %d is %d, %v; all are %v", v, d, ok, chain)
	}
	var retained Amount
	var freed, children []uint32
	if live[v] {
		without := p.marked(nil, []uint32{v})
		retained = p.amount(live, without)
		for u := range uint32(len(live)) {
			if live[u] && !without[u] {
				freed = append(freed, u)
			}
			if d, ok := r.Dominator(u); ok && d == v {
				children = append(children, u)
			}
		}
		if got := r.Size(v); got != p.sizes[v] {
			t.Errorf("size of %d is %d", v, got)
		}
	}
	if got := r.Retained(v); got != retained {
		t.Errorf("%d retains %v, want %v", v, got, retained)
	}
	if got := slices.Sorted(r.Dominated(v)); !slices.Equal(got, freed) {
		t.Errorf("dominated by %d: %v, want %v", v, got, freed)
	}
	if got := slices.Sorted(r.Children(v)); !slices.Equal(got, children) {
		t.Errorf("children of %d: %v, want %v", v, got, children)
	}
	checkEdges(t, p, r, v, live)
}

// checkEdges compares targets and holders, without self loops and repetition.
func checkEdges(t *testing.T, p *plain, r *Result, v uint32, live []bool) {
	set := func(keep func(from, to uint32) (uint32, bool)) []uint32 {
		var out []uint32
		for from := range p.edges {
			for _, to := range p.edges[from] {
				if other, ok := keep(uint32(from), to); ok && live[from] && other != v {
					out = append(out, other)
				}
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	targets := set(func(from, to uint32) (uint32, bool) { return to, from == v })
	if got := slices.Compact(slices.Sorted(r.Targets(v))); !slices.Equal(got, targets) {
		t.Errorf("targets of %d: %v, want %v", v, got, targets)
	}
	holders := set(func(from, to uint32) (uint32, bool) { return from, to == v })
	if got := slices.Compact(slices.Sorted(r.Holders(v))); !slices.Equal(got, holders) {
		t.Errorf("holders of %d: %v, want %v", v, got, holders)
	}
}
