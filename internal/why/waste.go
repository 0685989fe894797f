package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// WasteRow are objects held on paths of one shape that waste memory in one
// way.
type WasteRow struct {
	Kind goheap.WasteKind
	Path []Step
	Root goheap.Kind
	// Count objects have Bytes, of which Used can be seen.
	Count       uint64
	Bytes, Used uint64
	Example     uint32
}

// Wasted is what nothing can see.
func (w *WasteRow) Wasted() uint64 { return w.Bytes - w.Used }

// Waste adds up what the objects of an exact selection waste, by kind and path
// of one shape, the most first.
func (a *Analysis) Waste(s *Selection) []WasteRow {
	var list []goheap.Waste
	var vertices []uint32
	for _, w := range a.Heap.Waste(-1) {
		if a.Result.Reachable(w.Vertex) && s.has(w.Vertex) {
			list, vertices = append(list, w), append(vertices, w.Vertex)
		}
	}
	type key struct {
		node uint32
		kind goheap.WasteKind
	}
	_, at := a.Result.Merge(retain.ShortestPath, vertices, a.labels)
	index := map[key]int{}
	var out []WasteRow
	for i, w := range list { // the most wasteful of a kind first: it is the example
		k := key{at[i], w.Kind}
		j, ok := index[k]
		if !ok {
			j = len(out)
			index[k] = j
			path := a.Result.Path(w.Vertex)
			out = append(out, WasteRow{Kind: w.Kind, Path: a.way(path), Root: a.Heap.Kind(a.root(path)), Example: w.Vertex})
		}
		r := &out[j]
		r.Count, r.Bytes, r.Used = r.Count+1, r.Bytes+w.Bytes, r.Used+w.Used
	}
	slices.SortStableFunc(out, func(x, y WasteRow) int { return cmp.Compare(y.Wasted(), x.Wasted()) })
	return out
}

// DuplicateRow is a text that is in memory several times.
type DuplicateRow struct {
	goheap.Duplicate
	// Path leads to an object that has one of the strings.
	Path []Step
	Root goheap.Kind
}

// Duplicates are the n texts that waste most by being there several times. It
// needs the contents of strings; see goheap.Heap.Duplicates for the error.
func (a *Analysis) Duplicates(n int) ([]DuplicateRow, error) {
	list, err := a.Heap.Duplicates(n)
	if err != nil {
		return nil, err
	}
	var out []DuplicateRow
	for _, d := range list {
		path := a.Result.Path(d.Vertex)
		out = append(out, DuplicateRow{d, a.way(path), a.Heap.Kind(a.root(path))})
	}
	return out, nil
}
