package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Dot is the call graph in Graphviz's language.
type Dot struct {
	Labels []string
	r      *Report
	t      *view.Trimmed
}

// NewDot computes the graph.
func NewDot(r *Report) *Dot {
	t := r.View.Trim(view.ForPicture)
	r.selectUnit(t.Graph, false)
	return &Dot{Labels: r.graphLabels(t, true), r: r, t: t}
}

// WriteText writes the digraph.
func (d *Dot) WriteText(out io.Writer) error {
	w := bufio.NewWriter(out)
	title := d.r.Title()
	name := title
	if name == "" {
		name = "unnamed"
	}
	fmt.Fprintln(w, `digraph "`+name+`" {`)
	fmt.Fprintln(w, `node [style=filled fillcolor="#f8f8f8"]`)
	d.writeLegend(w, title)
	number := make(map[int32]int, len(d.t.Order))
	var maxFlat int64
	for i, n := range d.t.Order {
		number[n] = i + 1
		maxFlat = max(maxFlat, abs(d.t.Nodes[n].FlatValue()))
	}
	withTags := map[int32]bool{}
	var edges []*view.Edge
	for _, n := range d.t.Order {
		d.writeNode(w, n, number[n], maxFlat)
		withTags[n] = d.writeTags(w, n, number[n])
		edges = append(edges, d.t.EdgesOut(n)...)
	}
	for _, e := range d.t.SortEdges(edges) {
		d.writeEdge(w, e, number[e.Src], number[e.Dst], withTags[e.Src])
	}
	fmt.Fprintln(w, "}")
	return w.Flush()
}

func (d *Dot) writeLegend(w io.Writer, title string) {
	if len(d.Labels) == 0 {
		return
	}
	escaped := make([]string, len(d.Labels))
	for i, l := range d.Labels {
		escaped[i] = dotEscape(l)
	}
	fmt.Fprintf(w, `subgraph cluster_L { "%s" [shape=box fontsize=16 label="%s\l"`, escaped[0], strings.Join(escaped, `\l`))
	if title != "" {
		fmt.Fprintf(w, ` tooltip="%s"`, title)
	}
	fmt.Fprintf(w, "] }\n")
}

// dotEscape quotes for a label; line ends become left-aligned ones.
func dotEscape(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, `"`, `\"`)
	return strings.ReplaceAll(s, "\n", `\l`)
}

// dotName is a node's name over several lines, shortened.
func dotName(f view.Frame) string {
	f.Name = dotEscape(origin.ShortName(f.Name))
	f.Name = strings.ReplaceAll(f.Name, "::", `\n`)
	// Type parameters appear as [...]; their dots are no separators.
	f.Name = strings.ReplaceAll(f.Name, "[...]", "[…]")
	f.Name = strings.ReplaceAll(f.Name, ".", `\n`)
	if f.File != "" {
		f.File = filepath.Base(f.File)
	}
	return strings.Join(f.Parts(), `\n`) + `\n`
}

func (d *Dot) writeNode(w io.Writer, n int32, number int, maxFlat int64) {
	r, node := d.r, &d.t.Nodes[n]
	flat, cum := node.FlatValue(), node.CumValue()
	label := dotName(*node.Frame)
	value := r.format(flat)
	if flat != 0 {
		label += fmt.Sprintf(`%s (%s)`, value, strings.TrimSpace(r.percent(flat)))
	} else {
		label += "0"
	}
	if cum != flat {
		sep := " "
		if flat != 0 {
			sep = `\n`
		}
		value = r.format(cum)
		label += sep + fmt.Sprintf(`of %s (%s)`, value, strings.TrimSpace(r.percent(cum)))
	}
	font := 8
	if maxFlat != 0 && flat != 0 {
		font += int(math.Ceil(16 * math.Sqrt(float64(abs(flat))/float64(maxFlat))))
	}
	score := float64(cum) / float64(abs(r.View.Total))
	fmt.Fprintf(w, "N%d [label=\"%s\" id=\"node%d\" fontsize=%d shape=box tooltip=\"%s (%s)\" color=\"%s\" fillcolor=\"%s\"]\n",
		number, label, number, font, dotEscape(d.t.Name(n)), value, scoreColour(score, false), scoreColour(score, true))
}

// writeTags writes the boxes of a node's labels. Leaves show cumulative
// values, because what they called is not shown.
func (d *Dot) writeTags(w io.Writer, n int32, number int) bool {
	tags := d.t.Tags[n]
	if tags == nil {
		return false
	}
	flat := len(d.t.EdgesOut(n)) > 0
	view.SortTags(tags.Labels, flat)
	written := false
	for i, t := range tags.Labels {
		if i == view.MaxTagsShown {
			break
		}
		v := t.CumValue()
		if flat {
			v = t.FlatValue()
		}
		if v == 0 {
			continue
		}
		written = true
		weight := d.r.format(v)
		id := fmt.Sprintf("N%d_%d", number, i)
		fmt.Fprintf(w, "%s [label = \"%s\" id=\"%s\" fontsize=8 shape=box3d tooltip=\"%s\"]\n", id, t.Name, id, weight)
		fmt.Fprintf(w, "N%d -> %s [label=\" %s\" weight=100 tooltip=\"%s\" labeltooltip=\"%s\"]\n", number, id, weight, weight, weight)
		d.writeNumericTags(w, tags.Numeric[t.Name], flat, id)
	}
	return d.writeNumericTags(w, tags.Numeric[""], flat, fmt.Sprintf("N%d", number)) || written
}

