//go:build linux && (amd64 || arm64)

package proc

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Requests, options and events of ptrace(2).
const (
	ptSeize       = 0x4206
	ptInterrupt   = 0x4207
	ptSetOptions  = 0x4200
	ptEventMsg    = 0x4201
	ptGetRegSet   = 0x4204
	ptSetRegSet   = 0x4205
	ptPeekSigInfo = 0x4209

	optSysGood  = 0x1
	optFork     = 0x2
	optVfork    = 0x4
	optClone    = 0x8
	optExitKill = 0x100000

	eventFork  = 1
	eventVfork = 2
	eventClone = 3
	eventStop  = 128

	ntPrstatus  = 1
	ntArmTLS    = 0x401
	ntArmSysNum = 0x404

	waitFlags = 0x40000000 // __WALL
)

// How long a thread may take to stop, or to do a step, when others stand still
// already: one that waits in the kernel (state D) may do so for minutes. Who
// does not stop when all is over anyway is left to the kernel.
const (
	stopPatience = 5 * time.Second
	diskPatience = 300 * time.Millisecond
	calmPatience = 50 * time.Millisecond
)

func ptrace(req, tid int, addr, data uintptr) error {
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PTRACE, uintptr(req), uintptr(tid), addr, data, 0, 0); e != 0 {
		return e
	}
	return nil
}

// ptraceInto is ptrace for requests whose data is a pointer.
func ptraceInto(req, tid int, addr uintptr, data unsafe.Pointer) error {
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PTRACE, uintptr(req), uintptr(tid), addr, uintptr(data), 0, 0); e != 0 {
		return e
	}
	return nil
}

// getRegset reads one of a thread's register sets into b.
func getRegset(tid, set int, b []byte) (int, error) {
	iov := syscall.Iovec{Base: &b[0]}
	iov.SetLen(len(b))
	err := ptraceInto(ptGetRegSet, tid, uintptr(set), unsafe.Pointer(&iov))
	return int(iov.Len), err
}

func setRegs(tid int, r regset) error {
	iov := syscall.Iovec{Base: &r[0]}
	iov.SetLen(len(r))
	return ptraceInto(ptSetRegSet, tid, ntPrstatus, unsafe.Pointer(&iov))
}

// poke writes code to addr, which must be on 8 bytes, through the protection of
// the page.
func poke(tid int, addr uint64, code []byte) error {
	for len(code)%8 != 0 {
		code = append(code[:len(code):len(code)], 0)
	}
	r := regset(code)
	for i := range len(code) / 8 {
		if err := ptrace(syscall.PTRACE_POKEDATA, tid, uintptr(addr)+uintptr(8*i), uintptr(r.word(i))); err != nil {
			return err
		}
	}
	return nil
}

// event is what a traced thread reports.
type event struct{ syscall.WaitStatus }

// kind is the ptrace event of a stop, 0 if it is another stop.
func (e event) kind() int { return int(uint32(e.WaitStatus) >> 16) }

// signal is the signal the thread is about to get, 0 if the stop is no
// signal-delivery-stop of a signal that is meant for it.
func (e event) signal() syscall.Signal {
	if !e.Stopped() || e.kind() != 0 || e.StopSignal() == syscall.SIGTRAP || e.inSyscall() {
		return 0
	}
	return e.StopSignal()
}

// inSyscall tells whether the stop is the entry of a system call or its end.
func (e event) inSyscall() bool {
	return e.Stopped() && e.kind() == 0 && int(e.StopSignal()) == 0x80|int(syscall.SIGTRAP)
}

func (e event) String() string {
	switch {
	case e.Exited():
		return fmt.Sprintf("exit %d", e.ExitStatus())
	case e.Signaled():
		return "death by " + e.Signal().String()
	}
	return fmt.Sprintf("stop by signal %d, event %d", int(e.StopSignal()), e.kind())
}

