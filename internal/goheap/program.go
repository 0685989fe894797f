package goheap

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"go/version"
	"io"
	"strings"

	"github.com/profoundhq/profound/internal/proc"
)

// Program is an executable: where the runtime has its fields, which types,
// variables and functions there are. It is made before the process is stopped,
// and is read-only.
type Program struct {
	// GoVersion is the version of the toolchain, such as "go1.26.8".
	GoVersion string
	// Stripped says that the program has no DWARF of its own, so that global
	// and local variables have no names.
	Stripped bool

	file     io.ReaderAt // nil if the program came out of a snapshot
	sections []section
	segments []segment
	machine  elf.Machine
	entry    uint64
	pie      bool
	dwarf    *dwarfIndex // never nil; empty if stripped
	layout   *layout
	layouts  *Program          // where the layout is from, if stripped
	symbols  map[string]uint64 // variables of the runtime, as linked
	warnings []error
}

// section is one of the file's sections that are of use.
type section struct {
	name       string
	addr, size uint64
	raw        []byte // as it is in the file, maybe compressed; nil if not loaded
	compressed bool
	off        int64 // in the file
}

// segment is a piece of the file that is mapped into memory.
type segment struct {
	addr, size, filesz uint64
	off                int64
	writable, exec     bool
}

// oldest is the first version whose heap has the shape this package reads:
// pointer bitmaps in spans and type headers before objects.
const oldest = "go1.22"

// OpenProgram reads an ELF executable. layouts is another program built by the
// same version of Go that has DWARF; it is used if this one is stripped and
// may be nil else. The file must stay readable as long as the program is used.
func OpenProgram(r io.ReaderAt, layouts *Program) (*Program, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("open program: %w: %w", ErrNotGo, err)
	}
	p := &Program{file: r, machine: f.Machine, entry: f.Entry, pie: f.Type == elf.ET_DYN}
	if err := p.checkELF(f); err != nil {
		return nil, fmt.Errorf("open program: %w", err)
	}
	info, err := buildinfo.Read(r)
	if err != nil {
		return nil, fmt.Errorf("open program: %w: %w", ErrNotGo, err)
	}
	p.GoVersion = info.GoVersion
	if v, _, _ := strings.Cut(p.GoVersion, " "); version.IsValid(v) && version.Compare(v, oldest) < 0 {
		return nil, fmt.Errorf("open program: %w: it was built by %s, whose heap has another shape; %s and later can be read", ErrVersion, p.GoVersion, oldest)
	}
	for _, s := range f.Progs {
		if s.Type == elf.PT_LOAD {
			p.segments = append(p.segments, segment{s.Vaddr, s.Memsz, s.Filesz, int64(s.Off), s.Flags&elf.PF_W != 0, s.Flags&elf.PF_X != 0})
		}
	}
	for _, s := range f.Sections {
		p.sections = append(p.sections, section{name: s.Name, addr: s.Addr, size: sectionSize(s), off: int64(s.Offset), compressed: s.Flags&elf.SHF_COMPRESSED != 0})
	}
	return p, p.index(layouts)
}

// sectionSize is the size of a section in the file, or in memory for those
// that have no contents in the file.
func sectionSize(s *elf.Section) uint64 {
	if s.Type == elf.SHT_NOBITS {
		return s.Size
	}
	return s.FileSize
}

// checkELF refuses what this package cannot read.
func (p *Program) checkELF(f *elf.File) error {
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || p.machine != elf.EM_X86_64 && p.machine != elf.EM_AARCH64 {
		return fmt.Errorf("%w: it is for %v (%v, %v); amd64 and arm64 can be read", ErrVersion, f.Machine, f.Class, f.Data)
	}
	for _, s := range f.Sections {
		if strings.HasSuffix(s.Name, ".gopclntab") {
			return nil
		}
	}
	return fmt.Errorf("%w: it has no section .gopclntab (Go code in a shared library, by -buildmode=c-shared, cannot be read either)", ErrNotGo)
}

