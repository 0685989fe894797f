package symbol

import (
	"debug/dwarf"
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
)

const (
	machoFat      = macho.MagicFat
	machoLoadUUID = 0x1b // LC_UUID
	machoStab     = 0xe0 // N_STAB: the symbol is for a debugger
)

func isMachO(magic uint32) bool { return magic == macho.Magic32 || magic == macho.Magic64 }

// machoImage is a Mach-O file, or one architecture of a fat one.
type machoImage struct {
	f *macho.File
}

func newMachO(r io.ReaderAt, size int64) (*machoImage, error) {
	f, err := macho.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("Mach-O header: %w", err)
	}
	for _, s := range f.Sections {
		if s.Offset != 0 && !zeroFill(s) && uint64(s.Offset)+s.Size > uint64(size) {
			return nil, fmt.Errorf("Mach-O section %s: [%#x, +%#x) lies past the end of the file", s.Name, s.Offset, s.Size)
		}
	}
	return &machoImage{f: f}, nil
}

// zeroFill tells sections without bytes in the file (types 1, 0xc and 0x12).
func zeroFill(s *macho.Section) bool {
	t := s.Flags & 0xff
	return t == 1 || t == 0xc || t == 0x12
}

// newFat picks one architecture: arch (a GOARCH), else this program's own,
// else the first.
func newFat(r io.ReaderAt, size int64, arch string) (*machoImage, error) {
	fat, err := macho.NewFatFile(r)
	if err != nil {
		return nil, fmt.Errorf("fat Mach-O header: %w", err)
	}
	if len(fat.Arches) == 0 {
		return nil, errors.New("fat Mach-O file of no architecture")
	}
	var first, host *machoImage
	for _, a := range fat.Arches {
		if uint64(a.Offset)+uint64(a.Size) > uint64(size) {
			return nil, fmt.Errorf("fat Mach-O part %v: [%#x, +%#x) lies past the end of the file", a.Cpu, a.Offset, a.Size)
		}
		img, err := newMachO(io.NewSectionReader(r, int64(a.Offset), int64(a.Size)), int64(a.Size))
		if err != nil {
			return nil, err
		}
		switch {
		case arch != "" && img.goarch() == arch:
			return img, nil
		case first == nil:
			first = img
		}
		if img.goarch() == runtime.GOARCH {
			host = img
		}
	}
	switch {
	case arch != "":
		return nil, fmt.Errorf("fat Mach-O file has no part for %s", arch)
	case host != nil:
		return host, nil
	}
	return first, nil
}

func (m *machoImage) kind() string            { return "Mach-O" }
func (m *machoImage) order() binary.ByteOrder { return m.f.ByteOrder }

func (m *machoImage) ptrSize() int {
	if m.f.Magic == macho.Magic32 {
		return 4
	}
	return 8
}

func (m *machoImage) goarch() string {
	switch m.f.Cpu {
	case macho.Cpu386:
		return "386"
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm:
		return "arm"
	case macho.CpuArm64:
		return "arm64"
	case macho.CpuPpc64:
		return "ppc64"
	}
	return ""
}

func (m *machoImage) text() (span, bool) {
	s := m.f.Section("__text")
	if s == nil {
		return span{}, false
	}
	return span{addr: s.Addr, size: s.Size, exec: true}, true
}

func (m *machoImage) spans() []span {
	var out []span
	for _, s := range m.f.Sections {
		if s.Size > 0 && s.Offset != 0 && !zeroFill(s) && s.Seg != "__DWARF" {
			out = append(out, span{addr: s.Addr, size: s.Size, exec: s.Seg == "__TEXT" && s.Name == "__text"})
		}
	}
	return out
}

func (m *machoImage) readAt(p []byte, addr uint64) error {
	n := uint64(len(p))
	for _, s := range m.f.Sections {
		if s.Offset != 0 && !zeroFill(s) && addr >= s.Addr && addr-s.Addr <= s.Size && n <= s.Size-(addr-s.Addr) {
			return readFull(s, p, addr-s.Addr, addr)
		}
	}
	return fmt.Errorf("addresses [%#x, +%#x) are not in the file", addr, n)
}

func (m *machoImage) section(name string) ([]byte, uint64, error) {
	s := m.f.Section(name)
	if s == nil || zeroFill(s) {
		return nil, 0, errNoSection
	}
	data, err := s.Data()
	if err != nil {
		return nil, 0, fmt.Errorf("section %s: %w", name, err)
	}
	return data, s.Addr, nil
}

// symbols sizes each symbol up to the next higher address, since Mach-O
// stores no sizes.
func (m *machoImage) symbols() ([]rawSym, error) {
	if m.f.Symtab == nil {
		return nil, nil
	}
	var out []rawSym
	for _, s := range m.f.Symtab.Syms {
		if s.Type&machoStab != 0 {
			continue
		}
		code := false
		if n := int(s.Sect); n > 0 && n <= len(m.f.Sections) {
			sec := m.f.Sections[n-1]
			code = sec.Seg == "__TEXT" && sec.Name == "__text"
		}
		out = append(out, rawSym{name: s.Name, addr: s.Value, code: code})
	}
	sizeByNext(out)
	return out, nil
}

func (m *machoImage) dwarf(limit int64) (*dwarf.Data, error) {
	for _, s := range m.f.Sections {
		if err := checkZdebug(s.Name, s, limit); err != nil {
			return nil, err
		}
	}
	return m.f.DWARF()
}

func (m *machoImage) loadAddress() (uint64, error) {
	if seg := m.f.Segment("__TEXT"); seg != nil {
		return seg.Addr, nil
	}
	return 0, errors.New("Mach-O file has no __TEXT segment")
}

// base is the slide of the __TEXT segment.
func (m *machoImage) base(mp mapping) (uint64, error) {
	if mp.everything() {
		return 0, nil
	}
	seg := m.f.Segment("__TEXT")
	if seg == nil {
		return 0, errors.New("Mach-O file has no __TEXT segment")
	}
	if seg.Addr > mp.start {
		return 0, fmt.Errorf("__TEXT at %#x lies above the mapping at %#x", seg.Addr, mp.start)
	}
	return mp.start - seg.Addr, nil
}

// buildID is the LC_UUID in lower case hex, else the id of the Go linker.
func (m *machoImage) buildID() string {
	for _, l := range m.f.Loads {
		raw := l.Raw()
		if len(raw) >= 24 && m.f.ByteOrder.Uint32(raw) == machoLoadUUID {
			return fmt.Sprintf("%x", raw[8:24])
		}
	}
	return goTextBuildID(m)
}

func (m *machoImage) pointers(lo, hi uint64) map[uint64]uint64 { return nil }
func (m *machoImage) pointersTo(target uint64) []uint64        { return nil }
