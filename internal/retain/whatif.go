package retain

import (
	"iter"
	"slices"
)

// Edge is a reference. Where a vertex points to another several times, all of
// these references are meant.
type Edge struct{ From, To uint32 }

// Freed is what a removal sets free.
type Freed struct {
	Amount
	r       *Result
	numbers []uint32
}

// All are the vertices that go free, the removed ones included, in no
// particular order.
func (f *Freed) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, n := range f.numbers {
			if !yield(f.r.vertex[n]) {
				return
			}
		}
	}
}

// WhatIf finds what goes free when these references are cut and these vertices
// are taken out, all together. Vertices alone: the retained size of the set.
// References and vertices that are not there change nothing.
//
// One vertex or reference is answered from the dominator tree; several cost
// what they lead to, or, when that is much, what the vertex nearest to all of
// them retains that dominates them.
func (r *Result) WhatIf(edges []Edge, vertices []uint32) *Freed {
	f := &Freed{r: r}
	c := r.cut(edges, vertices)
	if len(c.heads) == 0 {
		return f
	}
	// What goes free has something removed on every path to it, and so it is
	// dominated by the vertex nearest to all heads that dominates them, top.
	top := c.top()
	if c.gone.has(top) || !c.entered(top) {
		f.Amount = r.retained(top)
		f.numbers = r.order[r.pos[top] : r.pos[top]+r.count[top]]
		return f
	}
	var ok bool
	if f.numbers, ok = c.try(top, int(r.count[top])/32); !ok {
		f.numbers = c.mark(top)
	}
	for _, n := range f.numbers {
		f.Amount = f.Add(r.self(n))
	}
	return f
}

// cut is a removal; numbers are preorder numbers.
type cut struct {
	r     *Result
	gone  bitset              // vertices
	edges map[uint32][]uint32 // tail -> heads
	heads []uint32            // of the edges, and the vertices
}

func (r *Result) cut(edges []Edge, vertices []uint32) *cut {
	c := &cut{r: r, gone: newBitset(len(r.vertex)), edges: map[uint32][]uint32{}}
	for _, v := range vertices {
		if n := r.at(v); n != none {
			c.gone.set(n)
			c.heads = append(c.heads, n)
		}
	}
	for _, e := range edges {
		if from, to := r.at(e.From), r.at(e.To); from != none && to != none {
			c.edges[from] = append(c.edges[from], to)
			c.heads = append(c.heads, to)
		}
	}
	return c
}

// top is the vertex nearest to all heads that dominates them.
func (c *cut) top() uint32 {
	r := c.r
	first, last := r.pos[c.heads[0]], r.pos[c.heads[0]]
	for _, n := range c.heads {
		first, last = min(first, r.pos[n]), max(last, r.pos[n])
	}
	top := r.order[first]
	for r.pos[top]+r.count[top] <= last {
		top = r.idom[top]
	}
	return top
}

// entered tells whether top is still reached: an edge from outside its
// dominator subtree is left. All that is outside stays alive, and there is no
// other way in but through top.
func (c *cut) entered(top uint32) bool {
	r := c.r
	for _, h := range r.in[r.inAt[top]:r.inAt[top+1]] {
		if !r.inside(top, h) && !slices.Contains(c.edges[h], top) {
			return true
		}
	}
	return top == 0
}

// goes tells whether an edge is left, so that n keeps t.
func (c *cut) goes(n, t uint32) bool {
	return !c.gone.has(t) && !slices.Contains(c.edges[n], t)
}

// try collects what can be reached from the heads inside the subtree of top,
// which is alive, and takes back what is held from elsewhere. It gives up when
// there are more than most.
func (c *cut) try(top uint32, most int) (freed []uint32, ok bool) {
	r := c.r
	const doomed, kept = 1, 2
	state := newSparse(len(r.vertex))
	var list, alive []uint32
	reach := func(n uint32) {
		if _, ok := state.get(n); !ok && n != top && r.inside(top, n) {
			state.set(n, doomed)
			list = append(list, n)
		}
	}
	for _, n := range c.heads {
		reach(n)
	}
	for i := 0; i < len(list); i++ {
		n := list[i]
		for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
			reach(t)
		}
		if len(list) > most {
			return nil, false
		}
	}
	keep := func(n uint32) {
		state.set(n, kept)
		alive = append(alive, n)
	}
	for _, n := range list {
		for _, h := range r.in[r.inAt[n]:r.inAt[n+1]] {
			if _, ok := state.get(h); !ok && c.goes(h, n) {
				keep(n)
				break
			}
		}
	}
	for i := 0; i < len(alive); i++ {
		n := alive[i]
		for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
			if is, _ := state.get(t); is == doomed && c.goes(n, t) {
				keep(t)
			}
		}
	}
	return slices.DeleteFunc(list, func(n uint32) bool { is, _ := state.get(n); return is == kept }), true
}

// mark goes through the subtree of top, from top on, without what was removed,
// and returns what it has not reached.
func (c *cut) mark(top uint32) (freed []uint32) {
	r := c.r
	m := marking{
		r: r, from: r.pos[top], count: r.count[top], whole: top == 0, cut: c,
		kept: newBitset(len(r.vertex)), tails: newBitset(len(r.vertex)),
	}
	for n := range c.edges {
		m.tails.set(n)
	}
	m.run(top)
	for i := range m.count {
		if n := m.at(i); !m.kept.has(n) {
			freed = append(freed, n)
		}
	}
	return freed
}

// marking goes once through a dominator subtree in an order in which the
// parents of the search come before their children, and marks what each vertex
// points to: memory is read in order. Only what is marked after its turn has
// gone by waits in a stack.
type marking struct {
	r           *Result
	cut         *cut
	from, count uint32 // the subtree: positions in the dominator tree
	whole       bool   // it is all there is: go by preorder number
	kept        bitset // by number
	tails       bitset // of the edges of the cut
	late        []uint32
}

// at is the number whose turn is i.
func (m *marking) at(i uint32) uint32 {
	if m.whole {
		return i
	}
	return m.r.order[m.from+i]
}

func (m *marking) run(top uint32) {
	m.kept.set(top)
	for i := range m.count {
		n := m.at(i)
		if !m.kept.has(n) {
			continue
		}
		m.mark(n, i)
		for len(m.late) > 0 {
			n := m.late[len(m.late)-1]
			m.late = m.late[:len(m.late)-1]
			m.mark(n, i)
		}
	}
}

// mark keeps what n points to; i is the turn.
func (m *marking) mark(n, i uint32) {
	r := m.r
	for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
		if m.kept.has(t) || m.cut.gone.has(t) || m.tails.has(n) && !m.cut.goes(n, t) {
			continue
		}
		turn := t
		if !m.whole {
			if turn = r.pos[t] - m.from; turn >= m.count {
				continue
			}
		}
		m.kept.set(t)
		if turn < i {
			m.late = append(m.late, t)
		}
	}
}
