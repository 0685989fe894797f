package symbol

import (
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// mapping is a piece of a process's address space, as a profile stores it.
type mapping struct {
	start, limit, offset uint64 // bytes; [start, limit) shows the file from offset on
	kernelSym            string // symbol a kernel mapping starts at; empty: _stext
	addr                 uint64 // a sample address inside; 0 if none is known
}

// everything tells the stand-in mapping of a profile that has none: addresses
// are taken as they are.
func (m mapping) everything() bool {
	return m.start == 0 && m.offset == 0 && (m.limit == 0 || m.limit == ^uint64(0))
}

// Base returns the value to subtract from runtime addresses of the mapping
// [start, limit) at file offset offset (all in bytes) to get addresses of this
// object. It may wrap below zero: subtract modulo 2^64. kernelSym is the symbol
// at which a kernel mapping starts ("_text" or "_stext"); leave it empty
// for anything else.
func (o *Object) Base(start, limit, offset uint64, kernelSym string) (uint64, error) {
	return o.baseOf(mapping{start: start, limit: limit, offset: offset, kernelSym: kernelSym})
}

// BaseAt is Base for one sample address of the mapping. It decides between
// segments that share a page, where Base only answers if all agree.
func (o *Object) BaseAt(addr, start, limit, offset uint64, kernelSym string) (uint64, error) {
	return o.baseOf(mapping{start: start, limit: limit, offset: offset, kernelSym: kernelSym, addr: addr})
}

func (o *Object) baseOf(m mapping) (base uint64, err error) {
	err = guard(func() (err error) {
		base, err = o.img.base(m)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("base of %s for mapping [%#x, %#x) at offset %#x: %w", o.path, m.start, m.limit, m.offset, err)
	}
	return base, nil
}

// ToolBase is the value `go tool pprof` subtracts: the distance of start to
// the page of the first executable segment, whatever that mapping shows of the
// file. It equals Base for the usual mapping of a Go program.
func (o *Object) ToolBase(start uint64) uint64 {
	if start == 0 {
		return 0
	}
	load, err := o.img.loadAddress()
	if err != nil {
		return 0
	}
	return start - load
}

const (
	pageSize   = 4096
	kernelHalf = 1 << 63            // addresses of the kernel on 64-bit machines
	ppc64Pages = 0xc000000000000000 // PAGE_OFFSET of Linux on ppc64
)

// base computes the distance between link-time and runtime addresses from
// the segment the mapping shows: a runtime address x lies at file offset
// x - start + offset, which the segment places at
// x - start + offset - segment offset + segment address.
func (e *elfImage) base(m mapping) (uint64, error) {
	if m.everything() {
		return 0, nil
	}
	stext, err := e.kernelStart(m)
	if err != nil {
		return 0, err
	}
	seg, err := e.segmentOf(m, stext != nil)
	if err != nil {
		return 0, err
	}
	switch e.f.Type {
	case elf.ET_REL:
		if m.offset != 0 {
			return 0, errors.New("relocatable object mapped from its middle")
		}
		return m.start, nil
	case elf.ET_EXEC:
		if seg == nil {
			return 0, nil
		}
		if stext == nil && m.start > 0 && m.start < kernelHalf {
			return m.start - m.offset + seg.Off - seg.Vaddr, nil
		}
		if b, ok := kernelBase(m, seg, stext); ok {
			return b, nil
		}
		if m.start == 0 && m.limit != 0 && stext == nil {
			return m.start - seg.Vaddr, nil // kernel remapped to zero, its start symbol unknown
		}
		return 0, fmt.Errorf("no rule for an executable with its segment at %#x", seg.Vaddr)
	case elf.ET_DYN:
		if seg == nil {
			return m.start - m.offset, nil
		}
		if b, ok := kernelBase(m, seg, stext); ok {
			return b, nil
		}
		return m.start - m.offset + seg.Off - seg.Vaddr, nil
	}
	return 0, fmt.Errorf("no rule for ELF type %v", e.f.Type)
}

// kernelBase handles kernel images. Profilers give the address of _text or
// _stext as the start of the mapping, ChromeOS moves the kernel to page zero.
// The cases are those of google/pprof's elfexec.
func kernelBase(m mapping, seg *elf.ProgHeader, stext *uint64) (uint64, bool) {
	switch {
	case seg.Vaddr == m.start-m.offset:
		return m.offset, true
	case m.start == 0 && m.limit != 0 && stext != nil:
		return m.start - *stext, true
	case m.start >= kernelHalf && m.limit > m.start && (m.offset == 0 || m.offset == ppc64Pages || m.offset == m.start):
		if stext != nil && m.start%pageSize == *stext%pageSize {
			return m.start - *stext, true
		}
		return m.start - seg.Vaddr, true
	case m.start%pageSize != 0 && stext != nil && *stext%pageSize == m.start%pageSize:
		return m.start - *stext, true
	}
	return 0, false
}

// kernelStart returns the address of the kernel's start symbol if the file
// may be a kernel: by its name, or by a mapping that is not page aligned.
func (e *elfImage) kernelStart(m mapping) (*uint64, error) {
	if !strings.Contains(filepath.Base(e.path), "vmlinux") && (m.start|m.limit|m.offset)%pageSize == 0 {
		return nil, nil
	}
	syms, err := e.f.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("ELF symbol table: %w", err)
	}
	want := m.kernelSym
	if want == "" {
		want = "_stext"
	}
	for _, s := range syms {
		if s.Name == want {
			return &s.Value, nil
		}
	}
	return nil, nil
}

// segmentOf returns the segment the mapping shows; nil if the file has none.
func (e *elfImage) segmentOf(m mapping, kernel bool) (*elf.ProgHeader, error) {
	if kernel || m.start >= m.limit || m.limit >= kernelHalf {
		return e.textSegment(), nil
	}
	loads, matches := 0, []*elf.ProgHeader(nil)
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_LOAD {
			loads++
			if mayShow(m, &p.ProgHeader) {
				matches = append(matches, &p.ProgHeader)
			}
		}
	}
	switch {
	case loads == 0:
		return nil, nil // kernel module
	case len(matches) == 0:
		return nil, errors.New("no segment of the file lies there")
	case len(matches) == 1:
		return matches[0], nil
	}
	return pickSegment(m, matches)
}

