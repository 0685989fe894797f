package source

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/format"
)

func TestProfileFolder(t *testing.T) {
	for path, want := range map[string]string{
		"":                               "/debug/pprof/",
		"/":                              "/debug/pprof/",
		"/debug/pprof":                   "/debug/pprof/",
		"/debug/pprof/":                  "/debug/pprof/",
		"/debug/pprof/heap":              "/debug/pprof/",
		"/internal/debug/pprof/profile/": "/internal/debug/pprof/",
		"/pprof/heap":                    "/pprof/",
		"/pprof":                         "/pprof/",
		"/heap":                          "/",
		"/a/debug/pprof/b/debug/pprof/":  "/a/debug/pprof/b/debug/pprof/",
	} {
		if got := profileFolder(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestServerGet(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/x/debug/pprof/":
			io.WriteString(w, "<a href='heap?debug=1'>heap</a><a href='goroutine?debug=2'>dump</a>")
		case "/x/debug/pprof/heap", "/x/debug/vars":
			io.WriteString(w, r.URL.RequestURI()+" "+r.Header.Get("X-Key"))
		case "/x/debug/pprof/page":
			io.WriteString(w, "<html>")
		default:
			http.Error(w, "not here", http.StatusTeapot)
		}
	}))
	defer server.Close()
	v, err := OpenServer(server.URL+"/x/debug/pprof/heap?token=a", Options{Headers: []string{"X-Key: secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	get := func(name string, query url.Values) (string, error) {
		var text []byte
		err := v.Get(t.Context(), name, query, 0, func(r io.Reader) (err error) {
			text, err = io.ReadAll(r)
			return err
		})
		return string(text), err
	}
	if names, err := v.Profiles(t.Context()); err != nil || !slices.Equal(names, []string{"heap", "goroutine"}) {
		t.Errorf("profiles %v, %v", names, err)
	}
	if got, err := get("heap", url.Values{"gc": {"1"}}); err != nil || got != "/x/debug/pprof/heap?gc=1&token=a secret" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := get("/debug/vars", nil); err != nil || got != "/x/debug/vars?token=a secret" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := get("mutex", nil); !Answered(err) || !strings.Contains(err.Error(), "418 I'm a teapot - not here") {
		t.Errorf("status: %v", err)
	}
	refused := errors.New("not wanted")
	if err := v.Get(t.Context(), "heap", nil, 0, func(io.Reader) error { return refused }); !errors.Is(err, refused) || !Answered(err) {
		t.Errorf("reader's error: %v", err)
	}
	page, err := get("page", nil)
	if err != nil || !errors.Is(v.NotAProfile([]byte(page)), format.ErrUnrecognized) {
		t.Errorf("page: %q, %v", page, err)
	}
	server.Close()
	if _, err := get("heap", nil); Answered(err) || err == nil || !strings.Contains(err.Error(), "nothing listens on") {
		t.Errorf("gone: %v", err)
	}
}