func (d *Dot) writeNumericTags(w io.Writer, tags []*view.Tag, flat bool, source string) bool {
	written := false
	for i, t := range groupTags(tags, view.MaxTagsShown, flat) {
		v, style := t.CumValue(), ` style="dotted"`
		if flat || t.FlatValue() == t.CumValue() {
			v, style = t.FlatValue(), ""
		}
		if v == 0 {
			continue
		}
		written = true
		weight := d.r.format(v)
		id := fmt.Sprintf("N%s_%d", source, i)
		fmt.Fprintf(w, "%s [label = \"%s\" id=\"%s\" fontsize=8 shape=box3d tooltip=\"%s\"]\n", id, t.Name, id, weight)
		fmt.Fprintf(w, "%s -> %s [label=\" %s\" weight=100 tooltip=\"%s\" labeltooltip=\"%s\"%s]\n", source, id, weight, weight, weight, style)
	}
	return written
}

func (d *Dot) writeEdge(w io.Writer, e *view.Edge, from, to int, tagged bool) {
	r := d.r
	value := r.format(e.Value())
	inline := ""
	if e.Inline {
		inline = `\n (inline)`
	}
	fmt.Fprintf(w, `N%d -> N%d [label=" %s%s"`, from, to, value, inline)
	if total := r.View.Total; total != 0 {
		if weight := 1 + min(abs(e.Value()*100/total), 100); weight > 1 {
			fmt.Fprintf(w, ` weight=%d`, weight)
		}
		if width := 1 + min(abs(e.Value()*5/total), 5); width > 1 {
			fmt.Fprintf(w, ` penwidth=%d`, width)
		}
		fmt.Fprintf(w, ` color="%s"`, scoreColour(float64(e.Value())/float64(abs(total)), false))
	}
	arrow, style := "->", ""
	if e.Residual {
		arrow, style = "...", ` style="dotted"`
	}
	tip := fmt.Sprintf(`"%s %s %s (%s)"`, dotEscape(d.t.Name(e.Src)), arrow, dotEscape(d.t.Name(e.Dst)), value)
	if tagged {
		style += " minlen=2"
	}
	fmt.Fprintf(w, " tooltip=%s labeltooltip=%s%s]\n", tip, tip, style)
}

// scoreColour shades a share of the total between green (-1), grey (0) and
// red (1) in HSV; backgrounds are pale.
func scoreColour(score float64, background bool) string {
	saturation, value := 1.0, 0.7
	if background {
		saturation, value = 0.1, 0.93
	}
	score = math.Max(-1, math.Min(1, score))
	if a := math.Abs(score); a < 0.2 {
		saturation *= a / 0.2
	}
	// Small scores are moved away from grey. The exponent is 1-0.7 in float64
	// arithmetic at run time, as pprof computes it.
	const shift = 0.7
	strong, weak := value, value
	switch {
	case score > 0:
		score = math.Pow(score, 1.0-shift)
	case score < 0:
		score = -math.Pow(-score, 1.0-shift)
	}
	if score < 0 {
		weak = value * (1 + saturation*score)
	} else {
		weak = value * (1 - saturation*score)
	}
	red, green := strong, weak
	if score < 0 {
		red, green = weak, strong
	}
	blue := value * (1 - saturation)
	return fmt.Sprintf("#%02x%02x%02x", uint8(red*255), uint8(green*255), uint8(blue*255))
}

// groupTags joins numeric tags into at most count ranges around the heaviest.
func groupTags(tags []*view.Tag, count int, flat bool) []*view.Tag {
	view.SortTags(tags, flat)
	if len(tags) <= count {
		return tags
	}
	groups := make([][]*view.Tag, count)
	for i, t := range tags[:count] {
		groups[i] = []*view.Tag{t}
	}
	for _, t := range tags[count:] {
		best, dist := 0, tagDistance(t, groups[0][0])
		for i := 1; i < count; i++ {
			if d := tagDistance(t, groups[i][0]); d < dist {
				best, dist = i, d
			}
		}
		groups[best] = append(groups[best], t)
	}
	var out []*view.Tag
	for _, g := range groups {
		out = append(out, joinTags(g))
	}
	view.SortTags(out, flat)
	return out
}

func tagDistance(t, u *view.Tag) float64 {
	v, _ := unit.Scale(u.Value, u.Unit, t.Unit)
	return math.Abs(float64(t.Value) - v)
}

func joinTags(g []*view.Tag) *view.Tag {
	if len(g) == 1 {
		t := g[0]
		return &view.Tag{Name: unit.Label(t.Value, t.Unit), Flat: t.FlatValue(), Cum: t.CumValue()}
	}
	low, high := g[0], g[0]
	var sum view.Tag
	for _, t := range g {
		if v, _ := unit.Scale(t.Value, t.Unit, low.Unit); int64(v) < low.Value {
			low = t
		}
		if v, _ := unit.Scale(t.Value, t.Unit, high.Unit); int64(v) > high.Value {
			high = t
		}
		sum.Flat += t.Flat
		sum.FlatDiv += t.FlatDiv
		sum.Cum += t.Cum
		sum.CumDiv += t.CumDiv
	}
	return &view.Tag{
		Name: unit.Label(low.Value, low.Unit) + ".." + unit.Label(high.Value, high.Unit),
		Flat: sum.FlatValue(), Cum: sum.CumValue(),
	}
}
