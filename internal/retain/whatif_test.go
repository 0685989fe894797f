package retain

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// checkWhatIf compares with marking anew, for edges and vertices picked by
// more bytes.
func checkWhatIf(t *testing.T, p *plain, picks []byte) {
	r := p.compute(t)
	var edges []Edge
	var vertices []uint32
	for i, b := range picks {
		v := uint32(b) % uint32(len(p.sizes))
		switch to := p.edges[v]; {
		case i%3 == 0:
			vertices = append(vertices, v)
		case len(to) > 0:
			edges = append(edges, Edge{v, to[i%len(to)]})
		default:
			edges = append(edges, Edge{v, v}) // not there
		}
	}
	live := p.marked(nil, nil)
	for _, c := range []struct {
		edges    []Edge
		vertices []uint32
	}{{edges, vertices}, {edges, nil}, {nil, vertices}} {
		kept := p.marked(c.edges, c.vertices)
		f := r.WhatIf(c.edges, c.vertices)
		if want := p.amount(live, kept); f.Amount != want {
			t.Errorf("without %v, %v: %v go free, want %v", c.edges, c.vertices, f.Amount, want)
		}
		var want []uint32
		for v := range live {
			if live[v] && !kept[v] {
				want = append(want, uint32(v))
			}
		}
		if got := slices.Sorted(f.All()); !slices.Equal(got, want) {
			t.Errorf("without %v, %v: %v go free, want %v", c.edges, c.vertices, got, want)
		}
		checkMark(t, r, r.cut(c.edges, c.vertices))
	}
}

// checkMark compares the two ways to what several removals set free.
func checkMark(t *testing.T, r *Result, c *cut) {
	if len(c.heads) == 0 {
		return
	}
	top := c.top()
	if c.gone.has(top) || !c.entered(top) {
		return
	}
	small, ok := c.try(top, len(r.vertex))
	large := c.mark(top)
	slices.Sort(small)
	slices.Sort(large)
	if !ok || !slices.Equal(small, large) {
		t.Errorf("without %v, %v: trying finds %v, marking %v", c.heads, c.edges, small, large)
	}
}

func TestWhatIfAgainstMarking(t *testing.T) {
	eachGraph(t, 5000, func(t *testing.T, p *plain, rnd *rand.Rand) {
		picks := make([]byte, rnd.IntN(6))
		for i := range picks {
			picks[i] = byte(rnd.Uint32())
		}
		checkWhatIf(t, p, picks)
	})
}

func FuzzWhatIf(f *testing.F) {
	for seed := range 20 {
		f.Add(randomBytes(rand.New(rand.NewPCG(uint64(seed), 4))), []byte{byte(seed), 3, 7, 1}[:1+seed%4])
	}
	f.Fuzz(func(t *testing.T, data, picks []byte) {
		if len(data) <= 4000 && len(picks) <= 100 {
			checkWhatIf(t, decode(data), picks)
		}
	})
}
