package symbol

import (
	"debug/dwarf"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Section characteristics of the PE format.
const (
	peCode       = 0x20
	peExecutable = 0x20000000
)

// peImage is a Windows executable.
type peImage struct {
	f         *pe.File
	imageBase uint64
}

func newPE(r io.ReaderAt, size int64) (*peImage, error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("PE header: %w", err)
	}
	p := &peImage{f: f}
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		p.imageBase = uint64(h.ImageBase)
	case *pe.OptionalHeader64:
		p.imageBase = h.ImageBase
	default:
		return nil, errors.New("PE file has no optional header, so no image base")
	}
	for _, s := range f.Sections {
		if s.Offset != 0 && uint64(s.Offset)+uint64(s.Size) > uint64(size) {
			return nil, fmt.Errorf("PE section %s: [%#x, +%#x) lies past the end of the file", s.Name, s.Offset, s.Size)
		}
	}
	return p, nil
}

func (p *peImage) kind() string            { return "PE" }
func (p *peImage) order() binary.ByteOrder { return binary.LittleEndian }

func (p *peImage) ptrSize() int {
	if _, ok := p.f.OptionalHeader.(*pe.OptionalHeader32); ok {
		return 4
	}
	return 8
}

func (p *peImage) goarch() string {
	switch p.f.Machine {
	case pe.IMAGE_FILE_MACHINE_I386:
		return "386"
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_ARMNT:
		return "arm"
	}
	return ""
}

// inFile is the number of bytes of s that are both mapped and in the file.
func inFile(s *pe.Section) uint64 {
	if s.Offset == 0 {
		return 0
	}
	return uint64(s.Size)
}

func (p *peImage) text() (span, bool) {
	s := p.f.Section(".text")
	if s == nil {
		return span{}, false
	}
	return span{addr: p.imageBase + uint64(s.VirtualAddress), size: inFile(s), exec: true}, true
}

func (p *peImage) spans() []span {
	var out []span
	for _, s := range p.f.Sections {
		if n := inFile(s); n > 0 && s.VirtualAddress != 0 && (s.Name == "" || s.Name[0] == '.') {
			out = append(out, span{addr: p.imageBase + uint64(s.VirtualAddress), size: n, exec: s.Characteristics&peExecutable != 0})
		}
	}
	return out
}

func (p *peImage) readAt(b []byte, addr uint64) error {
	n := uint64(len(b))
	for _, s := range p.f.Sections {
		lo := p.imageBase + uint64(s.VirtualAddress)
		if size := inFile(s); addr >= lo && addr-lo <= size && n <= size-(addr-lo) {
			return readFull(s, b, addr-lo, addr)
		}
	}
	return fmt.Errorf("addresses [%#x, +%#x) are not in the file", addr, n)
}

func (p *peImage) section(name string) ([]byte, uint64, error) {
	s := p.f.Section(name)
	if s == nil || s.Offset == 0 {
		return nil, 0, errNoSection
	}
	data, err := s.Data()
	if err != nil {
		return nil, 0, fmt.Errorf("section %s: %w", name, err)
	}
	return data, p.imageBase + uint64(s.VirtualAddress), nil
}

// symbols reads the COFF table. It stores no sizes: they run to the next
// higher address.
func (p *peImage) symbols() ([]rawSym, error) {
	out := make([]rawSym, 0, len(p.f.Symbols))
	for _, s := range p.f.Symbols {
		r := rawSym{name: s.Name, addr: uint64(s.Value)}
		if n := int(s.SectionNumber); n > 0 {
			if n > len(p.f.Sections) {
				return nil, fmt.Errorf("PE symbol %s: section %d of %d", s.Name, n, len(p.f.Sections))
			}
			sec := p.f.Sections[n-1]
			r.addr += p.imageBase + uint64(sec.VirtualAddress)
			r.code = sec.Characteristics&peCode != 0
		}
		out = append(out, r)
	}
	sizeByNext(out)
	return out, nil
}

func (p *peImage) dwarf(limit int64) (*dwarf.Data, error) {
	for _, s := range p.f.Sections {
		if err := checkZdebug(s.Name, s, limit); err != nil {
			return nil, err
		}
	}
	return p.f.DWARF()
}

func (p *peImage) loadAddress() (uint64, error) { return p.imageBase, nil }

func (p *peImage) base(m mapping) (uint64, error) {
	if m.start == 0 {
		return 0, nil
	}
	return m.start - p.imageBase, nil
}

// buildID is the id of the Go linker: the id that runtime/pprof writes on
// Windows is the path and the modification time, which no other machine can
// tell.
func (p *peImage) buildID() string { return goTextBuildID(p) }

func (p *peImage) pointers(lo, hi uint64) map[uint64]uint64 { return nil }
func (p *peImage) pointersTo(target uint64) []uint64        { return nil }
