package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func unzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// TestGuard lets through and keeps out.
func TestGuard(t *testing.T) {
	srv := newServer(t, Options{Host: "localhost"}, shop(t))
	api := "/api/" + srv.Sessions()[0].ID + "/session"
	for _, c := range []struct {
		what, target string
		header       []string
		want         int
	}{
		{"curl", api, nil, 200},
		{"number", api, []string{"Host", "127.0.0.1:8080"}, 200},
		{"number of six", api, []string{"Host", "[::1]:8080"}, 200},
		{"other name", api, []string{"Host", "evil.example:8080"}, 403},
		{"other name of the page", "/", []string{"Host", "evil.example"}, 403},
		{"own page", api, []string{"Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-origin"}, 200},
		{"other page", api, []string{"Origin", "http://evil.example"}, 403},
		{"other port", api, []string{"Origin", "http://localhost:9999"}, 403},
		{"no origin", api, []string{"Origin", "null"}, 403},
		{"other site", api, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"other site of the same host", api, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"link to data", api, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"link to the page", "/v1/x/flame", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"frame of the page", "/v1/x/flame", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"long address", api + "?q=" + strings.Repeat("a", maxURLBytes), nil, http.StatusRequestURITooLong},
	} {
		r := request(t, srv.Handler(), "GET", c.target, c.header...)
		if r.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", c.what, r.Status, c.want)
		}
		if !strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'self'") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", c.what, r.Header)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		for _, target := range []string{api, "/", "/v1/x"} {
			if r := request(t, srv.Handler(), method, target); r.StatusCode < 400 {
				t.Errorf("%s %s: %s", method, target, r.Status)
			}
		}
	}
}

// TestToken asks the network for the token, once.
func TestToken(t *testing.T) {
	if _, err := New(Options{Host: "0.0.0.0", Assets: os.DirFS("testdata")}); err == nil {
		t.Error("served the network without a token")
	}
	token, err := NewToken(strings.NewReader(strings.Repeat("x", 100)))
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{Host: "0.0.0.0", Token: token}, shop(t))
	h := srv.Handler()
	api := "/api/" + srv.Sessions()[0].ID + "/session"
	anywhere := []string{"Host", "build.example:80"}
	for target, want := range map[string]int{
		"/": 403, api: 403, "/app.js": 403, api + "?token=wrong": 403, api + "?token=" + token: 200,
	} {
		if r := request(t, h, "GET", target, anywhere...); r.StatusCode != want {
			t.Errorf("%s: %s, want %d", target, r.Status, want)
		}
	}
	printed, err := url.Parse(srv.URL("build.example:80", url.Values{"f": {"a b"}}))
	if err != nil {
		t.Fatal(err)
	}
	r := request(t, h, "GET", printed.RequestURI(), anywhere...)
	body, _ := io.ReadAll(r.Body)
	if len(r.Cookies()) != 1 || !bytes.Contains(body, []byte(`url=/ui/?f=a+b"`)) || bytes.Contains(body, []byte(token)) {
		t.Fatalf("%s %v %s", r.Status, r.Cookies(), body)
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v", c)
	}
	if r := request(t, h, "GET", api, append(anywhere, "Cookie", c.Name+"="+c.Value)...); r.StatusCode != 200 {
		t.Errorf("with the cookie: %s", r.Status)
	}
	if r := request(t, h, "GET", api, append(anywhere, "Cookie", c.Name+"=no")...); r.StatusCode != 403 {
		t.Errorf("with a wrong cookie: %s", r.Status)
	}
	if r := request(t, h, "GET", api, append(anywhere, "Authorization", "Bearer "+token)...); r.StatusCode != 200 {
		t.Errorf("as a program: %s", r.Status)
	}
	if r := request(t, h, "GET", "//evil.example/%2e%2e?token="+token, anywhere...); r.StatusCode == 200 {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("url=//")) {
			t.Errorf("led away: %s", body)
		}
	}
	local := newServer(t, Options{Token: token}, shop(t))
	if strings.Contains(local.URL("localhost:1", nil), "token") {
		t.Error("a loopback asks for a token")
	}
}

func TestPages(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	h := srv.Handler()
	for target, want := range map[string]int{"/": 200, "/v1/abc/flame?x=1": 200, "/app.js": 200, "/nothing.js": 404, "/../etc/passwd": 404, "/v2/": 200, "/w2/": 404, "/api/nothing": 404, "/api/abc/flame": 404, "/api": 200} {
		r := request(t, h, "GET", target, "Accept", "text/html")
		for r.StatusCode == http.StatusMovedPermanently || r.StatusCode == http.StatusTemporaryRedirect {
			r = request(t, h, "GET", r.Header.Get("Location"), "Accept", "text/html")
		}
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != want || len(body) == 0 {
			t.Errorf("%s: %s, want %d", target, r.Status, want)
		}
	}
	r := request(t, h, "GET", "/app.js", "Accept-Encoding", "br, gzip")
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%v", r.Header)
	}
	if text, err := unzip(body); err != nil || !bytes.HasPrefix(text, []byte("let a")) {
		t.Errorf("%v %.20s", err, text)
	}
	if again := request(t, h, "GET", "/app.js", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: %s", again.Status)
	}
}

