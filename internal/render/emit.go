package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/profoundhq/profound/internal/textart"
)

const (
	titleSize  = 16.0
	legendSize = 12.0
)

// headSize returns the size of title, legend and category key; the zero Rect when there is nothing to say.
func (l *layouter) headSize() Rect {
	var r Rect
	if l.d.Title != "" {
		r.W = l.m.width(l.d.Title, FontBold, titleSize)
		r.H += titleSize * 1.5
	}
	for _, s := range l.g.Legend {
		r.W = max(r.W, l.m.width(textart.Clean(s), FontSans, legendSize))
		r.H += legendSize * 1.45
	}
	if cats := l.categories(); len(cats) > 0 {
		r.W = max(r.W, keyWidth(l.m, cats))
		r.H += 24
	}
	return r
}

// categories lists the categories in use, in the order of the constants.
func (l *layouter) categories() []Category {
	var used [categoryCount]bool
	for _, n := range l.g.Nodes {
		if n.Category > CategoryNone && n.Category < categoryCount {
			used[n.Category] = true
		}
	}
	var out []Category
	for c, ok := range used {
		if ok {
			out = append(out, Category(c))
		}
	}
	return out
}

// keyWidth returns the width of a row of category swatches.
func keyWidth(m measurer, cats []Category) float64 {
	w := 0.0
	for _, c := range cats {
		w += 16 + m.width(c.String(), FontSans, legendSize) + 16
	}
	return w
}

// keyShapes draws a row of category swatches with their words; y is the baseline.
func keyShapes(m measurer, cats []Category, x, y float64) []Shape {
	var out []Shape
	for _, c := range cats {
		out = append(out, rectShape(Rect{x, y - 10, 11, 11}, 2.5, c.Paint(), Paint{}, 0),
			textShape(x+16, y, c.String(), legendSize, FontSans, paintText2()))
		x += 16 + m.width(c.String(), FontSans, legendSize) + 16
	}
	return out
}

// emit writes the display list: edges, boxes, labels, head.
func (l *layouter) emit() {
	l.emitEdges()
	for i := range l.g.Nodes {
		l.emitNode(i)
	}
	if !l.o.HideLabels {
		l.emitLabels()
	}
	l.emitHead()
}

// edgePaint returns the colour of an edge.
func edgePaint(e Edge) Paint {
	if e.Color.visible() {
		return e.Color
	}
	return paintEdge().mix(paintHeat(), math.Pow(clamp01(e.Weight), 0.6))
}

// emitEdges draws the lines, the lightest first so that the heavy path lies on top.
func (l *layouter) emitEdges() {
	order := make([]int, 0, len(l.g.Edges))
	for i := range l.g.Edges {
		if len(l.d.Edges[i].Path) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(clamp01(l.g.Edges[a].Weight), clamp01(l.g.Edges[b].Weight))
	})
	for _, i := range order {
		e, r := l.g.Edges[i], l.d.Edges[i]
		w, paint := lineWidth(e.Weight), edgePaint(e)
		line := pathShape(r.Path, Paint{}, paint, w)
		switch {
		case e.Dotted:
			line.Dash = [2]float64{w + 0.4, w + 2.6}
		case e.Dashed:
			line.Dash = [2]float64{5 + w, 3 + w}
		}
		head := pathShape(arrowHead(r, w), paint, Paint{}, 0)
		l.d.Items = append(l.d.Items, Item{Kind: ItemEdge, Ref: i, From: e.From, To: e.To, ID: "e" + strconv.Itoa(i),
			Tooltip: cleanLines(e.Tooltip), Shapes: []Shape{line, head}})
	}
}

// arrowHead returns the triangle from the end of the route's path to the border of the box.
func arrowHead(r Route, width float64) []Segment {
	_, half := arrow(width)
	last := r.Path[len(r.Path)-1]
	base := last.P[0]
	if last.Op == CubicTo {
		base = last.P[2]
	}
	dx, dy := r.End.X-base.X, r.End.Y-base.Y
	long := math.Hypot(dx, dy)
	if long == 0 {
		long = 1
	}
	nx, ny := -dy/long*half, dx/long*half
	at := func(op SegmentOp, x, y float64) Segment { return Segment{Op: op, P: [3]Point{{x, y}}} }
	return []Segment{at(MoveTo, r.End.X, r.End.Y), at(LineTo, base.X+nx, base.Y+ny), at(LineTo, base.X-nx, base.Y-ny), {Op: ClosePath}}
}

