//go:build linux && (amd64 || arm64)

package proc

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// gcore makes a core of a running process.
func gcore(t testing.TB, pid int) string {
	t.Helper()
	if _, err := exec.LookPath("gcore"); err != nil {
		t.Skip("no gcore; apt-get install gdb")
	}
	base := filepath.Join(t.TempDir(), "core")
	if out, err := exec.Command("gcore", "-o", base, fmt.Sprint(pid)).CombinedOutput(); err != nil {
		t.Fatalf("gcore: %v\n%s", err, out)
	}
	return fmt.Sprintf("%s.%d", base, pid)
}

// kernelCore has the kernel write a core of a process, and ends it so.
func kernelCore(t testing.TB, kind string) (string, *child) {
	t.Helper()
	patternText, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if name := strings.TrimSpace(string(patternText)); err != nil || strings.HasPrefix(name, "|") || strings.ContainsAny(name, "/%") {
		t.Skipf("kernel.core_pattern is %q; the test wants a plain name", patternText)
	}
	dir := t.TempDir()
	c := startChild(t, kind, func(c *exec.Cmd) {
		c.Dir = dir
		c.Env = append(c.Env, "GOTRACEBACK=crash")
		c.Stderr = nil
	})
	c.Process.Signal(syscall.SIGABRT)
	c.Wait()
	files, err := filepath.Glob(filepath.Join(dir, "core*"))
	if err != nil || len(files) != 1 {
		t.Skipf("the kernel wrote no core: %v", c.ProcessState)
	}
	return files[0], c
}

func TestCore(t *testing.T) {
	tests := map[string]func(t *testing.T) (string, *child){
		"gcore": func(t *testing.T) (string, *child) {
			c := startChild(t, "threads")
			return gcore(t, c.pid()), c
		},
		"kernel": func(t *testing.T) (string, *child) { return kernelCore(t, "crash") },
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			path, c := make(t)
			img, err := OpenCore(path, CoreOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			checkPattern(t, img, &c.childSays)
			checkThreads(t, img)
			checkText(t, img)
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			if info := img.Info(); info.Exe != exe || info.PID != c.pid() || info.Source != "core" || info.Entry == 0 || len(info.Warnings) > 0 {
				t.Errorf("info: %+v", info)
			}
		})
	}
}

// checkText compares the code in the image with that of the executable.
func checkText(t testing.TB, img Image) {
	t.Helper()
	f, err := elf.Open(img.Info().Exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bias := img.Info().Entry - f.Entry
	for _, name := range []string{".text", ".rodata"} {
		s := f.Section(name)
		want, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		got, err := img.Bytes(s.Addr+bias, len(want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the file", name)
		}
	}
}

func TestLiveTextIsTheFiles(t *testing.T) {
	c := startChild(t, "idle")
	img, _, err := attachTo(t, c.pid(), Fork).Snapshot(context.Background(), c.words)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	checkText(t, img)
}

func TestCoreOfAnotherBuild(t *testing.T) {
	path, _ := kernelCore(t, "crash")
	other := filepath.Join(t.TempDir(), "other")
	b, err := os.ReadFile(mustExe(t))
	if err != nil {
		t.Fatal(err)
	}
	b[4000] ^= 1
	if err := os.WriteFile(other, b, 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := OpenCore(path, CoreOptions{Exe: other})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	info := img.Info()
	if info.Exe != "" || len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0].Error(), "another build") {
		t.Errorf("info: %+v", info)
	}
	_, err = img.Bytes(info.Entry, 16)
	var missing *MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "another build") {
		t.Errorf("reading code: %v", err)
	}
}

func TestCoreCutShort(t *testing.T) {
	path, c := kernelCore(t, "crash")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := info.Size()
	for _, part := range []int64{90, 50, 10} {
		if err := os.Truncate(path, whole*part/100); err != nil {
			t.Fatal(err)
		}
		img, err := OpenCore(path, CoreOptions{})
		if err != nil {
			t.Fatalf("%d %%: %v", part, err)
		}
		if w := img.Info().Warnings; len(w) != 1 || !strings.Contains(w[0].Error(), "cut short") {
			t.Errorf("%d %%: %v", part, w)
		}
		if b, err := img.Bytes(c.Pattern, int(c.Len)); err == nil {
			for i := range b {
				if b[i] != pattern(i) {
					t.Fatalf("byte %d is wrong", i)
				}
			}
		} else if !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%d %%: %v", part, err)
		}
		img.Close()
	}
	if err := os.Truncate(path, 500); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCore(path, CoreOptions{}); !errors.Is(err, ErrFormat) {
		t.Errorf("500 bytes: %v", err)
	}
}

func mustExe(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}
