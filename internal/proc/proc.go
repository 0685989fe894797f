// Package proc reads the memory, mappings and threads of another process: of a
// live one on Linux (Attach), of an ELF core file (OpenCore) or of a snapshot
// file of our own (OpenSnapshot). It knows nothing of Go; internal/goheap
// understands what is read here.
//
// The main type is Image, memory that no longer changes. A live process becomes
// one in two steps: a Plan looks at the frozen memory and names the ranges that
// are worth copying; what the plan read and what it named are copied, and the
// process is let go. It is frozen for the time of a fork, about 25 ms for each
// GB resident, see Target.
package proc

import (
	"errors"
	"fmt"
	"time"
)

// Memory reads addresses of another process. Implementations are safe for
// concurrent use.
type Memory interface {
	// Bytes returns the n bytes at addr, without copying where they lie in one
	// piece. The slice must not be written to and is valid until the image is
	// closed; an image's views stay valid and equal, so keep them rather than
	// ask twice. An error is a *MissingError.
	Bytes(addr uint64, n int) ([]byte, error)
	// ReadAt fills b from addr on and returns how many bytes it could get
	// before the first one that is missing. The error is nil if and only if b
	// was filled, and else a *MissingError.
	ReadAt(b []byte, addr uint64) (int, error)
}

// Image is a process at one moment. It does not change, and is safe for
// concurrent use.
type Image interface {
	Memory
	// Info tells what the image is of and where it is from.
	Info() Info
	// Mappings lists the mappings by ascending address; they do not overlap.
	// The caller must not change the slice.
	Mappings() []Mapping
	// Threads lists the threads by ascending id, the one the kernel named
	// first in a core file (which crashed) excepted: it comes first there. The
	// caller must not change the slice.
	Threads() []Thread
	// Close gives memory and files back. Views become invalid.
	Close() error
}

// Info describes an image.
type Info struct {
	// Source is "process", "core" or "snapshot".
	Source string
	// Arch is the architecture by Go's names: "amd64" or "arm64".
	Arch string
	// PID is the process id in the namespace of the reader; 0 if unknown.
	PID int
	// Name is the path of the executable as the process knew it. It may be
	// gone or replaced since.
	Name string
	// Exe is a path under which the very executable of the process can be
	// opened while the image is open, even if it was deleted or replaced. It
	// is empty when the executable cannot be found; Warnings says why.
	Exe string
	// Args are the arguments, the program first; nil if unknown.
	Args []string
	// Entry is the address of the entry point in memory (AT_ENTRY), 0 if
	// unknown. Minus the entry point of the file it is the load bias.
	Entry uint64
	// PageSize is in bytes.
	PageSize uint64
	// Taken is when the image was made; zero if unknown (cores).
	Taken time.Time
	// Warnings tell what is missing from the image, and why.
	Warnings []error
}

// Perm are the permissions of a mapping.
type Perm uint8

// The bits of Perm.
const (
	Read Perm = 1 << iota
	Write
	Exec
	Shared
)

// String is the form of /proc/PID/maps: "r-xp".
func (p Perm) String() string {
	b := []byte("---p")
	for i, bit := range [...]Perm{Read, Write, Exec, Shared} {
		if p&bit != 0 {
			b[i] = "rwxs"[i]
		}
	}
	return string(b)
}

// Mapping is a region of memory with one origin.
type Mapping struct {
	// Start and End are addresses; End is the first behind the mapping.
	Start, End uint64
	Perm       Perm
	// File is the path of the mapped file, a name in brackets such as [heap],
	// or empty for anonymous memory.
	File string
	// Offset is where in File the mapping begins, in bytes.
	Offset uint64
	// Inode and Device identify the file (0 if unknown, as in cores).
	Inode, Device uint64
	// Deleted tells that the file was removed or replaced after it was mapped.
	Deleted bool
}

// Contains tells whether addr lies in the mapping.
func (m *Mapping) Contains(addr uint64) bool { return m.Start <= addr && addr < m.End }

// Thread is one thread of the process, as it was stopped.
type Thread struct {
	// ID is the thread id in the namespace of the reader.
	ID int
	// Name is the kernel's name of the thread (comm); empty if unknown.
	Name string
	// State is the state before the stop by the kernel's letter: 'R' running,
	// 'S' sleeping, 'D' in uninterruptible sleep, 'T' stopped, 't' traced, 'Z'
	// zombie; 0 if unknown. A thread without readable registers (a zombie, or
	// one that is just exiting) has none: Regs is zero.
	State byte
	Regs  Regs
}

