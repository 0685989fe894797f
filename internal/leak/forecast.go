package leak

import (
	"math"
	"slices"
	"time"
)

// horizon is how far ahead a date is given.
const horizon = 5 * 365 * 24 * 3600

// overLimit is resident memory over live memory when the collector runs all
// the time because of GOMEMLIMIT, as measured.
const overLimit = 1.07

// stackOfOne is what a goroutine's stack and descriptor take at least.
const stackOfOne = 2048 + 448

// memory is a model of one process from now on; bytes and bytes a second.
type memory struct {
	live, grows  float64 // what the collector marks: heap and stacks
	pace         float64 // GOGC/100; negative: the collector is off
	target       float64 // what it may grow to before the next cycle, 0: by pace
	allocates    float64 // bytes a second
	overhead     float64 // of the runtime, and spans not in use
	goLimit      float64 // GOMEMLIMIT, +Inf: none
	outside      float64 // what the runtime knows nothing of
	outsideGrows float64
}

// peak is resident memory after sec seconds at its highest, just before a
// collection. scale multiplies the growth.
func (m *memory) peak(sec, scale float64) float64 {
	live := m.live + m.grows*scale*sec
	var heap float64
	switch {
	case m.pace < 0:
		heap = m.live + m.allocates*sec
	case m.target > 0:
		heap = m.target + (1+m.pace)*m.grows*scale*sec
	default:
		heap = (1 + m.pace) * live
	}
	heap = max(live, min(m.overhead+heap, max(m.goLimit, m.overhead+overLimit*live))) // with overhead
	return m.outside + m.outsideGrows*scale*sec + heap
}

