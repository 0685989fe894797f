package retain

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTopsAgainstSorting(t *testing.T) {
	eachGraph(t, 1000, func(t *testing.T, p *plain, rnd *rand.Rand) {
		r := p.compute(t)
		odd := func(v uint32) bool { return v%2 == 1 }
		for _, n := range []int{0, 1, 5, 100} {
			checkTop(t, r, n, nil)
			checkTop(t, r, n, odd)
		}
		kinds := make([]uint32, len(p.sizes))
		for v := range kinds {
			kinds[v] = rnd.Uint32N(4)
		}
		kind := func(v uint32) uint32 { return kinds[v] }
		checkKinds(t, r, kind)
		for v := range uint32(len(p.sizes)) {
			checkGroups(t, r, v, kind)
			checkAccumulation(t, r, v)
		}
		checkSamples(t, r)
	})
}

func checkTop(t *testing.T, r *Result, n int, keep func(uint32) bool) {
	var want []Ranked
	var drops []Drop
	for v := range uint32(r.Vertices()) {
		if !r.Reachable(v) || keep != nil && !keep(v) {
			continue
		}
		want = append(want, Ranked{v, r.Retained(v)})
		d := Drop{Vertex: v, Retained: r.Retained(v), Bytes: r.Retained(v).Bytes}
		for c := range r.Children(v) {
			if b := r.Retained(c).Bytes; d.Child == 0 || b > r.Retained(d.Child).Bytes {
				d.Child, d.Bytes = c, d.Retained.Bytes-b
			}
		}
		drops = append(drops, d)
	}
	slices.SortFunc(want, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Retained.Bytes, a.Retained.Bytes), cmp.Compare(a.Vertex, b.Vertex))
	})
	slices.SortFunc(drops, func(a, b Drop) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Vertex, b.Vertex))
	})
	if got := r.Top(n, keep); !slices.Equal(got, want[:min(n, len(want))]) {
		t.Errorf("top %d are %v, want %v", n, got, want)
	}
	if got := r.Drops(n, keep); !slices.Equal(got, drops[:min(n, len(drops))]) {
		t.Errorf("drops %d are %v, want %v", n, got, drops)
	}
}

// TestTopOfMany has more vertices than are kept while looking.
func TestTopOfMany(t *testing.T) {
	g, _ := heapLike(5000)
	r := Compute(g, Options{})
	checkTop(t, r, 20, nil)
	checkTop(t, r, 3, func(v uint32) bool { return v%3 == 0 })
}

func checkKinds(t *testing.T, r *Result, kind func(uint32) uint32) {
	want := map[uint32]KindRow{}
	for v := range uint32(r.Vertices()) {
		if !r.Reachable(v) {
			continue
		}
		k := kind(v)
		row := want[k]
		row.Kind = k
		row.Self = row.Self.Add(r.self(r.at(v)))
		outermost := true
		for _, d := range r.Dominators(v) {
			outermost = outermost && (d == v || kind(d) != k)
		}
		if outermost {
			row.Retained = row.Retained.Add(r.Retained(v))
		}
		want[k] = row
	}
	rows := r.Kinds(kind)
	for i, row := range rows {
		if row != want[row.Kind] {
			t.Errorf("kind %d is %v, want %v", row.Kind, row, want[row.Kind])
		}
		if i > 0 && row.Retained.Bytes > rows[i-1].Retained.Bytes {
			t.Errorf("rows are not in order: %v", rows)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d kinds, want %d", len(rows), len(want))
	}
}

func checkGroups(t *testing.T, r *Result, v uint32, kind func(uint32) uint32) {
	var members int
	var sum Amount
	groups := r.Groups(v, kind)
	for i, g := range groups {
		members += g.Members
		sum = sum.Add(g.Retained)
		if g.Kind == 0 && g.Members != 1 {
			t.Errorf("a group of unknown kind has %d members", g.Members)
		}
		if kind(g.Largest.Vertex) != g.Kind || g.Largest.Retained.Bytes > g.Retained.Bytes {
			t.Errorf("group %v has the largest member %v", g, g.Largest)
		}
		if i > 0 && g.Retained.Bytes > groups[i-1].Retained.Bytes {
			t.Errorf("groups are not in order: %v", groups)
		}
	}
	var want Amount
	for c := range r.Children(v) {
		members--
		want = want.Add(r.Retained(c))
	}
	if members != 0 || sum != want {
		t.Errorf("groups of %d have %d members too many, %v, want %v", v, members, sum, want)
	}
}

func checkAccumulation(t *testing.T, r *Result, v uint32) {
	at := r.Accumulation(v, 0.8)
	if !r.Reachable(v) {
		if at != v {
			t.Errorf("garbage %d accumulates in %d", v, at)
		}
		return
	}
	if !r.Dominates(v, at) {
		t.Errorf("%d accumulates in %d, which it does not dominate", v, at)
	}
	for c := range r.Children(at) {
		if float64(r.Retained(c).Bytes) >= 0.8*float64(r.Retained(at).Bytes) && r.Retained(at).Bytes > 0 {
			t.Errorf("%d accumulates in %d, but %d below keeps %v of %v", v, at, c, r.Retained(c), r.Retained(at))
		}
	}
	for d := at; d != v; {
		up, _ := r.Dominator(d)
		if float64(r.Retained(d).Bytes) < 0.8*float64(r.Retained(up).Bytes) {
			t.Errorf("%d accumulates in %d, over a drop at %d", v, at, up)
		}
		d = up
	}
}

// checkSamples wants the sum of the samples at and below a vertex to be what
// it retains, for all that are shown.
func checkSamples(t *testing.T, r *Result) {
	for _, c := range []struct {
		share float64
		depth int
	}{{0, 100}, {0.1, 100}, {0.1, 2}, {0, 1}, {0, 0}} {
		cum := map[uint32]Amount{}
		r.Samples(c.share, c.depth, func(stack []uint32, a Amount) {
			for i, v := range stack {
				cum[v] = cum[v].Add(a)
				up, _ := r.Dominator(v)
				if i+1 < len(stack) && up != stack[i+1] || i+1 == len(stack) && up != 0 {
					t.Errorf("stack %v is no path of dominators", stack)
				}
			}
			cum[0] = cum[0].Add(a)
		})
		for v := range uint32(r.Vertices()) {
			a := r.Retained(v)
			shown := r.Reachable(v) && float64(a.Bytes) >= c.share*float64(r.Total().Bytes) && len(r.Dominators(v))-1 <= c.depth
			if shown && cum[v] != a || !shown && cum[v] != (Amount{}) {
				t.Errorf("samples %v: %d has %v, retains %v", c, v, cum[v], a)
			}
		}
	}
}
