package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile/profiletest"
	"github.com/profoundhq/profound/internal/report"
)

// cli is a command line's world: a directory of its own and no terminal.
type cli struct {
	t     *testing.T
	dir   string
	stdin string
	vars  map[string]string
	tty   bool
}

func newCLI(t *testing.T) *cli {
	t.Helper()
	dir := t.TempDir()
	return &cli{t: t, dir: dir, vars: map[string]string{"HOME": dir, "PPROF_TMPDIR": dir, "PPROF_BINARY_PATH": dir}}
}

// run runs one command line.
func (c *cli) run(args ...string) outcome {
	c.t.Helper()
	var out, errs bytes.Buffer
	e := &env{
		stdin: strings.NewReader(c.stdin), stdout: &out, stderr: &errs,
		getenv: func(k string) string { return c.vars[k] }, now: time.Now, dir: c.dir,
		stdoutTTY: c.tty, width: func() int { return 80 },
	}
	code := run(context.Background(), args, e)
	return outcome{code, out.Bytes(), errs.Bytes()}
}

// file writes a file into the directory and returns its path.
func (c *cli) file(name string, content []byte) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func someProfile(seed uint64) []byte {
	return profiletest.Random(seed, profiletest.Shape{Labels: true, Inlines: true}).Bytes(profiletest.Wire{})
}

// want checks exit code, that standard output has the text, and that what is
// said on standard error has the other.
func (c *cli) want(o outcome, code int, stdout, stderr string) {
	c.t.Helper()
	if o.code != code {
		c.t.Errorf("exit code %d, want %d: %s", o.code, code, o.stderr)
	}
	if !strings.Contains(string(o.stdout), stdout) || stdout == "" && len(o.stdout) > 0 {
		c.t.Errorf("standard output %.200q, want %q", o.stdout, stdout)
	}
	if !strings.Contains(string(o.stderr), stderr) || stderr == "" && len(o.stderr) > 0 {
		c.t.Errorf("standard error %.200q, want %q", o.stderr, stderr)
	}
}

func TestFlagsAnywhere(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	want := c.run("-top", "-cum", "-focus=Do1", p)
	c.want(want, 0, "Active filters:", "")
	for _, args := range [][]string{
		{p, "-top", "-cum", "-focus=Do1"}, {"-top", p, "-cum", "-focus", "Do1"}, {"--top", "--cum", "--focus=Do1", "--", p}, {"-focus", "Do1", p, "-top=true", "-flat=false", "-cum"},
	} {
		if got := c.run(args...); !bytes.Equal(got.stdout, want.stdout) || got.code != 0 {
			t.Errorf("%q: code %d, %s", args, got.code, got.stderr)
		}
	}
	// After -- all are sources, whatever they look like.
	c.want(c.run("-raw", "--", p, "-top"), 0, "PeriodType", "Fetched 1 source profiles out of 2")
}

func TestUsageErrors(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	for _, tt := range []struct{ line, want string }{
		{"-top -tree P", "must set at most one output format"},
		{"-top -peek=x P", "must set at most one output format"},
		{"-top", "no profile source specified"},
		{"-top -nonsense P", "-nonsense"},
		{"-top -nodecount=x P", "nodecount"},
		{"-top -cum -flat P", "conflicting options"},
		{"-top -lines -files P", "conflicting options"},
		{"-top -http=:0 P", "-http is not compatible"},
		{"-top -no_browser P", "-no_browser only makes sense"},
		{"-json P", "-json needs a report"},
		{"-top -normalize P", "must have base profile to normalize by"},
		{"-top -base=P -diff_base=P P", "-base and -diff_base"},
		{"-top -color=pink P", "choose auto, always or never"},
		{"-top -max_size=lots P", "lots"},
		{"-top -sample_index=9 P", "outside the range"},
		{"-top -sample_index=nothing P", "must be one of: [samples cpu]"},
		{"-top -focus=( P", "parsing focus regexp"},
		{"-top -divide_by=0 P", "zero divisor"},
		{"-peek=nothing_like_it P", "no matches found"},
		{"-peek=( P", "parsing argument regexp"},
	} {
		args := strings.Fields(strings.ReplaceAll(tt.line, "P", p))
		o := c.run(args...)
		c.want(o, 2, "", tt.want)
		if strings.Contains(string(o.stderr), "goroutine ") {
			t.Errorf("%s: a stack trace", tt.line)
		}
	}
	c.want(c.run(), 2, "", "profound")
	c.want(c.run("-h"), 0, "-top", "")
}

