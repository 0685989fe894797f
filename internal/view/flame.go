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
	// MinShare is the share below which paths were left out.
	MinShare float64

	all int64 // what the paths weigh, those left out too
}

// Flame builds the tree of paths that weigh at least minShare of all. It
// descends by partitioning the stacks, so that its memory does not grow with
// the number of paths that are too small to see.
func (v *View) Flame(minShare float64) *FlameTree {
	return v.FlameBelow(FlameOptions{MinShare: minShare})
}

// FlameOptions bound a flame graph.
type FlameOptions struct {
	// MinShare is the share of the whole below which paths are left out.
	MinShare float64
	// MaxNodes is how many nodes there may be; 0 is no bound. A tree that
	// would have more is built again with a larger MinShare.
	MaxNodes int
	// Enough is how many nodes a tree may have that is not cut after all, since
	// cutting would leave out a tenth of the whole: light paths can be most of a
	// profile together.
	Enough int
	// Levels and Step ask for the subtree at the end of a path from the root:
	// Step tells which frame the path takes at each of its levels. The nodes of
	// the path come first, each the only child of the one before, with their
	// true values; MinShare is of the last one. A path that leads nowhere ends
	// where it is left: the tree has fewer than Levels nodes then.
	Levels int
	Step   func(level int, f *Frame) bool
}

// FlameBelow is Flame within bounds.
func (v *View) FlameBelow(o FlameOptions) *FlameTree {
	for {
		t := v.flameOnce(o)
		if t == nil {
			o.MinShare = max(4*o.MinShare, 1e-6)
			continue
		}
		// Each stack ends at a node of its own, so that many need not be tried.
		if t.FoldedWeight > t.all/10 && v.Profile.Stacks.Len() <= o.Enough {
			o.MinShare, o.MaxNodes = 0, o.Enough
			if whole := v.flameOnce(o); whole != nil {
				return whole
			}
		}
		return t
	}
}

// flameOnce builds a tree, nil if it would have more than MaxNodes.
func (v *View) flameOnce(o FlameOptions) *FlameTree {
	b := newFlameBuilder(v)
	b.most = o.MaxNodes
	b.build(o)
	if b.full {
		return nil
	}
	b.t.MinShare = o.MinShare
	return b.t
}

func (b *flameBuilder) build(o FlameOptions) {
	parent, paths := int32(-1), b.paths
	for level := range min(o.Levels, maxFlameDepth) {
		var g *flameGroup
		if g = b.onto(paths, func(f *Frame) bool { return o.Step(level, f) }); g == nil {
			return
		}
		for _, p := range paths {
			if parent >= 0 && p.frame < 0 {
				b.t.Self[parent] += b.value[p.stack]
			}
		}
		parent, paths = b.add(parent, g), g.paths
	}
	var all int64
	for _, p := range paths {
		all += b.weight[p.stack]
	}
	b.t.all = all
	b.least = int64(float64(all) * o.MinShare)
	b.descend(parent, paths, o.Levels)
}

// onto is the group of paths whose next frame is meant, the heaviest if
// several frames are; nil if there is none.
func (b *flameBuilder) onto(paths []flamePath, meant func(*Frame) bool) *flameGroup {
	groups := map[int32]*flameGroup{}
	var best *flameGroup
	for i := range paths {
		p := &paths[i]
		f := p.frame
		if f < 0 {
			continue
		}
		g, known := groups[f]
		if !known {
			if meant(&b.ft.frames[f]) {
				g = &flameGroup{frame: f}
			}
			groups[f] = g
		}
		if g == nil {
			continue
		}
		b.count(g, p)
		g.paths = append(g.paths, b.next(*p))
		if best == nil || g.weight > best.weight || g.weight == best.weight && b.ft.name(g.frame) < b.ft.name(best.frame) {
			best = g
		}
	}
	return best
}

// count adds a path to a group.
func (b *flameBuilder) count(g *flameGroup, p *flamePath) {
	g.n++
	g.total += b.value[p.stack]
	g.weight += b.weight[p.stack]
	if b.base != nil {
		g.base += b.base[p.stack]
	}
}

