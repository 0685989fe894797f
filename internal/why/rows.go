package why

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/retain"
)

// RootRow is what is reached from one root: a package variable, a group of
// goroutines, the timers, ...
type RootRow struct {
	Name string
	Kind goheap.Kind
	// Amount is what has its best path from here: each object counts at one
	// root, so the rows add up to the selection.
	Amount retain.Amount
	// Frees is what goes without this root, of everything; Stacks are the
	// bytes of its stacks, which go too.
	Frees  retain.Amount
	Stacks uint64

	vertices []uint32
}

// rootLabels makes paths end at their root.
type rootLabels struct{ a *Analysis }

// Kind is for retain.Labels.
func (rootLabels) Kind(uint32) uint32 { return 0 }

// Label is for retain.Labels: only the step to a root counts.
func (l rootLabels) Label(_, to uint32) uint32 {
	switch l.a.Heap.Kind(to) {
	case goheap.KindGlobal, goheap.KindGroup:
		return to
	case goheap.KindSpecial, goheap.KindRuntime:
		if d, _ := l.a.Result.Dominator(to); d == 0 { // not one of many below it
			return to
		}
	}
	return 0
}

// Roots adds a selection up by root, the largest first, the runtime last.
func (a *Analysis) Roots(s *Selection) []RootRow {
	t, at := a.Result.Merge(retain.ShortestPath, s.Vertices, rootLabels{a})
	sums := make([]tally, len(t.Nodes))
	for i, node := range at {
		sums[node].add(a.weigh(s, i))
	}
	var out []RootRow
	for i := 1; i < len(t.Nodes); i++ {
		v := t.Nodes[i].Example
		if sums[i].objects == 0 {
			continue
		}
		out = append(out, RootRow{
			Name: a.Heap.Name(v), Kind: a.Heap.Kind(v), Amount: sums[i].amount(),
			Frees: a.heapOf(v), Stacks: a.stacks(v), vertices: []uint32{v},
		})
	}
	a.sortRoots(out)
	return out
}

func (a *Analysis) sortRoots(rows []RootRow) {
	last := map[uint32]bool{}
	for i := range rows {
		last[rows[i].vertices[0]] = a.byRuntime(rows[i].vertices[0])
	}
	slices.SortStableFunc(rows, func(x, y RootRow) int {
		return cmp.Or(runtimeLast(last[x.vertices[0]], last[y.vertices[0]]), cmp.Compare(y.Amount.Bytes, x.Amount.Bytes))
	})
}

// PackageRow is what is reached from the variables of a package and from the
// goroutines that began in it.
type PackageRow struct {
	RootRow
	// Roots are its variables and groups of goroutines, the largest first.
	Roots []RootRow
}

// Packages adds a selection up by the package of the root.
func (a *Analysis) Packages(s *Selection) []PackageRow {
	index := map[string]int{}
	var out []PackageRow
	for _, r := range a.Roots(s) {
		name := a.packageOf(&r)
		i, ok := index[name]
		if !ok {
			i = len(out)
			index[name] = i
			out = append(out, PackageRow{RootRow: RootRow{Name: name, Kind: r.Kind}})
		}
		p := &out[i]
		p.Amount, p.Stacks = p.Amount.Add(r.Amount), p.Stacks+r.Stacks
		p.Roots = append(p.Roots, r)
		p.vertices = append(p.vertices, r.vertices...)
	}
	for i := range out {
		p := &out[i]
		p.Frees = a.Result.WhatIf(nil, p.vertices).Amount
		p.Frees.Bytes -= min(p.Frees.Bytes, p.Stacks)
	}
	slices.SortStableFunc(out, func(x, y PackageRow) int {
		return cmp.Or(runtimeLast(x.Name == "runtime", y.Name == "runtime"), cmp.Compare(y.Amount.Bytes, x.Amount.Bytes))
	})
	return out
}

// packageOf is the package of a root: of a variable, or of the function its
// goroutines began with.
func (a *Analysis) packageOf(r *RootRow) string {
	v := r.vertices[0]
	switch r.Kind {
	case goheap.KindGlobal:
		if p, ok := a.Result.Dominator(v); ok && a.Heap.Kind(p) == goheap.KindPackage {
			return a.Heap.Name(p)
		}
	case goheap.KindGroup:
		for i := range a.Heap.Groups {
			if g := &a.Heap.Groups[i]; g.Vertex == v {
				return startedIn(a.Heap.Goroutines[g.Goroutines[0]].Stack)
			}
		}
	}
	if r.Kind == goheap.KindRuntime {
		return "runtime"
	}
	return r.Name
}

// startedIn is the package of the outermost function that is not the
// runtime's.
func startedIn(stack []goheap.Frame) string {
	for _, f := range slices.Backward(stack) {
		if origin.Of(f.Func, f.File) != origin.Runtime {
			return origin.Package(f.Func)
		}
	}
	return "runtime"
}

// TypeRow is what the objects of one type take.
type TypeRow struct {
	Name   string
	Amount retain.Amount
	// Retained is they with all that only they hold, what lies below two of
	// them counted once; zero where the selection is estimated.
	Retained retain.Amount
}

// unknownType is the name of objects whose type is not known.
const unknownType = "(type not known)"

// Types adds a selection up by type, the largest first.
func (a *Analysis) Types(s *Selection) []TypeRow {
	index := map[uint32]int{}
	var out []TypeRow
	var sums []tally
	for i, v := range s.Vertices {
		k := a.labels.Kind(v)
		j, ok := index[k]
		if !ok {
			j = len(out)
			index[k] = j
			name := unknownType
			if k != 0 {
				name = a.labels.Name(k)
			}
			out, sums = append(out, TypeRow{Name: name}), append(sums, tally{})
		}
		sums[j].add(a.weigh(s, i))
	}
	for j := range out {
		out[j].Amount = sums[j].amount()
	}
	if !s.Estimated() {
		for _, row := range a.Result.Kinds(func(v uint32) uint32 {
			if !a.Heap.IsObject(v) || !s.has(v) {
				return none
			}
			return a.labels.Kind(v)
		}) {
			if j, ok := index[row.Kind]; ok && row.Kind != none {
				out[j].Retained = row.Retained
			}
		}
	}
	slices.SortStableFunc(out, func(x, y TypeRow) int {
		return cmp.Or(cmp.Compare(y.Amount.Bytes, x.Amount.Bytes), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// none is a kind no object has.
const none = ^uint32(0)

// Depths is the histogram of the steps from the root to the objects of a
// selection. Rows double in width.
func (a *Analysis) Depths(s *Selection) []retain.DepthRow {
	var out []retain.DepthRow
	var sums []tally
	for i, v := range s.Vertices {
		row := bits.Len(uint(a.Result.Depth(v)))
		for len(out) <= row {
			n := len(out)
			out, sums = append(out, retain.DepthRow{From: 1 << n >> 1, To: max(1<<n-1, 0)}), append(sums, tally{})
		}
		sums[row].add(a.weigh(s, i))
	}
	for i := range out {
		out[i].Amount = sums[i].amount()
	}
	first := slices.IndexFunc(out, func(r retain.DepthRow) bool { return r.Objects > 0 })
	if first < 0 {
		return nil
	}
	return out[first:]
}
