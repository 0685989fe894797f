package web

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
)

// texts are sources by name.
type texts map[string]string

// Lines splits a text.
func (t texts) Lines(name string) ([]string, srcfind.Found, error) {
	text, ok := t[name]
	if !ok {
		return nil, srcfind.Found{}, &srcfind.NotFoundError{Name: name, Tried: []string{"/here" + name}}
	}
	return strings.Split(text, "\n"), srcfind.Found{Path: "/found" + name, How: srcfind.Guess}, nil
}

func sourceServer(t *testing.T) (*Server, *Session) {
	in := shopInput(t)
	in.Code.Sources = texts{"/src/main/x.go": "package main\n" + strings.Repeat("\n", 4) + "// order\nfunc newOrder() {}"}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	return newServer(t, Options{}, s), s
}

// naiveLines adds up by line of a file, each line once a sample: LINE FUNCTION
// FLAT CUM, and the calls made there.
func naiveLines(p *profile.Profile, value, file string) []string {
	col, _ := p.SampleIndex(value)
	flat, cum := map[string]int64{}, map[string]int64{}
	for i, id := range p.Samples.Stack {
		v, seen := p.Samples.Values[col][i], map[string]bool{}
		callee, leaf := "", true
		for _, loc := range p.Stacks.Of(id) {
			for k, ln := range p.Locations.LinesOf(loc) {
				name := p.FunctionName(ln.Function)
				if p.FunctionFile(ln.Function) == file && ln.Line > 0 {
					key := fmt.Sprintf("%d %s", ln.Line, name)
					call := fmt.Sprintf("%s > %s %t", key, callee, k > 0)
					if leaf {
						flat[key] += v
					}
					if !seen[key] {
						cum[key] += v
					}
					if callee != "" && !seen[call] {
						cum[call] += v
					}
					seen[key], seen[call] = true, true
				}
				callee, leaf = name, false
			}
		}
	}
	var out []string
	for key, v := range cum {
		out = append(out, fmt.Sprintf("%s %d %d", key, flat[key], v))
	}
	slices.Sort(out)
	return out
}

func linesOf(a *Source) []string {
	var out []string
	for _, l := range a.Lines {
		key := fmt.Sprintf("%d %s", l.Line, a.Functions[l.Function].Name)
		out = append(out, fmt.Sprintf("%s %.0f %.0f", key, l.Flat, l.Cum))
		for _, c := range l.Calls {
			out = append(out, fmt.Sprintf("%s > %s %t 0 %.0f", key, c.Name, c.Inline, c.Value))
		}
	}
	slices.Sort(out)
	return out
}

