package goheap

// Labels numbers the labels and kinds of steps, so that retain can lay paths
// of one shape together. It is not for use by several goroutines.
type Labels struct {
	h     *Heap
	ids   map[string]uint32
	names []string
	kinds map[kindKey]uint32
	// Of the source asked for last: where its pointers are, by target slot.
	from  uint32
	where map[uint32]uint32
	label map[uint64]uint32 // type id and offset in it to label
}

// kindKey is what makes objects be of one kind.
type kindKey struct {
	typ   uint32
	array bool
}

// Labels makes a numbering; each begins anew.
func (h *Heap) Labels() *Labels {
	return &Labels{h: h, ids: map[string]uint32{}, names: []string{""}, kinds: map[kindKey]uint32{}, from: ^uint32(0), label: map[uint64]uint32{}}
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

// indexFrom is the size of sources whose pointers are indexed: to search a
// large array for each of its elements would take the square of its length.
const indexFrom = 512

// offset finds where the pointer is.
func (l *Labels) offset(from, to uint32) (int64, bool) {
	h := l.h
	if !h.IsObject(from) {
		return h.offsetOf(from, to)
	}
	src := h.slotOf(from)
	s := h.spanOf(src)
	if s.elem < indexFrom || s.mem == nil {
		return h.offsetOf(from, to)
	}
	if l.from != from {
		l.from, l.where = from, map[uint32]uint32{}
		h.pointers(s, src, func(off, p uint64) {
			if slot, in := h.find(p); in != nil {
				if _, ok := l.where[slot]; !ok && off < 1<<32 {
					l.where[slot] = uint32(off)
				}
			}
		})
	}
	off, ok := l.where[h.slotOf(to)]
	return int64(off) - int64(s.payload()), ok
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
