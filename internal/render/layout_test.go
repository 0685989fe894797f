package render

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomGraph makes a graph like a call graph: mostly downward edges, some cycles, loops and doubles, boxes of many sizes.
func randomGraph(seed uint64, n, m int) Graph {
	r := rand.New(rand.NewPCG(seed, 7))
	g := Graph{Title: "random", Legend: []string{"one", "two"}}
	for i := range n {
		size := TextSize(r.Float64() * r.Float64())
		g.Nodes = append(g.Nodes, Node{Category: Category(r.IntN(int(categoryCount))), Heat: r.Float64(), Pill: r.IntN(9) == 0, Lines: []Line{
			{Text: fmt.Sprintf("pkg%d/sub.(*Type%d).%s", i%7, i, strings.Repeat("Method", 1+r.IntN(5))), Size: size, Bold: true, Wrap: 1 + r.IntN(3)},
			{Text: fmt.Sprintf("%d ms (%d%%)", r.IntN(9000), r.IntN(100)), Muted: true}}})
	}
	for range m {
		a, b := r.IntN(n), r.IntN(n)
		if r.IntN(8) != 0 && a > b {
			a, b = b, a
		}
		g.Edges = append(g.Edges, Edge{From: a, To: b, Weight: r.Float64() * r.Float64(), Label: fmt.Sprintf("%d ms", r.IntN(999)), Dashed: r.IntN(3) == 0, Dotted: r.IntN(6) == 0})
	}
	return g
}

// checkDrawing tests what must hold for every drawing of a graph.
func checkDrawing(t *testing.T, g Graph, d *Drawing) {
	t.Helper()
	if d.Width > 1e7 || d.Height > 1e7 || math.IsNaN(d.Width) || math.IsNaN(d.Height) {
		t.Fatalf("size %v x %v", d.Width, d.Height)
	}
	page := Rect{-0.01, -0.01, d.Width + 0.02, d.Height + 0.02}
	for i, a := range d.Nodes {
		if a.X < page.X || a.Y < page.Y || a.X+a.W > page.W || a.Y+a.H > page.H {
			t.Errorf("node %d at %v lies outside the page %v x %v", i, a, d.Width, d.Height)
		}
		for j := range i {
			if a.overlaps(d.Nodes[j], -0.01) {
				t.Errorf("nodes %d and %d overlap: %v, %v", i, j, a, d.Nodes[j])
			}
		}
	}
	for i, e := range g.Edges {
		if e.From < 0 || e.To < 0 || e.From >= len(g.Nodes) || e.To >= len(g.Nodes) || len(d.Edges[i].Path) == 0 {
			continue
		}
		checkEdge(t, d, e, i)
	}
	checkLabels(t, d)
	checkText(t, d)
}

// checkEdge tests that an edge ends on its boxes, goes the right way and cuts no other box.
func checkEdge(t *testing.T, d *Drawing, e Edge, i int) {
	t.Helper()
	from, to, r := d.Nodes[e.From], d.Nodes[e.To], d.Edges[i]
	if !onBorder(from, r.Start) || !onBorder(to, r.End) {
		t.Errorf("edge %d ends at %v and %v, not on the borders of %v and %v", i, r.Start, r.End, from, to)
	}
	if e.From != e.To {
		if down := from.Y+from.H < to.Y; down == r.Reversed {
			t.Errorf("edge %d: goes down %v, reversed %v", i, down, r.Reversed)
		}
	}
	walkPath(r.Path, 7, func(p Point) {
		for j, b := range d.Nodes {
			if j != e.From && j != e.To && p.X > b.X+0.5 && p.X < b.X+b.W-0.5 && p.Y > b.Y+0.5 && p.Y < b.Y+b.H-0.5 {
				t.Errorf("edge %d cuts node %d at %v", i, j, p)
			}
		}
	})
}

func onBorder(r Rect, p Point) bool {
	const e = 0.02
	in := p.X > r.X-e && p.X < r.X+r.W+e && p.Y > r.Y-e && p.Y < r.Y+r.H+e
	edge := math.Abs(p.X-r.X) < e || math.Abs(p.X-r.X-r.W) < e || math.Abs(p.Y-r.Y) < e || math.Abs(p.Y-r.Y-r.H) < e
	return in && edge
}

func checkLabels(t *testing.T, d *Drawing) {
	t.Helper()
	var labels []Rect
	for _, it := range d.Items {
		if it.Kind == ItemLabel {
			labels = append(labels, it.Shapes[0].Rect)
		}
	}
	for i, a := range labels {
		for j := range i {
			if a.overlaps(labels[j], 0) {
				t.Errorf("labels overlap: %v, %v", a, labels[j])
			}
		}
		for j, b := range d.Nodes {
			if a.overlaps(b, 0) {
				t.Errorf("label %v lies on node %d %v", a, j, b)
			}
		}
	}
}

