package retain

import (
	"slices"
	"strings"
	"testing"
)

func TestFromCSRRefusesWhatIsNoGraph(t *testing.T) {
	size := func(n int) []uint32 { return make([]uint32, n) }
	for _, c := range []struct {
		name                    string
		synthetic               int
		sizes, offsets, targets []uint32
		want                    string
	}{
		{"nothing", 1, nil, size(1), nil, "no vertices"},
		{"no root", 0, size(2), size(3), nil, "0 synthetic vertices of 2"},
		{"too many roots", 3, size(2), size(3), nil, "3 synthetic vertices of 2"},
		{"offsets short", 1, size(2), size(2), nil, "2 offsets for 2 vertices"},
		{"edges over", 1, size(2), []uint32{0, 1, 1}, []uint32{1, 1}, "must go from 0 to 2"},
		{"offsets fall", 1, size(3), []uint32{0, 2, 1, 2}, []uint32{1, 2}, "vertex 1: offsets fall from 2 to 1"},
		{"target too large", 1, size(2), []uint32{0, 1, 1}, []uint32{2}, "edge 0 points to vertex 2 of 2"},
		{"object to root", 2, size(3), []uint32{0, 1, 2, 3}, []uint32{1, 2, 1}, "edge 2 leads from an object to the synthetic vertex 1"},
	} {
		_, err := FromCSR(c.synthetic, c.sizes, c.offsets, c.targets)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFromCSR(t *testing.T) {
	g, err := FromCSR(1, []uint32{0, 8, 16}, []uint32{0, 2, 3, 3}, []uint32{1, 2, 2})
	if err != nil {
		t.Fatal(err)
	}
	if g.Vertices() != 3 || g.Edges() != 3 || g.Synthetic() != 1 || !slices.Equal(g.Targets(0), []uint32{1, 2}) {
		t.Errorf("graph is %+v", g)
	}
	g.sizes[2] = 1<<32 - 1 // the mark for large sizes is a size as well
	if g.Size(2) != 1<<32-1 {
		t.Errorf("size is %d", g.Size(2))
	}
	g.SetSize(2, 16)
	r := Compute(g, Options{})
	if got, want := r.Total(), (Amount{24, 2}); got != want {
		t.Errorf("total is %v, want %v", got, want)
	}
	if r.Vertices() != 3 || r.Edges() != 3 {
		t.Errorf("%d vertices, %d edges", r.Vertices(), r.Edges())
	}
}

// TestLargeSizes has sizes that do not fit into 32 bits, in reachable and
// unreachable objects and in more than one builder.
func TestLargeSizes(t *testing.T) {
	var a, b Builder
	a.Vertex(0)
	a.Edge(1)
	a.Vertex(5 << 30)
	a.Edge(3)
	b.Vertex(1 << 40) // garbage
	b.Vertex(1<<32 - 1)
	if a.Vertices() != 2 {
		t.Errorf("%d vertices", a.Vertices())
	}
	g, err := Join(1, &a, &b)
	if err != nil {
		t.Fatal(err)
	}
	if g.Size(1) != 5<<30 || g.Size(2) != 1<<40 || g.Size(3) != 1<<32-1 {
		t.Errorf("sizes are %d, %d, %d", g.Size(1), g.Size(2), g.Size(3))
	}
	g.SetSize(3, 6<<30)
	g.SetSize(0, 7)
	r := Compute(g, Options{})
	if r.Size(0) != 7 || r.Size(1) != 5<<30 || r.Size(3) != 6<<30 || r.Unreachable() != (Amount{1 << 40, 1}) {
		t.Errorf("sizes are %d, %d, %d; garbage %v", r.Size(0), r.Size(1), r.Size(3), r.Unreachable())
	}
	if got, want := r.Retained(1), (Amount{11 << 30, 2}); got != want {
		t.Errorf("retains %v, want %v", got, want)
	}
	if f := r.WhatIf([]Edge{{1, 3}}, nil); f.Amount != (Amount{6 << 30, 1}) {
		t.Errorf("frees %v", f.Amount)
	}
}

func TestBuilderIsEmptyAfterwards(t *testing.T) {
	var a, b Builder
	a.Vertex(0)
	b.Vertex(8)
	if _, err := Join(1, &a, &b); err != nil {
		t.Fatal(err)
	}
	if a.Vertices() != 0 || b.Vertices() != 0 {
		t.Error("builders kept their vertices")
	}
	if _, err := Join(1, &a); err == nil {
		t.Error("an empty builder made a graph")
	}
}
