package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Picture is the call graph as a drawing of ours, in one of several formats.
type Picture struct {
	dot   *Dot
	write func(io.Writer, *Picture) error
}

func newPicture(write func(io.Writer, *Picture) error) func(*Report) (Result, error) {
	return func(r *Report) (Result, error) { return &Picture{NewDot(r), write}, nil }
}

// WriteText writes the picture.
func (p *Picture) WriteText(w io.Writer) error { return p.write(w, p) }

// JSON is the graph; see graphJSON.
func (p *Picture) JSON() any { return p.dot.JSON() }

func (p *Picture) drawing() *render.Drawing {
	return render.Layout(p.dot.graph(), render.Options{})
}

func writeSVG(w io.Writer, p *Picture) error {
	return render.WriteSVG(w, p.drawing(), render.SVGOptions{Interactive: true})
}

func writePNG(w io.Writer, p *Picture) error {
	return render.WritePNG(w, p.drawing(), render.ImageOptions{Theme: render.ThemeLight})
}

func writeGIF(w io.Writer, p *Picture) error {
	return render.WriteGIF(w, p.drawing(), render.ImageOptions{Theme: render.ThemeLight})
}

func writePDF(w io.Writer, p *Picture) error {
	return render.WritePDF(w, p.drawing(), render.PDFOptions{Theme: render.ThemeLight})
}

func writePS(w io.Writer, p *Picture) error {
	return render.WritePS(w, p.drawing(), render.PDFOptions{Theme: render.ThemeLight})
}

// writeHTML writes the page with flame graph and graph.
func writeHTML(w io.Writer, p *Picture) error {
	r := p.dot.r
	page := render.HTMLPage{
		Title: r.Title(), Unit: htmlUnit(r.View.Unit),
		Flame: r.flame(), Graph: p.drawing(),
		MinShare: -1, // the flame graph comes pruned
	}
	if page.Title == "" {
		page.Title = "profile"
	}
	for _, l := range r.ProfileLabels() {
		label, value, ok := strings.Cut(l, ": ")
		if !ok {
			label, value = "", l
		}
		page.Header = append(page.Header, render.HeaderLine{Label: label, Value: value})
	}
	for _, f := range r.View.Filters {
		page.Header = append(page.Header, render.HeaderLine{Label: "Filter", Value: f})
	}
	return render.WriteHTML(w, page)
}

func htmlUnit(u string) render.Unit {
	switch unit.Kind(u) {
	case "bytes":
		return render.Unit{Kind: render.UnitBytes}
	case "time":
		return render.Unit{Kind: render.UnitNanos}
	}
	return render.Unit{Kind: render.UnitCount}
}

// graph turns the dot graph into boxes and arrows.
func (d *Dot) graph() render.Graph {
	r := d.r
	g := render.Graph{Title: r.Title()}
	for _, l := range d.Labels {
		if !strings.Contains(l, "See https://") {
			g.Legend = append(g.Legend, l)
		}
	}
	var most int64
	for _, n := range d.t.Order {
		most = max(most, abs(d.t.Nodes[n].FlatValue()))
	}
	box := make(map[int32]int, len(d.t.Order))
	for i, n := range d.t.Order {
		box[n] = len(g.Nodes)
		g.Nodes = append(g.Nodes, d.box(n, i+1, most))
	}
	for _, n := range d.t.Order {
		for _, e := range d.t.SortedOut(n) {
			to, ok := box[e.Dst]
			if !ok {
				continue
			}
			g.Edges = append(g.Edges, d.arrow(e, box[n], to))
		}
		d.satellites(&g, n, box[n])
	}
	return g
}

func (d *Dot) share(v int64) float64 {
	if d.r.View.Total == 0 {
		return 0
	}
	return min(float64(abs(v))/float64(abs(d.r.View.Total)), 1)
}

func (d *Dot) box(n int32, number int, most int64) render.Node {
	r, node := d.r, &d.t.Nodes[n]
	flat, cum := node.FlatValue(), node.CumValue()
	own := 0.0
	if most > 0 {
		own = float64(abs(flat)) / float64(most)
	}
	size := render.TextSize(own)
	f := *node.Frame
	f.Name = origin.FoldTypeArgs(origin.ShortName(f.Name))
	if f.File != "" {
		f.File = filepath.Base(f.File)
	}
	small := max(11, size-3)
	lines := []render.Line{{Text: strings.Join(f.Parts(), " "), Size: size, Bold: true, Wrap: 3}}
	for _, v := range d.values(flat, cum) {
		lines = append(lines, render.Line{Text: v, Size: small, Muted: true})
	}
	b := render.Node{
		ID:       fmt.Sprintf("node%d", number),
		Lines:    lines,
		Tooltip:  node.String() + "\n" + strings.Join(d.values(flat, cum), " "),
		Category: r.Categories.Of(node.Name),
		Heat:     d.share(cum),
	}
	if cum < 0 {
		b.Fill, b.Stroke = render.ChangeTint(-d.share(cum))
	} else if d.isDiff() {
		b.Fill, b.Stroke = render.ChangeTint(d.share(cum))
	}
	return b
}

