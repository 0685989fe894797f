package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
)

// TestLeakGarbage: files of a kept run that cannot be read are said, and
// nothing is called steady.
func TestLeakGarbage(t *testing.T) {
	c := newCLI(t)
	var lines strings.Builder
	lines.WriteString(`{"schema":"leak-run/1","time":"2026-01-02T03:00:00Z","target":"host:1"}` + "\n")
	for i := range 20 {
		name := fmt.Sprintf("heap-%04d.pb.gz", i)
		c.file("run/"+name, []byte("garbage"))
		fmt.Fprintf(&lines, `{"time":"2026-01-02T03:00:%02dZ","heap":%q}`+"\n", i, name)
	}
	c.file("run/process.jsonl", []byte(lines.String()))
	o := c.run("leak", filepath.Join(c.dir, "run"))
	c.want(o, 0, "No verdict yet", "")
	for _, want := range []string{"heap-0000.pb.gz", "17 files more cannot be read"} {
		if !strings.Contains(strings.Join(strings.Fields(string(o.stdout)), " "), want) {
			t.Errorf("no %q in\n%s", want, o.stdout)
		}
	}
}

// TestLeakInterruptedEarly: ctrl-C before the first look is over ends as
// everywhere else.
func TestLeakInterruptedEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/debug/pprof/"):
			fmt.Fprint(w, `<html><a href='heap?debug=1'>heap</a><a href='goroutine?debug=1'>goroutine</a></html>`)
		case strings.HasSuffix(r.URL.Path, "/heap"):
			cancel()
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	var out, errs bytes.Buffer
	e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }, now: time.Now, width: func() int { return 80 }}
	if err := runLeak(ctx, []string{s.URL}, e); !errors.Is(err, errInterrupted) {
		t.Errorf("%v\n%s%s", err, out.String(), errs.String())
	}
}

// TestWantsClues: goroutines that piled up before are asked about, without a
// trace; what grows is asked about with one.
func TestWantsClues(t *testing.T) {
	goroutines := func(n float64) []leak.Finding {
		return []leak.Finding{{Resource: leak.Goroutines, Class: leak.Steady, After: leak.Estimate{Value: n}, Blame: -1}}
	}
	for _, tt := range []struct {
		name  string
		v     leak.Verdict
		want  bool
		trace bool
	}{
		{"few", leak.Verdict{Totals: goroutines(900)}, false, false},
		{"a pile", leak.Verdict{Totals: goroutines(5000)}, true, false},
		{"growth", leak.Verdict{Totals: goroutines(5000), Findings: []leak.Finding{{Resource: leak.FileDescriptors, Class: leak.Growing, Blame: -1}}}, true, true},
	} {
		if o, want := wantsClues(&tt.v); want != tt.want || want && (o.Trace >= 0) != tt.trace {
			t.Errorf("%s: %v, %+v", tt.name, want, o)
		}
	}
}

// TestProfilesIn: the name of a folder is no pattern, and goroutineleak no
// profile of goroutines.
func TestProfilesIn(t *testing.T) {
	c := newCLI(t)
	for _, name := range []string{"goroutine-0001.pb.gz", "goroutine-0000.pb.gz", "goroutineleak-0002.pb.gz", "heap.pb.gz"} {
		c.file("run[1]/"+name, nil)
	}
	dir := filepath.Join(c.dir, "run[1]")
	if got := fmt.Sprint(profilesIn(dir, "goroutine"), profilesIn(dir, "heap"), profilesIn(dir+"x", "heap")); got != "[goroutine-0000.pb.gz goroutine-0001.pb.gz] [heap.pb.gz] []" {
		t.Error(got)
	}
	if got := (lookFurther{specs: []string{dir}}).profile("goroutine"); !strings.HasSuffix(got, "goroutine-0001.pb.gz'") {
		t.Error(got)
	}
}
