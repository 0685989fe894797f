//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cycles is how often the busy service is looked at; a soak takes 1000.
var cycles = flag.Int("cycles", 50, "how often TestManySnapshotsOfABusyService attaches")

// serviceMB is what the busy service holds besides; a soak takes some hundred.
var serviceMB = flag.Int("service", 0, "the heap of the service of TestManySnapshotsOfABusyService, in MB")

// heapMB is the size of the process that BenchmarkSnapshot looks at.
var heapMB = flag.Int("heap", 256, "the heap of BenchmarkSnapshot, in MB")

// BenchmarkSnapshot measures how long a process of -heap MB stands still, and
// how fast it is copied.
func BenchmarkSnapshot(b *testing.B) {
	for _, mode := range []Mode{Fork, Stop} {
		b.Run(mode.String(), func(b *testing.B) {
			c := startChild(b, fmt.Sprint("heap ", *heapMB))
			target := attachTo(b, c.pid(), mode)
			resident := target.Estimate().Resident
			var pauses []time.Duration
			for b.Loop() {
				img, how, err := target.Snapshot(context.Background(), all)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(how.Copied))
				pauses = append(pauses, how.Pause())
				img.Close()
			}
			slices.Sort(pauses)
			ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
			b.ReportMetric(float64(resident)/(1<<20), "MB-resident")
			b.ReportMetric(ms(pauses[0]), "ms-least-pause")
			b.ReportMetric(ms(pauses[len(pauses)/2]), "ms-median-pause")
			b.ReportMetric(ms(pauses[len(pauses)-1]), "ms-most-pause")
		})
	}
}

