package symbolize

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol"
)

func TestParseMode(t *testing.T) {
	def := Mode{Local: true, Remote: true}
	with := func(f func(*Mode)) Mode {
		m := def
		f(&m)
		return m
	}
	for in, want := range map[string]Mode{
		"":                 def,
		"none":             {None: true},
		"no":               {None: true},
		"local":            with(func(m *Mode) { m.Remote = false }),
		"fastlocal":        with(func(m *Mode) { m.Remote = false }),
		"remote":           with(func(m *Mode) { m.Local = false }),
		"force":            with(func(m *Mode) { m.Force = true }),
		"Local:FORCE":      with(func(m *Mode) { m.Remote, m.Force = false, true }),
		"force:none":       {None: true},
		"demangle=none":    with(func(m *Mode) { m.Demangle, m.Force = mode(t, "none"), true }),
		"demangle=full":    with(func(m *Mode) { m.Demangle, m.Force = mode(t, "full"), true }),
		"remote:local":     with(func(m *Mode) { m.Remote = false }),
		"demangle=default": def,
	} {
		got, warnings := ParseMode(in)
		if got != want || len(warnings) > 0 {
			t.Errorf("%q: %+v %q, want %+v", in, got, warnings, want)
		}
	}
	for _, in := range []string{"nonsense", "demangle=nonsense", "demangle"} {
		if got, warnings := ParseMode(in); got != def || len(warnings) != 2 || !strings.Contains(warnings[0], in) {
			t.Errorf("%q: %+v %q", in, got, warnings)
		}
	}
}

