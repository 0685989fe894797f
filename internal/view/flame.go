package view

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	s := newFlameStacks(v)
	return s.tree(s.paths(s.fromRoot), o)
}

// FlameUp is FlameBelow with every stack upside down: the tree grows from what
// was sampled to its callers.
func (v *View) FlameUp(o FlameOptions) *FlameTree {
	s := newFlameStacks(v).upwards()
	return s.tree(s.paths(s.fromLeaf), o)
}

// FlameAround splits the stacks with an entry called name at their outermost
// one: callees grows to what is below it, callers to what is above it. Both
// begin with the entry.
func (v *View) FlameAround(name string, below, above FlameOptions) (callees, callers *FlameTree) {
	s := newFlameStacks(v)
	paths := s.paths(s.fromOutermost(v.Profile, entriesNamed(v.Profile, name)))
	up := make([]flamePath, len(paths))
	for i, p := range paths {
		up[i] = s.turned(p)
	}
	return s.tree(paths, below), s.upwards().tree(up, above)
}

// tree builds the tree of paths.
func (s *flameStacks) tree(paths []flamePath, o FlameOptions) *FlameTree {
	for {
		t := s.treeOnce(paths, o)
		if t == nil {
			o.MinShare = max(4*o.MinShare, 1e-6)
			continue
		}
		// Each stack ends at a node of its own, so that many need not be tried.
		if t.FoldedWeight > t.all/10 && s.stacks.Len() <= o.Enough {
			o.MinShare, o.MaxNodes = 0, o.Enough
			if whole := s.treeOnce(paths, o); whole != nil {
				return whole
			}
		}
		return t
	}
}

// treeOnce builds a tree, nil if it would have more than MaxNodes.
func (s *flameStacks) treeOnce(paths []flamePath, o FlameOptions) *FlameTree {
	b := newFlameBuilder(s, o.MaxNodes)
	b.build(paths, o)
	if b.full {
		return nil
	}
	b.t.MinShare = o.MinShare
	return b.t
}

// maxFlameDepth bounds the recursion; deeper frames are folded.
const maxFlameDepth = 4096

// worthSharing is from how many paths on a tree is built by several workers.
const worthSharing = 1 << 12

// flameBuilder builds a tree. Of a large one it builds the trunk itself and
// leaves the branches to workers, which are builders too; join puts them in
// their places, so that the tree is what one alone would have built.
type flameBuilder struct {
	s     *flameStacks
	t     *FlameTree
	level flameLevel
	least int64
	most  int // nodes; 0 is no bound
	full  bool
	ended int64 // value of the paths that end above the first node

	few      int // paths that are left to a worker
	branches []flameBranch
}

// flameBranch is what hangs below a node of the trunk: nodes from one to
// another of the tree of a worker.
type flameBranch struct {
	node     int32
	depth    int
	paths    []flamePath
	by       *flameBuilder
	from, to int
	ended    int64
}

func newFlameBuilder(s *flameStacks, most int) *flameBuilder {
	b := &flameBuilder{s: s, t: &FlameTree{}, most: most}
	if s.base != nil {
		b.t.Base = []int64{}
	}
	return b
}

func (b *flameBuilder) build(paths []flamePath, o FlameOptions) {
	b.level.shared = true
	parent := int32(-1)
	for level := range min(o.Levels, maxFlameDepth) {
		g, ended := b.onto(paths, func(f *Frame) bool { return o.Step(level, f) })
		if g == nil {
			return
		}
		b.end(parent, ended)
		parent, paths = b.add(parent, g), g.paths
	}
	var all int64
	for i := range paths {
		all += b.s.weight[paths[i].stack]
	}
	b.t.all = all
	b.least = int64(float64(all) * o.MinShare)
	if workers := runtime.GOMAXPROCS(0); workers > 1 && len(paths) >= worthSharing {
		const branches = 8 // for each worker, so that all end at about the same time
		b.few = len(paths) / (branches * workers)
		b.s.ft.nameAll()
	}
	b.descend(parent, paths, o.Levels)
	if len(b.branches) > 0 && !b.full {
		b.grow()
		b.join()
	}
}

// onto is the group of paths whose next frame is meant, the heaviest if
// several frames are; nil if there is none. ended is the value of the paths
// that have no next frame.
func (b *flameBuilder) onto(paths []flamePath, meant func(*Frame) bool) (g *flameGroup, ended int64) {
	groups, ended := b.level.group(b.s, paths)
	var best *flameGroup
	for i := range groups {
		g := &groups[i]
		if meant(&b.s.ft.frames[g.frame]) && (best == nil || b.compare(g, best) < 0) {
			best = g
		}
	}
	kept := b.level.take(b.s, paths, func(g *flameGroup) bool { return g == best })
	if best == nil {
		return nil, ended
	}
	return &kept[0], ended
}

// descend groups paths by their next frame, adds a node for each group that
// is heavy enough and goes on inside it.
func (b *flameBuilder) descend(parent int32, paths []flamePath, depth int) {
	if len(paths) == 1 {
		b.follow(parent, paths[0], depth)
		return
	}
	_, ended := b.level.group(b.s, paths)
	b.end(parent, ended)
	kept := b.level.take(b.s, paths, func(g *flameGroup) bool { return b.worth(g, depth) })
	slices.SortFunc(kept, func(x, y flameGroup) int { return b.compare(&x, &y) })
	for i := range kept {
		if b.isFull() {
			return
		}
		g := &kept[i]
		node, inside := b.add(parent, g), g.paths
		g.paths = nil // not needed below: a level of paths each would add up
		if len(inside) < b.few {
			b.branches = append(b.branches, flameBranch{node: node, depth: depth + 1, paths: inside})
			continue
		}
		b.descend(node, inside, depth+1)
	}
}

