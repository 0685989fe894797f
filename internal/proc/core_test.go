package proc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// note makes one note of a core file.
func note(owner string, kind uint32, desc []byte) []byte {
	var b []byte
	b = binary.LittleEndian.AppendUint32(b, uint32(len(owner)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = append(b, owner...)
	b = append(b, make([]byte, 4-len(owner)%4)...)
	b = append(b, desc...)
	return append(b, make([]byte, -len(desc)&3)...)
}

// smallCore makes a core of arm64 with one thread and a page of memory, and a
// page of a file that is not in it.
func smallCore(file string) []byte {
	status := make([]byte, 112+34*8+8)
	binary.LittleEndian.PutUint32(status[32:], 77)
	for i := range 34 {
		binary.LittleEndian.PutUint64(status[112+8*i:], uint64(i))
	}
	var table []byte
	for _, v := range []uint64{1, 4096, 0x400000, 0x402000, 0} {
		table = binary.LittleEndian.AppendUint64(table, v)
	}
	table = append(table, file+"\x00"...)
	var auxv []byte
	for _, v := range []uint64{auxEntry, 0x400100, auxPageSize, 4096, 0, 0} {
		auxv = binary.LittleEndian.AppendUint64(auxv, v)
	}
	notes := bytes.Join([][]byte{
		note("CORE", ntPRStatus, status),
		note("LINUX", ntTLS, []byte{0x88, 0, 0, 0, 0, 0, 0, 0}),
		note("LINUX", ntSyscall, []byte{98, 0, 0, 0}),
		note("CORE", ntAuxv, auxv),
		note("CORE", ntFile, table),
	}, nil)
	const head = 64 + 3*56
	h := make([]byte, head)
	copy(h, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(h[16:], uint16(elf.ET_CORE))
	le.PutUint16(h[18:], uint16(elf.EM_AARCH64))
	le.PutUint64(h[32:], 64)
	le.PutUint16(h[54:], 56)
	le.PutUint16(h[56:], 3)
	segment := func(i int, kind elf.ProgType, flags elf.ProgFlag, numbers ...uint64) {
		p := h[64+56*i:]
		le.PutUint32(p, uint32(kind))
		le.PutUint32(p[4:], uint32(flags))
		le.PutUint64(p[8:], numbers[0])  // offset
		le.PutUint64(p[16:], numbers[1]) // address
		le.PutUint64(p[32:], numbers[2]) // in the file
		le.PutUint64(p[40:], numbers[3]) // in memory
	}
	n := uint64(len(notes))
	segment(0, elf.PT_NOTE, 0, head, 0, n, 0)
	segment(1, elf.PT_LOAD, elf.PF_R|elf.PF_X, head+n, 0x400000, 0, 0x2000)
	segment(2, elf.PT_LOAD, elf.PF_R|elf.PF_W, head+n, 0x10000000, 4096, 8192)
	return append(append(h, notes...), bytes.Repeat([]byte("memory! "), 512)...)
}

func TestSmallCore(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(exe, bytes.Repeat([]byte("file..."), 2000), 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := readCore(smallCore(exe), CoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	if info := img.Info(); info.Arch != "arm64" || info.Exe != exe || info.Name != exe || info.Entry != 0x400100 {
		t.Errorf("info: %+v", info)
	}
	th := img.Threads()[0]
	if th.ID != 77 || th.Regs.PC != 32 || th.Regs.SP != 31 || th.Regs.FP != 29 || th.Regs.General[7] != 7 || th.Regs.TLS != 0x88 || th.Regs.Syscall != 98 {
		t.Errorf("thread: %+v", th)
	}
	for _, tt := range []struct {
		addr uint64
		n    int
		want string
		err  string
	}{
		{0x10000000, 7, "memory!", ""},
		{0x10000ff8, 8, "memory! ", ""},
		{0x10000ffc, 8, "", "nothing at 0x10001000: the core leaves it out"},
		{0x400000, 7, "file...", ""},
		{0x401000, 5, "ile..", ""},
		{0x5000, 1, "", "nothing at 0x5000"},
	} {
		b, err := img.Bytes(tt.addr, tt.n)
		if string(b) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%d bytes at %#x: %q, %v", tt.n, tt.addr, b, err)
		}
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	img, err := readCore(smallCore("/src/app/gone"), CoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Info().Warnings; len(w) != 1 || !strings.Contains(w[0].Error(), "/src/app/gone") {
		t.Errorf("warnings: %v", w)
	}
	if _, err := img.Bytes(0x400000, 4); err == nil || !strings.Contains(err.Error(), "it lies in /src/app/gone") {
		t.Errorf("got %v", err)
	}
}

func TestForeignCores(t *testing.T) {
	change := func(f func(b []byte)) []byte {
		b := smallCore("x")
		f(b)
		return b
	}
	tests := []struct {
		name string
		data []byte
		want error
		text string
	}{
		{"empty", nil, ErrFormat, "no ELF"},
		{"text", []byte("hello"), ErrFormat, "no ELF"},
		{"minidump", []byte("MDMP...."), ErrUnsupported, "Windows"},
		{"macho", []byte("\xcf\xfa\xed\xfe...."), ErrUnsupported, "macOS"},
		{"executable", change(func(b []byte) { b[16] = 2 }), ErrFormat, "ET_EXEC"},
		{"riscv", change(func(b []byte) { b[18] = 243 }), ErrUnsupported, "RISCV"},
		{"32 bits", change(func(b []byte) { b[4] = 1 }), ErrUnsupported, "CLASS32"},
		{"FreeBSD", bytes.ReplaceAll(smallCore("x"), []byte("\x05\x00\x00\x00\x88\x01\x00\x00\x01\x00\x00\x00CORE\x00\x00\x00\x00"),
			[]byte("\x08\x00\x00\x00\x88\x01\x00\x00\x01\x00\x00\x00FreeBSD\x00")), ErrUnsupported, "FreeBSD"},
		{"headers cut", smallCore("x")[:100], ErrFormat, "program headers"},
		{"notes cut", smallCore("x")[:400], ErrFormat, "within its notes"},
	}
	for _, tt := range tests {
		_, err := readCore(tt.data, CoreOptions{})
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzReadCore(f *testing.F) {
	b := smallCore("testdata/none")
	f.Add(b)
	f.Add(b[:len(b)-2000])
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := readCore(data, CoreOptions{Sysroot: "testdata/none"})
		if err != nil {
			return
		}
		defer img.Close()
		poke := func(a uint64) {
			img.Bytes(a, 64)
			img.Bytes(a-3, 1<<40)
			img.ReadAt(make([]byte, 5000), a)
		}
		for _, m := range img.Mappings() {
			poke(m.Start)
			poke(m.End)
		}
	})
}
