package goheap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sort"

	"github.com/profoundhq/profound/internal/proc"
)

const (
	pageShift  = 13 // of the runtime's pages
	arenaShift = 26 // of the pieces the page table is made of
	arenaPages = 1 << (arenaShift - pageShift)
	maxSpans   = 1 << 27
)

// scanMode is how the runtime knows the pointers of the objects in a span;
// see runtime/mbitmap.go.
type scanMode uint8

const (
	scanNone   scanMode = iota // no pointers
	scanBitmap                 // up to 512 bytes: a bitmap at the end of the span
	scanHeader                 // the address of the type before the object
	scanLarge                  // one object, its type in the span
	scanWords                  // not known: every word may be a pointer (user arenas)
)

// span is a run of pages with objects of one size.
type span struct {
	base, size uint64 // bytes; size is a multiple of the page
	elem       uint64 // bytes of a slot
	first      uint32 // number of the first slot, a multiple of 64
	count      uint32 // slots
	div        uint32 // offset*div>>32 is offset/elem
	mode       scanMode
	freeIndex  uint32 // slots below are given out
	mem        []byte // contents; nil if without pointers
	bitmap     uint64 // offset in mem
	largeType  uint64
	specials   uint64
	allocBits  uint64
	pinned     bool // one of its objects is in heap.pinned
}

// heap is the table of spans. Slots are numbered through all spans; the slots
// of a span begin at a multiple of 64, so that bits of spans do not share a word.
type heap struct {
	lay   *layout
	spans []span
	// arenas finds the span of a page: by the high bits of the address less
	// arenaBase, then by the page. Spans are numbered from 1.
	arenas    [][]uint32
	arenaBase uint64
	slots     uint32   // numbers given out, a multiple of 64
	owner     []uint32 // slot/64 -> index of the span
	alloc     []uint64 // bit per slot: given out by the allocator
	types     map[uint64]*ptrMask
	// pinned are slots that only roots refer to in the graph; see roots.pin.
	pinned  map[uint32]bool
	missing uint64 // bytes of objects with pointers that are not there
	unknown int    // spans in mode scanWords
	// maskless counts objects of types whose mask is not there: package reflect
	// keeps those of the types it makes in memory that is not copied.
	maskless int
	largest  uint64 // bytes of the largest slot
}

// ptrMask is where the pointers of an abi.Type are.
type ptrMask struct {
	size uint64 // of the type
	ptrs uint64 // bytes that may hold pointers
	mask []byte // a bit a word
}

// readHeap reads the table of spans. Contents come later, see load.
func readHeap(m *reader, l *layout, mheap uint64, maps []proc.Mapping) (*heap, error) {
	h := &heap{lay: l, types: map[uint64]*ptrMask{}, pinned: map[uint32]bool{}}
	all, n := m.slice(mheap+l.Heap.AllSpans, 8)
	if n == 0 || n > maxSpans || !m.has(all) {
		return nil, fmt.Errorf("%w: runtime.mheap_.allspans (%d spans at %#x)", ErrMemory, n, all)
	}
	inUse := uint8(l.constant(1, "runtime.mSpanInUse"))
	small := uint64(l.constant(512, "runtime.minSizeForMallocHeader", "internal/runtime/gc.MinSizeForMallocHeader"))
	list := m.piece(all, n*8)
	if list == nil {
		return nil, fmt.Errorf("%w: runtime.mheap_.allspans (%d spans at %#x)", ErrMemory, n, all)
	}
	for i := range n {
		at := binary.LittleEndian.Uint64(list[i*8:])
		if m.u8(at+l.Span.State) != inUse {
			continue
		}
		if s, ok := h.readSpan(m, at, small); ok && mapped(maps, s.base, s.base+s.size) {
			h.spans = append(h.spans, s)
		}
	}
	if len(h.spans) == 0 {
		return nil, fmt.Errorf("%w: none of %d spans is in use", ErrMemory, n)
	}
	sort.Slice(h.spans, func(i, j int) bool { return h.spans[i].base < h.spans[j].base })
	return h, h.number(m)
}