func TestBadInputs(t *testing.T) {
	c := newCLI(t)
	good := someProfile(1)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(good)
	zw.Close()
	for name, content := range map[string][]byte{
		"page.html": []byte("<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"),
		"empty":     nil,
		"cut.gz":    zipped.Bytes()[:zipped.Len()/2],
		"cut.pb":    good[:len(good)/2],
		"text.txt":  []byte("hello, this is no profile\nof any kind\n"),
		"json.json": []byte(`{"hello": [1, 2, 3]}`),
		"elf":       []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"zeros":     make([]byte, 1000),
		"twice.pb":  append(slices.Clone(good), good...),
		"bomb.gz":   bomb(t),
	} {
		path := c.file(name, content)
		o := c.run("-top", "-max_size=8mb", path)
		lines := strings.Split(strings.TrimSpace(string(o.stderr)), "\n")
		if o.code != 2 || len(o.stdout) > 0 || !strings.Contains(lines[0], name) {
			t.Errorf("%s: code %d, %q, %q", name, o.code, o.stdout, o.stderr)
		}
		if len(lines) > 3 {
			t.Errorf("%s: %d lines: %q", name, len(lines), o.stderr)
		}
	}
	o := c.run("-top", filepath.Join(c.dir, "absent"))
	c.want(o, 2, "", "absent")
}

// bomb is a small file that unpacks to a large one.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	chunk := append([]byte{0x32, 0x80, 0x80, 0x40}, make([]byte, 1<<20)...) // strings of 1 MiB
	zw.Write([]byte{0x32, 0})
	for range 64 {
		if _, err := zw.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	zw.Close()
	return b.Bytes()
}

func TestOneOfSeveralFails(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	alone := c.run("-raw", p)
	o := c.run("-raw", filepath.Join(c.dir, "absent"), p)
	c.want(o, 0, "PeriodType", "Fetched 1 source profiles out of 2")
	if !bytes.Equal(o.stdout, alone.stdout) {
		t.Error("the one that can be read is not the report")
	}
	if !strings.Contains(string(o.stderr), "absent") {
		t.Errorf("the failure is not named: %s", o.stderr)
	}
	c.want(c.run("-top", "-base="+filepath.Join(c.dir, "absent"), p), 2, "", "absent")
}

func TestSources(t *testing.T) {
	c := newCLI(t)
	a, b := c.file("dir/a.pb", someProfile(1)), c.file("dir/b.pb", someProfile(2))
	want := c.run("-proto", a, b)
	for _, args := range [][]string{{filepath.Join(c.dir, "dir")}, {filepath.Join(c.dir, "dir", "*.pb")}, {filepath.Join(c.dir, "dir", "[ab].pb")}} {
		got := c.run(append([]string{"-proto"}, args...)...)
		if got.code != 0 {
			t.Errorf("%q: %s", args, got.stderr)
		} else if fail := compareProfiles(want.stdout, got.stdout); fail != "" {
			t.Errorf("%q: %s", args, fail)
		}
	}
	c.want(c.run("-top", filepath.Join(c.dir, "dir", "*.nothing")), 2, "", "*.nothing")

	c.stdin = string(someProfile(1))
	if got := c.run("-raw", "-"); got.code != 0 || !bytes.Equal(got.stdout, c.run("-raw", a).stdout) {
		t.Errorf("standard input: code %d, %s", got.code, got.stderr)
	}
	c.stdin = ""
	c.want(c.run("-raw", "-"), 2, "", "empty")
}

func TestHTTPAndUnixSocket(t *testing.T) {
	c := newCLI(t)
	data := someProfile(1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/pprof/heap" {
			http.Error(w, "no such profile", http.StatusNotFound)
			return
		}
		w.Write(data)
	})
	listen := func(network, addr string) string {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Skip(err)
		}
		srv := &http.Server{Handler: handler}
		go srv.Serve(l)
		t.Cleanup(func() { srv.Close() })
		return l.Addr().String()
	}
	want := c.run("-traces", c.file("p.pb", data))
	addr := listen("tcp", "127.0.0.1:0")
	sources := []string{"http://" + addr + "/debug/pprof/heap", addr + "/debug/pprof/heap"}
	if runtime.GOOS != "windows" {
		dir, err := os.MkdirTemp("", "sock") // the name of a socket must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		sock := listen("unix", filepath.Join(dir, "s"))
		sources = append(sources, "unix://"+sock+":/debug/pprof/heap")
	}
	for _, src := range sources {
		got := c.run("-traces", "-no_save", src)
		if got.code != 0 || !bytes.Equal(got.stdout, want.stdout) {
			t.Errorf("%s: code %d, %s", src, got.code, got.stderr)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(c.dir, "*.pb.gz")); len(files) > 0 {
		t.Errorf("-no_save kept %q", files)
	}
	got := c.run("-top", sources[0])
	c.want(got, 0, "flat%", "Saved profile in "+c.dir)
	c.want(c.run("-top", "http://"+addr+"/debug/pprof/nothing"), 2, "", "404")
	c.want(c.run("-top", "http://127.0.0.1:1/debug/pprof/heap"), 2, "", "127.0.0.1:1")
}