// TestETag names answers by what was asked.
func TestETag(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	h := srv.Handler()
	at := "/api/" + srv.Sessions()[0].ID + "/flame"
	tag := func(query string) string { return request(t, h, "GET", at+query).Header.Get("ETag") }
	if tag("") == "" || tag("?value=inuse_space") == tag("?value=inuse_objects") || tag("?q=&x=focus:a") != tag("?x=focus:a") || tag("?format=json") == tag("") {
		t.Error("tags do not follow the question")
	}
	r := request(t, h, "GET", at, "If-None-Match", tag(""))
	if body, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusNotModified || len(body) > 0 {
		t.Errorf("%s, %d bytes", r.Status, len(body))
	}
	if r := request(t, h, "GET", at+"?cur=p99"); r.Header.Get("ETag") != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a failure is kept: %v", r.Header)
	}
}

// TestPanic becomes a sentence, and goes to the log.
func TestPanic(t *testing.T) {
	var log string
	srv := newServer(t, Options{Log: func(s string) { log += s }}, shop(t))
	srv.api = append(srv.api, Endpoint{Method: "GET", Path: "boom", handle: func(*Server, http.ResponseWriter, *http.Request) error { panic("ouch") }})
	r := request(t, srv.Handler(), "GET", "/api/boom")
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != 500 || !bytes.Contains(body, []byte(`"error":"this is a bug of profound: ouch"`)) || !strings.Contains(log, "server_test.go") {
		t.Errorf("%s %s %q", r.Status, body, log)
	}
}

// TestSessions closes the second oldest when there are too many.
func TestSessions(t *testing.T) {
	srv := newServer(t, Options{})
	var first, second string
	for i := range maxSessions + 1 {
		in := shopInput(t)
		in.Shots = in.Shots[:1]
		in.Shots[0].Profile = in.Shots[0].Profile.ShallowCopy()
		in.Shots[0].Profile.TimeNanos = int64(i + 1)
		s, err := NewSession(in)
		if err != nil {
			t.Fatal(err)
		}
		srv.Add(s)
		srv.Add(s) // twice is once
		switch i {
		case 0:
			first = s.ID
		case 1:
			second = s.ID
		}
	}
	if _, err := srv.session(first); err != nil || len(srv.Sessions()) != maxSessions {
		t.Errorf("%v, %d sessions", err, len(srv.Sessions()))
	}
	if _, err := srv.session(second); err == nil || asError(err).Status != http.StatusGone {
		t.Errorf("the second: %v", err)
	}
	if _, err := srv.session("123"); err == nil || asError(err).Status != http.StatusNotFound {
		t.Errorf("an unknown one: %v", err)
	}
}

// TestAtOnce asks for the same and for other things at the same time.
func TestAtOnce(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	asks := []string{"flame?kind=cpu", "flame?kind=cpu&dir=up", "flame?base=p1", "table?base=p1&trend=4", "function?sel=f:main.serve&base=p1", "report/top?kind=cpu", "report/svg?kind=cpu", "session"}
	want := make([][]byte, len(asks))
	for i, ask := range asks {
		want[i] = get(t, newServer(t, Options{}, shop(t)), ask)
	}
	var wg sync.WaitGroup
	for range 4 {
		for i, ask := range asks {
			wg.Go(func() {
				if got := get(t, srv, ask); !bytes.Equal(got, want[i]) {
					t.Errorf("%s: another answer", ask)
				}
			})
		}
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Data(ctx, mustQuery(t, "kind=cpu&x=focus:never-asked")); err == nil {
		t.Log("done before it was cancelled")
	}
}

// TestAPIPage documents what there is.
func TestAPIPage(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	page := string(getPath(t, srv, "/api"))
	for _, v := range views() {
		if !strings.Contains(page, "/api/{session}/"+v.Name) || v.Help == "" {
			t.Errorf("nothing about %s", v.Name)
		}
		for _, p := range v.Params {
			if !strings.Contains(page, "<code>"+p.Name+"</code>") || p.Help == "" || p.Form == "" {
				t.Errorf("nothing about %s of %s", p.Name, v.Name)
			}
		}
	}
	for _, o := range Transforms() {
		if !strings.Contains(page, "<code>"+o.Name) {
			t.Errorf("nothing about the transform %s", o.Name)
		}
	}
}

// TestOpenUnder reads below the roots only, also through links.
func TestOpenUnder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir := t.TempDir()
	root, outside := filepath.Join(dir, "root"), filepath.Join(dir, "outside")
	for _, d := range []string{filepath.Join(root, "sub"), filepath.Join(root, ".ssh"), filepath.Join(root, ".gen", ".git"), outside} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"root/sub/a.go", "root/.ssh/id", "root/.gen/a.go", "root/.gen/.git/a.go", "outside/secret", "root/..b.go"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(f), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range [][2]string{{"../outside/secret", "root/link"}, {"../outside", "root/dirlink"}, {"sub/a.go", "root/inner"}} {
		if err := os.Symlink(l[0], filepath.Join(dir, l[1])); err != nil {
			t.Fatal(err)
		}
	}
	open := OpenUnder([]string{"", root, filepath.Join(root, ".gen")}) // a hidden folder that is named is none
	for name, want := range map[string]bool{
		"root/sub/a.go": true, "root/inner": true, "root/sub/../sub/a.go": true,
		"outside/secret": false, "root/link": false, "root/dirlink/secret": false, "root/../outside/secret": false, "root/.ssh/id": false, "root/none.go": false,
		"root/.gen/a.go": true, "root/.gen/.git/a.go": false,
	} {
		f, err := open(filepath.Join(dir, name))
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if data, err := fs.ReadFile(fsOf{f}, ""); err != nil || len(data) == 0 {
				t.Errorf("%s: %q %v", name, data, err)
			}
		}
	}
}

// fsOf is a file system of one open file.
type fsOf struct{ fs.File }

func (f fsOf) Open(string) (fs.File, error) { return f.File, nil }
