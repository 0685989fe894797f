package render

import (
	"fmt"
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/textart"
)

const (
	pageMargin = 20.0
	boxPadX    = 10.0
	boxPadY    = 6.0
	stripe     = 4.0 // width of the category edge of a box
	labelSize  = MinTextSize
)

// Layout places a graph as layers from callers on top to callees at the bottom and returns the finished picture. It is
// deterministic and bounded: at thousands of nodes it spends fewer sweeps instead of more time. Edges with a bad end are
// reported in Drawing.Warnings, and so are edges dropped because a huge graph would need too many bends.
func Layout(g Graph, o Options) *Drawing {
	l := &layouter{g: g, o: o.withDefaults(), m: newMeasurer()}
	plain, loops, warnings := cleanEdges(g)
	l.d = &Drawing{Title: textart.Clean(g.Title), Warnings: warnings, Nodes: make([]Rect, len(g.Nodes)), Edges: make([]Route, len(g.Edges))}
	l.measureNodes(loops)
	parts := components(g, plain)
	for _, c := range parts {
		l.layoutComponent(c)
	}
	l.pack(parts)
	l.place(parts)
	l.placeLoops(loops)
	l.emit()
	return l.d
}

// layouter holds what the steps of one Layout share.
type layouter struct {
	g Graph
	o Options
	m measurer
	d *Drawing

	boxes []textBox
	reach []float64 // room right of each node for its self loops
	at    []Point   // place of each component, in the order of pack
	top   float64   // height of the head (title, legend)
	head  Rect      // kept free of labels
}

// textBox is the measured text of a node.
type textBox struct {
	w, h  float64
	lines []textLine
}

// textLine is one printed line: y is the baseline below the top of the box.
type textLine struct {
	text  string
	y     float64
	size  float64
	font  Font
	muted bool
}

// measureNodes breaks and measures the text of every node.
func (l *layouter) measureNodes(loops []int) {
	l.boxes = make([]textBox, len(l.g.Nodes))
	l.reach = make([]float64, len(l.g.Nodes))
	for i, n := range l.g.Nodes {
		l.boxes[i] = l.measureNode(n)
	}
	nth := make(map[int]int)
	for _, e := range loops {
		v := l.g.Edges[e].From
		r := loopReach(nth[v])
		nth[v]++
		if lab := l.g.Edges[e].Label; lab != "" && !l.o.HideLabels {
			r += l.m.width(textart.Clean(lab), FontSans, labelSize) + 6
		}
		l.reach[v] = max(l.reach[v], r)
	}
}

func (l *layouter) measureNode(n Node) textBox {
	var b textBox
	pad := boxPadX
	y := boxPadY
	for _, line := range n.Lines {
		size := line.Size
		if !(size > 0) || math.IsInf(size, 0) {
			size = 12
		}
		size = min(max(size, MinTextSize), 96)
		font := FontSans
		if line.Bold {
			font = FontBold
		}
		limit := l.o.MaxTextWidth * max(1, size/14)
		for _, s := range l.m.wrap(textart.Clean(line.Text), font, size, limit, max(line.Wrap, 1)) {
			b.w = max(b.w, l.m.width(s, font, size))
			b.lines = append(b.lines, textLine{s, y + size*0.98, size, font, line.Muted})
			y += size * 1.28
		}
	}
	b.w = math.Ceil(max(b.w, 12) + 2*pad)
	if n.Category != CategoryNone && !n.Pill {
		b.w += stripe
	}
	b.h = math.Ceil(max(y+boxPadY-1, 20))
	return b
}

// layoutComponent runs the phases of the layered layout on one component.
func (l *layouter) layoutComponent(c *component) {
	n := len(c.nodes)
	left, right, heights := make([]float64, n), make([]float64, n), make([]float64, n)
	widths := make([]float64, n)
	for i, v := range c.nodes {
		left[i], right[i] = l.boxes[v].w/2, l.boxes[v].w/2+l.reach[v]
		widths[i], heights[i] = l.boxes[v].w+l.reach[v], l.boxes[v].h
	}
	c.breakCycles()
	c.assignLayers(widths, l.o)
	c.expand(left, right, lineWidth)
	c.reduceCrossings()
	c.assignX(l.o.NodeGap)
	c.assignY(heights, l.o.LayerGap)
	c.route(heights, l.d.Edges)
	l.d.Crossings += c.crossings
	if len(c.hidden) > 0 {
		l.d.Warnings = append(l.d.Warnings, fmt.Errorf("lay out graph: %d long edges left out: routing them needs over %d bends", len(c.hidden), maxDummies))
	}
}

