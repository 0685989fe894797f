package watch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/profile"
)

// clock is a time that passes only while somebody sleeps.
type clock struct {
	mu  sync.Mutex
	now time.Time
	// slept is called after each sleep, if not nil.
	slept func(now time.Time)
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.advance(d)
	if c.slept != nil {
		c.slept(c.Now())
	}
	return ctx.Err()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.now = c.now.Add(d)
	}
}

// options are those of a target with a clock and a /proc that is empty.
func options(t *testing.T, c *clock) Options {
	none := t.TempDir()
	return Options{Now: c.Now, Sleep: c.Sleep, Proc: procstat.Roots{Proc: none, Cgroup: none}}
}

// heapBytes is a heap profile of a program at the time now: one stack that
// holds live bytes.
func heapBytes(t testing.TB, program string, now time.Time, live int64) []byte {
	b := profile.NewBuilder(
		profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
		profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	b.Mapping(profile.Mapping{Start: 1, Limit: 2, File: program})
	l := b.Location(0, 0, profile.Line{Function: b.Function("main.keep", "main.keep", "main.go", 1), Line: 2})
	b.Sample([]profile.LocationID{l}, []int64{live / 100, live, live / 100, live}, b.NumLabel("bytes", 100, "bytes"))
	h := b.Header()
	h.PeriodType, h.Period = profile.ValueType{Type: "space", Unit: "bytes"}, 512<<10
	return encode(t, b, now)
}

// countBytes is a profile of the kind name with n in one stack.
func countBytes(t testing.TB, name string, now time.Time, n int64) []byte {
	b := profile.NewBuilder(profile.ValueType{Type: name, Unit: "count"})
	l := b.Location(0, 0, profile.Line{Function: b.Function("main.wait", "main.wait", "main.go", 1), Line: 2})
	b.Sample([]profile.LocationID{l}, []int64{n})
	return encode(t, b, now)
}

func encode(t testing.TB, b *profile.Builder, now time.Time) []byte {
	if !now.IsZero() {
		b.Header().TimeNanos = now.UnixNano()
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := pprof.Encode(&buf, p); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// service is a Go program on a server of the test.
type service struct {
	t       testing.TB
	clock   *clock
	program string
	vars    string // the answer of /debug/vars, "" for none
	leaked  bool   // has goroutineleak
	noIndex bool
	prefix  string // before /debug/pprof/

	mu    sync.Mutex
	asked []string // requests, without the first slash
	// broken answers instead, if not nil.
	broken http.HandlerFunc
	// busy is how long an answer takes.
	busy time.Duration
}

const comments = `heap profile: 1: 2 [3: 4] @ heap/1048576
1: 2 [3: 4] @ 0x1 0x2
#	0x1	main.f+0x1	/m.go:1

# runtime.MemStats
# Alloc = 100
# TotalAlloc = 5000
# Sys = 1000
# HeapAlloc = 100
# HeapIdle = 200
# HeapInuse = 300
# HeapReleased = 50
# Stack = 40 / 60
# NextGC = 4194304
# LastGC = 1700000000500000000
# PauseNs = [1 2 3]
# NumGC = 7
# GCCPUFraction = 0.25
# MaxRSS = 123456
`

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimPrefix(r.URL.RequestURI(), s.prefix+"/"))
	broken := s.broken
	s.mu.Unlock()
	s.clock.advance(s.busy)
	if broken != nil {
		broken(w, r)
		return
	}
	now := s.clock.Now()
	path, ok := strings.CutPrefix(r.URL.Path, s.prefix)
	debug := r.FormValue("debug")
	switch {
	case !ok:
		http.NotFound(w, r)
	case path == "/debug/pprof/" && !s.noIndex:
		for _, name := range []string{"allocs", "goroutine", "heap", "trace"} {
			fmt.Fprintf(w, "<a href='%s?debug=1'>%s</a>", name, name)
		}
		if s.leaked {
			io.WriteString(w, "<a href='goroutineleak?debug=1'>x</a>")
		}
	case path == "/debug/pprof/heap" && debug == "1":
		io.WriteString(w, comments)
	case path == "/debug/pprof/heap":
		w.Write(heapBytes(s.t, s.program, now, 1000*now.Unix()))
	case path == "/debug/pprof/goroutine" && debug == "2":
		io.WriteString(w, "goroutine 9 [chan receive, 5 minutes]:\nmain.wait()\n\t/m.go:2 +0x1\ncreated by main.start in goroutine 1\n\t/m.go:1 +0x1\n")
	case path == "/debug/pprof/goroutine":
		w.Write(countBytes(s.t, "goroutine", now, 17))
	case path == "/debug/pprof/goroutineleak" && s.leaked:
		w.Write(countBytes(s.t, "goroutineleak", now, 3))
	case path == "/debug/vars" && s.vars != "":
		io.WriteString(w, s.vars)
	default:
		http.NotFound(w, r)
	}
}

// answer makes the service answer with f from now on, nil as itself.
func (s *service) answer(f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = f
}

// requests are those since the last call.
func (s *service) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.asked, " ")
	s.asked = nil
	return all
}

// start serves s until the test ends.
func (s *service) start(t *testing.T, c *clock) *httptest.Server {
	s.t, s.clock = t, c
	if s.program == "" {
		s.program = "/srv/app"
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

// connect fails the test if it does not work.
func connect(t *testing.T, spec string, o Options) *Target {
	t.Helper()
	target, err := Connect(t.Context(), spec, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

// write makes a file below dir and its folders.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
