//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
)

// frozen is the memory of a stopped process while a plan looks at it. It keeps
// the pages it was asked for and remembers what to copy.
type frozen struct {
	pid  int
	page uint64

	mu    sync.RWMutex
	pages map[uint64][]byte // by address
	large []Range           // what was read past the pages
}

func newFrozen(pid int, page uint64) *frozen {
	return &frozen{pid: pid, page: page, pages: map[uint64][]byte{}}
}

// smallRead is the longest read that goes by the kept pages.
const smallRead = 2048

// Bytes implements Memory.
func (f *frozen) Bytes(addr uint64, n int) ([]byte, error) {
	if n <= 0 {
		return nil, badLength(addr, n)
	}
	first := addr &^ (f.page - 1)
	if off := addr - first; uint64(n) <= f.page-off {
		p, err := f.get(first)
		if err != nil {
			return nil, readError(err, addr, n, 0)
		}
		return p[off : off+uint64(n) : off+uint64(n)], nil
	}
	if n > maxPlanRead {
		return nil, &MissingError{Addr: addr, Want: addr, N: n, Why: "more than a plan can sensibly read; return it as a range to copy"}
	}
	b := make([]byte, n)
	_, err := f.ReadAt(b, addr)
	return b, err
}

// maxPlanRead bounds a single read, which may come from a damaged length.
const maxPlanRead = 1 << 30

// ReadAt implements Memory.
func (f *frozen) ReadAt(b []byte, addr uint64) (int, error) {
	if len(b) > smallRead {
		n, err := readMemory(f.pid, b, addr)
		f.mu.Lock()
		f.large = append(f.large, Range{addr, addr + uint64(n)})
		f.mu.Unlock()
		if err != nil {
			return n, readError(err, addr, len(b), n)
		}
		return n, nil
	}
	done := 0
	for done < len(b) {
		at := addr + uint64(done)
		first := at &^ (f.page - 1)
		p, err := f.get(first)
		if err != nil {
			return done, readError(err, addr, len(b), done)
		}
		done += copy(b[done:], p[at-first:])
	}
	return done, nil
}

// get returns a page.
func (f *frozen) get(addr uint64) ([]byte, error) {
	f.mu.RLock()
	p := f.pages[addr]
	f.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p = make([]byte, f.page)
	if _, err := readMemory(f.pid, p, addr); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.pages[addr] = p
	f.mu.Unlock()
	return p, nil
}

// touched is what was read, by whole pages.
func (f *frozen) touched() []Range {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := slices.Clone(f.large)
	for a := range f.pages {
		out = append(out, Range{a, a + f.page})
	}
	return out
}

// running is the memory of a process that changes while we look.
type running struct{ pid int }

// Bytes implements Memory; it always copies.
func (r running) Bytes(addr uint64, n int) ([]byte, error) {
	if n <= 0 || n > maxPlanRead {
		if n == 0 {
			return nil, nil
		}
		return nil, &MissingError{Addr: addr, Want: addr, N: n, Why: "not a sensible length"}
	}
	b := make([]byte, n)
	_, err := r.ReadAt(b, addr)
	return b, err
}

// ReadAt implements Memory.
func (r running) ReadAt(b []byte, addr uint64) (int, error) {
	n, err := readMemory(r.pid, b, addr)
	if err != nil {
		return n, readError(err, addr, len(b), n)
	}
	return n, nil
}

// readMemory fills b from the address and returns how much it got.
func readMemory(pid int, b []byte, addr uint64) (int, error) {
	done := 0
	for done < len(b) {
		n, err := vmRead(pid, b[done:], []remoteVec{{addr + uint64(done), uint64(len(b) - done)}})
		done += n
		if err != nil {
			return done, err
		}
		if n == 0 {
			return done, syscall.EFAULT
		}
	}
	return done, nil
}

