package view

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// flameNode is a node of a flame graph made the plain way: sample by sample,
// with a map at every node.
type flameNode struct {
	name                      string
	self, total, base, weight int64
	children                  map[int32]*flameNode
}

func (n *flameNode) child(t *frameTable, f int32) *flameNode {
	if n.children == nil {
		n.children = map[int32]*flameNode{}
	}
	if n.children[f] == nil {
		n.children[f] = &flameNode{name: t.frames[f].String()}
	}
	return n.children[f]
}

// naiveFlame is the root above all roots; cut makes the path of a stack, whose
// frames it gets leaf first; nil leaves the stack out.
func naiveFlame(v *View, cut func(frames []int32) []int32) *flameNode {
	p, t, root := v.Profile, v.nodeTable(), &flameNode{}
	isBase := p.HasStringLabel(profile.BaseLabel, "true")
	for i, id := range p.Samples.Stack {
		var frames []int32
		for _, loc := range p.Stacks.Of(id) {
			frames = append(frames, t.of(loc)...)
		}
		if frames = cut(frames); frames == nil {
			continue
		}
		value, base := v.SampleValue(i), int64(0)
		weight := abs(value)
		if isBase[p.Samples.Labels[i]] {
			value, base = 0, -value
		}
		n := root
		for k := -1; k < len(frames); k++ {
			if k >= 0 {
				n = n.child(t, frames[k])
			}
			n.total, n.base, n.weight = n.total+value, n.base+base, n.weight+weight
		}
		n.self += value
	}
	return root
}

// lines writes the nodes that are not folded, deepest first in order of their
// text: siblings may weigh the same and be called the same.
func (n *flameNode) lines(path string, least int64, hasBase bool, out []string) ([]string, int) {
	folded := 0
	for _, c := range n.children {
		if c.weight == 0 {
			continue // no stack of it weighs anything
		}
		if c.weight < least {
			folded++
			continue
		}
		at, base := path+" > "+c.name, int64(0)
		if hasBase {
			base = c.base
		}
		out = append(out, fmt.Sprint(at, " ", c.self, c.total, base, c.weight))
		var more int
		out, more = c.lines(at, least, hasBase, out)
		folded += more
	}
	return out, folded
}

// checkFlame compares a tree with the naive one: the nodes, what was folded,
// and the order of siblings.
func checkFlame(t *testing.T, what string, got *FlameTree, want *flameNode, share float64) {
	t.Helper()
	paths, lines := make([]string, len(got.Parent)), []string{}
	last := map[int32]int{} // by parent: the sibling before
	for i, parent := range got.Parent {
		if int(parent) >= i {
			t.Fatalf("%s: node %d hangs under %d", what, i, parent)
		}
		if parent >= 0 {
			paths[i] = paths[parent]
		}
		paths[i] += " > " + got.Frame[i].String()
		base := int64(0)
		if got.Base != nil {
			base = got.Base[i]
		}
		lines = append(lines, fmt.Sprint(paths[i], " ", got.Self[i], got.Total[i], base, got.Weight[i]))
		if before, ok := last[parent]; ok {
			if c := cmp.Or(cmp.Compare(got.Weight[i], got.Weight[before]), strings.Compare(paths[before], paths[i])); c > 0 {
				t.Fatalf("%s: %s comes after %s", what, paths[i], paths[before])
			}
		}
		last[parent] = i
	}
	all := int64(0)
	for _, c := range want.children {
		all += c.weight
	}
	text, folded := want.lines("", int64(float64(all)*share), got.Base != nil, nil)
	slices.Sort(lines)
	slices.Sort(text)
	if !slices.Equal(lines, text) || got.Folded != folded {
		t.Fatalf("%s: %d nodes, want %d; %d folded, want %d; first difference\n%s", what, len(lines), len(text), got.Folded, folded, firstDifference(lines, text))
	}
}

// checkFlames compares the three trees of a view.
func checkFlames(t *testing.T, v *View, name string, share float64) {
	t.Helper()
	table := v.nodeTable()
	whole := func(frames []int32) []int32 { return frames }
	down := func(cut func([]int32) []int32) func([]int32) []int32 {
		return func(frames []int32) []int32 {
			frames = slices.Clone(cut(frames))
			slices.Reverse(frames)
			return frames
		}
	}
	outermost := func(frames []int32) int {
		for i := len(frames) - 1; i >= 0; i-- {
			if table.frames[frames[i]].Name == name {
				return i
			}
		}
		return -1
	}
	o := FlameOptions{MinShare: share}
	checkFlame(t, "down", v.FlameBelow(o), naiveFlame(v, down(whole)), share)
	checkFlame(t, "up", v.FlameUp(o), naiveFlame(v, whole), share)
	if name == "" {
		return
	}
	callees, callers := v.FlameAround(name, o, o)
	checkFlame(t, "callees", callees, naiveFlame(v, down(func(f []int32) []int32 { return f[:outermost(f)+1] })), share)
	checkFlame(t, "callers", callers, naiveFlame(v, func(f []int32) []int32 {
		if i := outermost(f); i >= 0 {
			return f[i:]
		}
		return nil
	}), share)
}

// TestFlame compares trees with naive ones, with a base and without.
func TestFlame(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		base := p.KeepSamples(func(i int) bool { return i%3 != 0 })
		diff, err := profile.Diff(p, base, profile.DiffOptions{Mark: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, granularity := range []string{"functions", "lines"} {
			for _, share := range []float64{0, 0.01, 0.2} {
				o := Defaults()
				o.Granularity = granularity
				checkFlames(t, prepare(t, p, o), busiest(p), share)
				checkFlames(t, prepare(t, diff, o), busiest(p), share)
			}
		}
	})
}

// TestFlameOfManyStacks: several processors build what is right, and all the
// same as one does, to the order of what weighs the same.
func TestFlameOfManyStacks(t *testing.T) {
	p := decode(t, profiletest.Random(5, profiletest.Shape{Samples: 3 * profile.RowsPerPart, Functions: 40, Depth: 9, Inlines: true, Negative: true}).Bytes(profiletest.Wire{}))
	name := busiest(p)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, share := range []float64{0, 0.0005, 0.05} {
		var one []*FlameTree
		for _, procs := range []int{1, 4} {
			runtime.GOMAXPROCS(procs)
			v := prepare(t, p, Defaults())
			if procs == 4 {
				checkFlames(t, v, name, share)
			}
			o := FlameOptions{MinShare: share, Levels: 1, Step: func(_ int, f *Frame) bool { return f.Name == name }}
			callees, callers := v.FlameAround(name, FlameOptions{MinShare: share}, o)
			trees := []*FlameTree{v.Flame(share), v.FlameBelow(o), v.FlameUp(o), callees, callers, v.FlameBelow(FlameOptions{MaxNodes: 900})}
			if one == nil {
				one = trees
			}
			for i, got := range trees {
				want := one[i]
				if len(got.Parent) < 2 || !slices.Equal(got.Parent, want.Parent) || !slices.Equal(got.Self, want.Self) || !slices.Equal(got.Total, want.Total) ||
					!slices.Equal(got.Weight, want.Weight) || !slices.EqualFunc(got.Frame, want.Frame, func(a, b *Frame) bool { return *a == *b }) ||
					got.Folded != want.Folded || got.FoldedWeight != want.FoldedWeight || got.MinShare != want.MinShare {
					t.Errorf("tree %d with share %g is not the same with %d processors: %d nodes, want %d", i, share, procs, len(got.Parent), len(want.Parent))
				}
			}
		}
	}
}
