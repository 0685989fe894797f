package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/retain"
)

// GroupHolding is a group of goroutines that wait at one place, with what only
// they hold.
type GroupHolding struct {
	Name   string // "50 goroutines [chan receive] at main.work created by main.start"
	Count  int
	IDs    []uint64 // of the goroutines
	Stacks uint64   // bytes of their stacks
	// Holds is heap, without the stacks; the Vars add up to it.
	Holds retain.Amount
	Vars  []VarHolding // most first
	Stack []goheap.Frame
}

// VarHolding is what one variable of goroutines holds.
type VarHolding struct {
	Name   string // of the variable, "" for what several of them hold
	Type   string // of what it points to, of most of it
	Amount retain.Amount
}

// Goroutines are the groups of goroutines with a matching stack, those that
// are most first.
func (a *Analysis) Goroutines(match func(stack []goheap.Frame) bool) []GroupHolding {
	out := a.Groups(func(g *goheap.Goroutine) bool { return match(g.Stack) })
	slices.SortStableFunc(out, func(x, y GroupHolding) int { return cmp.Compare(y.Count, x.Count) })
	return out
}

// Groups are the groups of goroutines some of which match, those that hold
// most, with their stacks, first, those of the runtime last. What goroutines that do not match hold is
// not counted.
func (a *Analysis) Groups(match func(*goheap.Goroutine) bool) []GroupHolding {
	var out []GroupHolding
	for i := range a.Heap.Groups {
		g := &a.Heap.Groups[i]
		var ids []int
		for _, k := range g.Goroutines {
			if match(&a.Heap.Goroutines[k]) {
				ids = append(ids, k)
			}
		}
		if len(ids) > 0 {
			out = append(out, a.group(g, ids))
		}
	}
	slices.SortStableFunc(out, func(x, y GroupHolding) int {
		return cmp.Or(runtimeLast(ofRuntime(x.Stack), ofRuntime(y.Stack)), cmp.Compare(y.Holds.Bytes+y.Stacks, x.Holds.Bytes+x.Stacks), cmp.Compare(y.Count, x.Count))
	})
	return out
}

// ofRuntime tells stacks of the runtime alone: workers of the collector, say.
func ofRuntime(stack []goheap.Frame) bool {
	return len(stack) > 0 && !slices.ContainsFunc(stack, func(f goheap.Frame) bool { return origin.Of(f.Func, f.File) != origin.Runtime })
}

// runtimeLast compares by what belongs to the runtime.
func runtimeLast(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// byRuntime tells roots of the runtime: its own data, and goroutines that run
// nothing else.
func (a *Analysis) byRuntime(root uint32) bool {
	if a.Heap.Kind(root) != goheap.KindGroup {
		return a.Heap.Kind(root) == goheap.KindRuntime
	}
	for i := range a.Heap.Groups {
		if g := &a.Heap.Groups[i]; g.Vertex == root {
			return ofRuntime(a.Heap.Goroutines[g.Goroutines[0]].Stack)
		}
	}
	return false
}

// group describes goroutines of a group.
func (a *Analysis) group(g *goheap.Group, which []int) GroupHolding {
	h := a.Heap
	first := &h.Goroutines[which[0]]
	x := GroupHolding{Name: h.Name(g.Vertex), Count: len(which), Stack: first.Stack}
	whole := len(which) == len(g.Goroutines)
	if !whole {
		x.Name = h.Name(first.Vertex)
	}
	sums := map[string]*varSum{}
	for _, k := range which {
		q := &h.Goroutines[k]
		x.IDs = append(x.IDs, q.ID)
		x.Stacks += q.Hi - q.Lo
		x.Holds = x.Holds.Add(a.heapOf(q.Vertex))
		a.addVars(sums, q.Vertex)
	}
	if whole {
		x.Holds = a.heapOf(g.Vertex)
		for v := range a.Result.Children(g.Vertex) {
			if a.Heap.IsObject(v) {
				a.addVar(sums, "", v, v)
			}
		}
	}
	for _, s := range sums {
		s.Type = s.mostly()
		x.Vars = append(x.Vars, s.VarHolding)
	}
	slices.SortFunc(x.Vars, func(a, b VarHolding) int {
		return cmp.Or(cmp.Compare(b.Amount.Bytes, a.Amount.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return x
}

// varSum collects what variables of one name hold, by type.
type varSum struct {
	VarHolding
	types map[string]uint64
}

func (s *varSum) mostly() string {
	best := ""
	for t, n := range s.types {
		if best == "" || n > s.types[best] || n == s.types[best] && t < best {
			best = t
		}
	}
	return best
}

// addVars adds what the variables of a goroutine hold.
func (a *Analysis) addVars(sums map[string]*varSum, goroutine uint32) {
	for v := range a.Result.Children(goroutine) {
		if a.Heap.IsObject(v) {
			a.addVar(sums, "", v, v)
			continue
		}
		top := uint32(0)
		for c := range a.Result.Children(v) {
			if top == 0 || a.Result.Retained(c).Bytes > a.Result.Retained(top).Bytes {
				top = c
			}
		}
		if top != 0 {
			a.addVar(sums, a.Heap.Name(v), v, top)
		}
	}
}

// addVar adds what vertex v retains to a variable; top is the largest part.
func (a *Analysis) addVar(sums map[string]*varSum, name string, v, top uint32) {
	s := sums[name]
	if s == nil {
		s = &varSum{VarHolding{Name: name}, map[string]uint64{}}
		sums[name] = s
	}
	s.Amount = s.Amount.Add(a.Result.Retained(v))
	s.types[a.Heap.Name(top)] += a.Result.Retained(top).Bytes
}
