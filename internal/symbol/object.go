package symbol

import (
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// ErrFormat is wrapped by the error of [Open] for a file that is no object
// file this package reads. Callers that try several files go on to the next.
var ErrFormat = errors.New("not an ELF, Mach-O or PE file")

// maxExpanded is the default of Options.MaxExpanded in bytes.
const maxExpanded = 2 << 30

// Options say how an object answers. The zero value answers as `go tool
// pprof` does; each field turns on one better answer.
type Options struct {
	// Inlines makes Frames list inlined callers, prefer linkage names, tell
	// start lines and columns, and fall back to the symbol table. It also
	// fills Inst.Func, and takes Inst.File and Inst.Line of C code from DWARF.
	Inlines bool

	// WholeSymbols makes Symbols give one entry an address range, with all its
	// names, and the true end. Without it each name is an entry of its own
	// and ends one byte early, as in the tool.
	WholeSymbols bool

	// DebugDirs are searched for separate debug files, in order (usually
	// /usr/lib/debug). A non-nil slice, even an empty one, also looks beside
	// the object (.gnu_debuglink). nil looks for none. Needs Inlines.
	DebugDirs []string

	// Arch is the GOARCH wanted from a fat Mach-O file. Empty takes that of
	// this program if present, else the first.
	Arch string

	// MaxExpanded bounds what compressed sections of one file may grow to, in
	// bytes. 0 means 2 GiB.
	MaxExpanded int64
}

// Frame is one function call at an address.
type Frame struct {
	Func      string // linkage name, not demangled; empty if unknown
	File      string // as the compiler recorded it; empty if unknown
	Line      int    // 1-based; 0 if unknown (-1 where Go's table says so)
	Column    int    // 1-based; 0 if unknown
	StartLine int    // first line of the function, 1-based; 0 if unknown
	Inlined   bool   // the call of this function was inlined into the next frame
}

// Object is one opened object file. Its methods may be called at the same
// time from several goroutines, but not after Close.
type Object struct {
	path string
	opts Options
	file *os.File // closed by Close; nil in tests
	img  image

	raw     func() (*rawTable, error)
	goTable func() (*goTable, error)   // nil table: no Go program
	symTab  func() (*symTable, error)  // sorted symbols of this file
	debug   func() (*debugInfo, error) // DWARF of this file or of its debug file
	side    func() *Object             // separate debug file, or nil

	sideOpen atomic.Pointer[Object] // what side opened, for Close
}

// image is what the three file formats have in common. Addresses are
// link-time virtual addresses. Implementations are safe for concurrent use.
type image interface {
	kind() string // "ELF", "Mach-O", "PE"
	goarch() string
	order() binary.ByteOrder
	ptrSize() int // bytes
	// text is the section of machine code the tool disassembles.
	text() (span, bool)
	// spans are the parts of the address space that have bytes in the file.
	spans() []span
	// readAt fills p from the file's bytes at virtual address addr.
	readAt(p []byte, addr uint64) error
	// section returns the bytes of the named section and their address.
	section(name string) (data []byte, addr uint64, err error)
	// symbols are in file order, sizes as the tool computes them.
	symbols() ([]rawSym, error)
	dwarf(limit int64) (*dwarf.Data, error)
	// loadAddress is where the tool assumes the first mapping of the file.
	loadAddress() (uint64, error)
	base(m mapping) (uint64, error)
	buildID() string
	// pointers returns the pointer words in [lo, hi) whose value the loader
	// fills in, by address; nil if the file's own bytes are good.
	pointers(lo, hi uint64) map[uint64]uint64
	// pointersTo returns the addresses of such words that point at target.
	pointersTo(target uint64) []uint64
}

// span is a range of addresses backed by the file.
type span struct {
	addr, size uint64 // bytes
	exec       bool
}

func (s span) contains(addr uint64) bool { return addr >= s.addr && addr-s.addr < s.size }

// errNoSection is what image.section answers for a missing one.
var errNoSection = errors.New("no such section")

// Open opens the object file at path. The error names the file and tells what
// is wrong with it; it wraps ErrFormat if the file is of no known format.
func Open(path string, opts Options) (*Object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open object: %w", err)
	}
	st, err := f.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("open object: %w", err)
	case !st.Mode().IsRegular():
		err = fmt.Errorf("open object %s: %w: not a regular file", path, ErrFormat)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	o, err := newObject(f, st.Size(), path, opts)
	if err != nil {
		f.Close()
		return nil, err
	}
	o.file = f
	return o, nil
}

// newObject opens the size bytes of r, which it reads while the object lives.
func newObject(r io.ReaderAt, size int64, path string, opts Options) (*Object, error) {
	if opts.MaxExpanded <= 0 {
		opts.MaxExpanded = maxExpanded
	}
	img, err := openImage(r, size, path, opts)
	if err != nil {
		return nil, err
	}
	o := &Object{path: path, opts: opts, img: img}
	o.raw = sync.OnceValues(o.readSymbols)
	o.goTable = sync.OnceValues(o.loadGoTable)
	o.symTab = sync.OnceValues(o.loadSymbols)
	o.debug = sync.OnceValues(o.loadDebug)
	o.side = sync.OnceValue(o.openSide)
	return o, nil
}

// openImage sniffs the format of the size bytes of r.
func openImage(r io.ReaderAt, size int64, path string, opts Options) (img image, err error) {
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil {
		return nil, fmt.Errorf("open object %s: %w: %d bytes long", path, ErrFormat, size)
	}
	err = guard(func() (err error) {
		switch le, be := binary.LittleEndian.Uint32(magic[:]), binary.BigEndian.Uint32(magic[:]); {
		case string(magic[:]) == "\x7fELF":
			img, err = newELF(r, size, path, opts.MaxExpanded)
		case isMachO(le) || isMachO(be):
			img, err = newMachO(r, size)
		case be == machoFat:
			img, err = newFat(r, size, opts.Arch)
		case string(magic[:2]) == "MZ":
			img, err = newPE(r, size)
		default:
			err = fmt.Errorf("%w: starts with % x", ErrFormat, magic)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open object %s: %w", path, err)
	}
	return img, nil
}

// guard runs f and returns its error, or a panic of f as an error. The
// debug/elf, debug/macho, debug/pe and debug/dwarf packages say of themselves
// that they are not hardened against hostile files: a corrupt header can make
// them index out of range. One bad file must not end a long-running server.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("corrupt file: decoder stopped: %v", r)
		}
	}()
	return f()
}

// Path is the name the object was opened by.
func (o *Object) Path() string { return o.path }

// GOARCH is the architecture in Go's words ("amd64"), or empty if Go has no
// word for it.
func (o *Object) GOARCH() string { return o.img.goarch() }

// Format is "ELF", "Mach-O" or "PE".
func (o *Object) Format() string { return o.img.kind() }

// Close releases the file. Objects of a Set are closed by the Set.
func (o *Object) Close() error {
	var side error
	if s := o.sideOpen.Load(); s != nil {
		side = s.Close()
	}
	return errors.Join(o.file.Close(), side)
}
