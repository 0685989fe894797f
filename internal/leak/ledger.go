package leak

import "math"

// ledger splits resident memory as it was last seen, with the growth of each
// part over the longest run of one process; nil when it is not known.
func (h *History) ledger() *Ledger {
	seg := h.gauged()
	if seg == nil {
		return nil
	}
	last := -1
	for i := range seg.gauges { // the last that tells of the heap, else the last at all
		g := &seg.gauges[i].g
		if g.Has(Resident) && (last < 0 || g.Has(HeapAlloc) || !seg.gauges[last].g.Has(HeapAlloc)) {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	heap := seg.heapTotal()
	parts := split(&seg.gauges[last].g, heap(seg.gauges[last].t))
	l := &Ledger{
		Resident: parts[0], LiveHeap: parts[1], Garbage: parts[2], Fragmentation: parts[3],
		Stacks: parts[4], Runtime: parts[5], OffHeap: parts[6], Rest: parts[7],
	}
	for i := range l.Growth {
		l.Growth[i] = seg.partGrowth(i, heap)
	}
	return l
}

// partGrowth is the least-squares slope of one part of resident memory.
func (s *segment) partGrowth(i int, heap func(float64) float64) float64 {
	var t, y []float64
	for k := range s.gauges {
		if parts := split(&s.gauges[k].g, heap(s.gauges[k].t)); !math.IsNaN(parts[i]) {
			t, y = append(t, s.gauges[k].t), append(y, parts[i])
		}
	}
	if len(t) < 3 {
		return math.NaN()
	}
	return fit(t, y, nil).slope
}

// heapTotal is the live heap by the profiles at a time, NaN before the first.
func (s *segment) heapTotal() func(t float64) float64 {
	st := &s.streams[heapStream]
	total := make([]float64, len(st.t))
	for _, c := range st.columns {
		for i, k := range c.k {
			total[c.start+i] += k * c.weight
		}
	}
	return func(t float64) float64 {
		v := math.NaN()
		for i := range st.t {
			if st.t[i] <= t+1 {
				v = total[i]
			}
		}
		return v
	}
}

// split is resident memory and its parts in the order of Ledger. A part that
// is not known is NaN and inside the rest. What the runtime has but never
// touched is not resident: it is taken off the spans not in use, the runtime's
// own memory, garbage and live objects, in this order, before the rest gets
// negative.
func split(g *Gauges, profiled float64) [8]float64 {
	live := g[HeapLive]
	if math.IsNaN(live) {
		live = profiled
	}
	live = min(live, g[HeapAlloc])
	if math.IsNaN(live) { // min is NaN if either is
		live = g[HeapLive]
	}
	parts := [8]float64{
		g[Resident], live, g[HeapAlloc] - live,
		g[HeapInuse] - g[HeapAlloc] + g[HeapIdle] - g[HeapReleased],
		g[StackInuse], g[RuntimeOther], offHeap(g), 0,
	}
	rest := parts[0]
	for _, p := range parts[1:7] {
		if !math.IsNaN(p) {
			rest -= p
		}
	}
	for _, i := range [...]int{3, 5, 2, 1} {
		if rest < 0 && parts[i] > 0 {
			off := min(parts[i], -rest)
			parts[i] -= off
			rest += off
		}
	}
	parts[7] = rest
	return parts
}
