package symbol

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cSource has inlined calls two deep, across a second unit when linked with
// lto, and a static function without callers outside.
const cSource = `#include <stdio.h>
static inline __attribute__((always_inline)) int deep(int x) {
	volatile int v = x * 3;
	return v + 1;
}
static inline __attribute__((always_inline)) int mid(int x) {
	int a = deep(x);
	return a + deep(a);
}
__attribute__((noinline)) int entry(int x) {
	int s = 0;
	for (int i = 0; i < x; i++)
		s += mid(i);
	return s;
}
int main(int argc, char **argv) {
	printf("%d\n", entry(argc));
	return 0;
}
`

const cxxSource = `#include <vector>
#include <algorithm>
namespace space {
struct Thing {
	int n;
	__attribute__((noinline)) int twice() const;
	inline int thrice() const { volatile int v = n * 3; return v; }
};
int Thing::twice() const { return thrice() + n; }
template <class T> __attribute__((noinline)) T sum(const std::vector<T> &v) {
	T s{};
	std::for_each(v.begin(), v.end(), [&](T x) { s += x; });
	return s;
}
}
int main(int argc, char **) {
	std::vector<int> v(argc + 3, argc);
	space::Thing t{argc};
	return space::sum(v) + t.twice();
}
`

// compile builds source with tool (gcc, g++) and returns the program.
func compile(t *testing.T, tool, source string, args ...string) string {
	t.Helper()
	needLinux(t)
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("no %s", tool)
	}
	dir := t.TempDir()
	src := filepath.Join(dir, "prog.c")
	if tool == "g++" {
		src = filepath.Join(dir, "prog.cc")
	}
	write(t, src, []byte(source))
	out := filepath.Join(dir, "prog")
	output(t, tool, append(args, "-o", out, src)...)
	return out
}

// TestFramesC compares every few bytes of compiled functions to addr2line,
// with inlined callers, for both DWARF versions, compressed or not.
func TestFramesC(t *testing.T) {
	if _, err := exec.LookPath("addr2line"); err != nil {
		t.Skip("no addr2line")
	}
	for _, c := range []struct {
		name, tool, source string
		args               []string
	}{
		{"dwarf5", "gcc", cSource, []string{"-g", "-O2"}},
		{"dwarf4", "gcc", cSource, []string{"-g", "-O2", "-gdwarf-4"}},
		{"dwarf5-zlib", "gcc", cSource, []string{"-g", "-O2", "-gz=zlib"}},
		{"zdebug", "gcc", cSource, []string{"-g", "-O2", "-gz=zlib-gnu"}},
		{"static-noPIE", "gcc", cSource, []string{"-g", "-O2", "-no-pie"}},
		{"cxx", "g++", cxxSource, []string{"-g", "-O2"}},
		{"cxx-sections", "g++", cxxSource, []string{"-g", "-O1", "-ffunction-sections", "-gdwarf-4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := compile(t, c.tool, c.source, c.args...)
			o := open(t, path, Options{Inlines: true, WholeSymbols: true})
			syms, err := o.Symbols(regexp.MustCompile(`^(entry|main|_ZN.*)$`).MatchString, 0)
			if err != nil || len(syms) < 2 {
				t.Fatalf("%d symbols: %v", len(syms), err)
			}
			var pcs []uint64
			var in strings.Builder
			for _, s := range syms {
				for pc := s.Start; pc < s.End; pc++ {
					pcs = append(pcs, pc)
					fmt.Fprintf(&in, "%#x\n", pc)
				}
			}
			asked := path
			if c.name == "zdebug" {
				// Some versions of addr2line do not read these sections. The
				// same program with plain ones has the same addresses.
				asked = compile(t, c.tool, c.source, "-g", "-O2")
			}
			want := addr2line(t, "addr2line", asked, in.String())
			inlined := 0
			for i, pc := range pcs {
				fs := o.Frames(pc)
				var got strings.Builder
				for _, f := range fs {
					fmt.Fprintf(&got, "%s %s:%d;", f.Func, base(f.File), f.Line)
				}
				if len(fs) > 1 {
					inlined++
				}
				if got.String() != want[i] {
					t.Errorf("%#x: %s, addr2line %s", pc, got.String(), want[i])
				}
			}
			if inlined == 0 {
				t.Error("no inlined calls")
			}
		})
	}
}

