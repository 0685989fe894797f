package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/why"
)

// TestRetainedProfile compares a written profile with the heap it is of.
func TestRetainedProfile(t *testing.T) {
	exe := binary(t)
	snapshot := snapshotOf(t, exe, keeper(t), "keeper")
	dir := t.TempDir()
	write := func(args ...string) *profile.Profile {
		t.Helper()
		path := filepath.Join(dir, "retained.pb.gz")
		args = append([]string{"why", "-o", path}, append(args, snapshot)...)
		if _, stderr, code := whyRun(t, exe, args...); code != exitOK || !strings.Contains(stderr, "written to") {
			t.Fatalf("%v: code %d: %s", args, code, stderr)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, _, err := format.Decode(f, path, format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	e := &env{stdout: new(bytes.Buffer), stderr: new(bytes.Buffer), getenv: func(string) string { return "" }, now: time.Now, exe: exe, width: func() int { return 0 }}
	h, err := analyse(t.Context(), snapshot, heapOptions{}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()

	t.Run("everything", func(t *testing.T) {
		p := write()
		bytes, objects := totals(p)
		if total := h.Result.Total(); uint64(bytes) != total.Bytes || uint64(objects) != total.Objects {
			t.Errorf("%d bytes in %d objects, the heap has %v", bytes, objects, total)
		}
		// A root's frame is in no stack but its own: its cum is what goes free
		// without it, found by marking what is left.
		cum := cumOf(p)
		compared := 0
		for v := uint32(1); v < h.Heap.FirstObject; v++ {
			if h.Heap.Kind(v) != goheap.KindGlobal || h.Result.Retained(v).Bytes < 10_000 {
				continue
			}
			compared++
			free := h.Result.WhatIf(nil, []uint32{v}).Amount
			if got := cum[h.Heap.Name(v)+" (package variable)"]; uint64(got) != free.Bytes {
				t.Errorf("%s: %d bytes, without it %d go free", h.Heap.Name(v), got, free.Bytes)
			}
		}
		if compared < 10 {
			t.Errorf("only %d variables compared", compared)
		}
	})
	t.Run("a site", func(t *testing.T) {
		p := write("-at=main.newSession")
		bytes, _ := totals(p)
		want := h.Amount(h.Select(why.Filter{Site: func(stack []goheap.Frame) bool {
			for _, f := range stack {
				if f.Func == "main.newSession" {
					return true
				}
			}
			return false
		}}))
		if diff := bytes - int64(want.Bytes); diff < -100 || diff > 100 {
			t.Errorf("%d bytes, the selection has %d", bytes, want.Bytes)
		}
		if labels := p.LabelSets.Labels; len(labels) == 0 || !strings.HasPrefix(p.Str(labels[0].Str), "main.newSession ") || p.Str(labels[0].Key) != why.SiteLabel {
			t.Errorf("labels %v", labels)
		}
	})
	t.Run("reports", func(t *testing.T) {
		path := filepath.Join(dir, "all.pb.gz")
		whyRun(t, exe, "why", "-o", path, snapshot)
		for _, args := range [][]string{{"-top", "-cum", path}, {"-svg", path}, {"-top", "-json", path}} {
			stdout, stderr, code := whyRun(t, exe, args...)
			if code != exitOK || !strings.Contains(stdout, "map[string]*main.Session") || strings.Contains(stderr, "rror") {
				t.Errorf("%v: code %d: %s", args, code, stderr)
			}
		}
		out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", path).Output()
		if err != nil {
			t.Skip("go tool pprof: ", err)
		}
		ours, _, _ := whyRun(t, exe, "-top", "-cum", path)
		if string(out) != ours {
			t.Errorf("go tool pprof prints\n%s\nnot\n%s", out, ours)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		path := filepath.Join(dir, "none.pb.gz")
		_, stderr, code := whyRun(t, exe, "why", "-o", path, "-at=nobody", snapshot)
		if _, err := os.Stat(path); code != exitError || err == nil {
			t.Errorf("code %d: %s, file %v", code, stderr, err)
		}
	})
}

func totals(p *profile.Profile) (bytes, objects int64) {
	for i := range p.Samples.Stack {
		bytes += p.Samples.Values[0][i]
		objects += p.Samples.Values[1][i]
	}
	return bytes, objects
}

// cumOf is the first value of each function with what is below it.
func cumOf(p *profile.Profile) map[string]int64 {
	cum := map[string]int64{}
	for i, s := range p.Samples.Stack {
		seen := map[string]bool{}
		for _, l := range p.Stacks.Of(s) {
			name := p.FunctionName(p.Locations.LinesOf(l)[0].Function)
			if !seen[name] {
				cum[name] += p.Samples.Values[0][i]
			}
			seen[name] = true
		}
	}
	return cum
}
