package goheap

import (
	"maps"
	"reflect"
	"testing"
)

// TestOffsets compares the indexes of large sources with a search for each
// target, and wants an index to be kept while other large sources are asked.
func TestOffsets(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := h.Labels()
	var large []uint32
	for v := range uint32(h.Graph.Vertices()) {
		where := h.offsetsOf(v)
		for i, to := range h.Graph.Targets(v) {
			if i == 200 { // the search is slow
				break
			}
			off, ok := l.offset(v, to)
			if want, found := h.offsetOf(v, to); off != want && found || ok != found {
				t.Fatalf("%s to %s: at %d (%v), a search finds %d (%v)", h.Name(v), h.Name(to), off, ok, want, found)
			}
		}
		if len(where) >= indexFrom/8 {
			large = append(large, v)
		}
	}
	if len(large) < 3 {
		t.Fatalf("%d large sources", len(large))
	}
	first := reflect.ValueOf(l.offsets(large[0])).Pointer()
	for range 3 {
		for _, v := range large[1:min(len(large), indexKept)] {
			l.offsets(v)
		}
		if reflect.ValueOf(l.offsets(large[0])).Pointer() != first {
			t.Error("an index was thrown away")
		}
	}
	for _, o := range l.kept {
		if !maps.Equal(o.where, h.offsetsOf(o.from)) {
			t.Errorf("the index of %s is that of another", h.Name(o.from))
		}
	}
	if len(l.kept) > indexKept {
		t.Errorf("%d indexes are kept", len(l.kept))
	}
}
