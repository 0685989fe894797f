package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/source"
)

const ownArch = runtime.GOARCH

// layoutMaker builds a small program to learn from its DWARF where the runtime
// of a Go has its fields: programs that are stripped, as those of "go run" are,
// do not tell. What it learns it keeps in the user's cache.
type layoutMaker struct {
	version   string // of Go, as in the stripped program
	arch      string // as in GOARCH
	dir       string // for caches
	goCommand string // path of the go command, "" if there is none
	say       func(string)
}

// layoutSource uses what the runtime has, so that the linker leaves its types in.
const layoutSource = `package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type node struct{ next *node }

var (
	pool  sync.Pool
	table = map[string]*node{}
	lock  sync.Mutex
)

func main() {
	n := &node{new(node)}
	table[os.Args[0]] = n
	runtime.SetFinalizer(n, func(*node) {})
	pool.Put(n)
	c := make(chan *node, 1)
	go func() { lock.Lock(); defer lock.Unlock(); c <- n }()
	select {
	case <-c:
	case <-time.After(time.Second):
	}
	time.AfterFunc(time.Hour, func() { pprof.Lookup("heap").WriteTo(os.Stderr, 0) })
}
`

// layoutEdition changes with layoutSource.
const layoutEdition = "layouts-1"

// program gives the program, kept or built.
func (m *layoutMaker) program(ctx context.Context) (*goheap.Program, error) {
	path := filepath.Join(m.dir, "profound", layoutEdition, url.PathEscape(m.version+"-"+m.arch))
	if kept, err := os.ReadFile(path); err == nil {
		if p, err := goheap.LoadProgram(kept); err == nil && p.GoVersion == m.version {
			return p, nil
		}
	}
	stripped := fmt.Errorf("it was built by %s and has no DWARF (built with -ldflags=-w or by go run?), so where the runtime has its fields must be learnt from another program by the same Go", m.version)
	if m.goCommand == "" {
		return nil, fmt.Errorf("%w; there is no go command here to build one: install Go, or build the program without -w", stripped)
	}
	m.say(fmt.Sprintf("note: the program is stripped; building a small one by %s to learn where the runtime has its fields, to be kept as %s", m.version, path))
	saved, err := m.build(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", stripped, err)
	}
	p, err := goheap.LoadProgram(saved)
	if err != nil {
		return nil, err
	}
	if err := keep(path, saved); err != nil {
		m.say("note: it could not be kept: " + err.Error())
	}
	return p, nil
}

// build builds the program and gives what is needed of it. The go command may
// use toolchains that are at hand, and downloads none.
func (m *layoutMaker) build(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "profound-layouts-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	src, exe := filepath.Join(dir, "main.go"), filepath.Join(dir, "main")
	if err := os.WriteFile(src, []byte(layoutSource), 0o600); err != nil {
		return nil, err
	}
	release, experiments, _ := strings.Cut(m.version, " X:")
	if !strings.HasPrefix(release, "go1.") {
		release = "local" // of a development version there is no other
	}
	cmd := exec.CommandContext(ctx, m.goCommand, "build", "-o", exe, src)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+release, "GOEXPERIMENT="+experiments, "GOOS=linux", "GOARCH="+m.arch,
		"CGO_ENABLED=0", "GOFLAGS=", "GOENV=off", "GOWORK=off", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("build one: %w: %s; %q gets that toolchain", err, strings.TrimSpace(string(out)), "GOTOOLCHAIN="+release+" go version")
	}
	f, err := os.Open(exe)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := goheap.OpenProgram(f, nil)
	if err != nil {
		return nil, err
	}
	if p.GoVersion != m.version {
		return nil, fmt.Errorf("the go command here is %s", p.GoVersion)
	}
	return p.Save()
}

// keep writes a file into the cache.
func keep(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := source.CreateAtomic(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}
