package symbol

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exercise calls everything there is on the bytes of a file.
func exercise(b []byte, opts Options) error {
	opts.MaxExpanded = 1 << 20
	o, err := newObject(bytes.NewReader(b), int64(len(b)), "fuzz", opts)
	if err != nil {
		return err
	}
	o.BuildID()
	o.Base(0x400000, 0x500000, 0, "")
	o.BaseAt(0x400010, 0x400000, 0x500000, 0x1000, "_text")
	o.ToolBase(0x400000)
	syms, _ := o.Symbols(nil, 0)
	addrs := []uint64{0, 1, 0x1000, 0x400000, 0x401000, 0x100001000, 0x140001000, ^uint64(0)}
	for i, s := range syms {
		if i == 8 {
			break
		}
		addrs = append(addrs, s.Start)
		o.Disasm(s.Start, min(s.End, s.Start+64), SyntaxGo)
		o.Disasm(s.Start, s.Start+16, SyntaxGNU)
		o.Disasm(s.Start, s.Start+16, SyntaxIntel)
	}
	if s, ok := o.img.text(); ok {
		for i := range uint64(16) {
			addrs = append(addrs, s.addr+i*7)
		}
	}
	for _, a := range addrs {
		o.Frames(a)
	}
	return nil
}

// seeds are small object files: a C object with DWARF in several shapes where
// gcc is there, and the first bytes of Go programs of all formats.
func seeds(f *testing.F) [][]byte {
	var out [][]byte
	if _, err := exec.LookPath("gcc"); err == nil {
		dir := f.TempDir()
		src := filepath.Join(dir, "s.c")
		text := "static inline int g(int x) { return x * 3; }\nint f(int x) { return g(x) + g(x + 1); }\n"
		if err := os.WriteFile(src, []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
		for _, args := range []string{"-c -g -O2", "-c -g -O2 -gdwarf-4", "-c -g -O2 -gz=zlib", "-shared -nostdlib -g -O2 -Wl,-z,noseparate-code"} {
			obj := filepath.Join(dir, "s.o")
			if _, err := exec.Command("gcc", append(strings.Fields(args), "-o", obj, src)...).CombinedOutput(); err != nil {
				continue // a gcc for another system
			}
			b, err := os.ReadFile(obj)
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, b)
		}
	}
	if _, err := exec.LookPath("go"); err == nil && !testing.Short() {
		for _, name := range []string{"stripped", "darwin-stripped", "windows-stripped"} {
			b, err := os.ReadFile(program(f, name))
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, b[:4096])
		}
	}
	return append(out, []byte("\x7fELF"), []byte("MZ"), []byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1}, nil)
}

// FuzzOpen looks for panics and for memory out of proportion on corrupt files.
func FuzzOpen(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, true)
		f.Add(b[:len(b)/2], false)
	}
	f.Fuzz(func(t *testing.T, b []byte, better bool) {
		if len(b) < 1<<20 {
			exercise(b, Options{Inlines: better, WholeSymbols: better})
		}
	})
}

// TestCorrupt flips and cuts whole programs at many places: an error or an
// answer, no panic.
func TestCorrupt(t *testing.T) {
	for _, name := range []string{"stripped", "darwin-stripped", "windows-stripped"} {
		whole, err := os.ReadFile(program(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 3, 16, 63, 64, 200, 1000, 4096, len(whole) / 2, len(whole) - 1} {
			if err := exercise(whole[:n], Options{Inlines: true}); err != nil && !strings.Contains(err.Error(), "fuzz: ") {
				t.Errorf("%s cut to %d: the error does not name the file: %v", name, n, err)
			}
		}
		for i := 0; i < 4096; i += 151 {
			b := bytes.Clone(whole)
			b[i] ^= 0xff
			exercise(b, Options{Inlines: true})
		}
	}
}

// tinyTable is a Go 1.20 function table of two functions, a at +0 and b at
// +0x20, the first with one inlined call of b at line 7.
func tinyTable() (data, inlineTree []byte) {
	le := binary.LittleEndian
	word := func(b []byte, vs ...uint32) []byte {
		for _, v := range vs {
			b = le.AppendUint32(b, v)
		}
		return b
	}
	names := []byte("\x00main.a\x00main.b\x00")
	cutab := word(nil, 0)
	files := []byte("a.go\x00")
	pctab := []byte{0, // offset 0 means none
		2, 0x20, 0, // +1: value 0 for 0x20 bytes (file)
		12, 0x10, 4, 0x10, 0, // +4: 5, then 7 (line)
		1, 0x10, 2, 0x10, 0, // +9: -2?, see below (tree index)
	}
	pctab[9], pctab[11] = 2, 1 // tree index 0 for 0x10 bytes, then -1
	record := func(entry, name, line uint32) []byte {
		b := word(nil, entry, name, 0, 0, 0, 1, 4, 3, 0, line)
		b = append(b, 0, 0, 0, 4)
		return word(b, 0, 0, 9, ^uint32(0), ^uint32(0), ^uint32(0), 0)
	}
	functab := word(nil, 0, 20, 0x20, 20+72, 0x40)
	functab = append(functab, record(0, 1, 3)...)
	functab = append(functab, record(0x20, 8, 30)...)
	h := []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}
	at := uint64(8 + 8*8)
	for _, v := range []uint64{2, 1, 0} {
		h = le.AppendUint64(h, v)
	}
	for _, part := range [][]byte{names, cutab, files, pctab, functab} {
		h = le.AppendUint64(h, at)
		at += uint64(len(part))
	}
	for _, part := range [][]byte{names, cutab, files, pctab, functab} {
		h = append(h, part...)
	}
	return h, word([]byte{0, 0, 0, 0}, 8, 0x10, 30)
}

func tableFrames(t *testing.T, data, tree []byte) *goTable {
	tab, err := parseGoTable(data, 0x1000)
	if err != nil {
		return nil
	}
	tab.inlining = func(off uint64, p []byte) bool {
		return off < uint64(len(tree)) && copy(p, tree[off:]) == len(p)
	}
	return tab
}

func TestTinyTable(t *testing.T) {
	data, tree := tinyTable()
	tab := tableFrames(t, data, tree)
	if tab == nil {
		t.Fatal("not parsed")
	}
	tab.wrapper = func() byte { return 23 }
	got := tab.frames(0x1005, true)
	want := []Frame{{Func: "main.b", File: "a.go", Line: 5, StartLine: 30, Inlined: true}, {Func: "main.a", File: "a.go", Line: 7, StartLine: 3}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := tab.frames(0x1005, false); len(got) != 1 || got[0] != (Frame{Func: "main.a", File: "a.go", Line: 5}) {
		t.Errorf("without inlines %+v", got)
	}
}

// FuzzGoTable looks for panics and endless loops on corrupt function tables.
func FuzzGoTable(f *testing.F) {
	data, tree := tinyTable()
	f.Add(data, tree)
	for _, magic := range []byte{0xfb, 0xfa, 0xf0} {
		b := bytes.Clone(data)
		b[0] = magic
		f.Add(b, tree)
	}
	f.Fuzz(func(t *testing.T, data, tree []byte) {
		tab := tableFrames(t, data, tree)
		if tab == nil {
			return
		}
		for pc := uint64(0xff0); pc < 0x1100; pc += 3 {
			tab.frames(pc, true)
			tab.frames(pc, false)
		}
		tab.symbols()
	})
}
