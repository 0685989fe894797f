package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
)

// orphan starts the program of grower so that it is nobody's child here, and
// can be copied by this process.
func orphan(t *testing.T, flags ...string) (pid int) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("copies a process: Linux on amd64 only")
	}
	exe := filepath.Join(t.TempDir(), "grower")
	if out, err := exec.Command("go", append(append([]string{"build"}, flags...), "-o", exe, "./testdata/grower")...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	// It ends with its standard input, which is ours to close.
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	said, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command("sh", "-c", `"$0" <&3 >&4 2>&4 & echo $!`, exe)
	cmd.ExtraFiles = []*os.File{in, out}
	text, err := cmd.Output()
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "ready\n" {
		t.Fatalf("it said %q: %v", line, err)
	}
	t.Cleanup(func() { hold.Close() })
	return pid
}

// TestInterrupt ends reading at each moment at which the clock is asked, and
// that is at every step: nothing may be left behind.
func TestInterrupt(t *testing.T) {
	pid := orphan(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	out := filepath.Join(t.TempDir(), "out")
	var file string
	for _, tt := range []struct {
		name string
		run  func(ctx context.Context, e *env) error
	}{
		{"snapshot", func(ctx context.Context, e *env) error {
			return runSnapshot(ctx, []string{"-o", out, fmt.Sprint(pid)}, e)
		}},
		{"why of a process", func(ctx context.Context, e *env) error { return runWhy(ctx, []string{fmt.Sprint(pid)}, e) }},
		{"why of a file", func(ctx context.Context, e *env) error { return runWhy(ctx, []string{file}, e) }},
		{"diff", func(ctx context.Context, e *env) error { return runWhy(ctx, []string{"-diff", file, file}, e) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ended := 0
			for k := int64(1); ; k++ {
				ctx, cancel := context.WithCancel(t.Context())
				var asked atomic.Int64
				var stderr bytes.Buffer
				e := &env{stdout: new(bytes.Buffer), stderr: &stderr, getenv: func(string) string { return "" }, exe: "none", width: func() int { return 0 },
					now: func() time.Time {
						if asked.Add(1) == k {
							cancel()
						}
						return time.Now()
					}}
				err := tt.run(ctx, e)
				cancel()
				if err != nil && strings.Contains(err.Error(), "no permission") {
					t.Skip(err)
				}
				if rest, _ := filepath.Glob(filepath.Join(tmp, "*")); len(rest) > 0 {
					t.Fatalf("interrupted at %d: left behind: %v", k, rest)
				}
				status, readErr := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				if readErr != nil || !strings.Contains(string(status), "TracerPid:\t0\n") || strings.Contains(string(status), "State:\tT") {
					t.Fatalf("interrupted at %d: the process: %v\n%s", k, readErr, status)
				}
				if err == nil && asked.Load() < k {
					os.Remove(out)
					break // that was the end
				}
				if err != nil {
					ended++
					if !errors.Is(err, errInterrupted) {
						t.Fatalf("interrupted at %d: %v", k, err)
					}
					if _, err := os.Stat(out); err == nil {
						t.Fatalf("interrupted at %d: a file all the same", k)
					}
				} else {
					os.Remove(out) // it came too late
				}
			}
			t.Logf("interrupted %d times", ended)
			if ended == 0 {
				t.Error("never interrupted")
			}
		})
		if file == "" {
			file = snapshotInProcess(t, pid)
		}
	}
}

func snapshotInProcess(t *testing.T, pid int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "grower.snapshot")
	if _, stderr, code := whyRun(t, "none", "snapshot", "-o", path, fmt.Sprint(pid)); code != exitOK {
		if strings.Contains(stderr, "no permission") {
			t.Skip(stderr)
		}
		t.Fatal(stderr)
	}
	return path
}

