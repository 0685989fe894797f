package symbol

import (
	"debug/gosym"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// logical is one line of probe's output.
type logical struct {
	pc       uint64
	fn, file string
	line     int
}

// stacks runs probe and returns its stacks, innermost call first, and the
// distance between its addresses and those of the file.
func stacks(t *testing.T, path string, o *Object) (out [][]logical, base uint64) {
	t.Helper()
	var cur []logical
	for _, l := range strings.Split(output(t, path), "\n") {
		f := strings.Split(l, "\t")
		if l == "--" {
			out = append(out, cur)
			cur = nil
			continue
		}
		if len(f) != 4 {
			continue
		}
		pc, err1 := strconv.ParseUint(f[0], 0, 64)
		line, err2 := strconv.Atoi(f[3])
		if err1 != nil || err2 != nil {
			t.Fatalf("line %q: %v %v", l, err1, err2)
		}
		cur = append(cur, logical{pc, f[1], f[2], line})
	}
	if len(out) < 8 {
		t.Fatalf("probe printed %d stacks", len(out))
	}
	// A position-independent program runs elsewhere: align on runtime.main.
	for _, s := range out {
		for _, l := range s {
			if l.fn != "runtime.main" {
				continue
			}
			syms, err := o.Symbols(func(n string) bool { return n == "runtime.main" }, 0)
			if err != nil || len(syms) == 0 {
				t.Fatalf("no runtime.main: %v", err)
			}
			base = (l.pc - syms[0].Start) &^ (pageSize - 1)
			return out, base
		}
	}
	t.Fatal("no runtime.main on the stacks")
	return nil, 0
}

// TestFramesRuntime compares each call of several stacks, with the callers
// it was inlined into, to what the program's own runtime says.
func TestFramesRuntime(t *testing.T) {
	needLinux(t)
	for _, v := range variants() {
		if !v.local {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			path := program(t, v.name)
			o := open(t, path, Options{Inlines: true})
			all, base := stacks(t, path, o)
			inlined := 0
			for _, s := range all {
				for i, l := range s {
					fs := o.Frames(l.pc - 1 - base)
					if len(fs) == 0 {
						t.Fatalf("%s at %#x: no frames", l.fn, l.pc)
					}
					if i+len(fs) > len(s) {
						t.Fatalf("%s at %#x: %d frames, %d calls left", l.fn, l.pc, len(fs), len(s)-i)
					}
					for k, f := range fs {
						want := s[i+k]
						if GoName(f.Func) != want.fn || f.File != want.file || f.Line != want.line {
							t.Errorf("%#x frame %d: %s %s:%d, runtime says %s %s:%d", l.pc, k, f.Func, f.File, f.Line, want.fn, want.file, want.line)
						}
						if f.Inlined != (k < len(fs)-1) {
							t.Errorf("%#x frame %d of %d: inlined %v", l.pc, k, len(fs), f.Inlined)
						}
						if f.Inlined {
							inlined++
						}
						checkStartLine(t, f)
					}
				}
			}
			if inlined < 10 {
				t.Errorf("%d inlined calls, want more", inlined)
			}
		})
	}
}

// checkStartLine compares start lines of probe's own functions to its source.
func checkStartLine(t *testing.T, f Frame) {
	t.Helper()
	for i, l := range strings.Split(probe, "\n") {
		for _, name := range []string{"leaf", "middle", "outer", "show", "main"} {
			if f.Func == "main."+name && strings.HasPrefix(l, "func "+name+"(") && f.StartLine != i+1 {
				t.Errorf("%s starts at line %d, want %d", f.Func, f.StartLine, i+1)
			}
		}
	}
}

// TestFramesGosym compares the mode without inlines to the standard library's
// reader, which is the tool's, at many addresses of all variants.
func TestFramesGosym(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			o := open(t, program(t, v.name), Options{})
			tab, err := o.goTable()
			if err != nil || tab == nil {
				t.Fatalf("no function table: %v", err)
			}
			data, _, err := goTableBytes(o.img, mustRaw(t, o).goes)
			if err != nil {
				t.Fatal(err)
			}
			want, err := gosym.NewTable(nil, gosym.NewLineTable(data, tab.text))
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for i := 0; i < len(want.Funcs); i += 7 {
				fn := want.Funcs[i]
				for pc := fn.Entry; pc < fn.End; pc += 1 + (fn.End-fn.Entry)/5 {
					file, line, f := want.PCToLine(pc)
					got := o.Frames(pc)
					if len(got) != 1 || got[0] != (Frame{Func: f.Name, File: file, Line: line}) {
						t.Fatalf("%#x: %+v, want %s %s:%d", pc, got, f.Name, file, line)
					}
					checked++
				}
			}
			if checked < 1000 {
				t.Errorf("only %d addresses checked", checked)
			}
		})
	}
}

