package retain

import (
	"iter"
	"slices"
	"sync"
)

// none is no vertex.
const none = 1<<32 - 1

// Result is what Compute found: the reachable part of the graph, numbered in
// preorder, with dominators and retained sizes. It takes 40 bytes a vertex and
// 8 an edge; the first question about shortest paths adds 4 a vertex.
type Result struct {
	synthetic int
	number    []uint32 // vertex -> preorder number + 1, 0: garbage
	vertex    []uint32 // preorder number -> vertex

	// By preorder number:
	outAt, out []uint32 // edges, without self loops; rows as given
	inAt, in   []uint32 // the same edges backwards; rows ascend
	idom       []uint32 // of 0: 0
	count      []uint32 // vertices in the dominator subtree, itself included

	// The dominator tree in preorder of its own: the subtree of n is
	// order[pos[n]:pos[n]+count[n]], and begins with n. sums are the sizes of
	// what is in order.
	pos, order []uint32
	sums       sums

	ranks       []uint8 // by vertex, of synthetic ones; nil: all are 0
	part        func(v uint32) bool
	parts       bitset   // by number, from part; see findParts
	below       []uint32 // by vertex, of synthetic ones: synthetic vertices in the subtree
	unreachable Amount

	nearOnce sync.Once
	near     near
	spare    []uint32 // for near
}

// at is the preorder number of v, none for garbage.
func (r *Result) at(v uint32) uint32 { return r.number[v] - 1 }

// Vertices is the number of vertices of the graph, garbage included.
func (r *Result) Vertices() int { return len(r.number) }

// Edges is the number of edges between reachable vertices, without self loops
// and repetitions in a row.
func (r *Result) Edges() int { return len(r.out) }

// Reachable tells whether v can be reached from the super root.
func (r *Result) Reachable(v uint32) bool { return r.number[v] != 0 }

// Total is everything that can be reached.
func (r *Result) Total() Amount { return r.retained(0) }

// Unreachable is the garbage.
func (r *Result) Unreachable() Amount { return r.unreachable }

// Size is the size of v alone.
func (r *Result) Size(v uint32) uint64 {
	if n := r.at(v); n != none {
		return r.size(n)
	}
	return 0
}

func (r *Result) size(n uint32) uint64 { return r.sums.of(r.pos[n], 1) }

// bytes are what number n retains.
func (r *Result) bytes(n uint32) uint64 { return r.sums.of(r.pos[n], r.count[n]) }

// self is the vertex alone as an amount.
func (r *Result) self(n uint32) Amount { return r.selfAt(n, r.pos[n]) }

// selfAt is self, where the place of n in the dominator tree is known.
func (r *Result) selfAt(n, p uint32) Amount {
	a := Amount{Bytes: r.sums.of(p, 1)}
	if r.isObject(n) {
		a.Objects = 1
	}
	return a
}

func (r *Result) isObject(n uint32) bool { return int(r.vertex[n]) >= r.synthetic }

// Retained is what goes free when v does, itself included.
func (r *Result) Retained(v uint32) Amount {
	if n := r.at(v); n != none {
		return r.retained(n)
	}
	return Amount{}
}

func (r *Result) retained(n uint32) Amount {
	objects := uint64(r.count[n])
	if v := r.vertex[n]; int(v) < r.synthetic {
		objects -= uint64(r.below[v])
	}
	return Amount{r.bytes(n), objects}
}

// Dominator is the vertex nearest to v through which every path from the super
// root to v leads. The super root and garbage have none.
func (r *Result) Dominator(v uint32) (d uint32, ok bool) {
	n := r.at(v)
	if n == none || n == 0 {
		return 0, false
	}
	return r.vertex[r.idom[n]], true
}

// Dominators are all vertices through which every path to v leads, from the
// super root to v itself. Garbage has none.
func (r *Result) Dominators(v uint32) []uint32 { return r.chain(r.at(v), r.idom) }

// chain are the vertices from the super root to number n by a tree of parents.
func (r *Result) chain(n uint32, parent []uint32) []uint32 {
	if n == none {
		return nil
	}
	c := []uint32{r.vertex[n]}
	for n != 0 {
		n = parent[n]
		c = append(c, r.vertex[n])
	}
	slices.Reverse(c)
	return c
}

// Dominates tells whether every path to v leads through d. A vertex dominates
// itself; garbage neither dominates nor is dominated.
func (r *Result) Dominates(d, v uint32) bool {
	a, b := r.at(d), r.at(v)
	return a != none && b != none && r.inside(a, b)
}

// inside tells whether number b lies in the dominator subtree of a.
func (r *Result) inside(a, b uint32) bool { return r.pos[b]-r.pos[a] < r.count[a] }

// Children are the vertices whose nearest dominator is v, in preorder.
func (r *Result) Children(v uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if r.Reachable(v) {
			for c := range r.children(r.at(v)) {
				if !yield(r.vertex[c]) {
					return
				}
			}
		}
	}
}

// children are the numbers whose nearest dominator is n: the first follows n
// in order, and each begins where the subtree of the one before ends.
func (r *Result) children(n uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		end := r.pos[n] + r.count[n]
		for p := r.pos[n] + 1; p < end; {
			c := r.order[p]
			if !yield(c) {
				return
			}
			p += r.count[c]
		}
	}
}

// Dominated are v and all vertices below it in the dominator tree: what goes
// free with v.
func (r *Result) Dominated(v uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		n := r.at(v)
		if n == none {
			return
		}
		for _, c := range r.order[r.pos[n] : r.pos[n]+r.count[n]] {
			if !yield(r.vertex[c]) {
				return
			}
		}
	}
}

// Targets are the vertices v points to, in the order of its edges, without v
// itself. A vertex may come again, but not in a row.
func (r *Result) Targets(v uint32) iter.Seq[uint32] { return r.row(v, r.outAt, r.out) }

// Holders are the reachable vertices that point to v, in preorder, without v
// itself. One that points to v several times may come again.
func (r *Result) Holders(v uint32) iter.Seq[uint32] { return r.row(v, r.inAt, r.in) }

func (r *Result) row(v uint32, at, edges []uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		n := r.at(v)
		if n == none {
			return
		}
		for _, t := range edges[at[n]:at[n+1]] {
			if !yield(r.vertex[t]) {
				return
			}
		}
	}
}