// flamePath is a stack and how far it was descended into.
type flamePath struct {
	at    int64 // of the location in the table of all stacks' frames
	stack int32
	left  int32 // how many locations there are below it
	line  int32 // index into the location's lines
	frame int32 // number of the frame at the line, -1 when the stack has ended
}

type flameBuilder struct {
	v                   *View
	t                   *FlameTree
	ft                  *frameTable
	value, base, weight []int64 // by stack
	paths               []flamePath
	least               int64
	most                int // nodes; 0 is no bound
	full                bool
	slot                []int32 // by frame: its group plus 1 while a level is grouped
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
	b.paths = make([]flamePath, 0, n)
	for s := range n {
		if b.weight[s] > 0 {
			b.paths = append(b.paths, b.first(int32(s)))
		}
	}
	return b
}

func (b *flameBuilder) first(s int32) flamePath {
	o := b.v.Profile.Stacks.Offsets
	return b.next(flamePath{at: int64(o[s+1]), stack: s, left: int32(o[s+1] - o[s])})
}

// next moves one frame towards the leaf.
func (b *flameBuilder) next(p flamePath) flamePath {
	frames := b.v.Profile.Stacks.Frames
	if p.line > 0 {
		p.line--
		p.frame = b.ft.of(frames[p.at])[p.line]
		return p
	}
	for p.left > 0 {
		p.left--
		p.at--
		if lines := b.ft.of(frames[p.at]); len(lines) > 0 {
			p.line = int32(len(lines)) - 1
			p.frame = lines[p.line]
			return p
		}
	}
	p.frame = -1
	return p
}

// maxFlameDepth bounds the recursion; deeper frames are folded.
const maxFlameDepth = 4096

// descend groups paths by their next frame, adds a node for each group that
// is heavy enough and goes on inside it.
func (b *flameBuilder) descend(parent int32, paths []flamePath, depth int) {
	groups := b.group(parent, paths)
	kept := make([]*flameGroup, 0, len(groups))
	for _, g := range groups {
		if g.weight < b.least || depth >= maxFlameDepth {
			b.t.Folded++
			b.t.FoldedWeight += g.weight
			b.slot[g.frame] = 0
			continue
		}
		g.paths = make([]flamePath, 0, g.n)
		kept = append(kept, g)
	}
	if len(kept) == 0 {
		return
	}
	for i := range paths {
		p := &paths[i]
		if p.frame < 0 || b.slot[p.frame] == 0 {
			continue
		}
		g := groups[b.slot[p.frame]-1]
		g.paths = append(g.paths, b.next(*p))
	}
	for _, g := range kept {
		b.slot[g.frame] = 0
	}
	sort.Slice(kept, func(i, j int) bool {
		if kept[i].weight != kept[j].weight {
			return kept[i].weight > kept[j].weight
		}
		return b.ft.name(kept[i].frame) < b.ft.name(kept[j].frame)
	})
	for _, g := range kept {
		if b.most > 0 && len(b.t.Parent) >= b.most {
			b.full = true
			return
		}
		inside := g.paths
		g.paths = nil // not needed below: a level of paths each would add up
		b.descend(b.add(parent, g), inside, depth+1)
	}
}

// group adds paths up by their next frame; slot tells which group a frame has
// afterwards. Paths that end here count for the parent itself.
func (b *flameBuilder) group(parent int32, paths []flamePath) []*flameGroup {
	if b.slot == nil {
		b.slot = make([]int32, len(b.ft.frames))
	}
	var groups []*flameGroup
	for i := range paths {
		p := &paths[i]
		if p.frame < 0 {
			if parent >= 0 {
				b.t.Self[parent] += b.value[p.stack]
			}
			continue
		}
		n := b.slot[p.frame]
		if n == 0 {
			groups = append(groups, &flameGroup{frame: p.frame})
			n = int32(len(groups))
			b.slot[p.frame] = n
		}
		b.count(groups[n-1], p)
	}
	return groups
}

// flameGroup are the paths that share their next frame.
type flameGroup struct {
	frame               int32
	n                   int
	total, base, weight int64
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
