package symbol

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const cgoSource = `package main

/*
static __attribute__((noinline)) int work(int x) {
	volatile int v = x;
	return v * 3;
}
int entry(int x) { return work(x) + 1; }
*/
import "C"

import (
	"fmt"
	"reflect"
)

//go:noinline
func goside(x int) int { return int(C.entry(C.int(x))) }

func main() {
	fmt.Println(goside(1), reflect.ValueOf(goside).Pointer())
}
`

// TestCgo links C code in front of the Go code: the text section does not
// start with runtime.text then, which a stripped program tells only by its
// moduledata. Without symbols the tool is off by that distance.
func TestCgo(t *testing.T) {
	needLinux(t)
	for _, tool := range []string{"go", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s", tool)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), []byte(cgoSource))
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.com/cgo\n\ngo 1.24\n"))
	for _, flags := range []string{"-linkmode=external", "-linkmode=external -s -w"} {
		out := filepath.Join(dir, "prog")
		cmd := exec.Command("go", "build", "-o", out, "-ldflags="+flags, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=-buildvcs=false", "GOWORK=off")
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("cgo does not build here: %v\n%s", err, b)
		}
		f := strings.Fields(output(t, out))
		pc, err := strconv.ParseUint(f[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		o := open(t, out, Options{Inlines: true, WholeSymbols: true})
		if text, _ := o.img.text(); text.addr == mustTable(t, o).text {
			t.Errorf("%s: Go code starts the text section, this test shows nothing", flags)
		}
		if fs := o.Frames(pc); len(fs) == 0 || fs[0].Func != "main.goside" || base(fs[0].File) != "main.go" {
			t.Errorf("%s: %#x: %+v", flags, pc, fs)
		}
		if strings.Contains(flags, "-s") {
			continue
		}
		syms, err := o.Symbols(func(n string) bool { return n == "work" }, 0)
		if err != nil || len(syms) != 1 {
			t.Fatalf("%v %v", syms, err)
		}
		if fs := o.Frames(syms[0].Start + 4); len(fs) == 0 || fs[0].Func != "work" || base(fs[0].File) != "main.go" {
			t.Errorf("C function: %+v", fs)
		}
	}
}

func mustTable(t *testing.T, o *Object) *goTable {
	t.Helper()
	tab, err := o.goTable()
	if err != nil || tab == nil {
		t.Fatalf("no function table: %v", err)
	}
	return tab
}
