package symbol

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// TestFat wraps a program into a fat file of one architecture.
func TestFat(t *testing.T) {
	thin, err := os.ReadFile(program(t, "darwin-stripped"))
	if err != nil {
		t.Fatal(err)
	}
	const at = 1 << 14
	var b bytes.Buffer
	for _, v := range []uint32{machoFat, 1, uint32(macho.CpuArm64), 0, at, uint32(len(thin)), 14} {
		b.Write(binary.BigEndian.AppendUint32(nil, v))
	}
	b.Write(make([]byte, at-b.Len()))
	b.Write(thin)
	path := filepath.Join(t.TempDir(), "fat")
	write(t, path, b.Bytes())
	for _, arch := range []string{"", "arm64"} {
		o := open(t, path, Options{Inlines: true, WholeSymbols: true, Arch: arch})
		syms, err := o.Symbols(func(n string) bool { return n == "main.outer" }, 0)
		if err != nil || len(syms) != 1 || o.GOARCH() != "arm64" || o.Format() != "Mach-O" {
			t.Fatalf("%s %s: %v %v", o.Format(), o.GOARCH(), syms, err)
		}
		if fs := o.Frames(syms[0].Start + 8); len(fs) != 1 || fs[0].Func != "main.outer" {
			t.Errorf("%+v", fs)
		}
	}
	if _, err := Open(path, Options{Arch: "amd64"}); err == nil {
		t.Error("opened an architecture the file does not have")
	}
	if _, err := newObject(bytes.NewReader(b.Bytes()[:at]), at, "cut", Options{}); err == nil {
		t.Error("opened a fat file whose part is missing")
	}
}

// TestErrors checks that the error of a bad file names it and what is wrong.
func TestErrors(t *testing.T) {
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("opened a directory")
	}
	path := filepath.Join(t.TempDir(), "text")
	write(t, path, []byte("plain text, no program"))
	if _, err := Open(path, Options{}); err == nil || !bytes.Contains([]byte(err.Error()), []byte(path)) {
		t.Errorf("%v", err)
	}
}
