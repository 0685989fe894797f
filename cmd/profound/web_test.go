package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
	"github.com/profoundhq/profound/internal/web"
)

// serving is the page while a command line serves it.
type serving struct {
	t    *testing.T
	url  string // as it was printed, without what is behind the port
	from string // as it was printed
	said []string
	stop func() int // ends the server and gives its exit code
}

// serve runs a command line until it has printed an address.
func (c *cli) serve(args ...string) *serving {
	c.t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	e := &env{
		stdin: strings.NewReader(c.stdin), stdout: io.Discard, stderr: w,
		getenv: func(k string) string { return c.vars[k] }, now: time.Now, dir: c.dir, width: func() int { return 80 },
	}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, args, e)
		w.Close()
	}()
	s := &serving{t: c.t}
	s.stop = func() int { cancel(); return <-code }
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "Serving web UI on "); ok {
			s.from = url
			s.url = "http://" + strings.SplitN(strings.TrimPrefix(url, "http://"), "/", 2)[0]
			go io.Copy(io.Discard, r)
			c.t.Cleanup(func() { cancel() })
			return s
		}
		s.said = append(s.said, lines.Text())
	}
	cancel()
	c.t.Fatalf("%q served nothing, exit code %d: %q", args, <-code, s.said)
	return nil
}

// get asks for an address and gives what is there after redirects, and where
// that was.
func (s *serving) get(path string) (body []byte, at string, status int) {
	s.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = s.url + path
	}
	r, err := http.Get(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err = io.ReadAll(r.Body); err != nil {
		s.t.Fatal(err)
	}
	return body, r.Request.URL.RequestURI(), r.StatusCode
}

// session is what the page was opened with.
func (s *serving) session() (id string, about struct {
	Sources, Warnings, Views []string
	Heap                     bool
	Kinds                    []struct{ Kind, Cur, Base string }
	Shots                    []struct{ ID, Name, Kind string }
}) {
	s.t.Helper()
	_, at, _ := s.get("/ui/")
	id = strings.Split(at, "/")[2]
	body, _, status := s.get("/api/" + id + "/session")
	if err := json.Unmarshal(body, &about); err != nil || status != 200 {
		s.t.Fatalf("session: %d %v %s", status, err, body)
	}
	return id, about
}