func TestOutput(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	out := filepath.Join(c.dir, "out.txt")
	want := c.run("-top", p)
	c.want(c.run("-top", "-output="+out, p), 0, "", "Generating report in "+out)
	if got, _ := os.ReadFile(out); !bytes.Equal(got, want.stdout) {
		t.Errorf("the file has %q", got)
	}
	// An error leaves the file that was there, and nothing beside it.
	c.file("out.txt", []byte("precious"))
	c.want(c.run("-peek=nothing_like_it", "-output="+out, p), 2, "", "no matches")
	c.want(c.run("-top", "-output="+filepath.Join(c.dir, "no", "such", "dir"), p), 2, "", "no")
	if got, _ := os.ReadFile(out); string(got) != "precious" {
		t.Errorf("after an error the file has %q", got)
	}
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		if n := e.Name(); n != "p.pb" && n != "out.txt" && !e.IsDir() {
			t.Errorf("left behind: %s", n)
		}
	}
}

func TestColour(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	marked := func(args ...string) bool {
		t.Helper()
		o := c.run(append(args, p)...)
		if o.code != 0 {
			t.Errorf("%q: %s", args, o.stderr)
		}
		return bytes.Contains(o.stdout, []byte("\x1b["))
	}
	plain := c.run("-top", p)
	if marked("-top") {
		t.Error("colours in a pipe")
	}
	c.tty = true
	if !marked("-top") {
		t.Error("no colours on a terminal")
	}
	if marked("-top", "-color=never") {
		t.Error("colours with -color=never")
	}
	c.vars["NO_COLOR"] = "1"
	if o := c.run("-top", p); !bytes.Equal(o.stdout, plain.stdout) {
		t.Error("NO_COLOR does not give the plain report")
	}
	delete(c.vars, "NO_COLOR")
	c.vars["TERM"] = "dumb"
	if marked("-top") {
		t.Error("colours on a dumb terminal")
	}
}

// TestJSON: every report kind gives one JSON value that names its schema.
func TestJSON(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	for _, k := range report.Kinds() {
		if k.Name == "disasm" || k.Name == "weblist" || k.Viewer != "" {
			continue // no binary, no browser here
		}
		arg := "-" + k.Name
		if k.Param {
			arg += "=Do1"
		}
		o := c.run("-json", arg, p)
		if o.code != 0 {
			t.Errorf("%s: %s", k.Name, o.stderr)
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(o.stdout))
		var v struct{ Schema string }
		if err := dec.Decode(&v); err != nil || v.Schema == "" {
			t.Errorf("%s: schema %q, %v", k.Name, v.Schema, err)
		}
		if _, err := dec.Token(); err != io.EOF {
			t.Errorf("%s: more than one value", k.Name)
		}
	}
}

func TestInterrupted(t *testing.T) {
	c := newCLI(t)
	p := c.file("p.pb", someProfile(1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(k string) string { return c.vars[k] }, now: time.Now, dir: c.dir, width: func() int { return 0 }}
	if code := run(ctx, []string{"-top", p}, e); code == 0 || out.Len() > 0 || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("code %d, %q, %q", code, out.String(), errs.String())
	}
}

func TestParseBytes(t *testing.T) {
	for in, want := range map[string]int64{"1048576": 1 << 20, "512mb": 512 << 20, "4gb": 4 << 30, "1.5kb": 1536, "1b": 1, "64KB": 64 << 10} {
		if got, err := parseBytes(in); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "mb", "-1", "0", "1s", "1..5kb", "lots", fmt.Sprint(1e30)} {
		if got, err := parseBytes(in); err == nil {
			t.Errorf("%q: %d", in, got)
		}
	}
}

// A source that remains alone because the others fail is not merged: merging
// would number its locations anew.
func TestLastSourceIsNotMerged(t *testing.T) {
	c := newCLI(t)
	good := c.file("good.pb", someProfile(7))
	bad := c.file("bad.pb", someProfile(7)[:40])
	alone, both := c.run("-raw", good), c.run("-raw", good, bad)
	if !bytes.Equal(alone.stdout, both.stdout) {
		t.Error("a failing source changes what the other prints")
	}
	if merged := c.run("-raw", good, good); bytes.Equal(merged.stdout, alone.stdout) {
		t.Error("the profile looks the same when merged, so this test shows nothing")
	}
}
