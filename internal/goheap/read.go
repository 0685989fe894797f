package goheap

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"math/bits"
	"sync"

	"github.com/profoundhq/profound/internal/proc"
)

// reading is what a Heap keeps to answer questions about names.
type reading struct {
	*heapView
	list   []root
	marks  *marks
	types  []*Type  // by id
	parts  []bool   // type id -> it is a part of a map
	of     []uint32 // object -> type id
	array  []uint64 // bit per object
	hidden map[uint32]bool
	inner  map[uint64]uint32
}

// bias is how far the program was moved when it was loaded.
func (p *Program) bias(img proc.Image) (uint64, error) {
	entry := img.Info().Entry
	switch {
	case !p.pie && entry != 0 && entry != p.entry:
		return 0, fmt.Errorf("%w: it began at %#x, the program begins at %#x; was the file replaced since the start?", ErrProgram, entry, p.entry)
	case !p.pie:
		return 0, nil
	case entry == 0:
		return 0, fmt.Errorf("%w: the program is position independent, and the image does not tell its entry point", ErrMemory)
	}
	return entry - p.entry, nil
}

// open makes the readers of one image: memory, modules, spans; with tables,
// those of functions too.
func (p *Program) open(img proc.Image, tables bool) (*heapView, error) {
	bias, err := p.bias(img)
	if err != nil {
		return nil, err
	}
	m := newReader(&fileMemory{img, p, bias})
	tt := newTypeTable(p.dwarf, p.layout)
	v := &heapView{mem: m, bias: bias, symbols: map[string]uint64{}, sites: map[uint64]*Type{}}
	for name, a := range p.symbols {
		v.symbols[name] = a + bias
	}
	first, ok := v.global("runtime.firstmoduledata")
	if !ok {
		if first, err = p.findModule(m, bias); err != nil {
			return nil, err
		}
	}
	if v.modules, err = readModules(m, p.layout, first, tables); err != nil {
		return nil, err
	}
	if p.Stripped {
		if err := v.search(p); err != nil {
			return nil, err
		}
	}
	fs := &functions{modules: v.modules, lay: p.layout, quantum: 1, cache: map[uint64]*function{}, lines: map[uint64][]Frame{}}
	if p.machine == elf.EM_AARCH64 {
		fs.quantum = 4
	}
	if tables {
		if err := p.same(fs, bias); err != nil {
			return nil, err
		}
	}
	v.types = &abiTypes{typeTable: tt, mem: m, modules: v.modules, bias: bias}
	v.locals = &localFinder{typeTable: tt, bias: bias, cache: map[dwarf.Offset][]variable{}}
	v.frames = &frames{functions: fs, mem: m, locals: v.locals, arm: p.machine == elf.EM_AARCH64, cache: map[frameKey]*frameInfo{}}
	mheap, ok := v.global("runtime.mheap_")
	if !ok {
		return nil, fmt.Errorf("%w: it has no runtime.mheap_", ErrVersion)
	}
	v.heap, err = readHeap(m, p.layout, mheap, img.Mappings())
	return v, err
}

// same checks that the process runs this very program: functions of DWARF must
// be where the process has functions.
func (p *Program) same(fs *functions, bias uint64) error {
	const look = 64
	n, bad := len(p.dwarf.funcs), 0
	for i := range min(look, n) {
		lo := p.dwarf.funcs[i*n/min(look, n)].lo + bias
		if f := fs.at(lo); f == nil || f.entry != lo {
			bad++
		}
	}
	if bad > look/4 {
		return fmt.Errorf("%w: of %d functions of the program %d are elsewhere in the process; was the file replaced since the start?", ErrProgram, min(look, n), bad)
	}
	return nil
}

// Read reads the heap out of an image.
func Read(p *Program, img proc.Image, o Options) (*Heap, error) {
	o = o.filled()
	o.Progress("spans", 0)
	v, err := p.open(img, true)
	if err != nil {
		return nil, fmt.Errorf("read heap: %w", err)
	}
	if err := v.need(o, nil); err != nil {
		return nil, fmt.Errorf("read heap: %w", err)
	}
	v.load(v.mem)
	v.readMasks(v.mem)
	o.Progress("roots", 0.1)
	rs, specials, err := v.readRoots(img.Threads())
	if err != nil {
		return nil, fmt.Errorf("read heap: %w", err)
	}
	// Marking and typing look at the same objects and share nothing they change.
	o.Progress("objects and types", 0.2)
	ty := newTyping(v)
	var mk *marks
	var wg sync.WaitGroup
	wg.Go(func() { mk = v.mark(rs.list, rs.hidden, max(1, o.Workers-1)) })
	ty.run(rs.list)
	ty.functions(rs.list)
	ty.sampled(specials)
	wg.Wait()
	ty.ofRuntime(rs.list)
	v.markFinalized(rs, mk)
	mk.rank()
	o.Progress("references", 0.8)
	h := &Heap{FirstObject: uint32(len(rs.list)), Goroutines: rs.gs, Stats: rs.stats,
		reading: &reading{heapView: v, list: rs.list, marks: mk, hidden: rs.hidden, inner: ty.inner}}
	if h.Graph, err = v.build(rs.list, rs.hidden, mk, o.Workers); err != nil {
		return nil, fmt.Errorf("read heap: %w", err)
	}
	h.takeTypes(ty)
	h.groupGoroutines()
	h.clock()
	h.samples(specials)
	h.count()
	h.warn(p, img)
	o.Progress("done", 1)
	return h, nil
}