// Regs are the registers of a thread.
type Regs struct {
	PC, SP, FP uint64
	// TLS is the thread pointer: FS base on amd64, TPIDR_EL0 on arm64; 0 if
	// unknown.
	TLS uint64
	// General are the general registers by their DWARF numbers, for amd64 0-15
	// (rax rdx rcx rbx rsi rdi rbp rsp r8-r15), for arm64 0-31 (x0-x30 sp).
	General [32]uint64
	// Syscall is the number of the system call the thread was in, -1 if none.
	Syscall int64
}

// Range is the memory from Start up to and without End.
type Range struct{ Start, End uint64 }

// Len is the length in bytes.
func (r Range) Len() uint64 { return r.End - r.Start }

// Plan looks at a frozen process and returns what to copy of it. The image it
// is given has the whole memory and is valid only until Plan returns. All that
// Plan reads of it is part of the final image, by whole pages, so only what was
// not read yet need be returned: in any order, overlapping or not; parts that
// are not mapped are left out silently.
//
// The time Plan takes is time in which copies of pages pile up or, with
// stop-and-copy, in which the process stands still: read what decides, and
// analyse later.
//
// Plan may be called twice. The first call is then a rehearsal on the running
// process, to find out how much memory the copy takes: Threads have no
// registers, and what is read can contradict itself, so Plan must be bounded
// and must not panic on nonsense. An error of the rehearsal is ignored.
type Plan func(Image) ([]Range, error)

// Mode is how a live process is copied.
type Mode uint8

const (
	// Auto forks where that is safe, else stops and copies.
	Auto Mode = iota
	// Fork has the process fork, and copies from the child while the process
	// runs on. It is stopped for the time the fork takes.
	Fork
	// Stop stops the process, copies, and lets it run on.
	Stop
)

// String is the word for the mode in messages and flags.
func (m Mode) String() string {
	switch m {
	case Fork:
		return "fork"
	case Stop:
		return "stop"
	}
	return "auto"
}

// Options say how to attach. The zero value is not enough: Now is needed.
type Options struct {
	Mode Mode
	// Now is the clock that pauses are measured with.
	Now func() time.Time
	// Workers is how many goroutines copy; 0 means one for each processor, at
	// most 4.
	Workers int
	// Step, if set, is called before each step that touches the process, with
	// the name of the step, for progress and for tests. The process may be
	// stopped meanwhile. Steps lists the names in order.
	Step func(name string)
}

// Estimate tells what a snapshot will do to the process, before it is done.
type Estimate struct {
	// Mode is Fork or Stop, and Reason why, if it is not what is best.
	Mode   Mode
	Reason string
	// Threads is how many threads will be stopped.
	Threads int
	// Resident is the memory of the process in RAM, in bytes.
	Resident uint64
	// Pause is how long the process will be stopped, roughly.
	Pause time.Duration
	// Headroom is how many bytes the process' memory can grow before a limit
	// of its cgroup, or of the machine, is reached.
	Headroom uint64
	// Rights tells by which rights the process is read, in words.
	Rights string
}

// How tells what a snapshot did to the process.
type How struct {
	// Mode is Fork or Stop. Reason is why Stop was used when it was not asked
	// for, empty otherwise.
	Mode   Mode
	Reason string
	// Stops are the times the process stood still, in order: first thread
	// stopped to last thread running again.
	Stops []time.Duration
	// Child is how long the forked child lived; 0 for Stop.
	Child time.Duration
	// Copied is the memory that was copied, in bytes.
	Copied uint64
	// Threads is how many threads were stopped.
	Threads int
}

// Pause is the sum of Stops.
func (h *How) Pause() time.Duration {
	var sum time.Duration
	for _, d := range h.Stops {
		sum += d
	}
	return sum
}

// MissingError says that memory is not in an image, or cannot be read.
type MissingError struct {
	// Addr is the first address that is missing, of N bytes wanted at Want.
	Addr, Want uint64
	N          int
	// Why tells the reason and what to do; it may be empty.
	Why string
}

func (e *MissingError) Error() string {
	s := fmt.Sprintf("read %d bytes of memory at %#x: nothing at %#x", e.N, e.Want, e.Addr)
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

// Errors a caller decides by. The text of what is returned has the rest.
var (
	// ErrPermission is wrapped when the system does not let us trace the
	// process; the text says what forbids it and the command that helps.
	ErrPermission = errors.New("no permission")
	// ErrGone is wrapped when the process has ended, or became another program
	// by exec, before the snapshot was complete.
	ErrGone = errors.New("the process is gone")
	// ErrTraced is wrapped when a debugger holds the process.
	ErrTraced = errors.New("already traced")
	// ErrUnsupported is wrapped when this system or architecture cannot do it.
	ErrUnsupported = errors.New("not supported")
	// ErrFormat is wrapped when a file is not what it should be.
	ErrFormat = errors.New("not a usable file")
)