func TestManySnapshotsOfABusyService(t *testing.T) {
	c := startChild(t, fmt.Sprint("service ", *serviceMB))
	load := startLoad(c.Addr)
	load.take(100) // connections, the first collections
	before := load.take(20 * *cycles)
	var pauses []time.Duration
	for i := range *cycles {
		mode := Fork
		if i%5 == 4 && *serviceMB == 0 {
			mode = Stop
		}
		target, err := Attach(c.pid(), Options{Mode: mode, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		img, how, err := target.Snapshot(context.Background(), all)
		if err != nil {
			t.Fatalf("snapshot %d: %v", i+1, err)
		}
		checkPattern(t, img, &c.childSays)
		checkThreads(t, img)
		if mode == Fork {
			pauses = append(pauses, how.Pause())
		}
		if err := errors.Join(img.Close(), target.Close()); err != nil {
			t.Fatal(err)
		}
	}
	during := load.take(1)
	n, bad := load.end()
	slices.Sort(pauses)
	t.Logf("%d snapshots, %d requests, %d failed", *cycles, n, bad)
	t.Logf("%d requests without snapshots: %s", len(before), spread(before))
	t.Logf("%d requests with snapshots, one after the other: %s", len(during), spread(during))
	t.Logf("stopped for: %s", spread(pauses))
	if bad > 0 || n == 0 {
		t.Errorf("%d of %d requests failed: %v", bad, n, load.lastText.Load())
	}
	wantUnharmed(t, c.pid())
}

// TestSystemCallsAreNotCutShort looks at a process whose threads check that
// their sleeps last as long as they should.
func TestSystemCallsAreNotCutShort(t *testing.T) {
	c := startChild(t, "sleeper")
	for range 30 {
		img, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words)
		if err != nil {
			t.Fatal(err)
		}
		img.Close()
	}
	wantUnharmed(t, c.pid())
	wantRunning(t, c)
}

// openFiles counts what a leak of ours would add to.
func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func TestCloseGivesFilesBack(t *testing.T) {
	c := startChild(t, "idle")
	snap := func(mode Mode) {
		target := attachTo(t, c.pid(), mode)
		img, _, err := target.Snapshot(context.Background(), c.words)
		if err != nil {
			t.Fatal(err)
		}
		target.Close()
		// The image stands on its own.
		checkPattern(t, img, &c.childSays)
		checkText(t, img)
		img.Close()
	}
	snap(Fork)
	before := openFiles(t)
	for range 3 {
		snap(Fork)
		snap(Stop)
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

func TestPlanIsHeard(t *testing.T) {
	c := startChild(t, "idle")
	for _, mode := range []Mode{Fork, Stop} {
		target := attachTo(t, c.pid(), mode)
		failed := errors.New("the plan failed")
		if _, _, err := target.Snapshot(context.Background(), func(Image) ([]Range, error) { return nil, failed }); !errors.Is(err, failed) {
			t.Errorf("%s: %v", mode, err)
		}
		wantUnharmed(t, c.pid())
		if _, _, err := target.Snapshot(context.Background(), func(Image) ([]Range, error) { panic("oh") }); err == nil || !strings.Contains(err.Error(), "panic: oh") {
			t.Errorf("%s: %v", mode, err)
		}
		wantUnharmed(t, c.pid())
		// What a plan reads is kept, by pages, and nothing else is.
		img, _, err := target.Snapshot(context.Background(), func(img Image) ([]Range, error) {
			if len(img.Threads()) == 0 || len(img.Mappings()) == 0 {
				t.Error("the plan sees no threads or mappings")
			}
			if _, err := img.Bytes(1, 8); err == nil {
				t.Error("there is memory at 1")
			}
			_, err := img.Bytes(c.Pattern+5000, 10000)
			_, err2 := img.Bytes(c.First, 8)
			return nil, errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := img.Bytes(c.Pattern+5000, 10000); err != nil || b[9] != pattern(5009) {
			t.Errorf("%s: what was read is missing: %v", mode, err)
		}
		if _, err := img.Bytes(c.Pattern+100_000, 1); err == nil {
			t.Errorf("%s: memory nobody asked for was copied", mode)
		}
		img.Close()
	}
}

func TestCancelAtEachStep(t *testing.T) {
	c := startChild(t, "service")
	for _, mode := range []Mode{Fork, Stop} {
		for _, at := range Steps(mode) {
			ctx, cancel := context.WithCancel(context.Background())
			target, err := Attach(c.pid(), Options{Mode: mode, Now: time.Now, Step: func(step string) {
				if step == at {
					cancel()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			img, _, err := target.Snapshot(ctx, c.words)
			if err == nil {
				img.Close()
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled at %s: %v", at, err)
			}
			cancel()
			target.Close()
			wantUnharmed(t, c.pid())
		}
	}
	img, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	checkPattern(t, img, &c.childSays)
}

func TestTargetDiesAtEachStep(t *testing.T) {
	for _, mode := range []Mode{Fork, Stop} {
		for _, at := range Steps(mode) {
			c := startChild(t, "threads")
			target, err := Attach(c.pid(), Options{Mode: mode, Now: time.Now, Step: func(step string) {
				if step == at {
					c.Process.Kill()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			img, _, err := target.Snapshot(context.Background(), c.words)
			if err == nil {
				img.Close() // it died when we had what we wanted
			} else if !errors.Is(err, ErrGone) {
				t.Errorf("%s, killed at %s: %v", mode, at, err)
			}
			target.Close()
			if left := eventually(func() string { return relatives(t, c.pid()) }); left != "" {
				t.Errorf("%s, killed at %s: left behind: %s", mode, at, left)
			}
		}
	}
}

func TestTargetIsInitOfItsNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("making a PID namespace takes root")
	}
	c := startChild(t, "service", func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID} })
	img, how, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	checkPattern(t, img, &c.childSays)
	wantUnharmed(t, c.pid()) // and no zombie
	if len(how.Stops) != 2 {
		t.Errorf("stopped %d times, want a second time to reap the child: %+v", len(how.Stops), how)
	}
}

func TestForkIsRefused(t *testing.T) {
	c := startChild(t, "forkless") // RLIMIT_NPROC leaves no room for a process
	if os.Getuid() == 0 {
		t.Log("as another user")
	}
	img, how, err := attachTo(t, c.pid(), Auto).Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	checkPattern(t, img, &c.childSays)
	wantUnharmed(t, c.pid())
	if how.Mode != Stop || !strings.Contains(how.Reason, "could not be forked") {
		t.Errorf("how: %+v", how)
	}
	if _, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words); err == nil || !strings.Contains(err.Error(), "fork") {
		t.Errorf("got %v", err)
	}
	wantUnharmed(t, c.pid())
}

// TestSignalWhileForking sends a signal when the thread is in the call that
// makes the helper, which the kernel then gives up and begins again.
func TestSignalWhileForking(t *testing.T) {
	c := startChild(t, "threads")
	sent := false
	target, err := Attach(c.pid(), Options{Mode: Fork, Now: time.Now, Step: func(step string) {
		if step == StepCalled && !sent {
			sent = true
			check(c.Process.Signal(syscall.SIGURG)) // of no meaning to Go programs
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	img, _, err := target.Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	checkPattern(t, img, &c.childSays)
	wantUnharmed(t, c.pid())
	wantRunning(t, c)
}

// TestInstructionsInUse takes a second snapshot of a process with a thread that
// will get back to the instructions of the first, and of one without.
func TestInstructionsInUse(t *testing.T) {
	for kind, used := range map[string]bool{"returns 100": true, "returns 100000": false} {
		c := startChild(t, kind)
		eventually(func() string {
			for _, id := range threadIDs(c.pid()) {
				if b, _ := readProc(c.pid(), fmt.Sprintf("task/%d/syscall", id)); strings.HasPrefix(string(b), fmt.Sprint(syscall.SYS_PPOLL, " ")) {
					return ""
				}
			}
			return "not yet"
		})
		snap := func() {
			img, _, err := attachTo(t, c.pid(), Auto).Snapshot(context.Background(), c.words)
			if err != nil {
				t.Fatal(err)
			}
			img.Close()
		}
		snap()
		maps, err := mappings(c.pid())
		if err != nil {
			t.Fatal(err)
		}
		at := int64(maps[slices.IndexFunc(maps, func(m Mapping) bool { return m.File == "[vdso]" })].End) - codeSize
		mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", c.pid()), os.O_RDWR, 0)
		if err != nil {
			t.Skip(err)
		}
		defer mem.Close()
		b := make([]byte, codeSize)
		if _, err := mem.ReadAt(b, at); err != nil || !strings.HasSuffix(string(b), codeMark) {
			t.Skipf("the instructions are elsewhere: %v", err)
		}
		const unused = int64(codeSize - len(codeMark) - 1) // a byte behind the instructions
		if _, err := mem.WriteAt([]byte{99}, at+unused); err != nil {
			t.Skip(err)
		}
		snap()
		if _, err := mem.ReadAt(b, at); err != nil || (b[unused] == 99) != used {
			t.Errorf("%s: overwritten %v, err %v", kind, b[unused] != 99, err)
		}
		wantUnharmed(t, c.pid())
	}
}

// TestStoppedProcess looks at a process that a signal has stopped, which must
// remain so.
func TestStoppedProcess(t *testing.T) {
	c := startChild(t, "threads")
	state := func(want byte) string {
		return eventually(func() string {
			for _, id := range threadIDs(c.pid()) {
				if _, got := threadState(c.pid(), id); (got == 'T') != (want == 'T') {
					return fmt.Sprintf("thread %d is in state %c", id, got)
				}
			}
			return ""
		})
	}
	for _, late := range []bool{false, true} { // whether it is stopped after we looked
		check(c.Process.Signal(syscall.SIGCONT))
		state('S')
		stop := func(string) { check(c.Process.Signal(syscall.SIGSTOP)) }
		target, err := Attach(c.pid(), Options{Now: time.Now, Step: func(step string) {
			if late && step == StepSeize {
				stop(step)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if !late {
			stop("")
			state('T')
			target.Close()
			target = attachTo(t, c.pid(), Auto)
		}
		img, how, err := target.Snapshot(context.Background(), c.words)
		if err != nil {
			t.Fatal(err)
		}
		checkPattern(t, img, &c.childSays)
		if how.Mode != Stop || !strings.Contains(how.Reason, "stopped by a signal") {
			t.Errorf("late %v: %+v", late, how)
		}
		target.Close()
		img.Close()
		if s := state('T'); s != "" {
			t.Errorf("late %v: it goes on: %s", late, s)
		}
	}
	if _, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words); err == nil || !strings.Contains(err.Error(), "stopped by a signal") {
		t.Errorf("a fork that was asked for: %v", err)
	}
	check(c.Process.Signal(syscall.SIGCONT))
	state('S')
	wantUnharmed(t, c.pid())
	wantRunning(t, c)
}

// TestWhatIsRefused looks at what cannot be looked at.
func TestWhatIsRefused(t *testing.T) {
	attach := func(pid int) error {
		target, err := Attach(pid, Options{Now: time.Now})
		if err == nil {
			target.Close()
		}
		return err
	}
	if err := attach(os.Getpid()); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "this very process") {
		t.Errorf("ourselves: %v", err)
	}
	if err := attach(1 << 22); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
	c := startChild(t, "threads")
	ids := threadIDs(c.pid())
	if err := attach(ids[len(ids)-1]); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), fmt.Sprint("thread of process ", c.pid())) {
		t.Errorf("a thread: %v", err)
	}
	if text, err := readProc(2, "comm"); err == nil && strings.TrimSpace(string(text)) == "kthreadd" {
		if err := attach(2); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "kernel") {
			t.Errorf("a kernel thread: %v", err)
		}
	}
	z := startChild(t, "idle")
	z.Process.Kill()
	eventually(func() string {
		if _, state := threadState(z.pid(), z.pid()); state != 'Z' {
			return "alive"
		}
		return ""
	})
	if err := attach(z.pid()); !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), "zombie") {
		t.Errorf("a zombie: %v", err)
	}
}

func TestTracedByAnother(t *testing.T) {
	c := startChild(t, "idle")
	target := attachTo(t, c.pid(), Fork)
	traced, release, released := make(chan error), make(chan bool), make(chan bool)
	go func() {
		runtime.LockOSThread()
		traced <- ptrace(ptSeize, c.pid(), 0, 0)
		<-release
		ptrace(ptInterrupt, c.pid(), 0, 0)
		await(c.pid(), time.Now)
		ptrace(syscall.PTRACE_DETACH, c.pid(), 0, 0)
		close(released)
	}()
	if err := <-traced; err != nil {
		t.Fatal(err)
	}
	_, err := Attach(c.pid(), Options{Now: time.Now})
	if !errors.Is(err, ErrTraced) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("attach: %v", err)
	}
	// It came between attach and snapshot.
	if _, _, err := target.Snapshot(context.Background(), all); !errors.Is(err, ErrTraced) {
		t.Errorf("snapshot: %v", err)
	}
	close(release)
	<-released
	wantUnharmed(t, c.pid())
}

func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("becoming another user takes root")
	}
	c := startChild(t, "idle")
	// A copy of the program that anybody may run.
	dir, err := os.MkdirTemp("/var/tmp", "proc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "analyser")
	b, err := os.ReadFile(mustExe(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(exe, b, 0o755), os.Chmod(dir, 0o755), os.Chmod(exe, 0o755)); err != nil {
		t.Fatal(err)
	}
	run := func(pid int, caps ...uintptr) string {
		cmd := exec.Command(exe)
		cmd.Dir = "/"
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=analyser %d fork none", childEnv, pid))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: caps}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := run(c.pid()); !strings.Contains(out, "it belongs to user 0 and we are user 65534") {
		t.Errorf("without rights: %s", out)
	}
	wantUnharmed(t, c.pid())
	// CAP_SYS_PTRACE alone is enough: no CAP_KILL to end the child.
	if out := run(c.pid(), capSysPtrace); !strings.Contains(out, "survived") {
		t.Errorf("with CAP_SYS_PTRACE: %s", out)
	}
	wantUnharmed(t, c.pid())
	// And the same user needs none.
	own := startChild(t, "idle", func(c *exec.Cmd) {
		c.Path, c.Dir = exe, "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	})
	if yama := readRights(nil).yama; yama > 0 {
		if out := run(own.pid()); !strings.Contains(out, fmt.Sprint("kernel.yama.ptrace_scope is ", yama)) {
			t.Errorf("the same user, kernel.yama.ptrace_scope %d: %s", yama, out)
		}
	} else if out := run(own.pid()); !strings.Contains(out, "survived") {
		t.Errorf("the same user: %s", out)
	}
	wantUnharmed(t, own.pid())
}

func TestReplacedExecutable(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "app")
	b, err := os.ReadFile(mustExe(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "idle", func(c *exec.Cmd) { c.Path = exe })
	if err := errors.Join(os.Remove(exe), os.WriteFile(exe, []byte("something else"), 0o755)); err != nil {
		t.Fatal(err)
	}
	target := attachTo(t, c.pid(), Fork)
	info := target.Info()
	if info.Name != exe || len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0].Error(), "replaced or removed") {
		t.Errorf("info: %+v", info)
	}
	img, _, err := target.Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	target.Close()
	c.Process.Kill()
	c.Wait()
	got, err := os.ReadFile(img.Info().Exe)
	if err != nil || len(got) != len(b) {
		t.Errorf("the executable: %d bytes, %v", len(got), err)
	}
	checkText(t, img)
}

func TestExecBetween(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep")
	}
	c := startChild(t, "exec "+sleep)
	target := attachTo(t, c.pid(), Fork)
	io.WriteString(c.stdin.(io.Writer), "go\n")
	eventually(func() string {
		// On the way the link is empty, and the process a zombie for a moment.
		if name, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", c.pid())); name == mustExe(t) || name == "" {
			return "not yet"
		}
		return ""
	})
	if _, _, err := target.Snapshot(context.Background(), all); !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), "exec") {
		t.Errorf("got %v", err)
	}
	wantUnharmed(t, c.pid())
}

func TestEstimate(t *testing.T) {
	c := startChild(t, "heap 64")
	e := attachTo(t, c.pid(), Auto).Estimate()
	if e.Resident < 64<<20 || e.Threads < 2 || e.Pause <= 0 || e.Rights == "" || e.Headroom == 0 {
		t.Errorf("%+v", e)
	}
	t.Logf("%+v", e)
}
