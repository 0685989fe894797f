package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing")

// small is a profile with what reports can show: inlined calls, recursion, a
// location without symbols, labels of both kinds, comments.
//
//	main ── serve ── total ── price ┄ tax (inlined)
//	                  └ load ── load
//	?      (libc, an address only)
func small(t *testing.T) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"}, profile.ValueType{Type: "cpu", Unit: "nanoseconds"})
	h := b.Header()
	h.PeriodType, h.Period, h.DurationNanos = profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, 10_000_000, 1_500_000_000
	h.Comments, h.DocURL = []string{"taken by hand", "#not shown"}, "https://example.com/doc"
	shop := b.Mapping(profile.Mapping{Start: 0x400000, Limit: 0x500000, File: "/usr/bin/shop", BuildID: "c0ffee", HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true})
	libc := b.Mapping(profile.Mapping{Start: 0x7f0000, Limit: 0x7f8000, Offset: 0x1000, File: "/lib/libc.so.6"})
	line := func(name string, start, at int64) profile.Line {
		return profile.Line{Function: b.Function(name, name, "/src/shop.go", start), Line: at, Column: 2}
	}
	main := b.Location(shop, 0x400100, line("main.main", 25, 26))
	serve := b.Location(shop, 0x400200, line("main.serve", 19, 21))
	total := b.Location(shop, 0x400300, line("main.total", 4, 6))
	price := b.Location(shop, 0x400400, line("main.tax", 15, 16), line("main.item.price", 11, 12))
	own := b.Location(shop, 0x400420, line("main.item.price", 11, 12))
	load := b.Location(shop, 0x400500, profile.Line{Function: b.Function("example.com/shop/v2/store.(*DB).load", "store.load", "/src/store/db.go", 40), Line: 44})
	bare := b.Location(libc, 0x7f0123)
	const ms = 1_000_000
	b.Sample([]profile.LocationID{price, total, serve, main}, []int64{4, 40 * ms}, b.StringLabel("endpoint", "/cart"), b.StringLabel("user", "a"))
	b.Sample([]profile.LocationID{own, total, serve, main}, []int64{2, 20 * ms}, b.StringLabel("endpoint", "/cart"), b.NumLabel("bytes", 4096, "bytes"))
	b.Sample([]profile.LocationID{load, load, serve, main}, []int64{3, 30 * ms}, b.StringLabel("endpoint", "/login"), b.NumLabel("bytes", 512, "bytes"))
	b.Sample([]profile.LocationID{bare, load, serve, main}, []int64{1, 10 * ms}, b.NumLabel("attempt", 3, ""))
	b.Sample([]profile.LocationID{bare}, []int64{0, 0})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compute runs one report as the command does.
