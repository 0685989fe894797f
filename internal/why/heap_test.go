package why

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
)

// real is the heap of the leaky service, read once for all tests.
var real struct {
	sync.Once
	heap *goheap.Heap
	a    *Analysis
	err  error
}

// leaky gives the analysis of a service that keeps memory in all ways; see
// internal/goheap/testdata/leaksvc.
func leaky(t *testing.T) *Analysis {
	t.Helper()
	real.Do(func() {
		dir := t.TempDir()
		if real.heap, real.err = readLeaky(dir); real.err == nil {
			real.a = New(real.heap)
		}
	})
	if errors.Is(real.err, proc.ErrPermission) || errors.Is(real.err, proc.ErrUnsupported) {
		t.Skip(real.err)
	}
	if real.err != nil {
		t.Fatal(real.err)
	}
	return real.a
}

func readLeaky(dir string) (*goheap.Heap, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, proc.ErrUnsupported
	}
	exe := filepath.Join(dir, "leaksvc")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = "../goheap/testdata/leaksvc"
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.New(string(out))
	}
	cmd := exec.Command(exe)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() { in.Close(); cmd.Process.Kill(); cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "ready") {
		return nil, errors.New("the child said " + line)
	}
	target, err := proc.Attach(cmd.Process.Pid, proc.Options{Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer target.Close()
	data, err := os.ReadFile(exe) // it is gone when the first test ends
	if err != nil {
		return nil, err
	}
	program, err := goheap.OpenProgram(bytes.NewReader(data), nil)
	if err != nil {
		return nil, err
	}
	img, _, err := target.Snapshot(context.Background(), program.Plan(goheap.Options{Contents: true, SelfContained: true}))
	if err != nil {
		return nil, err
	}
	return goheap.Read(program, img, goheap.Options{}) // the image stays open for the tests
}
