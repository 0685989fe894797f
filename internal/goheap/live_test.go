package goheap

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/profoundhq/profound/internal/proc"
)

// needLinux skips where a child cannot be read.
func needLinux(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("reads a process of its own: Linux only")
	}
}

// programs is for machines without the Go command.
var programs = flag.String("programs", "", "a folder with the programs below testdata, built")

// build compiles a program below testdata with a toolchain, "" for the
// installed one, once for all tests. With a GOEXPERIMENT it is
// "go1.24.11+noswissmap".
func build(t testing.TB, dir, toolchain string, flags ...string) string {
	t.Helper()
	needLinux(t)
	if *programs != "" {
		if toolchain != "" || len(flags) > 0 {
			t.Skip("built on another machine, in one way only")
		}
		return filepath.Join(*programs, dir)
	}
	key := fmt.Sprint(dir, toolchain, flags)
	built.Lock()
	defer built.Unlock()
	exe, ok := built.programs[key]
	if !ok {
		exe = filepath.Join(built.dir, fmt.Sprintf("%s%d", filepath.Base(dir), len(built.programs)))
		if out, err := compile(exe, dir, toolchain, flags); err != nil && toolchain != "" {
			t.Skipf("%s cannot be had: %v\n%s", toolchain, err, out)
		} else if err != nil {
			t.Fatalf("build %s: %v\n%s", dir, err, out)
		}
		built.programs[key] = exe
	}
	return exe
}

func compile(exe, dir, toolchain string, flags []string) ([]byte, error) {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", exe, ".")...)
	cmd.Dir = filepath.Join("testdata", dir)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	toolchain, experiment, _ := strings.Cut(toolchain, "+")
	if toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+toolchain)
	}
	if experiment != "" {
		cmd.Env = append(cmd.Env, "GOEXPERIMENT="+experiment)
	}
	return cmd.CombinedOutput()
}

// built keeps the programs of build until the tests end.
var built = struct {
	sync.Mutex
	dir      string
	programs map[string]string
}{programs: map[string]string{}}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "goheap")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// leaksvc is the leaky service, built by the installed toolchain.
func leaksvc(t testing.TB) string { return build(t, "leaksvc", "") }

// run starts a program and waits until it says that it is ready and is quiet.
func run(t testing.TB, exe string, args ...string) (pid int) {
	t.Helper()
	cmd := exec.Command(exe, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		in.Close()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready") {
		t.Fatalf("the child said %q: %v", line, err)
	}
	if pid = cmd.Process.Pid; !slices.Contains(args, "-busy") {
		quiet(pid)
	}
	return pid
}

// start runs a program until it says that it is ready, and copies all of its
// memory.
func start(t testing.TB, exe string, args ...string) proc.Image {
	t.Helper()
	return snapshot(t, run(t, exe, args...), func(img proc.Image) ([]proc.Range, error) {
		var all []proc.Range
		for _, m := range img.Mappings() {
			if m.Perm&proc.Read != 0 && !strings.HasPrefix(m.File, "[v") {
				all = append(all, proc.Range{Start: m.Start, End: m.End})
			}
		}
		return all, nil
	})
}

// quiet waits until no thread of a process runs.
func quiet(pid int) {
	for idle := 0; idle < 200; idle++ {
		dirs, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, d := range dirs {
			b, _ := os.ReadFile(d)
			if i := strings.LastIndexByte(string(b), ')'); i >= 0 && strings.HasPrefix(string(b[i:]), ") R") {
				idle = 0
			}
		}
		runtime.Gosched()
	}
}

// openExe opens a program.
func openExe(t testing.TB, exe string, layouts *Program) *Program {
	t.Helper()
	f, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	p, err := OpenProgram(f, layouts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
