package why

import (
	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Way is one of several ways in which something is held. Cut is how many steps
// of Path lead to the reference to remove.
type Way struct {
	Path []Step
	Cut  int
}

const (
	// maxJoint is how many references are told that must go together; package
	// reason has words for up to four.
	maxJoint = 4
	// fewJoint is how many may take the place of a single one that holds more
	// than broad times what is asked for: the variable of a server that has
	// everything, say.
	fewJoint = 3
	broad    = 2
	// jointBudget bounds the searches of one analysis together, in vertices:
	// about two seconds, or as much as going through the whole heap jointTimes
	// takes.
	jointBudget = 20_000_000
	jointTimes  = 3
)

// joint finds references that hold targets together, at most so many, and tells
// them in h: by one alone as a cut. It reports whether that made h better.
func (a *Analysis) joint(h *Holding, targets []uint32, most int) bool {
	left := max(jointBudget, jointTimes*a.Result.Vertices()) - a.searched
	if left <= 0 {
		return false
	}
	ways, ok := a.Result.Joint(targets, retain.JointOptions{Cuts: a.cuts, Most: most, Enough: keepShare, Budget: left})
	a.searched += len(ways) * a.Result.Vertices() // about
	if len(ways) == 0 || h.Cut > 0 && (!ok || a.alike(ways)) {
		return false
	}
	frees, stacks := retain.Amount{}, uint64(0)
	if ok {
		frees, stacks = a.without(ways)
		if h.Cut > 0 && frees.Bytes*broad > h.Frees.Bytes {
			return false
		}
	}
	h.Joint, h.Many, h.Cut, h.Frees, h.Stacks = nil, !ok, 0, frees, stacks
	for i := range ways {
		w := Way{Path: a.told(ways[i].Path)}
		for k, s := range w.Path {
			if s.First == ways[i].Path[ways[i].Cut] {
				w.Cut = k + 1
			}
		}
		h.Joint = append(h.Joint, w)
	}
	h.Example = ways[0].Path[len(ways[0].Path)-1]
	h.Address, h.Root = a.addr(h.Example), a.Heap.Kind(a.root(ways[0].Path))
	h.Path = h.Joint[0].Path
	if ok && len(ways) == 1 {
		h.Cut, h.Joint = h.Joint[0].Cut, nil
	}
	if len(h.Joint) == 2 && ok {
		h.Also, h.Both = h.Joint[1].Path, h.Frees
	}
	return true
}

// alike tells ways that differ in nothing a name can tell: two elements of one
// slice, say.
func (a *Analysis) alike(ways []retain.Way) bool {
	seen := map[string]bool{}
	for i := range ways {
		s := shape(a.told(ways[i].Path[:ways[i].Cut+1]))
		if seen[s] {
			return true
		}
		seen[s] = true
	}
	return false
}

// cuts are the steps of a path with a name of their own: no parts of maps, and
// nothing inside a list.
func (a *Analysis) cuts(path []uint32) []int {
	var out []int
	steps := a.told(path)
	k := 0
	for i, v := range path {
		if k == len(steps) || steps[k].First != v {
			continue
		}
		if k == 0 || !steps[k].Repeated || steps[k-1].Name != steps[k].Name {
			out = append(out, i)
		}
		k++
	}
	return out
}

// without is what goes without the references of all ways, and the bytes of
// the stacks that go with it.
func (a *Analysis) without(ways []retain.Way) (frees retain.Amount, stacks uint64) {
	var edges []retain.Edge
	var vertices []uint32
	for i := range ways {
		e := ways[i].Edge()
		if a.Heap.IsObject(e.To) {
			edges = append(edges, e)
			continue
		}
		vertices = append(vertices, e.To)
		stacks += a.stacks(e.To)
	}
	frees = a.Result.WhatIf(edges, vertices).Amount
	frees.Bytes -= min(frees.Bytes, stacks)
	return frees, stacks
}

// maxTargets bounds the objects that stand for all of a node.
const maxTargets = 1 << 17

// membersOf are objects that lie at a node of the dominator tree, its example
// among them.
func (p *piles) membersOf(node uint32) []uint32 {
	n := &p.t.Nodes[node]
	kind := p.labels.Kind(n.Example)
	if kind == 0 || p.Heap.Kind(n.Example) != goheap.KindObject {
		return []uint32{n.Example}
	}
	var list []uint32
	for v := p.Heap.FirstObject; int(v) < p.Result.Vertices(); v++ {
		if p.Result.Reachable(v) && p.labels.Kind(v) == kind {
			list = append(list, v)
		}
	}
	if step := (len(list) + maxTargets - 1) / maxTargets; step > 1 {
		for i := range len(list) / step {
			list[i] = list[i*step]
		}
		list = list[:len(list)/step]
	}
	out := []uint32{n.Example}
	for i, at := range p.find(list) {
		if at == node && list[i] != n.Example {
			out = append(out, list[i])
		}
	}
	return out
}
