package goheap

import (
	"fmt"

	"github.com/profoundhq/profound/internal/proc"
)

// chunkSize is runtime.persistentChunkSize: records the runtime never frees
// (spans, specials, types' masks, tables of methods) lie in chunks of it.
const chunkSize = 256 << 10

// Plan tells what of the memory is needed to read the heap later: variables,
// stacks, the runtime's records and the spans whose objects have pointers. The
// contents of objects without pointers, such as strings and buffers, stay
// where they are unless Options.Contents asks for them.
func (p *Program) Plan(o Options) proc.Plan {
	return func(img proc.Image) ([]proc.Range, error) {
		out, err := p.plan(img, o)
		if err != nil {
			return nil, fmt.Errorf("plan the copy: %w", err)
		}
		return out, nil
	}
}

func (p *Program) plan(img proc.Image, o Options) ([]proc.Range, error) {
	v, err := p.open(img, false)
	if err != nil {
		return nil, err
	}
	var out []proc.Range
	add := func(lo, hi uint64) {
		if lo < hi {
			out = append(out, proc.Range{Start: lo, End: hi})
		}
	}
	for i := range p.segments {
		if s := &p.segments[i]; s.writable || o.SelfContained && !s.exec {
			add(s.addr+v.bias, s.addr+v.bias+s.size)
		}
	}
	for _, d := range v.modules {
		add(d.noptrdata, d.enoptrbss)
		add(d.addr, d.addr+4<<10)
		if o.SelfContained {
			add(d.tables.Start, d.tables.End)
			add(d.types, d.etypes)
		}
	}
	for i := range v.spans {
		s := &v.spans[i]
		if s.mode != scanNone || o.Contents {
			add(s.base, s.base+s.size)
		}
		if s.mode == scanLarge {
			v.mask(v.mem, s.largeType) // reading it is enough
		}
	}
	v.planChunks(add)
	v.planStacks(img.Threads(), add)
	if o.SelfContained {
		v.planSites()
	}
	return out, v.need(o, out)
}

// planChunks adds the chunks of records. Where the list of chunks cannot be
// found, reading the records is enough for the most part.
func (v *heapView) planChunks(add func(lo, hi uint64)) {
	at, ok := v.global("runtime.persistentChunks")
	if !ok {
		v.readSpecials(v.mem)
		return
	}
	for c, n := v.mem.u64(at), 0; c != 0 && n < 1<<20; n++ {
		add(c, c+chunkSize)
		c = v.mem.u64(c)
	}
}

// planStacks adds the used part of each goroutine's stack.
func (v *heapView) planStacks(threads []proc.Thread, add func(lo, hi uint64)) {
	at, ok := v.global("runtime.allgs")
	if !ok {
		return
	}
	list, n := v.mem.slice(at, 8)
	o := &v.lay.G
	for i := range min(n, maxList) {
		g := v.mem.u64(list + i*8)
		st := v.mem.u32(g+o.Status) &^ stateScan
		lo, hi := v.mem.u64(g+o.Lo), v.mem.u64(g+o.Hi)
		if stateName(st) == "" || hi <= lo || hi-lo > 1<<32 {
			continue
		}
		sp := v.mem.u64(g + o.SP)
		if s := v.mem.u64(g + o.SyscallSP); s != 0 {
			sp = s
		}
		if sp < lo || sp >= hi || st == stateRunning || st == stateCopy {
			sp = lo
		}
		for i := range threads {
			if t := threads[i].Regs.SP; t >= lo && t < sp {
				sp = t
			}
		}
		add(sp, hi)
		v.waiting(g, func(_, ch uint64) { v.mem.has(ch + v.lay.Chan.Elem) }) // one without a buffer lies among objects without pointers
	}
}

// planSites reads the instructions before the calls of the memory profile, so
// that allocation sites tell types without the executable.
func (v *heapView) planSites() {
	seen := map[uint64]bool{}
	for _, sp := range v.readSpecials(v.mem) {
		if sp.kind != specialProfile || seen[sp.bucket] {
			continue
		}
		seen[sp.bucket] = true
		for _, pc := range v.bucketStack(sp.bucket) {
			v.mem.has(pc - siteBytes)
			v.mem.has(pc)
		}
	}
}