// TestTooLittleMemory asks for more than any machine has.
func TestTooLittleMemory(t *testing.T) {
	limited := ""
	r := newHeapReader(heapOptions{}, &env{stderr: new(bytes.Buffer), now: time.Now, getenv: func(string) string { return limited }})
	for name, ask := range map[string]func(goheap.Need) error{"copy": r.mayCopy, "read": r.mayRead, "write": r.mayWrite} {
		err := ask(goheap.Need{Objects: 1 << 46, Copied: 1 << 50})
		if runtime.GOOS != "linux" {
			continue // it is not known
		}
		if err == nil || !strings.Contains(err.Error(), "too little memory: about") || !strings.Contains(err.Error(), "are left") {
			t.Errorf("%s: %v", name, err)
		}
		if err := ask(goheap.Need{Objects: 1, Copied: 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		t.Error("the collector may take all there is")
	}
	r.reset()
	limited = "1GiB"
	if err := r.mayRead(goheap.Need{Objects: 1}); err != nil || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		t.Errorf("what the user has bounded is changed, %v", err)
	}
}

func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(100, 0)
	p := &progressLine{out: &out, now: func() time.Time { return now }, stop: func() {}}
	p.draw() // nothing is being done
	p.begin("copying")
	p.draw() // for no time yet
	if out.Len() > 0 {
		t.Errorf("drawn at once: %q", out.String())
	}
	now = now.Add(2 * time.Second)
	p.copying(548_000_000)
	p.draw()
	e := p.past(&env{stderr: &out})
	e.say("a line")
	p.stage("objects and types", 0.2)
	now = now.Add(time.Second)
	p.draw()
	p.end()
	const clear = "\r\x1b[K"
	if want := clear + "copying 523 MB  2s" + clear + "a line\n" + clear + "reading objects and types  1s" + clear; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	for _, e := range []*env{{stderr: &out, now: time.Now}, {stderr: &out, stderrTTY: true, now: time.Now}} {
		p := newProgressLine(e, true)
		if p.out != nil || p.past(e) != e {
			t.Error("a line with -plain, or without a terminal")
		}
		p.begin("x")
		p.end()
	}
	p = newProgressLine(&env{stderr: &out, stderrTTY: true, now: time.Now}, false)
	p.end()
	p.end()
}

// TestLayouts reads a stripped program by one that is stripped as well, as
// with "go run".
func TestLayouts(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	var said []string
	m := layoutMaker{version: runtime.Version(), arch: "amd64", dir: t.TempDir(), goCommand: goCommand, say: func(s string) { said = append(said, s) }}
	p, err := m.program(t.Context())
	if err != nil || p.GoVersion != m.version || len(said) != 1 || !strings.Contains(said[0], "building a small one") {
		t.Fatalf("%v, said %q", err, said)
	}
	m.goCommand = "" // it is kept
	if p, err = m.program(t.Context()); err != nil || p.GoVersion != m.version {
		t.Fatal(err)
	}
	kept, _ := filepath.Glob(filepath.Join(m.dir, "profound", layoutEdition, "*"))
	if len(kept) != 1 || os.WriteFile(kept[0], []byte("damaged"), 0o644) != nil {
		t.Fatal(kept)
	}
	if _, err := m.program(t.Context()); err == nil || !strings.Contains(err.Error(), "no go command here") {
		t.Errorf("%v", err)
	}
	m.goCommand, m.version = goCommand, "go1.999.1"
	if _, err := m.program(t.Context()); err == nil || !strings.Contains(err.Error(), "GOTOOLCHAIN=go1.999.1 go version") {
		t.Errorf("%v", err)
	}
}

func TestWhyStripped(t *testing.T) {
	pid := orphan(t, "-ldflags=-s -w")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	stdout, stderr, code := whyRun(t, "none", "why", fmt.Sprint(pid))
	if strings.Contains(stderr, "no permission") {
		t.Skip(stderr)
	}
	if code != exitOK || !strings.Contains(stderr, "building a small one") || !strings.Contains(stderr, "no DWARF") {
		t.Errorf("code %d: %s", code, stderr)
	}
	for _, want := range []string{"main.newSession", "*main.session", ".stable []*main.entry"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
}
