package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Callgrind is the graph in the format of Valgrind's callgrind, for
// KCachegrind (https://valgrind.org/docs/manual/cl-format.html).
type Callgrind struct {
	r *Report
	t *view.Trimmed
}

// NewCallgrind computes the whole graph; nothing is trimmed.
func NewCallgrind(r *Report) *Callgrind {
	t := r.View.Trim(view.ForCallgrind)
	r.selectUnit(t.Graph, true)
	return &Callgrind{r: r, t: t}
}

// WriteText writes costs and calls.
func (c *Callgrind) WriteText(out io.Writer) error {
	r, t := c.r, c.t
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "positions: instr line")
	fmt.Fprintln(w, "events:", r.View.Type+"("+r.outUnit+")")
	objects, files, names := newCompressor(), newCompressor(), newCompressor()
	callName := c.distinctNames()
	cost := func(v int64) int64 {
		f, _ := unit.Scale(v, r.View.Unit, r.outUnit)
		return int64(f)
	}
	var prev *view.Frame
	for _, i := range t.Order {
		n := &t.Nodes[i]
		if prev == nil || n.Object != prev.Object || n.File != prev.File || n.Name != prev.Name {
			fmt.Fprintf(w, "\nob=%s\nfl=%s\nfn=%s\n", objects.name(n.Object), files.name(n.File), names.name(n.Name))
		}
		fmt.Fprintf(w, "%s %d %d\n", position(prev, n.Address), n.Line, cost(n.FlatValue()))
		for _, e := range t.SortedOut(i) {
			callee := &t.Nodes[e.Dst]
			fmt.Fprintf(w, "cfl=%s\n", files.name(callee.File))
			fmt.Fprintf(w, "cfn=%s\n", names.name(callName[e.Dst]))
			fmt.Fprintf(w, "calls=0 %s %d\n", position(prev, callee.Address), callee.Line)
			fmt.Fprintf(w, "* * %d\n", cost(e.Weight))
		}
		prev = n.Frame
	}
	return w.Flush()
}

// context is what makes a function a function of its own: in a tree, also the
// path it was reached by.
type context struct {
	frame  view.Frame
	parent int32
}

// distinctNames gives functions that share name and file, but are apart in
// the graph, a suffix [i/n].
func (c *Callgrind) distinctNames() map[int32]string {
	t := c.t
	type named struct{ file, name string }
	index := map[named]map[context]int{}
	of := func(n int32) context {
		f := *t.Nodes[n].Frame
		f.Address, f.Line, f.Column = 0, 0, 0
		return context{f, t.Parent(n)}
	}
	for _, n := range t.Order {
		k := named{t.Nodes[n].File, t.Nodes[n].Name}
		if index[k] == nil {
			index[k] = map[context]int{}
		}
		if _, ok := index[k][of(n)]; !ok {
			index[k][of(n)] = len(index[k])
		}
	}
	names := make(map[int32]string, len(t.Order))
	for _, n := range t.Order {
		name := t.Nodes[n].Name
		if ctx := index[named{t.Nodes[n].File, name}]; len(ctx) > 1 {
			name += fmt.Sprintf(" [%d/%d]", ctx[of(n)]+1, len(ctx))
		}
		names[n] = name
	}
	return names
}

// compressor writes a name in full once and by number afterwards.
type compressor map[string]int

func newCompressor() compressor { return compressor{} }

func (c compressor) name(s string) string {
	if s == "" {
		return ""
	}
	if id, ok := c[s]; ok {
		return fmt.Sprintf("(%d)", id)
	}
	c[s] = len(c) + 1
	return fmt.Sprintf("(%d) %s", c[s], s)
}

// position is an address, relative to the one before where that is shorter.
func position(prev *view.Frame, addr uint64) string {
	full := fmt.Sprintf("%#x", addr)
	if prev == nil {
		return full
	}
	if prev.Address == addr {
		return "*"
	}
	if rel := fmt.Sprintf("%+d", int64(addr-prev.Address)); len(rel) < len(full) {
		return rel
	}
	return full
}
