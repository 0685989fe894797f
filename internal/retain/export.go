package retain

// Samples gives out the dominator tree as samples, for a profile: a stack from
// the vertex to the super root (leaf first, without the super root) with what
// the vertex retains and no deeper sample has. Vertices with less than share
// of all bytes are added to the one above, and so is what lies more than depth
// vertices deep. The stack is only good until yield returns.
//
// For stacks of types instead of single vertices use DominatorTree.
func (r *Result) Samples(share float64, depth int, yield func(stack []uint32, a Amount)) {
	least := share * float64(r.bytes(0))
	shown := func(n uint32) bool { return float64(r.bytes(n)) >= least }
	var stack []uint32 // numbers, from the super root
	buf := make([]uint32, 0, depth)
	for p := 0; p < len(r.order); {
		n := r.order[p]
		for len(stack) > 0 && !r.inside(stack[len(stack)-1], n) {
			stack = stack[:len(stack)-1]
		}
		if !shown(n) || len(stack) > depth {
			p += int(r.count[n])
			continue
		}
		stack = append(stack, n)
		p++
		own := r.retained(n)
		if len(stack) <= depth {
			for c := range r.children(n) {
				if shown(c) {
					own = own.Sub(r.retained(c))
				}
			}
		}
		if own == (Amount{}) {
			continue
		}
		buf = buf[:0]
		for i := len(stack) - 1; i > 0; i-- {
			buf = append(buf, r.vertex[stack[i]])
		}
		yield(buf, own)
	}
}