func mode(t *testing.T, s string) symbol.DemangleMode {
	t.Helper()
	m, err := symbol.ParseDemangleMode(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const program = `package main

import "os"

//go:noinline
func work(n int) (sum int) {
	for i := range n {
		sum += square(i) % 7
	}
	return sum
}

func square(i int) int { return i * i }

func main() { os.Exit(work(len(os.Args)) % 2) }
`

// build makes a binary and lists the addresses of main.work.
func build(t *testing.T) (path string, addrs []uint64) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	src, path := filepath.Join(dir, "prog.go"), filepath.Join(dir, "prog")
	if err := os.WriteFile(src, []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", path, src).CombinedOutput(); err != nil {
		t.Skipf("go build: %v\n%s", err, out)
	}
	o, err := symbol.Open(path, symbol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	syms, err := o.Symbols(regexp.MustCompile(`^main\.work$`).MatchString, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("%d symbols, %v", len(syms), err)
	}
	insts, err := o.Disasm(syms[0].Start, syms[0].End, symbol.SyntaxGo)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range insts {
		addrs = append(addrs, in.Addr)
	}
	return path, addrs
}

// bare is a profile of addresses in one mapping.
func bare(t *testing.T, m profile.Mapping, addrs []uint64) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
	id := b.Mapping(m)
	for i, a := range addrs {
		b.Sample([]profile.LocationID{b.AddLocation(id, a, i == 0)}, []int64{1})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// names lists the functions of the locations, innermost first.
func names(p *profile.Profile) []string {
	var out []string
	for id := 1; id < p.Locations.Len(); id++ {
		var s []string
		for _, ln := range p.Locations.LinesOf(profile.LocationID(id)) {
			s = append(s, p.FunctionName(ln.Function))
		}
		out = append(out, strings.Join(s, "<"))
	}
	return out
}

func options(t *testing.T, how string) (Options, *[]string) {
	t.Helper()
	set := symbol.NewSet(symbol.Options{Inlines: true})
	t.Cleanup(func() { set.Close() })
	m, _ := ParseMode(how)
	warnings := new([]string)
	return Options{Mode: m, Objects: set.Open, Warn: func(s string) { *warnings = append(*warnings, s) }}, warnings
}

func TestLocal(t *testing.T) {
	path, addrs := build(t)
	p := bare(t, profile.Mapping{Start: 0x400000, Limit: 0x800000, File: path}, addrs)
	opt, warnings := options(t, "")
	q := Symbolize(p, opt)
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	got := names(q)
	for i, s := range got {
		if !strings.HasSuffix(s, "main.work") {
			t.Errorf("address %#x is %q", addrs[i], s)
		}
	}
	if !slices.Contains(got, "main.square<main.work") {
		t.Errorf("no inlined call in %q", got)
	}
	m := q.Mappings[1]
	if !m.HasFunctions || !m.HasFilenames || !m.HasLineNumbers || !m.HasInlineFrames {
		t.Errorf("mapping %+v", m)
	}
	fn := q.Locations.LinesOf(1)[0].Function
	if q.FunctionFile(fn) == "" || q.Functions.StartLine[fn] != 6 || q.Locations.IsFolded(1) {
		t.Errorf("function at %s:%d, folded %v", q.FunctionFile(fn), q.Functions.StartLine[fn], q.Locations.IsFolded(1))
	}
	if len(*warnings) > 0 {
		t.Errorf("warnings %q", *warnings)
	}
	if names(p)[0] != "" || p.Mappings[1].HasFunctions {
		t.Error("the profile itself changed")
	}
	// What has symbols is left alone, unless forced.
	opened := 0
	for how, want := range map[string]int{"": 0, "force": 1} {
		opt, _ := options(t, how)
		open := opt.Objects
		opt.Objects = func(path string) (*symbol.Object, error) { opened++; return open(path) }
		if opened = 0; !slices.Equal(names(Symbolize(q, opt)), got) || opened != want {
			t.Errorf("%q: %d files opened, want %d", how, opened, want)
		}
	}
	none, _ := options(t, "none")
	if Symbolize(p, none) != p {
		t.Error("none changed the profile")
	}
}

func TestLocalFailures(t *testing.T) {
	_, addrs := build(t)
	for _, tt := range []struct {
		name string
		m    profile.Mapping
		want string // in the warnings; "" is none
	}{
		{"no name", profile.Mapping{}, "Main binary filename not available"},
		{"no file", profile.Mapping{File: "/nowhere/prog", BuildID: "abc"}, "Local symbolization failed for prog (build ID abc)"},
		{"kernel", profile.Mapping{File: "[kernel.kallsyms]"}, ""},
		{"vdso", profile.Mapping{File: "linux-vdso.so.1"}, ""},
		{"url", profile.Mapping{File: "http://localhost:6060/debug/pprof/heap"}, ""},
		{"anonymous", profile.Mapping{File: "//anon"}, ""},
	} {
		opt, warnings := options(t, "")
		tt.m.Start, tt.m.Limit = 0x400000, 0x800000
		p := bare(t, tt.m, addrs)
		q := Symbolize(p, opt)
		if names(q)[0] != "" {
			t.Errorf("%s: symbolized as %q", tt.name, names(q)[0])
		}
		if text := strings.Join(*warnings, "\n"); !strings.Contains(text, tt.want) || tt.want == "" && text != "" {
			t.Errorf("%s: warnings %q, want %q", tt.name, text, tt.want)
		}
	}
}

func TestRemote(t *testing.T) {
	addrs := []uint64{0x1000, 0x2000, 0x3000}
	p := bare(t, profile.Mapping{File: "http://host/x", Start: 0x1000, Limit: 0x4000}, addrs)
	opt, warnings := options(t, "")
	opt.Names = func(asked []uint64) (map[uint64]string, error) {
		if !slices.Equal(asked, addrs) {
			t.Errorf("asked for %x", asked)
		}
		return map[uint64]string{0x1000: "one", 0x3000: "_Z3foov"}, errors.New("2000 is unknown")
	}
	q := Symbolize(p, opt)
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", names(q)); got != `["one" "" "foo"]` {
		t.Errorf("names %s", got)
	}
	if !q.Mappings[1].HasFunctions || len(*warnings) != 1 || !strings.Contains((*warnings)[0], "2000 is unknown") {
		t.Errorf("mapping %+v, warnings %q", q.Mappings[1], *warnings)
	}
	opt.Names = func([]uint64) (map[uint64]string, error) {
		t.Error("asked for what is known")
		return nil, nil
	}
	Symbolize(q, opt)
	local, _ := options(t, "local")
	local.Names = opt.Names
	Symbolize(p, local)
}

func TestDemangle(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
	m := b.Mapping(profile.Mapping{HasFunctions: true})
	for i, n := range []string{"_ZN3foo3barIiEEvT_", "main.main", "_RNvC6_123foo3bar", "plain", "_start"} {
		fn := b.Function(n, n, "", 0)
		b.Sample([]profile.LocationID{b.Location(m, uint64(i+1), profile.Line{Function: fn})}, []int64{1})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	for how, want := range map[string]string{
		"":              "foo::bar",
		"demangle=none": "_ZN3foo3barIiEEvT_",
		"demangle=full": "void foo::bar<int>(int)",
		"none":          "_ZN3foo3barIiEEvT_",
	} {
		opt, _ := options(t, how)
		q := Symbolize(p, opt)
		if got := names(q); got[0] != want || got[1] != "main.main" || got[3] != "plain" || got[4] != "_start" {
			t.Errorf("%q: %q, want %q first", how, got, want)
		}
		if q.Strings[q.Functions.SystemName[1]] != "_ZN3foo3barIiEEvT_" {
			t.Errorf("%q: the system name changed", how)
		}
	}
}
