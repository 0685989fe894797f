package proc

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
)

// Piece is contiguous memory at an address.
type Piece struct {
	Addr uint64
	Data []byte
}

// End is the first address behind the piece.
func (p *Piece) End() uint64 { return p.Addr + uint64(len(p.Data)) }

// hole is memory the process had and the image has not.
type hole struct {
	Range
	why string
}

// space is memory made of pieces. It is immutable once made.
type space struct {
	pieces []Piece // by address, never overlapping, none empty
	holes  []hole  // by address; they may overlap pieces, which win
}

// newSpace makes memory of layers of pieces. Where layers overlap, the earlier
// one wins; within a layer, the piece that begins at the lower address.
func newSpace(holes []hole, layers ...[]Piece) *space {
	s := &space{holes: slices.Clone(holes)}
	slices.SortStableFunc(s.holes, func(a, b hole) int { return cmp.Compare(a.Start, b.Start) })
	for _, l := range layers {
		s.pieces = overlay(s.pieces, flat(l))
	}
	return s
}

// flat sorts pieces and cuts off what overlaps.
func flat(pieces []Piece) []Piece {
	pieces = slices.Clone(pieces)
	slices.SortStableFunc(pieces, func(a, b Piece) int { return cmp.Compare(a.Addr, b.Addr) })
	out := pieces[:0]
	at := uint64(0)
	for _, p := range pieces {
		p = p.from(at)
		if len(p.Data) > 0 && p.End() > p.Addr {
			out = append(out, p)
			at = p.End()
		}
	}
	return out
}

// from cuts off what lies before an address.
func (p Piece) from(addr uint64) Piece {
	if p.Addr >= addr {
		return p
	}
	n := min(addr-p.Addr, uint64(len(p.Data)))
	return Piece{p.Addr + n, p.Data[n:]}
}

// overlay adds to the upper pieces the parts of the lower that they do not
// cover. Both are flat.
func overlay(upper, lower []Piece) []Piece {
	if len(upper) == 0 {
		return lower
	}
	out := make([]Piece, 0, len(upper)+len(lower))
	for _, l := range lower {
		for len(upper) > 0 && len(l.Data) > 0 && upper[0].Addr < l.End() {
			if u := upper[0]; u.Addr > l.Addr {
				n := u.Addr - l.Addr
				out = append(out, Piece{l.Addr, l.Data[:n:n]})
				l = l.from(u.Addr)
				continue
			}
			if l = l.from(upper[0].End()); len(l.Data) > 0 || upper[0].End() <= l.Addr {
				out = append(out, upper[0])
				upper = upper[1:]
			}
		}
		if len(l.Data) > 0 {
			out = append(out, l)
		}
	}
	return append(out, upper...)
}

// find is the index of the first piece that ends behind addr.
func (s *space) find(addr uint64) int {
	return sort.Search(len(s.pieces), func(i int) bool { return s.pieces[i].End() > addr })
}

// Bytes implements Memory.
func (s *space) Bytes(addr uint64, n int) ([]byte, error) {
	if n <= 0 {
		return nil, badLength(addr, n)
	}
	i := s.find(addr)
	if i < len(s.pieces) {
		if p := &s.pieces[i]; addr >= p.Addr {
			if off := addr - p.Addr; uint64(n) <= uint64(len(p.Data))-off {
				return p.Data[off : off+uint64(n) : off+uint64(n)], nil
			}
		}
	}
	// Count before allocating: n can be nonsense.
	if have := s.reach(i, addr, n); have < n {
		return nil, s.missing(addr, n, have)
	}
	b := make([]byte, n)
	_, err := s.ReadAt(b, addr)
	return b, err
}

// badLength answers an impossible length; none is nothing, and no error.
func badLength(addr uint64, n int) error {
	if n == 0 {
		return nil
	}
	return &MissingError{Addr: addr, Want: addr, N: n, Why: "a length below zero"}
}

// reach is how many of n bytes at addr are there without a gap; i is find(addr).
func (s *space) reach(i int, addr uint64, n int) int {
	at := addr
	for ; i < len(s.pieces) && s.pieces[i].Addr <= at && at-addr < uint64(n); i++ {
		at = s.pieces[i].End()
	}
	return int(min(at-addr, uint64(n)))
}

// ReadAt implements Memory.
func (s *space) ReadAt(b []byte, addr uint64) (int, error) {
	done := 0
	for i := s.find(addr); done < len(b); i++ {
		at := addr + uint64(done)
		if i >= len(s.pieces) || s.pieces[i].Addr > at {
			return done, s.missing(addr, len(b), done)
		}
		done += copy(b[done:], s.pieces[i].Data[at-s.pieces[i].Addr:])
	}
	return done, nil
}

// missing is the error for n bytes at addr of which only the first have are there.
func (s *space) missing(addr uint64, n, have int) error {
	e := &MissingError{Addr: addr + uint64(have), Want: addr, N: n}
	for _, h := range s.holes {
		if h.Start > e.Addr {
			break
		}
		if e.Addr < h.End {
			e.Why = h.why
		}
	}
	return e
}

// image is an Image whose memory is a space.
type image struct {
	*space
	info    Info
	maps    []Mapping
	threads []Thread
	held    []Range      // see own
	close   func() error // may be nil
}

// rangesOf lists where pieces are.
func rangesOf(pieces []Piece) []Range {
	out := make([]Range, len(pieces))
	for i, p := range pieces {
		out[i] = Range{p.Addr, p.End()}
	}
	return out
}

// NewImage makes an image of memory that is in pieces; where they overlap, the
// one with the lower address wins. The image keeps the slices.
func NewImage(info Info, maps []Mapping, threads []Thread, pieces []Piece) Image {
	s := newSpace(nil, pieces)
	return &image{space: s, info: info, maps: maps, threads: threads, held: rangesOf(s.pieces)}
}

// own is the memory an image holds itself, without that of files.
func (m *image) own() []Range { return m.held }

func (m *image) Info() Info          { return m.info }
func (m *image) Mappings() []Mapping { return m.maps }
func (m *image) Threads() []Thread   { return m.threads }

func (m *image) Close() error {
	if m.close == nil {
		return nil
	}
	c := m.close
	m.close = nil
	return c()
}

// regsSize is the length of the general register set of an architecture, as
// ptrace and core files have it: struct user_regs_struct and user_pt_regs.
func regsSize(arch string) int {
	if arch == "arm64" {
		return 34 * 8
	}
	return 27 * 8
}

// decodeRegs reads the general register set of an architecture. For arm64
// neither TLS nor Syscall are in it.
func decodeRegs(arch string, raw []byte) (Regs, error) {
	if len(raw) < regsSize(arch) {
		return Regs{}, fmt.Errorf("a register set of %d bytes, %s has %d", len(raw), arch, regsSize(arch))
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(raw[8*i:]) }
	var r Regs
	if arch == "arm64" {
		for i := range 32 { // x0-x30, sp
			r.General[i] = word(i)
		}
		r.FP, r.SP, r.PC, r.Syscall = word(29), word(31), word(32), -1
		return r, nil
	}
	// The kernel's order: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx
	// rsi rdi orig_rax rip cs eflags rsp ss fs_base ...
	for dwarf, i := range [16]int{10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0} {
		r.General[dwarf] = word(i)
	}
	r.FP, r.Syscall, r.PC, r.SP, r.TLS = word(4), int64(word(15)), word(16), word(19), word(21)
	if r.Syscall < 0 {
		r.Syscall = -1
	}
	return r, nil
}
