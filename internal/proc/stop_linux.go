//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// tracer holds the threads of a process. All its methods run on one thread of
// ours, which the kernel ties them to.
type tracer struct {
	l       *live
	threads []*thread
	known   map[int]*thread
	// began is when the first thread was told to stop, resumed when they were
	// let go for a copy of the child; zero if not yet.
	began, resumed time.Time
	// helper and child of a fork; 0 if there are none.
	helper, child int
}

// thread is one we hold.
type thread struct {
	Thread
	raw regset
	// again are the registers to go on with where a system call was ended by
	// our stop alone; nil if all is well.
	again regset
	// signal is what the thread was about to get when it stopped.
	signal syscall.Signal
	held   bool // stopped, and ours
	ended  bool // let go, or no more
}

// stop seizes and stops all threads, and reads their registers.
func (t *tracer) stop(ctx context.Context) error {
	t.known = map[int]*thread{}
	l := t.l
	l.o.Step(StepSeize)
	// Seizing does not stop, so the threads there are wait for nothing.
	for {
		n, err := t.seize()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if len(t.threads) == 0 {
		return fmt.Errorf("%w: it has no threads", ErrGone)
	}
	t.began = l.o.Now()
	for fresh := t.threads; len(fresh) > 0; {
		for _, th := range fresh {
			if err := ptrace(ptInterrupt, th.ID, 0, 0); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop thread %d: %w", th.ID, err)
			}
		}
		if err := t.awaitAll(ctx, fresh); err != nil {
			return err
		}
		// Threads that ran may have started others meanwhile.
		before := len(t.threads)
		if _, err := t.seize(); err != nil {
			return err
		}
		fresh = t.threads[before:]
	}
	for _, th := range t.threads {
		if err := t.look(th); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(t.threads, func(th *thread) bool { return th.held }) {
		return fmt.Errorf("%w: all its threads have ended", ErrGone)
	}
	if !l.same() {
		return fmt.Errorf("%w: it has become another program by exec", ErrGone)
	}
	l.o.Step(StepStopped)
	return nil
}

// seize takes hold of the threads that are new, and returns how many.
func (t *tracer) seize() (int, error) {
	n := 0
	for _, id := range threadIDs(t.l.pid) {
		if t.known[id] != nil {
			continue
		}
		th := &thread{Thread: Thread{ID: id, Regs: Regs{Syscall: -1}}}
		th.Name, th.State = threadState(t.l.pid, id)
		if th.State == 'Z' || th.State == 'X' {
			continue
		}
		switch err := ptrace(ptSeize, id, 0, 0); {
		case err == nil:
			t.known[id] = th
			t.threads = append(t.threads, th)
			n++
		case errors.Is(err, syscall.ESRCH):
		default:
			if _, state := threadState(t.l.pid, id); state == 'Z' || state == 'X' || state == 0 {
				continue
			}
			return n, t.refused(err)
		}
	}
	return n, nil
}

// refused explains why a thread could not be seized.
func (t *tracer) refused(err error) error {
	text, err2 := readProc(t.l.pid, "status")
	if err2 != nil {
		return t.l.lost(err2)
	}
	r := readRights(text)
	// Threads of ours that we already hold say so themselves.
	if len(t.threads) == 0 {
		if err := r.inOrder(); err != nil {
			return err
		}
	}
	return r.refused(err)
}

// awaitAll waits until the threads stand still.
func (t *tracer) awaitAll(ctx context.Context, fresh []*thread) error {
	wait := slices.Clone(fresh)
	p := newPatience(t.l.o.Now, diskPatience)
	for {
		wait = slices.DeleteFunc(wait, func(th *thread) bool {
			e, ok, err2 := poll(th.ID)
			switch {
			case err2 != nil: // it is no more
				th.ended = true
			case !ok:
				return false
			case e.Stopped():
				th.held, th.signal = true, e.signal()
				if e.kind() == eventStop && e.StopSignal() != syscall.SIGTRAP { // it was stopped already
					th.State = 'T'
				}
			default:
				th.ended = true
			}
			return true
		})
		if len(wait) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.wait() != nil {
			for _, th := range wait {
				if _, state := threadState(t.l.pid, th.ID); state == 'D' {
					return fmt.Errorf("thread %d did not stop within %s: it waits in the kernel (state D), mostly for a disk, a network file system or a child that has yet to exec; try again when that is over", th.ID, diskPatience)
				}
			}
			if p.over(stopPatience) {
				return fmt.Errorf("thread %d did not stop within %s; try again when the machine is less busy", wait[0].ID, stopPatience)
			}
		}
	}
}

// look reads the registers of a stopped thread.
func (t *tracer) look(th *thread) error {
	if !th.held {
		return nil
	}
	raw, regs, err := readRegs(th.ID)
	if errors.Is(err, syscall.ESRCH) {
		th.held, th.ended = false, true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the registers of thread %d: %w", th.ID, err)
	}
	th.raw, th.Regs = raw, regs
	if th.signal == 0 && needlessly(runtime.GOARCH, raw) && !signalsWait(th.ID) {
		th.again, _ = restarted(runtime.GOARCH, raw, true)
	}
	return nil
}

// release lets the threads go that we hold, with the signals they stopped at.
func (t *tracer) release() {
	for _, th := range t.threads {
		if !th.held {
			continue
		}
		if th.again != nil {
			setRegs(th.ID, th.again) // without it, EINTR, which is no disaster
		}
		if ptrace(syscall.PTRACE_DETACH, th.ID, 0, uintptr(th.signal)) != nil {
			poll(th.ID) // it was killed: that takes note of its end
		}
		th.held, th.ended = false, true
	}
}

// calmDown waits for threads that were seized and have not stopped yet, since
// only those that stand still can be let go. Those that do not stop are let go
// when this thread of ours ends.
func (t *tracer) calmDown() {
	p := newPatience(t.l.o.Now, calmPatience)
	for _, th := range t.threads {
		if th.held || th.ended {
			continue
		}
		ptrace(ptInterrupt, th.ID, 0, 0)
		for {
			e, ok, err := poll(th.ID)
			if ok && e.Stopped() {
				th.held, th.signal = true, e.signal()
			}
			if ok || err != nil || p.wait() != nil {
				th.ended = !th.held
				break
			}
		}
	}
}

// letGo ends whatever is held, after an error at any point.
func (t *tracer) letGo() {
	if t.helper != 0 { // its own instructions end it
		ptrace(syscall.PTRACE_DETACH, t.helper, 0, 0)
		t.helper = 0
	}
	t.release()
	t.calmDown()
	t.release()
	if t.child != 0 {
		t.endChild()
	}
}

// listing is the threads as an image shows them.
func (t *tracer) listing() []Thread {
	out := make([]Thread, len(t.threads))
	for i, th := range t.threads {
		out[i] = th.Thread
	}
	slices.SortFunc(out, func(a, b Thread) int { return a.ID - b.ID })
	return out
}
