package symbol

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// elfImage is an ELF file. f is read-only after newELF.
type elfImage struct {
	f    *elf.File
	size int64  // of the file in bytes
	path string // vmlinux is recognised by its name

	relocs func() []wordReloc
}

// wordReloc is a pointer word that the loader fills in (R_*_RELATIVE).
type wordReloc struct {
	addr  uint64 // of the word
	value uint64 // link-time value it gets
}

// newELF parses the headers. limit bounds the expanded size of compressed
// sections in bytes.
func newELF(r io.ReaderAt, size int64, path string, limit int64) (*elfImage, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("ELF header: %w", err)
	}
	var expanded uint64
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_COMPRESSED != 0 {
			expanded += s.Size
			if s.Size > uint64(limit) || expanded > uint64(limit) {
				return nil, fmt.Errorf("ELF section %s: compressed sections grow past %d bytes", s.Name, limit)
			}
		}
		if s.Type != elf.SHT_NOBITS && (s.Offset > uint64(size) || s.FileSize > uint64(size)-s.Offset) {
			return nil, fmt.Errorf("ELF section %s: [%#x, +%#x) lies past the end of the file", s.Name, s.Offset, s.FileSize)
		}
	}
	e := &elfImage{f: f, size: size, path: path}
	e.relocs = sync.OnceValue(e.readRelocs)
	return e, nil
}

func (e *elfImage) kind() string            { return "ELF" }
func (e *elfImage) order() binary.ByteOrder { return e.f.ByteOrder }

func (e *elfImage) ptrSize() int {
	if e.f.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

func (e *elfImage) goarch() string {
	little := e.f.Data == elf.ELFDATA2LSB
	switch e.f.Machine {
	case elf.EM_386:
		return "386"
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_LOONGARCH:
		return "loong64"
	case elf.EM_PPC64:
		if little {
			return "ppc64le"
		}
		return "ppc64"
	case elf.EM_RISCV:
		if e.f.Class == elf.ELFCLASS64 {
			return "riscv64"
		}
	case elf.EM_S390:
		return "s390x"
	case elf.EM_MIPS:
		switch {
		case e.f.Class == elf.ELFCLASS64 && little:
			return "mips64le"
		case e.f.Class == elf.ELFCLASS64:
			return "mips64"
		case little:
			return "mipsle"
		}
		return "mips"
	}
	return ""
}

func (e *elfImage) text() (span, bool) {
	s := e.f.Section(".text")
	if s == nil || s.Type == elf.SHT_NOBITS {
		return span{}, false
	}
	return span{addr: s.Addr, size: s.Size, exec: true}, true
}

// spans are the loadable segments, or the allocated sections of a file
// without any (a relocatable object).
func (e *elfImage) spans() []span {
	var out []span
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 {
			out = append(out, span{addr: p.Vaddr, size: p.Filesz, exec: p.Flags&elf.PF_X != 0})
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range e.f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS && s.Size > 0 {
			out = append(out, span{addr: s.Addr, size: s.Size, exec: s.Flags&elf.SHF_EXECINSTR != 0})
		}
	}
	return out
}

func (e *elfImage) readAt(p []byte, addr uint64) error {
	n := uint64(len(p))
	for _, g := range e.f.Progs {
		if g.Type == elf.PT_LOAD && addr >= g.Vaddr && addr-g.Vaddr <= g.Filesz && n <= g.Filesz-(addr-g.Vaddr) {
			return readFull(g, p, addr-g.Vaddr, addr)
		}
	}
	for _, s := range e.f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Flags&elf.SHF_COMPRESSED == 0 && s.Type != elf.SHT_NOBITS &&
			addr >= s.Addr && addr-s.Addr <= s.Size && n <= s.Size-(addr-s.Addr) {
			return readFull(s, p, addr-s.Addr, addr)
		}
	}
	return fmt.Errorf("addresses [%#x, +%#x) are not in the file", addr, n)
}

// readFull fills p from offset off of r; addr is for the error.
func readFull(r io.ReaderAt, p []byte, off, addr uint64) error {
	if n, err := r.ReadAt(p, int64(off)); n < len(p) {
		return fmt.Errorf("read %d bytes at address %#x: %w", len(p), addr, err)
	}
	return nil
}

func (e *elfImage) section(name string) ([]byte, uint64, error) {
	s := e.f.Section(name)
	if s == nil || s.Type == elf.SHT_NOBITS {
		return nil, 0, errNoSection
	}
	data, err := s.Data()
	if err != nil {
		return nil, 0, fmt.Errorf("section %s: %w", name, err)
	}
	return data, s.Addr, nil
}

// symbols returns .symtab, else .dynsym (which is all a stripped C library has).
func (e *elfImage) symbols() ([]rawSym, error) {
	syms, err := e.f.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		syms, err = e.f.DynamicSymbols()
	}
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("ELF symbol table: %w", err)
	}
	out := make([]rawSym, len(syms))
	for i, s := range syms {
		out[i] = rawSym{name: s.Name, addr: s.Value, size: s.Size, code: e.isCode(s)}
	}
	return out, nil
}

// isCode reports whether s lies in an executable section.
func (e *elfImage) isCode(s elf.Symbol) bool {
	if t := elf.ST_TYPE(s.Info); t == elf.STT_SECTION || t == elf.STT_FILE || t == elf.STT_TLS {
		return false
	}
	i := int(s.Section)
	return s.Section != elf.SHN_UNDEF && i < len(e.f.Sections) && e.f.Sections[i].Flags&elf.SHF_EXECINSTR != 0
}

