package why

import (
	"time"

	"github.com/profoundhq/profound/internal/goheap"
)

// Earlier is a heap reduced to what the tables of a later one of the same
// program are compared with, by the names Growths goes by too. Like Sums it has
// no addresses, and needs nothing of the heap it was made from.
type Earlier struct {
	*Sums
	types, packages map[string]uint64
	roots           map[rootName]uint64
	tree            map[pathKey]treeSum
}

// rootName is what a root is called in every heap of a program.
type rootName struct {
	kind goheap.Kind
	name string
}

// treeSum is a node of the dominator tree: its number, from 1, as the parent of
// others, and its bytes.
type treeSum struct {
	node  uint32
	bytes uint64
}

// Earlier reduces the heap.
func (a *Analysis) Earlier(p Program, taken time.Time) *Earlier {
	e := &Earlier{Sums: a.Sums(p, taken), types: map[string]uint64{}, packages: map[string]uint64{}, roots: map[rootName]uint64{}, tree: map[pathKey]treeSum{}}
	texts := reducer{texts: map[string]string{}}
	whole := a.Select(Filter{})
	for _, t := range a.Types(whole) {
		e.types[texts.own(t.Name)] = t.Retained.Bytes
	}
	for _, p := range a.Packages(whole) {
		e.packages[texts.own(p.Name)] = p.Amount.Bytes
		for i := range p.Roots {
			r := &p.Roots[i]
			e.roots[rootName{r.Kind, texts.own(lasting(r.Kind, r.Name))}] += r.Amount.Bytes
		}
	}
	var open []uint32 // the node above, by depth
	for _, r := range a.Outline(whole, 0) {
		key := pathKey{label: texts.own(r.Label), name: texts.own(lasting(r.Kind, r.Name))}
		open = open[:r.Depth]
		if r.Depth > 0 {
			key.parent = open[r.Depth-1]
		}
		n := e.tree[key]
		if n.node == 0 {
			n.node = uint32(len(e.tree) + 1)
		}
		n.bytes += r.Amount.Bytes
		e.tree[key] = n
		open = append(open, n.node)
	}
	return e
}

// Type is what all objects of a type retained.
func (e *Earlier) Type(name string) uint64 { return e.types[name] }

// Package is what was reached from the roots of a package, as
// PackageRow.Amount.
func (e *Earlier) Package(name string) uint64 { return e.packages[name] }

// Root is what was reached from a root, as RootRow.Amount.
func (e *Earlier) Root(kind goheap.Kind, name string) uint64 {
	return e.roots[rootName{kind, lasting(kind, name)}]
}

// Outline is what the rows of an outline of the whole heap had, 0 for those
// that were not there. Of rows with one name, such as goroutines that wait at
// one place in two ways, the first has it all.
func (e *Earlier) Outline(rows []OutlineRow) []uint64 {
	const nowhere = ^uint32(0)
	out := make([]uint64, len(rows))
	told := map[uint32]bool{}
	var open []uint32
	for i := range rows {
		r := &rows[i]
		key := pathKey{label: r.Label, name: lasting(r.Kind, r.Name)}
		open = open[:r.Depth]
		if r.Depth > 0 {
			key.parent = open[r.Depth-1]
		}
		n, ok := e.tree[key]
		switch {
		case !ok:
			n.node = nowhere
		case !told[n.node]:
			told[n.node], out[i] = true, n.bytes
		}
		open = append(open, n.node)
	}
	return out
}
