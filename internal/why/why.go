// Package why answers why memory is still alive: which references hold it,
// from which root, where it was allocated, and what would go free without
// them.
//
//	goheap.Heap ─► retain.Compute ─► Analysis ─► Holders            everything, by who holds it
//	                                    │
//	                                    ├─ Select ─► Selection ─► Ways, Roots, Packages, Types, Outline, ...
//	                                    │            by type, site, goroutine, address
//	                                    └─► Object, Without, Goroutines, Queues
//
// It joins three things no other place has together: the reference graph
// (goheap), dominators (retain), and the stacks of the memory profile. It is
// pure; package reason puts what it finds into words.
//
// Amounts are of the heap: stacks of goroutines are told apart. They are exact,
// but those of a Selection by allocation site, which are estimated from the
// samples of the memory profile.
package why

import (
	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Analysis is a heap with its dominators. It is not for use by several
// goroutines.
type Analysis struct {
	Heap   *goheap.Heap
	Result *retain.Result

	labels   *goheap.Labels
	tree     *retain.Tree    // the dominator tree, vertices of one shape together
	folded   *folded         // the same with the branches of trees together
	at       []uint32        // by sample: its node of folded
	branches map[uint32]bool // kinds that fold found to branch
	// searched is how many vertices searches for joint references have seen.
	searched int
}

// New computes dominators. The heap's graph is used up.
func New(h *goheap.Heap) *Analysis {
	a := &Analysis{Heap: h, labels: h.Labels(), branches: map[uint32]bool{}}
	a.Result = retain.Compute(h.Graph, retain.Options{Rank: h.Rank, Part: h.IsPart})
	return a
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
	// Site is the allocation site, where one was asked for; nil else.
	Site *Site
	// Amount is what is held in this way: Objects of Type. Where Below, its
	// Bytes are with all that only these objects hold. Of a Site it is an
	// estimate.
	Amount retain.Amount
	Below  bool
	// Type is the type of the objects, "" if mixed; Pointed says that Go would
	// write it with a star: they are values a pointer points to.
	Type    string
	Pointed bool
	// Path leads from the root to it, the root first.
	Path []Step
	// Root says what kind of root it is.
	Root goheap.Kind
	// Cut is how many steps of Path lead to the reference that is best
	// removed, 0 if no single reference holds it; Frees is what then goes.
	Cut   int
	Frees retain.Amount
	// Joint are the ways that hold it together, where no single reference does,
	// or only one that holds much else: Frees is what goes without all of them,
	// and Path is that of the first. Many says that there are more, so that
	// nothing is said to go.
	Joint []Way
	Many  bool
	// Also is the path of the other way, where there are two; Both is Frees
	// then.
	Also []Step
	Both retain.Amount
	// Stacks are the bytes of the stacks of the goroutines that hold it, if
	// goroutines as a whole do.
	Stacks uint64
	// Sites are the places that allocated what is held, most first; nil with a
	// Site of its own.
	Sites []Site
	// Example is one of the objects, Address where it is; 0 for a variable.
	Example uint32
	Address uint64
}

// heapOf is an amount a vertex retains without the stacks of goroutines in it.
func (a *Analysis) heapOf(v uint32) retain.Amount {
	x := a.Result.Retained(v)
	x.Bytes -= min(x.Bytes, a.stacks(v))
	return x
}

// addr is where an object is, 0 for what is none.
func (a *Analysis) addr(v uint32) uint64 {
	if !a.Heap.IsObject(v) {
		return 0
	}
	return a.Heap.Vertex(v).Addr
}

// stacks are the bytes of stacks in what a vertex retains.
func (a *Analysis) stacks(v uint32) uint64 {
	h := a.Heap
	switch h.Kind(v) {
	case goheap.KindGoroutine:
		return a.Result.Size(v)
	case goheap.KindGroup, goheap.KindRoot:
		sum := uint64(0)
		for i := range h.Groups {
			if v == 0 || h.Groups[i].Vertex == v {
				sum += h.Groups[i].StackBytes
			}
		}
		return sum
	}
	return 0
}

// Total is the heap that can be reached.
func (a *Analysis) Total() retain.Amount {
	return retain.Amount{Bytes: a.Heap.Stats.Bytes, Objects: a.Heap.Stats.Objects}
}