// when is the first second f reaches level, +Inf beyond the horizon.
func when(level float64, f func(sec float64) float64) float64 {
	if f(0) >= level {
		return 0
	}
	if f(horizon) < level {
		return math.Inf(1)
	}
	lo, hi := 0.0, float64(horizon)
	for range 64 {
		if mid := (lo + hi) / 2; f(mid) < level {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// forecast says when memory, or the descriptors, run out; nil if nothing
// grows or no limit is known.
func (j *judge) forecast() *Forecast {
	g := j.h.lastGauges()
	memory := j.memoryForecast(&g)
	files := j.descriptorForecast(&g)
	if memory == nil || files != nil && !files.OOM.IsZero() && (memory.OOM.IsZero() || files.OOM.Value.Before(memory.OOM.Value)) {
		return files
	}
	return memory
}

// lastGauges is each gauge as it was last known of the target whose gauges are
// judged, while it was of the same build.
func (h *History) lastGauges() Gauges {
	g := NoGauges()
	newest := h.gauged()
	if newest == nil {
		return g
	}
	for _, t := range h.targets {
		if !slices.Contains(t.segs, newest) {
			continue
		}
		for _, s := range t.segs {
			if s.build == newest.build && len(s.gauges) > 0 {
				newest = s
			}
		}
		break
	}
	for i := range newest.gauges {
		for k, v := range newest.gauges[i].g {
			if !math.IsNaN(v) {
				g[k] = v
			}
		}
	}
	return g
}

// growth is the slope of one resource: the sum of its leaks, if there is none
// of what may become one, if there is neither of the total.
func (j *judge) growth(r Resource) Estimate {
	for _, class := range [...]Class{Leak, Growing} {
		sum, variance := 0.0, 0.0
		for i := range j.v.Findings {
			if f := &j.v.Findings[i]; f.Resource == r && f.Class == class && !math.IsNaN(f.Slope.Value) {
				sum += f.Slope.Value
				half := (f.Slope.High - f.Slope.Low) / 2
				variance += half * half
			}
		}
		if sum > 0 {
			half := math.Sqrt(variance)
			return Estimate{sum, sum - half, sum + half}
		}
	}
	if f := j.total(r); f != nil && f.Class >= Growing {
		return f.Slope
	}
	return Estimate{}
}

func (j *judge) total(r Resource) *Finding {
	for i := range j.v.Totals {
		if j.v.Totals[i].Resource == r {
			return &j.v.Totals[i]
		}
	}
	return nil
}

// memoryForecast is nil when memory does not grow.
func (j *judge) memoryForecast(g *Gauges) *Forecast {
	heap, off := j.growth(Heap), j.growth(OffHeap)
	stacks := j.stackGrowth()
	for i := range j.v.Findings {
		if f := &j.v.Findings[i]; f.Resource == ResidentMemory && f.Class == Leak { // nothing explains it
			heap, off, stacks = Estimate{}, f.Slope, Estimate{}
		}
	}
	if heap.Value <= 0 && off.Value <= 0 && stacks.Value <= 0 {
		return nil
	}
	m := j.model(g)
	m.grows, m.outsideGrows = heap.Value+stacks.Value, off.Value
	limit, reach, name := j.limit(g)
	slope := m.peak(3600, 1) - m.peak(0, 1)
	f := &Forecast{Limit: limit, LimitName: name, Used: g[Resident], Slope: scaled(slope/3600, heap, stacks, off)}
	if math.IsNaN(f.Used) {
		f.Used = m.peak(0, 1)
	}
	scale := scaled(1, heap, stacks, off)
	date := func(level float64, at func(sec, scale float64) float64) Date {
		return j.date(func(scale float64) float64 {
			return when(level, func(sec float64) float64 { return at(sec, scale) })
		}, scale)
	}
	if !math.IsInf(m.goLimit, 1) {
		f.Thrash = date(m.goLimit, func(sec, scale float64) float64 {
			return m.overhead + m.live + m.grows*scale*sec
		})
	}
	if g[GroupHigh] > 0 && !math.IsInf(g[GroupHigh], 1) {
		f.Throttle = date(g[GroupHigh], m.peak)
	}
	if limit > 0 {
		f.OOM = date(reach, m.peak)
	} else if f.Thrash.IsZero() && f.Throttle.IsZero() {
		return nil
	}
	return f
}

// scaled is v with the relative interval of a sum of estimates.
func scaled(v float64, parts ...Estimate) Estimate {
	sum, variance := 0.0, 0.0
	for _, p := range parts {
		if p.Value > 0 {
			sum += p.Value
			half := (p.High - p.Low) / 2
			variance += half * half
		}
	}
	if sum <= 0 {
		return Estimate{v, v, v}
	}
	r := math.Sqrt(variance) / sum
	return Estimate{v, v * max(0, 1-r), v * (1 + r)}
}

// stackGrowth is that of goroutine stacks, measured or from their number.
func (j *judge) stackGrowth() Estimate {
	n := j.growth(Goroutines)
	if n.Value <= 0 {
		return Estimate{}
	}
	n = Estimate{n.Value + j.together, n.Low + j.together, n.High + j.together}
	each := float64(stackOfOne)
	if seg := j.h.gauged(); seg != nil {
		s := seg.measure(func(g *Gauges) float64 { return g[StackInuse] })
		if s != nil && s.len() >= minLooks {
			each = max(each, fit(s.t, s.y, nil).slope/n.Value)
		}
	}
	return Estimate{each * n.Value, each * n.Low, each * n.High}
}

// model is the process as it is now.
func (j *judge) model(g *Gauges) memory {
	m := memory{pace: 1, goLimit: math.Inf(1)}
	if g.Has(GOGC) {
		m.pace = g[GOGC] / 100
	}
	if v := g[MemoryLimit]; v > 0 && v < 1<<62 {
		m.goLimit = v
	}
	if heap := j.total(Heap); heap != nil {
		m.live = heap.After.Value
	}
	if g[HeapLive] > 0 {
		m.live = g[HeapLive]
	}
	if g[StackInuse] > 0 {
		m.live += g[StackInuse]
	}
	if tr := j.trees[heapStream]; tr != nil && tr.root.span() > 0 {
		m.allocates = (tr.root.cum[tr.root.len()-1] - tr.root.cum[0]) / tr.root.span()
	}
	if !g.Has(Resident) {
		return m
	}
	if !g.Has(HeapInuse) || !g.Has(HeapIdle) || !g.Has(HeapReleased) || !g.Has(NextGC) {
		// What resident memory is made of is not known: all that the heap
		// does not explain stays as it is.
		m.outside = max(0, g[Resident]-(1+max(0, m.pace))*m.live)
		return m
	}
	inHeap := g[HeapInuse] + g[HeapIdle] - g[HeapReleased]
	stack, other := max(0, g[StackInuse]), max(0, g[RuntimeOther])
	if !g.Has(StackInuse) {
		stack = 0
	}
	if !g.Has(RuntimeOther) {
		other = 0
	}
	m.overhead = other
	if g[HeapAlloc] > 0 { // spans are never quite full
		m.overhead += max(0, min(g[HeapInuse]-g[HeapAlloc], 0.2*g[HeapAlloc]))
	}
	m.target = g[NextGC] + stack
	if g[NextGC] >= 1<<62 {
		m.target = 0
	}
	m.outside = max(0, g[Resident]-inHeap-stack-other)
	return m
}

// limit is the one that is reached first, with its name. reach is what this
// process has of it: others take their part of a group and of a machine.
func (j *judge) limit(g *Gauges) (limit, reach float64, name string) {
	if j.o.Limit > 0 {
		return j.o.Limit, j.o.Limit, "-limit"
	}
	reach = math.Inf(1)
	if v := g[GroupMax]; v > 0 && v < 1<<62 {
		limit, reach, name = v, v, "memory.max"
		others := g[GroupCurrent] - g[GroupCache] - g[ResidentAnon]
		if others > 0 { // known, too
			reach -= others
		}
	}
	if v := g[NodeMemory]; v > 0 {
		has := v
		if g.Has(NodeAvailable) && g.Has(Resident) {
			has = g[Resident] + g[NodeAvailable]
		}
		if has < reach {
			limit, reach, name = v, has, "machine"
		}
	}
	return limit, reach, name
}

// descriptorForecast is when the open files reach their limit.
func (j *judge) descriptorForecast(g *Gauges) *Forecast {
	s := j.growth(FileDescriptors)
	if s.Value <= 0 || !(g[DescriptorLimit] > 0) {
		return nil
	}
	left := g[DescriptorLimit] - g[Descriptors]
	f := &Forecast{Limit: g[DescriptorLimit], LimitName: "descriptors", Used: g[Descriptors], Slope: s}
	f.OOM = j.date(func(slope float64) float64 {
		if slope <= 0 {
			return math.Inf(1)
		}
		return max(0, left) / slope
	}, s)
	return f
}

// date asks for the seconds from the last look on, at the slope and at the
// ends of its interval.
func (j *judge) date(after func(slope float64) float64, slope Estimate) Date {
	at := func(v float64) time.Time {
		if sec := after(v); sec <= horizon {
			return j.h.to.Add(time.Duration(sec * float64(time.Second)))
		}
		return time.Time{}
	}
	return Date{at(slope.Value), at(slope.High), at(slope.Low)}
}
