package proc

import (
	"context"
	"errors"
	"fmt"
)

// Target is a live process that can be copied. Nothing has been done to it
// before Snapshot is called. It belongs to one goroutine.
//
// # How the process is forked
//
// All threads are seized with ptrace(2) and stopped. One that waits in a system
// call is then made to run a few instructions of ours, written to the unused
// end of the vDSO (or of another executable page), which are complete in
// themselves:
//
//	target          clone(CLONE_VM|CLONE_VFORK): a helper that shares the memory
//	  helper        clone(): a child with a copy of the memory; exit
//	    child       exit
//	target          waitid(helper); all registers as before; jump back
//
// The child is traced from its birth, so it does not reach its exit before we
// let it. The helper is reaped at once, so the child is nobody's but init's, and
// the target has no child that it could see or would have to reap; only where
// it is init itself, in a container, it is stopped once more to do so, however
// the snapshot ends. Where init reaps nobody, the child remains as a zombie.
// Files are shared, not copied, so a connection the target closes is closed.
//
// Should the reader be killed at any point of this (kill -9), the kernel lets
// go of what is traced: threads run on, the instructions above run to their end
// by themselves, the child runs into its exit or is killed (PTRACE_O_EXITKILL
// is set on it alone). The target goes on as if nothing had been; but one that
// is init itself keeps the child as a zombie then.
//
// Interrupted system calls are restarted as the kernel does it, and those the
// kernel would end with EINTR without need (epoll_wait and a few) are restarted
// too, on amd64. The instructions, 320 bytes, remain where they are, and are
// overwritten by the next snapshot.
//
// Memory shared with other processes (MAP_SHARED) is not frozen by a fork.
type Target struct{ live *live }

// Attach looks at the process and finds out whether and how it can be copied.
// It does not stop it. Errors wrap ErrPermission, ErrTraced, ErrGone or
// ErrUnsupported.
func Attach(pid int, o Options) (*Target, error) {
	if o.Now == nil {
		return nil, errors.New("attach: Options.Now is nil; hand in time.Now")
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	l, err := attach(pid, o)
	if err != nil {
		return nil, fmt.Errorf("attach to process %d: %w", pid, err)
	}
	return &Target{l}, nil
}

// Info describes the process.
func (t *Target) Info() Info { return t.live.info }

// Estimate tells what Snapshot will do. It can change until then.
func (t *Target) Estimate() Estimate { return t.live.estimate() }

// Snapshot freezes the process, asks plan what to copy, copies it and lets the
// process go. Whatever happens, errors, a panic of plan, a cancelled ctx: the
// process runs on. How is filled as far as it went.
func (t *Target) Snapshot(ctx context.Context, plan Plan) (Image, How, error) {
	var how How
	img, err := t.live.snapshot(ctx, plan, &how)
	if err != nil {
		return nil, how, fmt.Errorf("snapshot of process %d: %w", t.live.info.PID, err)
	}
	return img, how, nil
}

// Close gives up the files that Attach opened. Images made by Snapshot stay.
func (t *Target) Close() error { return t.live.Close() }

// Names of the steps that Options.Step is told, in the order they come in. A
// snapshot by Stop has only those marked so.
const (
	StepRehearse  = "rehearse"  // stop: plan runs on the running process
	StepSeize     = "seize"     // both: threads are being stopped
	StepStopped   = "stopped"   // both: all threads stand still
	StepWritten   = "written"   // instructions are in place
	StepArmed     = "armed"     // a thread is about to run them
	StepCalled    = "called"    // it is at the call that makes the helper
	StepHelper    = "helper"    // the helper exists, stopped
	StepForked    = "forked"    // the child exists, stopped
	StepProtected = "protected" // the child dies with us
	StepResumed   = "resumed"   // the process runs on
	StepReaped    = "reaped"    // the helper is gone
	StepPlan      = "plan"      // both
	StepCopy      = "copy"      // both
	StepEnd       = "end"       // the child is about to exit
	StepSecond    = "second"    // only if the target is the child's reaper: it is stopped again
	StepDone      = "done"      // both
)

// Steps lists the steps of a snapshot by fork, and those by stop, in order.
func Steps(m Mode) []string {
	if m == Stop {
		return []string{StepRehearse, StepSeize, StepStopped, StepPlan, StepCopy, StepDone}
	}
	return []string{StepSeize, StepStopped, StepWritten, StepArmed, StepCalled, StepHelper, StepForked, StepProtected, StepResumed,
		StepReaped, StepPlan, StepCopy, StepEnd, StepDone}
}
