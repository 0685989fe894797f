package goheap

import (
	"flag"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestCollectorOracle compares what is reached with what the collector has
// left over: right after a collection they are the same.
func TestCollectorOracle(t *testing.T) {
	exe := leaksvc(t)
	p := openExe(t, exe, nil)
	checkOracle(t, p, exe)
}

func checkOracle(t *testing.T, p *Program, exe string) {
	h, err := Read(p, start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.GoVersion)
	untyped(t, h)
	checkStats(t, h, 0.99)
}

// checkStats wants a heap read right after a collection to be exact, and the
// given share of objects to have a type.
func checkStats(t *testing.T, h *Heap, typed float64) {
	t.Helper()
	s := h.Stats
	t.Logf("%+v", s)
	for _, w := range h.Warnings {
		t.Log("warning:", w)
	}
	if s.Missed != 0 || s.Free != 0 || s.Objects != s.Allocated {
		t.Errorf("%d objects reached, %d given out: %d (%d bytes) were missed, %d are free", s.Objects, s.Allocated, s.Missed, s.MissedBytes, s.Free)
		missed(t, h)
	}
	if share := float64(s.Typed) / float64(s.Objects); share < typed {
		t.Errorf("%.2f %% of objects have a type; want %.0f %%", 100*share, 100*typed)
	}
	if all := s.MaskAgree + s.MaskDisagree; float64(s.MaskDisagree) > 0.005*float64(all) {
		t.Errorf("the types of %d of %d objects contradict their pointer bitmaps", s.MaskDisagree, all)
	}
}

// missed lists objects that the allocator has given out and nothing reaches.
func missed(t *testing.T, h *Heap) {
	n := 0
	for i := range h.spans {
		s := &h.spans[i]
		for k := range s.count {
			slot := s.first + k
			if h.allocated(slot) == h.marks.has(slot) {
				continue
			}
			if n++; n > 20 {
				return
			}
			t.Logf("%#x: slot of %d bytes, mode %d, given out %v, reached %v", h.addr(slot), s.elem, s.mode, h.allocated(slot), h.marks.has(slot))
		}
	}
}

// TestCollectorOracleOfVersions does the same with programs of other versions
// of Go, as far as their toolchains are on this machine: get one with
// GOTOOLCHAIN=go1.24.11 go version.
func TestCollectorOracleOfVersions(t *testing.T) {
	for _, v := range olderVersions {
		t.Run(v, func(t *testing.T) {
			needToolchain(t, v)
			exe := build(t, "leaksvc", v)
			checkOracle(t, openExe(t, exe, nil), exe)
		})
	}
}

// olderVersions are the versions of Go the heap of which can be read, beside
// the installed one.
var olderVersions = [...]string{"go1.22.12", "go1.23.12", "go1.24.11", "go1.25.5"}

// needToolchain skips where a toolchain would have to be fetched, or where
// there is no time to build its standard library.
func needToolchain(t testing.TB, name string) {
	if testing.Short() {
		t.Skip("builds the standard library of another version")
	}
	cmd := exec.Command("go", "version")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+name, "GOPROXY=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%s is not here: %s", name, out)
	}
}

// TestCollectorOracleOfBuilds does the same with other ways to build.
func TestCollectorOracleOfBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds several programs")
	}
	for name, flags := range map[string][]string{
		"position independent": {"-buildmode=pie"},
		"not optimised":        {"-gcflags=-N -l"},
		"DWARF uncompressed":   {"-ldflags=-compressdwarf=false"},
		"race detector":        {"-race"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("gcc"); err != nil && name == "race detector" {
				t.Skip("the race detector needs gcc")
			}
			exe := build(t, "leaksvc", "", flags...)
			checkOracle(t, openExe(t, exe, nil), exe)
		})
	}
}

// variants asks for programs that take minutes to build.
var variants = flag.Bool("variants", false, "run TestCollectorOracleOfExperiments")

// TestCollectorOracleOfExperiments does the same with other collectors and
// maps, each of which needs a standard library of its own.
func TestCollectorOracleOfExperiments(t *testing.T) {
	if !*variants {
		t.Skip("builds several standard libraries; see -variants")
	}
	for _, v := range [...]string{"+nogreenteagc", "+norandomizedheapbase64", "+nosizespecializedmalloc", "+nodwarf5",
		"go1.25.5+greenteagc", "go1.25.5+noswissmap", "go1.24.11+noswissmap", "go1.24.11+aliastypeparams,nospinbitmutex"} {
		t.Run(v, func(t *testing.T) {
			exe := build(t, "leaksvc", v)
			checkOracle(t, openExe(t, exe, nil), exe)
		})
	}
}

// untyped lists what has no type, or one that contradicts the bitmap.
func untyped(t *testing.T, h *Heap) {
	ty := &typing{heapView: h.heapView}
	kinds := map[string]int{}
	for v := h.FirstObject; v < uint32(h.Graph.Vertices()); v++ {
		slot := h.slotOf(v)
		switch s, typ := h.spanOf(slot), h.Type(v); {
		case typ == nil:
			kinds[h.Name(v)]++
		case s.mode == scanBitmap && !ty.fits(s, slot, typ):
			kinds["contradicted: "+typ.Name]++
		}
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return kinds[b] - kinds[a] })
	for _, n := range names[:min(len(names), 12)] {
		t.Logf("%6d %s", kinds[n], n)
	}
}

// TestStripped reads a program without DWARF by the layouts of another one.
func TestStripped(t *testing.T) {
	for _, v := range []string{"", "go1.25.5"} {
		t.Run("toolchain "+v, func(t *testing.T) {
			if v != "" {
				needToolchain(t, v)
			}
			layouts := openExe(t, build(t, "small", v), nil)
			exe := build(t, "leaksvc", v, "-ldflags=-s -w")
			p := openExe(t, exe, layouts)
			img := start(t, exe)
			h, err := Read(p, img, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := h.Stats
			t.Logf("%+v", s)
			if s.Missed != 0 || s.Free != 0 {
				t.Errorf("%d objects were missed, %d are free", s.Missed, s.Free)
			}
			if len(h.Buckets) == 0 || len(h.Buckets[0].Stack) == 0 {
				t.Error("no allocation stacks")
			}
			if share := float64(s.TypedBytes) / float64(s.Bytes); share < 0.7 {
				t.Errorf("%.1f %% of bytes have a type; want 70 %%", 100*share)
			}
		})
	}
}
