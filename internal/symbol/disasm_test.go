package symbol

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// objdumpLine is "  file:line\t0xaddr\tbytes\ttext\t".
var objdumpLine = regexp.MustCompile(`^  (.*):(-?\d+)\s+0x([0-9a-f]+)\s+[0-9a-f ]+\t+(.*?)\s*$`)

// branchTarget is how RISC-V branches end: the decoder of golang.org/x/arch
// v0.32 writes the address, that of Go 1.26 the number of instructions.
var branchTarget = regexp.MustCompile(`(0x[0-9a-f]+|-?\d+\(PC\))$`)

// avx tells routines that the decoder of Go 1.26 loses its way in: it does not
// know AVX instructions.
func avx(insts []Inst) bool {
	return slices.ContainsFunc(insts, func(in Inst) bool { return strings.HasPrefix(in.Text, "V") })
}

// TestDisasmObjdump compares text and positions of the instructions of many
// routines to the toolchain's disassembler, for every architecture.
func TestDisasmObjdump(t *testing.T) {
	for _, name := range []string{"default", "pie", "darwin-arm64", "windows-amd64", "linux-386", "linux-arm", "linux-s390x", "linux-ppc64le", "linux-riscv64", "linux-loong64"} {
		t.Run(name, func(t *testing.T) {
			path := program(t, name)
			o := open(t, path, Options{})
			re := regexp.MustCompile(`^(main\.|strings\.|strconv\.|runtime\.mem|math\.|sort\.|crypto)`)
			out := output(t, "go", "tool", "objdump", "-s", re.String(), path)
			var lines []string
			for _, l := range strings.Split(out, "\n") {
				if objdumpLine.MatchString(l) {
					lines = append(lines, l)
				}
			}
			syms, err := o.Symbols(re.MatchString, 0)
			if err != nil {
				t.Fatal(err)
			}
			texts, diff, skipped := 0, 0, 0
			byAddr := make(map[uint64]Inst)
			for _, s := range syms {
				if !inText(o, s) {
					continue
				}
				insts, err := o.Disasm(s.Start, s.End+1, SyntaxGo)
				if err != nil {
					t.Fatal(err)
				}
				if o.GOARCH() == "amd64" && avx(insts) {
					continue
				}
				for _, in := range insts {
					byAddr[in.Addr] = in
				}
			}
			for _, l := range lines {
				m := objdumpLine.FindStringSubmatch(l)
				addr, err := strconv.ParseUint(m[3], 16, 64)
				if err != nil {
					t.Fatal(err)
				}
				in, ok := byAddr[addr]
				if !ok {
					skipped++
					continue
				}
				got := fmt.Sprintf("%s:%d %s", base(in.File), in.Line, strings.TrimSpace(in.Text))
				want := fmt.Sprintf("%s:%s %s", m[1], m[2], m[4])
				if name == "linux-riscv64" {
					got, want = branchTarget.ReplaceAllString(got, ""), branchTarget.ReplaceAllString(want, "")
				}
				if got != want {
					if diff++; diff < 10 {
						t.Logf("%#x: %q, objdump %q", addr, got, want)
					}
				}
				texts++
			}
			if texts < 4000 || diff > 0 || skipped > texts/5 {
				t.Errorf("%d of %d instructions differ from objdump, %d skipped", diff, texts, skipped)
			}
		})
	}
}

func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

func inText(o *Object, s Symbol) bool {
	text, ok := o.img.text()
	return ok && text.contains(s.Start)
}

// disasmLine is a line of `pprof -disasm`: flat, cum, address, text and
// sometimes ";function file:line".
var disasmLine = regexp.MustCompile(`^ *\S+ +\S+ +([0-9a-f]+): (.*)$`)

