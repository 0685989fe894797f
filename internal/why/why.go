// Package why answers why memory is still alive: which references hold it,
// from which root, where it was allocated, and what would go free without
// them.
//
//	goheap.Heap ─► retain.Compute ─► Analysis ─► Holders, Sites, Types, ...
//	                                             each Holding: what, path, cut, sites
//
// It joins three things no other place has together: the reference graph
// (goheap), dominators (retain), and the stacks of the memory profile. It is
// pure; package reason puts what it finds into words.
package why

import (
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Analysis is a heap with its dominators. It is not for use by several
// goroutines.
type Analysis struct {
	Heap   *goheap.Heap
	Result *retain.Result

	labels *goheap.Labels
	tree   *retain.Tree // the dominator tree, vertices of one shape together
	at     []uint32     // by sample: its node of tree
}

// New computes dominators. The heap's graph is used up.
func New(h *goheap.Heap) *Analysis {
	a := &Analysis{Heap: h, labels: h.Labels()}
	a.Result = retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
	return a
}

// Step is one step of a path: through the field Label of the one before to
// what is called Name. Repeated steps go round a list or a tree.
type Step struct {
	Label    string
	Name     string
	Kind     goheap.Kind
	Repeated bool
}

// Site is a place that allocated, with what of it is held. Stack is leaf
// first. Bytes and Objects are estimated from Samples sampled objects.
type Site struct {
	Stack          []goheap.Frame
	Type           string
	Bytes, Objects float64
	Samples        int
}

// Holding is memory that is held in one way.
type Holding struct {
	// Site is the allocation site asked for; nil where holders of everything
	// were asked for.
	Site *Site
	// Amount is what is held in this way: of a Site, its estimate; else
	// everything that only this holder keeps, exactly.
	Amount retain.Amount
	// Type is the type of most of it, "" if mixed.
	Type string
	// Path leads from the root to it, the root's name first, indexes left out.
	Path []Step
	// Root says what kind of root it is.
	Root goheap.Kind
	// Cut is how many steps of Path lead to the reference that is best
	// removed, 0 if no single reference holds it; Frees is what then goes.
	Cut   int
	Frees retain.Amount
	// Sites are the places that allocated what is held, most first; nil with a
	// Site of its own.
	Sites []Site
	// Example is one of the objects.
	Example uint32
}

// keepShare is how much of its parent a child must retain to be followed to
// where memory piles up.
const keepShare = 0.8

// Holders are the n places that hold most: for each root, or part of one, the
// point where memory piles up, with the places that allocated it. Those below
// share of the whole heap are left out.
func (a *Analysis) Holders(n int, share float64) []Holding {
	t := a.dominatorTree()
	kids := children(t)
	least := uint64(share * float64(t.Nodes[0].Sum.Bytes))
	var nodes []uint32
	var visit func(node uint32)
	visit = func(node uint32) {
		for _, k := range kids[node] {
			if t.Nodes[k].Sum.Bytes < max(least, 1) {
				continue
			}
			if at := a.pile(t, kids, k); a.isGroup(at) {
				visit(at)
			} else {
				nodes = append(nodes, at)
			}
		}
	}
	visit(0)
	slices.SortStableFunc(nodes, func(x, y uint32) int {
		bx, by := t.Nodes[x].Sum.Bytes, t.Nodes[y].Sum.Bytes
		switch {
		case bx > by:
			return -1
		case bx < by:
			return 1
		}
		return 0
	})
	nodes = nodes[:min(n, len(nodes))]
	out := make([]Holding, 0, len(nodes))
	for _, node := range nodes {
		out = append(out, a.holder(t, kids, node))
	}
	a.addSites(t, nodes, out)
	return out
}

// pile descends from a node of the tree while one child has most of it.
func (a *Analysis) pile(t *retain.Tree, kids [][]uint32, node uint32) uint32 {
	for {
		var largest uint32
		for _, k := range kids[node] {
			if largest == 0 || t.Nodes[k].Sum.Bytes > t.Nodes[largest].Sum.Bytes {
				largest = k
			}
		}
		if largest == 0 || float64(t.Nodes[largest].Sum.Bytes) < keepShare*float64(t.Nodes[node].Sum.Bytes) {
			return node
		}
		// One container with many elements is where it piles up: the
		// elements themselves are many vertices and none of them holds it.
		if t.Nodes[largest].Sum.Objects > 0 && float64(a.Result.Retained(t.Nodes[largest].Example).Bytes) < keepShare*float64(t.Nodes[node].Sum.Bytes) {
			return node
		}
		node = largest
	}
}

// isGroup tells nodes that only gather others: packages.
func (a *Analysis) isGroup(node uint32) bool {
	return a.Heap.Kind(a.tree.Nodes[node].Example) == goheap.KindPackage
}

func children(t *retain.Tree) [][]uint32 {
	kids := make([][]uint32, len(t.Nodes))
	for i := 1; i < len(t.Nodes); i++ {
		p := t.Nodes[i].Parent
		kids[p] = append(kids[p], uint32(i))
	}
	return kids
}

func (a *Analysis) dominatorTree() *retain.Tree {
	if a.tree == nil {
		a.tree = a.Result.DominatorTree(a.labels)
	}
	return a.tree
}

// showShare is how much of a node a child must have to be shown as what it
// consists of.
const showShare = 0.5

// holder describes a node of the dominator tree: the way to it, which ends at
// the reference that holds everything, and on to what most of it is.
func (a *Analysis) holder(t *retain.Tree, kids [][]uint32, node uint32) Holding {
	n := &t.Nodes[node]
	h := Holding{Amount: n.Sum, Frees: n.Sum, Example: n.Example, Root: a.rootOf(n.Example)}
	h.Path = append(a.entrance(t, node), a.steps(t, t.Path(node))...)
	h.Cut = len(h.Path)
	last := node
	for {
		var largest uint32
		for _, k := range kids[last] {
			if largest == 0 || t.Nodes[k].Sum.Bytes > t.Nodes[largest].Sum.Bytes {
				largest = k
			}
		}
		if largest == 0 || float64(t.Nodes[largest].Sum.Bytes) < showShare*float64(n.Sum.Bytes) {
			break
		}
		last = largest
		h.Path = append(h.Path, a.steps(t, []uint32{last})...)
	}
	h.Type = a.Heap.Name(t.Nodes[last].Example)
	return h
}

// entrance is the way from a root to the first object of a node's path, where
// several roots hold that object so that none of them dominates it.
func (a *Analysis) entrance(t *retain.Tree, node uint32) []Step {
	first := t.Nodes[t.Path(node)[0]].Example
	if !a.Heap.IsObject(first) {
		return nil
	}
	var out []Step
	hops := a.Heap.Hops(a.Result.Path(first))
	for _, hop := range hops[:max(0, len(hops)-1)] {
		out = append(out, Step{Label: hop.Label, Name: hop.Name, Kind: a.Heap.Kind(hop.Vertex), Repeated: hop.Repeat > 0})
	}
	return out
}

// rootOf is the kind of the root an object is reached from.
func (a *Analysis) rootOf(v uint32) goheap.Kind {
	for _, x := range a.Result.Path(v) {
		switch k := a.Heap.Kind(x); k {
		case goheap.KindRoot, goheap.KindPackage, goheap.KindObject:
		default:
			return k
		}
	}
	return a.Heap.Kind(v)
}

// steps are the labels and names of nodes of a tree; packages are left out.
func (a *Analysis) steps(t *retain.Tree, nodes []uint32) []Step {
	var out []Step
	for _, i := range nodes {
		n := &t.Nodes[i]
		s := Step{Kind: a.Heap.Kind(n.Example), Name: a.Heap.Name(n.Example), Repeated: n.Repeated}
		switch s.Kind {
		case goheap.KindPackage, goheap.KindGoroutine: // the group before it says it all
			continue
		case goheap.KindObject:
			s.Label = a.labels.Name(n.Label)
		}
		out = append(out, s)
	}
	return out
}
