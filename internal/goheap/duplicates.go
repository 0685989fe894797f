package goheap

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
)

// Duplicate is a text that several strings of the heap have, each with bytes
// of its own.
type Duplicate struct {
	Text   string // at most 128 bytes of it
	Length int    // of the text, in bytes
	Count  int    // how many times it is there
	// Vertex is an object that has one of the strings.
	Vertex uint32
}

// Wasted is how many bytes would go free if the text were there once.
func (d *Duplicate) Wasted() uint64 { return uint64(d.Count-1) * uint64(d.Length) }

// shownText is how much of a text a Duplicate has.
const shownText = 128

// Duplicates finds the n texts that waste most by being there several times.
// It follows the strings in objects whose type is known; texts in the program
// itself do not count. The image must have the contents of objects without
// pointers, see Options.Contents.
func (h *Heap) Duplicates(n int) ([]Duplicate, error) {
	d := duplicates{h: h, seed: maphash.MakeSeed(), texts: map[uint64]*Duplicate{}, seen: map[uint64]bool{}}
	for v := h.FirstObject; v < h.FirstObject+h.marks.count; v++ {
		d.object(v)
	}
	if d.missing > d.found {
		return nil, fmt.Errorf("duplicate strings: %w: the contents of strings were not copied; ask for them when the snapshot is taken", ErrMemory)
	}
	var out []Duplicate
	for _, x := range d.texts {
		if x.Count > 1 {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b Duplicate) int {
		return cmp.Or(cmp.Compare(b.Wasted(), a.Wasted()), cmp.Compare(a.Text, b.Text))
	})
	return out[:min(n, len(out))], nil
}

// duplicates counts texts by their hash.
type duplicates struct {
	h              *Heap
	seed           maphash.Seed
	texts          map[uint64]*Duplicate
	seen           map[uint64]bool // addresses of texts
	found, missing int
}

// object visits the strings of an object.
func (d *duplicates) object(v uint32) {
	t := d.h.Type(v)
	if t == nil || t.Size <= 0 || !t.flat {
		return
	}
	at := d.h.slotOf(v)
	s := d.h.spanOf(at)
	mem := s.contents(at)
	if mem == nil || !slices.ContainsFunc(t.slots, func(f slot) bool { return f.kind == slotString }) {
		return
	}
	for mem = mem[s.payload():]; len(mem) >= int(t.Size); mem = mem[t.Size:] {
		for _, f := range t.slots {
			if f.kind == slotString && int(f.off)+16 <= len(mem) {
				d.text(v, binary.LittleEndian.Uint64(mem[f.off:]), binary.LittleEndian.Uint64(mem[f.off+8:]))
			}
		}
		if !d.h.isArray(v) && t.Role == RoleNone {
			return
		}
	}
}

// text counts the string of n bytes at p.
func (d *duplicates) text(v uint32, p, n uint64) {
	slot, s := d.h.find(p)
	if s == nil || n == 0 || n > s.elem || d.seen[p] {
		return
	}
	if off := p - s.base - uint64(slot-s.first)*s.elem; off+n > s.elem {
		return
	}
	b, err := d.h.mem.mem.Bytes(p, int(n))
	if err != nil {
		d.missing++
		return
	}
	d.found++
	d.seen[p] = true
	key := maphash.Bytes(d.seed, b)
	if x := d.texts[key]; x != nil {
		x.Count++
		return
	}
	d.texts[key] = &Duplicate{Text: string(b[:min(len(b), shownText)]), Length: int(n), Count: 1, Vertex: v}
}