// mapped tells whether the addresses are readable memory, as far as that is
// known: a damaged span may claim to be of any size.
func mapped(maps []proc.Mapping, lo, hi uint64) bool {
	if len(maps) == 0 {
		return hi-lo <= 1<<36
	}
	i := sort.Search(len(maps), func(i int) bool { return maps[i].End > lo })
	for ; i < len(maps) && maps[i].Start <= lo && maps[i].Perm&proc.Read != 0; i++ {
		if lo = maps[i].End; lo >= hi {
			return true
		}
	}
	return false
}

// readSpan reads one runtime.mspan; not ok if it makes no sense.
func (h *heap) readSpan(m *reader, at, small uint64) (s span, ok bool) {
	o := &h.lay.Span
	number := func(off uint64) uint32 {
		if o.ScanIndex == o.Elems+2 { // 16 bits since 1.22
			return uint32(m.u16(at + off))
		}
		return uint32(min(m.u64(at+off), 1<<30))
	}
	class := m.u8(at + o.Class)
	s = span{base: m.u64(at + o.Start), size: m.u64(at+o.Pages) << pageShift, elem: m.u64(at + o.ElemSize), count: number(o.Elems),
		div: m.u32(at + o.Div), freeIndex: number(o.FreeIndex), specials: m.u64(at + o.Specials), allocBits: m.u64(at + o.AllocBits)}
	if s.elem == 0 || s.elem%8 != 0 || s.count == 0 || s.size == 0 || s.size > 1<<46 || s.base%(1<<pageShift) != 0 || s.base>>47 != 0 || uint64(s.count)*s.elem > s.size {
		return s, false
	}
	if s.count > 1 && s.size >= 1<<32 {
		return s, false
	}
	switch {
	case o.UserArena != absent && m.u8(at+o.UserArena) != 0:
		s.mode = scanWords
		h.unknown++
	case class&1 != 0:
		s.mode = scanNone
	case s.elem <= small:
		s.mode = scanBitmap
		if s.bitmap = s.size - s.size/64; s.elem >= 16 {
			s.bitmap -= h.lay.inlineMarks
		}
		if uint64(s.count)*s.elem > s.bitmap {
			return s, false
		}
	case class>>1 != 0:
		s.mode = scanHeader
	default:
		s.mode, s.largeType = scanLarge, m.u64(at+o.LargeType)
	}
	return s, true
}

// number gives the slots their numbers, makes the page table and reads which
// slots are given out.
func (h *heap) number(m *reader) error {
	words, end := uint64(0), uint64(0)
	keep := h.spans[:0]
	for _, s := range h.spans {
		if s.base < end {
			continue // overlaps the span before: read while it changed
		}
		end, h.largest = s.base+s.size, max(h.largest, s.elem)
		words += uint64(s.count+63) / 64
		keep = append(keep, s)
	}
	h.arenaBase = h.spans[0].base >> arenaShift
	arenas := (end-1)>>arenaShift - h.arenaBase + 1
	if arenas > 1<<22 {
		return fmt.Errorf("%w: the heap spans addresses from %#x to %#x, which cannot be", ErrMemory, h.spans[0].base, end)
	}
	h.arenas = make([][]uint32, arenas)
	if h.spans = slices.Clone(keep); words > 1<<26 { // without room to grow
		return errors.New("the heap has more than 4 G slots, more than can be numbered")
	}
	h.owner, h.alloc = make([]uint32, words), make([]uint64, words)
	for i := range h.spans {
		s := &h.spans[i]
		s.first = h.slots
		for w := range (s.count + 63) / 64 {
			h.owner[h.slots/64+w] = uint32(i)
		}
		h.slots += (s.count + 63) &^ 63
		h.numberPages(s, uint32(i)+1)
		h.readAlloc(m, s)
	}
	return nil
}

