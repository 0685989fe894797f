package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/trace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/profile"
)

func TestLive(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "1234", nil)
	for spec, want := range map[string]bool{
		"http://host:6060": true, "https+insecure://host/debug/pprof/heap": true, "host:6060": true, "localhost:6060/debug/pprof/": true,
		":6060": true, "[::1]:80": true, "unix:/run/app.sock": true, "4321": true,
		"1234": false, ".": false, "run": false, "run/*.pb.gz": false, "file:///x": false, "C:\\x": false, "a:b": false, "0": false, "-5": false,
	} {
		if got := Live(spec); got != want {
			t.Errorf("Live(%q) = %v", spec, got)
		}
	}
}

func TestConnectSpecs(t *testing.T) {
	c := newClock()
	for _, tt := range []struct {
		name, prefix, spec, url string
		noIndex                 bool
	}{
		{"server", "", "http://HOST", "http://HOST/debug/pprof/", false},
		{"host and port", "", "HOST", "http://HOST/debug/pprof/", false},
		{"folder", "", "http://HOST/debug/pprof", "http://HOST/debug/pprof/", false},
		{"profile", "", "http://HOST/debug/pprof/heap?debug=1&seconds=9&gc=1", "http://HOST/debug/pprof/", false},
		{"a key of the user's own", "", "http://HOST/debug/pprof/heap?key=1", "http://HOST/debug/pprof/?key=1", false},
		{"elsewhere", "/internal", "http://HOST/internal/debug/pprof/", "http://HOST/internal/debug/pprof/", false},
		{"handlers without an index", "", "HOST/debug/pprof/", "http://HOST/debug/pprof/", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{prefix: tt.prefix, noIndex: tt.noIndex, vars: `{"memstats":{"HeapAlloc":5}}`}
			host := strings.TrimPrefix(s.start(t, c).URL, "http://")
			target := connect(t, strings.ReplaceAll(tt.spec, "HOST", host), options(t, c))
			if got := strings.ReplaceAll(target.URL(), host, "HOST"); got != tt.url {
				t.Errorf("URL %s, want %s", got, tt.url)
			}
			if target.Name() != host || !target.has("heap") || !target.has("goroutine") || !target.vars || target.PID() != 0 {
				t.Errorf("name %q, offers %v, vars %v, pid %d", target.Name(), target.Offers(), target.vars, target.PID())
			}
			seen, err := target.Look(t.Context(), Ask{GC: true})
			if err != nil || len(seen.Warnings) > 0 || seen.Heap == nil || seen.Goroutine == nil || seen.Gauges[leak.HeapAlloc] != 5 {
				t.Errorf("%+v, %v", seen, err)
			}
		})
	}
}

func TestConnectSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	c := newClock()
	server := httptest.NewUnstartedServer(&service{t: t, clock: c, program: "x"})
	server.Listener = l
	server.Start()
	defer server.Close()
	target := connect(t, "unix:"+path, options(t, c))
	if target.Name() != "unix:"+path {
		t.Errorf("name %q", target.Name())
	}
	if _, err := target.Look(t.Context(), Ask{}); err != nil {
		t.Error(err)
	}
}

