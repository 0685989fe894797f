//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inNamespace starts a child that is the init of its PID namespace.
func inNamespace(t *testing.T, what string) *child {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("making a PID namespace takes root")
	}
	return startChild(t, what, func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID} })
}

// TestInitReapsWhateverHappens ends snapshots of an init in all sorts of ways:
// nobody but that process can reap the child.
func TestInitReapsWhateverHappens(t *testing.T) {
	c := inNamespace(t, "service")
	snap := func(o Options, ctx context.Context, plan Plan) error {
		target, err := Attach(c.pid(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		img, _, err := target.Snapshot(ctx, plan)
		if err == nil {
			img.Close()
		}
		return err
	}
	for _, at := range Steps(Fork) {
		ctx, cancel := context.WithCancel(context.Background())
		err := snap(Options{Mode: Fork, Now: time.Now, Step: func(step string) {
			if step == at {
				cancel()
			}
		}}, ctx, c.words)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %s: %v", at, err)
		}
		cancel()
		wantUnharmed(t, c.pid())
	}
	o := Options{Mode: Fork, Now: time.Now}
	if err := snap(o, context.Background(), func(Image) ([]Range, error) { panic("oh") }); err == nil || !strings.Contains(err.Error(), "panic: oh") {
		t.Errorf("a panic: %v", err)
	}
	wantUnharmed(t, c.pid())
	failed := errors.New("no")
	if err := snap(o, context.Background(), func(Image) ([]Range, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("a plan that fails: %v", err)
	}
	wantUnharmed(t, c.pid())
}

// TestPauseEndsWhenTheProcessRunsOn has a clock that only this test moves: what
// comes after the process was let go is no pause.
func TestPauseEndsWhenTheProcessRunsOn(t *testing.T) {
	c := startChild(t, "threads")
	start := time.Now()
	now := start
	target, err := Attach(c.pid(), Options{Mode: Fork, Now: func() time.Time { return now }, Step: func(step string) {
		switch step {
		case StepStopped:
			now = now.Add(time.Second)
		case StepResumed, StepReaped, StepCopy, StepEnd:
			now = now.Add(time.Minute)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	img, how, err := target.Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if how.Pause() != time.Second || how.Child != 4*time.Minute {
		t.Errorf("paused %s, child %s; want 1s and 4m", how.Pause(), how.Child)
	}
}

// TestForkPatience wants more time for more memory: the kernel takes about 25 ms
// for each GB.
func TestForkPatience(t *testing.T) {
	for _, gb := range []uint64{0, 1, 200, 4000} {
		if p := forkPatience(gb << 30); p < stopPatience || p < time.Duration(gb)*100*time.Millisecond {
			t.Errorf("%d GB: %s", gb, p)
		}
	}
}

// TestReaderGoesFirst wants this process to be the first to be ended for want of
// memory, as long as it has a copy of another.
func TestReaderGoesFirst(t *testing.T) {
	score := func() string {
		b, err := os.ReadFile(oomScore)
		if err != nil {
			t.Skip(err)
		}
		return strings.TrimSpace(string(b))
	}
	before := score()
	c := startChild(t, "idle")
	for _, plan := range []Plan{c.words, func(Image) ([]Range, error) { panic("oh") }} {
		img, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), plan)
		if err == nil {
			if s := score(); s != "1000" {
				t.Errorf("the score is %s while there is a copy", s)
			}
			img.Close()
		}
		if s := score(); s != before {
			t.Errorf("the score was %s and is %s now; error %v", before, s, err)
		}
	}
}
