package proc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Types of notes in core files of Linux (elf.h).
const (
	ntPRStatus = 1
	ntPRPSInfo = 3
	ntAuxv     = 6
	ntFile     = 0x46494c45
	ntTLS      = 0x401 // arm64
	ntSyscall  = 0x404 // arm64
)

// coreNotes is what the notes of a core file tell.
type coreNotes struct {
	arch    string
	threads []Thread
	auxv    map[uint64]uint64
	pid     int
	name    string // the command, up to 15 bytes
	args    []string
	files   []mappedPart
	linux   bool
}

// mappedPart is a mapping of a file by an NT_FILE note.
type mappedPart struct {
	Range
	offset uint64 // in bytes
	name   string
}

// maxThreads and maxFiles bound what a damaged core makes us keep.
const (
	maxThreads = 1 << 20
	maxFiles   = 1 << 20
)

// parse reads the notes of one PT_NOTE segment.
func (c *coreNotes) parse(b []byte) error {
	for len(b) >= 12 {
		nameSize, size := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))
		kind := binary.LittleEndian.Uint32(b[8:])
		desc := 12 + (nameSize+3)&^3
		next := desc + (size+3)&^3
		if desc+size > uint64(len(b)) {
			return fmt.Errorf("a note of type %#x needs %d bytes and %d are left", kind, desc+size, len(b))
		}
		name := string(bytes.TrimRight(b[12:12+nameSize], "\x00"))
		if err := c.note(name, kind, b[desc:desc+size:desc+size]); err != nil {
			return err
		}
		b = b[min(next, uint64(len(b))):]
	}
	return nil
}

func (c *coreNotes) note(owner string, kind uint32, d []byte) error {
	switch owner {
	case "CORE", "LINUX":
		c.linux = true
	case "FreeBSD", "NetBSD-CORE", "OpenBSD":
		return fmt.Errorf("it was written by %s, and only those of Linux can be read: %w", owner, ErrUnsupported)
	default:
		return nil
	}
	switch kind {
	case ntPRStatus:
		return c.prstatus(d)
	case ntPRPSInfo:
		if len(d) >= 56+80 {
			c.pid = int(binary.LittleEndian.Uint32(d[24:]))
			c.name = cString(d[40:56])
			if args := strings.Fields(cString(d[56:136])); len(args) > 0 {
				c.args = args
			}
		}
	case ntAuxv:
		c.auxv = parseAuxv(d)
	case ntFile:
		return c.fileTable(d)
	case ntTLS, ntSyscall:
		if n := len(c.threads); n > 0 && c.arch == "arm64" {
			if r := &c.threads[n-1].Regs; kind == ntTLS && len(d) >= 8 {
				r.TLS = binary.LittleEndian.Uint64(d)
			} else if kind == ntSyscall && len(d) >= 4 {
				r.Syscall = int64(int32(binary.LittleEndian.Uint32(d)))
			}
		}
	}
	return nil
}

// prstatus adds a thread. In struct elf_prstatus the id is at 32 and the
// registers are at 112.
func (c *coreNotes) prstatus(d []byte) error {
	if len(d) < 112+regsSize(c.arch) {
		return fmt.Errorf("the registers of thread %d are cut short: %d bytes", len(c.threads)+1, len(d))
	}
	if len(c.threads) >= maxThreads {
		return fmt.Errorf("more than %d threads", maxThreads)
	}
	regs, err := decodeRegs(c.arch, d[112:])
	if err != nil {
		return err
	}
	c.threads = append(c.threads, Thread{ID: int(binary.LittleEndian.Uint32(d[32:])), Regs: regs})
	return nil
}

var errFileTable = errors.New("the table of mapped files is cut short")

// fileTable reads NT_FILE: count, page size, then start, end and offset in
// pages of each mapping, then the names, each ended by a zero.
func (c *coreNotes) fileTable(d []byte) error {
	if len(d) < 16 {
		return errFileTable
	}
	n, page := binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint64(d[8:])
	d = d[16:]
	if n > maxFiles || uint64(len(d)) < n*24 {
		return errFileTable
	}
	names := d[n*24:]
	for i := range n {
		e := d[i*24:]
		end := bytes.IndexByte(names, 0)
		if end < 0 {
			return errFileTable
		}
		p := mappedPart{
			Range:  Range{binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])},
			offset: binary.LittleEndian.Uint64(e[16:]) * page,
			name:   string(names[:end]),
		}
		names = names[end+1:]
		if p.Start < p.End {
			c.files = append(c.files, p)
		}
	}
	return nil
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// permOf translates the flags of a segment.
func permOf(f elf.ProgFlag) Perm {
	var p Perm
	if f&elf.PF_R != 0 {
		p |= Read
	}
	if f&elf.PF_W != 0 {
		p |= Write
	}
	if f&elf.PF_X != 0 {
		p |= Exec
	}
	return p
}
