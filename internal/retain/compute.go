package retain

// Options steer Compute.
type Options struct {
	// Rank orders roots for paths: a path is as bad as the ranks of the
	// synthetic vertices on it together, and among the best paths the shortest
	// is taken. 0 is best. It is called once for each synthetic vertex; nil:
	// all are 0.
	Rank func(v uint32) uint8
	// Part tells objects that are parts of the one that leads to them, such as
	// the tables of a map: a path is no longer for going through them. It is
	// asked at any time later; nil: there are none.
	Part func(v uint32) bool
}

// Compute finds dominators and retained sizes. It uses g up: its arrays become
// those of the result, so that 40 bytes a vertex and 8 an edge are all that is
// in use at a time. It uses one processor: nine tenths of the time are the
// search and the dominators, which go one step after the other.
func Compute(g *Graph, o Options) *Result {
	r := &Result{synthetic: g.synthetic, part: o.Part}
	if o.Rank != nil {
		r.ranks = make([]uint8, g.synthetic)
		for v := range r.ranks {
			r.ranks[v] = o.Rank(uint32(v))
		}
	}
	parent, spare := r.search(g)
	r.findGarbage(g)

	// From here on arrays change hands: each spare one is used again.
	n := len(r.vertex)
	for e, t := range r.out { // which pointed to vertices
		r.out[e] = r.at(t)
	}
	r.inAt, r.in = g.offsets[:n+1], g.targets[:len(r.out)]
	g.offsets, g.targets = nil, nil
	r.turnEdges()

	ancestor, semi, label := make([]uint32, n), spare[:n], make([]uint32, n)
	copy(ancestor, parent)
	r.idom = r.dominators(parent, ancestor, semi, label)

	r.count = semi
	r.addUp()
	r.pos, r.order = ancestor, label
	r.layOut()
	r.sumUp(g)
	r.spare = g.sizes
	*g = Graph{}
	return r
}

// search numbers what can be reached in preorder and copies the edges in that
// order; they still point to vertices. It returns the parents in the tree of
// the search and an array to use again, of the length of the graph.
//
// An edge list is copied when its vertex gets its number, and is then gone
// through on the copy. So the only stack there is are the parents, with the
// next edge to look at in next.
func (r *Result) search(g *Graph) (parent, next []uint32) {
	n := len(g.sizes)
	number, vertex := make([]uint32, n), make([]uint32, n)
	parent, next = make([]uint32, n), make([]uint32, n)
	outAt, out := make([]uint32, n+1), make([]uint32, len(g.targets))
	offsets, targets := g.offsets, g.targets

	var count, edges uint32 // given out so far
	enter := func(v, from uint32) {
		me := count
		count++
		number[v] = count
		vertex[me], parent[me] = v, from
		next[me] = edges
		last := v // a self loop says nothing, and neither does an edge twice
		for _, t := range targets[offsets[v]:offsets[v+1]] {
			if t != last && t != v {
				out[edges] = t
				edges++
				last = t
			}
		}
		outAt[count] = edges
	}
	enter(0, 0)
	for me := uint32(0); ; {
		e, end := next[me], outAt[me+1]
		for e < end && number[out[e]] != 0 {
			e++
		}
		if e < end {
			next[me] = e + 1
			enter(out[e], me)
			me = count - 1
			continue
		}
		if me == 0 {
			break
		}
		me = parent[me]
	}
	r.number, r.vertex = number, vertex[:count]
	r.outAt, r.out = outAt[:count+1], out[:edges]
	return parent[:count], next
}

// findGarbage adds up what the search has not reached.
func (r *Result) findGarbage(g *Graph) {
	for v, n := range r.number {
		if n != 0 {
			continue
		}
		r.unreachable.Bytes += g.Size(uint32(v))
		if v >= g.synthetic {
			r.unreachable.Objects++
		}
	}
}

// turnEdges fills in the edges backwards.
func (r *Result) turnEdges() {
	clear(r.inAt)
	for _, t := range r.out {
		r.inAt[t]++
	}
	var sum uint32
	for n, c := range r.inAt {
		sum += c
		r.inAt[n] = sum // where row n ends
	}
	for n := len(r.vertex) - 1; n >= 0; n-- {
		for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
			r.inAt[t]--
			r.in[r.inAt[t]] = uint32(n)
		}
	}
}

// addUp counts what each vertex dominates. A dominator has a lower number than
// what it dominates.
func (r *Result) addUp() {
	n := len(r.vertex)
	for i := range r.count {
		r.count[i] = 1
	}
	for i := n - 1; i > 0; i-- {
		r.count[r.idom[i]] += r.count[i]
	}
	// Only synthetic vertices dominate synthetic ones, so a chain of them up
	// to the super root counts each for all above it.
	r.below = make([]uint32, r.synthetic)
	for v := range r.below {
		n := r.at(uint32(v))
		if n == none {
			continue
		}
		for ; n != 0; n = r.idom[n] {
			r.below[r.vertex[n]]++
		}
		r.below[0]++
	}
}

// layOut puts the dominator tree in preorder. Until the last pass, order holds
// where the next child of each vertex goes.
func (r *Result) layOut() {
	next := r.order
	r.pos[0], next[0] = 0, 1
	for n := 1; n < len(r.vertex); n++ {
		d := r.idom[n]
		p := next[d]
		next[d] += r.count[n]
		r.pos[n], next[n] = p, p+1
	}
	for n, p := range r.pos {
		r.order[p] = uint32(n)
	}
}

// sumUp adds up sizes along the dominator tree.
func (r *Result) sumUp(g *Graph) {
	r.sums = newSums(len(r.order))
	total := uint64(0)
	for _, n := range r.order {
		total = r.sums.add(total, g.Size(r.vertex[n]))
	}
}
