package goheap

import (
	"math/bits"

	"github.com/profoundhq/profound/internal/proc"
)

// Need is what it takes to read a heap.
type Need struct {
	// Objects is how many the allocator has given out, garbage included: there
	// are no more vertices than that, roots apart.
	Objects uint64
	// Copied is the memory that a plan copies, in bytes, 0 where it is at hand.
	Copied uint64
}

// need asks whether what it takes may be taken.
func (v *heapView) need(o Options, ranges []proc.Range) error {
	if o.Need == nil {
		return nil
	}
	var n Need
	for _, w := range v.alloc {
		n.Objects += uint64(bits.OnesCount64(w))
	}
	for _, r := range ranges {
		n.Copied += r.Len()
	}
	return o.Need(n)
}