// TestServeHTTP is -http: pprof's message, its addresses, its text for
// programs; sources apart; the options of the command line in the address.
func TestServeHTTP(t *testing.T) {
	c := newCLI(t)
	one, two := c.file("one.pb", someProfile(1)), c.file("two.pb", someProfile(2))
	s := c.serve("-http=localhost:0", "-no_browser", "-focus=Do1", "-nodecount=7", one)
	if !strings.HasPrefix(s.from, "http://localhost:") && !strings.HasPrefix(s.from, "http://127.0.0.1:") || !strings.HasSuffix(s.from, "/ui/?f=Do1&n=7") {
		t.Errorf("address %s", s.from)
	}
	if body, at, status := s.get(s.from); status != 200 || !bytes.Contains(body, []byte("<html")) || !strings.HasSuffix(at, "/flame?n=7&x=focus%3ADo1") {
		t.Errorf("%d at %s", status, at)
	}
	want := c.run("-top", "-focus=Do1", "-nodecount=7", one)
	if body, _, _ := s.get("/ui/top?f=Do1&n=7"); !bytes.Equal(body, want.stdout) {
		t.Errorf("top:\n%s\nwant\n%s", body, want.stdout)
	}
	want = c.run("-peek=Do1", "-lines", "-focus=Do1", one) // as pprof's page does
	if body, _, _ := s.get("/ui/peek?f=Do1"); !bytes.Equal(body, want.stdout) {
		t.Errorf("peek:\n%s\nwant\n%s", body, want.stdout)
	}
	body, _, status := s.get("/ui/download")
	if again := c.run("-raw", c.file("again.pb.gz", body)); status != 200 || !bytes.Equal(again.stdout, c.run("-raw", one).stdout) {
		t.Errorf("download: %d, %d bytes, not what was opened", status, len(body))
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	s = c.serve("-http=:0", "-no_browser", "-diff_base="+one, one, two)
	defer s.stop()
	id, about := s.session()
	if len(about.Kinds) != 1 || len(about.Shots) != 3 || about.Kinds[0].Base != "b1" {
		t.Errorf("%+v", about)
	}
	if body, _, status := s.get("/api/" + id + "/flame?format=json"); status != 200 || !bytes.Contains(body, []byte(`"base":["b1"]`)) {
		t.Errorf("flame: %d %.300s", status, body)
	}
}

// TestServeRefuses: what cannot be served ends as before.
func TestServeRefuses(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	c.want(c.run("-http=nonsense", "-no_browser", p), 2, "", "write it like localhost:8080")
	c.want(c.run("-http=:0", "-no_browser", filepath.Join(c.dir, "none")), 2, "", "no such file")
	c.want(c.run("web", "-top", p), 2, "", "-http is not compatible")
	c.want(c.run("web", "-no_such_flag", p), 2, "", "no_such_flag")
	c.want(c.run("web", "-h"), 0, "usage: profound web", "")
}

// TestWebRun opens a folder of profound leak -save: the profiles of one look
// have one number, and the verdict is there.
func TestWebRun(t *testing.T) {
	c := newCLI(t)
	var log strings.Builder
	log.WriteString(`{"schema":"leak-run/1","time":"2026-03-01T10:00:00Z","target":"host:6060"}` + "\n")
	heap, err := os.ReadFile("../../docs/guide/orders/heap-1.pb.gz")
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{"10:00:00", "10:01:00", "10:02:00"} {
		name := "heap-000" + string(rune('0'+i)) + ".pb.gz"
		c.file("run/"+name, heap)
		log.WriteString(`{"time":"2026-03-01T` + at + `Z","heap":"` + name + `","fresh":true,"gauges":{"resident":21000000}}` + "\n")
	}
	c.file("run/process.jsonl", []byte(log.String()))
	s := c.serve("web", "-no_browser", filepath.Join(c.dir, "run"))
	defer s.stop()
	_, about := s.session()
	if len(about.Shots) != 3 || about.Shots[2].ID != "p3" || !strings.HasSuffix(about.Shots[2].Name, "heap-0002.pb.gz") || !strings.Contains(strings.Join(about.Views, " "), "leaks") {
		t.Errorf("%+v", about)
	}
}

// TestWebNothing starts without a source: the page asks for one.
func TestWebNothing(t *testing.T) {
	s := newCLI(t).serve("web", "-no_browser")
	defer s.stop()
	if body, at, status := s.get("/ui/"); status != 200 || at != "/" || !bytes.Contains(body, []byte("<html")) {
		t.Errorf("%d at %s", status, at)
	}
}

// TestWebToken: what the network can reach asks for its token.
func TestWebToken(t *testing.T) {
	c := newCLI(t)
	s := c.serve("web", "-no_browser", "-http=0.0.0.0:0", c.file("p.pb", someProfile(1)))
	defer s.stop()
	if _, _, status := s.get("/"); status != 403 {
		t.Errorf("without: %d", status)
	}
	if _, _, status := s.get(s.from); status != 200 || !strings.Contains(s.from, "token=") {
		t.Errorf("with: %d %s", status, s.from)
	}
}

// TestWebSources: a profile may name any file; only sources are shown.
func TestWebSources(t *testing.T) {
	c := newCLI(t)
	c.file("module/go.mod", []byte("module m\n"))
	inside, outside := c.file("module/a.go", []byte("package m\n")), c.file("secret.go", []byte("password\n"))
	s := &session{env: &env{getenv: func(k string) string { return c.vars[k] }, dir: filepath.Join(c.dir, "module")}}
	find := s.sourcesUnder(view.Defaults())
	if lines, _, err := find.Lines(inside); err != nil || lines[0] != "package m" {
		t.Errorf("%q %v", lines, err)
	}
	if lines, _, err := find.Lines(outside); err == nil {
		t.Errorf("read %q", lines)
	}
	// A hidden folder is read only when -source_path names it; else that is said.
	hidden := c.file("module/.gen/b.go", []byte("package b\n"))
	var none *srcfind.NotFoundError
	if _, _, err := find.Lines(hidden); !errors.As(err, &none) || none.Refused == nil || !strings.Contains(none.Refused.Error(), "hidden") {
		t.Errorf("hidden: %v, refused %v", err, none)
	}
	o := view.Defaults()
	o.SourcePath = filepath.Dir(hidden)
	if lines, _, err := s.sourcesUnder(o).Lines("b.go"); err != nil || lines[0] != "package b" {
		t.Errorf("named: %q %v", lines, err)
	}
}

// TestWebRecent: what the page had open is known at the next start, by whole
// paths, and can be opened again; what was sent is not remembered.
func TestWebRecent(t *testing.T) {
	c := newCLI(t)
	s := c.serve("web", "-no_browser", c.file("one.pb", someProfile(1)))
	id, _ := s.session()
	s.stop()
	path := recentPath(&env{getenv: func(k string) string { return c.vars[k] }, dir: c.dir})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	s = c.serve("web", "-no_browser")
	defer s.stop()
	post := func(path, body string) (int, string) {
		r, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		answer, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(answer)
	}
	if body, _, status := s.get("/api/" + id + "/session"); status != 410 || !bytes.Contains(body, []byte("one.pb")) {
		t.Errorf("before: %d %s", status, body)
	}
	if status, answer := post("/api/upload", string(someProfile(3))); status != 200 {
		t.Errorf("upload: %d %s", status, answer)
	}
	if status, answer := post("/api/open", `{"session":"`+id+`"}`); status != 200 || !strings.Contains(answer, id) {
		t.Errorf("again: %d %s", status, answer)
	}
	if body, _, status := s.get("/api/" + id + "/session"); status != 200 {
		t.Errorf("after: %d %s", status, body)
	}
	if status, answer := post("/api/open", `{"source":"none.pb"}`); status != 400 || !strings.Contains(answer, "no such file") {
		t.Errorf("none: %d %s", status, answer)
	}
	data, err := os.ReadFile(path)
	var list []web.Recent
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 1 || list[0].Sources[0] != filepath.Join(c.dir, "one.pb") {
		t.Errorf("remembered %s %v", data, err)
	}
	if err != nil {
		t.Error(err)
	}
}

// post asks the page's server to do something.
func (s *serving) post(path, body string, header ...string) (status int, answer string) {
	s.t.Helper()
	r, err := http.NewRequest("POST", s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	return got.StatusCode, string(text)
}

// TestWebOpenRefused: a number that is no process opens nothing; an error does
// not say what is in a file; what is sent has its own name and bound.
func TestWebOpenRefused(t *testing.T) {
	c := newCLI(t)
	s := c.serve("web", "-no_browser", "-max_size=100KB")
	defer s.stop()
	for _, n := range []string{"0", "-1", "999999999", "99999999999999999999"} {
		if status, answer := s.post("/api/open", `{"source":"`+n+`"}`); (runtime.GOOS == "linux" || len(n) != 9) && (status != 400 || !strings.Contains(answer, "no such")) {
			t.Errorf("%s: %d %s", n, status, answer)
		}
	}
	secret := c.file("notes.txt", []byte("password: hunter2, and nothing else\n"))
	if status, answer := s.post("/api/open", `{"source":"`+secret+`"}`); status != 400 || strings.Contains(answer, "hunter2") || !strings.Contains(answer, "notes.txt") {
		t.Errorf("%d %s", status, answer)
	}
	want := c.run("-top", secret)
	c.want(want, 2, "", "hunter2") // the terminal is told
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(strings.Repeat("main.main;main.work 1\n", 10_000)))
	z.Close()
	if status, answer := s.post("/api/upload", packed.String(), "X-Name", "large.pb.gz"); status != 400 || !strings.Contains(answer, `"large.pb.gz: `) || !strings.Contains(answer, "102400 bytes; raise the limit") {
		t.Errorf("upload: %d %s", status, answer)
	}
}

// TestUnpacked bounds what is sent by how much that was.
func TestUnpacked(t *testing.T) {
	for _, tt := range []struct{ size, max, least, most int64 }{
		{350 << 10, 0, 1, 256 << 20},
		{-1, 0, 1, 256 << 20},
		{10 << 20, 0, 1, 640 << 20},
		{1 << 30, 0, 1, 4 << 30},
		{1, 5 << 30, 5 << 30, 5 << 30},
	} {
		o := &opener{inv: &invocation{maxSize: tt.max}, size: tt.size}
		if got := o.unpacked(); got < tt.least || got > tt.most {
			t.Errorf("%d bytes, -max_size=%d: %d", tt.size, tt.max, got)
		}
	}
}

// TestWebSecret: a source with a secret in its address is not remembered, and
// what an older program kept of such is forgotten.
func TestWebSecret(t *testing.T) {
	profiles := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(someProfile(1)) }))
	defer profiles.Close()
	c := newCLI(t)
	e := &env{getenv: func(k string) string { return c.vars[k] }, dir: c.dir}
	if err := replaceFile(recentPath(e), []byte(`[{"session":"0123456789ab","sources":["http://h/x?access_token=hunter1"]}]`)); err != nil {
		t.Fatal(err)
	}
	s := c.serve("web", "-no_browser", c.file("one.pb", someProfile(2)))
	defer s.stop()
	status, answer := s.post("/api/open", `{"source":"`+profiles.URL+`/heap?access_token=hunter2"}`)
	if status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	var opened struct{ Session string }
	json.Unmarshal([]byte(answer), &opened)
	about, _, _ := s.get("/api/" + opened.Session + "/session")
	home, _, _ := s.get("/api/home")
	data, err := os.ReadFile(recentPath(e))
	if all := string(about) + string(home) + string(data); err != nil || strings.Contains(all, "hunter") || !strings.Contains(all, "access_token=xxxxx") || !strings.Contains(string(data), "one.pb") || strings.Contains(string(data), opened.Session) {
		t.Errorf("%v\n%s\n%s\n%s", err, about, home, data)
	}
}