func TestSource(t *testing.T) {
	srv, s := sourceServer(t)
	for _, c := range []struct{ ask, kind, shot, value, file string }{
		{"source?sel=f:main.newOrder", "heap", "p4", "inuse_space", "/src/main/x.go"},
		{"source?sel=l:/src/main/x.go:20&value=alloc_objects", "heap", "p4", "alloc_objects", "/src/main/x.go"},
		{"source?sel=l:main/x.go&cur=p1", "heap", "p1", "inuse_space", "/src/main/x.go"},
		{"source?sel=f:main.skip&kind=cpu", "cpu", "p1", "cpu", "/src/main/x.go"},
	} {
		a := getJSON[Source](t, srv, c.ask)
		if a.File != c.file {
			t.Errorf("%s: file %q", c.ask, a.File)
		}
		if got, want := linesOf(&a), naiveLines(shotProfile(s, c.kind, c.shot), c.value, c.file); !slices.Equal(got, want) {
			t.Errorf("%s\n%s\nwant\n%s", c.ask, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	a := getJSON[Source](t, srv, "source?sel=f:main.newOrder&base=p1")
	if a.Line != 7 || a.Path != "/found/src/main/x.go" || a.Count != 7 || len(a.Text) != 7 || a.Function != "main.newOrder" {
		t.Errorf("found line %d of %q, %d of %d lines", a.Line, a.Path, len(a.Text), a.Count)
	}
	i := slices.IndexFunc(a.Lines, func(l SourceLine) bool { return l.Line == 7 })
	if l := a.Lines[i]; l.Flat != 4000 || *l.FlatBase != 1000 || *l.CumBase != 1000 {
		t.Errorf("line 7 of a comparison: %+v", l)
	}
	if want := []int{0, 4, markKeyword, 5, 13, markDeclared}; !slices.Equal(a.Marks[6], want) {
		t.Errorf("marks %v, want %v", a.Marks[6], want)
	}
}

// TestSourceFallsBack checks what is shown when the selection is not there.
func TestSourceFallsBack(t *testing.T) {
	srv, _ := sourceServer(t)
	if a := getJSON[Source](t, srv, "source"); a.Function != "main.newOrder" || a.Line != 7 || a.Note != "" {
		t.Errorf("without a selection: %s line %d", a.Function, a.Line)
	}
	if a := getJSON[Source](t, srv, "source?sel=f:main.gone"); a.Line != 7 || !strings.Contains(a.Note, "main.gone has no lines") {
		t.Errorf("note %q", a.Note)
	}
	if a := getJSON[Source](t, srv, "source?sel=l:/etc/passwd:1"); a.File != "/src/main/x.go" || !strings.Contains(a.Note, "/etc/passwd") {
		t.Errorf("a file that is not the profile's: %q %q", a.File, a.Note)
	}
	a := getJSON[Source](t, srv, "source?sel=f:main.render&x=focus:render")
	if a.Line != 20 {
		t.Errorf("line %d", a.Line)
	}
	if a := getJSON[Source](t, srv, "source?x=focus:nobody"); a.File != "" || a.Missing == nil || a.Missing.Text != "No samples are left." {
		t.Errorf("nothing left: %+v", a.Missing)
	}
	if a := getJSON[Assembly](t, srv, "assembly?x=focus:nobody"); a.Missing == nil || a.Missing.Text != "No samples are left." {
		t.Errorf("nothing left: %+v", a.Missing)
	}
	a = getJSON[Source](t, srv, "source?sel=f:net/http.(*conn).serve&kind=cpu")
	if a.Missing != nil && (!strings.Contains(a.Missing.Hint, "-source_path") || len(a.Missing.Tried) == 0) {
		t.Errorf("missing %+v", a.Missing)
	}
	if m := missingSource("a.go", &srcfind.NotFoundError{Name: "a.go", Tried: []string{"/x/.y/a.go"}, Refused: errors.New("it is hidden")}); !strings.Contains(m.Text, "not read: it is hidden") || len(m.Tried) != 1 {
		t.Errorf("refused: %+v", m)
	}
	for _, err := range []error{fs.ErrPermission, errors.New("disk")} {
		if m := missingSource("a.go", err); m.Text == "" || m.Hint == "" {
			t.Errorf("%v: %+v", err, m)
		}
	}
}

// TestSourceSums: a line that is in two frames of a stack counts once, as in
// pprof's list.
func TestSourceSums(t *testing.T) {
	// once.Do(func() { work() }) on line 7: main.main calls main.main.func1
	// through another file.
	p := makeProfile(t, cpuTypes(), "main.main:7;sync.(*Once).Do:3;main.main.func1:7;main.work:9 5 50\nmain.main:7 1 10\nmain.main.func1:7 2 20\nmain.work:9 1 1")
	s, err := NewSession(Input{Shots: []Shot{{Name: "cpu", Profile: p}}})
	if err != nil {
		t.Fatal(err)
	}
	a := getJSON[Source](t, newServer(t, Options{}, s), "source?sel=f:main.main&value=cpu")
	want := LineSum{7, Values{Flat: 30, Cum: 80}}
	if len(a.Lines) != 3 || len(a.Sums) != 1 || a.Sums[0] != want {
		t.Errorf("%+v, want %+v, of %+v", a.Sums, want, a.Lines)
	}
}

func TestHot(t *testing.T) {
	srv, _ := sourceServer(t)
	a := getJSON[Hot](t, srv, "hot")
	if len(a.Lines) == 0 || a.Lines[0].Name != "main.newOrder" || a.Lines[0].Line != 7 || a.Lines[0].Flat != 4000 {
		t.Errorf("lines %+v", a.Lines)
	}
	if a.Functions[0].Name != "main.newOrder" {
		t.Errorf("functions %+v", a.Functions)
	}
	// One entry a file; everything went through main.
	if a.Files[0].File != "/src/main/x.go" || a.Files[0].Cum != 4900 || a.Files[0].Flat != 4900 || len(a.Files) != 3 {
		t.Errorf("files %+v", a.Files)
	}
	if b := getJSON[Hot](t, srv, "hot?most=1"); len(b.Files) != 1 || b.More[2] != 2 {
		t.Errorf("more %v", b.More)
	}
}

func TestAssemblyMissing(t *testing.T) {
	srv, _ := sourceServer(t)
	a := getJSON[Assembly](t, srv, "assembly?sel=l:/src/main/x.go:7")
	if a.Function != "main.newOrder" || a.Missing == nil || !strings.Contains(a.Missing.Hint, "PPROF_BINARY_PATH") {
		t.Errorf("%s %+v", a.Function, a.Missing)
	}
}

func TestHighlight(t *testing.T) {
	lines := strings.Split("x := `a\n\nb` + \"é😀\" /* c\nd */ // e\nfunc (s *T[K]) Do(n int) { return 0x1f }\nfunc() {", "\n")
	marks := highlight("x.go", lines)
	text := func(line int) (out []string) {
		for i := 0; i < len(marks[line]); i += 3 {
			m := marks[line][i : i+3]
			u := []rune(lines[line])
			for k := 0; k < len(u); k++ { // to UTF-16 units
				if u[k] > 0xffff {
					u = slices.Insert(u, k+1, -1)
					k++
				}
			}
			part := slices.DeleteFunc(slices.Clone(u[m[0]:m[1]]), func(r rune) bool { return r < 0 })
			out = append(out, fmt.Sprintf("%d %s", m[2], string(part)))
		}
		return out
	}
	for line, want := range [][]string{{"2 `a"}, nil, {"2 b`", "2 \"é😀\"", "4 /* c"}, {"4 d */", "4 // e"}, {"1 func", "5 Do", "1 return", "3 0x1f"}, {"1 func"}} {
		if got := text(line); !slices.Equal(got, want) {
			t.Errorf("line %d: %q, want %q", line, got, want)
		}
	}
	if highlight("x.c", lines) != nil {
		t.Error("C is coloured")
	}
}

// FuzzHighlight checks that marks lie in their lines, in order.
func FuzzHighlight(f *testing.F) {
	f.Add("func f() { \"a\" }\n`\n\r\n`")
	f.Add("`\r즩")
	f.Add("/*\r\n\r*/ x")
	f.Add("/*\x00\xff\n*/ 'x")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for i, m := range highlight("a.go", lines) {
			at := 0
			for k := 0; k+2 < len(m); k += 3 {
				if m[k] < at || m[k+1] <= m[k] || m[k+1] > utf16Len(lines[i]) {
					t.Fatalf("line %q: marks %v", lines[i], m)
				}
				at = m[k+1]
			}
		}
	})
}
