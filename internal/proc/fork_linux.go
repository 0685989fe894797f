//go:build linux && (amd64 || arm64)

package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"unsafe"
)

// refusedError says that the process could not be forked, which is no reason
// not to stop it.
type refusedError struct {
	what string
	err  error
}

// refused is the error for what could not be done to a process that is there.
func refused(what string, err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return gone(err)
	}
	return &refusedError{what, err}
}

func (e *refusedError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.err) }
func (e *refusedError) Unwrap() error { return e.err }

// fork has the stopped process fork as told at Target, lets it run on, and
// leaves the child in t.child, stopped.
func (t *tracer) fork() error {
	maps, err := mappings(t.l.pid)
	if err != nil {
		return t.l.lost(err)
	}
	if t.pausing() {
		return &refusedError{"fork", errors.New("it is stopped by a signal, and what was begun would wait until it goes on")}
	}
	const options = optSysGood | optFork | optVfork | optClone
	for {
		host, err := t.arm(maps, options, func(back regset, at uint64) ([]byte, error) {
			return forkCode(runtime.GOARCH, back, at)
		})
		if err != nil {
			return err
		}
		err = t.birth(host)
		if errors.Is(err, errSignal) {
			continue // that thread got a signal first; there are others
		}
		if err == nil {
			t.release()
			t.resumed = t.l.o.Now()
			t.l.o.Step(StepResumed)
		}
		return err
	}
}

// pausing tells whether the process is, or is about to be, stopped by a signal:
// let go, it would stand still in the middle of our instructions.
func (t *tracer) pausing() bool {
	const stops = 1<<syscall.SIGSTOP | 1<<syscall.SIGTSTP | 1<<syscall.SIGTTIN | 1<<syscall.SIGTTOU
	text, err := readProc(t.l.pid, "status")
	if err == nil && parseStatus(text).Pending<<1&stops != 0 {
		return true
	}
	return slices.ContainsFunc(t.threads, func(th *thread) bool {
		return th.held && (th.State == 'T' || stops>>th.signal&1 != 0)
	})
}

// arm writes instructions and points a thread at them. From here on the thread
// gets back to where it was by itself.
func (t *tracer) arm(maps []Mapping, options int, code func(back regset, at uint64) ([]byte, error)) (*thread, error) {
	host, at, err := t.host(maps)
	if err != nil {
		return nil, err
	}
	if err := ptrace(ptSetOptions, host.ID, 0, uintptr(options)); err != nil {
		return nil, refused("set options of ptrace", err)
	}
	back, _ := restarted(runtime.GOARCH, host.raw, host.again != nil)
	b, err := code(back, at)
	if err == nil {
		err = poke(host.ID, at, b)
	}
	if err != nil {
		return nil, refused("write instructions", err)
	}
	t.l.o.Step(StepWritten)
	if err := forget(host.ID); err != nil {
		return nil, fmt.Errorf("prepare thread %d: %w", host.ID, gone(err))
	}
	if err := setRegs(host.ID, armed(host.raw, at)); err != nil {
		return nil, fmt.Errorf("prepare thread %d: %w", host.ID, gone(err))
	}
	host.again = nil
	t.l.o.Step(StepArmed)
	return host, nil
}

// host picks the thread that will run our instructions, and where.
func (t *tracer) host(maps []Mapping) (*thread, uint64, error) {
	threads := slices.Clone(t.threads)
	fit := map[*thread]int{}
	for _, th := range threads {
		if th.held && th.signal == 0 {
			fit[th] = fitness(runtime.GOARCH, th.raw, t.instruction(th))
		}
	}
	slices.SortStableFunc(threads, func(a, b *thread) int { return fit[b] - fit[a] })
	err := error(&refusedError{"pick a thread", errors.New("none is in a state to run instructions of ours")})
	filtered := 0
	for _, th := range threads {
		if fit[th] == 0 || filtered == maxFiltered {
			break
		}
		at, err2 := t.place(maps, th.Regs.PC)
		if err2 != nil {
			return nil, 0, err2
		}
		if at == 0 {
			err = &refusedError{"write instructions", errors.New("no executable page has room for them")}
			continue
		}
		if err2 = t.harmless(th, at); !errors.Is(err2, errFilter) {
			return th, at, err2
		}
		filtered++
		err = &refusedError{"pick a thread", err2}
	}
	return nil, 0, err
}