// filled puts in what the zero value means.
func (o Options) filled() Options {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Progress == nil {
		o.Progress = func(string, float64) {}
	}
	return o
}

// readRoots reads all roots.
func (v *heapView) readRoots(threads []proc.Thread) (*roots, []special, error) {
	rs := newRoots(v)
	rs.variables()
	if err := rs.goroutines(threads); err != nil {
		return nil, nil, err
	}
	specials := v.readSpecials(v.mem)
	rs.specialRoots(specials)
	rs.queueRoots()
	rs.timerRoots()
	return rs, specials, nil
}

// clock finds the latest time anything has noted: a goroutine that began to
// wait, the last poll of the network, the last collection.
func (h *Heap) clock() {
	for i := range h.Goroutines {
		h.Clock = max(h.Clock, h.Goroutines[i].Since)
	}
	if a, ok := h.global("runtime.sched"); ok && h.lay.Sched.LastPoll != absent {
		h.Clock = max(h.Clock, int64(h.mem.u64(a+h.lay.Sched.LastPoll)))
	}
	if a, ok := h.global("runtime.memstats"); ok && h.lay.MStats.LastGC != absent {
		h.Clock = max(h.Clock, int64(h.mem.u64(a+h.lay.MStats.LastGC)))
	}
}

// takeTypes brings the types from slots to objects.
func (h *Heap) takeTypes(ty *typing) {
	h.reading.types = ty.types.all
	h.parts = make([]bool, len(ty.types.all))
	for id, t := range ty.types.all {
		h.parts[id] = t != nil && t.insideMap()
	}
	h.of = make([]uint32, h.marks.count)
	h.array = make([]uint64, h.marks.count/64+1)
	n := uint32(0)
	for w, b := range h.marks.bits {
		for ; b != 0; b &= b - 1 {
			slot := uint32(w)*64 + uint32(bits.TrailingZeros64(b))
			h.of[n] = ty.of[slot]
			if hasBit(ty.array, slot) {
				setBit(h.array, n)
			}
			n++
		}
	}
	// Counted here, where the bitmaps and the types are at hand.
	st := &h.Stats
	st.Spans = len(h.spans)
	for i := range h.spans {
		s := &h.spans[i]
		h.marks.each(s, func(slot uint32) {
			st.Objects++
			st.Bytes += s.elem
			if !h.allocated(slot) {
				st.Free++
			}
			switch _, refused := ty.refused[slot]; {
			case ty.of[slot] == 0 && refused:
				st.MaskDisagree++
			case ty.of[slot] != 0:
				st.Typed++
				st.TypedBytes += s.elem
				if s.mode == scanBitmap {
					st.MaskAgree++
				}
			}
		})
	}
}

// count compares what was reached with what the allocator has given out.
func (h *Heap) count() {
	st := &h.Stats
	for i, w := range h.alloc {
		st.Allocated += uint64(bits.OnesCount64(w))
		if missed := w &^ h.marks.bits[i]; missed != 0 {
			n := uint64(bits.OnesCount64(missed))
			st.Missed += n
			st.MissedBytes += n * h.spans[h.owner[i]].elem
		}
	}
}

// warn lists what is weaker than it could be.
func (h *Heap) warn(p *Program, img proc.Image) {
	h.Warnings = append(h.Warnings, img.Info().Warnings...)
	h.Warnings = append(h.Warnings, p.warnings...)
	for _, d := range h.modules {
		h.Warnings = append(h.Warnings, d.warnings...)
	}
	add := func(format string, args ...any) { h.Warnings = append(h.Warnings, fmt.Errorf(format, args...)) }
	if h.missing > 0 {
		add("%d bytes of objects with pointers are not in the image: what they refer to may be missing", h.missing)
	}
	if h.unknown > 0 {
		add("%d spans are user arenas, whose pointers are not known: every word that looks like one is taken for one", h.unknown)
	}
	if h.maskless > 0 {
		add("the pointers of %d objects are not known, mostly of types made while the program ran: every word of theirs that looks like one is taken for one", h.maskless)
	}
	if h.Stats.Free > 0 {
		add("%d objects that are referred to were not given out by the allocator", h.Stats.Free)
	}
	if h.ProfileRate == 0 {
		h.Warnings = append(h.Warnings, errors.New("there is no memory profile, so no allocation stacks: the program does not refer to runtime/pprof or net/http/pprof, or has set runtime.MemProfileRate to 0"))
	}
}