// TestDisasmPprof compares routines, extents and instruction texts to
// `go tool pprof -disasm` for a profile of the program itself.
func TestDisasmPprof(t *testing.T) {
	needLinux(t)
	for _, name := range []string{"default", "pie"} {
		t.Run(name, func(t *testing.T) {
			path := program(t, name)
			prof := filepath.Join(t.TempDir(), "cpu.pprof")
			output(t, path, prof)
			const re = `main\.spin|time\.Time|time\.Now|time\.now`
			out := output(t, "go", "tool", "pprof", "-disasm="+re, path, prof)
			o := open(t, path, Options{})
			syms, err := o.Symbols(regexp.MustCompile(re).MatchString, 0)
			if err != nil {
				t.Fatal(err)
			}
			// The tool orders routines by name, then address.
			slices.SortFunc(syms, func(a, b Symbol) int {
				if c := strings.Compare(a.Names[0], b.Names[0]); c != 0 {
					return c
				}
				return int(int64(a.Start - b.Start))
			})
			checked := 0
			for _, block := range strings.Split(out, "ROUTINE ======================== ")[1:] {
				lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
				i := slices.IndexFunc(syms, func(s Symbol) bool { return s.Names[0] == lines[0] })
				if i < 0 {
					t.Fatalf("routine %s not listed", lines[0])
				}
				insts, err := o.Disasm(syms[i].Start, syms[i].End, SyntaxGo)
				if err != nil {
					t.Fatal(err)
				}
				syms = syms[i+1:]
				var got, want []string
				for _, in := range insts {
					got = append(got, fmt.Sprintf("%x: %s", in.Addr, strings.TrimRight(in.Text, " ")))
				}
				for _, l := range lines[2:] {
					if m := disasmLine.FindStringSubmatch(l); m != nil {
						text := m[2]
						if len(text) > 40 && text[40] == ';' {
							text = text[:40]
						}
						want = append(want, m[1]+": "+strings.TrimRight(text, " "))
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s:\n%s\nwant\n%s", lines[0], strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				checked += len(want)
			}
			if checked < 20 {
				t.Errorf("only %d instructions in\n%s", checked, out)
			}
		})
	}
}

// TestDisasmSyntax looks at the three syntaxes of one instruction.
func TestDisasmSyntax(t *testing.T) {
	o := open(t, program(t, "default"), Options{WholeSymbols: true, Inlines: true})
	syms, err := o.Symbols(func(n string) bool { return n == "main.outer" }, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("main.outer: %v %v", syms, err)
	}
	for syntax, want := range map[Syntax]string{SyntaxGo: "CMPQ SP, 0x10(R14)", SyntaxGNU: "cmp 0x10(%r14),%rsp", SyntaxIntel: "cmp rsp, qword ptr [r14+0x10]"} {
		insts, err := o.Disasm(syms[0].Start, syms[0].End, syntax)
		if err != nil {
			t.Fatal(err)
		}
		if insts[0].Text != want {
			t.Errorf("%v: %q, want %q", syntax, insts[0].Text, want)
		}
		if last := insts[len(insts)-1]; last.Addr+uint64(last.Size) != syms[0].End {
			t.Errorf("%v: ends at %#x, symbol at %#x", syntax, last.Addr+uint64(last.Size), syms[0].End)
		}
		if insts[0].Func != "main.outer" || !strings.HasSuffix(insts[0].File, "main.go") {
			t.Errorf("position of %+v", insts[0])
		}
	}
	arm := open(t, program(t, "darwin-arm64"), Options{})
	if _, err := arm.Disasm(0x100001000, 0x100001010, SyntaxIntel); err == nil {
		t.Error("arm64 in Intel syntax")
	}
}

// TestSymbolsNM compares the list of symbols to `go tool nm`.
func TestSymbolsNM(t *testing.T) {
	for _, name := range []string{"default", "darwin-arm64", "windows-amd64"} {
		t.Run(name, func(t *testing.T) {
			path := program(t, name)
			o := open(t, path, Options{})
			syms, err := o.Symbols(nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			have := make(map[string]bool)
			for i, s := range syms {
				have[fmt.Sprintf("%x %d %s", s.Start, s.End+1-s.Start, s.Names[0])] = true
				if i > 0 && s.Start < syms[i-1].Start {
					t.Fatalf("symbol %d out of order", i)
				}
			}
			checked := 0
			for _, l := range strings.Split(output(t, "go", "tool", "nm", "-size", path), "\n") {
				f := strings.Fields(l)
				if len(f) < 4 || f[2] != "T" && f[2] != "t" {
					continue
				}
				if k := f[0] + " " + f[1] + " " + strings.Join(f[3:], " "); !have[k] {
					t.Errorf("missing %s", k)
				}
				checked++
			}
			if checked < 1000 {
				t.Errorf("only %d symbols", checked)
			}
		})
	}
}

// TestStrippedSymbols lists routines of a stripped program from its function
// table.
func TestStrippedSymbols(t *testing.T) {
	for _, name := range []string{"stripped", "pie-stripped", "windows-stripped", "darwin-stripped"} {
		o := open(t, program(t, name), Options{WholeSymbols: true})
		syms, err := o.Symbols(func(n string) bool { return n == "main.outer" }, 0)
		if err != nil || len(syms) != 1 {
			t.Fatalf("%s: %v %v", name, syms, err)
		}
		insts, err := o.Disasm(syms[0].Start, syms[0].End, SyntaxGo)
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		for _, in := range insts {
			if strings.Contains(in.Text, "main.show(SB)") {
				calls++
			}
		}
		if calls != 2 {
			t.Errorf("%s: %d calls of main.show", name, calls)
		}
	}
}