// TestHeapID: a heap in a file of the same name has another
// session once the file has changed.
func TestHeapID(t *testing.T) {
	c := newCLI(t)
	id := func() string {
		o := &opener{s: &session{env: &env{getenv: func(k string) string { return "" }, dir: c.dir}}, inv: &invocation{}}
		o.nameHeap(filepath.Join(c.dir, "x.core"))
		o.openHeaps()
		return o.in.HeapID
	}
	path := c.file("x.core", []byte("\x7fELF one"))
	one := id()
	if again := id(); one == "" || one != again {
		t.Errorf("%q, then %q", one, again)
	}
	if c.file("x.core", []byte("\x7fELF another")); id() == one {
		t.Errorf("%s twice", one)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil || id() == one {
		t.Errorf("%s twice, %v", one, err)
	}
	if a, b := processID(strconv.Itoa(os.Getpid())), processID(strconv.Itoa(os.Getppid())); a == b {
		t.Errorf("two processes are %s", a)
	}
}

func TestEditorURL(t *testing.T) {
	for _, tt := range []struct{ editor, terminal, want, said string }{
		{"", "", "", ""},
		{"", "vscode", "vscode://file{file}:{line}", ""},
		{"goland", "vscode", "goland://open?file={file}&line={line}", ""},
		{"my://x/{file}", "", "my://x/{file}", ""},
		{"vim", "", "", "PROFOUND_EDITOR=vim"},
	} {
		var said bytes.Buffer
		e := &env{stderr: &said, getenv: func(k string) string {
			return map[string]string{"PROFOUND_EDITOR": tt.editor, "TERM_PROGRAM": tt.terminal}[k]
		}}
		if got := editorURL(e); got != tt.want || !strings.Contains(said.String(), tt.said) {
			t.Errorf("%q %q: %q, %q", tt.editor, tt.terminal, got, said.String())
		}
	}
}
