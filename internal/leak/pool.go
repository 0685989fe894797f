package leak

import "slices"

// pool is the segments of one build seen as one process: replicas, and runs
// between restarts. Each is shifted to begin with the longest; values are
// means, counts are sums, so that n processes are as good as n times as many
// samples.
type pool struct {
	t     []float64
	parts []part
}

// part is one segment of a pool; at maps points of the pool to its own.
type part struct {
	st *stream
	at []int
}

// poolOf chooses what to judge of one stream: the build seen longest, the
// newer of two that were seen about equally long; of its segments as many as
// give the most time together when all are cut to the shortest of them. Nil
// if there is nothing.
func (h *History) poolOf(id streamID) *pool {
	var all []*segment
	for _, t := range h.targets {
		for _, s := range t.segs {
			if len(s.streams[id].t) > 0 {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	span := func(s *segment) float64 {
		t := s.streams[id].t
		return t[len(t)-1] - t[0]
	}
	best := preferred(all, func(s *segment) (from, to float64) {
		t := s.streams[id].t
		return t[0], t[len(t)-1]
	})
	var same []*segment
	for _, s := range all {
		if s.build == best.build && s.streams[id].period == best.streams[id].period {
			same = append(same, s)
		}
	}
	slices.SortStableFunc(same, func(a, b *segment) int { return compare(span(b), span(a)) })
	use := 1
	for i := range same {
		if l := span(same[i]); l >= span(same[0])/2 && float64(i+1)*l > float64(use)*span(same[use-1]) {
			use = i + 1
		}
	}
	return newPool(same[:use], id)
}

// preferred is the segment to judge: the longest, but of two builds, or where
// builds are not known, an older one only counts when it is much longer.
func preferred(all []*segment, window func(*segment) (from, to float64)) *segment {
	return slices.MaxFunc(all, func(a, b *segment) int {
		fromA, toA := window(a)
		fromB, toB := window(b)
		la, lb := toA-fromA, toB-fromB
		if (a.build != b.build || a.build == "") && la > lb/4 && lb > la/4 || la == lb {
			return compare(fromA, fromB)
		}
		return compare(la, lb)
	})
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// lastOnly is the newest segments of all targets that have a stream, at their
// last points alone; of one target it is all of its segment.
func (h *History) lastOnly(id streamID) *pool {
	p := &pool{}
	var only *segment
	for _, t := range h.targets {
		s := t.segs[len(t.segs)-1]
		if st := &s.streams[id]; len(st.t) > 0 {
			only = s
			p.parts = append(p.parts, part{st, []int{len(st.t) - 1}})
			p.t = []float64{st.t[len(st.t)-1]}
		}
	}
	switch len(p.parts) {
	case 0:
		return nil
	case 1:
		return newPool([]*segment{only}, id)
	}
	return p
}

func newPool(segs []*segment, id streamID) *pool {
	first := &segs[0].streams[id]
	shortest := segs[len(segs)-1].streams[id].t
	length := shortest[len(shortest)-1] - shortest[0]
	p := &pool{}
	for i, t := range first.t {
		if t-first.t[0] <= length*(1+1e-9) || i == 0 {
			p.t = append(p.t, t)
		}
	}
	for _, s := range segs {
		st := &s.streams[id]
		at := make([]int, len(p.t))
		for i, j := 0, 0; i < len(p.t); i++ {
			age := p.t[i] - p.t[0]
			for j+1 < len(st.t) && st.t[j+1]-st.t[0] <= age*(1+1e-9) {
				j++
			}
			at[i] = j
		}
		p.parts = append(p.parts, part{st, at})
	}
	return p
}

// addColumn adds column c of a part to a series at the points of the pool.
func (p *pool) addColumn(s *series, pt *part, c *column) {
	n := float64(len(p.parts))
	w, spread := c.weight/n, c.spread/(n*n)
	for i, at := range pt.at {
		if at -= c.start; at >= 0 {
			k, a := c.k[at], c.a[at]
			s.k[i] += k
			s.a[i] += a
			s.y[i] += k * w
			s.v[i] += k * spread
			s.cum[i] += a * w
		}
	}
}