func compute(t *testing.T, p *profile.Profile, name, param string, set func(*view.Options)) (Result, error) {
	t.Helper()
	k := KindByName(Kinds(), name)
	if k == nil {
		t.Fatalf("no report %s", name)
	}
	o := view.Defaults()
	o.SourcePath, o.TrimPath = filepath.Join("testdata", "src"), "/src"
	if set != nil {
		set(&o)
	}
	v, err := view.Prepare(p, k.Options(o), func(s string) { t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	v.ObjNames = k.Name == "callgrind"
	r := New(v)
	if k.Param {
		r.Symbol = regexp.MustCompile(param)
	}
	r.Sources = srcfind.New(srcfind.Options{SearchPath: []string{filepath.Join("testdata", "src")}, TrimPath: []string{"/src"}})
	return k.Compute(r)
}

// golden compares got with a file; the difference stays beside it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err == nil && bytes.Equal(want, got) {
		os.Remove(file + ".got")
		return
	}
	if err := os.WriteFile(file+".got", got, 0o666); err != nil {
		t.Error(err)
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Fatalf("%s:%d differs, see %s.got (-update accepts it)\nwant %q\ngot  %q", file, i+1, file, w[i], g[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d; see %s.got (-update accepts it)", file, len(g), len(w), file)
}

func TestGolden(t *testing.T) {
	p := small(t)
	later := p.Scale(1.5)
	q := later.KeepSamples(func(i int) bool { return i != 1 })
	diff, err := profile.Diff(q, p, profile.DiffOptions{Mark: true})
	if err != nil {
		t.Fatal(err)
	}
	theirs := newPprof(t, p, q)
	for _, tt := range []struct {
		file, line  string // line is the same for pprof, P the profile, Q a later one
		kind, param string
		p           *profile.Profile
		set         func(*view.Options)
	}{
		{"top", "-top P", "top", "", p, nil},
		{"top-cum-lines", "-top -cum -lines P", "top", "", p, func(o *view.Options) { o.Sort, o.Granularity = "cum", "lines" }},
		{"top-mean", "-top -mean P", "top", "", p, func(o *view.Options) { o.Mean = true }},
		{"top-focus", "-top -focus=total -tagignore=user -nodecount=2 P", "top", "", p, func(o *view.Options) { o.Focus, o.TagIgnore, o.NodeCount = "total", "user", 2 }},
		{"top-addresses", "-text -addresses -unit=us P", "text", "", p, func(o *view.Options) { o.Granularity, o.Unit = "addresses", "us" }},
		{"top-compact", "-top -compact_labels -divide_by=2 P", "top", "", p, func(o *view.Options) { o.CompactLabels, o.DivideBy = true, 2 }},
		{"top-diff", "-top -diff_base=P Q", "top", "", diff, nil},
		{"tree", "-tree P", "tree", "", p, nil},
		{"tree-diff", "-tree -diff_base=P Q", "tree", "", diff, nil},
		{"peek", "-peek=price|tax P", "peek", "price|tax", p, nil},
		{"traces", "-traces P", "traces", "", p, nil},
		{"traces-lines", "-traces -lines P", "traces", "", p, func(o *view.Options) { o.Granularity = "lines" }},
		{"tags", "-tags P", "tags", "", p, nil},
		{"tags-diff", "-tags -diff_base=P Q", "tags", "", diff, nil},
		{"comments", "-comments P", "comments", "", p, nil},
		{"raw", "-raw P", "raw", "", p, nil},
		{"list", "-list=total|price|tax|serve P", "list", "total|price|tax|serve", p, nil},
		{"list-missing", "-list=load P", "list", "load", p, nil},
		{"list-diff", "-list=price -diff_base=P Q", "list", "price", diff, nil},
		{"dot", "-dot P", "dot", "", p, nil},
		{"dot-tree", "-dot -call_tree -tagroot=endpoint -focus=total P", "dot", "", p, func(o *view.Options) { o.CallTree, o.TagRoot, o.Focus = true, "endpoint", "total" }},
		{"dot-diff", "-dot -diff_base=P Q", "dot", "", diff, nil},
		{"callgrind", "-callgrind P", "callgrind", "", p, nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			before := fingerprint(t, tt.p)
			res, err := compute(t, tt.p, tt.kind, tt.param, tt.set)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := res.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file+".txt", text.Bytes())
			theirs.same(t, tt.line, text.Bytes())
			js, err := json.MarshalIndent(res.JSON(), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file+".json", append(js, '\n'))
			if !bytes.Equal(before, fingerprint(t, tt.p)) {
				t.Error("the report changed the profile")
			}
		})
	}
}

// pprofTool runs go tool pprof on the profiles P and Q, where there is one.
type pprofTool struct{ path, p, q string }

func newPprof(t *testing.T, p, q *profile.Profile) *pprofTool {
	t.Helper()
	path, err := exec.Command("go", "tool", "-n", "pprof").Output()
	if err != nil {
		return nil
	}
	dir := t.TempDir()
	tool := &pprofTool{strings.TrimSpace(string(path)), filepath.Join(dir, "p"), filepath.Join(dir, "q")}
	for file, p := range map[string]*profile.Profile{tool.p: p, tool.q: q} {
		var b bytes.Buffer
		if err := WriteProfile(&b, p); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return tool
}

func (p *pprofTool) same(t *testing.T, line string, got []byte) {
	t.Helper()
	p.compare(t, line, []string{"-source_path=" + filepath.Join("testdata", "src"), "-trim_path=/src"}, got)
}

// compare fails unless pprof prints got for the same line.
func (p *pprofTool) compare(t *testing.T, line string, args []string, got []byte) {
	t.Helper()
	if p == nil {
		return
	}
	args = append(args, "-symbolize=none")
	for _, a := range strings.Fields(line) {
		args = append(args, strings.NewReplacer("P", p.p, "Q", p.q).Replace(a))
	}
	cmd := exec.Command(p.path, args...)
	cmd.Env = append(os.Environ(), "PPROF_BINARY_PATH="+filepath.Dir(p.p), "HOME="+filepath.Dir(p.p))
	want, err := cmd.Output()
	if err != nil {
		t.Errorf("pprof %s: %v", line, err)
	} else if !bytes.Equal(want, got) {
		w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
		i := 0
		for i < min(len(w), len(g))-1 && w[i] == g[i] {
			i++
		}
		t.Errorf("pprof %s prints something else in line %d\npprof %q\nours  %q", line, i+1, w[i], g[i])
	}
}

// fingerprint is all there is in p.
func fingerprint(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestJSONHead: every report says its schema, and quantities are in base
// units whatever the text shows.
func TestJSONHead(t *testing.T) {
	p := small(t)
	for _, k := range Kinds() {
		if k.Ext != "" && k.Ext != "pb.gz" || k.Name == "disasm" || k.Name == "weblist" || k.Viewer != "" {
			continue
		}
		res, err := compute(t, p, k.Name, "price", func(o *view.Options) { o.Unit, o.SampleIndex = "hrs", "cpu" })
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		js, err := json.Marshal(res.JSON())
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		var head struct {
			Schema string
			Value  *struct{ Type, Unit string }
			Total  *float64
		}
		if err := json.Unmarshal(js, &head); err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if !regexp.MustCompile(`^[a-z]+/\d+$`).MatchString(head.Schema) {
			t.Errorf("%s: schema %q", k.Name, head.Schema)
		}
		if head.Value != nil && (head.Value.Unit != "nanoseconds" || *head.Total != 100_000_000) {
			t.Errorf("%s: total %v %s", k.Name, *head.Total, head.Value.Unit)
		}
	}
}

// TestProto: what is written is the filtered profile, readable by pprof.
func TestProto(t *testing.T) {
	for name, want := range map[string]string{
		"proto":    "samples/count cpu/nanoseconds",
		"topproto": "cum/ms flat/ms",
	} {
		res, err := compute(t, small(t), name, "", func(o *view.Options) { o.Focus, o.SampleIndex = "total", "cpu" })
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := res.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		q, err := gprofile.ParseData(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, vt := range q.SampleType {
			types = append(types, vt.Type+"/"+vt.Unit)
		}
		if got := strings.Join(types, " "); got != want {
			t.Errorf("%s: types %s, want %s", name, got, want)
		}
		golden(t, name+".txt", []byte(q.String()))
	}
}

func TestNoMatch(t *testing.T) {
	for _, name := range []string{"peek", "list", "disasm"} {
		if _, err := compute(t, small(t), name, "nothing like it", nil); err == nil || !strings.Contains(err.Error(), "no matches found for regexp") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEmpty: a profile without samples is no reason to fail.
func TestEmpty(t *testing.T) {
	p := small(t).KeepSamples(func(int) bool { return false })
	for _, name := range []string{"top", "tree", "traces", "tags", "raw", "dot", "callgrind", "proto", "topproto", "svg", "html"} {
		res, err := compute(t, p, name, "", nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := res.WriteText(new(bytes.Buffer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := json.Marshal(res.JSON()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// errWriter fails after some bytes.
type errWriter struct{ left int }

func (w *errWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for _, name := range []string{"top", "tree", "peek", "traces", "tags", "comments", "raw", "list", "dot", "callgrind", "proto", "svg"} {
		res, err := compute(t, small(t), name, ".", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.WriteText(&errWriter{5}); err == nil {
			t.Errorf("%s: the error of the writer is lost", name)
		}
	}
}