func checkText(t *testing.T, d *Drawing) {
	t.Helper()
	m := newMeasurer()
	for _, it := range d.Items {
		for _, sh := range it.Shapes {
			if sh.Kind != ShapeText {
				continue
			}
			if sh.Size < MinTextSize {
				t.Errorf("text %q has size %v", sh.Text, sh.Size)
			}
			if box := it.Shapes[0]; it.Kind == ItemNode || it.Kind == ItemFrame {
				if right := sh.Rect.X + m.width(sh.Text, sh.Font, sh.Size); right > box.Rect.X+box.Rect.W+0.01 {
					t.Errorf("text %q ends at %v, its box at %v", sh.Text, right, box.Rect.X+box.Rect.W)
				}
			}
		}
	}
}

func TestLayoutProperties(t *testing.T) {
	g := callGraph(1, 120, 260)
	checkDrawing(t, g, Layout(g, Options{}))
	for _, c := range []struct{ n, m, seeds int }{{2, 3, 20}, {6, 8, 30}, {20, 30, 20}, {60, 110, 8}, {150, 200, 2}, {40, 300, 2}} {
		for seed := range uint64(c.seeds) {
			t.Run(fmt.Sprintf("%d-%d-%d", c.n, c.m, seed), func(t *testing.T) {
				g := randomGraph(seed, c.n, c.m)
				checkDrawing(t, g, Layout(g, Options{}))
			})
		}
	}
}

func TestLayoutDeterministic(t *testing.T) {
	g := randomGraph(3, 80, 150)
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := WriteSVG(w, Layout(g, Options{}), SVGOptions{Interactive: true}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two runs gave different bytes")
	}
}

func TestLayoutOddInput(t *testing.T) {
	long := strings.Repeat("github.com/some/module/internal/package.(*VeryLongTypeName[...]).Method", 400)
	line := func(s string) []Line { return []Line{{Text: s, Wrap: 3}} }
	cases := map[string]Graph{
		"empty":       {},
		"title only":  {Title: "nothing"},
		"one node":    {Nodes: []Node{{Lines: line("main.main")}}},
		"no lines":    {Nodes: []Node{{}, {}}, Edges: []Edge{{From: 0, To: 1}}},
		"empty names": {Nodes: []Node{{Lines: line("")}, {Lines: line("")}}, Edges: []Edge{{From: 0, To: 1}}},
		"self loops":  {Nodes: []Node{{Lines: line("a")}, {Lines: line("b")}}, Edges: []Edge{{From: 0, To: 0, Label: "x"}, {From: 0, To: 0, Label: "y"}, {From: 1, To: 1}, {From: 0, To: 1}}},
		"doubles":     {Nodes: []Node{{Lines: line("a")}, {Lines: line("b")}}, Edges: []Edge{{From: 0, To: 1, Label: "1"}, {From: 0, To: 1, Label: "2"}, {From: 1, To: 0, Label: "3"}}},
		"weights": {Nodes: []Node{{Lines: line("a"), Heat: math.NaN()}, {Lines: line("b"), Heat: math.Inf(1)}, {Lines: line("c"), Heat: -3}},
			Edges: []Edge{{From: 0, To: 1, Weight: math.NaN()}, {From: 1, To: 2, Weight: math.Inf(1)}, {From: 0, To: 2, Weight: -7}}},
		"bad ends": {Nodes: []Node{{Lines: line("a")}}, Edges: []Edge{{From: 0, To: 9}, {From: -1, To: 0}}},
		"names":    {Nodes: []Node{{Lines: line(long)}, {Lines: line("bad \xff\xfe utf8 \x00\x1b[31m")}, {Lines: line("日本語.関数 👍 \u202egnp.exe")}}, Edges: []Edge{{From: 0, To: 1, Label: long}, {From: 1, To: 2}}},
		"sizes":    {Nodes: []Node{{Lines: []Line{{Text: "tiny", Size: 1}}}, {Lines: []Line{{Text: "huge", Size: 1e9}}}, {Lines: []Line{{Text: "odd", Size: math.NaN()}}}}},
	}
	for name, g := range cases {
		t.Run(name, func(t *testing.T) {
			d := Layout(g, Options{NodeGap: math.NaN(), Aspect: math.Inf(1)})
			checkDrawing(t, g, d)
			if name == "bad ends" && len(d.Warnings) != 2 {
				t.Errorf("warnings %v, want 2", d.Warnings)
			}
			writeAll(t, d)
		})
	}
}

