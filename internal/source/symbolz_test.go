package source

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSymbolURL(t *testing.T) {
	for profile, want := range map[string]string{
		"http://h:1/debug/pprof/heap?gc=1":          "http://h:1/debug/pprof/symbol",
		"http://h:1/debug/pprof/profile?seconds=3":  "http://h:1/debug/pprof/symbol",
		"http://h:1/admin/debug/pprof/heap":         "http://h:1/admin/debug/pprof/symbol",
		"http://h:1/pprof/heap":                     "http://h:1/pprof/symbol",
		"http://h:1/pprof/pmuprofile":               "http://h:1/pprof/symbol",
		"http://h:1/x/pprof/growth":                 "http://h:1/x/pprof/symbol",
		"http://h:1/pprof/other":                    "http://h:1/pprof/symbolz",
		"http://h:1/profilez":                       "http://h:1/symbolz",
		"http://h:1/":                               "http://h:1/symbolz",
		"https+insecure://u:p@h/debug/pprof/heap":   "https+insecure://u:p@h/debug/pprof/symbol",
		"unix:/run/app.sock:/debug/pprof/heap?gc=1": "unix:/run/app.sock:/debug/pprof/symbol",
		"/tmp/heap.pb.gz":                           "",
		"heap.pb.gz":                                "",
		"h:1/debug/pprof/heap":                      "",
	} {
		if got := SymbolURL(profile); got != want {
			t.Errorf("SymbolURL(%q) = %q, want %q", profile, got, want)
		}
	}
}

func TestSymbolzRealHandler(t *testing.T) {
	noLeak(t)
	pc := uint64(reflect.ValueOf(TestSymbolzRealHandler).Pointer())
	name := runtime.FuncForPC(uintptr(pc)).Name()
	srv := serve(t, pprofMux(nil).ServeHTTP)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	go srv.Config.Serve(l)
	t.Cleanup(func() { l.Close() })
	for _, from := range []string{srv.URL, "unix:" + path + ":"} {
		got, err := Symbolz(t.Context(), from+"/debug/pprof/heap", []uint64{pc, 1, pc}, Options{Seconds: 9})
		if err != nil || len(got) != 1 || got[pc] != name {
			t.Errorf("%s: %v, %v; want %s", from, got, err, name)
		}
	}
}

func TestSymbolzBatches(t *testing.T) {
	noLeak(t)
	requests := 0
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/symbolz" || r.URL.RawQuery != "" || r.Header.Get("X-Key") != "k" {
			t.Errorf("%s %s, key %q", r.Method, r.URL, r.Header.Get("X-Key"))
		}
		words := strings.Split(string(body), "+")
		if len(words) > symbolzBatch {
			t.Errorf("%d addresses at once", len(words))
		}
		fmt.Fprint(w, "num_symbols: 1\nnonsense\n0xzz bad\n0xfffffff not.asked\n")
		for i, a := range words {
			end := "\n"
			if i == len(words)-1 {
				end = "" // a last line without its end counts as well
			}
			fmt.Fprintf(w, "%s\tname of %s%s", a, a, end)
		}
	})
	var addrs []uint64
	for a := uint64(2*symbolzBatch + 5); a > 0; a-- {
		addrs = append(addrs, a)
	}
	got, err := Symbolz(t.Context(), srv.URL+"/profilez?x=1", addrs, Options{Headers: []string{"X-Key: k"}})
	if err != nil || len(got) != len(addrs) || requests != 3 {
		t.Fatalf("%d names in %d requests, %v", len(got), requests, err)
	}
	for a, name := range got {
		if name != fmt.Sprintf("name of %#x", a) {
			t.Fatalf("%#x is %q", a, name)
		}
	}
	if got, err := Symbolz(t.Context(), srv.URL+"/x", nil, Options{}); len(got) != 0 || err != nil || requests != 3 {
		t.Errorf("no addresses: %v, %v, %d requests", got, err, requests)
	}
}

func TestSymbolzErrors(t *testing.T) {
	noLeak(t)
	entered := make(chan struct{}, 1)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut/symbolz":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "0x1 one\n")
		case "/slow/symbolz":
			io.Copy(io.Discard, r.Body) // or the server does not see the client leave
			entered <- struct{}{}
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	})
	_, err := Symbolz(t.Context(), srv.URL+"/x", []uint64{1}, Options{})
	wantError(t, err, "http post "+srv.URL+"/symbolz: server response: 404 Not Found")
	got, err := Symbolz(t.Context(), srv.URL+"/cut/x", []uint64{1}, Options{})
	wantError(t, err, "http post "+srv.URL+"/cut/symbolz: the answer broke off after 8 of 100 bytes")
	if got[1] != "one" {
		t.Errorf("names %v", got)
	}
	_, err = Symbolz(t.Context(), "heap.pb.gz", []uint64{1}, Options{})
	wantError(t, err, "heap.pb.gz: no server to ask for symbols")

	clock := newFakeClock()
	done := make(chan error, 1)
	go func() {
		_, err := Symbolz(t.Context(), srv.URL+"/slow/x", []uint64{1}, Options{Timeout: 2, AfterFunc: clock.AfterFunc})
		done <- err
	}()
	<-entered
	clock.advance(7 * time.Second)
	wantError(t, <-done, "timeout: no answer within 7s")

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := Symbolz(ctx, srv.URL+"/slow/x", []uint64{1}, Options{}); err != context.Canceled {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
