package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// OutlineRow is a node of the dominator tree: vertices of one shape.
type OutlineRow struct {
	Step
	Depth int
	// Amount is what lies below, itself included; with Stacks.
	Amount retain.Amount
	// Own is the part of Amount that no row below shows.
	Own retain.Amount
	// Count is how many objects there are of this shape.
	Count uint64
}

// Outline is the dominator tree over a selection, in the order in which it is
// printed: a row before those below it, the largest first. Rows below share of
// the selection are part of the row above. Bytes of stacks are left out.
func (a *Analysis) Outline(s *Selection, share float64) []OutlineRow {
	if !s.Estimated() {
		s = a.inTreeOrder(s)
	}
	t, at := a.Result.Merge(retain.DominatorPath, s.Vertices, a.labels)
	own := make([]tally, len(t.Nodes))
	for i, node := range at {
		own[node].add(a.weigh(s, i))
	}
	sums := make([]tally, len(t.Nodes))
	copy(sums, own)
	for i := len(t.Nodes) - 1; i > 0; i-- {
		sums[t.Nodes[i].Parent].add(sums[i])
	}
	o := outline{a: a, t: t, sums: sums, own: own, kids: children(t), least: share * sums[0].bytes}
	o.below(0, 0)
	return o.rows
}

// inTreeOrder is an exact selection with its vertices in the order of the
// dominator tree: what one object points to is then labelled in one go.
func (a *Analysis) inTreeOrder(s *Selection) *Selection {
	x := *s
	x.Vertices = make([]uint32, 0, len(s.Vertices))
	for v := range a.Result.Dominated(0) {
		if a.Heap.IsObject(v) && s.has(v) {
			x.Vertices = append(x.Vertices, v)
		}
	}
	return &x
}

type outline struct {
	a         *Analysis
	t         *retain.Tree
	sums, own []tally
	kids      [][]uint32
	least     float64
	rows      []OutlineRow
}

// below adds the rows below a node, and returns what they show.
func (o *outline) below(node uint32, depth int) (shown tally) {
	kids := o.kids[node]
	slices.SortStableFunc(kids, func(x, y uint32) int { return cmp.Compare(o.sums[y].bytes, o.sums[x].bytes) })
	for _, k := range kids {
		if o.sums[k].bytes < max(o.least, 1) {
			continue
		}
		n := &o.t.Nodes[k]
		s := Step{Kind: o.a.Heap.Kind(n.Example), Name: o.a.Heap.Name(n.Example), Repeated: n.Repeated, Vertex: n.Example}
		if s.Kind == goheap.KindObject {
			s.Label = trimLabel(o.a.labels.Name(n.Label))
		}
		if s.Kind == goheap.KindGoroutine { // the group before it says it all
			shown.add(o.below(k, depth))
			continue
		}
		row := len(o.rows)
		o.rows = append(o.rows, OutlineRow{Step: s, Depth: depth, Amount: o.sums[k].amount(), Count: o.own[k].amount().Objects})
		part := o.below(k, depth+1)
		rest := tally{o.sums[k].bytes - part.bytes, o.sums[k].objects - part.objects}
		o.rows[row].Own = rest.amount()
		shown.add(o.sums[k])
	}
	return shown
}