// mayShow reports whether mapping m can be (part of) segment p as a loader
// maps it, in whole pages.
func mayShow(m mapping, p *elf.ProgHeader) bool {
	if p.Filesz == 0 {
		return false // its file offset means nothing
	}
	mapEnd, segEnd := m.offset+(m.limit-m.start), p.Off+p.Memsz
	if m.offset >= segEnd || p.Off >= mapEnd {
		return false
	}
	var first uint64 // file offset of the segment's first page
	if in := p.Vaddr % pageSize; p.Off > in {
		first = p.Off - in
	}
	if m.offset < first {
		return false
	}
	// Starts inside the last page of the segment, yet goes on for a page or
	// more behind it: the mapping belongs to the next segment.
	return !(m.offset > p.Off && segEnd < m.offset+pageSize && mapEnd >= segEnd+pageSize)
}

// pickSegment decides between several segments, by the sample address if
// there is one, else only if all give the same base.
func pickSegment(m mapping, segs []*elf.ProgHeader) (*elf.ProgHeader, error) {
	if m.addr != 0 {
		off := m.addr - m.start + m.offset
		var found *elf.ProgHeader
		for _, p := range segs {
			if off >= p.Off && off < p.Off+p.Memsz {
				if found != nil {
					return nil, fmt.Errorf("two segments hold file offset %#x", off)
				}
				found = p
			}
		}
		if found == nil {
			return nil, fmt.Errorf("no segment holds file offset %#x", off)
		}
		return found, nil
	}
	exec := segs[:0:0]
	same := true
	for _, p := range segs {
		same = same && p.Off-p.Vaddr == segs[0].Off-segs[0].Vaddr
		if p.Flags&elf.PF_X != 0 {
			exec = append(exec, p)
		}
	}
	switch {
	case same:
		return segs[0], nil
	case len(exec) == 1:
		return exec[0], nil // profiles sample code
	}
	return nil, fmt.Errorf("%d segments lie there and disagree", len(segs))
}

// textSegment is the executable segment around .text.
func (e *elfImage) textSegment() *elf.ProgHeader {
	s := e.f.Section(".text")
	if s == nil {
		return nil
	}
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && s.Addr >= p.Vaddr && s.Addr-p.Vaddr < p.Memsz {
			return &p.ProgHeader
		}
	}
	return nil
}