func TestLayoutWrapsIsolatedNodes(t *testing.T) {
	g := randomGraph(1, 200, 0)
	d := Layout(g, Options{})
	checkDrawing(t, g, d)
	if d.Width > 4*d.Height || d.Height > 4*d.Width {
		t.Errorf("200 isolated nodes take %v x %v", d.Width, d.Height)
	}
}

func TestLayoutNarrowsFans(t *testing.T) {
	g := randomGraph(1, 121, 0)
	for i := range 120 {
		g.Edges = append(g.Edges, Edge{From: 0, To: i + 1, Weight: float64(i) / 120})
	}
	d := Layout(g, Options{})
	checkDrawing(t, g, d)
	if d.Width > 6500 {
		t.Errorf("a fan of 120 leaves is %v px wide and %v high", d.Width, d.Height)
	}
}

// TestSpineIsStraight guards that the heaviest path of a graph stands on one vertical line.
func TestSpineIsStraight(t *testing.T) {
	g := randomGraph(5, 60, 90)
	for i := range g.Edges {
		g.Edges[i].Weight *= 0.1
	}
	for i := range 8 {
		g.Edges = append(g.Edges, Edge{From: i, To: i + 1, Weight: 1 - float64(i)*0.05})
	}
	d := Layout(g, Options{})
	checkDrawing(t, g, d)
	bends := 0
	for _, r := range d.Edges[len(g.Edges)-8:] {
		if math.Abs(r.Start.X-r.End.X) > 0.5 {
			bends++
		}
	}
	if bends > 1 {
		t.Errorf("%d of 8 edges on the heaviest path are not vertical", bends)
	}
}

func TestLayoutHuge(t *testing.T) {
	if testing.Short() {
		t.Skip("5,000 nodes")
	}
	g := randomGraph(9, 5000, 20_000)
	d := Layout(g, Options{})
	t.Logf("%.0f x %.0f px, %d crossings, %d labels without room", d.Width, d.Height, d.Crossings, d.HiddenLabels)
	slices.SortFunc(d.Nodes, func(a, b Rect) int { return int(a.Y - b.Y) })
	for i, a := range d.Nodes { // only boxes at about the same height can overlap
		for _, b := range d.Nodes[i+1:] {
			if b.Y > a.Y+a.H+1 {
				break
			}
			if a.overlaps(b, -0.01) {
				t.Fatalf("nodes overlap: %v, %v", a, b)
			}
		}
	}
}

// TestLongChain guards the bound on dummies: a path of 3,000 nodes with long shortcuts would need millions of them.
func TestLongChain(t *testing.T) {
	g := randomGraph(9, 3000, 0)
	for i := range g.Nodes[1:] {
		g.Edges = append(g.Edges, Edge{From: i, To: i + 1, Weight: 1}, Edge{From: i / 9, To: i + 1})
	}
	d := Layout(g, Options{HideLabels: true})
	if len(d.Warnings) == 0 {
		t.Error("no warning about edges left out")
	}
}

// TestCrossings guards the quality of the ordering: these counts may fall, not rise.
func TestCrossings(t *testing.T) {
	for _, c := range []struct {
		seed uint64
		n, m int
		most int
	}{{1, 30, 40, 21}, {2, 60, 100, 160}, {3, 100, 160, 560}} {
		if got := Layout(randomGraph(c.seed, c.n, c.m), Options{}).Crossings; got > c.most {
			t.Errorf("seed %d: %d crossings, want at most %d", c.seed, got, c.most)
		} else {
			t.Logf("seed %d: %d crossings", c.seed, got)
		}
	}
}

// callGraph makes a graph shaped like a profile's: a tree of near callers, some second callers, and a few leaves that many
// functions call (an allocator, a copy). randomGraph is harder than any profile: its edges are as long as they can be.
func callGraph(seed uint64, n, m int) Graph {
	g := randomGraph(seed, n, 0)
	r := rand.New(rand.NewPCG(seed, 8))
	add := func(a, b int) {
		g.Edges = append(g.Edges, Edge{From: a, To: b, Weight: 1 / float64(1+b), Label: fmt.Sprintf("%d ms", r.IntN(999))})
	}
	for i := 1; i < n; i++ {
		add(max(0, i-1-r.IntN(min(i, 14))), i)
	}
	for len(g.Edges) < m {
		a := r.IntN(n - 1)
		if r.IntN(3) == 0 {
			add(a, n-1-r.IntN(min(6, n-1-a)))
		} else {
			add(a, min(a+1+r.IntN(25), n-1))
		}
	}
	return g
}

func BenchmarkLayout(b *testing.B) {
	for _, c := range []struct{ n, m int }{{80, 150}, {200, 364}, {500, 1200}, {1000, 1967}} {
		g := callGraph(4, c.n, c.m)
		b.Run(fmt.Sprintf("%d-%d", c.n, c.m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Layout(g, Options{})
			}
		})
	}
}