// readError makes a MissingError of what the kernel said.
func readError(err error, addr uint64, n, done int) error {
	e := &MissingError{Addr: addr + uint64(done), Want: addr, N: n}
	switch {
	case errors.Is(err, syscall.EFAULT):
		e.Why = "not mapped, or not readable"
	case errors.Is(err, syscall.ESRCH):
		e.Why = "the process has ended"
	default:
		e.Why = err.Error()
	}
	return e
}

// view is an image whose memory is another's.
type view struct {
	Memory
	info    Info
	maps    []Mapping
	threads []Thread
}

func (v *view) Info() Info          { return v.info }
func (v *view) Mappings() []Mapping { return v.maps }
func (v *view) Threads() []Thread   { return v.threads }
func (v *view) Close() error        { return nil }

// chunk is how much one call copies, at most, so that all workers have work.
const chunk = 4 << 20

// copyRanges copies parts of the ranges of a process to dst, where ranges come
// one after the other. Both are disjoint, ascending and on page boundaries, and
// each part lies in one range. It returns what it could not read, whose bytes
// in dst are zero.
func copyRanges(ctx context.Context, pid int, dst []byte, ranges, parts []Range, page uint64, workers int) ([]Range, error) {
	type job struct {
		dst    []byte
		remote []remoteVec
	}
	jobs := make(chan job)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed []Range
		fatal  error
	)
	for range max(1, workers) {
		wg.Go(func() {
			for j := range jobs {
				mu.Lock()
				if fatal == nil {
					fatal = ctx.Err()
				}
				over := fatal != nil
				mu.Unlock()
				if over {
					continue
				}
				bad, err := copyVecs(pid, j.dst, j.remote, page)
				mu.Lock()
				failed = append(failed, bad...)
				if fatal == nil {
					fatal = err
				}
				mu.Unlock()
			}
		})
	}
	var j job
	size := uint64(0)
	flush := func() {
		if size > 0 {
			j.dst, dst = dst[:size:size], dst[size:]
			jobs <- j
			j, size = job{}, 0
		}
	}
	skip := func(n uint64) {
		if n > 0 {
			flush()
			dst = dst[n:]
		}
	}
	for _, r := range ranges {
		for ; len(parts) > 0 && parts[0].Start < r.End; parts = parts[1:] {
			p := parts[0]
			skip(p.Start - r.Start)
			r.Start = p.End
			for p.Start < p.End {
				n := min(p.Len(), chunk-size)
				j.remote = append(j.remote, remoteVec{p.Start, n})
				size += n
				p.Start += n
				if size == chunk || len(j.remote) == maxVecs {
					flush()
				}
			}
		}
		skip(r.End - r.Start)
	}
	flush()
	close(jobs)
	wg.Wait()
	return failed, fatal
}

// copyVecs does one job of copyRanges. It leaves out pages that cannot be read.
func copyVecs(pid int, dst []byte, remote []remoteVec, page uint64) (bad []Range, err error) {
	for len(remote) > 0 {
		n, err := vmRead(pid, dst, remote)
		if err != nil && !errors.Is(err, syscall.EFAULT) {
			return bad, fmt.Errorf("copy memory at %#x: %w", remote[0].base, err)
		}
		dst = dst[n:]
		for n > 0 { // past what was read
			step := min(uint64(n), remote[0].len)
			remote[0].base += step
			remote[0].len -= step
			n -= int(step)
			if remote[0].len == 0 {
				remote = remote[1:]
			}
		}
		if len(remote) == 0 || len(dst) == 0 {
			break
		}
		at := remote[0].base
		step := min(page-at%page, remote[0].len)
		if m, err := vmRead(pid, dst[:step], []remoteVec{{at, step}}); err != nil || m < int(step) {
			bad = append(bad, Range{at, at + step})
			clear(dst[:step])
		}
		dst = dst[step:]
		if remote[0].base, remote[0].len = at+step, remote[0].len-step; remote[0].len == 0 {
			remote = remote[1:]
		}
	}
	return bad, nil
}
