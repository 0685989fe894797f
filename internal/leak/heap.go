package leak

import (
	"errors"
	"math"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

func isOwn(name, file string) bool { return origin.OfFrame(name, file) == origin.Own }

// heapValues are the columns of a heap profile.
type heapValues struct {
	allocObjects, allocSpace, inuseObjects, inuseSpace []int64
	bytes                                              profile.StringID
}

var errNoHeap = errors.New("it has no alloc_objects, alloc_space, inuse_objects and inuse_space; collect /debug/pprof/heap")

func heapOf(p *profile.Profile) (v heapValues, err error) {
	has := map[string]bool{} // the columns of an empty profile are nil
	for i, t := range p.SampleTypes {
		has[t.Type] = true
		switch t.Type {
		case "alloc_objects":
			v.allocObjects = p.Samples.Values[i]
		case "alloc_space":
			v.allocSpace = p.Samples.Values[i]
		case "inuse_objects":
			v.inuseObjects = p.Samples.Values[i]
		case "inuse_space":
			v.inuseSpace = p.Samples.Values[i]
		}
	}
	if !has["alloc_objects"] || !has["alloc_space"] || !has["inuse_objects"] || !has["inuse_space"] {
		return v, errNoHeap
	}
	for id, s := range p.Strings {
		if s == "bytes" {
			for _, l := range p.LabelSets.Labels {
				if l.Key == profile.StringID(id) && l.Str == 0 {
					v.bytes = profile.StringID(id)
					return v, nil
				}
			}
		}
	}
	return v, nil
}

// unsampled tells a heap profile of a program whose sampling is off.
func unsampled(p *profile.Profile) bool {
	if p == nil || p.Period != 0 {
		return false
	}
	_, err := heapOf(p)
	return err == nil
}

// size is that of the objects of sample i.
func (v *heapValues) size(p *profile.Profile, i int) int64 {
	if v.bytes != 0 {
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			if l.Key == v.bytes && l.Str == 0 && l.Num > 0 {
				return l.Num
			}
		}
	}
	switch {
	case v.inuseObjects[i] > 0:
		return v.inuseSpace[i] / v.inuseObjects[i]
	case v.allocObjects[i] > 0:
		return v.allocSpace[i] / v.allocObjects[i]
	}
	return 0
}

// sampled is the probability that an object of some size is in the profile.
func sampled(size, period int64) float64 {
	if period <= 1 || size <= 0 {
		return 1
	}
	return -math.Expm1(-float64(size) / float64(period))
}

// unscaled is how many objects were sampled: the runtime divides their number
// by the probability and cuts off the fraction, so that v*p lies above k-1
// and not above k.
func unscaled(v int64, p float64) float64 { return math.Ceil(float64(v)*p - 1e-6) }

// births is the number of sampled allocations of a heap profile: never falls
// while a process lives.
func births(p *profile.Profile) float64 {
	v, err := heapOf(p)
	if err != nil {
		return 0
	}
	n := 0.0
	for i := range p.Samples.Len() {
		n += unscaled(v.allocObjects[i], sampled(v.size(p, i), p.Period))
	}
	return n
}

// lastGCAge is how long ago, in seconds, the last collection may have been: the
// runtime collects every two minutes. What is older is by another clock.
const lastGCAge = 300