// emitNode draws a box and its text.
func (l *layouter) emitNode(i int) {
	n, r, b := l.g.Nodes[i], l.d.Nodes[i], l.boxes[i]
	fill, stroke := HeatTint(n.Heat)
	if n.Fill.visible() {
		fill = n.Fill
	}
	if n.Stroke.visible() {
		stroke = n.Stroke
	}
	radius := 5.0
	if n.Pill {
		radius = min(r.H/2, 10)
	}
	shapes := []Shape{rectShape(r, radius, fill, stroke, 1.2)}
	textX := r.X + boxPadX
	if n.Category != CategoryNone && !n.Pill {
		shapes = append(shapes, rectShape(Rect{r.X + 2.5, r.Y + 3, stripe, r.H - 6}, 2, n.Category.Paint(), Paint{}, 0))
		textX += stripe
	}
	for _, t := range b.lines {
		paint := paintText1()
		if t.muted {
			paint = paintText2()
		}
		if t.text != "" {
			shapes = append(shapes, textShape(textX, r.Y+t.y, t.text, t.size, t.font, paint))
		}
	}
	id := textart.Clean(n.ID)
	if id == "" {
		id = "n" + strconv.Itoa(i)
	}
	l.d.Items = append(l.d.Items, Item{Kind: ItemNode, Ref: i, ID: id, Tooltip: cleanLines(n.Tooltip), Shapes: shapes})
}

// emitLabels places the edge labels, those of heavy edges first.
func (l *layouter) emitLabels() {
	var order []int
	for i, e := range l.g.Edges {
		if e.Label != "" && len(l.d.Edges[i].Path) > 0 {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		return
	}
	lab := newLabeler(l.d.Width, l.d.Height)
	if lab == nil {
		l.d.HiddenLabels = len(order)
		return
	}
	for _, r := range l.d.Nodes {
		lab.block(Rect{r.X - 2, r.Y - 1, r.W + 4, r.H + 2})
	}
	lab.block(Rect{0, 0, min(l.head.W, l.d.Width), l.head.H})
	for i := range l.g.Edges {
		lab.addEdge(l.d.Edges[i].Path)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(clamp01(l.g.Edges[b].Weight), clamp01(l.g.Edges[a].Weight))
	})
	for _, i := range order {
		e := l.g.Edges[i]
		text := l.m.shorten(textart.Clean(e.Label), FontSans, labelSize, 120)
		w := l.m.width(text, FontSans, labelSize) + 4
		r, ok := lab.place(l.d.Edges[i].Path, w, labelSize+3, lineWidth(e.Weight))
		if !ok {
			l.d.HiddenLabels++
			continue
		}
		under := paintPage()
		under.Alpha = 0.82
		l.d.Items = append(l.d.Items, Item{Kind: ItemLabel, Ref: i, From: e.From, To: e.To, ID: "l" + strconv.Itoa(i), Tooltip: cleanLines(e.Tooltip),
			Shapes: []Shape{rectShape(r, 3, under, Paint{}, 0), textShape(r.X+2, r.Y+labelSize, text, labelSize, FontSans, paintText2())}})
	}
}

// emitHead draws title, legend and the key of the categories, and says how many labels did not fit.
func (l *layouter) emitHead() {
	var shapes []Shape
	y := pageMargin
	if l.d.Title != "" {
		shapes = append(shapes, textShape(pageMargin, y+titleSize*0.85, l.d.Title, titleSize, FontBold, paintText1()))
		y += titleSize * 1.5
	}
	for _, s := range l.g.Legend {
		if s = textart.Clean(s); s != "" {
			shapes = append(shapes, textShape(pageMargin, y+legendSize*0.9, s, legendSize, FontSans, paintText2()))
		}
		y += legendSize * 1.45
	}
	if cats := l.categories(); len(cats) > 0 {
		shapes = append(shapes, keyShapes(l.m, cats, pageMargin, y+16)...)
	}
	if note := l.note(); note != "" {
		l.d.Height += 18
		shapes = append(shapes, textShape(pageMargin, l.d.Height-12, note, legendSize, FontSans, paintText3()))
		l.d.Width = max(l.d.Width, l.m.width(note, FontSans, legendSize)+2*pageMargin)
	}
	if len(shapes) > 0 {
		l.d.Items = append(l.d.Items, Item{Kind: ItemDecor, Ref: -1, ID: "legend", Shapes: shapes})
	}
}

// note says what the picture does not show.
func (l *layouter) note() string {
	drawn := 0
	for _, r := range l.d.Edges {
		if len(r.Path) > 0 {
			drawn++
		}
	}
	switch missing := len(l.g.Edges) - drawn; {
	case len(l.g.Nodes) == 0:
		return "Nothing to draw: the graph has no nodes."
	case missing > 0 && l.d.HiddenLabels > 0:
		return fmt.Sprintf("Not drawn: %d edges, and %d edge labels without room.", missing, l.d.HiddenLabels)
	case missing > 0:
		return fmt.Sprintf("Not drawn: %d edges.", missing)
	case l.d.HiddenLabels > 0:
		return fmt.Sprintf("%d edge labels found no room; the tooltips say them.", l.d.HiddenLabels)
	}
	return ""
}