// numberPages puts the number of a span into the page table. The arenas that
// are all its own share one part of the table: the size of a span is what the
// image claims.
func (h *heap) numberPages(s *span, no uint32) {
	var whole []uint32
	for p, end := s.base>>pageShift, (s.base+s.size)>>pageShift; p < end; {
		a := &h.arenas[p>>(arenaShift-pageShift)-h.arenaBase]
		from := p % arenaPages
		to := min(arenaPages, from+end-p)
		p += to - from
		if to-from == arenaPages && whole != nil {
			*a = whole
			continue
		}
		if *a == nil {
			*a = make([]uint32, arenaPages)
		}
		for i := from; i < to; i++ {
			(*a)[i] = no
		}
		if to-from == arenaPages {
			whole = *a
		}
	}
}

// readAlloc sets the bits of the slots that are given out: all below the free
// index, and above it those whose bit the last sweep has set.
func (h *heap) readAlloc(m *reader, s *span) {
	n := (int(s.count) + 7) / 8
	var raw []byte
	if s.allocBits != 0 {
		raw = m.bytes(s.allocBits, n)
	}
	out := h.alloc[s.first/64:]
	for k := range s.count {
		if k < s.freeIndex || raw != nil && raw[k/8]>>(k%8)&1 != 0 {
			out[k/64] |= 1 << (k % 64)
		}
	}
}

// allocated tells whether a slot is given out.
func (h *heap) allocated(slot uint32) bool { return h.alloc[slot/64]>>(slot%64)&1 != 0 }

// find gives the slot an address points into, and its span; nil if there is none.
func (h *heap) find(p uint64) (slot uint32, s *span) {
	a := p>>arenaShift - h.arenaBase
	if a >= uint64(len(h.arenas)) || h.arenas[a] == nil {
		return 0, nil
	}
	i := h.arenas[a][p>>pageShift%arenaPages]
	if i == 0 {
		return 0, nil
	}
	s = &h.spans[i-1]
	k := uint32(0)
	if s.count > 1 {
		k = uint32((p - s.base) * uint64(s.div) >> 32)
	}
	if k >= s.count {
		return 0, nil
	}
	return s.first + k, s
}

// spanOf gives the span of a slot.
func (h *heap) spanOf(slot uint32) *span { return &h.spans[h.owner[slot/64]] }

// addr gives the address of a slot.
func (h *heap) addr(slot uint32) uint64 {
	s := h.spanOf(slot)
	return s.base + uint64(slot-s.first)*s.elem
}

// contents gives the bytes of a slot; nil if they were not read.
func (s *span) contents(slot uint32) []byte {
	if s.mem == nil {
		return nil
	}
	o := uint64(slot-s.first) * s.elem
	return s.mem[o : o+s.elem]
}

// payload is where in the slot the object begins: behind the header.
func (s *span) payload() uint64 {
	if s.mode == scanHeader {
		return 8
	}
	return 0
}

// header gives the address of the type the runtime has noted for an object,
// 0 if it has none.
func (s *span) header(slot uint32) uint64 {
	switch s.mode {
	case scanHeader:
		return binary.LittleEndian.Uint64(s.contents(slot))
	case scanLarge:
		return s.largeType
	}
	return 0
}

// load reads the contents of the spans with pointers, views where the memory
// lies in one piece. What is missing reads as zero and is counted.
func (h *heap) load(m *reader) {
	for i := range h.spans {
		s := &h.spans[i]
		if s.mode == scanNone {
			continue
		}
		before := m.missing
		if s.mem = m.piece(s.base, s.size); s.mem == nil {
			s.mode, h.missing = scanNone, h.missing+s.size
			continue
		}
		h.missing += uint64(m.missing-before) * filePage
	}
}