// instruction is the one a thread is at, of 4 bytes; where they are not, 0.
func (t *tracer) instruction(th *thread) uint32 {
	var b [4]byte
	if runtime.GOARCH == "arm64" {
		readMemory(t.l.pid, b[:], th.Regs.PC)
	}
	return binary.LittleEndian.Uint32(b[:])
}

// maxFiltered is how many threads with a seccomp filter are asked; mostly all
// threads have the same.
const maxFiltered = 8

// place finds room for our instructions: the unused end of an executable page,
// first that of the vDSO, from which a thread at pc can be reached; 0 if there
// is none.
func (t *tracer) place(maps []Mapping, pc uint64) (uint64, error) {
	for _, vdso := range [...]bool{true, false} {
		for i := range maps {
			m := &maps[i]
			if m.Perm&(Read|Write|Exec|Shared) != Read|Exec || (m.File == "[vdso]") != vdso || m.End-m.Start < codeSize*2 {
				continue
			}
			at := m.End - codeSize
			if d := int64(at - pc); runtime.GOARCH == "arm64" && (d < -1<<27+4096 || d > 1<<27-4096) {
				continue
			}
			if free, err := t.unused(at); free || err != nil {
				return at, err
			}
		}
	}
	return 0, nil
}

// unused tells whether the memory at the address, some way before and up to
// codeSize behind it, is free: nothing but zeros, or what a reader has left
// that no thread is in, or will get back to.
func (t *tracer) unused(at uint64) (bool, error) {
	const distance = 32 // to what stands before
	var mem [distance + codeSize]byte
	if _, err := readMemory(t.l.pid, mem[:], at-distance); errors.Is(err, syscall.ESRCH) {
		return false, gone(err)
	} else if err != nil {
		return false, nil
	}
	if len(bytes.Trim(mem[:], "\x00")) == 0 {
		return true, nil
	}
	if !bytes.HasSuffix(mem[:], []byte(codeMark)) {
		return false, nil
	}
	code, stack := Range{at, at + codeSize}, make([]byte, signalStack)
	return !slices.ContainsFunc(t.threads, func(th *thread) bool {
		return th.held && (th.Regs.PC >= code.Start && th.Regs.PC < code.End || t.returnsTo(th, code, stack))
	}), nil
}

// signalStack is how far above the stack pointer of a signal handler the
// registers of what it interrupted are: Go's stacks for handlers are of 32 KB.
const signalStack = 32 << 10

// returnsTo tells whether a thread may be in a handler of a signal that came
// while it ran such instructions: their address is on its stack. A reader that
// was killed leaves threads to run them by themselves, whenever that may be.
// stack is room for a copy of the stack.
func (t *tracer) returnsTo(th *thread, code Range, stack []byte) bool {
	n, _ := readMemory(t.l.pid, stack, th.Regs.SP&^7) // the stack may end before
	for words := stack[:n&^7]; len(words) > 0; words = words[8:] {
		if w := regset(words).word(0); w >= code.Start && w < code.End {
			return true
		}
	}
	return false
}

// errSignal says that a thread cannot run our instructions, as a signal came
// before it began.
var errSignal = errors.New("a signal came first")