// poll asks once what a traced thread has to report; ok is false if nothing.
//
// A stop is only looked at (WNOWAIT), not taken off. Were it taken off and we
// killed, the thread would go on without the signal that it stopped for: a wait
// clears what it reports, and that is what the thread reads when it wakes
// (kernel/signal.c, ptrace_stop). This way it gets its signal. The other side is
// that the same stop is reported again, so none is asked for twice.
func poll(tid int) (e event, ok bool, err error) {
	const idPID, stopped, exited, noWait = 1, 0x2, 0x4, 0x1000000
	var info [128]byte
	for {
		info = [128]byte{}
		_, _, errno := syscall.RawSyscall6(syscall.SYS_WAITID, idPID, uintptr(tid), uintptr(unsafe.Pointer(&info)),
			waitFlags|stopped|exited|noWait|syscall.WNOHANG, 0, 0)
		if errno == 0 {
			break
		}
		if errno != syscall.EINTR {
			return e, false, errno
		}
	}
	const trapped = 4 // CLD_TRAPPED; less is a way to end
	switch word := regset(info[:]).word; {
	case int32(word(2)) == 0: // si_pid
		return e, false, nil
	case int32(word(1)) >= trapped: // si_code; si_status follows pid and uid
		return event{syscall.WaitStatus(uint32(word(3))<<8 | 0x7f)}, true, nil
	}
	for {
		got, err := syscall.Wait4(tid, &e.WaitStatus, waitFlags|syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		return e, got == tid, err
	}
}

// patience waits between polls: first it yields the processor to whom we wait
// for, later it sleeps, so that the reader never spins.
type patience struct {
	now   func() time.Time
	since time.Time
	limit time.Duration
	tries int
}

func newPatience(now func() time.Time, limit time.Duration) *patience {
	return &patience{now: now, since: now(), limit: limit}
}

// errSlow is returned when a thread does not do what it was told to.
var errSlow = errors.New("does not stop")

func (p *patience) wait() error {
	p.tries++
	if p.tries < 40 {
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
		return nil
	}
	if p.tries%64 == 0 && p.over(p.limit) {
		return errSlow
	}
	ts := syscall.NsecToTimespec(int64(min(p.tries, 1000)) * int64(time.Microsecond))
	syscall.Nanosleep(&ts, nil)
	return nil
}

// over tells whether more time has passed than the given.
func (p *patience) over(limit time.Duration) bool { return p.now().Sub(p.since) > limit }

// await returns the next report of a traced thread.
func await(tid int, now func() time.Time) (event, error) {
	return awaitWithin(tid, now, stopPatience)
}

// forkPatience is how long the fork of a process may take that has so many
// bytes of memory: some times what it takes on an idle machine.
func forkPatience(resident uint64) time.Duration {
	return stopPatience + time.Duration(resident>>20)*100*time.Microsecond
}

func awaitWithin(tid int, now func() time.Time, limit time.Duration) (event, error) {
	p := newPatience(now, limit)
	for {
		e, ok, err := poll(tid)
		if err != nil || ok {
			return e, gone(err)
		}
		if err := p.wait(); err != nil {
			return e, fmt.Errorf("thread %d %w", tid, err)
		}
	}
}

// gone translates the errors that mean that a thread is no more.
func gone(err error) error {
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.ECHILD) {
		return fmt.Errorf("%w (%w)", ErrGone, err)
	}
	return err
}

// signalsWait tells whether signals wait for the thread or its process.
func signalsWait(tid int) bool {
	for shared := range uint32(2) {
		arg := struct {
			off   uint64
			flags uint32
			nr    int32
		}{0, shared, 1}
		var info [128]byte
		n, _, e := syscall.RawSyscall6(syscall.SYS_PTRACE, ptPeekSigInfo, uintptr(tid), uintptr(unsafe.Pointer(&arg)), uintptr(unsafe.Pointer(&info)), 0, 0)
		if e != 0 || n != 0 {
			return true // if in doubt, the kernel's way
		}
	}
	return false
}

// remoteVec is struct iovec for memory of another process. Its address is no
// pointer of ours, which the garbage collector must not take it for.
type remoteVec struct{ base, len uint64 }

// maxVecs is how many of them one call takes (IOV_MAX).
const maxVecs = 1024

// vmRead reads the memory of a process at the remote addresses into b, whose
// length is the sum of theirs, and returns how much it got from the front.
func vmRead(pid int, b []byte, remote []remoteVec) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	local := syscall.Iovec{Base: &b[0]}
	local.SetLen(len(b))
	n, _, e := syscall.Syscall6(sysVMRead, uintptr(pid), uintptr(unsafe.Pointer(&local)), 1,
		uintptr(unsafe.Pointer(&remote[0])), uintptr(len(remote)), 0)
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func readProc(pid int, name string) ([]byte, error) {
	return os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
}
