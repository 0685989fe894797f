package view

import (
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// Change is how a node differs from the base of a marked diff, in the unit of
// the view: Base is what it had there, Current what it has now.
type Change struct {
	FlatBase, FlatCurrent int64
	CumBase, CumCurrent   int64
}

// Changes splits the nodes of g into base and current, by node; nil unless
// the profile is a diff whose base is marked.
func (v *View) Changes(g *Graph) []Change {
	p := v.Profile
	base := p.HasStringLabel(profile.BaseLabel, "true")
	if !slices.Contains(base, true) || g.Tree {
		return nil
	}
	w := &stackWeights{value: make([]int64, p.Stacks.Len()), used: make([]bool, p.Stacks.Len())}
	for i, s := range p.Samples.Stack {
		if base[p.Samples.Labels[i]] {
			w.used[s] = true
			w.value[s] -= v.Values[i] // base samples are negative
		}
	}
	b := v.graph(w, nil, noEdges)
	out := make([]Change, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		was := &b.Nodes[b.kept[n.frame]]
		out[i] = Change{
			FlatBase: was.Flat, FlatCurrent: n.Flat + was.Flat,
			CumBase: was.Cum, CumCurrent: n.Cum + was.Cum,
		}
	}
	return out
}
