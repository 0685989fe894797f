package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// makeProfile builds a profile of text: a line a sample, frames root first,
// joined by semicolons, then a value for each type. A frame is FUNCTION or
// FUNCTION:LINE, as in "main.main;main.work:12 3 4096"; frames joined by + are
// one location, the outer function first, the others inlined into it.
func makeProfile(t testing.TB, types []profile.ValueType, text string) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(types...)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var frames []profile.LocationID
		for place := range strings.SplitSeq(fields[0], ";") {
			var lines []profile.Line
			for f := range strings.SplitSeq(place, "+") {
				name, at, _ := strings.Cut(f, ":")
				n, _ := strconv.Atoi(at)
				lines = append([]profile.Line{{Function: b.Function(name, name, fileOf(name), 1), Line: int64(n)}}, lines...)
			}
			frames = append([]profile.LocationID{b.Location(0, 0, lines...)}, frames...)
		}
		values := make([]int64, len(types))
		for i := range values {
			n, err := strconv.ParseInt(fields[i+1], 10, 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			values[i] = n
		}
		b.Sample(frames, values)
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fileOf(function string) string {
	pkg, _, _ := strings.Cut(function, ".")
	switch pkg {
	case "runtime", "net/http":
		return "/usr/local/go/src/" + pkg + "/x.go"
	}
	return "/src/" + pkg + "/x.go"
}

func heapTypes() []profile.ValueType {
	return []profile.ValueType{{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}, {Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"}}
}

func cpuTypes() []profile.ValueType {
	return []profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}
}

// began is when the fixtures' profiles were taken first; they are a minute
// apart.
func began() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// shopInput is a program that leaks in main.newOrder, seen four times, with
// goroutines and one CPU profile.
func shopInput(t testing.TB) Input {
	in := Input{Sources: []string{"shop"}, Now: began().Add(time.Hour)}
	heaps := []string{
		"main.main;main.serve;main.newOrder:7 10 1000 10 1000\nmain.main;main.serve;net/http.(*conn).serve;main.render:20 9 900 4 400\nruntime.main 1 50 1 50",
		"main.main;main.serve;main.newOrder:7 20 2000 20 2000\nmain.main;main.serve;net/http.(*conn).serve;main.render:20 19 1900 3 300\nruntime.main 1 50 1 50",
		"main.main;main.serve;main.newOrder:7 30 3000 30 3000\nmain.main;main.serve;net/http.(*conn).serve;main.render:20 29 2900 5 500\nruntime.main 1 50 1 50",
		"main.main;main.serve;main.newOrder:7 40 4000 40 4000\nmain.main;main.serve;main.newOrder:9+main.copyOrder:30 5 500 5 500\nmain.main;main.serve;net/http.(*conn).serve;main.render:20 39 3900 4 400\nruntime.main 1 50 1 50",
	}
	for i, text := range heaps {
		at := began().Add(time.Duration(i) * time.Minute)
		in.Shots = append(in.Shots,
			Shot{Name: "heap-" + strconv.Itoa(i), Time: at, Profile: makeProfile(t, heapTypes(), text)},
			Shot{Name: "goroutine-" + strconv.Itoa(i), Time: at, Profile: makeProfile(t, []profile.ValueType{{Type: "goroutine", Unit: "count"}},
				"main.main;main.serve;runtime.gopark "+strconv.Itoa(5+i)+"\nmain.watch;runtime.gopark 3")})
	}
	in.Shots = append(in.Shots, Shot{Name: "cpu.pb.gz", Time: began(), Profile: makeProfile(t, cpuTypes(), cpuText)})
	return in
}

// cpuText has recursion, direct and through another function, and inlining.
const cpuText = `
main.main;main.serve;main.parse;main.parse;main.parse;main.token 3 30000000
main.main;main.serve;main.parse;main.walk;main.parse;main.token 2 20000000
main.main;main.serve;main.parse:5+main.skip:6 1 10000000
main.main;main.serve;net/http.(*conn).serve;main.render 4 40000000
runtime.gcBgMarkWorker;runtime.gcDrain 5 50000000
`

func shop(t testing.TB) *Session {
	t.Helper()
	s, err := NewSession(shopInput(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newServer makes a server with sessions.
func newServer(t testing.TB, o Options, sessions ...*Session) *Server {
	t.Helper()
	if o.Assets == nil {
		o.Assets = fstest.MapFS{"index.html": {Data: []byte("<!doctype html><title>page</title>")}, "app.js": {Data: []byte(strings.Repeat("let a = 1;\n", 500))}}
	}
	if o.Now == nil {
		o.Now = began
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range sessions {
		s.Add(x)
	}
	return s
}

// request asks a server; header has pairs of names and values.
func request(t testing.TB, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	r.Host = "localhost:8080"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// get asks for a view of the first session and fails unless it is answered.
func get(t testing.TB, s *Server, view string) []byte {
	t.Helper()
	return getPath(t, s, "/api/"+s.Sessions()[0].ID+"/"+view)
}

func getPath(t testing.TB, s *Server, path string) []byte {
	t.Helper()
	r := request(t, s.Handler(), "GET", path)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", path, r.Status, body)
	}
	return body
}

// getJSON decodes the answer of a view.
func getJSON[T any](t testing.TB, s *Server, view string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(get(t, s, view), &v); err != nil {
		t.Fatalf("%s: %v", view, err)
	}
	return v
}

// getColumns decodes the columns a view answers with.
func getColumns(t testing.TB, s *Server, view string) *decoded {
	t.Helper()
	return decodeColumns(t, get(t, s, view))
}

// failure is the status and the sentences a view refuses with.
func failure(t testing.TB, s *Server, view string) (status int, text, hint string) {
	t.Helper()
	path := "/api/" + s.Sessions()[0].ID + "/" + view
	r := request(t, s.Handler(), "GET", path)
	var e struct{ Error, Hint string }
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		t.Fatalf("%s: %s, no JSON: %v", path, r.Status, err)
	}
	return r.StatusCode, e.Error, e.Hint
}

// wantFailure checks that a view refuses with a status and a word in its text
// or hint.
func wantFailure(t testing.TB, s *Server, view string, status int, word string) {
	t.Helper()
	got, text, hint := failure(t, s, view)
	if got != status || !strings.Contains(text+" "+hint, word) {
		t.Errorf("%s: %d %q %q, want %d with %q", view, got, text, hint, status, word)
	}
}
