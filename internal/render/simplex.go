package render

import "math"

// ranker finds layers by the network simplex method: the sum over all arcs of weight x span becomes least.
//
// Source: Gansner, Koutsofios, North and Vo, "A Technique for Drawing Directed Graphs", IEEE TSE 19(3), 1993, section 2. The
// cut value of a tree arc is not kept up to date arc by arc but read from one sum a subtree, because inside a subtree what
// leaves and what enters cancels out. The number of pivots is bounded, so a huge graph gets good layers instead of the best.
type ranker struct {
	n          int
	tail, head []int32
	weight     []int64
	incident   adjacency // arcs at each node
	rank       []int32

	inTree []bool
	up     []int32 // tree arc towards the root; -1 at the root
	pre    []int32 // place in the walk from the root; a subtree is one range of the walk
	size   []int32 // nodes in the subtree
	walk   []int32
	sum    []int64 // weight that leaves minus weight that enters the subtree
}

// newRanker prepares the arcs, which must not hold a cycle.
func newRanker(n int, arcs []arc) *ranker {
	r := &ranker{n: n, rank: make([]int32, n)}
	for _, a := range arcs {
		w := int64(1 + math.Round(15*a.weight))
		if a.reversed {
			w = 1
		}
		r.tail = append(r.tail, a.tail)
		r.head = append(r.head, a.head)
		r.weight = append(r.weight, w)
	}
	m := len(arcs)
	r.incident = newAdjacency(n, 2*m, func(i int) (int32, int32) {
		if i < m {
			return r.tail[i], int32(i)
		}
		return r.head[i-m], int32(i - m)
	})
	r.inTree = make([]bool, m)
	r.up, r.pre, r.size = make([]int32, n), make([]int32, n), make([]int32, n)
	r.walk, r.sum = make([]int32, 0, n), make([]int64, n)
	return r
}

// run fills rank; the top layer is 0.
func (r *ranker) run() {
	if len(r.tail) == 0 {
		return
	}
	r.longestPath()
	r.tightTree()
	r.rebuild()
	pivots := min(100+4*r.n, 60_000_000/(r.n+len(r.tail)+1))
	for range pivots {
		v := r.leave()
		if v < 0 {
			break
		}
		r.pivot(v)
	}
	low := r.rank[0]
	for _, k := range r.rank {
		low = min(low, k)
	}
	for v := range r.rank {
		r.rank[v] -= low
	}
	r.balance()
}

func (r *ranker) slack(e int32) int32 { return r.rank[r.head[e]] - r.rank[r.tail[e]] - 1 }

// longestPath puts each node one below its lowest predecessor.
func (r *ranker) longestPath() {
	in := make([]int32, r.n)
	for _, h := range r.head {
		in[h]++
	}
	var ready []int32
	for v := range r.n {
		if in[v] == 0 {
			ready = append(ready, int32(v))
		}
	}
	for len(ready) > 0 {
		v := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, e := range r.incident.of(v) {
			if r.tail[e] != v {
				continue
			}
			h := r.head[e]
			r.rank[h] = max(r.rank[h], r.rank[v]+1)
			if in[h]--; in[h] == 0 {
				ready = append(ready, h)
			}
		}
	}
}

// tightTree grows a spanning tree of arcs without slack, moving the tree as a whole whenever no such arc leaves it.
func (r *ranker) tightTree() {
	in := make([]bool, r.n)
	in[0] = true
	tree := []int32{0}
	grown := 0
	for {
		for ; grown < len(tree); grown++ {
			v := tree[grown]
			for _, e := range r.incident.of(v) {
				u := r.tail[e] + r.head[e] - v
				if !in[u] && r.slack(e) == 0 {
					in[u] = true
					r.inTree[e] = true
					tree = append(tree, u)
				}
			}
		}
		if len(tree) == r.n {
			return
		}
		best := int32(-1)
		for e := range r.tail {
			if in[r.tail[e]] != in[r.head[e]] && (best < 0 || r.slack(int32(e)) < r.slack(best)) {
				best = int32(e)
			}
		}
		shift := r.slack(best)
		inside := r.tail[best]
		if !in[inside] {
			shift, inside = -shift, r.head[best]
		}
		for _, v := range tree {
			r.rank[v] += shift
		}
		u := r.tail[best] + r.head[best] - inside
		in[u] = true
		r.inTree[best] = true
		tree = append(tree, u)
	}
}