func mustRaw(t *testing.T, o *Object) *rawTable {
	t.Helper()
	raw, err := o.raw()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestInlinesSame checks that the inline trees of a stripped program are found
// in all formats, and say what the program with symbols says.
func TestInlinesSame(t *testing.T) {
	for _, p := range [][2]string{{"default", "stripped"}, {"pie", "pie-stripped"}, {"darwin-arm64", "darwin-stripped"}, {"windows-amd64", "windows-stripped"}} {
		t.Run(p[1], func(t *testing.T) {
			a := open(t, program(t, p[0]), Options{Inlines: true})
			b := open(t, program(t, p[1]), Options{Inlines: true})
			ta, err := a.goTable()
			if err != nil || ta == nil {
				t.Fatal(err)
			}
			tb, err := b.goTable()
			if err != nil || tb == nil {
				t.Fatal(err)
			}
			inlined, compared := 0, 0
			for i := 0; i < min(ta.count, tb.count); i++ {
				fa, _ := ta.fn(i)
				fb, _ := tb.fn(i)
				if fa.name() != fb.name() {
					t.Fatalf("function %d: %s and %s", i, fa.name(), fb.name())
				}
				ea, eb := ta.entry(i), tb.entry(i)
				for off := uint64(0); off < ta.entry(i+1)-ea; off += 16 {
					x, y := a.Frames(ea+off), b.Frames(eb+off)
					// Source directories of the variants differ.
					if sx, sy := noDirs(x), noDirs(y); sx != sy {
						t.Fatalf("%s+%d: %s, stripped %s", fa.name(), off, sx, sy)
					}
					compared++
					if len(x) > 1 {
						inlined++
					}
				}
			}
			if inlined < 1000 {
				t.Errorf("%d of %d addresses have inlined calls", inlined, compared)
			}
		})
	}
}

func noDirs(fs []Frame) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s %s:%d %d;", f.Func, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line, f.StartLine)
	}
	return b.String()
}

// TestFramesDWARF compares inlined calls at many addresses of probe to an
// independent reader of its DWARF.
func TestFramesDWARF(t *testing.T) {
	needLinux(t)
	if _, err := exec.LookPath("llvm-symbolizer"); err != nil {
		t.Skip("no llvm-symbolizer (addr2line may be too old for Go's line tables)")
	}
	path := program(t, "default")
	o := open(t, path, Options{Inlines: true})
	d, err := o.debug()
	if err != nil {
		t.Fatal(err)
	}
	syms, err := o.Symbols(func(n string) bool { return strings.HasPrefix(n, "main.") || strings.HasPrefix(n, "strings.") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	var pcs []uint64
	var in strings.Builder
	for _, s := range syms {
		for pc := s.Start; pc < s.End; pc += 5 {
			if tab, _ := o.goTable(); tab.find(pc) >= 0 {
				pcs = append(pcs, pc)
				fmt.Fprintf(&in, "%#x\n", pc)
			}
		}
	}
	want := addr2line(t, "llvm-symbolizer", path, in.String())
	bad := 0
	for i, pc := range pcs {
		var got strings.Builder
		for _, f := range d.frames(pc) {
			fmt.Fprintf(&got, "%s %s:%d;", f.Func, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
		}
		if i < len(want) && got.String() != want[i] {
			if bad++; bad < 10 {
				t.Logf("%#x: %s oracle %s", pc, got.String(), want[i])
			}
		}
	}
	if len(want) != len(pcs) || bad > 0 {
		t.Errorf("%d of %d addresses differ from the oracle (%d answers)", bad, len(pcs), len(want))
	}
}

// addr2line asks for all addresses of in and returns "func file:line;..." for
// each, file names without directories.
func addr2line(t *testing.T, tool, path, in string) []string {
	t.Helper()
	args := []string{"-a", "-f", "-i", "-e", path}
	if tool == "llvm-symbolizer" {
		args = append(args, "--output-style=GNU", "--no-demangle")
	}
	cmd := exec.Command(tool, args...)
	cmd.Stdin = strings.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var res []string
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := 0; i < len(lines); {
		if strings.HasPrefix(lines[i], "0x") {
			res = append(res, "")
			i++
			continue
		}
		pos, _, _ := strings.Cut(lines[i+1], " (discriminator")
		pos = strings.Replace(pos, "??:0", ":0", 1) // how it writes an unknown file
		res[len(res)-1] += lines[i] + " " + pos[strings.LastIndexByte(pos, '/')+1:] + ";"
		i += 2
	}
	return res
}
