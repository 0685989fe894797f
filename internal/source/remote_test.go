package source

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	httppprof "net/http/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/format"
)

// serve starts a server that is closed with the test.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// pprofMux is what a service with net/http/pprof serves; GET requests of
// /debug/pprof/profile are answered with cpu at once, so that tests need not
// wait for a collection.
func pprofMux(cpu []byte) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", httppprof.Index)
	mux.HandleFunc("/debug/pprof/symbol", httppprof.Symbol)
	mux.HandleFunc("/debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) { w.Write(cpu) })
	return mux
}

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		spec          string
		opt           Options
		want          string
		wait, timeout int // seconds
	}{
		{"http://h:1/debug/pprof/heap", Options{}, "http://h:1/debug/pprof/heap", 0, 60},
		{"http://h:1", Options{}, "http://h:1/debug/pprof/profile", 30, 60},
		{"http://h:1/", Options{}, "http://h:1/debug/pprof/profile", 30, 60},
		{"h:1", Options{}, "http://h:1/debug/pprof/profile", 30, 60},
		{":6060", Options{}, "http://:6060/debug/pprof/profile", 30, 60},
		{"127.0.0.1:1/x", Options{}, "http://127.0.0.1:1/x", 0, 60},
		{"[::1]:1/x", Options{}, "http://[::1]:1/x", 0, 60},
		{"h:1/x?seconds=10&b=2&a=1", Options{}, "http://h:1/x?a=1&b=2&seconds=10", 10, 15},
		{"h:1/x?seconds=10", Options{Seconds: 4}, "http://h:1/x?seconds=4", 4, 6},
		{"h:1/x", Options{Seconds: 4, Timeout: 3}, "http://h:1/x?seconds=4", 4, 3},
		{"h:1/x?seconds=ten", Options{Timeout: -1, Seconds: -1}, "http://h:1/x?seconds=ten", 0, 60},
		{"https+insecure://h/x", Options{}, "https+insecure://h/x", 0, 60},
		{"https://u:p@h/x", Options{}, "https://u:xxxxx@h/x", 0, 60},
		{"unix:/run/app.sock", Options{}, "unix:/run/app.sock:/debug/pprof/profile", 30, 60},
		{"unix:///run/app.sock:/debug/pprof/heap?gc=1", Options{}, "unix:/run/app.sock:/debug/pprof/heap?gc=1", 0, 60},
		{"unix:app.sock:/x", Options{Seconds: 2}, "unix:app.sock:/x?seconds=2", 2, 3},
		{"h:1", Options{Types: []string{"heap", "cpu"}}, "http://h:1/debug/pprof/heap http://h:1/debug/pprof/profile", 30, 60},
		{"h:1/admin/debug/pprof/", Options{Types: []string{"heap"}}, "http://h:1/admin/debug/pprof/heap", 0, 60},
		{"h:1/debug/pprof/allocs", Options{Types: []string{"heap"}}, "http://h:1/debug/pprof/allocs", 0, 60},
	} {
		jobs := newSession(c.opt).expand([]string{c.spec})
		var names []string
		for _, j := range jobs {
			if j.err != nil {
				t.Fatalf("%s: %v", c.spec, j.err)
			}
			names = append(names, j.name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.spec, got, c.want)
		}
		e := jobs[len(jobs)-1].in.(*remote).at
		if int(e.wait/time.Second) != c.wait || int(e.timeout/time.Second) != c.timeout {
			t.Errorf("%s: wait %v timeout %v, want %d and %d", c.spec, e.wait, e.timeout, c.wait, c.timeout)
		}
	}
}