// TestFramesCTool compares the mode without inlines to `go tool pprof`, by the
// rule it documents: DW_AT_name, the position of the line table.
func TestFramesCTool(t *testing.T) {
	path := compile(t, "gcc", cSource, "-g", "-O2")
	o := open(t, path, Options{})
	syms, err := o.Symbols(func(n string) bool { return n == "entry" }, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("%v %v", syms, err)
	}
	for pc := syms[0].Start; pc < syms[0].End; pc++ {
		fs := o.Frames(pc)
		if len(fs) != 1 || fs[0].Func != "entry" || base(fs[0].File) != "prog.c" || fs[0].Line == 0 || fs[0].StartLine != 0 {
			t.Fatalf("%#x: %+v", pc, fs)
		}
	}
}

// TestDebugFile splits the DWARF off and finds it again, by link and by
// build id.
func TestDebugFile(t *testing.T) {
	path := compile(t, "gcc", cSource, "-g", "-O2", "-Wl,--build-id=sha1")
	if _, err := exec.LookPath("objcopy"); err != nil {
		t.Skip("no objcopy")
	}
	full := open(t, path, Options{Inlines: true, WholeSymbols: true})
	syms, err := full.Symbols(func(n string) bool { return n == "entry" }, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("%v %v", syms, err)
	}
	id := full.BuildID()
	dir := t.TempDir()
	debug, bare, linked := filepath.Join(dir, "prog.debug"), filepath.Join(dir, "bare"), filepath.Join(dir, "linked")
	output(t, "objcopy", "--only-keep-debug", path, debug)
	output(t, "objcopy", "--strip-all", path, bare)
	output(t, "objcopy", "--add-gnu-debuglink="+debug, bare, linked)
	byID := t.TempDir()
	output(t, "cp", debug, filepath.Join(dir, "copy"))
	installed := filepath.Join(byID, ".build-id", id[:2], id[2:]+".debug")
	write(t, installed, nil)
	output(t, "cp", debug, installed)

	pc := syms[0].Start
	for ; len(full.Frames(pc)) < 3; pc++ {
		if pc > syms[0].End {
			t.Fatal("no address with two inlined calls")
		}
	}
	want := fmt.Sprint(full.Frames(pc))
	for _, c := range []struct {
		name string
		path string
		dirs []string
		ok   bool
	}{
		{"none wanted", linked, nil, false},
		{"by link", linked, []string{}, true},
		{"by build id", bare, []string{byID}, true},
		{"not there", bare, []string{dir}, false},
	} {
		o := open(t, c.path, Options{Inlines: true, WholeSymbols: true, DebugDirs: c.dirs})
		if got := fmt.Sprint(o.Frames(pc)); (got == want) != c.ok {
			t.Errorf("%s: %s, with debug file %s", c.name, got, want)
		}
		if syms, _ := o.Symbols(func(n string) bool { return n == "entry" }, 0); (len(syms) == 1) != c.ok {
			t.Errorf("%s: symbols %v", c.name, syms)
		}
	}
	// The wrong debug file is refused by its checksum.
	other := compile(t, "gcc", cSource+"int more;\n", "-g", "-O1")
	output(t, "objcopy", "--only-keep-debug", other, debug)
	if o := open(t, linked, Options{Inlines: true, DebugDirs: []string{}}); fmt.Sprint(o.Frames(pc)) == want {
		t.Error("took a debug file with another checksum")
	}
}

// TestNoDebug names addresses of a program without DWARF by its symbols.
func TestNoDebug(t *testing.T) {
	path := compile(t, "gcc", cSource, "-O2")
	syms, err := open(t, path, Options{}).Symbols(func(n string) bool { return n == "entry" }, 0)
	if err != nil || len(syms) != 1 {
		t.Fatalf("%v %v", syms, err)
	}
	if fs := open(t, path, Options{Inlines: true}).Frames(syms[0].Start + 1); len(fs) != 1 || fs[0] != (Frame{Func: "entry"}) {
		t.Errorf("%+v", fs)
	}
	if fs := open(t, path, Options{}).Frames(syms[0].Start + 1); fs != nil {
		t.Errorf("the tool names no such address, got %+v", fs)
	}
}