// addHeap appends a heap profile to a segment. A profile that is not fresh
// and equal to the one before was made before any further collection cycle
// ended: it says nothing new. One that is new shows the heap as of the end of
// a cycle, not of now.
func (h *History) addHeap(seg *segment, sec float64, l *Look) error {
	p := l.Heap
	v, err := heapOf(p)
	if err != nil {
		return err
	}
	st := &seg.streams[heapStream]
	if !l.Fresh {
		if st.unchanged(h, p, &v) {
			return nil
		}
		if l.Gauges.Has(LastGC) && l.Gauges[LastGC] > 0 {
			gc := l.Gauges[LastGC] - float64(h.base.UnixNano())/1e9
			if gc <= sec && sec-gc <= lastGCAge && (len(st.t) == 0 || gc > st.t[len(st.t)-1]) {
				sec = gc
			}
		}
	}
	if n := len(st.t); n > 0 && sec <= st.t[n-1] {
		return nil
	}
	st.period = p.Period
	st.next(sec)
	paths := newStacks(p, h.elements)
	f := h.forests[heapStream]
	for i := range p.Samples.Len() {
		if v.allocObjects[i] == 0 && v.inuseObjects[i] == 0 {
			continue
		}
		size := v.size(p, i)
		prob := sampled(size, p.Period)
		key := columnKey{f.leaf(paths.of(p.Samples.Stack[i])), size}
		w := float64(size) / prob
		k := unscaled(v.inuseObjects[i], prob)
		a := unscaled(v.allocObjects[i], prob)
		st.put(key, w, w*w*(1-prob), k, a)
		st.total += a
	}
	st.fill()
	return nil
}

// unchanged tells whether p has the numbers of the last point.
func (st *stream) unchanged(h *History, p *profile.Profile, v *heapValues) bool {
	n := len(st.t)
	if n == 0 {
		return false
	}
	paths := newStacks(p, h.elements)
	f := h.forests[heapStream]
	type pair struct{ k, a float64 }
	now := map[int]pair{}
	for i := range p.Samples.Len() {
		if v.allocObjects[i] == 0 && v.inuseObjects[i] == 0 {
			continue
		}
		size := v.size(p, i)
		prob := sampled(size, p.Period)
		c, ok := st.index[columnKey{f.leaf(paths.of(p.Samples.Stack[i])), size}]
		if !ok {
			return false
		}
		q := now[c]
		q.k += unscaled(v.inuseObjects[i], prob)
		q.a += unscaled(v.allocObjects[i], prob)
		now[c] = q
	}
	for c, q := range now {
		col := st.columns[c]
		if last := n - 1 - col.start; last < 0 || col.k[last] != q.k || col.a[last] != q.a {
			return false
		}
	}
	return true
}

// next begins a point.
func (st *stream) next(sec float64) {
	if st.index == nil {
		st.index = map[columnKey]int{}
	}
	st.t = append(st.t, sec)
	st.total = 0
}

// put adds to a column of the current point.
func (st *stream) put(key columnKey, weight, spread, k, a float64) {
	at := len(st.t) - 1
	i, ok := st.index[key]
	if !ok {
		i = len(st.columns)
		st.index[key] = i
		st.columns = append(st.columns, &column{node: key.node, weight: weight, spread: spread, start: at})
	}
	c := st.columns[i]
	if len(c.k) == at-c.start {
		c.k, c.a = append(c.k, 0), append(c.a, 0)
	}
	c.k[at-c.start] += k
	c.a[at-c.start] += a
}

// fill ends a point: a column that was not put has nothing live, and as many
// births as before.
func (st *stream) fill() {
	for _, c := range st.columns {
		if n := len(c.k); n < len(st.t)-c.start {
			c.k, c.a = append(c.k, 0), append(c.a, c.a[n-1])
		}
	}
}

// addCounts appends a profile that counts exactly: goroutines. Births are the
// rises of a column.
func (h *History) addCounts(seg *segment, id streamID, sec float64, p *profile.Profile) {
	st := &seg.streams[id]
	if n := len(st.t); n > 0 && sec <= st.t[n-1] || len(p.Samples.Values) == 0 {
		return
	}
	st.next(sec)
	paths := newStacks(p, h.elements)
	f := h.forests[id]
	for i := range p.Samples.Len() {
		st.put(columnKey{f.leaf(paths.of(p.Samples.Stack[i])), 0}, 1, 0, float64(p.Samples.Values[0][i]), 0)
	}
	st.fill()
	for _, c := range st.columns {
		n := len(c.k) - 1
		before := 0.0
		c.a[n] = 0
		if n > 0 {
			before, c.a[n] = c.k[n-1], c.a[n-1]
		}
		c.a[n] += max(0, c.k[n]-before)
	}
}