func TestFetchURL(t *testing.T) {
	noLeak(t)
	srv := serve(t, pprofMux(heapProfile(t)).ServeHTTP)
	var said []string
	r := fetch1(t, srv.URL+"/debug/pprof/heap", Options{Messages: func(s string) { said = append(said, s) }})
	wantProfile(t, r)
	if !r.Remote || r.URL != srv.URL+"/debug/pprof/heap" || r.Endpoint != r.URL || r.Bytes == 0 {
		t.Errorf("result %+v", r)
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	wantProfile(t, fetch1(t, host, Options{Seconds: 1, Messages: func(s string) { said = append(said, s) }}))
	want := "Fetching profile over HTTP from " + srv.URL + "/debug/pprof/heap\n" +
		"Fetching profile over HTTP from " + srv.URL + "/debug/pprof/profile?seconds=1\nPlease wait... (1s)"
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	results, err := Fetch(t.Context(), []string{srv.URL}, Options{Types: []string{"heap", "goroutine", "nosuch"}})
	if err != nil || len(results) != 3 {
		t.Fatal(results, err)
	}
	wantProfile(t, results[0])
	if results[1].Err != nil || results[1].Profile.SampleTypes[0].Type != "goroutine" {
		t.Errorf("goroutine: %+v", results[1])
	}
	wantError(t, results[2].Err, srv.URL+"/debug/pprof/nosuch: server response: 404 Not Found - Unknown profile")
}

func TestManyTogether(t *testing.T) {
	noLeak(t)
	const n = 150
	data := heapProfile(t)
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		running++
		if most = max(most, running); running == pprofConcurrency && most == pprofConcurrency {
			select {
			case <-full:
			default:
				close(full) // all slots are in use: nobody waits from here on
			}
		}
		mu.Unlock()
		<-full
		w.Write(data)
		mu.Lock()
		running--
		mu.Unlock()
	})
	var specs []string
	for i := range n {
		specs = append(specs, fmt.Sprintf("%s/%d", srv.URL, i))
	}
	var said []string
	results, err := Fetch(t.Context(), specs, Options{Messages: func(s string) { said = append(said, s) }})
	if err != nil || len(results) != n {
		t.Fatal(len(results), err)
	}
	for i, r := range results {
		wantProfile(t, r)
		if r.Spec != specs[i] || said[i] != "Fetching profile over HTTP from "+specs[i] {
			t.Fatalf("result %d is of %s, message %q", i, r.Spec, said[i])
		}
	}
	if most != pprofConcurrency {
		t.Errorf("%d requests at the same time, want %d", most, pprofConcurrency)
	}
}

func TestContentEncoding(t *testing.T) {
	data := heapProfile(t)
	pack := func(f func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := f(&b)
		w.Write(data)
		w.Close()
		return b.Bytes()
	}
	bodies := map[string][]byte{
		"gzip":     pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"deflate":  pack(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"Deflate":  pack(func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 5); return z }),
		"x-gzip":   data, // announced, but only the gzip of the profile itself
		"identity": data,
		"br":       data,
	}
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		enc := strings.TrimPrefix(r.URL.Path, "/")
		w.Header().Set("Content-Encoding", enc)
		w.Write(bodies[enc])
	})
	for enc := range bodies {
		r := fetch1(t, srv.URL+"/"+enc, Options{})
		if enc == "br" {
			wantError(t, r.Err, `encoded with "br"`)
			continue
		}
		wantProfile(t, r)
		if r.Bytes != int64(len(bodies[enc])) {
			t.Errorf("%s: %d bytes, want those on the wire, %d", enc, r.Bytes, len(bodies[enc]))
		}
	}
}

