//go:build linux && (amd64 || arm64)

package proc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// beAnalyser takes a snapshot of the process and kills itself, as kill -9 does,
// at a step: its arguments are pid, mode and step.
func beAnalyser(args string) {
	f := strings.Fields(args)
	pid, err := strconv.Atoi(f[0])
	check(err)
	mode := Fork
	if f[1] == "stop" {
		mode = Stop
	}
	target, err := Attach(pid, Options{Mode: mode, Now: time.Now, Step: func(step string) {
		if step == f[2] {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	check(err)
	_, _, err = target.Snapshot(context.Background(), func(img Image) ([]Range, error) {
		var out []Range
		for _, m := range img.Mappings() {
			if m.Perm&Write != 0 && m.End-m.Start < 1<<20 {
				out = append(out, Range{m.Start, m.End})
			}
		}
		return out, nil
	})
	check(err)
	fmt.Println("survived")
}

// relatives lists the processes that run the same program, or are children of
// the target, with their states; children of the test are expected.
func relatives(t testing.TB, target int) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == target || pid == os.Getpid() {
			continue
		}
		text, err := readProc(pid, "status")
		if err != nil {
			continue
		}
		st := parseStatus(text)
		name, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if name == exe && st.PPid != os.Getpid() || st.PPid == target {
			out = append(out, fmt.Sprintf("%d (%s, parent %d, state %c)", pid, st.Name, st.PPid, st.State))
		}
	}
	return strings.Join(out, ", ")
}

// eventually asks until the answer is empty, for a minute at most, since the
// machine may be busy, and returns the last answer.
func eventually(ask func() string) string {
	for start := time.Now(); ; runtime.Gosched() {
		if last := ask(); last == "" || time.Since(start) > time.Minute {
			return last
		}
	}
}

func TestTargetSurvivesWhenTheReaderIsKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"service", "syscalls", "signals"} {
		for _, mode := range []Mode{Fork, Stop} {
			c := startChild(t, kind)
			var load *load
			if kind == "service" {
				load = startLoad(c.Addr)
			}
			for _, step := range Steps(mode) {
				t.Run(kind+"/"+mode.String()+"/"+step, func(t *testing.T) {
					cmd := exec.Command(exe)
					cmd.Env = append(os.Environ(), fmt.Sprintf("%s=analyser %d %s %s", childEnv, c.pid(), mode, step))
					out, err := cmd.CombinedOutput()
					if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || ws.Signal() != syscall.SIGKILL {
						t.Fatalf("the analyser was to be killed at %q: %v\n%s", step, err, out)
					}
					if left := eventually(func() string { return relatives(t, c.pid()) }); left != "" {
						t.Errorf("left behind: %s", left)
					}
					wantUnharmed(t, c.pid())
					wantRunning(t, c)
					// And it can be looked at again.
					img, _, err := attachTo(t, c.pid(), mode).Snapshot(context.Background(), c.words)
					if err != nil {
						t.Fatal(err)
					}
					defer img.Close()
					checkPattern(t, img, &c.childSays)
				})
				if t.Failed() {
					return
				}
			}
			if load != nil {
				if n, failed := load.end(); failed > 0 || n == 0 {
					t.Errorf("%d of %d requests failed", failed, n)
				}
			}
		}
	}
}

// wantRunning checks that all threads get on: the switches of each that was
// busy, or the time the process used, grow.
func wantRunning(t testing.TB, c *child) {
	t.Helper()
	used := func() string {
		b, err := readProc(c.pid(), "stat")
		if err != nil {
			t.Fatal(err)
		}
		f := bytes.Fields(b[bytes.LastIndexByte(b, ')'):])
		return string(f[12]) + " " + string(f[13]) // user and system time
	}
	before := used()
	if eventually(func() string {
		if used() == before {
			return "no time used"
		}
		return ""
	}) != "" {
		for _, id := range threadIDs(c.pid()) {
			call, _ := readProc(c.pid(), fmt.Sprintf("task/%d/syscall", id))
			_, state := threadState(c.pid(), id)
			t.Logf("thread %d: state %c, in call %s", id, state, call)
		}
		t.Error("the process does not get on")
	}
}

// load sends requests to a service, one after the other on each of some
// connections.
type load struct {
	stop     chan struct{}
	wg       sync.WaitGroup
	n, bad   atomic.Int64
	lastText atomic.Value

	mu    sync.Mutex
	more  sync.Cond
	times []time.Duration // of requests, since take
}

func startLoad(addr string) *load {
	l := &load{stop: make(chan struct{})}
	l.more.L = &l.mu
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	for range 4 {
		l.wg.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				start := time.Now()
				resp, err := client.Get("http://" + addr)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if l.n.Add(1); err != nil {
					l.bad.Add(1)
					l.lastText.Store(err.Error())
				}
				l.took(time.Since(start))
			}
		})
	}
	return l
}

func (l *load) took(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, d)
	l.more.Signal()
}

// take waits for n requests since the last call, and gives out how long they
// took, by length.
func (l *load) take(n int) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.times) < n {
		l.more.Wait()
	}
	times := l.times
	l.times = nil
	slices.Sort(times)
	return times
}

// end stops the load and tells how many requests there were, and how many of
// them failed.
func (l *load) end() (n, bad int64) {
	close(l.stop)
	l.wg.Wait()
	return l.n.Load(), l.bad.Load()
}

// spread says how durations are spread; they are sorted.
func spread(ds []time.Duration) string {
	at := func(share float64) time.Duration {
		return ds[min(len(ds)-1, int(share*float64(len(ds))))].Round(time.Microsecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, p99.9 %s, max %s", at(.5), at(.99), at(.999), at(1))
}