func TestConnectErrors(t *testing.T) {
	text := func(code int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"page", text(200, "text/html", "<html>hello</html>"), "HTML page, not a profile; the profiles of a Go service are under"},
		{"404", text(404, "text/plain", "404 page not found"), "is net/http/pprof registered on this server?"},
		{"500", text(500, "text/plain", "database is down"), "500 Internal Server Error - database is down"},
		{"401", text(401, "text/plain", "no"), "-bearer_token_file"},
		{"nothing", text(200, "text/plain", ""), "the answer is empty; something answers here, but not net/http/pprof"},
		{"words", text(200, "text/plain", "OK"), `the answer begins with "OK"`},
		{"other profiles only", text(200, "text/html", "<a href='block?debug=1'>block</a>"), "neither a heap nor a goroutine profile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			_, err := Connect(t.Context(), server.URL, options(t, c))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
	for spec, want := range map[string]string{
		"ftp://host":  "ftp",
		"127.0.0.1:0": "127.0.0.1:0",
		"host name":   "neither a URL nor HOST:PORT",
		"99":          "/proc",
	} {
		if _, err := Connect(t.Context(), spec, options(t, newClock())); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	if _, err := Connect(t.Context(), "host:1", Options{}); err == nil {
		t.Error("no clock")
	}
}

func TestLook(t *testing.T) {
	c := newClock()
	s := &service{leaked: true}
	target := connect(t, s.start(t, c).URL, options(t, c))
	s.requests()

	seen, err := target.Look(t.Context(), Ask{GC: true, Leaked: true, MemStats: true})
	if err != nil || len(seen.Warnings) > 0 {
		t.Fatal(err, seen.Warnings)
	}
	if got, want := s.requests(), "debug/pprof/heap?gc=1 debug/pprof/goroutine debug/pprof/goroutineleak debug/pprof/heap?debug=1"; got != want {
		t.Errorf("asked for %s\nwant %s", got, want)
	}
	if !seen.Fresh || seen.Forced != 2 || seen.Leaked == nil || !seen.At.Equal(c.Now()) {
		t.Errorf("%+v", seen)
	}
	for gauge, want := range map[leak.Gauge]float64{
		leak.GoroutineCount: 17, leak.HeapAlloc: 100, leak.HeapInuse: 300, leak.HeapIdle: 200, leak.HeapReleased: 50,
		leak.StackInuse: 40, leak.RuntimeOther: 460, leak.Sys: 1000, leak.TotalAlloc: 5000, leak.NextGC: 4 << 20, leak.NumGC: 7,
		leak.LastGC: 1700000000.5, leak.GCCPUFraction: 0.25, leak.ResidentPeak: 123456,
	} {
		if got := seen.Gauges[gauge]; got != want {
			t.Errorf("%s: %v, want %v", gaugeNames[gauge], got, want)
		}
	}
	seen, err = target.Look(t.Context(), Ask{})
	if err != nil || seen.Fresh || seen.Forced != 0 || seen.Leaked != nil {
		t.Errorf("%+v, %v", seen, err)
	}
	if got, want := s.requests(), "debug/pprof/heap debug/pprof/goroutine"; got != want {
		t.Errorf("asked for %s\nwant %s", got, want)
	}
}

func TestLookVars(t *testing.T) {
	c := newClock()
	s := &service{vars: `{"cmdline":["x"],"memstats":{"HeapAlloc":7,"NumGC":3,"PauseNs":[1]},"runtime/metrics":{"/gc/heap/live:bytes":42,"/gc/gogc:percent":50}}`}
	target := connect(t, s.start(t, c).URL, options(t, c))
	s.requests()
	seen, err := target.Look(t.Context(), Ask{MemStats: true})
	if err != nil || len(seen.Warnings) > 0 {
		t.Fatal(err, seen.Warnings)
	}
	g := &seen.Gauges
	if g[leak.HeapAlloc] != 7 || g[leak.HeapLive] != 42 || g[leak.GOGC] != 50 || g.Has(leak.Sys) || g.Has(leak.RuntimeOther) {
		t.Errorf("%v", g)
	}
	if got := s.requests(); strings.Contains(got, "debug=1") {
		t.Errorf("asked for %s although there is /debug/vars", got)
	}
}

// TestLookPartly answers a part of the requests.
func TestLookPartly(t *testing.T) {
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/heap") {
			http.Error(w, "no memory", 500)
			return
		}
		w.Write(countBytes(t, "goroutine", c.Now(), 5))
	})
	seen, err := target.Look(t.Context(), Ask{})
	if err != nil || seen.Heap != nil || seen.Gauges[leak.GoroutineCount] != 5 || len(seen.Warnings) != 1 {
		t.Errorf("%+v, %v", seen, err)
	}
	// The goroutine profile in the place of all is no heap profile.
	s.answer(func(w http.ResponseWriter, _ *http.Request) { w.Write(countBytes(t, "mutex", c.Now(), 5)) })
	if _, err := target.Look(t.Context(), Ask{}); err == nil || !strings.Contains(err.Error(), "not of heap") {
		t.Error(err)
	}
}

// fakeProc is a /proc with one process that listens on the port of server.
func fakeProc(t *testing.T, server *httptest.Server, pid int, program string) procstat.Roots {
	t.Helper()
	port := server.Listener.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	table := fmt.Sprintf("sl ...\n 0: 0100007F:%04X 00000000:0000 0A 0:0 0:0 0 0 0 777 1\n", port)
	write(t, dir, "self/stat", []byte("1"))
	write(t, dir, "stat", []byte("btime 1700000000\n"))
	write(t, dir, "self/net/tcp", []byte(table))
	addProcess(t, dir, pid, program, table)
	return procstat.Roots{Proc: dir, Cgroup: dir}
}

