package retain

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"sort"
)

// near is the tree of best paths from the super root, by preorder number.
type near struct {
	parent []uint32
	// layer tells how good the best path is, and runs what that means: layers
	// are in the order in which the search comes to them.
	layer []uint32
	runs  []run
}

// run is layers in a row: paths of layer first have so many steps and ranks of
// bad together, and with each layer they have a step more.
type run struct {
	first uint32
	depth uint32
	bad   int
}

// steps tells how good the best path to n is: its ranks together, its length.
func (t *near) steps(n uint32) (bad, depth int) {
	layer := t.layer[n]
	i := len(t.runs) - 1
	if i > 0 {
		i = sort.Search(len(t.runs), func(i int) bool { return t.runs[i].first > layer }) - 1
	}
	r := &t.runs[i]
	return r.bad, int(r.depth + layer - r.first)
}

// waiting is a synthetic vertex of a rank above 0 that was seen at the end of
// a path: its turn comes when all better paths are gone.
type waiting struct{ number, parent, depth uint32 }

// locked in near.parent is a synthetic vertex of a rank above 0 that was not
// reached yet. It takes the place of none, so that the search need not ask for
// the rank of every vertex.
const locked = none - 1

// nearest returns the tree of best paths, made on first use: a breadth-first
// search for each sum of ranks, the lowest first.
func (r *Result) nearest() *near {
	r.nearOnce.Do(func() {
		r.findParts()
		s := newNearSearch(r, r.spare)
		r.spare = nil
		s.all()
		r.near = s.near
	})
	return &r.near
}

// nearSearch is a search in layers. The queue of a layer is a list through
// near.layer: until its turn comes, a vertex has there who comes after it.
// Those that point to nothing are not queued.
type nearSearch struct {
	near
	r           *Result
	now         uint32            // the layer whose turn is
	first, last uint32            // of the queue of the next; none: it is empty
	parts       []uint32          // of the vertex at hand, not gone through yet
	turn        map[int][]waiting // sum of ranks -> who waits for it
}

// newNearSearch prepares the search; spare is an array to use, of at least as
// many entries as there are vertices, or nil.
func newNearSearch(r *Result, spare []uint32) *nearSearch {
	n := len(r.vertex)
	if len(spare) < n {
		spare = make([]uint32, n)
	}
	s := &nearSearch{r: r, first: none, turn: map[int][]waiting{}}
	s.parent, s.layer = spare[:n], make([]uint32, n)
	for i := range s.parent {
		s.parent[i] = none
	}
	for v, rank := range r.ranks {
		if n := r.at(uint32(v)); n != none && rank > 0 {
			s.parent[n] = locked
		}
	}
	return s
}

// all finds the best paths to all vertices.
func (s *nearSearch) all() {
	s.turn[s.r.rank(0)] = []waiting{{}}
	for len(s.turn) > 0 {
		s.run(slices.Min(slices.Collect(maps.Keys(s.turn))))
	}
}

// isPart tells whether number n is a part of what leads to it; nearest has
// found out.
func (r *Result) isPart(n uint32) bool { return r.parts != nil && r.parts.has(n) }

// findParts asks for all parts at once: asked for one after the other, as the
// search comes by, each would be far away in memory.
func (r *Result) findParts() {
	if r.part == nil {
		return
	}
	r.parts = newBitset(len(r.vertex))
	for n, v := range r.vertex {
		if int(v) >= r.synthetic && r.part(v) {
			r.parts.set(uint32(n))
		}
	}
}

// rank is the rank of number n, 0 for objects.
func (r *Result) rank(n uint32) int {
	if v := r.vertex[n]; int(v) < len(r.ranks) {
		return int(r.ranks[v])
	}
	return 0
}

// run finds all vertices whose best path has this sum of ranks.
func (s *nearSearch) run(bad int) {
	starts := s.turn[bad]
	delete(s.turn, bad)
	slices.SortStableFunc(starts, func(a, b waiting) int { return cmp.Compare(a.depth, b.depth) })
	for len(starts) > 0 {
		depth := starts[0].depth
		s.now++ // a layer of nobody, so that runs do not meet
		s.runs = append(s.runs, run{s.now + 1, depth, bad})
		starts = s.join(starts, depth)
		for s.first != none {
			queue := s.first
			s.first = none
			s.now++
			depth++
			starts = s.join(starts, depth)
			for queue != none {
				n := queue
				queue = s.layer[n]
				s.layer[n] = s.now
				s.expand(n, depth, bad)
				for len(s.parts) > 0 {
					part := s.parts[len(s.parts)-1]
					s.parts = s.parts[:len(s.parts)-1]
					s.expand(part, depth, bad)
				}
			}
		}
	}
}

// join puts those who start at this depth into the next layer, of which they
// are the first.
func (s *nearSearch) join(starts []waiting, depth uint32) []waiting {
	for len(starts) > 0 && starts[0].depth <= depth {
		if w := starts[0]; s.parent[w.number] >= locked {
			s.reach(w.number, w.parent)
		}
		starts = starts[1:]
	}
	return starts
}

// expand goes on from n; next is the depth of what it points to.
func (s *nearSearch) expand(n, next uint32, bad int) {
	r := s.r
	for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
		switch s.parent[t] {
		case none:
			if r.isPart(t) { // it is as near as n
				s.parent[t], s.layer[t] = n, s.now
				s.parts = append(s.parts, t)
				continue
			}
			s.reach(t, n)
		case locked:
			sum := bad + r.rank(t)
			s.turn[sum] = append(s.turn[sum], waiting{t, n, next})
		}
	}
}

// reach puts n into the next layer.
func (s *nearSearch) reach(n, parent uint32) {
	s.parent[n] = parent
	switch {
	case s.r.outAt[n] == s.r.outAt[n+1]:
		s.layer[n] = s.now + 1
		return
	case s.first == none:
		s.first = n
	default:
		s.layer[s.last] = n
	}
	s.layer[n], s.last = none, n
}

// Path is the shortest of the best paths from the super root to v; see
// Options.Rank for what is best. It begins with the super root and ends with
// v; for garbage it is nil.
func (r *Result) Path(v uint32) []uint32 {
	if !r.Reachable(v) {
		return nil
	}
	return r.chain(r.at(v), r.nearest().parent)
}

// Depth is the number of steps of Path(v), those to parts not counted; -1 for
// garbage.
func (r *Result) Depth(v uint32) int {
	if !r.Reachable(v) {
		return -1
	}
	_, depth := r.nearest().steps(r.at(v))
	return depth
}

// DepthRow is the amount of memory at depths From to To.
type DepthRow struct {
	From, To int // To is included
	Amount
}

// Depths is the histogram of Depth over all reachable vertices. Rows double in
// width, so that long lists fit: 0, 1, 2-3, 4-7, ...
func (r *Result) Depths() []DepthRow {
	var rows []DepthRow
	near := r.nearest()
	for n := range near.parent {
		_, d := near.steps(uint32(n))
		i := bits.Len(uint(d))
		for len(rows) <= i {
			from := 1 << len(rows) / 2
			rows = append(rows, DepthRow{From: from, To: max(0, 2*from-1)})
		}
		rows[i].Amount = rows[i].Add(r.self(uint32(n)))
	}
	return rows
}