// follow is descend for a single path.
func (b *flameBuilder) follow(parent int32, p flamePath, depth int) {
	g := flameGroup{}
	g.count(b.s, p.stack)
	for ; p.frame >= 0; p = b.s.next(p) {
		g.frame = p.frame
		if !b.worth(&g, depth) || b.isFull() {
			return
		}
		parent = b.add(parent, &g)
		depth++
	}
	b.end(parent, g.total)
}

// compare orders the heaviest first, then by name.
func (b *flameBuilder) compare(x, y *flameGroup) int {
	if c := cmp.Compare(y.weight, x.weight); c != 0 {
		return c
	}
	return strings.Compare(b.s.ft.name(x.frame), b.s.ft.name(y.frame))
}

// worth tells whether a group is worth a node, and notes what is folded.
func (b *flameBuilder) worth(g *flameGroup, depth int) bool {
	if g.weight >= b.least && depth < maxFlameDepth {
		return true
	}
	b.t.Folded++
	b.t.FoldedWeight += g.weight
	return false
}

func (b *flameBuilder) isFull() bool {
	b.full = b.full || b.most > 0 && len(b.t.Parent) >= b.most
	return b.full
}

// end counts paths that end at a node for the node itself.
func (b *flameBuilder) end(node int32, value int64) {
	if node < 0 {
		b.ended += value
	} else {
		b.t.Self[node] += value
	}
}

func (b *flameBuilder) add(parent int32, g *flameGroup) int32 {
	t := b.t
	t.Parent = append(t.Parent, parent)
	t.Frame = append(t.Frame, &b.s.ft.frames[g.frame])
	t.Self = append(t.Self, 0)
	t.Total = append(t.Total, g.total)
	t.Weight = append(t.Weight, g.weight)
	if b.s.base != nil {
		t.Base = append(t.Base, g.base)
	}
	return int32(len(t.Parent) - 1)
}

// grow has workers build the branches.
func (b *flameBuilder) grow() {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(b.branches)) {
		w := newFlameBuilder(b.s, b.most)
		w.least = b.least
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(b.branches)) && !w.full; i = next.Add(1) - 1 {
				br := &b.branches[i]
				br.by, br.from, w.ended = w, len(w.t.Parent), 0
				w.descend(-1, br.paths, br.depth)
				br.to, br.ended, br.paths = len(w.t.Parent), w.ended, nil
			}
		})
	}
	wg.Wait()
}

// join puts the branches behind the nodes of the trunk they hang under.
func (b *flameBuilder) join() {
	trunk, nodes := b.t, len(b.t.Parent)
	folded := map[*flameBuilder]bool{}
	for i := range b.branches {
		br := &b.branches[i]
		b.full = b.full || br.by == nil || br.by.full
		nodes += br.to - br.from
		if br.by != nil && !folded[br.by] {
			folded[br.by] = true
			trunk.Folded += br.by.t.Folded
			trunk.FoldedWeight += br.by.t.FoldedWeight
		}
	}
	b.full = b.full || b.most > 0 && nodes > b.most
	if b.full {
		return
	}
	t := &FlameTree{all: trunk.all, Folded: trunk.Folded, FoldedWeight: trunk.FoldedWeight, Parent: make([]int32, 0, nodes), Frame: make([]*Frame, 0, nodes),
		Self: make([]int64, 0, nodes), Total: make([]int64, 0, nodes), Weight: make([]int64, 0, nodes)}
	if trunk.Base != nil {
		t.Base = make([]int64, 0, nodes)
	}
	place := make([]int32, len(trunk.Parent)) // of the nodes of the trunk in t
	done := 0
	take := func(to int) {
		for ; done < to; done++ {
			place[done] = int32(len(t.Parent))
			parent := trunk.Parent[done]
			if parent >= 0 {
				parent = place[parent]
			}
			t.Parent = append(t.Parent, parent)
			t.columns(trunk, done, done+1)
		}
	}
	for i := range b.branches {
		br := &b.branches[i]
		take(int(br.node) + 1)
		under, shift := place[br.node], int32(len(t.Parent)-br.from)
		t.Self[under] += br.ended
		for _, parent := range br.by.t.Parent[br.from:br.to] {
			if parent < 0 {
				t.Parent = append(t.Parent, under)
			} else {
				t.Parent = append(t.Parent, parent+shift)
			}
		}
		t.columns(br.by.t, br.from, br.to)
	}
	take(len(trunk.Parent))
	b.t = t
}

// columns appends nodes of another tree, without their parents.
func (t *FlameTree) columns(of *FlameTree, from, to int) {
	t.Frame = append(t.Frame, of.Frame[from:to]...)
	t.Self = append(t.Self, of.Self[from:to]...)
	t.Total = append(t.Total, of.Total[from:to]...)
	t.Weight = append(t.Weight, of.Weight[from:to]...)
	if t.Base != nil {
		t.Base = append(t.Base, of.Base[from:to]...)
	}
}
