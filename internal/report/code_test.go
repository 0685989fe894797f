package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
)

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

func main() {
	if work(len(os.Args)) > 1000 {
		os.Exit(1)
	}
}
`

// TestCode builds a program, puts samples on its instructions and compares
// the annotated source and assembly with those of go tool pprof.
func TestCode(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "prog.go"), filepath.Join(dir, "prog")
	if err := os.WriteFile(src, []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", bin, src).CombinedOutput(); err != nil {
		t.Skipf("go build: %v\n%s", err, out)
	}
	objects := symbol.NewSet(symbol.Options{})
	defer objects.Close()
	obj, err := objects.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	syms, err := obj.Symbols(regexp.MustCompile(`^main\.work$`).MatchString, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("%d symbols main.work, %v", len(syms), err)
	}
	insts, err := obj.Disasm(syms[0].Start, syms[0].End, symbol.SyntaxGo)
	if err != nil {
		t.Fatal(err)
	}
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"}, profile.ValueType{Type: "cpu", Unit: "nanoseconds"})
	m := b.Mapping(profile.Mapping{Start: 0x400000, Limit: 0x800000, File: bin, HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true})
	caller := b.Location(m, syms[0].Start+0x1000, profile.Line{Function: b.Function("main.main", "main.main", src, 15), Line: 16})
	for i, in := range insts {
		if i%3 == 1 {
			continue
		}
		var lines []profile.Line
		if in.Line == 13 {
			lines = append(lines, profile.Line{Function: b.Function("main.square", "main.square", src, 13), Line: 13})
			in.Line = 8
		}
		lines = append(lines, profile.Line{Function: b.Function("main.work", "main.work", src, 6), Line: int64(in.Line)})
		b.Sample([]profile.LocationID{b.Location(m, in.Addr, lines...), caller}, []int64{1, int64(i+1) * 10_000_000})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	tool := newPprof(t, p, p)
	for line, param := range map[string][2]string{
		"-disasm=work P":        {"disasm", "work"},
		"-disasm=main P":        {"disasm", "main"},
		"-disasm=work -mean P":  {"disasm", "work"},
		"-list=work P":          {"list", "work"},
		"-list=square|main P":   {"list", "square|main"},
		"-list=main -unit=ms P": {"list", "main"},
	} {
		t.Run(line, func(t *testing.T) {
			k := KindByName(Kinds(), param[0])
			o := view.Defaults()
			o.Mean = strings.Contains(line, "-mean")
			if strings.Contains(line, "-unit=ms") {
				o.Unit = "ms"
			}
			v, err := view.Prepare(p, k.Options(o), func(s string) { t.Log(s) })
			if err != nil {
				t.Fatal(err)
			}
			r := New(v)
			r.Symbol, r.Objects, r.Sources = regexp.MustCompile(param[1]), objects, srcfind.New(srcfind.Options{})
			res, err := k.Compute(r)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := res.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), "ROUTINE ======================== main.") {
				t.Errorf("no routine:\n%s", text.String())
			}
			tool.compare(t, line, nil, text.Bytes())
		})
	}
}
