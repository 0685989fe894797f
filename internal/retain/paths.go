package retain

import "container/heap"

// Paths are the best k distinct paths from the super root to v, the best
// first: by rank (see Options.Rank), then by length; no vertex comes twice in
// one. Garbage has none. The search gives up after budget steps (0: four
// million, a fraction of a second), and then complete is false: there may be
// more paths, but those found are the best. Else fewer than k are all there
// are.
//
// Paths are made from the end: a path keeps the last vertices of an earlier
// one, leaves it over another holder, and goes on from there as Path does.
// Such a start is queued by the length it would have; one that would run into
// itself is only a lower bound, and makes way for what leaves it earlier. This
// is the scheme of Lawler ("A procedure for computing the K best solutions",
// 1972) with exact distances.
func (r *Result) Paths(v uint32, k, budget int) (paths [][]uint32, complete bool) {
	if !r.Reachable(v) {
		return nil, true
	}
	if budget <= 0 {
		budget = 4_000_000
	}
	s := pathSearch{r: r, near: r.nearest(), left: budget, last: map[uint32]int32{}}
	s.leave(-1, r.at(v))
	for len(s.queue) > 0 && len(paths) < k {
		if s.left <= 0 {
			return paths, false
		}
		if p := s.follow(heap.Pop(&s.queue).(spur)); p != nil {
			paths = append(paths, p)
		}
	}
	return paths, true
}

// hop is a vertex on paths that end alike. Together hops are a tree that hangs
// from the end of all paths; a hop is below the one its vertex points to.
type hop struct {
	number uint32
	next   int32 // the hop towards the end; -1: this is the end
	depth  int32 // hops from the end
	length int32 // steps from here to the end, and the one to here; those to parts not counted
	bad    int32 // ranks from here to the end
	jump   int32 // a hop further towards the end, chosen so that any is log hops away
	same   int32 // the hop before of the same number; -1: there is none
}

// spur is a way not gone yet: from a hop to another holder of it.
type spur struct {
	hop    int32 // -1: the holder is the end
	holder uint32
	bad    int // ranks and
	length int // steps of the path, if it can go on as Path(holder) does
}

// spurs is a heap, the best on top.
type spurs []spur

func (q spurs) Len() int { return len(q) }
func (q spurs) Less(i, j int) bool {
	if q[i].bad != q[j].bad {
		return q[i].bad < q[j].bad
	}
	return q[i].length < q[j].length
}
func (q spurs) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *spurs) Push(x any) { *q = append(*q, x.(spur)) }

// Pop is for container/heap.
func (q *spurs) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

type pathSearch struct {
	r     *Result
	near  *near
	queue spurs
	hops  []hop
	last  map[uint32]int32 // number -> its last hop
	left  int              // of the budget
}

// follow goes a spur up to the super root, as far as it can without coming to
// a vertex twice, and queues the spurs that leave it on the way. It returns
// the path from the super root, or nil if it ran into itself.
func (s *pathSearch) follow(x spur) []uint32 {
	at := x.hop
	for n := x.holder; ; n = s.near.parent[n] {
		if s.passed(at, n) {
			return nil
		}
		at = s.add(at, n)
		if n == 0 {
			break
		}
		holders := s.r.in[s.r.inAt[n]:s.r.inAt[n+1]]
		for i, h := range holders {
			// Rows ascend, so the same holder comes in a row.
			if h != s.near.parent[n] && (i == 0 || h != holders[i-1]) && !s.blocked(at, h) {
				s.leave(at, h)
			}
		}
	}
	path := make([]uint32, 0, s.hops[at].depth+1)
	for ; at >= 0; at = s.hops[at].next {
		path = append(path, s.r.vertex[s.hops[at].number])
	}
	s.left -= len(path)
	return path
}

// leave queues the spur from a hop over a holder of it.
func (s *pathSearch) leave(at int32, holder uint32) {
	bad, depth := s.near.steps(holder)
	x := spur{hop: at, holder: holder, bad: bad, length: depth}
	if at >= 0 {
		x.length += int(s.hops[at].length)
		x.bad += int(s.hops[at].bad)
	}
	s.left--
	heap.Push(&s.queue, x)
}

// add makes a hop below another. Its jump leads as far as two jumps of the
// other do, if those are equally long, else to the other (Myers, "An
// applicative random-access stack", 1983).
func (s *pathSearch) add(next int32, number uint32) int32 {
	me := int32(len(s.hops))
	h := hop{number: number, next: next, jump: next, same: -1, bad: int32(s.r.rank(number))}
	if !s.r.isPart(number) {
		h.length = 1
	}
	if next >= 0 {
		up := &s.hops[next]
		h.depth, h.length, h.bad = up.depth+1, h.length+up.length, h.bad+up.bad
		if up.jump >= 0 {
			over := &s.hops[up.jump]
			if over.jump >= 0 && up.depth-over.depth == over.depth-s.hops[over.jump].depth {
				h.jump = over.jump
			}
		}
	}
	if last, ok := s.last[number]; ok {
		h.same = last
	}
	s.last[number] = me
	s.hops = append(s.hops, h)
	s.left--
	return me
}

// passed tells whether a number comes between a hop and the end.
func (s *pathSearch) passed(at int32, number uint32) bool {
	h, ok := s.last[number]
	if !ok {
		return false
	}
	for ; h >= 0 && at >= 0; h = s.hops[h].same {
		if s.toDepth(at, s.hops[h].depth) == h {
			return true
		}
		s.left--
	}
	return false
}

// blocked tells whether a vertex through which all paths to a holder lead, or
// the holder, was passed between a hop and the end. It looks only so far; what
// it misses is found out later.
func (s *pathSearch) blocked(at int32, holder uint32) bool {
	for range 64 {
		if holder == 0 {
			return false
		}
		if s.passed(at, holder) {
			return true
		}
		holder = s.r.idom[holder]
	}
	return false
}

// toDepth is the hop of a depth on the way from a hop to the end, -1 if the
// hop is not as deep.
func (s *pathSearch) toDepth(at, depth int32) int32 {
	if s.hops[at].depth < depth {
		return -1
	}
	for s.hops[at].depth > depth {
		if j := s.hops[at].jump; j >= 0 && s.hops[j].depth >= depth {
			at = j
		} else {
			at = s.hops[at].next
		}
	}
	return at
}
