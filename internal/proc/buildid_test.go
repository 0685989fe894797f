package proc

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuildID compares with what the toolchain says, of the executable and of
// a snapshot file that has only its head.
func TestBuildID(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, linker := range map[string]string{"Go's": "-B none", "GNU": "-B 0x0123456789abcdef"} {
		t.Run(name, func(t *testing.T) {
			exe := filepath.Join(t.TempDir(), "main")
			cmd := exec.Command("go", "build", "-ldflags="+linker, "-o", exe, main)
			cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			out, err := exec.Command("go", "tool", "buildid", exe).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(string(out))
			img := NewImage(Info{Name: exe, Exe: exe, Arch: "amd64", PageSize: 4096}, nil, nil, nil)
			if got := BuildID(img); got != want && got != "0123456789abcdef" {
				t.Errorf("build id %q, want %q or the GNU one", got, want)
			}
			file := filepath.Join(dir, "snapshot")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := WriteSnapshot(f, img, SnapshotContents{}); err != nil {
				t.Fatal(err)
			}
			os.Remove(exe)
			s, err := OpenSnapshot(file, SnapshotOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := BuildID(s); got != want && got != "0123456789abcdef" {
				t.Errorf("of the snapshot: build id %q, want %q", got, want)
			}
		})
	}
}

func TestBuildIDOfDamaged(t *testing.T) {
	head := make([]byte, 200)
	copy(head, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(head[16:], 2) // executable
	binary.LittleEndian.PutUint16(head[18:], 62)
	binary.LittleEndian.PutUint32(head[20:], 1)
	binary.LittleEndian.PutUint64(head[32:], 64) // program headers
	binary.LittleEndian.PutUint16(head[54:], 56)
	binary.LittleEndian.PutUint16(head[56:], 1)
	binary.LittleEndian.PutUint32(head[64:], 4) // PT_NOTE
	binary.LittleEndian.PutUint64(head[72:], 120)
	binary.LittleEndian.PutUint64(head[96:], 80)
	for _, note := range [][3]uint32{{4, 0, 3}, {1 << 31, 0, 3}, {4, 1 << 31, 3}, {200, 0, 4}, {^uint32(0), ^uint32(0), 4}} {
		for i, v := range note {
			binary.LittleEndian.PutUint32(head[120+4*i:], v)
		}
		if got := headBuildID(head); got != "" {
			t.Errorf("note %v: %q", note, got)
		}
	}
	for n := range head {
		headBuildID(head[:n])
	}
}
