package symbol

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// probe is a Go program that tells about itself: the logical calls of several
// stacks as runtime.CallersFrames sees them (pc, function, file, line), and a
// CPU profile if an argument names a file. It has inlined calls two deep, a
// generic function, a closure, a method value and callbacks from the standard
// library.
const probe = `package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"time"
)

//go:noinline
func show() {
	pcs := make([]uintptr, 64)
	pcs = pcs[:runtime.Callers(2, pcs)]
	for i := range pcs {
		f, _ := runtime.CallersFrames(pcs[i : i+1]).Next()
		fmt.Printf("%#x\t%s\t%s\t%d\n", pcs[i], f.Function, f.File, f.Line)
	}
	fmt.Println("--")
}

func leaf(n int) int { // small enough to be inlined
	show()
	return n + 1
}

func middle(n int) int {
	return leaf(n) + 1
}

//go:noinline
func outer(n int) int {
	return middle(n) + middle(n+1)
}

func generic[T any](v T) T {
	middle(1)
	return v
}

type point struct{ x, y int }

func (p point) method() int { return middle(p.x) }

//go:noinline
func spin(d time.Duration) int {
	n := 0
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := range 1000 {
			n += i * n >> 3
		}
	}
	return n
}

func main() {
	if len(os.Args) > 1 {
		f, err := os.Create(os.Args[1])
		if err != nil {
			panic(err)
		}
		pprof.StartCPUProfile(f)
		spin(400 * time.Millisecond)
		pprof.StopCPUProfile()
		f.Close()
		return
	}
	outer(1)
	generic(point{1, 2})
	generic("x")
	m := point{3, 4}.method
	m()
	func() { middle(7) }()
	sort.Slice([]int{2, 1}, func(i, j int) bool { show(); return i < j })
	strings.Map(func(r rune) rune { leaf(1); return r }, "ab")
	defer func() { recover(); show() }()
	var p *point
	fmt.Println(p.x)
}
`

// variant is one way to build probe.
type variant struct {
	name  string
	args  []string
	env   []string
	local bool // runs on this machine
}

func variants() []variant {
	return []variant{
		{name: "default", local: true},
		{name: "stripped", args: []string{"-ldflags=-s -w"}, local: true},
		{name: "trimpath", args: []string{"-trimpath"}, local: true},
		{name: "pie", args: []string{"-buildmode=pie"}, local: true},
		{name: "pie-stripped", args: []string{"-buildmode=pie", "-ldflags=-s -w"}, local: true},
		{name: "darwin-arm64", env: []string{"GOOS=darwin", "GOARCH=arm64"}},
		{name: "darwin-stripped", env: []string{"GOOS=darwin", "GOARCH=arm64"}, args: []string{"-ldflags=-s -w"}},
		{name: "windows-amd64", env: []string{"GOOS=windows", "GOARCH=amd64"}},
		{name: "windows-stripped", env: []string{"GOOS=windows", "GOARCH=amd64"}, args: []string{"-ldflags=-s -w"}},
		{name: "linux-386", env: []string{"GOOS=linux", "GOARCH=386"}},
		{name: "linux-arm", env: []string{"GOOS=linux", "GOARCH=arm"}},
		{name: "linux-s390x", env: []string{"GOOS=linux", "GOARCH=s390x"}},
		{name: "linux-ppc64le", env: []string{"GOOS=linux", "GOARCH=ppc64le"}},
		{name: "linux-riscv64", env: []string{"GOOS=linux", "GOARCH=riscv64"}},
		{name: "linux-loong64", env: []string{"GOOS=linux", "GOARCH=loong64"}},
	}
}

// built is one program on disk, built by the first test that asks.
type built struct {
	dir  string
	once map[string]func() (string, error)
}

// programs is set by TestMain and read only after that.
var programs *built

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "symbol")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = &built{dir: dir, once: make(map[string]func() (string, error))}
	for _, v := range variants() {
		programs.once[v.name] = sync.OnceValues(func() (string, error) { return v.build(dir) })
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// program returns the path of probe built as the named variant.
func program(t testing.TB, name string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go tool")
	}
	path, err := programs.once[name]()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (v variant) build(dir string) (string, error) {
	src := filepath.Join(dir, "src-"+v.name)
	if err := os.MkdirAll(src, 0o755); err != nil {
		return "", err
	}
	for name, text := range map[string]string{"go.mod": "module example.com/probe\n\ngo 1.24\n", "main.go": probe} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	out := filepath.Join(src, "probe")
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, v.args...), ".")...)
	cmd.Dir = src
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off"), v.env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", v.name, err, b)
	}
	return out, nil
}

// output returns the standard output of a command.
func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// open opens path for the length of the test.
func open(t testing.TB, path string, opts Options) *Object {
	t.Helper()
	o, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// needLinux skips tests whose programs must run here as ELF files.
func needLinux(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("builds and runs ELF programs")
	}
}
