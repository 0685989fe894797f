package goheap

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestWaste knows how much the service keeps of arrays of which it shows
// little, and of what else it wastes, whatever lies about in garbage.
func TestWaste(t *testing.T) {
	t.Run("clean", func(t *testing.T) { checkWaste(t) })
	t.Run("litter", func(t *testing.T) { checkWaste(t, "-litter") })
}

func checkWaste(t *testing.T, args ...string) {
	exe := leaksvc(t)
	p := openExe(t, exe, nil)
	h, err := Read(p, start(t, exe, args...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	type sum struct{ n, bytes, used uint64 }
	windows := map[uint64]*sum{}
	var list, m bool
	for _, w := range h.Waste(-1) {
		switch w.Kind {
		case WasteWindow:
			if windows[w.Bytes] == nil {
				windows[w.Bytes] = &sum{}
			}
			s := windows[w.Bytes]
			s.n, s.bytes, s.used = s.n+1, s.bytes+w.Bytes, s.used+w.Used
		case WasteCapacity:
			list = list || w.Bytes >= 80000 && w.Used == 8 && h.Name(w.Vertex) == "[]*main.Tiny"
		case WasteMap:
			m = m || h.Name(w.Vertex) == "map[int]*main.Tiny" && w.Used*100 < w.Bytes
		}
	}
	if s := windows[64<<10]; s == nil || *s != (sum{50, 50 * 64 << 10, 50 * 16}) {
		t.Errorf("sub-slices: %v; want 50 arrays of 64 KB, 800 bytes seen", s)
	}
	if s := windows[8<<10]; s == nil || *s != (sum{50, 50 * 8 << 10, 50 * 10}) {
		t.Errorf("substrings: %v; want 50 arrays of 8 KB, 500 bytes seen", s)
	}
	if !list {
		t.Error("the slice with room for 10000 and one element was not found")
	}
	if !m {
		t.Error("the map whose entries were deleted was not found")
	}
}

// TestDuplicates finds a text that is there 100 times, if texts were copied.
func TestDuplicates(t *testing.T) {
	exe := leaksvc(t)
	p := openExe(t, exe, nil)
	pid := run(t, exe)
	read := func(o Options) *Heap {
		h, err := Read(p, snapshot(t, pid, p.Plan(o)), o)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	ds, err := read(Options{Contents: true}).Duplicates(3)
	if err != nil || len(ds) == 0 || ds[0].Count != 100 || ds[0].Length != 300 || !strings.HasPrefix(ds[0].Text, "again and ") {
		t.Errorf("%+v, %v; want a text of 300 bytes 100 times", ds, err)
	}
	if _, err := read(Options{}).Duplicates(3); !errors.Is(err, ErrMemory) {
		t.Errorf("without the contents: %v", err)
	}
}

// TestGoroutines knows the groups of the service, and that its clock runs.
func TestGoroutines(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, g := range h.Groups {
		q := &h.Goroutines[g.Goroutines[0]]
		if len(g.Goroutines) != 50 {
			continue
		}
		found = true
		if q.State != "waiting" || q.Wait != "chan receive" || q.Since == 0 || q.Since > h.Clock || g.StackBytes < 50*2048 {
			t.Errorf("%+v: %+v", g, q)
		}
		i := slices.IndexFunc(q.Stack, func(f Frame) bool { return f.Func == "main.blockedWorker" })
		if i < 0 || !strings.HasSuffix(q.Stack[i].File, "main.go") || q.Stack[i].Line == 0 || q.Create.Func != "main.block" {
			t.Errorf("stack %v created by %v", q.Stack, q.Create)
		}
	}
	if !found {
		t.Error("no group of 50 goroutines")
	}
	if share := float64(h.Stats.NamedSlots) / float64(h.Stats.Slots); share < 0.95 {
		t.Errorf("%.1f %% of the pointers in frames have a variable; want 95 %%", 100*share)
	}
}

// TestSamples compares the estimate by the memory profile with what is there.
func TestSamples(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, same, typed := 0.0, 0, 0
	for _, s := range h.Samples {
		b := &h.Buckets[s.Bucket]
		sum += b.Weight * float64(b.Size)
		if own := h.Type(s.Vertex); own != nil && b.Type != nil {
			typed++
			if own == b.Type || own.Size == b.Type.Size {
				same++
			}
		}
	}
	if share := sum / float64(h.Stats.Bytes); share < 0.8 || share > 1.2 {
		t.Errorf("%d samples stand for %.0f bytes; there are %d", len(h.Samples), sum, h.Stats.Bytes)
	}
	if typed < len(h.Samples)/2 || same*10 < typed*9 {
		t.Errorf("of %d samples, %d have a type from their site, and %d the same as by their references", len(h.Samples), typed, same)
	}
	t.Logf("%d samples, %d typed by their site, %d the same", len(h.Samples), typed, same)
	for _, b := range h.Buckets {
		if len(b.Stack) == 0 || b.Weight < 1 {
			t.Errorf("bucket %+v", b)
		}
	}
}