func TestAnswerErrors(t *testing.T) {
	noLeak(t)
	data := heapProfile(t)
	goPprof := func(w http.ResponseWriter, status int, text string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Go-Pprof", "1")
		w.WriteHeader(status)
		fmt.Fprintln(w, text)
	}
	mux := pprofMux(data)
	handle := func(path string, h http.HandlerFunc) { mux.HandleFunc(path, h) }
	handle("/busy", func(w http.ResponseWriter, r *http.Request) {
		goPprof(w, 500, "Could not enable CPU profiling: cpu profiling already in use")
	})
	handle("/busy200", func(w http.ResponseWriter, r *http.Request) {
		goPprof(w, 200, "Could not enable CPU profiling: cpu profiling already in use")
	})
	handle("/long", func(w http.ResponseWriter, r *http.Request) {
		goPprof(w, 400, "profile duration exceeds server's WriteTimeout")
	})
	handle("/401", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "who are you", 401) })
	handle("/403", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "<html>no</html>", 403) })
	handle("/502", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) })
	handle("/204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	handle("/escape", func(w http.ResponseWriter, r *http.Request) { goPprof(w, 500, "a\x1b[31mb") })
	handle("/page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><title>hello</title>") })
	handle("/login", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/page", 302) })
	handle("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", 302) })
	handle("/empty", func(w http.ResponseWriter, r *http.Request) {})
	handle("/words", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "# nothing here") })
	handle("/perf", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "PERFILE2........") })
	handle("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:len(data)/2])
	})
	handle("/cut-chunked", func(w http.ResponseWriter, r *http.Request) {
		w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	handle("/hang-up", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	srv := serve(t, mux.ServeHTTP)
	for path, parts := range map[string][]string{
		"/busy":         {"server response: 500 Internal Server Error - Could not enable CPU profiling: cpu profiling already in use; another CPU profile of this process is being taken"},
		"/busy200":      {"Could not enable CPU profiling", "another CPU profile of this process"},
		"/long":         {"server response: 400 Bad Request - profile duration exceeds", "fewer -seconds"},
		"/401":          {"server response: 401 Unauthorized - who are you", "-header", "-bearer_token_file"},
		"/403":          {"server response: 403 Forbidden; ", "-header"},
		"/502":          {"server response: 502 Bad Gateway; ", "fetch from the service itself"},
		"/204":          {"server response: 204 No Content"},
		"/escape":       {"500 Internal Server Error - a?[31mb"},
		"/nosuch":       {"server response: 404 Not Found - 404 page not found; is net/http/pprof registered", srv.URL + "/debug/pprof/"},
		"/page":         {"unrecognized profile format: the answer is an HTML page", "such as " + srv.URL + "/debug/pprof/heap"},
		"/login":        {"the answer is an HTML page", "redirected to " + srv.URL + "/page", "-header"},
		"/debug/pprof/": {"index page of net/http/pprof", "such as " + srv.URL + "/debug/pprof/heap (there are allocs, block, ", ", profile)"},
		"/loop":         {"stopped after 10 redirects"},
		"/empty":        {"empty input file"},
		"/words":        {"unrecognized profile format"},
		"/perf":         {"the answer is a perf.data file; save it"},
		"/cut":          {fmt.Sprintf("the answer broke off after %d of %d bytes: unexpected EOF", len(data)/2, len(data)), "WriteTimeout"},
		"/cut-chunked":  {fmt.Sprintf("the answer broke off after %d bytes: unexpected EOF", len(data)/2)},
		"/hang-up":      {"EOF; the server closed the connection without an answer"},
	} {
		r := fetch1(t, srv.URL+path, Options{})
		wantError(t, r.Err, append(parts, srv.URL+path+": ")...)
	}
}

// tooLarge tells whether err is the limit's. The decoder of profile.proto has
// words of its own for it.
func tooLarge(err error) bool {
	return errors.Is(err, format.ErrTooLarge) || err != nil && strings.Contains(err.Error(), "larger than the limit")
}

func TestBodyLimits(t *testing.T) {
	noLeak(t)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte{0x32, 0}, 32<<10) // empty strings of a string table
		if r.URL.Path == "/sized" {
			w.Header().Set("Content-Length", fmt.Sprint(1<<30))
		}
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	r := fetch1(t, srv.URL+"/endless", Options{MaxBytes: 1 << 20})
	if !tooLarge(r.Err) || r.Bytes > 2<<20 {
		t.Errorf("%d bytes, error %v", r.Bytes, r.Err)
	}
	r = fetch1(t, srv.URL+"/sized", Options{MaxBytes: 1 << 20})
	if !errors.Is(r.Err, format.ErrTooLarge) || r.Bytes != 0 {
		t.Errorf("%d bytes, error %v", r.Bytes, r.Err)
	}
}

func TestTimeouts(t *testing.T) {
	noLeak(t)
	entered := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write([]byte{0x32})
			w.(http.Flusher).Flush()
		}
		entered <- struct{}{}
		<-r.Context().Done()
	})
	for _, c := range []struct {
		path   string
		opt    Options
		phases int
		wait   time.Duration
		parts  []string
	}{
		{"/none?seconds=10", Options{}, 1, 20 * time.Second, []string{"timeout: no answer within 20s; raise -timeout, now 15 seconds"}},
		{"/none", Options{Timeout: 3}, 1, 8 * time.Second, []string{"timeout: no answer within 8s; raise -timeout, now 3 seconds"}},
		{"/body", Options{Timeout: 3}, 2, 8 * time.Second, []string{"timeout: no end of the answer within 8s", "; raise -timeout, now 3 seconds"}},
	} {
		clock := newFakeClock()
		c.opt.AfterFunc = clock.AfterFunc
		done := make(chan Result, 1)
		go func() {
			results, _ := Fetch(t.Context(), []string{srv.URL + c.path}, c.opt)
			done <- results[0]
		}()
		<-entered
		clock.await(c.phases)
		clock.advance(c.wait - time.Millisecond)
		select {
		case r := <-done:
			t.Fatalf("%s: ended too early: %v", c.path, r.Err)
		default:
		}
		clock.advance(time.Millisecond)
		wantError(t, (<-done).Err, c.parts...)
	}
}

