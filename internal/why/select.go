package why

import (
	"reflect"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Filter says which objects a question is about: those that pass all of it.
// The zero value is everything.
type Filter struct {
	// Type gets the names of types, short and with whole package paths.
	Type func(name string) bool
	// Site gets allocation stacks, leaf first: sampled objects only.
	Site func(stack []goheap.Frame) bool
	// Goroutine: only what matching goroutines hold.
	Goroutine func(g *goheap.Goroutine) bool
	// Objects: only what these hold, themselves included; nil is no filter.
	Objects []uint32
}

// Selection are the objects a filter lets pass.
type Selection struct {
	// Whole says that it is the whole heap.
	Whole bool
	// Vertices are the objects, each once if Samples is nil, in ascending
	// order.
	Vertices []uint32
	// Samples is, by vertex, the index into Heap.Samples: amounts are
	// estimates. It is nil where they are exact.
	Samples []int

	in *set // nil: all
}

// Estimated tells whether amounts of the selection are estimates.
func (s *Selection) Estimated() bool { return s.Samples != nil }

// has tells whether an object is in an exact selection.
func (s *Selection) has(v uint32) bool { return s.in == nil || s.in.has(v) }

// set is a set of vertices.
type set struct{ bits []uint64 }

func newSet(n int) *set { return &set{make([]uint64, (n+63)/64)} }

func (s *set) has(v uint32) bool { return s.bits[v/64]>>(v%64)&1 != 0 }
func (s *set) add(v uint32)      { s.bits[v/64] |= 1 << (v % 64) }

// All selects everything without listing it: for questions that need no more
// than the amount. Selections for views are made by Select.
func (a *Analysis) All() *Selection { return &Selection{Whole: true} }

// Select applies a filter.
func (a *Analysis) Select(f Filter) *Selection {
	s := &Selection{Whole: f.Type == nil && f.Site == nil && f.Goroutine == nil && f.Objects == nil}
	held := a.heldBy(f)
	ofType := a.typeFilter(f.Type)
	if f.Site != nil {
		s.Vertices, s.Samples = a.sampled(f.Site, func(v uint32) bool { return (held == nil || held.has(v)) && ofType(v) })
		return s
	}
	if s.Whole {
		s.Vertices = make([]uint32, 0, a.Heap.Stats.Objects)
	} else {
		s.in = newSet(a.Result.Vertices())
	}
	for v := a.Heap.FirstObject; int(v) < a.Result.Vertices(); v++ {
		if a.Result.Reachable(v) && (held == nil || held.has(v)) && ofType(v) {
			s.Vertices = append(s.Vertices, v)
			if s.in != nil {
				s.in.add(v)
			}
		}
	}
	return s
}

// heldBy are the objects that matching goroutines, or the objects of a filter,
// hold; nil if it asks for neither.
func (a *Analysis) heldBy(f Filter) *set {
	var sets []*set
	add := func(roots []uint32) {
		s := newSet(a.Result.Vertices())
		for _, v := range roots {
			for x := range a.Result.Dominated(v) {
				s.add(x)
			}
		}
		sets = append(sets, s)
	}
	if f.Goroutine != nil {
		add(a.goroutineVertices(f.Goroutine))
	}
	if f.Objects != nil {
		add(f.Objects)
	}
	switch len(sets) {
	case 0:
		return nil
	case 2:
		for i := range sets[0].bits {
			sets[0].bits[i] &= sets[1].bits[i]
		}
	}
	return sets[0]
}

// goroutineVertices are the vertices of matching goroutines: of a whole group,
// where all of it matches, so that what they hold together counts.
func (a *Analysis) goroutineVertices(match func(*goheap.Goroutine) bool) []uint32 {
	var out []uint32
	for i := range a.Heap.Groups {
		g := &a.Heap.Groups[i]
		var some []uint32
		for _, k := range g.Goroutines {
			if q := &a.Heap.Goroutines[k]; match(q) {
				some = append(some, q.Vertex)
			}
		}
		if len(some) == len(g.Goroutines) {
			some = []uint32{g.Vertex}
		}
		out = append(out, some...)
	}
	return out
}

// typeFilter asks for the type of an object, each type once.
func (a *Analysis) typeFilter(match func(name string) bool) func(v uint32) bool {
	if match == nil {
		return func(uint32) bool { return true }
	}
	known := map[uint32]bool{}
	return func(v uint32) bool {
		id := a.labels.Kind(v)
		if id == 0 {
			return false
		}
		ok, asked := known[id]
		if !asked {
			ok = match(a.labels.Name(id)) || match(a.Heap.Type(v).String())
			known[id] = ok
		}
		return ok
	}
}

// sampled are the sampled objects of matching sites that keep lets pass.
func (a *Analysis) sampled(match func(stack []goheap.Frame) bool, keep func(v uint32) bool) (vertices []uint32, samples []int) {
	buckets := make([]bool, len(a.Heap.Buckets))
	for i := range buckets {
		buckets[i] = match(a.Heap.Buckets[i].Stack)
	}
	samples = []int{}
	for i := range a.Heap.Samples {
		if s := &a.Heap.Samples[i]; buckets[s.Bucket] && a.Result.Reachable(s.Vertex) && keep(s.Vertex) {
			samples = append(samples, i)
		}
	}
	slices.SortStableFunc(samples, func(x, y int) int { return int(a.Heap.Samples[x].Vertex) - int(a.Heap.Samples[y].Vertex) })
	for _, i := range samples {
		vertices = append(vertices, a.Heap.Samples[i].Vertex)
	}
	return vertices, samples
}

// Sampled is the same selection by its sampled objects.
func (a *Analysis) Sampled(s *Selection) *Selection {
	if s.Estimated() {
		return s
	}
	x := &Selection{Whole: s.Whole}
	x.Vertices, x.Samples = a.sampled(func([]goheap.Frame) bool { return true }, s.has)
	return x
}

// tally adds up what may be estimated.
type tally struct{ bytes, objects float64 }

func (t *tally) add(x tally) { t.bytes += x.bytes; t.objects += x.objects }

func (t *tally) amount() retain.Amount {
	return retain.Amount{Bytes: uint64(t.bytes + 0.5), Objects: uint64(t.objects + 0.5)}
}

// weigh is what the i-th vertex of a selection stands for.
func (a *Analysis) weigh(s *Selection, i int) tally {
	if s.Samples == nil {
		return tally{float64(a.Result.Size(s.Vertices[i])), 1}
	}
	b := &a.Heap.Buckets[a.Heap.Samples[s.Samples[i]].Bucket]
	return tally{b.Weight * float64(b.Size), b.Weight}
}

// Amount is the sum of a selection.
func (a *Analysis) Amount(s *Selection) retain.Amount {
	if s.Whole && !s.Estimated() {
		return a.Total()
	}
	var t tally
	for i := range s.Vertices {
		t.add(a.weigh(s, i))
	}
	return t.amount()
}

// Retained is what goes free with all objects of a selection together.
func (a *Analysis) Retained(s *Selection) retain.Amount {
	if s.Whole {
		return a.Total()
	}
	return a.Result.WhatIf(nil, s.Vertices).Amount
}

// typeOf is the name of an object's type, and whether Go would write it as a
// pointer: what new makes, rather than make.
func (a *Analysis) typeOf(v uint32) (name string, pointed bool) {
	t := a.Heap.Type(v)
	if t == nil {
		return a.Heap.Name(v), false
	}
	return a.Heap.Name(v), pointedTo(t) && a.Heap.Vertex(v).Count == 1
}

// pointedTo tells types of values that new makes: structs of the program.
func pointedTo(t *goheap.Type) bool {
	return t.Kind == reflect.Struct && (t.Role == goheap.RoleNone || t.Role == goheap.RoleSyncMap)
}
