package leak

import "math"

// gauges judges what the process tells of itself: one finding for each
// resource that grows, and one total for each.
func (j *judge) gauges() {
	seg := j.h.gauged()
	if seg == nil {
		return
	}
	has := map[Resource]bool{}
	for i := range j.v.Totals {
		has[j.v.Totals[i].Resource] = true
	}
	add := func(r Resource, s *series, gate float64) {
		if s == nil || has[r] {
			return
		}
		env := setting{whole: s.y[int(float64(s.len())*warmUp)], gate: gate}
		verdict := func() judgement { return sober(confirm(s, env)) }
		if j.h.rounds {
			if r == Heap || r == OffHeap || r == ResidentMemory {
				return // garbage and pages come and go without regard to rounds
			}
			verdict = func() judgement { return judgeRounds(s, roundCount) }
		}
		f := j.h.finding(s, verdict(), r)
		j.v.Totals = append(j.v.Totals, f)
		if f.Class >= Load && r != ResidentMemory {
			j.v.Findings = append(j.v.Findings, f)
		}
	}
	add(Goroutines, seg.count(GoroutineCount), minSamples)
	add(FileDescriptors, seg.count(Descriptors), minSamples)
	add(Heap, seg.measure(heapSize), minBytes) // where its profile says nothing
	add(OffHeap, seg.offHeap(), minBytes)
	add(ResidentMemory, seg.measure(resident), minBytes)
}

// gauged is the segment whose gauges are judged; nil if there are none.
func (h *History) gauged() *segment {
	var all []*segment
	for _, t := range h.targets {
		for _, s := range t.segs {
			if len(s.gauges) > 0 {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return preferred(all, func(s *segment) (from, to float64) { return s.gauges[0].t, s.gauges[len(s.gauges)-1].t })
}

// measure is a series of what f makes of the gauges, where it is known.
func (s *segment) measure(f func(*Gauges) float64) *series {
	var t, y []float64
	for i := range s.gauges {
		if v := f(&s.gauges[i].g); !math.IsNaN(v) && !math.IsInf(v, 0) {
			t, y = append(t, s.gauges[i].t), append(y, v)
		}
	}
	if len(t) == 0 {
		return nil
	}
	return &series{t: t, y: y}
}

// count is a series of one gauge that counts.
func (s *segment) count(g Gauge) *series {
	m := s.measure(func(gs *Gauges) float64 { return gs[g] })
	if m == nil {
		return nil
	}
	return counted(m.t, m.y)
}

func resident(g *Gauges) float64 { return g[Resident] }

// heapSize is the live heap as the runtime tells it, with garbage where it does
// not tell that apart.
func heapSize(g *Gauges) float64 {
	if g.Has(HeapLive) {
		return g[HeapLive]
	}
	return g[HeapAlloc]
}

// offHeap is memory the Go runtime knows nothing of: resident anonymous
// memory without what the runtime got from the system and did not give back,
// which need not be resident: so zero is the least.
// Where anonymous memory is not told apart, files that are mapped count too.
func offHeap(g *Gauges) float64 {
	r := g[ResidentAnon]
	if math.IsNaN(r) {
		r = g[Resident]
	}
	return max(0, r-(g[Sys]-g[HeapReleased]))
}

// offHeap is the series of memory outside the heap. The runtime's own numbers
// are often asked for more rarely than resident memory; between two answers
// they are taken to change evenly.
func (s *segment) offHeap() *series {
	sys, released := s.filled(Sys), s.filled(HeapReleased)
	var t, y []float64
	for i := range s.gauges {
		g := s.gauges[i].g
		g[Sys], g[HeapReleased] = sys[i], released[i]
		if v := offHeap(&g); !math.IsNaN(v) {
			t, y = append(t, s.gauges[i].t), append(y, v)
		}
	}
	if len(t) == 0 {
		return nil
	}
	return &series{t: t, y: y}
}

// filled is one gauge at all points: between two that are known on the line
// between them, before and behind as the nearest.
func (s *segment) filled(g Gauge) []float64 {
	out := make([]float64, len(s.gauges))
	last := -1
	for i := range s.gauges {
		out[i] = s.gauges[i].g[g]
		if math.IsNaN(out[i]) {
			if last >= 0 {
				out[i] = out[last]
			}
			continue
		}
		for k := last + 1; k < i; k++ {
			out[k] = out[i]
			if last >= 0 {
				f := (s.gauges[k].t - s.gauges[last].t) / (s.gauges[i].t - s.gauges[last].t)
				out[k] = out[last] + f*(out[i]-out[last])
			}
		}
		last = i
	}
	return out
}
