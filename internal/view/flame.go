package view

import (
	"sort"

	"github.com/profoundhq/profound/internal/profile"
)

// FlameTree is the tree of call paths for a flame graph, in columns: node i
// hangs under Parent[i] < i, -1 for roots. Paths whose share is below the
// threshold of Flame are not descended into.
type FlameTree struct {
	Parent []int32
	Frame  []*Frame
	// Self and Total are in the unit of the view. Base is what the node has in
	// the base of a marked diff, nil without one; Weight adds absolute values
	// up, so that a node where gains and losses cancel still has a width.
	Self, Total, Base, Weight []int64
	// Folded counts the paths left out, FoldedWeight what they weigh.
	Folded       int
	FoldedWeight int64
}

// Flame builds the tree of paths that weigh at least minShare of all. It
// descends by partitioning the stacks, so that its memory does not grow with
// the number of paths that are too small to see.
func (v *View) Flame(minShare float64) *FlameTree {
	b := newFlameBuilder(v)
	var all int64
	for _, p := range b.paths {
		all += b.weight[p.stack]
	}
	b.least = int64(float64(all) * minShare)
	b.descend(-1, b.paths, 0)
	return b.t
}

// flamePath is a stack and how far it was descended into: the location,
// counted from the root, and the line within it.
type flamePath struct {
	stack int32
	loc   int32 // index into the stack's frames, -1 when exhausted
	line  int32 // index into the location's lines
}

type flameBuilder struct {
	v                   *View
	t                   *FlameTree
	ft                  *frameTable
	value, base, weight []int64 // by stack
	paths               []flamePath
	least               int64
}

func newFlameBuilder(v *View) *flameBuilder {
	p := v.Profile
	n := p.Stacks.Len()
	b := &flameBuilder{v: v, t: &FlameTree{}, ft: v.nodeTable(), value: make([]int64, n), weight: make([]int64, n)}
	isBase := p.HasStringLabel(profile.BaseLabel, "true")
	marked := false
	for _, m := range isBase {
		marked = marked || m
	}
	if marked {
		b.base = make([]int64, n)
		b.t.Base = []int64{}
	}
	for i, s := range p.Samples.Stack {
		x := v.SampleValue(i)
		b.weight[s] += abs(x)
		if marked && isBase[p.Samples.Labels[i]] {
			b.base[s] -= x
		} else {
			b.value[s] += x
		}
	}
	for s := range n {
		if b.weight[s] > 0 {
			b.paths = append(b.paths, b.first(int32(s)))
		}
	}
	return b
}

func (b *flameBuilder) first(s int32) flamePath {
	p := flamePath{stack: s, loc: int32(len(b.v.Profile.Stacks.Of(profile.StackID(s)))), line: 0}
	return b.next(p)
}

// next moves one frame towards the leaf.
func (b *flameBuilder) next(p flamePath) flamePath {
	p.line--
	if p.line >= 0 {
		return p
	}
	frames := b.v.Profile.Stacks.Of(profile.StackID(p.stack))
	for p.loc--; p.loc >= 0; p.loc-- {
		if lines := b.ft.of(frames[p.loc]); len(lines) > 0 {
			p.line = int32(len(lines)) - 1
			return p
		}
	}
	return p
}

func (b *flameBuilder) frame(p flamePath) int32 {
	return b.ft.of(b.v.Profile.Stacks.Of(profile.StackID(p.stack))[p.loc])[p.line]
}

// maxFlameDepth bounds the recursion; deeper frames are folded.
const maxFlameDepth = 4096

// descend groups paths by their next frame, adds a node for each group that
// is heavy enough and goes on inside it.
func (b *flameBuilder) descend(parent int32, paths []flamePath, depth int) {
	groups := map[int32]*flameGroup{}
	for _, p := range paths {
		if p.loc < 0 {
			if parent >= 0 {
				b.t.Self[parent] += b.value[p.stack]
			}
			continue
		}
		f := b.frame(p)
		g := groups[f]
		if g == nil {
			g = &flameGroup{frame: f}
			groups[f] = g
		}
		g.n++
		g.total += b.value[p.stack]
		g.weight += b.weight[p.stack]
		if b.base != nil {
			g.base += b.base[p.stack]
		}
	}
	kept := make([]*flameGroup, 0, len(groups))
	for _, g := range groups {
		if g.weight < b.least || depth >= maxFlameDepth {
			b.t.Folded++
			b.t.FoldedWeight += g.weight
			continue
		}
		g.keep = true
		kept = append(kept, g)
	}
	if len(kept) == 0 {
		return
	}
	sort.Slice(kept, func(i, j int) bool {
		if kept[i].weight != kept[j].weight {
			return kept[i].weight > kept[j].weight
		}
		return b.ft.name(kept[i].frame) < b.ft.name(kept[j].frame)
	})
	for _, p := range paths {
		if p.loc < 0 {
			continue
		}
		if g := groups[b.frame(p)]; g.keep {
			if g.paths == nil {
				g.paths = make([]flamePath, 0, g.n)
			}
			g.paths = append(g.paths, b.next(p))
		}
	}
	for _, g := range kept {
		inside := g.paths
		g.paths = nil // not needed below: a level of paths each would add up
		b.descend(b.add(parent, g), inside, depth+1)
	}
}

// flameGroup are the paths that share their next frame.
type flameGroup struct {
	frame               int32
	n                   int
	total, base, weight int64
	keep                bool
	paths               []flamePath
}

func (b *flameBuilder) add(parent int32, g *flameGroup) int32 {
	t := b.t
	t.Parent = append(t.Parent, parent)
	t.Frame = append(t.Frame, &b.ft.frames[g.frame])
	t.Self = append(t.Self, 0)
	t.Total = append(t.Total, g.total)
	t.Weight = append(t.Weight, g.weight)
	if b.base != nil {
		t.Base = append(t.Base, g.base)
	}
	return int32(len(t.Parent) - 1)
}