func (e *elfImage) dwarf(limit int64) (*dwarf.Data, error) {
	for _, s := range e.f.Sections {
		if err := checkZdebug(s.Name, s, limit); err != nil {
			return nil, err
		}
	}
	return e.f.DWARF()
}

// checkZdebug looks into an old-style compressed section: "ZLIB", then the
// expanded size in 8 bytes, big endian. debug/elf and its siblings allocate
// that many bytes unseen.
func checkZdebug(name string, r io.ReaderAt, limit int64) error {
	if !strings.HasPrefix(name, ".zdebug") && !strings.HasPrefix(name, "__zdebug") {
		return nil
	}
	var h [12]byte
	if _, err := r.ReadAt(h[:], 0); err != nil || string(h[:4]) != "ZLIB" {
		return nil
	}
	if n := binary.BigEndian.Uint64(h[4:]); n > uint64(limit) {
		return fmt.Errorf("section %s: expands to %d bytes, limit %d", name, n, limit)
	}
	return nil
}

// loadAddress is the page start of the first executable segment.
func (e *elfImage) loadAddress() (uint64, error) {
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
			if p.Align == 0 {
				return p.Vaddr, nil
			}
			return p.Vaddr - p.Vaddr%p.Align, nil
		}
	}
	return 0, errors.New("ELF file has no executable segment")
}

// maxNotes bounds the bytes of one note segment that are looked at.
const maxNotes = 1 << 20

// note returns the descriptor of the first note of this owner and type, from
// segments first (they survive stripping of section headers), then sections.
func (e *elfImage) note(owner string, typ uint32) []byte {
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_NOTE {
			if d := findNote(readSome(p.Open()), p.Align, e.f.ByteOrder, owner, typ); d != nil {
				return d
			}
		}
	}
	for _, s := range e.f.Sections {
		if s.Type == elf.SHT_NOTE {
			if d := findNote(readSome(s.Open()), s.Addralign, e.f.ByteOrder, owner, typ); d != nil {
				return d
			}
		}
	}
	return nil
}

func readSome(r io.Reader) []byte {
	b, err := io.ReadAll(io.LimitReader(r, maxNotes))
	if err != nil {
		return nil // a note we cannot read is a note the file does not have
	}
	return b
}

// findNote walks ELF notes: name size, descriptor size, type (u32 each), then
// name and descriptor, each padded to align bytes (4, or 8 where the segment
// says so).
func findNote(b []byte, align uint64, order binary.ByteOrder, owner string, typ uint32) []byte {
	if align != 8 {
		align = 4
	}
	pad := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	for len(b) >= 12 {
		nameLen, descLen := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:]))
		t := order.Uint32(b[8:])
		descAt := pad(12 + nameLen)
		if descAt+descLen > uint64(len(b)) || 12+nameLen > uint64(len(b)) {
			return nil
		}
		name := bytes.TrimRight(b[12:12+nameLen], "\x00")
		if t == typ && string(name) == owner && descLen > 0 {
			return b[descAt : descAt+descLen]
		}
		next := pad(descAt + descLen)
		if next > uint64(len(b)) {
			return nil
		}
		b = b[next:]
	}
	return nil
}

const (
	noteGNUBuildID = 3
	noteGoBuildID  = 4
)

func (e *elfImage) buildID() string {
	if d := e.note("GNU", noteGNUBuildID); d != nil {
		return fmt.Sprintf("%x", d)
	}
	return string(e.note("Go", noteGoBuildID))
}

// readRelocs collects the relocations that place addresses of this file into
// its own data. Position-independent programs of the Go linker leave such
// words zero in the file.
func (e *elfImage) readRelocs() []wordReloc {
	relative, ok := relativeType(e.f.Machine)
	if !ok || e.f.Class != elf.ELFCLASS64 {
		return nil
	}
	var out []wordReloc
	for _, s := range e.f.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		data, err := s.Data()
		if err != nil {
			continue // without relocations the table is looked for in other ways
		}
		for ; len(data) >= 24; data = data[24:] {
			if uint32(e.f.ByteOrder.Uint64(data[8:])) == relative {
				out = append(out, wordReloc{addr: e.f.ByteOrder.Uint64(data), value: e.f.ByteOrder.Uint64(data[16:])})
			}
		}
	}
	return out
}

// relativeType is the machine's "base plus addend" relocation.
func relativeType(m elf.Machine) (uint32, bool) {
	switch m {
	case elf.EM_X86_64:
		return uint32(elf.R_X86_64_RELATIVE), true
	case elf.EM_AARCH64:
		return uint32(elf.R_AARCH64_RELATIVE), true
	case elf.EM_PPC64:
		return uint32(elf.R_PPC64_RELATIVE), true
	case elf.EM_RISCV:
		return uint32(elf.R_RISCV_RELATIVE), true
	case elf.EM_LOONGARCH:
		return uint32(elf.R_LARCH_RELATIVE), true
	case elf.EM_S390:
		return uint32(elf.R_390_RELATIVE), true
	}
	return 0, false
}

func (e *elfImage) pointers(lo, hi uint64) map[uint64]uint64 {
	var out map[uint64]uint64
	for _, r := range e.relocs() {
		if r.addr >= lo && r.addr < hi {
			if out == nil {
				out = make(map[uint64]uint64)
			}
			out[r.addr] = r.value
		}
	}
	return out
}

func (e *elfImage) pointersTo(target uint64) []uint64 {
	var out []uint64
	for _, r := range e.relocs() {
		if r.value == target {
			out = append(out, r.addr)
		}
	}
	return out
}
