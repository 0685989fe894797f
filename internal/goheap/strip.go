package goheap

import (
	"fmt"
)

// In a stripped program the few variables of the runtime that are needed are
// found by their shape.

// findModule finds runtime.firstmoduledata: it has a section of its own since
// 1.26; before, it is among the data, and begins with the address of the table
// of functions.
func (p *Program) findModule(m *reader, bias uint64) (uint64, error) {
	if s := p.find(".go.module"); s != nil && s.addr != 0 {
		return s.addr + bias, nil
	}
	want := uint64(0)
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := p.find(name); s != nil {
			want = s.addr + bias
		}
	}
	for _, name := range []string{".noptrdata", ".data"} {
		base, b := p.sectionMemory(m, name, bias)
		for o := uint64(0); want != 0 && o+p.layout.moduleSize() <= uint64(len(b)); o += 8 {
			if le64(b, o) == want && le64(b, o+p.layout.Module.Text)>>47 == 0 && le64(b, o+p.layout.Module.Text) < le64(b, o+p.layout.Module.EText) {
				return base + o, nil
			}
		}
	}
	return 0, fmt.Errorf("%w: runtime.firstmoduledata cannot be found without DWARF", ErrVersion)
}

// moduleSize is how much of a moduledata is looked at.
func (l *layout) moduleSize() uint64 { return l.Module.Next + 8 }

// sectionMemory reads what a section of the file became in memory.
func (p *Program) sectionMemory(m *reader, name string, bias uint64) (base uint64, b []byte) {
	s := p.find(name)
	if s == nil || s.addr == 0 || s.size > 1<<30 {
		return 0, nil
	}
	return s.addr + bias, m.piece(s.addr+bias, s.size&^7)
}

// search finds runtime.mheap_ by its list of spans and runtime.allgs by its
// first goroutine.
func (v *heapView) search(p *Program) error {
	base, b := p.sectionMemory(v.mem, ".bss", v.bias)
	l := p.layout
	for o := uint64(0); o+24 <= uint64(len(b)); o += 8 {
		list, n, c := le64(b, o), le64(b, o+8), le64(b, o+16)
		if list == 0 || list&7 != 0 || n == 0 || n > c || c > 1<<32 || list>>47 != 0 || !v.mem.has(list) {
			continue
		}
		if _, ok := v.symbols["runtime.mheap_"]; !ok && o >= l.Heap.AllSpans && v.spansAt(l, list, n) {
			v.symbols["runtime.mheap_"] = base + o - l.Heap.AllSpans
		}
		if _, ok := v.symbols["runtime.allgs"]; !ok && v.goroutinesAt(l, list) {
			v.symbols["runtime.allgs"] = base + o
		}
	}
	for _, name := range []string{"runtime.mheap_", "runtime.allgs"} {
		if _, ok := v.symbols[name]; !ok {
			return fmt.Errorf("%w: %s cannot be found without DWARF", ErrVersion, name)
		}
	}
	return nil
}

// spansAt tells whether a list is one of spans.
func (v *heapView) spansAt(l *layout, list, n uint64) bool {
	const look = 16
	if n < look {
		return false
	}
	m, o := v.mem, &l.Span
	for i := range uint64(look) {
		s := m.u64(list + i*8)
		if s == 0 || s&7 != 0 || !m.has(s) {
			return false
		}
		start, pages, elem := m.u64(s+o.Start), m.u64(s+o.Pages), m.u64(s+o.ElemSize)
		if start&(1<<pageShift-1) != 0 || start>>47 != 0 || pages >= 1<<24 || elem > pages<<pageShift || start == 0 && pages != 0 {
			return false
		}
	}
	return true
}

// goroutinesAt tells whether a list is one of goroutines: the first has the
// number 1 and a stack.
func (v *heapView) goroutinesAt(l *layout, list uint64) bool {
	g := v.mem.u64(list)
	if g == 0 || g&7 != 0 || g>>47 != 0 || !v.mem.has(g) {
		return false
	}
	lo, hi := v.mem.u64(g+l.G.Lo), v.mem.u64(g+l.G.Hi)
	return v.mem.u64(g+l.G.ID) == 1 && hi > lo && hi-lo < 1<<30
}
