package web

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// boxOf is a node as package render draws it: the name, large where much was
// sampled in itself, and the values below.
func (b *graphBuilder) boxOf(n *GraphNode, a view.Amount, own float64) render.Node {
	title := origin.FoldTypeArgs(origin.ShortName(n.Name))
	if n.Functions > 0 {
		title = n.Name
	}
	size := min(18, render.TextSize(own))
	lines := []render.Line{{Text: title, Size: size, Bold: true, Wrap: 3}}
	for _, text := range b.valueLines(a) {
		lines = append(lines, render.Line{Text: text, Size: 11.5, Muted: true})
	}
	if n.Functions > 0 {
		word := " functions"
		if n.Functions == 1 {
			word = " function"
		}
		lines = append(lines, render.Line{Text: strconv.Itoa(n.Functions) + word, Size: 11, Muted: true})
	}
	box := render.Node{Lines: lines, Tooltip: n.Name + "\n" + strings.Join(b.valueLines(a), "\n"), Category: n.Category, Heat: b.share(a.Cum)}
	if b.changes != nil {
		most := max(abs64(a.Cum), abs64(a.CumBase))
		if most > 0 {
			box.Fill, box.Stroke = render.ChangeTint(float64(a.Cum-a.CumBase) / float64(most))
		}
	}
	return box
}

// valueLines are the values of a box.
func (b *graphBuilder) valueLines(a view.Amount) []string {
	percent := func(v int64) string { return strings.TrimSpace(unit.Percentage(v, b.d.View.Total)) }
	cum := b.format(a.Cum) + " · " + percent(a.Cum)
	var list []string
	switch {
	case b.changes == nil || a.Cum == a.CumBase:
		list = append(list, cum)
	case a.CumBase == 0:
		list = append(list, b.change(a.Cum)+" new")
	case a.Cum == 0:
		list = append(list, b.change(-a.CumBase)+" gone")
	default:
		list = append(list, b.change(a.Cum-a.CumBase)+" to "+b.format(a.Cum))
	}
	if a.Flat != 0 && a.Flat != a.Cum {
		list = append(list, "itself "+b.format(a.Flat))
	}
	return list
}

// format prints a value as the page does: a space before the unit.
func (b *graphBuilder) format(v int64) string {
	text := unit.Format(v, b.d.View.Unit, unit.Auto)
	if at := strings.IndexFunc(text, unicode.IsLetter); at > 0 {
		return strings.TrimSpace(text[:at]) + " " + text[at:]
	}
	return text
}

// change prints a difference with its mark.
func (b *graphBuilder) change(v int64) string {
	switch {
	case v > 0:
		return "▲ " + b.format(v)
	case v < 0:
		return "▼ " + b.format(-v)
	}
	return "± 0"
}

// textsOf are the texts of an item.
func textsOf(it render.Item) []GraphText {
	var list []GraphText
	for _, sh := range it.Shapes {
		if sh.Kind == render.ShapeText {
			list = append(list, GraphText{Text: sh.Text, X: round1(sh.Rect.X), Y: round1(sh.Rect.Y), Size: round1(sh.Size), Muted: sh.Font != render.FontBold})
		}
	}
	return list
}

// svgPath writes a path as SVG does.
func svgPath(path []render.Segment) string {
	var b strings.Builder
	point := func(p render.Point) {
		b.WriteString(strconv.FormatFloat(round1(p.X), 'f', -1, 64))
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(round1(p.Y), 'f', -1, 64))
	}
	for _, s := range path {
		switch s.Op {
		case render.MoveTo:
			b.WriteByte('M')
			point(s.P[0])
		case render.LineTo:
			b.WriteByte('L')
			point(s.P[0])
		case render.CubicTo:
			b.WriteByte('C')
			point(s.P[0])
			b.WriteByte(' ')
			point(s.P[1])
			b.WriteByte(' ')
			point(s.P[2])
		case render.ClosePath:
			b.WriteByte('Z')
		}
	}
	return b.String()
}

// round1 keeps one digit behind the point.
func round1(v float64) float64 { return math.Round(v*10) / 10 }

func abs64(v int64) int64 { return max(v, -v) }
