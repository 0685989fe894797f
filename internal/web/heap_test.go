package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
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
	"github.com/profoundhq/profound/internal/why"
)

// leaking is the heap of a service that keeps memory in all ways, read once for
// all tests; see internal/goheap/testdata/leaksvc.
var leaking struct {
	sync.Once
	heap *Heap
	err  error
}

func leaky(t *testing.T) *Heap {
	t.Helper()
	leaking.Do(func() { leaking.heap, leaking.err = readLeaky(t.TempDir()) })
	if errors.Is(leaking.err, proc.ErrPermission) || errors.Is(leaking.err, proc.ErrUnsupported) {
		t.Skip(leaking.err)
	}
	if leaking.err != nil {
		t.Fatal(leaking.err)
	}
	return leaking.heap
}

func readLeaky(dir string) (*Heap, error) {
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
	data, err := os.ReadFile(exe)
	if err != nil {
		return nil, err
	}
	program, err := goheap.OpenProgram(bytes.NewReader(data), nil)
	if err != nil {
		return nil, err
	}
	img, _, err := target.Snapshot(context.Background(), program.Plan(goheap.Options{SelfContained: true}))
	if err != nil {
		return nil, err
	}
	h, err := goheap.Read(program, img, goheap.Options{})
	if err != nil {
		return nil, err
	}
	return &Heap{Analysis: why.New(h), Program: why.Program{Path: "/bin/leaksvc"}, Taken: began()}, nil
}

// leakyServer has a session with the heap, and no profiles.
func leakyServer(t *testing.T) *Server {
	t.Helper()
	h := leaky(t)
	s, err := NewSession(Input{Sources: []string{"leaksvc.snapshot"}, Heap: func(context.Context) (*Heap, error) { return h, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return newServer(t, Options{}, s)
}

// TestHeapOfProcess: the memory of a process is copied when somebody asks for
// it, and not because somebody looks at a view.
func TestHeapOfProcess(t *testing.T) {
	h := leaky(t)
	opened, proceed := 0, make(chan struct{})
	s, err := NewSession(Input{
		Sources:   []string{"4711"},
		HeapPlan:  func(context.Context) (string, error) { return "it stands still", nil },
		HeapDoing: func() string { return "copying" },
		Heap: func(context.Context) (*Heap, error) {
			opened++
			<-proceed
			if opened == 1 {
				return nil, errors.New("it was gone")
			}
			return h, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	state := func() HeapState { return getJSON[HeapState](t, srv, "heap") }
	post := func() {
		t.Helper()
		if r := request(t, srv.Handler(), "POST", "/api/"+s.ID+"/heap"); r.StatusCode != http.StatusOK || r.Header.Get("ETag") != "" {
			t.Errorf("POST: %s", r.Status)
		}
	}
	wantFailure(t, srv, "retention", http.StatusConflict, "not copied yet")
	if st := state(); st.State != heapIdle || st.Plan != "it stands still" || opened != 0 {
		t.Errorf("before: %+v, opened %d times", st, opened)
	}
	post()
	if st := state(); st.State != heapReading || st.Doing != "copying" {
		t.Errorf("while it is read: %+v", st)
	}
	proceed <- struct{}{}
	wantFailure(t, srv, "retention", http.StatusInternalServerError, "it was gone")
	if st := state(); st.State != heapFailed || !strings.Contains(st.Error, "it was gone") {
		t.Errorf("after a failure: %+v", st)
	}
	post()
	proceed <- struct{}{}
	if r := getJSON[Retention](t, srv, "retention"); r.Total.Bytes == 0 {
		t.Errorf("no heap: %+v", r)
	}
	if st := state(); st.State != heapReady || st.Objects == 0 || st.Summary == "" || st.Taken != began().UnixMilli() {
		t.Errorf("after: %+v", st)
	}
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
}

func TestHeapNone(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	if st := getJSON[HeapState](t, srv, "heap"); st.State != heapNone {
		t.Errorf("%+v", st)
	}
	wantFailure(t, srv, "retention", http.StatusNotFound, "profound snapshot PID")
	r := request(t, srv.Handler(), "POST", "/api/"+srv.Sessions()[0].ID+"/heap")
	var e struct{ Hint string }
	if json.NewDecoder(r.Body).Decode(&e); r.StatusCode != http.StatusNotFound || e.Hint == "" {
		t.Errorf("POST: %s %+v", r.Status, e)
	}
}
