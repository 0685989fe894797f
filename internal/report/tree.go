package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// TreeEdge is a caller or callee of a node.
type TreeEdge struct {
	Name   string
	Inline bool
	Weight int64
}

// TreeRow is a node with its callers and callees, heaviest first.
type TreeRow struct {
	Name      string
	Flat, Cum int64
	In, Out   []TreeEdge
	Frame     *JSONFrame
}

// Tree is the report of pprof's tree and, with a symbol, peek.
type Tree struct {
	Labels []string
	Rows   []TreeRow
	r      *Report
	any    bool // the graph has nodes, matched or not
	name   string
	hidden Hidden
}

// NewTree computes tree, or peek when the report has a symbol.
func NewTree(r *Report) (*Tree, error) {
	t := r.View.Trim(view.ForText)
	r.selectUnit(t.Graph, false)
	tree := &Tree{Labels: r.graphLabels(t, false), r: r, any: len(t.Order) > 0, name: "tree", hidden: hiddenOf(t)}
	if r.Symbol != nil {
		tree.name = "peek"
	}
	for _, i := range t.Order {
		n := &t.Nodes[i]
		name := t.Name(i)
		if r.Symbol != nil && !r.Symbol.MatchString(name) {
			continue
		}
		row := TreeRow{Name: name, Flat: n.FlatValue(), Cum: n.CumValue(), Frame: jsonFrame(n.Frame)}
		for _, e := range t.SortedIn(i) {
			row.In = append(row.In, TreeEdge{t.Name(e.Src), e.Inline, e.Weight})
		}
		for _, e := range t.SortedOut(i) {
			row.Out = append(row.Out, TreeEdge{t.Name(e.Dst), e.Inline, e.Weight})
		}
		tree.Rows = append(tree.Rows, row)
	}
	if r.Symbol != nil && len(tree.Rows) == 0 {
		return tree, noMatch(r.Symbol)
	}
	return tree, nil
}

// WriteText writes the blocks of callers, node and callees.
func (t *Tree) WriteText(out io.Writer) error {
	const separator = "----------------------------------------------------------+-------------"
	const legend = "      flat  flat%   sum%        cum   cum%   calls calls% + context 	 	 "
	r := t.r
	w := bufio.NewWriter(out)
	for _, l := range t.Labels {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w, separator)
	fmt.Fprintln(w, legend)
	p := newPainter(r)
	edge := func(e TreeEdge, cum int64) {
		inline := ""
		if e.Inline {
			inline = " (inline)"
		}
		fmt.Fprintf(w, "%50s %s |   %s%s\n", r.format(e.Weight), unit.Percentage(e.Weight, cum), p.dim(e.Name), inline)
	}
	var sum int64
	for _, row := range t.Rows {
		fmt.Fprintln(w, separator)
		for _, e := range row.In {
			edge(e, row.Cum)
		}
		sum += row.Flat
		fmt.Fprintf(w, "%10s %s %s %10s %s                | %s\n",
			r.format(row.Flat), r.percent(row.Flat), r.percent(sum), r.format(row.Cum), r.percent(row.Cum), p.name(row.Name))
		for _, e := range row.Out {
			edge(e, row.Cum)
		}
	}
	if t.any {
		fmt.Fprintln(w, separator)
	}
	return w.Flush()
}
