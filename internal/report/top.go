package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// TopRow is one entry of a flat report; values are in the unit of the profile.
type TopRow struct {
	Name string
	// Inline is "", "(inline)" or "(partial-inline)".
	Inline    string
	Flat, Cum int64
	Frame     *JSONFrame
	Base      *Change
}

// Top is the flat report of pprof's top and text.
type Top struct {
	Labels []string
	Rows   []TopRow
	r      *Report
	hidden Hidden
	total  int64
}

// NewTop computes the report.
func NewTop(r *Report) *Top {
	t := r.View.Trim(view.ForList)
	r.selectUnit(t.Graph, false)
	top := &Top{Labels: r.graphLabels(t, false), r: r, total: r.View.Total, hidden: hiddenOf(t)}
	changes := r.changes(t.Graph)
	for _, i := range t.Order {
		n := &t.Nodes[i]
		row := TopRow{Name: t.Name(i), Flat: n.FlatValue(), Cum: n.CumValue(), Frame: jsonFrame(n.Frame)}
		inline, call := false, false
		for _, e := range t.EdgesIn(i) {
			inline = inline || e.Inline
			call = call || !e.Inline
		}
		if inline {
			row.Inline = "(inline)"
			if call {
				row.Inline = "(partial-inline)"
			}
		}
		row.Base = changes.of(i)
		top.Rows = append(top.Rows, row)
	}
	return top
}

// WriteText writes the table.
func (t *Top) WriteText(out io.Writer) error {
	w := bufio.NewWriter(out)
	for _, l := range t.Labels {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintf(w, "%10s %5s%% %5s%% %10s %5s%%\n", "flat", "flat", "sum", "cum", "cum")
	p := newPainter(t.r)
	var sum int64
	for _, row := range t.Rows {
		sum += row.Flat
		name := row.Name
		if t.r.Colour {
			name = p.name(name)
		}
		if row.Inline != "" {
			name += " " + row.Inline
		}
		if row.Base != nil && t.r.Colour {
			name += "  " + p.change(row.Base)
		}
		fmt.Fprintf(w, "%10s %s %s %10s %s  %s\n",
			t.r.format(row.Flat), p.share(row.Flat, unit.Percentage(row.Flat, t.total)), unit.Percentage(sum, t.total),
			t.r.format(row.Cum), p.share(row.Cum, unit.Percentage(row.Cum, t.total)), name)
	}
	return w.Flush()
}
