package why

import (
	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// DropRow is an accumulation point: an object, or a variable, that holds much
// more than the largest thing below it does.
type DropRow struct {
	Path     []Step
	Retained retain.Amount
	// Largest is what the largest part of it retains, Bytes the difference.
	Largest  retain.Amount
	Bytes    uint64
	Children int // parts: what it dominates directly
	Vertex   uint32
	// Alike is how many there are on paths of this shape, of those looked at;
	// the row is the largest.
	Alike int
}

// dropsAlike is how many times n drops are looked at, since many may be alike.
const dropsAlike = 16

// Drops are the n largest accumulation points of a selection, which must be
// exact; of the whole heap, variables count too.
func (a *Analysis) Drops(s *Selection, n int) []DropRow {
	drops := a.Result.Drops(dropsAlike*n, func(v uint32) bool {
		switch a.Heap.Kind(v) {
		case goheap.KindObject:
			return s.has(v) && a.Result.Retained(v).Objects > 1 && !a.innerMap(v)
		case goheap.KindGlobal, goheap.KindLocal:
			return s.Whole
		}
		return false
	})
	var out []DropRow
	index := map[string]int{}
	for _, d := range drops {
		way := a.way(a.Result.Path(d.Vertex))
		key := shape(way)
		if i, ok := index[key]; ok {
			out[i].Alike++
			continue
		}
		if len(out) == n || d.Bytes == 0 {
			continue
		}
		index[key] = len(out)
		r := DropRow{Path: way, Retained: d.Retained, Bytes: d.Bytes, Vertex: d.Vertex, Alike: 1}
		if d.Child != 0 {
			r.Largest = a.Result.Retained(d.Child)
		}
		for range a.Result.Children(d.Vertex) {
			r.Children++
		}
		out = append(out, r)
	}
	return out
}

// innerMap tells parts of a map but the first: what piles up in a map piles up
// in one of its parts, and the first stands for the map.
func (a *Analysis) innerMap(v uint32) bool {
	hidden := func(v uint32) (bool, uint32) {
		d, _ := a.Result.Dominator(v)
		return a.Heap.IsObject(d) && a.labels.Label(d, v) == 0, d
	}
	is, d := hidden(v)
	if !is {
		return false
	}
	is, _ = hidden(d)
	return is
}
