package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample is an image with a bit of everything.
func sample(exe string) Image {
	long := bytes.Repeat([]byte("0123456789abcde\n"), 200_000) // several blocks
	return NewImage(
		Info{Source: "process", Arch: "amd64", PID: 12, Name: exe, Exe: exe, Args: []string{"app", "-x"}, Entry: 0x401000, PageSize: 4096,
			Taken: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Warnings: []error{errors.New("a warning")}},
		[]Mapping{
			{Start: 0x400000, End: 0x402000, Perm: Read | Exec, File: exe, Inode: 5, Device: 6},
			{Start: 0x10000000, End: 0x10000000 + 4096*2, Perm: Read | Write},
			{Start: 0x20000000, End: 0x20000000 + 3_203_072, Perm: Read | Write, File: "[heap]"},
		},
		[]Thread{{ID: 12, Name: "app", State: 'S', Regs: Regs{PC: 1, SP: 2, FP: 3, TLS: 4, General: [32]uint64{5: 6}, Syscall: -1}}},
		[]Piece{{0x10000000, bytes.Repeat([]byte{7}, 8192)}, {0x20000000, long}},
	)
}

func writeSample(t testing.TB, img Image, c SnapshotContents) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSnapshot(&b, img, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sampleExe(t testing.TB) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(exe, bytes.Repeat([]byte("the file"), 1024), 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

func TestSnapshotRoundTrip(t *testing.T) {
	exe := sampleExe(t)
	img := sample(exe)
	for _, whole := range []bool{false, true} {
		c := SnapshotContents{Exe: whole, Sections: []Section{{"goheap/x", []byte("of the layer above")}, {"empty", nil}}}
		path := filepath.Join(t.TempDir(), "x.heap")
		if err := os.WriteFile(path, writeSample(t, img, c), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := OpenSnapshot(path, SnapshotOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := img.Info()
		want.Source = "snapshot"
		if whole {
			want.Exe = ""
		}
		if !reflect.DeepEqual(got.Info(), want) || !reflect.DeepEqual(got.Mappings(), img.Mappings()) || !reflect.DeepEqual(got.Threads(), img.Threads()) {
			t.Errorf("got %+v\n%+v\n%+v", got.Info(), got.Mappings(), got.Threads())
		}
		want.Exe = ""
		if alone, err := SnapshotInfo(path); err != nil || !reflect.DeepEqual(alone, want) {
			t.Errorf("SnapshotInfo: %+v, %v, want %+v", alone, err, want)
		}
		for _, r := range []Range{{0x10000000, 0x10002000}, {0x20000000, 0x20000000 + 3_200_000}} {
			a, err := img.Bytes(r.Start, int(r.Len()))
			b, err2 := got.Bytes(r.Start, int(r.Len()))
			if err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("memory at %#x: %v, %v", r.Start, err, err2)
			}
		}
		if b, err := got.Bytes(0x400000, 8); err != nil || string(b) != "the file" {
			t.Errorf("code: %q, %v", b, err)
		}
		if b, err := got.Section("goheap/x"); err != nil || string(b) != "of the layer above" {
			t.Errorf("section: %q, %v", b, err)
		}
		if b, err := got.Section("nothing"); b != nil || err != nil {
			t.Errorf("no section: %q, %v", b, err)
		}
		if b, err := got.Exe(); err != nil || whole != (len(b) == 8192) {
			t.Errorf("exe: %d bytes, %v", len(b), err)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSnapshotOfRanges(t *testing.T) {
	b := writeSample(t, sample(sampleExe(t)), SnapshotContents{Ranges: []Range{{0x10001000, 0x10001001}, {0x20000000 + 3_190_000, 0x20000000 + 3_202_000}}})
	s, err := readSnapshot(b, SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Bytes(0x10001000, 4096); err != nil {
		t.Error(err)
	}
	if _, err := s.Bytes(0x10000000, 1); err == nil {
		t.Error("memory that was not asked for came along")
	}
	if _, err := s.Bytes(0x20000000+3_190_000, 5000); err != nil {
		t.Error(err)
	}
}

func TestSnapshotOfAnotherBuild(t *testing.T) {
	exe := sampleExe(t)
	b := writeSample(t, sample(exe), SnapshotContents{})
	if err := os.WriteFile(exe, bytes.Repeat([]byte("another "), 1024), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := readSnapshot(b, SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Bytes(0x400000, 8); err == nil || !strings.Contains(err.Error(), "another build") {
		t.Errorf("got %v", err)
	}
	if w := s.Info().Warnings; len(w) != 2 {
		t.Errorf("warnings %v", w)
	}
}

func TestSnapshotReservedName(t *testing.T) {
	if err := WriteSnapshot(&bytes.Buffer{}, sample(sampleExe(t)), SnapshotContents{Sections: []Section{{Name: "proc/info"}}}); err == nil {
		t.Error("a section took our name")
	}
}

func TestDamagedSnapshots(t *testing.T) {
	good := writeSample(t, sample(sampleExe(t)), SnapshotContents{})
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	tests := []struct {
		name string
		data []byte
		want error
		text string
	}{
		{"empty", nil, ErrFormat, "begin"},
		{"other file", []byte("hello, this is a text file"), ErrFormat, "begin"},
		{"newer", change(func(b []byte) []byte { b[8] = 9; return b }), ErrUnsupported, "version 9"},
		{"cut", good[:len(good)-1], ErrFormat, "cut short"},
		{"header only", good[:20], ErrFormat, "cut short"},
		{"block", change(func(b []byte) []byte { b[30] ^= 1; return b }), ErrFormat, "damaged"},
		{"directory", change(func(b []byte) []byte { b[len(b)-40] ^= 1; return b }), ErrFormat, "directory"},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := SnapshotInfo(path); tt.name != "block" && err == nil {
			t.Errorf("%s: SnapshotInfo gives no error", tt.name)
		}
		_, err := readSnapshot(tt.data, SnapshotOptions{})
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := readSnapshot(good, SnapshotOptions{MaxBytes: 1 << 20}); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "allowed") {
		t.Errorf("too large: %v", err)
	}
}

func TestSniff(t *testing.T) {
	for want, data := range map[string][]byte{"snapshot": writeSample(t, sample(sampleExe(t)), SnapshotContents{}), "core": smallCore("x"), "": []byte("\x7fELF\x02\x01\x01            ")} {
		if got := Sniff(data[:min(64, len(data))]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzReadSnapshot gives the reader a file whose directory has a good checksum,
// so that more than that is reached.
func FuzzReadSnapshot(f *testing.F) {
	img := NewImage(Info{Arch: "arm64", PageSize: 4096, Name: "testdata/none"}, []Mapping{{Start: 4096, End: 8192, Perm: Read}}, nil, []Piece{{4096, make([]byte, 4096)}})
	f.Add(writeSample(f, img, SnapshotContents{Sections: []Section{{"x", []byte("y")}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(b); n >= snapHeaderSize+snapFooterSize {
			footer := b[n-snapFooterSize:]
			dir, _ := clip(b, binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:]))
			b = bytes.Clone(b)
			binary.LittleEndian.PutUint32(b[n-16:], checksum(dir))
		}
		s, err := readSnapshot(b, SnapshotOptions{MaxBytes: 8 << 20, Exe: "testdata/none"})
		if err != nil {
			return
		}
		defer s.Close()
		s.Section("x")
		for _, m := range s.Mappings() {
			s.Bytes(m.Start, 64)
			s.Bytes(m.End-1, 1<<40)
		}
	})
}
