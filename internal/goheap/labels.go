package goheap

import "slices"

// Labels numbers the labels and kinds of steps, so that retain can lay paths
// of one shape together. It is not for use by several goroutines.
type Labels struct {
	h     *Heap
	ids   map[string]uint32
	names []string
	kinds map[kindKey]uint32
	label map[uint64]uint32 // type id and offset in it to label
	kept  []offsets         // of the large sources asked for last, the latest first
}

// offsets is where the pointers of a source are, by the slot they lead to.
type offsets struct {
	from  uint32
	where map[uint32]uint32
}

// kindKey is what makes objects be of one kind.
type kindKey struct {
	typ   uint32
	array bool
}

// Labels makes a numbering; each begins anew.
func (h *Heap) Labels() *Labels {
	return &Labels{h: h, ids: map[string]uint32{}, names: []string{""}, kinds: map[kindKey]uint32{}, label: map[uint64]uint32{}}
}

// Name is the text of a number that Label or Kind gave out.
func (l *Labels) Name(id uint32) string { return l.names[id] }

func (l *Labels) id(s string) uint32 {
	id, ok := l.ids[s]
	if !ok {
		id = uint32(len(l.names))
		l.names = append(l.names, s)
		l.ids[s] = id
	}
	return id
}

// Label is the number of the field, without indexes and with a space before it,
// through which one vertex refers to another, or of the name of a root. Steps inside a map, and from the
// super root to a package, are hidden.
func (l *Labels) Label(from, to uint32) uint32 {
	h := l.h
	if !h.IsObject(to) {
		switch h.Kind(to) {
		case KindPackage:
			return 0
		case KindGoroutine:
			return l.id("goroutine")
		}
		return l.id(h.list[to].name)
	}
	if h.insideMap(from, to) {
		return 0
	}
	off, ok := l.offset(from, to)
	if !ok {
		return l.id(" ") // a step without a name
	}
	if t := h.Type(from); t != nil && h.IsObject(from) && t.Size > 0 && t.Size < 1<<31 && t.Role != RoleClosure {
		key := uint64(t.id)<<32 | uint64(off%t.Size)
		if off >= t.Size || h.isArray(from) {
			key |= 1 << 31
		}
		id, ok := l.label[key]
		if !ok {
			id = l.id(" " + h.label(from, off, true))
			l.label[key] = id
		}
		return id
	}
	return l.id(" " + h.label(from, off, true))
}

// To search a large source for each of its targets would take the square of
// its length, so the pointers of those of indexFrom bytes, or of as many words
// below a root, are indexed. Several indexes are kept, since the elements of an
// array may be large themselves, and paths go through one after the other.
const (
	indexFrom = 4096
	indexKept = 16
)

// offset finds where the pointer is.
func (l *Labels) offset(from, to uint32) (int64, bool) {
	h := l.h
	small := false
	if h.IsObject(from) {
		s := h.spanOf(h.slotOf(from))
		small = s.elem < indexFrom || s.mem == nil
	} else {
		small = len(h.list[from].refs) < indexFrom/8
	}
	if small || !h.IsObject(to) {
		return h.offsetOf(from, to)
	}
	off, ok := l.offsets(from)[h.slotOf(to)]
	return int64(off), ok
}

// offsets gives the index of a large source.
func (l *Labels) offsets(from uint32) map[uint32]uint32 {
	i := slices.IndexFunc(l.kept, func(o offsets) bool { return o.from == from })
	if i < 0 {
		if len(l.kept) == indexKept {
			l.kept = l.kept[:indexKept-1]
		}
		i, l.kept = len(l.kept), append(l.kept, offsets{from, l.h.offsetsOf(from)})
	}
	o := l.kept[i]
	copy(l.kept[1:i+1], l.kept[:i])
	l.kept[0] = o
	return o.where
}

// offsetsOf is offsetOf for all targets of a vertex at once.
func (h *Heap) offsetsOf(from uint32) map[uint32]uint32 {
	where := map[uint32]uint32{}
	add := func(slot uint32, off int64) {
		if _, ok := where[slot]; !ok && off == int64(uint32(off)) {
			where[slot] = uint32(off)
		}
	}
	if !h.IsObject(from) {
		for _, r := range h.list[from].refs {
			add(r.slot, r.off)
		}
		return where
	}
	src := h.slotOf(from)
	s := h.spanOf(src)
	h.pointers(s, src, func(off, p uint64) {
		if slot, in := h.find(p); in != nil {
			add(slot, int64(off-s.payload()))
		}
	})
	return where
}

// Kind is the number of the type of an object, and whether it is an array; 0
// where it is not known, and of roots.
func (l *Labels) Kind(v uint32) uint32 {
	h := l.h
	if !h.IsObject(v) || h.of[v-h.FirstObject] == 0 {
		return 0
	}
	key := kindKey{typ: h.of[v-h.FirstObject], array: h.isArray(v)}
	id, ok := l.kinds[key]
	if !ok {
		id = l.id(h.Name(v))
		l.kinds[key] = id
	}
	return id
}
