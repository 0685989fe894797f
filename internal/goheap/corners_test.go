package goheap

import (
	"fmt"
	"strings"
	"testing"
)

// corner reads the heap of one case of testdata/corners, from what the plan
// copies.
func corner(t *testing.T, args ...string) *Heap {
	t.Helper()
	exe := build(t, "corners", "")
	p := openExe(t, exe, nil)
	h, err := Read(p, snapshot(t, run(t, exe, args...), p.Plan(Options{})), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range h.Warnings {
		t.Log("warning:", w)
	}
	return h
}

// objects counts the objects of a name, and of at least a size.
func objects(h *Heap, name string, size uint64) (n int) {
	for v := h.FirstObject; v < uint32(h.Graph.Vertices()); v++ {
		if x := h.Vertex(v); x.Size >= size && strings.Contains(x.Name, name) {
			n++
		}
	}
	return n
}

// TestSpilledArgument wants what only the argument of a running function holds.
func TestSpilledArgument(t *testing.T) {
	if n := objects(corner(t, "spill", "-busy"), "", 1<<20); n != 2 { // and the buffer
		t.Errorf("%d objects of 1 MB are alive; want the argument", n)
	}
}

// TestReflectedType wants what an object refers to whose type was made by
// package reflect, and where its pointers are, in memory that is not copied.
func TestReflectedType(t *testing.T) {
	h := corner(t, "reflected")
	if n := objects(h, "", 1<<20); n < 2 { // and the buffer
		t.Errorf("%d objects of 1 MB are alive; want the one behind the pointer", n)
	}
	if h.Stats.Free != 0 {
		t.Errorf("%+v", h.Stats)
	}
	// By chance the plan may have read around there.
	if told := strings.Contains(fmt.Sprint(h.Warnings), "types made while the program ran"); told != (h.maskless > 0) {
		t.Errorf("%d objects, warnings: %v", h.maskless, h.Warnings)
	}
}

// TestEmptyBuffers wants buffers of length 0 not to be told as waste.
func TestEmptyBuffers(t *testing.T) {
	h := corner(t, "pooled")
	if n := objects(h, "", 1<<20); n < 2 {
		t.Errorf("%d buffers", n)
	}
	for _, w := range h.Waste(-1) {
		if w.Bytes >= 1<<20 {
			t.Errorf("%+v: %s", w, h.Name(w.Vertex))
		}
	}
}

// TestPool wants the type of what lies in the queue of a sync.Pool.
func TestPool(t *testing.T) {
	if n := objects(corner(t, "queued"), "main.item", 0); n != 100 {
		t.Errorf("%d objects are known as main.item, want 100", n)
	}
}

// TestSignatures wants the types that package reflect has made to be known:
// those of functions have the types of arguments behind them.
func TestSignatures(t *testing.T) {
	h := corner(t, "signatures")
	for name, want := range map[string]int{"abi.FuncType": 20, "abi.ArrayType": 20} {
		if n := objects(h, name, 0); n < want {
			t.Errorf("%d objects are known as %s, want %d or more", n, name, want)
		}
	}
}

// TestLargeArrays wants objects behind arrays with many pointers to be typed.
func TestLargeArrays(t *testing.T) {
	h := corner(t, "table")
	if n := objects(h, "main.item", 0); n != 40001 {
		t.Errorf("%d objects are known as main.item, want 40001", n)
	}
}