func TestWatchdogPatience(t *testing.T) {
	clock := newFakeClock()
	ctx, cancel := context.WithCancelCause(t.Context())
	dog := watch(&Options{AfterFunc: clock.AfterFunc}, 10*time.Second, cancel)
	clock.advance(9 * time.Second)
	dog.next()
	dog.read(25 * slowest) // grants 25 more seconds
	clock.advance(34 * time.Second)
	if ctx.Err() != nil {
		t.Fatal("cancelled although the answer came with good speed")
	}
	dog.read(1)
	clock.advance(2 * time.Second)
	if context.Cause(ctx) != errSlow {
		t.Fatal("not cancelled although the answer dribbles")
	}
	dog.end()
}

func TestCancelRemote(t *testing.T) {
	noLeak(t)
	data := heapProfile(t)
	entered := make(chan struct{}, 2)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write(data[:100])
			w.(http.Flusher).Flush()
		}
		entered <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		<-entered
		cancel()
	}()
	results, err := Fetch(ctx, []string{srv.URL + "/none", srv.URL + "/body"}, Options{})
	if err != context.Canceled || results != nil {
		t.Errorf("%v, %v; want context.Canceled", results, err)
	}
}

func TestProgress(t *testing.T) {
	noLeak(t)
	data := heapProfile(t)
	entered, answer := make(chan struct{}), make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-answer
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
	})
	clock := newFakeClock()
	var events []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		results, _ := Fetch(t.Context(), []string{srv.URL + "/x"}, Options{
			Seconds: 3, Now: clock.Now, AfterFunc: clock.AfterFunc,
			Progress: func(e Event) {
				if e.Name != srv.URL+"/x?seconds=3" {
					t.Errorf("name %s", e.Name)
				}
				events = append(events, fmt.Sprint(e.Index, e.Bytes, e.Total, e.Wait, e.Done))
			},
		})
		wantProfile(t, results[0])
	}()
	<-entered
	clock.advance(4 * time.Second)
	close(answer)
	<-done
	want := fmt.Sprintf("0 0 -1 3s false|0 0 -1 2s false|0 0 -1 1s false|0 0 -1 0s false|0 %d %d 0s true", len(data), len(data))
	if got := strings.Join(events, "|"); got != want {
		t.Errorf("events %s\nwant   %s", got, want)
	}
}
