package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

const roleKey = "DEMO_TEST_ROLE"

// TestMain lets this test binary play the processes of the tests.
func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case "":
		os.Exit(m.Run())
	case "child":
		if err := Child(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "parent": // starts a child and waits to be killed
		p, err := Start(context.Background(), os.Args[0], options("child", ServiceOptions{Leak: LeakNone}))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.URL)
		<-p.Done()
	case "silent": // never ready, but ends when asked to
		io.Copy(io.Discard, os.Stdin)
	case "deaf": // ready, but does not end when asked to
		fmt.Println(`{"url":"http://127.0.0.1:1"}`)
		<-time.After(time.Minute)
	case "babble":
		fmt.Println("hello")
		io.Copy(io.Discard, os.Stdin)
	case "crash":
		fmt.Fprintln(os.Stderr, "out of coffee")
		os.Exit(1)
	}
}

func options(role string, service ServiceOptions) StartOptions {
	// More samples than usual, so that a test of a second is not left to luck;
	// and no second of sleep at the end, which the race detector likes.
	return StartOptions{Env: append(os.Environ(), roleKey+"="+role, "GODEBUG=memprofilerate=32768", "GORACE=atexit_sleep_ms=0"), Service: service}
}

func startService(t *testing.T, service ServiceOptions) *Process {
	t.Helper()
	p, err := Start(t.Context(), os.Args[0], options("child", service))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop() })
	return p
}

func statsOf(t *testing.T, p *Process) (s Stats) {
	t.Helper()
	body, err := get(t.Context(), http.DefaultClient, p.URL+statsPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// gone waits until nobody listens at the URL of a process.
func gone(t *testing.T, url string) {
	t.Helper()
	waitFor(t, "the service to be gone", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// parsedBy is the bytes a heap profile has in use below
// MetricsFetcher.start -> parseContainerMetricsResponse.
func parsedBy(t *testing.T, heap []byte) int64 {
	t.Helper()
	p, err := profile.ParseData(heap)
	if err != nil {
		t.Fatal(err)
	}
	index, err := p.SampleIndexByName("inuse_space")
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, s := range p.Sample {
		callee := ""
		for _, l := range s.Location {
			for _, line := range l.Line {
				name := line.Function.Name
				if strings.HasSuffix(name, "demo.(*MetricsFetcher).start") && strings.HasSuffix(callee, "demo.parseContainerMetricsResponse") {
					sum += s.Value[index]
				}
				callee = name
			}
		}
	}
	return sum
}

// delivering is the number of goroutines a profile has in deliver.
func delivering(t *testing.T, goroutines []byte) (n int64) {
	t.Helper()
	p, err := profile.ParseData(goroutines)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		if len(s.Location) == 0 {
			continue // a goroutine that has not run yet has no frames
		}
		// A leaked goroutine may move on; where it began stays.
		lines := s.Location[len(s.Location)-1].Line
		if strings.HasSuffix(lines[len(lines)-1].Function.Name, "demo.(*MetricsFetcher).deliver") {
			n += s.Value[0]
		}
	}
	return n
}

// TestProcess runs each variant as a process and looks at it from outside, as
// the demo does.
func TestProcess(t *testing.T) {
	for _, leak := range Leaks() {
		t.Run(leak, func(t *testing.T) {
			t.Parallel()
			// The cap makes the ring of the decoy small.
			service := ServiceOptions{Leak: leak, Rate: 16 * mib, Cap: 4 * mib}
			if leak != LeakNone {
				service.Cap = 64 * mib
			}
			p := startService(t, service)
			if p.PID == os.Getpid() || p.Err() != nil {
				t.Fatalf("process %d, error %v", p.PID, p.Err())
			}
			waitFor(t, "the variant to hold something", func() bool { return statsOf(t, p).Held > 3*mib })
			seen := 0
			snaps, err := Collect(t.Context(), p.URL, 100*time.Millisecond, 500*time.Millisecond, func(Snapshot) { seen++ })
			if err != nil {
				t.Fatal(err)
			}
			if len(snaps) < 2 || seen != len(snaps) {
				t.Fatalf("%d snapshots, progress saw %d", len(snaps), seen)
			}
			first := snaps[0]
			if leak != LeakNone { // a busy machine takes its time
				waitFor(t, "the variant to hold more", func() bool { return statsOf(t, p).Held > first.Stats.Held+4*mib })
			}
			if snaps, err = Collect(t.Context(), p.URL, 100*time.Millisecond, 100*time.Millisecond, nil); err != nil {
				t.Fatal(err)
			}
			last := snaps[len(snaps)-1]
			held := last.Stats.Held - first.Stats.Held
			parsed := parsedBy(t, last.Heap)
			if leak == LeakNone {
				// Not the heap as a whole: the batch work has its peaks.
				if last.Stats.Held > 5*mib || parsed > 8*mib {
					t.Errorf("the decoy holds %d bytes, the profile has %d; want 4 MiB", last.Stats.Held, parsed)
				}
			} else if live := int64(last.Stats.HeapLive); held < 2*mib || live < last.Stats.Held/2 {
				// The growth of the heap is measured in TestVariantsGrow: here
				// an answer may be in the making, of the size of the growth.
				t.Errorf("%d bytes live, the variant holds %d, of them %d new", live, last.Stats.Held, held)
			}
			if parsed < last.Stats.Held/2 {
				t.Errorf("the heap profile has %d bytes below start and parseContainerMetricsResponse, %d are held", parsed, last.Stats.Held)
			}
			stuck := delivering(t, last.Goroutine) - delivering(t, first.Goroutine)
			if leak == LeakGoroutine && stuck < 3 || leak != LeakGoroutine && stuck != 0 {
				t.Errorf("%d goroutines more in deliver", stuck)
			}
			if last.Stats.Failures > 0 || last.Stats.Leak != leak || last.Stats.GCCycles == 0 || last.Stats.Total == 0 {
				t.Errorf("stats %+v", last.Stats)
			}
			if err := p.Stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
			if err := p.Stop(); err != nil {
				t.Errorf("second stop: %v", err)
			}
			gone(t, p.URL)
		})
	}
}

func TestServiceAnswers(t *testing.T) {
	t.Parallel()
	p := startService(t, ServiceOptions{Leak: LeakNone})
	for path, want := range map[string]string{
		"/debug/pprof/":             "goroutine",
		"/debug/pprof/heap?debug=1": "heap profile:",
		"/debug/pprof/cmdline":      "demo",
		"/orders/17":                `"customer":"customer-00017"`,
	} {
		body, err := get(t.Context(), http.DefaultClient, p.URL+path)
		if err != nil {
			t.Error(err)
		} else if !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
	if _, err := get(t.Context(), http.DefaultClient, p.URL+"/orders/many"); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("a bad order: %v", err)
	}
}

func TestContextEndsProcess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, os.Args[0], options("child", ServiceOptions{Leak: LeakNone}))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the process outlived its context")
	}
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	gone(t, p.URL)
}