// bitmapAt gives the pointer bits of a small object, the first word lowest.
func (s *span) bitmapAt(slot uint32) uint64 {
	word := uint64(slot-s.first) * s.elem / 8
	at, shift, n := s.bitmap+word/64*8, word%64, s.elem/8
	v := binary.LittleEndian.Uint64(s.mem[at:]) >> shift
	if shift+n > 64 && at+16 <= s.size {
		v |= binary.LittleEndian.Uint64(s.mem[at+8:]) << (64 - shift)
	}
	if n < 64 {
		v &= 1<<n - 1
	}
	return v
}

// mask reads where a type has pointers, nil if that makes no sense. It is
// called for all types before several goroutines use the table.
func (h *heap) mask(m *reader, typ uint64) *ptrMask {
	if g, ok := h.types[typ]; ok {
		return g
	}
	h.types[typ] = nil
	o := &h.lay.Type
	if !m.has(typ) {
		return nil
	}
	g := &ptrMask{size: m.u64(typ + o.Bytes), ptrs: m.u64(typ + o.PtrBytes)}
	data := m.u64(typ + o.GCData)
	if flag := h.lay.constant(0, "internal/abi.TFlagGCMaskOnDemand"); int64(m.u8(typ+o.TFlag))&flag != 0 {
		data = m.u64(data) // built when it was first needed
	}
	if g.size == 0 || g.size > 1<<40 || g.ptrs > g.size || g.ptrs > h.largest || data == 0 || !m.has(data) {
		return nil
	}
	g.size = (g.size + 7) &^ 7
	if g.mask = m.piece(data, g.ptrs/64+8); g.mask == nil {
		return nil
	}
	h.types[typ] = g
	return g
}

// readMasks reads the masks of all types that objects are marked with.
func (h *heap) readMasks(m *reader) {
	for i := range h.spans {
		s := &h.spans[i]
		if s.mode != scanHeader && s.mode != scanLarge {
			continue
		}
		for k := range s.count {
			slot := s.first + k
			if !h.allocated(slot) {
				continue
			}
			if t := s.header(slot); h.mask(m, t) == nil && t != 0 {
				h.maskless++
			}
		}
	}
}

// pointers appends the words of an object that may lead into the heap, and
// the offsets of the words in the slot.
func (h *heap) pointers(s *span, slot uint32, visit func(off, p uint64)) {
	mem := s.contents(slot)
	switch s.mode {
	case scanBitmap:
		for v := s.bitmapAt(slot); v != 0; v &= v - 1 {
			o := uint64(bits.TrailingZeros64(v)) * 8
			if p := binary.LittleEndian.Uint64(mem[o:]); p != 0 {
				visit(o, p)
			}
		}
	case scanHeader, scanLarge:
		t := s.header(slot)
		if t == 0 { // about to be made
			return
		}
		g := h.types[t]
		if g == nil {
			h.words(mem, s.payload(), visit)
			return
		}
		for at := s.payload(); at < s.elem; at += g.size {
			g.each(mem, at, min(at+g.ptrs, s.elem), visit)
		}
	case scanWords:
		h.words(mem, 0, visit)
	}
}

// words visits the words that lead to an object that is given out; they may be
// pointers or not.
func (h *heap) words(mem []byte, from uint64, visit func(off, p uint64)) {
	for o := from; o+8 <= uint64(len(mem)); o += 8 {
		p := binary.LittleEndian.Uint64(mem[o:])
		if slot, s := h.find(p); s != nil && h.allocated(slot) {
			visit(o, p)
		}
	}
}

// each visits the pointers of one value, which lies at lo.
func (g *ptrMask) each(mem []byte, lo, hi uint64, visit func(off, p uint64)) {
	for base, i := lo, 0; base < hi; base, i = base+512, i+8 {
		v := binary.LittleEndian.Uint64(g.mask[i:])
		for ; v != 0; v &= v - 1 {
			o := base + uint64(bits.TrailingZeros64(v))*8
			if o+8 > hi {
				return
			}
			if p := binary.LittleEndian.Uint64(mem[o:]); p != 0 {
				visit(o, p)
			}
		}
	}
}
