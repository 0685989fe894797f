//go:build linux && (amd64 || arm64)

package proc

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// ptFilter is PTRACE_SECCOMP_GET_FILTER.
const ptFilter = 0x420c

// maxFilters bounds how many filters of a thread are looked at; the kernel
// allows 32768 instructions in all.
const maxFilters = 512

// errFilter says that a thread has a seccomp filter that may end it, or refuse,
// if it runs instructions of ours.
var errFilter = errors.New("it has a seccomp filter")

// harmless tells whether a stopped thread may make the system calls of our
// instructions, which will stand at an address: an errFilter if a seccomp
// filter does not let them pass, or may not be read.
func (t *tracer) harmless(th *thread, at uint64) error {
	text, err := readProc(t.l.pid, fmt.Sprintf("task/%d/status", th.ID))
	if err != nil {
		return gone(err)
	}
	if parseStatus(text).Seccomp == 0 {
		return nil
	}
	for i := range maxFilters {
		filter, err := readFilter(th.ID, i)
		if errors.Is(err, syscall.ENOENT) {
			return nil
		}
		if err != nil { // EACCES without CAP_SYS_ADMIN
			return fmt.Errorf("%w, which we may not read (%w) and which could answer a fork by ending the process", errFilter, err)
		}
		for _, c := range calls(runtime.GOARCH, at) {
			if !c.allowed(runtime.GOARCH, filter) {
				return fmt.Errorf("%w that does not allow %s as we would call it", errFilter, c.name())
			}
		}
	}
	return fmt.Errorf("%w, and more of them than can be looked at", errFilter)
}

// readFilter reads one of the seccomp filters of a stopped thread, the latest
// first; ENOENT behind the last.
func readFilter(tid, i int) ([]byte, error) {
	n, _, e := syscall.RawSyscall6(syscall.SYS_PTRACE, ptFilter, uintptr(tid), uintptr(i), 0, 0, 0)
	if e != 0 {
		return nil, e
	}
	if n == 0 || n > 1<<16 {
		return nil, syscall.EINVAL
	}
	b := make([]byte, int(n)*filterSize)
	return b, ptraceInto(ptFilter, tid, uintptr(i), unsafe.Pointer(&b[0]))
}
