package render

import (
	"math"
	"math/rand/v2"
	"testing"
)

// buildComponent runs the phases up to the order of the layers.
func buildComponent(t *testing.T, g Graph) *component {
	t.Helper()
	plain, _, _ := cleanEdges(g)
	c := components(g, plain)[0]
	c.breakCycles()
	c.assignLayers(make([]float64, len(c.nodes)), Options{}.withDefaults())
	size := make([]float64, len(c.nodes))
	c.expand(size, size, lineWidth)
	return c
}

// TestCrossingCount compares the Fenwick tree with counting all pairs of links.
func TestCrossingCount(t *testing.T) {
	for seed := range uint64(30) {
		c := buildComponent(t, randomGraph(seed, 14, 26))
		o := &orderer{component: c, tree: make([]int32, len(c.layer)+2)}
		type link struct{ k, a, b int32 }
		var links []link
		for v := range int32(len(c.layer)) {
			for _, u := range c.down.of(v) {
				links = append(links, link{c.layer[v], c.pos[v], c.pos[u]})
			}
		}
		want := 0
		for i, x := range links {
			for _, y := range links[:i] {
				if x.k == y.k && (x.a < y.a && x.b > y.b || x.a > y.a && x.b < y.b) {
					want++
				}
			}
		}
		if got := o.countAll(); got != want {
			t.Errorf("seed %d: counted %d crossings, want %d", seed, got, want)
		}
	}
}

// TestSimplexIsOptimal compares the layers of tiny graphs with the best of all possible ones.
func TestSimplexIsOptimal(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 3 + r.IntN(3)
		var arcs []arc
		for b := 1; b < n; b++ { // connected and acyclic
			arcs = append(arcs, arc{tail: int32(r.IntN(b)), head: int32(b), weight: r.Float64()})
		}
		for range r.IntN(5) {
			a := r.IntN(n - 1)
			arcs = append(arcs, arc{tail: int32(a), head: int32(a + 1 + r.IntN(n-a-1)), weight: r.Float64()})
		}
		k := newRanker(n, arcs)
		k.run()
		cost := func(rank []int32) int64 {
			sum := int64(0)
			for i, a := range arcs {
				span := rank[a.head] - rank[a.tail]
				if span < 1 {
					return math.MaxInt64
				}
				sum += int64(span) * k.weight[i]
			}
			return sum
		}
		best := int64(math.MaxInt64)
		rank := make([]int32, n)
		for code := range int(math.Pow(float64(n), float64(n))) {
			for v := range rank {
				rank[v] = int32(code % n)
				code /= n
			}
			best = min(best, cost(rank))
		}
		if got := cost(k.rank); got != best {
			t.Errorf("seed %d: cost %d, best is %d (ranks %v)", seed, got, best, k.rank)
		}
	}
}

// TestHeaviestChain compares the alignment choice with trying all subsets.
func TestHeaviestChain(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		const width = 6
		p := &positioner{component: &component{}}
		for i := range 2 * width { // vertices 0..5 above, 6..11 below
			p.pos = append(p.pos, int32(i%width))
		}
		var list []alignment
		for range 1 + r.IntN(8) {
			list = append(list, alignment{int32(r.IntN(width)), int32(width + r.IntN(width)), float64(1 + r.IntN(9))})
		}
		want := 0.0
		for set := range 1 << len(list) {
			sum, ok := 0.0, true
			for i, a := range list {
				if set>>i&1 == 0 {
					continue
				}
				sum += a.weight
				for j, b := range list[:i] {
					if set>>j&1 == 1 && (p.pos[a.up]-p.pos[b.up])*(p.pos[a.down]-p.pos[b.down]) <= 0 {
						ok = false
					}
				}
			}
			if ok {
				want = max(want, sum)
			}
		}
		got := 0.0
		for _, a := range p.heaviestChain(list, width) {
			got += a.weight
		}
		if got != want {
			t.Errorf("seed %d: weight %v, want %v", seed, got, want)
		}
	}
}
