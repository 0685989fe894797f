package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// grower starts the program of that name; grow lets it keep more.
func grower(t *testing.T) (pid string, grow func()) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("copies a process: Linux on amd64 only")
	}
	exe := filepath.Join(t.TempDir(), "grower")
	build := exec.Command("go", "build", "-o", exe, "./testdata/grower")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(exe)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	lines := bufio.NewReader(out)
	ready := func() {
		if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("the child said %q: %v", line, err)
		}
	}
	ready()
	return strconv.Itoa(cmd.Process.Pid), func() { io.WriteString(in, "\n"); ready() }
}

// snapshotOf copies a process by the real binary.
func snapshotOf(t *testing.T, exe, pid, name string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	out, err := exec.Command(exe, "snapshot", "-o", path, pid).CombinedOutput()
	if strings.Contains(string(out), "no permission") {
		t.Skip(string(out))
	}
	if err != nil {
		t.Fatalf("snapshot: %v\n%s", err, out)
	}
	return path
}

// whyDiffJSON is what -diff -json prints, as far as the tests look.
type whyDiffJSON struct {
	Schema        string
	Before, After struct {
		Heap       struct{ Bytes, Objects uint64 }
		Goroutines int
		Taken      string
	}
	Growths []struct {
		Sentence, Type, Root, Cut string
		Before, After             struct{ Bytes, Objects uint64 }
		CountBefore               uint64 `json:"count_before"`
		CountAfter                uint64 `json:"count_after"`
		Goroutines                bool
		Sites                     []struct {
			Stack         []struct{ Function string }
			Type          string
			Before, After struct {
				Bytes   float64
				Samples int
			}
		}
	}
	Warnings []string
}

// TestWhyDiff compares what is found with what the program has done.
func TestWhyDiff(t *testing.T) {
	exe := binary(t)
	pid, grow := grower(t)
	before := snapshotOf(t, exe, pid, "before")
	grow()
	after := snapshotOf(t, exe, pid, "after")

	stdout, stderr, code := whyRun(t, exe, "why", "-diff", "-json", "-n=10", before, after)
	var j whyDiffJSON
	if err := json.Unmarshal([]byte(stdout), &j); code != exitOK || err != nil || j.Schema != "why-diff/1" {
		t.Fatalf("code %d, error %v: %s%s", code, err, stdout, stderr)
	}
	for _, want := range []struct {
		name, path, typ, site string
		before, after         uint64
		goroutines            bool
	}{
		{"map of a variable", "main.cache", "*main.session", "main.newSession", 2000, 4000, false},
		{"slice in a struct that a goroutine holds", ".log", "*main.entry", "main.newEntry", 2000, 4000, false},
		{"four maps", ".tables", "*main.entry", "main.newEntry", 1000, 2000, false},
		{"goroutines", "goroutines", "", "main.(*server).grow", 20, 40, true},
	} {
		t.Run(want.name, func(t *testing.T) {
			for _, g := range j.Growths {
				if !strings.Contains(g.Sentence, want.path) || want.typ != "" && g.Type != want.typ || g.Goroutines != want.goroutines {
					continue
				}
				if g.CountBefore != want.before || g.CountAfter != want.after {
					t.Errorf("%d before, %d after, want %d and %d: %s", g.CountBefore, g.CountAfter, want.before, want.after, g.Sentence)
				}
				if len(g.Sites) == 0 || !strings.Contains(g.Sites[0].Stack[0].Function, want.site) || g.Sites[0].After.Bytes <= g.Sites[0].Before.Bytes {
					t.Errorf("sites %+v, want %s first", g.Sites, want.site)
				}
				if g.After.Objects <= g.Before.Objects || g.After.Bytes <= g.Before.Bytes {
					t.Errorf("%+v", g)
				}
				return
			}
			t.Errorf("not found in\n%s", stdout)
		})
	}
	if n := len(j.Growths); n > 6 {
		t.Errorf("%d growths, there are four", n)
	}
	if len(j.Warnings) > 0 || j.Before.Taken == "" || j.After.Goroutines != j.Before.Goroutines+20 {
		t.Errorf("%+v", j)
	}

	t.Run("text", func(t *testing.T) {
		stdout, _, code := whyRun(t, exe, "why", "-diff", before, after)
		if flat := strings.Join(strings.Fields(stdout), " "); code != exitOK || !strings.Contains(flat, "there were 2,000, now 4,000; without main.cache ") || !strings.Contains(flat, "20 goroutines before, 40 now") {
			t.Errorf("code %d\n%s", code, stdout)
		}
	})
	t.Run("the process itself", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-diff", before, pid)
		if code != exitOK || !strings.Contains(stdout, "main.cache") {
			t.Errorf("code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("with itself", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-diff", before, before)
		if code != exitOK || !strings.Contains(stdout, "No path holds more") {
			t.Errorf("code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("backwards", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-diff", after, before)
		if code != exitOK || !strings.Contains(stdout, "No path holds more") {
			t.Errorf("code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("another program", func(t *testing.T) {
		other := snapshotOf(t, exe, keeper(t), "other")
		stdout, stderr, code := whyRun(t, exe, "why", "-diff", before, other)
		if code != exitOK || !strings.Contains(stderr, "these are different programs") || !strings.Contains(stderr, "build id") {
			t.Errorf("code %d\n%s%s", code, stdout, stderr)
		}
	})
}

func TestWhyDiffErrors(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(notes, []byte("hello, world"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"why", "-diff"}, exitUsage, "name two heaps"},
		{[]string{"why", "-diff", notes}, exitUsage, "name two heaps"},
		{[]string{"why", "-diff", "-n=0", notes, notes}, exitUsage, "at least 1"},
		{[]string{"why", "-diff", "-o=x", notes, notes}, exitUsage, "goes with"},
		{[]string{"why", "-diff", notes, notes}, exitError, "profheap"},
		{[]string{"why", "-diff", notes + ".gone", notes}, exitError, "notes.gone"},
	} {
		if _, stderr, code := whyRun(t, "", tt.args...); code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: code %d, %s", tt.args, code, stderr)
		}
	}
}