// rebuild walks the tree from node 0 and refreshes everything that depends on its shape.
func (r *ranker) rebuild() {
	r.walk = r.walk[:0]
	r.up[0] = -1
	stack := []int32{0}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		r.pre[v] = int32(len(r.walk))
		r.walk = append(r.walk, v)
		r.size[v], r.sum[v] = 1, 0
		for _, e := range r.incident.of(v) {
			if r.tail[e] == v {
				r.sum[v] += r.weight[e]
			} else {
				r.sum[v] -= r.weight[e]
			}
			if r.inTree[e] && e != r.up[v] {
				u := r.tail[e] + r.head[e] - v
				r.up[u] = e
				stack = append(stack, u)
			}
		}
	}
	for i := len(r.walk) - 1; i > 0; i-- {
		v := r.walk[i]
		e := r.up[v]
		p := r.tail[e] + r.head[e] - v
		r.size[p] += r.size[v]
		r.sum[p] += r.sum[v]
	}
}

// within reports whether u lies in the subtree of v.
func (r *ranker) within(u, v int32) bool { return uint32(r.pre[u]-r.pre[v]) < uint32(r.size[v]) }

// leave returns the lower node of the tree arc with the most negative cut value, or -1 when the layers are optimal.
func (r *ranker) leave() int32 {
	best, worst := int32(-1), int64(0)
	for v := range int32(r.n) {
		e := r.up[v]
		if e < 0 {
			continue
		}
		cut := r.sum[v]
		if r.tail[e] != v {
			cut = -cut
		}
		if cut < worst {
			best, worst = v, cut
		}
	}
	return best
}

// pivot takes the tree arc above v out and puts the crossing arc with the least slack in.
func (r *ranker) pivot(v int32) {
	old := r.up[v]
	below := r.tail[old] == v // the subtree is the tail side: it looks for an arc that enters it
	best := int32(-1)
	for _, u := range r.walk[r.pre[v] : r.pre[v]+r.size[v]] {
		for _, e := range r.incident.of(u) {
			if below != (r.head[e] == u) || r.within(r.tail[e]+r.head[e]-u, v) {
				continue
			}
			if best < 0 || r.slack(e) < r.slack(best) || r.slack(e) == r.slack(best) && e < best {
				best = e
			}
		}
	}
	if best < 0 {
		panic("render: network simplex found no arc to enter")
	}
	shift := r.slack(best)
	if below {
		shift = -shift
	}
	for _, u := range r.walk[r.pre[v] : r.pre[v]+r.size[v]] {
		r.rank[u] += shift
	}
	r.inTree[old], r.inTree[best] = false, true
	r.rebuild()
}

// balance moves nodes that may move without cost to the emptiest layer in reach.
func (r *ranker) balance() {
	high := int32(0)
	for _, k := range r.rank {
		high = max(high, k)
	}
	count := make([]int, high+1)
	for _, k := range r.rank {
		count[k]++
	}
	for v := range int32(r.n) {
		lo, hi := int32(0), high
		net := int64(0)
		for _, e := range r.incident.of(v) {
			if r.tail[e] == v {
				hi = min(hi, r.rank[r.head[e]]-1)
				net += r.weight[e]
			} else {
				lo = max(lo, r.rank[r.tail[e]]+1)
				net -= r.weight[e]
			}
		}
		if net != 0 {
			continue
		}
		best := r.rank[v]
		for k := lo; k <= hi; k++ {
			if count[k]+1 < count[best] {
				best = k
			}
		}
		count[r.rank[v]]--
		count[best]++
		r.rank[v] = best
	}
}