// values are the lines under a name: the node's own value, and that with its
// callees where it differs.
func (d *Dot) values(flat, cum int64) []string {
	r := d.r
	text := func(v int64) string { return fmt.Sprintf("%s (%s)", r.format(v), strings.TrimSpace(r.percent(v))) }
	switch {
	case cum == flat:
		return []string{text(flat)}
	case flat == 0:
		return []string{"0 of " + text(cum)}
	}
	return []string{text(flat), "of " + text(cum)}
}

func (d *Dot) isDiff() bool {
	for _, n := range d.t.Order {
		if d.t.Nodes[n].Cum < 0 {
			return true
		}
	}
	return false
}

func (d *Dot) arrow(e *view.Edge, from, to int) render.Edge {
	label := d.r.format(e.Value())
	if e.Inline {
		label += " (inline)"
	}
	arrow := " -> "
	if e.Residual {
		arrow = " ... "
	}
	return render.Edge{
		From: from, To: to, Weight: d.share(e.Value()), Label: label, Dotted: e.Residual,
		Tooltip: d.t.Name(e.Src) + arrow + d.t.Name(e.Dst) + " (" + label + ")",
	}
}

// satellites adds the labels of a node as small boxes beside it.
func (d *Dot) satellites(g *render.Graph, n int32, at int) {
	tags := d.t.Tags[n]
	if tags == nil {
		return
	}
	flat := len(d.t.EdgesOut(n)) > 0
	add := func(t *view.Tag, source int) int {
		v := t.CumValue()
		if flat {
			v = t.FlatValue()
		}
		if v == 0 {
			return -1
		}
		g.Nodes = append(g.Nodes, render.Node{
			ID:      fmt.Sprintf("tag%d", len(g.Nodes)),
			Lines:   []render.Line{{Text: strings.ReplaceAll(t.Name, `\n`, " "), Size: 11, Wrap: 2}},
			Tooltip: strings.ReplaceAll(t.Name, `\n`, "\n") + "\n" + d.r.format(v), Pill: true,
		})
		to := len(g.Nodes) - 1
		g.Edges = append(g.Edges, render.Edge{From: source, To: to, Weight: d.share(v), Label: d.r.format(v)})
		return to
	}
	view.SortTags(tags.Labels, flat)
	for i, t := range tags.Labels {
		if i == view.MaxTagsShown {
			break
		}
		if to := add(t, at); to >= 0 {
			for _, nt := range groupTags(tags.Numeric[t.Name], view.MaxTagsShown, flat) {
				add(nt, to)
			}
		}
	}
	for _, nt := range groupTags(tags.Numeric[""], view.MaxTagsShown, flat) {
		add(nt, at)
	}
}

// flameShare is the share under which a path is folded in the page.
const flameShare = 1.0 / 20000

// flame is the tree of all paths, values in base units.
func (r *Report) flame() *render.Flame {
	t := r.View.Flame(flameShare)
	base := func(v int64) int64 { return int64(r.base(v)) }
	f := &render.Flame{}
	var total, was, weight int64
	for i, p := range t.Parent {
		if p < 0 {
			total += t.Total[i]
			weight += t.Weight[i]
			if t.Base != nil {
				was += t.Base[i]
			}
		}
	}
	root := f.Add(-1, "all", render.CategoryNone, 0, base(total))
	signed := t.Base != nil
	for i := range t.Parent {
		frame := t.Frame[i]
		f.Add(root+1+int(t.Parent[i]), origin.FoldTypeArgs(frame.String()), r.Categories.Of(frame.Name), base(t.Self[i]), base(t.Total[i]))
		signed = signed || t.Total[i] < 0
	}
	if !signed {
		return f
	}
	width := func(total, was, weight int64) int64 {
		if t.Base == nil {
			return weight // gains and losses side by side
		}
		return max(abs(total), abs(was))
	}
	f.Delta = append(f.Delta, base(total-was))
	f.Width = append(f.Width, base(width(total, was, weight)))
	for i := range t.Parent {
		was = 0
		if t.Base != nil {
			was = t.Base[i]
		}
		f.Delta = append(f.Delta, base(t.Total[i]-was))
		f.Width = append(f.Width, base(width(t.Total[i], was, t.Weight[i])))
	}
	return f
}
