package goheap

import (
	"fmt"
	"slices"
	"strings"
)

// slotOf gives the slot of an object vertex.
func (h *Heap) slotOf(v uint32) uint32 { return h.marks.slot(v - h.FirstObject) }

// IsObject tells objects of the heap from roots.
func (h *Heap) IsObject(v uint32) bool { return v >= h.FirstObject }

// Type gives the type of the first value of an object, or of a variable; nil
// if it is not known.
func (h *Heap) Type(v uint32) *Type {
	if !h.IsObject(v) {
		return h.list[v].typ
	}
	return h.reading.types[h.of[v-h.FirstObject]]
}

// Kind tells what a vertex is.
func (h *Heap) Kind(v uint32) Kind {
	if h.IsObject(v) {
		return KindObject
	}
	return h.list[v].kind
}

// Rank orders roots for paths, as retain.Options wants it: 0 are the
// program's own variables, 2 the runtime's, which explain least, and 1 what is
// in between: timers, and what a goroutine holds on its stack by no variable, or
// by one of the runtime's functions.
func (h *Heap) Rank(v uint32) uint8 {
	switch h.Kind(v) {
	case KindLocal:
		if r := &h.list[v]; r.typ == nil || ofRuntime(r.name) {
			return 1
		}
	case KindSpecial:
		return 1
	case KindRuntime:
		return 2
	}
	return 0
}

// Find gives the object an address points into.
func (h *Heap) Find(addr uint64) (v uint32, ok bool) {
	slot, s := h.find(addr)
	if s == nil || !h.marks.has(slot) {
		return 0, false
	}
	return h.FirstObject + h.marks.number(slot), true
}

// Vertex describes a vertex.
func (h *Heap) Vertex(v uint32) Vertex {
	x := Vertex{Kind: h.Kind(v), Name: h.Name(v), Type: h.Type(v), Goroutine: -1}
	if !h.IsObject(v) {
		r := &h.list[v]
		x.Addr, x.Size, x.Goroutine = r.addr, r.size, int(r.goroutine)-1
		return x
	}
	slot := h.slotOf(v)
	s := h.spanOf(slot)
	x.Addr, x.Size, x.Count = h.addr(slot), s.elem, h.countOf(v)
	return x
}

// countOf is how many values of its type an object has room for, 1 if it is no
// array.
func (h *Heap) countOf(v uint32) int {
	t := h.Type(v)
	if t == nil || t.Size <= 0 || !h.isArray(v) {
		return 1
	}
	s := h.spanOf(h.slotOf(v))
	return int((s.elem - s.payload()) / uint64(t.Size))
}

func (h *Heap) isArray(v uint32) bool { return hasBit(h.array, v-h.FirstObject) }

// Name is what a vertex is called; see Vertex.
func (h *Heap) Name(v uint32) string {
	if !h.IsObject(v) {
		return h.list[v].name
	}
	t := h.Type(v)
	if t == nil {
		s := h.spanOf(h.slotOf(v))
		if s.mode == scanNone {
			return fmt.Sprintf("%d bytes without pointers", s.elem)
		}
		return fmt.Sprintf("%d bytes with pointers", s.elem)
	}
	name := t.Short()
	if t.shown == "" && h.isArray(v) {
		return "[]" + name
	}
	return name
}

// groupGoroutines names the groups and counts what they have.
func (h *Heap) groupGoroutines() {
	at := map[uint32]int{}
	for i := range h.Goroutines {
		q := &h.Goroutines[i]
		gv := h.list[q.Vertex].parent
		k, ok := at[gv]
		if !ok {
			k = len(h.Groups)
			at[gv] = k
			h.Groups = append(h.Groups, Group{State: q.State, Vertex: gv})
		}
		g := &h.Groups[k]
		q.Group = k
		g.Goroutines = append(g.Goroutines, i)
		g.StackBytes += q.Hi - q.Lo
	}
	for i := range h.Groups {
		g := &h.Groups[i]
		q := &h.Goroutines[g.Goroutines[0]]
		why := q.Wait
		if why == "" {
			why = q.State
		}
		name := fmt.Sprintf("%d goroutines [%s] at %s", len(g.Goroutines), why, shortName(busyAt(q.Stack)))
		if len(g.Goroutines) == 1 {
			name = fmt.Sprintf("goroutine %d [%s] at %s", q.ID, why, shortName(busyAt(q.Stack)))
		}
		if q.Create.Func != "" {
			name += " created by " + shortName(q.Create.Func)
		}
		h.list[g.Vertex].name = name
	}
}

// busyAt is the first function of a stack that is the program's own rather
// than the runtime's or the standard library's.
func busyAt(stack []Frame) string {
	i := slices.IndexFunc(stack, func(f Frame) bool {
		pkg := packageOf(f.Func)
		first, _, _ := strings.Cut(pkg, "/")
		return pkg == "main" || strings.Contains(first, ".")
	})
	if i < 0 {
		i = slices.IndexFunc(stack, func(f Frame) bool { return !ofRuntime(f.Func) && !strings.HasPrefix(f.Func, "internal/") })
	}
	if i < 0 {
		if i = len(stack) - 1; i < 0 {
			return "?"
		}
	}
	return stack[i].Func
}
