package symbol

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rawLocation is a line of `pprof -raw`: id, address, mapping, function,
// file:line:column, start line.
var rawLocation = regexp.MustCompile(`^ +\d+: 0x([0-9a-f]+) M=\d+ (.*)$`)

// TestFramesPprof lets `go tool pprof` symbolize a heap profile in the old text
// format, which has bare addresses, and compares function, file and line.
func TestFramesPprof(t *testing.T) {
	needLinux(t)
	programs := map[string]func(*testing.T) string{
		"default":  func(t *testing.T) string { return program(t, "default") },
		"trimpath": func(t *testing.T) string { return program(t, "trimpath") },
		"stripped": func(t *testing.T) string { return program(t, "stripped") },
		"pie":      func(t *testing.T) string { return program(t, "pie") },
		"gcc":      func(t *testing.T) string { return compile(t, "gcc", cSource, "-g", "-O2", "-no-pie") },
		"g++":      func(t *testing.T) string { return compile(t, "g++", cxxSource, "-g", "-O1", "-no-pie") },
		"g++-sections": func(t *testing.T) string {
			return compile(t, "g++", cxxSource, "-g", "-O1", "-ffunction-sections", "-gdwarf-4", "-no-pie")
		},
	}
	for name, build := range programs {
		t.Run(name, func(t *testing.T) {
			path := build(t)
			o := open(t, path, Options{})
			text, ok := o.img.text()
			if !ok {
				t.Fatal("no text")
			}
			var b strings.Builder
			b.WriteString("heap profile: 1: 10 [1: 10] @ heap/1048576\n")
			for i := range uint64(2000) {
				fmt.Fprintf(&b, "1: 10 [1: 10] @ %#x\n", text.addr+1+i*(text.size/2000|1))
			}
			prof := filepath.Join(t.TempDir(), "heap")
			write(t, prof, []byte(b.String()))
			raw := output(t, "go", "tool", "pprof", "-raw", path, prof)
			checked, known := 0, 0
			for _, l := range strings.Split(raw, "\n") {
				m := rawLocation.FindStringSubmatch(l)
				if m == nil {
					continue
				}
				addr, err := strconv.ParseUint(m[1], 16, 64)
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if fs := o.Frames(addr); len(fs) == 1 {
					fn := fs[0].Func
					got = fmt.Sprintf("%s %s:%d:0 s=0", DemangleDefault.Function("", fn, false), fs[0].File, fs[0].Line)
					if !strings.HasPrefix(got, fn+" ") {
						got += "(" + fn + ")" // the tool's "demangling" of Go names
					}
					known++
				}
				if got != strings.TrimSuffix(m[2], " ") {
					t.Errorf("%#x: %q, pprof %q", addr, got, m[2])
				}
				checked++
			}
			if checked < 300 || known < 10 {
				t.Errorf("%d addresses, %d known", checked, known)
			}
		})
	}
}