// TestParentDies kills a parent that has no chance to say goodbye.
func TestParentDies(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleKey+"=parent")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	if _, err := fmt.Fscanln(stdout, &url); err != nil || !strings.HasPrefix(url, "http://") {
		t.Fatalf("parent said %q, %v", url, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a killed parent ended well")
	}
	gone(t, url)
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role, want string
		service    ServiceOptions
		timeout    time.Duration
	}{
		{role: "crash", want: "out of coffee"},
		{role: "silent", want: "not ready after 100ms", timeout: 100 * time.Millisecond},
		{role: "babble", want: `said "hello"`},
		{role: "child", want: `unknown leak "pipe"`, service: ServiceOptions{Leak: "pipe"}},
	} {
		opt := options(test.role, test.service)
		opt.Timeout = test.timeout
		p, err := Start(t.Context(), os.Args[0], opt)
		if err == nil {
			p.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", test.role, err, test.want)
		}
	}
	if _, err := Start(t.Context(), "/no/such/program", StartOptions{}); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func TestDeafProcessIsKilled(t *testing.T) {
	t.Parallel()
	p, err := Start(t.Context(), os.Args[0], options("deaf", ServiceOptions{Leak: LeakNone}))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err == nil {
		t.Error("stop did not say that the process had to be killed")
	}
}

func TestCollectErrors(t *testing.T) {
	t.Parallel()
	if _, err := Collect(t.Context(), "http://127.0.0.1:1", 0, time.Second, nil); err == nil {
		t.Error("no error for a pace of 0")
	}
	p := startService(t, ServiceOptions{Leak: LeakNone})
	ctx, cancel := context.WithCancel(t.Context())
	snaps, err := Collect(ctx, p.URL, time.Hour, time.Hour, func(Snapshot) { cancel() })
	if len(snaps) != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d snapshots, error %v after cancel", len(snaps), err)
	}
	snaps, err = Collect(t.Context(), p.URL, time.Millisecond, time.Hour, func(Snapshot) { p.Stop() })
	if len(snaps) != 1 || err == nil {
		t.Errorf("%d snapshots, error %v from a service that is gone", len(snaps), err)
	}
}
