package goheap

import "slices"

// WasteKind is a way to hold memory that nothing can see.
type WasteKind uint8

// The kinds of waste.
const (
	WasteWindow   WasteKind = iota // a sub-slice or substring keeps its whole array
	WasteCapacity                  // an array of pointers with room that was never used
	WasteMap                       // a map with many more slots than entries
)

// Waste is memory that is kept, but that no reference can see.
type Waste struct {
	Kind   WasteKind
	Vertex uint32
	// Bytes is the size of the object, Used how many of them can be seen.
	Bytes, Used uint64
}

// wasteFrom is the smallest object worth looking at, in bytes.
const wasteFrom = 1024

// Waste lists objects of which less than a quarter can be seen, the most
// wasteful first: n of each kind at most, all with n < 0.
func (h *Heap) Waste(n int) []Waste {
	var windows []Waste
	for slot, w := range h.windows(2) {
		s := h.spanOf(slot)
		if used := w.hi - w.lo; used*4 < s.elem {
			windows = append(windows, Waste{WasteWindow, h.FirstObject + h.marks.number(slot), s.elem, used})
		}
	}
	out := most(windows, n)
	var arrays, maps []Waste
	for v := h.FirstObject; v < h.FirstObject+h.marks.count; v++ {
		t := h.Type(v)
		switch {
		case t == nil:
		case t.Role == RoleMap:
			if w, ok := h.mapWaste(v, t); ok {
				maps = append(maps, w)
			}
		case t.Role == RoleNone && h.isArray(v):
			if w, ok := h.arrayWaste(v); ok {
				arrays = append(arrays, w)
			}
		}
	}
	return append(append(out, most(arrays, n)...), most(maps, n)...)
}

// most sorts by what is wasted and keeps the first n.
func most(ws []Waste, n int) []Waste {
	slices.SortFunc(ws, func(a, b Waste) int {
		if d := int64(b.Bytes-b.Used) - int64(a.Bytes-a.Used); d != 0 {
			return int(max(min(d, 1), -1))
		}
		return int(int64(a.Vertex) - int64(b.Vertex))
	})
	if n >= 0 && len(ws) > n {
		ws = ws[:n]
	}
	return ws
}

// arrayWaste looks for the last word of an array with pointers that is not
// zero: what is behind was never used, or was cleared.
func (h *Heap) arrayWaste(v uint32) (Waste, bool) {
	slot := h.slotOf(v)
	s := h.spanOf(slot)
	mem := s.contents(slot)
	if s.elem < wasteFrom || mem == nil {
		return Waste{}, false
	}
	end := len(mem)
	for end > 0 && mem[end-1] == 0 {
		end--
	}
	used := uint64(end+7) &^ 7
	return Waste{WasteCapacity, v, s.elem, used}, used*4 < s.elem
}

// mapWaste compares the entries of a map with the slots of its tables.
func (h *Heap) mapWaste(v uint32, t *Type) (Waste, bool) {
	l := h.lay
	slot := h.slotOf(v)
	mem := h.spanOf(slot).contents(slot)
	if mem == nil || l.Map.Used == absent || l.Map.Size > uint64(len(mem)) {
		return Waste{}, false
	}
	entries := le64(mem, l.Map.Used)
	n := le64(mem, l.Map.DirLen)
	if n == 0 || n > 1<<32 {
		return Waste{}, false // one group: no larger than it must be
	}
	bytes, slots := h.tables(le64(mem, l.Map.Dir), n)
	if bytes < wasteFrom || slots == 0 || entries*4 >= slots {
		return Waste{}, false
	}
	return Waste{WasteMap, v, bytes, bytes / slots * entries}, true
}

// tables adds up the groups of a map's tables: their bytes and slots. Several
// entries of the directory may be one table.
func (h *Heap) tables(dir, n uint64) (bytes, slots uint64) {
	slot, s := h.find(dir)
	if s == nil || s.mem == nil {
		return 0, 0
	}
	mem := s.contents(slot)[s.payload():]
	last := uint64(0)
	for i := uint64(0); i < n && i*8+8 <= uint64(len(mem)); i++ {
		p := le64(mem, i*8)
		if p == last {
			continue
		}
		last = p
		ts, in := h.find(p)
		if in == nil || in.mem == nil {
			continue
		}
		table := in.contents(ts)[in.payload():]
		if h.lay.Table.Size > uint64(len(table)) {
			continue
		}
		if _, gs := h.find(le64(table, h.lay.Table.Groups)); gs != nil {
			bytes += gs.elem
			slots += le64(table, h.lay.Table.Cap&^7) >> (h.lay.Table.Cap & 7 * 8) & 0xffff
		}
	}
	return bytes, slots
}
