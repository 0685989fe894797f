package goheap

import (
	"fmt"
	"strings"
)

// offsetOf finds where in vertex from the pointer to vertex to is: the offset
// in the variable, or in the object behind its header.
func (h *Heap) offsetOf(from, to uint32) (off int64, ok bool) {
	if !h.IsObject(to) {
		return 0, false
	}
	slot := h.slotOf(to)
	if !h.IsObject(from) {
		for _, r := range h.list[from].refs {
			if r.slot == slot {
				return r.off, true
			}
		}
		return 0, false
	}
	src := h.slotOf(from)
	s := h.spanOf(src)
	if s.mem == nil {
		return 0, false
	}
	lo := h.addr(slot)
	hi := lo + h.spanOf(slot).elem
	h.pointers(s, src, func(o, p uint64) {
		if !ok && p >= lo && p < hi {
			off, ok = int64(o-s.payload()), true
		}
	})
	return off, ok
}

// Label is the field of one vertex that refers to another: ".byID", "[3].Msg",
// "[elem].Last"; with general, without the numbers of elements. It is empty
// where there is no field: below packages, groups and goroutines.
func (h *Heap) Label(from, to uint32, general bool) string {
	off, ok := h.offsetOf(from, to)
	if !ok {
		return ""
	}
	return h.label(from, off, general)
}

// label names the field of a vertex at an offset.
func (h *Heap) label(from uint32, off int64, general bool) string {
	t := h.Type(from)
	if !h.IsObject(from) {
		switch r := &h.list[from]; {
		case r.ofObject:
			if v, ok := h.Find(r.addr); ok {
				return h.label(v, off, general)
			}
			return fmt.Sprintf("+%d", off)
		case t != nil && t.Size > 0 && off >= t.Size: // one of several: the cases of a select statement
			return "[]" + fieldPath(t, off%t.Size, general)
		case t != nil:
			return fieldPath(t, off, general)
		}
		return ""
	}
	if t == nil || t.Size <= 0 {
		return h.innerLabel(from, off)
	}
	if t.Role == RoleClosure {
		return fieldPath(t, off, general)
	}
	path := fieldPath(t, off%t.Size, general)
	switch {
	case t.Role == RoleGroup || t.Role == RoleTable || t.Role == RoleMap:
		return path
	case off < t.Size && !h.isArray(from):
		return path
	case general:
		return "[]" + path
	}
	return fmt.Sprintf("[%d]", off/t.Size) + path
}

// innerLabel names a field of an object whose own type is not known, if that
// of a value inside it is.
func (h *Heap) innerLabel(from uint32, off int64) string {
	s := h.spanOf(h.slotOf(from))
	base := h.addr(h.slotOf(from)) + s.payload()
	if t, a := h.innerAt(base, base+uint64(off)); t != nil {
		return fmt.Sprintf("+%d(%s)%s", a-base, t.Short(), fieldPath(t, int64(base+uint64(off)-a), true))
	}
	return fmt.Sprintf("+%d", off)
}

// innerAt finds the value around an address in an object that begins at base:
// its type and where it begins; nil if none is known.
func (h *Heap) innerAt(base, addr uint64) (*Type, uint64) {
	for a := addr; a >= base && a+1024 > addr; a -= 8 {
		if id, ok := h.inner[a]; ok {
			if t := h.reading.types[id]; addr < a+uint64(t.Size) {
				return t, a
			}
		}
	}
	return nil, 0
}

// Hop is a step of a retention path for people: the field that is followed,
// and what it leads to.
type Hop struct {
	// Label is the field of the hop before, with fields inside the runtime's
	// own structures left out: the way through a map is "[elem]".
	Label string
	// Name is the vertex's name.
	Name   string
	Vertex uint32
	// Repeat is how many more times the same step follows, in linked lists.
	Repeat int
}

// Hops describes a path of the graph, such as the one from the super root to
// an object. The super root and packages on the way are left out, the parts of maps
// are one hop, and equal steps in a row are counted.
func (h *Heap) Hops(path []uint32) []Hop {
	var out []Hop
	for i, v := range path {
		if k := h.Kind(v); (k == KindRoot || k == KindPackage) && i < len(path)-1 {
			continue
		}
		label := ""
		if i > 0 {
			label = h.Label(path[i-1], v, true)
		}
		if h.IsObject(v) && i > 0 && h.insideMap(path[i-1], v) {
			continue
		}
		hop := Hop{Label: label, Name: h.Name(v), Vertex: v}
		if n := len(out); n > 0 && h.IsObject(v) && out[n-1].Label == hop.Label && out[n-1].Name == hop.Name {
			out[n-1].Repeat++
			out[n-1].Vertex = v
			continue
		}
		out = append(out, hop)
	}
	return out
}

// insideMap tells whether the step leads from a map's header or table to its
// table or slots.
func (h *Heap) insideMap(from, to uint32) bool {
	t, f := h.Type(to), h.Type(from)
	if t == nil || f == nil || !h.IsObject(from) {
		return false
	}
	return t.insideMap() && (f.Role == RoleMap || f.insideMap())
}

// insideMap tells types of directories, tables and slots of maps. Tables of a
// map that only the runtime's own type describes have the runtime's name.
func (t *Type) insideMap() bool {
	return t.Role == RoleTable || t.Role == RoleGroup || strings.HasSuffix(t.Name, "internal/runtime/maps.table")
}

// IsPart tells objects that are parts of a map: what leads to them stands for
// them.
func (h *Heap) IsPart(v uint32) bool {
	return h.IsObject(v) && h.parts[h.of[v-h.FirstObject]]
}