func addProcess(t *testing.T, dir string, pid int, program, table string) {
	t.Helper()
	base := fmt.Sprintf("%d/", pid)
	write(t, dir, base+"stat", fmt.Appendf(nil, "%d (app) S 1 1 1 0 -1 0 0 0 0 0 100 0 0 0 20 0 9 0 %d 0", pid, pid*1000))
	write(t, dir, base+"status", []byte("VmRSS:\t 2000 kB\n"))
	write(t, dir, base+"environ", []byte("GOGC=50\x00GOMEMLIMIT=1GiB\x00"))
	write(t, dir, base+"net/tcp", []byte(table))
	if err := os.MkdirAll(filepath.Join(dir, base, "fd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("socket:[777]", filepath.Join(dir, base, "fd", "3")), os.Symlink(program, filepath.Join(dir, base, "exe"))); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
}

func TestLocalProcess(t *testing.T) {
	c := newClock()
	s := &service{}
	server := s.start(t, c)
	o := options(t, c)
	o.Proc = fakeProc(t, server, 42, "/srv/app")
	byURL := connect(t, server.URL, o)
	byPID := connect(t, "42", o)
	if byPID.Name() != "pid 42" || byPID.URL() != byURL.URL() {
		t.Errorf("%s at %s", byPID.Name(), byPID.URL())
	}
	for _, target := range []*Target{byURL, byPID} {
		if target.PID() != 42 {
			t.Errorf("%s: pid %d", target.Name(), target.PID())
		}
		seen, err := target.Look(t.Context(), Ask{})
		if err != nil || len(seen.Warnings) > 0 {
			t.Fatal(err, seen.Warnings)
		}
		g := &seen.Gauges
		if g[leak.Resident] != 2000<<10 || g[leak.Descriptors] != 1 || g[leak.GOGC] != 50 || g[leak.MemoryLimit] != 1<<30 || g[leak.StartTime] != 1700000420 {
			t.Errorf("%v", gaugesJSON(g))
		}
	}
	// It dies and comes back as another process.
	if err := os.RemoveAll(filepath.Join(o.Proc.Proc, "42")); err != nil {
		t.Fatal(err)
	}
	addProcess(t, o.Proc.Proc, 50, "/srv/app", "")
	seen, err := byURL.Look(t.Context(), Ask{})
	if err != nil || byURL.PID() != 50 || len(seen.Warnings) != 1 || !strings.Contains(seen.Warnings[0].Error(), "started anew") {
		t.Errorf("pid %d, %v, %+v", byURL.PID(), err, seen)
	}
}

// TestNotOurs is a server on this machine whose process cannot be seen.
func TestNotOurs(t *testing.T) {
	c := newClock()
	o := options(t, c)
	server := (&service{}).start(t, c)
	if notes := connect(t, server.URL, o).Notes(); len(notes) > 0 {
		t.Errorf("no /proc: %v", notes)
	}
	write(t, o.Proc.Proc, "self/stat", []byte("1"))
	if notes := connect(t, server.URL, o).Notes(); len(notes) != 1 || !strings.Contains(notes[0].Error(), "as the user of the process") {
		t.Errorf("notes %v", notes)
	}
}

// TestHangs is a service that no longer answers.
func TestHangs(t *testing.T) {
	c := newClock()
	o := options(t, c)
	var hangs atomic.Bool
	o.Source.AfterFunc = func(_ time.Duration, f func()) func() bool {
		if hangs.Load() {
			go f()
		}
		return func() bool { return true }
	}
	s := &service{}
	target := connect(t, s.start(t, c).URL, o)
	s.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hangs.Store(true)
	s.requests()
	_, err := target.Look(t.Context(), Ask{})
	if err == nil || !strings.Contains(err.Error(), "timeout: no answer within 25s; raise -timeout, now 20 seconds") {
		t.Error(err)
	}
	if got := s.requests(); got != "debug/pprof/heap" && got != "" {
		t.Errorf("went on asking: %s", got)
	}
}

func TestTunnel(t *testing.T) {
	c := newClock()
	s := &service{}
	server := s.start(t, c)
	o := options(t, c)
	o.Proc = fakeProc(t, server, 42, "/usr/bin/kubectl")
	target := connect(t, server.URL, o)
	seen, err := target.Look(t.Context(), Ask{})
	if err != nil || len(seen.Warnings) != 1 || !strings.Contains(seen.Warnings[0].Error(), "/usr/bin/kubectl (process 42)") {
		t.Errorf("%v %+v", err, seen)
	}
	if seen.Gauges.Has(leak.Resident) || target.PID() != 0 {
		t.Error("the tunnel is taken for the program")
	}
	if seen, _ := target.Look(t.Context(), Ask{}); len(seen.Warnings) > 0 {
		t.Error("said twice")
	}
}

// TestProcessAlone watches a process without a server, until it ends.
func TestProcessAlone(t *testing.T) {
	c := newClock()
	s := &service{}
	server := s.start(t, c)
	o := options(t, c)
	o.Proc = fakeProc(t, server, 42, "/srv/app")
	s.answer(http.NotFound)
	target := connect(t, "42", o)
	if len(target.Notes()) != 1 || !strings.Contains(target.Notes()[0].Error(), "import net/http/pprof") || target.URL() != "" {
		t.Errorf("notes %v", target.Notes())
	}
	n := 0
	var warned []string
	c.slept = func(time.Time) {
		if n++; n == 5 {
			os.RemoveAll(filepath.Join(o.Proc.Proc, "42"))
		}
	}
	sum, err := Collect(t.Context(), []*Target{target}, Plan{For: time.Minute, Warn: func(w Warning) { warned = append(warned, w.Error()) }})
	if err != nil || sum.Looks != 5 || len(sum.Gone) != 1 || len(warned) != 1 || !strings.Contains(warned[0], "pid 42: process 42: there is no such process") {
		t.Errorf("%+v, %v, %q", sum, err, warned)
	}
}

func TestClues(t *testing.T) {
	var recorded bytes.Buffer
	if err := trace.Start(&recorded); err != nil {
		t.Skip(err)
	}
	ended := make(chan struct{})
	go close(ended)
	<-ended
	trace.Stop()
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	clues, warnings := target.Clues(t.Context(), ClueOptions{})
	if clues.Waiting == nil || clues.Trace != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "404") {
		t.Errorf("%+v, %v", clues, warnings)
	}
	dir := t.TempDir()
	if err := SaveTo(dir, target); err != nil {
		t.Fatal(err)
	}
	asked := ""
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/trace") {
			asked = r.FormValue("seconds")
			w.Write(recorded.Bytes())
			return
		}
		fmt.Fprint(w, "goroutine 9 [select]:\nmain.f()\n\t/m.go:1\n")
	})
	clues, warnings = target.Clues(t.Context(), ClueOptions{Trace: 2500 * time.Millisecond})
	if clues.Waiting == nil || clues.Trace == nil || asked != "2.5" || len(warnings) > 0 {
		t.Errorf("%+v, %q, %v", clues, asked, warnings)
	}
	for _, name := range []string{"waiting-0000.txt.gz", "trace-0000.out"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	run, err := Open(t.Context(), []string{dir}, options(t, c))
	if !errors.Is(err, ErrOneLook) {
		t.Fatal(err)
	}
	clues, warnings = run.Clues(t.Context(), target.Name())
	if clues.Waiting == nil || clues.Trace == nil || len(warnings) > 0 {
		t.Errorf("kept: %+v, %v", clues, warnings)
	}
	// A program that answers only the beginning.
	if _, warnings := target.Clues(t.Context(), ClueOptions{MaxBytes: 10}); len(warnings) != 2 {
		t.Errorf("%v", warnings)
	}
}

