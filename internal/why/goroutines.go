package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// GroupHolding is a group of goroutines that wait at one place, with what only
// they hold.
type GroupHolding struct {
	Name   string // "50 goroutines [chan receive] at main.work created by main.start"
	Count  int
	Stacks uint64        // bytes of their stacks
	Holds  retain.Amount // heap, without the stacks
	Stack  []goheap.Frame
}

// Goroutines are the groups of goroutines with a matching stack, those that
// are most first.
func (a *Analysis) Goroutines(match func(stack []goheap.Frame) bool) []GroupHolding {
	var out []GroupHolding
	for i := range a.Heap.Groups {
		g := &a.Heap.Groups[i]
		stack := a.Heap.Goroutines[g.Goroutines[0]].Stack
		if !match(stack) {
			continue
		}
		holds := a.Result.Retained(g.Vertex)
		holds.Bytes -= min(holds.Bytes, g.StackBytes)
		out = append(out, GroupHolding{Name: a.Heap.Name(g.Vertex), Count: len(g.Goroutines), Stacks: g.StackBytes, Holds: holds, Stack: stack})
	}
	slices.SortStableFunc(out, func(x, y GroupHolding) int { return cmp.Compare(y.Count, x.Count) })
	return out
}