// index reads DWARF and resolves the layouts.
func (p *Program) index(layouts *Program) error {
	dw, err := indexDWARF(p.section)
	switch {
	case errors.Is(err, errNoDWARF):
		p.Stripped, p.dwarf = true, &dwarfIndex{}
		if layouts == nil {
			return fmt.Errorf("open program: %w (built with -ldflags=-w?); hand in another program built by %s that has", ErrStripped, p.GoVersion)
		}
		if layouts.GoVersion != p.GoVersion || layouts.machine != p.machine {
			return fmt.Errorf("open program: %w and was built by %s for %v; the program for the layouts was built by %s for %v, and must be the same", ErrStripped, p.GoVersion, p.machine, layouts.GoVersion, layouts.machine)
		}
		p.layout, p.layouts = layouts.layout, layouts
		p.warnings = append(p.warnings, errors.New("the program has no DWARF: global and local variables have no names, and some types are not known"))
		return nil
	case err != nil:
		return fmt.Errorf("open program: DWARF: %w", err)
	}
	p.dwarf = dw
	if p.layout, err = resolveLayout(dw); err != nil {
		return fmt.Errorf("open program: %s: %w", p.GoVersion, err)
	}
	p.symbols = map[string]uint64{}
	for _, g := range dw.globals {
		if strings.HasPrefix(g.name, "runtime.") {
			p.symbols[g.name] = g.addr
		}
	}
	for _, need := range []string{"runtime.firstmoduledata", "runtime.mheap_", "runtime.allgs"} {
		if p.symbols[need] == 0 {
			return fmt.Errorf("open program: %s: %w: it has no variable %s", p.GoVersion, ErrVersion, need)
		}
	}
	return nil
}

// find gives a section by name, nil if there is none.
func (p *Program) find(name string) *section {
	for i := range p.sections {
		if s := &p.sections[i]; s.name == name {
			return s
		}
	}
	return nil
}

// section gives the contents of a section, nil if there is none.
func (p *Program) section(name string) ([]byte, error) {
	s := p.find(name)
	if s == nil {
		return nil, nil
	}
	raw, err := p.rawSection(s)
	if err != nil {
		return nil, err
	}
	if s.compressed {
		raw, err = inflate(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", name, err)
	}
	return raw, nil
}

func (p *Program) rawSection(s *section) ([]byte, error) {
	if s.raw != nil || p.file == nil {
		return s.raw, nil
	}
	if s.size > maxAlloc || s.size > 0 && !p.reaches(s.off+int64(s.size)-1) {
		return nil, fmt.Errorf("section %s: %d bytes are more than can be, or than the file has", s.name, s.size)
	}
	raw := make([]byte, s.size)
	if _, err := p.file.ReadAt(raw, s.off); err != nil {
		return nil, fmt.Errorf("section %s: %w", s.name, err)
	}
	return raw, nil
}

// fileMemory is the memory of a process, and where that has nothing, the
// read-only parts of its executable: cores leave them out.
type fileMemory struct {
	proc.Memory
	p    *Program
	bias uint64
}

// ReadAt reads from the memory, else from the file.
func (m *fileMemory) ReadAt(b []byte, addr uint64) (int, error) {
	n, err := m.Memory.ReadAt(b, addr)
	if err == nil || m.p.file == nil {
		return n, err
	}
	if at, ok := m.inFile(addr, uint64(len(b))); ok {
		if n, ferr := m.p.file.ReadAt(b, at); ferr == nil {
			return n, nil
		}
	}
	return n, err
}

// inFile tells where in the file n bytes of memory lie, if they do.
func (m *fileMemory) inFile(addr, n uint64) (at int64, ok bool) {
	for i := range m.p.segments {
		s := &m.p.segments[i]
		if off := addr - m.bias - s.addr; !s.writable && off < s.filesz && n <= s.filesz-off {
			at = s.off + int64(off)
			return at, n == 0 || m.p.reaches(at+int64(n)-1)
		}
	}
	return 0, false
}

// reaches tells whether the file has a byte at an offset, whatever its headers
// claim.
func (p *Program) reaches(off int64) bool {
	_, err := p.file.ReadAt(make([]byte, 1), off)
	return err == nil
}

// Bytes reads from the memory, else from the file.
func (m *fileMemory) Bytes(addr uint64, n int) ([]byte, error) {
	b, err := m.Memory.Bytes(addr, n)
	if err == nil || m.p.file == nil || n < 0 {
		return b, err
	}
	at, ok := m.inFile(addr, uint64(n))
	if !ok {
		return nil, err
	}
	b = make([]byte, n)
	_, err = m.p.file.ReadAt(b, at)
	return b, err
}