func TestLookCancelled(t *testing.T) {
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	ctx, cancel := context.WithCancel(t.Context())
	s.answer(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := target.Look(ctx, Ask{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzComments(f *testing.F) {
	f.Add([]byte(comments))
	f.Add([]byte("# Sys = 1e300\n# NumGC = -1\n# Stack = 4"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var m memStats
		if err := readComments(&m, bytes.NewReader(in)); err != nil {
			t.Error(err)
		}
		g := leak.NoGauges()
		m.put(&g)
		for i, v := range g {
			if v < 0 && leak.Gauge(i) != leak.RuntimeOther || math.IsInf(v, -1) && leak.Gauge(i) != leak.RuntimeOther {
				t.Errorf("%s is %v", gaugeNames[i], v)
			}
		}
	})
}

// TestEndlessAnswer: an answer that never ends does not hold up a look for
// ever.
func TestEndlessAnswer(t *testing.T) {
	c := newClock()
	s := &service{}
	o := options(t, c)
	target := connect(t, s.start(t, c).URL, o)
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
		}
	})
	target.most = 50 * time.Millisecond
	if _, err := target.Look(t.Context(), Ask{}); err == nil || !strings.Contains(err.Error(), "did not end its answers within 50ms") {
		t.Error(err)
	}
	var m memStats
	if err := readComments(&m, io.LimitReader(endless{}, maxProfile>>12)); err != nil {
		t.Error(err)
	}
}

// endless is an answer without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

// TestUnsampledTarget: where the heap profile says nothing, the size of the
// heap is asked for at every look.
func TestUnsampledTarget(t *testing.T) {
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("debug") == "1" {
			fmt.Fprint(w, comments)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/goroutine") {
			w.Write(countBytes(t, "goroutine", c.Now(), 3))
			return
		}
		b := profile.NewBuilder(
			profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
			profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
		w.Write(encode(t, b, c.Now()))
	})
	seen, err := target.Look(t.Context(), Ask{})
	if err != nil || seen.Gauges[leak.HeapAlloc] != 100 {
		t.Errorf("%+v, %v", seen, err)
	}
}
