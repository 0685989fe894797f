package why

import (
	"slices"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
)

// TestEarlierIsItself: compared with itself, nothing of a heap has changed.
func TestEarlierIsItself(t *testing.T) {
	a := leaky(t)
	taken := time.Unix(1, 0)
	e := a.Earlier(Program{Path: "leaksvc"}, taken)
	if e.Total != a.Total() || e.Taken != taken {
		t.Errorf("%v at %v, want %v", e.Total, e.Taken, a.Total())
	}
	whole := a.Select(Filter{})
	for _, x := range a.Types(whole) {
		if got := e.Type(x.Name); got != x.Retained.Bytes {
			t.Errorf("type %s had %d, has %d", x.Name, got, x.Retained.Bytes)
		}
	}
	for _, p := range a.Packages(whole) {
		if got := e.Package(p.Name); got != p.Amount.Bytes {
			t.Errorf("package %s had %d, has %d", p.Name, got, p.Amount.Bytes)
		}
		for _, r := range p.Roots {
			if got := e.Root(r.Kind, r.Name); got != r.Amount.Bytes && !twice(p.Roots, r) {
				t.Errorf("root %s had %d, has %d", r.Name, got, r.Amount.Bytes)
			}
		}
	}
	rows := a.Outline(whole, 0)
	var sum, was uint64
	differ := 0
	for i, got := range e.Outline(rows) {
		sum, was = sum+rows[i].Amount.Bytes, was+got
		if got != rows[i].Amount.Bytes {
			differ++ // several rows of one name: the first has it all
		}
	}
	if sum != was || differ > len(rows)/50 {
		t.Errorf("the rows had %d, have %d; %d of %d differ", was, sum, differ, len(rows))
	}
	few := a.Outline(whole, 0.01)
	for i, got := range e.Outline(few) {
		if got != few[i].Amount.Bytes {
			t.Errorf("%s %s had %d, has %d", few[i].Label, few[i].Name, got, few[i].Amount.Bytes)
		}
	}
}

// twice tells roots of one lasting name.
func twice(rows []RootRow, r RootRow) bool {
	n := 0
	for _, x := range rows {
		if x.Kind == r.Kind && lasting(x.Kind, x.Name) == lasting(r.Kind, r.Name) {
			n++
		}
	}
	return n > 1
}

// TestEarlierOutline: rows are known by their names and those above them.
func TestEarlierOutline(t *testing.T) {
	row := func(depth int, kind goheap.Kind, label, name string) OutlineRow {
		return OutlineRow{Step: Step{Kind: kind, Label: label, Name: name}, Depth: depth}
	}
	e := &Earlier{tree: map[pathKey]treeSum{
		{0, "", "main.cache"}:              {1, 100},
		{1, ".m", "map[int]T"}:             {2, 90},
		{0, "", "goroutines at main.wait"}: {3, 40},
		{3, "req", "*T"}:                   {4, 30},
	}}
	rows := []OutlineRow{
		row(0, goheap.KindGlobal, "", "main.cache"),
		row(1, goheap.KindObject, ".m", "map[int]T"),
		row(2, goheap.KindObject, "[elem]", "T"),
		row(1, goheap.KindObject, ".n", "map[int]T"),
		row(0, goheap.KindGlobal, "", "main.other"),
		row(1, goheap.KindObject, ".m", "map[int]T"),
		row(0, goheap.KindGroup, "", "20 goroutines [chan receive] at main.wait"),
		row(1, goheap.KindLocal, "req", "*T"),
		row(0, goheap.KindGroup, "", "2 goroutines [select] at main.wait"),
	}
	if got, want := e.Outline(rows), []uint64{100, 90, 0, 0, 0, 0, 40, 30, 0}; !slices.Equal(got, want) {
		t.Errorf("%d, want %d", got, want)
	}
}