// pack places the components on a skyline no wider than the widest component or the wanted aspect asks for.
func (l *layouter) pack(parts []*component) {
	area, widest := 0.0, 0.0
	gap := l.o.NodeGap * 1.5
	for _, c := range parts {
		area += (c.width + gap) * (c.height + gap)
		widest = max(widest, c.width)
	}
	sky := skyline{limit: max(widest, math.Sqrt(area*l.o.Aspect))}
	l.at = make([]Point, len(parts))
	for i, c := range parts {
		l.at[i] = sky.add(c.width, c.height, gap)
	}
	l.d.Width, l.d.Height = sky.width, sky.height
}

// skyline packs rectangles from the top: each goes where it ends up highest, leftmost among equals.
type skyline struct {
	limit, width, height float64
	steps                []skyStep // from left to right
}

// skyStep is a stretch of the skyline: from x to the next step everything above y is taken.
type skyStep struct{ x, y float64 }

// add returns the place of a w x h rectangle, with gap px kept free right of it and below it.
func (s *skyline) add(w, h, gap float64) Point {
	if len(s.steps) == 0 {
		s.steps = []skyStep{{0, 0}}
	}
	best, at := math.Inf(1), 0
	for i, st := range s.steps {
		if st.x+w > s.limit+0.001 && i > 0 {
			break
		}
		y := 0.0
		for j := i; j < len(s.steps) && s.steps[j].x < st.x+w+gap; j++ {
			y = max(y, s.steps[j].y)
		}
		if y < best {
			best, at = y, i
		}
	}
	p := Point{s.steps[at].x, best}
	end := p.X + w + gap
	last := at
	for last+1 < len(s.steps) && s.steps[last+1].x <= end {
		last++
	}
	rest := skyStep{end, s.steps[last].y}
	s.steps = slices.Replace(s.steps, at, last+1, skyStep{p.X, p.Y + h + gap}, rest)
	s.width, s.height = max(s.width, p.X+w), max(s.height, p.Y+h)
	return p
}

// place moves the components to their places under the head and fills Drawing.Nodes and Drawing.Edges.
func (l *layouter) place(parts []*component) {
	head := l.headSize()
	graphW, graphH := l.d.Width, l.d.Height
	l.top = head.H
	if head.H > 0 && graphH > 0 {
		l.top += 18
	}
	l.head = Rect{0, 0, math.Inf(1), l.top + pageMargin - 8}
	dx := pageMargin + max(0, (head.W-graphW)/2)
	for i, c := range parts {
		at := Point{l.at[i].X + dx, l.at[i].Y + pageMargin + l.top}
		for j, v := range c.nodes {
			b := l.boxes[v]
			k := c.rank[j]
			l.d.Nodes[v] = Rect{at.X + c.x[j] - b.w/2, at.Y + c.layerY[k] + (c.layerH[k]-b.h)/2, b.w, b.h}
		}
		for _, a := range c.arcs {
			l.d.Edges[a.edge].translate(at.X, at.Y)
		}
	}
	lift := l.lift(head)
	l.d.Width = math.Ceil(max(graphW, head.W) + 2*pageMargin)
	l.d.Height = math.Ceil(max(graphH+l.top-lift, head.H) + 2*pageMargin)
}

// lift moves the graph up beside the head as far as nothing comes to lie on it, and returns by how much.
func (l *layouter) lift(head Rect) float64 {
	const gap = 24.0
	right, bottom := pageMargin+head.W+gap, pageMargin+head.H+gap
	up := l.top
	for _, r := range l.d.Nodes {
		if r.X < right {
			up = min(up, r.Y-bottom)
		}
	}
	for _, r := range l.d.Edges {
		walkPath(r.Path, 12, func(p Point) {
			if p.X < right {
				up = min(up, p.Y-bottom)
			}
		})
	}
	if up <= 0 || len(l.d.Nodes) == 0 {
		return 0
	}
	for i := range l.d.Nodes {
		l.d.Nodes[i].Y -= up
	}
	for i := range l.d.Edges {
		l.d.Edges[i].translate(0, -up)
	}
	l.head = Rect{0, 0, right, bottom - gap/2}
	return up
}

// placeLoops routes the self loops, which need the final places of the boxes.
func (l *layouter) placeLoops(loops []int) {
	nth := make(map[int]int)
	for _, e := range loops {
		v := l.g.Edges[e].From
		l.d.Edges[e] = loopRoute(l.d.Nodes[v], nth[v], lineWidth(l.g.Edges[e].Weight))
		nth[v]++
	}
}
