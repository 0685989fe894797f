package goheap

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// window is the part [lo, hi) of an object; nothing of it if they are equal.
type window struct{ lo, hi uint64 }

// join is the smallest window that has both.
func (w window) join(v window) window {
	switch {
	case v.hi <= v.lo:
		return w
	case w.hi <= w.lo:
		return v
	}
	return window{min(w.lo, v.lo), max(w.hi, v.hi)}
}

// windows is which part of each large object without pointers can be seen, by
// slot. Only what is alive counts: references from garbage, and from words that
// may be none, are passed over. A reference of which the extent is not known
// sees everything.
type windows struct {
	h    *Heap
	mem  *reader
	seen map[uint32]window
}

// windowFrom is the size of the objects windows are kept of.
const windowFrom = 1024

// windows looks at all references to large objects without pointers.
func (h *Heap) windows(workers int) map[uint32]window {
	all := &windows{h, newReader(h.mem.mem), map[uint32]window{}}
	for i := range h.list {
		all.root(&h.list[i])
	}
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			w := &windows{h, nil, map[uint32]window{}}
			for i := next.Add(1) - 1; i < chunks; i = next.Add(1) - 1 {
				w.objects(h.spans[int(i)*len(h.spans)/chunks : int(i+1)*len(h.spans)/chunks])
			}
			mu.Lock()
			defer mu.Unlock()
			for slot, v := range w.seen {
				all.add(slot, v)
			}
		})
	}
	wg.Wait()
	return all.seen
}

func (w *windows) add(slot uint32, v window) { w.seen[slot] = w.seen[slot].join(v) }

// root adds what a root sees.
func (w *windows) root(r *root) {
	if r.guess {
		return
	}
	for _, ref := range r.refs {
		slot, s := w.large(ref.addr)
		if s == nil {
			continue
		}
		length := func(off uint32) (uint64, bool) {
			if r.kind == KindLocal || r.addr == 0 { // the parts of a local variable lie apart
				return 0, false
			}
			return w.mem.u64(r.addr + uint64(off)), true
		}
		w.add(slot, w.extent(slot, s, ref.addr, r.typ, ref.off, length))
	}
}

// objects adds what the marked objects of some spans see.
func (w *windows) objects(spans []span) {
	h := w.h
	for i := range spans {
		s := &spans[i]
		if s.mem == nil {
			continue
		}
		for word := s.first / 64; word < (s.first+s.count+63)/64; word++ {
			for b := h.marks.bits[word]; b != 0; b &= b - 1 {
				if slot := word*64 + uint32(bits.TrailingZeros64(b)); !h.hidden[slot] {
					w.object(s, slot)
				}
			}
		}
	}
}

func (w *windows) object(s *span, slot uint32) {
	h := w.h
	h.pointers(s, slot, func(at, p uint64) {
		to, in := w.large(p)
		if in == nil {
			return
		}
		off := int64(at - s.payload())
		t, base := h.valueAt(slot, s, off)
		length := func(field uint32) (uint64, bool) {
			mem := s.contents(slot)
			if o := s.payload() + uint64(base) + uint64(field); o+8 <= uint64(len(mem)) {
				return le64(mem, o), true
			}
			return 0, false
		}
		w.add(to, w.extent(to, in, p, t, off-base, length))
	})
}

// valueAt gives the type of the value an offset behind the header of an object
// lies in, and where the value begins; nil if the type is not known.
func (h *Heap) valueAt(slot uint32, s *span, off int64) (t *Type, base int64) {
	t = h.reading.types[h.of[h.marks.number(slot)]]
	switch {
	case t != nil && t.Size > 0 && t.Role == RoleClosure:
		return t, 0
	case t != nil && t.Size > 0:
		return t, off - off%t.Size
	}
	start := h.addr(slot) + s.payload()
	if t, a := h.innerAt(start, start+uint64(off)); t != nil {
		return t, int64(a - start)
	}
	return nil, 0
}

// large gives the slot of an address and its span, nil if windows of it are
// not kept.
func (w *windows) large(p uint64) (uint32, *span) {
	slot, s := w.h.find(p)
	if s == nil || s.mode != scanNone || s.elem < windowFrom {
		return 0, nil
	}
	return slot, s
}

// extent is what the pointer p at an offset of a value of type t sees of the
// object it leads to. length reads the word at an offset of the value.
func (w *windows) extent(to uint32, s *span, p uint64, t *Type, off int64, length func(off uint32) (uint64, bool)) window {
	all := window{0, s.elem}
	f := t.slotAt(off)
	if f == nil {
		return all
	}
	n, ok := uint64(1), true
	switch f.kind {
	case slotString, slotSlice:
		if n, ok = length(f.off + 8); n == 0 && f.kind == slotSlice { // a buffer, to be filled again
			n, ok = length(f.off + 16)
		}
	case slotPtr:
	default:
		return all
	}
	if f.kind != slotString {
		if f.typ == nil || f.typ.Size < 0 {
			return all
		}
		n = min(n, 1<<40) * uint64(min(f.typ.Size, 1<<20))
	}
	lo := p - s.base - uint64(to-s.first)*s.elem
	if !ok || n > s.elem-lo { // a type of C, or a length that is none
		return all
	}
	return window{lo, lo + n}
}

// slotAt finds the pointer of a type at an offset; nil if there is none, or if
// the type was never looked into.
func (t *Type) slotAt(off int64) *slot {
	if t == nil || !t.flat {
		return nil
	}
	for lo, hi := 0, len(t.slots); lo < hi; {
		mid := int(uint(lo+hi) / 2)
		switch f := &t.slots[mid]; {
		case int64(f.off) == off:
			return f
		case int64(f.off) < off:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil
}
