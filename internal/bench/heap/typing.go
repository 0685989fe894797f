package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/why"
)

// heapStats is what of a heap is known.
type heapStats struct {
	goheap.Stats
	untyped []untyped // what has no type, by its holder, the most first
}

// untyped are objects without a type that one kind of holder has.
type untyped struct {
	where   string // type and field of one that points to it
	objects int
	bytes   uint64
}

// statsOf adds up what has no type.
func statsOf(a *why.Analysis) heapStats {
	h := a.Heap
	kinds := map[string]untyped{}
	for v := h.FirstObject; v < uint32(a.Result.Vertices()); v++ {
		x := h.Vertex(v)
		if x.Type != nil {
			continue
		}
		where := x.Name
		for from := range a.Result.Holders(v) {
			where = h.Name(from) + h.Label(from, v, true) + ": " + x.Name
			break
		}
		u := kinds[where]
		kinds[where] = untyped{where, u.objects + 1, u.bytes + x.Size}
	}
	return heapStats{h.Stats, slices.SortedFunc(maps.Values(kinds), func(a, b untyped) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.where, b.where))
	})}
}

// The bars of the issue of reading heaps.
const (
	barSuiteTyped  = 0.99  // of objects
	barServerTyped = 0.97  // of bytes
	barMasks       = 0.995 // of small objects with a type
)

func (s *heapStats) typedObjects() float64 { return share(s.Typed, s.Objects) }
func (s *heapStats) typedBytes() float64   { return share(s.TypedBytes, s.Bytes) }

// masks is the share of small objects whose type fits their pointer bitmap.
func (s *heapStats) masks() float64 { return share(s.MaskAgree, s.MaskAgree+s.MaskDisagree) }

func share(part, of uint64) float64 {
	if of == 0 {
		return 1
	}
	return float64(part) / float64(of)
}
