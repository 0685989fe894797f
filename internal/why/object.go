package why

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Object is all about one object.
type Object struct {
	Holding
	goheap.Vertex
	// Asked is the address asked for; it may be inside the object.
	Asked    uint64
	Retained retain.Amount
	// Ways are its best paths; AllWays says that there are no others.
	Ways    [][]Step
	AllWays bool
	// Dominators hold it: each is on every path to it, the root first, the
	// object last.
	Dominators []DominatorRow
	// Holders point to it, Holds are the types of what it retains.
	Holders []HolderRow
	Holds   []TypeRow
}

// DominatorRow is one of the vertices without which an object goes.
type DominatorRow struct {
	Step
	Retained retain.Amount
}

// HolderRow are vertices of one name that point to an object by one field.
type HolderRow struct {
	Step
	Count int
	Addr  uint64 // of one of them, 0 if it has none
}

// Object describes the object at an address, with up to k paths.
func (a *Analysis) Object(addr uint64, k int) (*Object, error) {
	v, err := a.At(addr)
	if err != nil {
		return nil, err
	}
	o := &Object{Vertex: a.Heap.Vertex(v), Asked: addr, Retained: a.Result.Retained(v)}
	s := &Selection{Vertices: []uint32{v}, in: newSet(a.Result.Vertices())}
	s.in.add(v)
	o.Holding = a.Ways(s, 1)[0]
	o.Ways, o.AllWays = a.Paths(v, k)
	chain := a.Result.Dominators(v)
	for _, step := range a.way(chain) {
		step.Label = ""
		o.Dominators = append(o.Dominators, DominatorRow{step, a.heapOf(step.Vertex)})
	}
	o.Holders = a.holders(v)
	o.Holds = a.Types(a.Select(Filter{Objects: []uint32{v}}))
	return o, nil
}

// At is the live object an address points into; the error says what else is
// there.
func (a *Analysis) At(addr uint64) (uint32, error) {
	v, ok := a.Heap.Find(addr)
	if !ok || !a.Result.Reachable(v) {
		return 0, a.noObject(addr)
	}
	return v, nil
}

// holders are the vertices that point to an object, those of one name and
// field together, the most first.
func (a *Analysis) holders(v uint32) []HolderRow {
	index := map[[2]string]int{}
	var out []HolderRow
	for from := range a.Result.Holders(v) {
		s := Step{Name: a.Heap.Name(from), Kind: a.Heap.Kind(from), Vertex: from, Label: a.Heap.Label(from, v, true)}
		k := [2]string{s.Label, s.Name}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, HolderRow{Step: s, Addr: a.Heap.Vertex(from).Addr})
		}
		if !ok || out[i].Vertex != from {
			out[i].Count++
		}
	}
	slices.SortStableFunc(out, func(x, y HolderRow) int { return cmp.Compare(y.Count, x.Count) })
	return out
}

// noObject says what is at an address that is in no live object.
func (a *Analysis) noObject(addr uint64) error {
	for i := range a.Heap.Goroutines {
		if g := &a.Heap.Goroutines[i]; addr >= g.Lo && addr < g.Hi {
			return fmt.Errorf("%#x is on the stack of goroutine %d; see what it holds with -goroutine %d", addr, g.ID, g.ID)
		}
	}
	for v := uint32(1); v < a.Heap.FirstObject; v++ {
		x := a.Heap.Vertex(v)
		if x.Kind == goheap.KindGlobal && x.Type != nil && addr >= x.Addr && addr < x.Addr+uint64(x.Type.Size) {
			return fmt.Errorf("%#x is in the variable %s; see what it holds with -without %s", addr, x.Name, x.Name)
		}
	}
	return fmt.Errorf("%#x: there is no live object: it is free, garbage, or no address of the heap", addr)
}
