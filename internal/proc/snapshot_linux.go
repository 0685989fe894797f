//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
)

// snapshot runs take on a thread of ours that ends with it: should anything be
// left traced, the kernel lets go of it then.
func (l *live) snapshot(ctx context.Context, plan Plan, how *How) (Image, error) {
	var img Image
	var err error
	onThreadOfItsOwn(func() {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		// On a busy machine the process stands still while we wait for a
		// processor, so go first where that is allowed. It is for this thread.
		syscall.Setpriority(syscall.PRIO_PROCESS, 0, -10)
		img, err = l.take(ctx, plan, how)
	})
	return img, err
}

// onThreadOfItsOwn calls f on a thread that ends afterwards. The first thread of
// a process is none: Go keeps it.
func onThreadOfItsOwn(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if syscall.Gettid() == os.Getpid() {
			onThreadOfItsOwn(f) // while this one is taken, it gets another
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}

func (l *live) take(ctx context.Context, plan Plan, how *How) (Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !l.same() {
		return nil, fmt.Errorf("%w: it has ended, or has become another program by exec", ErrGone)
	}
	s, err := l.newShot(plan, how)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() { // after a panic, too
		if !done {
			s.close()
		}
	}()
	how.Mode, how.Reason = l.wish.mode, l.wish.reason
	if how.Mode == Fork {
		err = s.fork(ctx)
		var refused *refusedError
		if errors.As(err, &refused) && l.o.Mode == Auto {
			how.Mode, how.Reason = Stop, "it could not be forked: "+refused.Error()
		}
	}
	if how.Mode == Stop {
		err = s.stop(ctx)
	}
	if err != nil {
		return nil, err
	}
	l.o.Step(StepDone)
	done = true
	return s.image(), nil
}

// shot is a snapshot in the making.
type shot struct {
	l    *live
	plan Plan
	how  *How
	info Info

	exe     *os.File
	files   *backing
	maps    []Mapping
	threads []Thread
	ranges  []Range
	memory  []byte // what is in ranges, one after the other
	spare   []byte // memory made ready by the rehearsal
	bad     []Range
	back    func() // see volunteer
}

// newShot opens the files that back memory.
func (l *live) newShot(plan Plan, how *How) (*shot, error) {
	exe, err := os.Open(l.info.Exe)
	if err != nil {
		return nil, err
	}
	maps, err := mappings(l.pid)
	if err != nil {
		exe.Close()
		return nil, l.lost(err)
	}
	s := &shot{l: l, plan: plan, how: how, info: l.info, back: volunteer(), exe: exe, files: &backing{open: l.openMapped, page: l.info.PageSize}}
	s.info.Exe = fmt.Sprintf("/proc/self/fd/%d", exe.Fd())
	for i := range maps {
		s.files.add(&maps[i])
	}
	return s, nil
}

// openMapped opens a file the process has mapped.
func (l *live) openMapped(m *Mapping) (*mappedFile, error) {
	if m.File == l.info.Name {
		return mapFile(l.exe)
	}
	// The first is exact but takes CAP_SYS_ADMIN; the second is checked.
	f, err := os.Open(fmt.Sprintf("/proc/%d/map_files/%x-%x", l.pid, m.Start, m.End))
	if err != nil {
		if m.Deleted {
			return nil, errors.New("it was replaced or removed")
		}
		f, err = os.Open(fmt.Sprintf("/proc/%d/root%s", l.pid, m.File))
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err != nil || info.Sys().(*syscall.Stat_t).Ino != m.Inode {
			f.Close()
			return nil, errors.New("the file of that name is another one")
		}
	}
	defer f.Close()
	return mapFile(f)
}

// fork makes the snapshot from a child.
func (s *shot) fork(ctx context.Context) error {
	l := s.l
	t := &tracer{l: l}
	defer s.finish(ctx, t) // after a panic of the plan, too
	if err := t.stop(ctx); err != nil {
		return err
	}
	s.threads, s.how.Threads = t.listing(), len(t.threads)
	s.info.Taken = l.o.Now()
	if err := t.fork(); err != nil {
		return err
	}
	s.warn(t.buryHelper())
	var err error
	if s.maps, err = mappings(t.child); err != nil {
		return err
	}
	return s.copy(ctx, t.child)
}

// warn notes what does no harm to the copy.
func (s *shot) warn(err error) {
	if err != nil {
		s.info.Warnings = append(s.info.Warnings, err)
	}
}

// finish lets go of what is held still, ends the child and has the target reap
// it, if it must, whatever came before.
func (s *shot) finish(ctx context.Context, t *tracer) {
	l, child := s.l, t.child
	t.release()
	if child == 0 {
		t.letGo()
	}
	if t.resumed.IsZero() {
		t.resumed = l.o.Now()
	}
	if !t.began.IsZero() {
		s.how.Stops = append(s.how.Stops, t.resumed.Sub(t.began))
	}
	if child == 0 {
		return
	}
	s.warn(t.buryHelper())
	l.o.Step(StepEnd)
	mine, id := l.reaps(child)
	s.warn(t.endChild())
	t.letGo()
	s.how.Child = l.o.Now().Sub(t.resumed)
	if mine {
		l.o.Step(StepSecond)
		s.warn(s.reap(context.WithoutCancel(ctx), child, id))
	}
}

// reaps tells whether an orphan goes to the target, as it is the init of its
// PID namespace or a subreaper, and the id it has there.
func (l *live) reaps(child int) (bool, uint32) {
	b, err := readProc(child, "status")
	if err != nil {
		return false, 0
	}
	st := parseStatus(b)
	if st.PPid != l.pid || len(st.NSpid) == 0 {
		return false, 0
	}
	return true, uint32(st.NSpid[len(st.NSpid)-1])
}

// reap has the target reap the child, which has ended and has the given id in
// its namespace.
func (s *shot) reap(ctx context.Context, child int, id uint32) error {
	l := s.l
	t := &tracer{l: l}
	defer func() {
		t.letGo()
		if !t.began.IsZero() {
			s.how.Stops = append(s.how.Stops, l.o.Now().Sub(t.began))
		}
	}()
	if err := t.stop(ctx); err != nil {
		return err
	}
	maps, err := mappings(l.pid)
	if err != nil {
		return l.lost(err)
	}
	_, err = t.arm(maps, optSysGood, func(back regset, at uint64) ([]byte, error) {
		return reapCode(runtime.GOARCH, back, at, id)
	})
	if err != nil {
		return err
	}
	t.release()
	return t.awaitReaped(child)
}

// stop makes the snapshot of the stopped process itself.
func (s *shot) stop(ctx context.Context) error {
	l := s.l
	l.o.Step(StepRehearse)
	if err := s.rehearse(); err != nil {
		return err
	}
	t := &tracer{l: l}
	defer func() {
		t.letGo()
		if !t.began.IsZero() {
			s.how.Stops = append(s.how.Stops, l.o.Now().Sub(t.began))
		}
	}()
	if err := t.stop(ctx); err != nil {
		return err
	}
	s.threads, s.how.Threads = t.listing(), len(t.threads)
	s.info.Taken = l.o.Now()
	var err error
	if s.maps, err = mappings(l.pid); err != nil {
		return l.lost(err)
	}
	return s.copy(ctx, l.pid)
}

// rehearse runs the plan on the running process, to have the memory at hand
// when it is stopped: the first touch of a page takes longer than its copy.
func (s *shot) rehearse() error {
	mem := newFrozen(s.l.pid, s.info.PageSize)
	img := s.l.running().(*view)
	img.Memory = mem
	ranges, err := s.plan(img)
	if err != nil {
		ranges = nil
	}
	size := total(joined(append(ranges, mem.touched()...), img.maps, s.info.PageSize))
	s.spare, err = newMemory(size+size/8, true)
	return err
}

// copy runs the plan on the memory of the process and copies what it names.
func (s *shot) copy(ctx context.Context, pid int) error {
	l := s.l
	if err := ctx.Err(); err != nil {
		return err
	}
	l.o.Step(StepPlan)
	mem := newFrozen(pid, s.info.PageSize)
	ranges, err := s.plan(&view{mem, s.info, s.maps, s.threads})
	if err != nil {
		return l.lost(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ranges = append(append(ranges, mem.touched()...), s.files.written...)
	s.ranges = joined(ranges, s.maps, s.info.PageSize)
	size := total(s.ranges)
	if size <= uint64(len(s.spare)) {
		s.memory = s.spare[:size:size]
	} else if s.memory, err = newMemory(size, false); err != nil {
		return err
	}
	l.o.Step(StepCopy)
	workers := l.o.Workers
	if workers <= 0 {
		workers = min(4, runtime.GOMAXPROCS(0))
	}
	parts := present(pid, s.ranges, s.maps, s.info.PageSize) // the rest is zero, as new memory is
	if s.bad, err = copyRanges(ctx, pid, s.memory, s.ranges, parts, s.info.PageSize, workers); err != nil {
		return l.lost(err)
	}
	s.how.Copied = total(parts)
	return nil
}

// newMemory gets memory from the system, past the garbage collector; touched
// asks for the pages at once.
func newMemory(size uint64, touched bool) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	flags := syscall.MAP_PRIVATE | syscall.MAP_ANON
	if touched {
		flags |= syscall.MAP_POPULATE
	}
	b, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, flags)
	if err != nil {
		return nil, fmt.Errorf("get %d MB of memory for the copy: %w", size>>20, err)
	}
	if !touched {
		syscall.Madvise(b, 14) // MADV_HUGEPAGE: fewer faults; a hint
	}
	return b, nil
}

// image hands out what was copied.
func (s *shot) image() Image {
	pieces := make([]Piece, 0, len(s.ranges))
	rest := s.memory
	for _, r := range s.ranges {
		pieces = append(pieces, Piece{r.Start, rest[:r.Len():r.Len()]})
		rest = rest[r.Len():]
	}
	if len(s.bad) > 0 {
		s.info.Warnings = append(s.info.Warnings, fmt.Errorf("%d bytes of the process could not be read, from %#x on; they are zero here", total(s.bad), s.bad[0].Start))
	}
	return &image{space: newSpace(s.files.holes, pieces, s.files.pieces), info: s.info, maps: s.maps, threads: s.threads, held: s.ranges, close: s.close}
}

// close gives back what the image holds.
func (s *shot) close() error {
	s.back()
	errs := []error{s.files.Close(), s.exe.Close()}
	if s.memory != nil && len(s.spare) < len(s.memory) {
		errs = append(errs, os.NewSyscallError("munmap", syscall.Munmap(s.memory)))
	}
	if s.spare != nil {
		errs = append(errs, os.NewSyscallError("munmap", syscall.Munmap(s.spare)))
	}
	s.memory, s.spare = nil, nil
	return errors.Join(errs...)
}
