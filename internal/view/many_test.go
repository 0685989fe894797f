package view

import (
	"runtime"
	"slices"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// TestManyStacks divides the work; the naive sums are of one loop.
func TestManyStacks(t *testing.T) {
	p := decode(t, profiletest.Random(1, profiletest.Shape{Samples: 3 * profile.RowsPerPart, Functions: 500, Depth: 6, Inlines: true}).Bytes(profiletest.Wire{}))
	v := prepare(t, p, Defaults())
	g := v.WholeNodes()
	w := v.weights()
	table := v.nodeTable()
	flat, cum := make([]int64, len(g.Nodes)), make([]int64, len(g.Nodes))
	for id := range v.Profile.Stacks.Len() {
		if !w.used[id] {
			continue
		}
		met := map[int32]bool{}
		for i, loc := range v.Profile.Stacks.Of(profile.StackID(id)) {
			for j, f := range table.of(loc) {
				n := g.kept[f]
				if i+j == 0 {
					flat[n] += w.value[id]
				}
				if !met[n] {
					met[n] = true
					cum[n] += w.value[id]
				}
			}
		}
	}
	for i := range g.Nodes {
		if g.Nodes[i].Flat != flat[i] || g.Nodes[i].Cum != cum[i] {
			t.Fatalf("%s: %d %d, want %d %d", g.Name(int32(i)), g.Nodes[i].Flat, g.Nodes[i].Cum, flat[i], cum[i])
		}
	}
}

// TestRewriteManyStacks: several processors make what one makes, to the ids.
func TestRewriteManyStacks(t *testing.T) {
	p := decode(t, profiletest.Random(2, profiletest.Shape{Samples: 3 * profile.RowsPerPart, Functions: 60, Depth: 9, Inlines: true}).Bytes(profiletest.Wire{}))
	is := make([]bool, p.Functions.Len())
	for i := range is {
		is[i] = i%7 == 3
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, f := range map[string]func() *profile.Profile{
		"TakeOut":           func() *profile.Profile { return TakeOut(p, is) },
		"RootAt":            func() *profile.Profile { return RootAt(p, is) },
		"CollapseDirect":    func() *profile.Profile { return CollapseDirect(p) },
		"CollapseRecursion": func() *profile.Profile { return CollapseRecursion(p, is) },
		"FoldPackages":      func() *profile.Profile { return FoldPackages(p, nil) },
	} {
		runtime.GOMAXPROCS(1)
		one := f()
		runtime.GOMAXPROCS(4)
		many := f()
		if err := many.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(one.Stacks.Frames, many.Stacks.Frames) || !slices.Equal(one.Stacks.Offsets, many.Stacks.Offsets) ||
			!slices.Equal(one.Locations.Lines, many.Locations.Lines) || !slices.Equal(one.Samples.Stack, many.Samples.Stack) {
			t.Errorf("%s: several processors made something else than one", name)
		}
	}
}

// TestGraphOfManyStacks: several processors find what one finds, in its order.
func TestGraphOfManyStacks(t *testing.T) {
	p := decode(t, profiletest.Random(3, profiletest.Shape{Samples: 3 * profile.RowsPerPart, Functions: 90, Depth: 7, Inlines: true}).Bytes(profiletest.Wire{}))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	o := Defaults()
	o.Mean = true
	one := prepare(t, p, o).Trim(ForPicture)
	runtime.GOMAXPROCS(4)
	many := prepare(t, p, o).Trim(ForPicture)
	if len(one.Edges) < 20 || !slices.EqualFunc(one.Edges, many.Edges, func(a, b Edge) bool { return a == b }) {
		t.Errorf("%d edges, and %d that differ in something", len(one.Edges), len(many.Edges))
	}
	for i := range one.Nodes {
		a, b := &one.Nodes[i], &many.Nodes[i]
		if a.Flat != b.Flat || a.Cum != b.Cum || a.FlatDiv != b.FlatDiv || a.CumDiv != b.CumDiv || !slices.Equal(a.In, b.In) || !slices.Equal(a.Out, b.Out) {
			t.Fatalf("%s: %+v, want %+v", one.Name(int32(i)), b, a)
		}
	}
}
