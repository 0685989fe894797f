package proc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// elfHeader is what we need of the header of an ELF core.
type elfHeader struct {
	arch     string
	segments []elf.ProgHeader
}

// readELFHeader reads the header and the program headers of a core file.
// debug/elf does not: it wants the sections, which a truncated core has lost,
// and does not know of more than 65,534 segments.
func readELFHeader(data []byte) (*elfHeader, error) {
	le := binary.LittleEndian
	const size, entry = 64, 56
	switch {
	case bytes.HasPrefix(data, []byte("MDMP")):
		return nil, fmt.Errorf("it is a minidump of Windows: %w", ErrUnsupported)
	case bytes.HasPrefix(data, []byte("\xcf\xfa\xed\xfe")):
		return nil, fmt.Errorf("it is a Mach-O file of macOS: %w", ErrUnsupported)
	case !bytes.HasPrefix(data, []byte(elf.ELFMAG)):
		return nil, fmt.Errorf("it is no ELF file: %w", ErrFormat)
	case len(data) < size:
		return nil, fmt.Errorf("it has only %d bytes: %w", len(data), ErrFormat)
	}
	machine := elf.Machine(le.Uint16(data[18:]))
	h := &elfHeader{arch: archOf(machine)}
	if elf.Class(data[4]) != elf.ELFCLASS64 || elf.Data(data[5]) != elf.ELFDATA2LSB || h.arch == "" {
		return nil, fmt.Errorf("it is of a machine %s, %s; amd64 and arm64 can be read: %w", machine, elf.Class(data[4]), ErrUnsupported)
	}
	if t := elf.Type(le.Uint16(data[16:])); t != elf.ET_CORE {
		return nil, fmt.Errorf("it is an ELF file of type %s, not a core: %w", t, ErrFormat)
	}
	off, n := le.Uint64(data[32:]), uint64(le.Uint16(data[56:]))
	if got := le.Uint16(data[54:]); got != entry {
		return nil, fmt.Errorf("program headers of %d bytes, %d are right: %w", got, entry, ErrFormat)
	}
	const many = 0xffff // PN_XNUM: the number is in sh_info of the first section
	if n == many {
		first, short := clip(data, le.Uint64(data[40:]), 64)
		if short > 0 {
			return nil, fmt.Errorf("it was cut short, and the number of its segments stood at the end: %w", ErrFormat)
		}
		n = uint64(le.Uint32(first[44:]))
	}
	b, short := clip(data, off, n*entry)
	if short > 0 {
		return nil, fmt.Errorf("it ends within its %d program headers: %w", n, ErrFormat)
	}
	for ; len(b) >= entry; b = b[entry:] {
		h.segments = append(h.segments, elf.ProgHeader{
			Type: elf.ProgType(le.Uint32(b)), Flags: elf.ProgFlag(le.Uint32(b[4:])), Off: le.Uint64(b[8:]),
			Vaddr: le.Uint64(b[16:]), Filesz: le.Uint64(b[32:]), Memsz: le.Uint64(b[40:]),
		})
	}
	return h, nil
}

// archOf is Go's name of a machine, for those we can read.
func archOf(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return ""
}

// Keys of the auxiliary vector (getauxval(3)).
const (
	auxPageSize = 6
	auxEntry    = 9
	auxExecFn   = 31
)

// parseAuxv reads the auxiliary vector of a process of 64 bits.
func parseAuxv(b []byte) map[uint64]uint64 {
	v := map[uint64]uint64{}
	for ; len(b) >= 16; b = b[16:] {
		key := binary.LittleEndian.Uint64(b)
		if key == 0 {
			break
		}
		v[key] = binary.LittleEndian.Uint64(b[8:])
	}
	return v
}
