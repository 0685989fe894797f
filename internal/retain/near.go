package retain

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

// near is the tree of best paths from the super root, by preorder number.
type near struct {
	parent []uint32
	depth  []uint32
	bad    []uint16 // the ranks on the path together; nil: all are 0
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
		s := nearSearch{r: r, turn: map[int][]waiting{}}
		s.start()
		for len(s.turn) > 0 {
			s.run(slices.Min(slices.Collect(maps.Keys(s.turn))))
		}
		r.near = s.near
	})
	return &r.near
}

type nearSearch struct {
	near
	r     *Result
	queue []uint32          // by depth
	parts []uint32          // of the vertex at hand, not gone through yet
	turn  map[int][]waiting // sum of ranks -> who waits for it
}

func (s *nearSearch) start() {
	n := len(s.r.vertex)
	s.parent, s.depth, s.queue = make([]uint32, n), make([]uint32, n), make([]uint32, 0, n)
	for i := range s.parent {
		s.parent[i] = none
	}
	for v, rank := range s.r.ranks {
		if n := s.r.at(uint32(v)); n != none && rank > 0 {
			s.parent[n] = locked
			if s.bad == nil {
				s.bad = make([]uint16, len(s.parent))
			}
		}
	}
	s.turn[s.r.rank(0)] = []waiting{{}}
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
	s.queue = s.queue[:0]
	for head := 0; head < len(s.queue) || len(starts) > 0; {
		// Who starts at the depth that is being filled joins in, so that the
		// queue stays ordered by depth.
		for len(starts) > 0 && (head == len(s.queue) || starts[0].depth <= s.depth[s.queue[head]]+1) {
			if w := starts[0]; s.parent[w.number] >= locked {
				s.reach(w, bad)
			}
			starts = starts[1:]
		}
		if head == len(s.queue) {
			return
		}
		s.expand(s.queue[head], bad)
		for len(s.parts) > 0 {
			part := s.parts[len(s.parts)-1]
			s.parts = s.parts[:len(s.parts)-1]
			s.expand(part, bad)
		}
		head++
	}
}

func (s *nearSearch) expand(n uint32, bad int) {
	next := s.depth[n] + 1
	for _, t := range s.r.out[s.r.outAt[n]:s.r.outAt[n+1]] {
		switch s.parent[t] {
		case none:
			if s.r.isPart(t) { // it is as near as n
				s.note(waiting{t, n, next - 1}, bad)
				s.parts = append(s.parts, t)
				continue
			}
			s.reach(waiting{t, n, next}, bad)
		case locked:
			sum := bad + s.r.rank(t)
			s.turn[sum] = append(s.turn[sum], waiting{t, n, next})
		}
	}
}

func (s *nearSearch) reach(w waiting, bad int) {
	s.note(w, bad)
	s.queue = append(s.queue, w.number)
}

func (s *nearSearch) note(w waiting, bad int) {
	s.parent[w.number], s.depth[w.number] = w.parent, w.depth
	if s.bad != nil {
		s.bad[w.number] = uint16(min(bad, 1<<16-1))
	}
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
	return int(r.nearest().depth[r.at(v)])
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
	for n, d := range r.nearest().depth {
		i := bits.Len32(d)
		for len(rows) <= i {
			from := 1 << len(rows) / 2
			rows = append(rows, DepthRow{From: from, To: max(0, 2*from-1)})
		}
		rows[i].Amount = rows[i].Add(r.self(uint32(n)))
	}
	return rows
}