// birth runs the thread until the child exists.
//
// No stop here is one that would harm the thread if we were killed at it. A
// single step would be: the kernel does not take the trap flag back then.
func (t *tracer) birth(host *thread) error {
	for calls := 0; t.helper == 0; {
		if err := ptrace(syscall.PTRACE_SYSCALL, host.ID, 0, 0); err != nil {
			return gone(err)
		}
		e, err := await(host.ID, t.l.o.Now)
		switch {
		case err != nil:
			return err
		case !e.Stopped():
			host.held, host.ended = false, true
			return fmt.Errorf("%w: thread %d: %s", ErrGone, host.ID, e)
		case e.signal() != 0:
			// As if nothing had been, the signal is delivered when it is let go.
			host.signal = e.signal()
			return errors.Join(errSignal, gone(setRegs(host.ID, host.raw)))
		case e.kind() == eventStop:
		case e.kind() != 0:
			if t.helper, err = eventMessage(host.ID); err != nil {
				return err
			}
		case e.inSyscall():
			if calls++; calls == 1 {
				t.l.o.Step(StepCalled)
				continue
			}
			raw, _, err := readRegs(host.ID) // it returned and there is no helper
			if err != nil {
				return gone(err)
			}
			if -result(raw) != errRestartNoInt {
				return &refusedError{"fork", syscall.Errno(-result(raw))}
			}
			calls = 0 // for a signal, which comes now; else the kernel calls once more
		}
	}
	if _, err := await(t.helper, t.l.o.Now); err != nil {
		return err
	}
	t.l.o.Step(StepHelper)
	e, err := t.next(t.helper)
	if err != nil {
		return err
	}
	if !e.Stopped() {
		t.helper = 0
		return &refusedError{"fork", syscall.Errno(256 - e.ExitStatus())}
	}
	return t.adopt()
}

// adopt takes charge of the child that the helper has just made.
func (t *tracer) adopt() error {
	child, err := eventMessage(t.helper)
	if err != nil {
		return err
	}
	t.child = child
	if _, err := await(child, t.l.o.Now); err != nil {
		return err
	}
	t.l.o.Step(StepForked)
	if err := ptrace(ptSetOptions, child, 0, optExitKill); err != nil {
		return fmt.Errorf("protect the child: %w", gone(err))
	}
	// If memory runs out, the copy goes first.
	os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", child), []byte("1000"), 0)
	t.l.o.Step(StepProtected)
	return nil
}

// next lets helper or child run until a report that is no signal.
func (t *tracer) next(id int) (event, error) {
	for {
		if err := ptrace(syscall.PTRACE_CONT, id, 0, 0); err != nil {
			return event{}, gone(err)
		}
		e, err := awaitWithin(id, t.l.o.Now, forkPatience(t.l.rights.target.RSS))
		if err != nil || !e.Stopped() || e.kind() != 0 && e.kind() != eventStop {
			return e, err
		}
	}
}

// eventMessage is the id that belongs to a fork event.
func eventMessage(id int) (int, error) {
	var msg uint64
	err := ptraceInto(ptEventMsg, id, 0, unsafe.Pointer(&msg))
	return int(msg), gone(err)
}

// buryHelper lets the helper exit, and waits until the target has reaped it.
// Only then is the child an orphan.
func (t *tracer) buryHelper() error {
	helper := t.helper
	if helper == 0 {
		return nil
	}
	for t.helper != 0 {
		e, err := t.next(t.helper)
		if err != nil {
			return err
		}
		if !e.Stopped() {
			t.helper = 0
		}
	}
	err := t.awaitReaped(helper)
	t.l.o.Step(StepReaped)
	return err
}

// awaitReaped waits until a child of the target that has ended is reaped.
func (t *tracer) awaitReaped(id int) error {
	p := newPatience(t.l.o.Now, stopPatience)
	for {
		text, err := readProc(id, "status")
		if err != nil || parseStatus(text).PPid != t.l.pid { // or it is another's now
			return nil
		}
		if p.wait() != nil {
			return fmt.Errorf("the process was not made to reap its child %d; a zombie remains until it ends", id)
		}
	}
}

// endChild lets the child run into its exit. That takes long when there is much
// memory to give back; nobody needs to wait for it.
func (t *tracer) endChild() error {
	child := t.child
	if t.child = 0; child == 0 {
		return nil
	}
	e, err := t.next(child)
	if err == nil && e.Stopped() {
		err = fmt.Errorf("%s instead", e)
	}
	if err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, errSlow) {
		return fmt.Errorf("end the child %d: %w", child, err)
	}
	return nil
}
