package goheap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/proc"
)

// snapshot copies what the plan wants of a running process.
func snapshot(t testing.TB, pid int, plan proc.Plan) proc.Image {
	t.Helper()
	target, err := proc.Attach(pid, proc.Options{Now: time.Now})
	if errors.Is(err, proc.ErrPermission) || errors.Is(err, proc.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	img, how, err := target.Snapshot(context.Background(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	t.Logf("paused %v, child %v, %d KB copied", how.Pause(), how.Child, how.Copied>>10)
	return img
}

// TestPlanIsEnough reads the heap from what the plan has copied, with the
// executable and without, and finds what the whole memory has.
func TestPlanIsEnough(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		alone bool
	}{
		"stripped":               {[]string{"-ldflags=-s -w"}, false},
		"stripped, without":      {[]string{"-ldflags=-s -w"}, true},
		"with executable":        {nil, false},
		"without executable":     {nil, true},
		"moved, with executable": {[]string{"-buildmode=pie"}, false},
		"moved, without":         {[]string{"-buildmode=pie"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			exe := build(t, "leaksvc", "", c.flags...)
			var layouts *Program
			if strings.Contains(name, "stripped") {
				layouts = openExe(t, build(t, "small", ""), nil)
			}
			p := openExe(t, exe, layouts)
			pid := run(t, exe)
			img := snapshot(t, pid, p.Plan(Options{SelfContained: c.alone}))
			if c.alone {
				saved, err := p.Save()
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d KB saved of the program", len(saved)>>10)
				if p, err = LoadProgram(saved); err != nil {
					t.Fatal(err)
				}
			}
			h, err := Read(p, img, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if layouts == nil {
				checkStats(t, h, 0.99)
			} else if s := h.Stats; s.Missed != 0 || s.Free != 0 || s.Typed*10 < s.Objects*9 {
				t.Errorf("%+v", s)
			}
			if len(h.Samples) == 0 {
				t.Error("no samples")
			}
		})
	}
}

// TestBusyProcess reads a process that allocates all the time.
func TestBusyProcess(t *testing.T) {
	exe := leaksvc(t)
	p := openExe(t, exe, nil)
	pid := run(t, exe, "-busy")
	for range 5 {
		h, err := Read(p, snapshot(t, pid, p.Plan(Options{})), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s := h.Stats; s.Free != 0 || s.Objects < 100000 || s.Objects > 110000 {
			t.Errorf("%d objects reached, %d of them free", s.Objects, s.Free)
		}
		for _, w := range h.Warnings {
			t.Log(w)
		}
	}
}

// TestSnapshotFile goes through a file that has the program's parts along.
func TestSnapshotFile(t *testing.T) {
	exe := leaksvc(t)
	p := openExe(t, exe, nil)
	img := snapshot(t, run(t, exe), p.Plan(Options{SelfContained: true}))
	saved, err := p.Save()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "snapshot")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := proc.WriteSnapshot(f, img, proc.SnapshotContents{Sections: []proc.Section{{Name: SectionName, Data: saved}}}); err != nil {
		t.Fatal(err)
	}
	info, _ := f.Stat()
	file, err := proc.OpenSnapshot(name, proc.SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := file.Section(SectionName)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadProgram(data)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Read(loaded, file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a file of %d KB", info.Size()>>10)
	checkStats(t, h, 0.99)
	want, err := Read(p, img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h.Stats != want.Stats || len(h.Samples) != len(want.Samples) || !slices.EqualFunc(h.Goroutines, want.Goroutines, func(a, b Goroutine) bool { return a.ID == b.ID && slices.Equal(a.Stack, b.Stack) }) {
		t.Errorf("from the file: %+v\nfrom the image: %+v", h.Stats, want.Stats)
	}
}

// TestCore reads a core file that gdb wrote.
func TestCore(t *testing.T) {
	gcore, err := exec.LookPath("gcore")
	if err != nil {
		t.Skip("gcore of gdb is not here")
	}
	exe := leaksvc(t)
	pid := run(t, exe)
	name := filepath.Join(t.TempDir(), "core")
	if out, err := exec.Command(gcore, "-o", name, strconv.Itoa(pid)).CombinedOutput(); err != nil {
		t.Skipf("gcore: %v\n%s", err, out)
	}
	img, err := proc.OpenCore(fmt.Sprintf("%s.%d", name, pid), proc.CoreOptions{Exe: exe})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	h, err := Read(openExe(t, exe, nil), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkStats(t, h, 0.99)
}

// TestAnotherBuild wants a program to be refused that is not the one the
// process runs.
func TestAnotherBuild(t *testing.T) {
	img := start(t, leaksvc(t))
	_, err := Read(openExe(t, build(t, "small", ""), nil), img, Options{})
	if !errors.Is(err, ErrProgram) {
		t.Errorf("the heap of one program, read by another: %v", err)
	}
}
