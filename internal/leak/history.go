package leak

import (
	"fmt"
	"math"
	"path"
	"slices"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// History is what was seen of one program over time, as columns by stack. It
// is bounded: when a process has more than maxPoints points, or all columns
// more than maxCells numbers, every second point is dropped where there are
// most; and of a target that begins anew all the time, short old segments.
type History struct {
	rounds   bool
	base     time.Time // second 0 of all series
	from, to time.Time
	looks    int
	targets  []*target
	byName   map[string]*target
	elements *elements
	forests  [3]*forest // by streamID
	program  string     // base name of the binary
	own      map[string]bool
}

// maxPoints and maxCells bound a History; a stream of leastPoints is not
// thinned. maxSegments bounds those of a target.
const (
	maxPoints   = 1200
	maxCells    = 12 << 20
	leastPoints = 4 * minLooks
	maxSegments = 50
)

// streamID tells apart what is counted by stack.
type streamID uint8

const (
	heapStream streamID = iota
	goroutineStream
	leakedStream
)

// target is one process, or the ones after another that ran under one name.
type target struct {
	name string
	last time.Time
	segs []*segment
	anew int // how often a segment ended
	// blind is set when it was said that the heap is not sampled.
	blind bool
}

// segment is the life of one process, of one build and one sampling rate.
type segment struct {
	build   string
	streams [3]stream
	gauges  []gaugePoint
	looks   []float64 // when, seconds
}

type gaugePoint struct {
	t float64
	g Gauges
}

// stream is the columns of one resource; each has one number a point.
type stream struct {
	t       []float64
	columns []*column
	index   map[columnKey]int
	period  int64
	total   float64 // of births, to notice a restart
}

type columnKey struct {
	node nodeID
	size int64
}

// column is objects of one size from one stack. Points before start are zero.
type column struct {
	node   nodeID
	weight float64 // bytes, or count, that a sampled one stands for
	spread float64 // variance a sampled one brings
	start  int
	k, a   []float64 // live and born so far, as sampled
}

// NewRounds is an empty history whose looks are rounds of equal work instead
// of moments: look n is at second n since 1970, slopes are per round, and load,
// warm-up and minimum times do not apply.
func NewRounds() *History {
	h := NewHistory()
	h.rounds = true
	return h
}

// NewHistory is empty.
func NewHistory() *History {
	h := &History{byName: map[string]*target{}, elements: newElements()}
	for i := range h.forests {
		h.forests[i] = newForest()
	}
	return h
}

// Add appends a look. The errors are warnings: what could not be used and
// why; the rest of the look is kept.
func (h *History) Add(l Look) []error {
	var warnings []error
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Errorf(format, args...)) }
	at := l.when()
	if at.IsZero() {
		return append(warnings, fmt.Errorf("a look at %s has no time and is left out; collect profiles that state their time, or give one", l.Target))
	}
	main := binary(&l)
	if strange := h.strange(&l, main); strange != "" {
		return append(warnings, fmt.Errorf("the profile of %s is of another program (%s, not %s) and is left out; judge each program by itself", h.clock(at), strange, h.program))
	}
	t := h.target(l.Target)
	switch {
	case t.last.IsZero() || at.After(t.last):
	case at.Equal(t.last):
		return append(warnings, fmt.Errorf("%s: two looks at %s; the second is left out", t.label(), h.clock(at)))
	default:
		return append(warnings, fmt.Errorf("%s: the clock went back from %s to %s; the look is left out", t.label(), h.clock(t.last), h.clock(at)))
	}
	h.enter(at)
	sec := at.Sub(h.base).Seconds()
	if unsampled(l.Heap) {
		if l.Heap = nil; !t.blind {
			t.blind = true
			warn("%s: nothing is sampled, because runtime.MemProfileRate is 0: the heap is judged as a whole, if the runtime tells its size, and nothing can be said about who takes it; leave the rate alone (the default costs next to nothing)", t.label())
		}
	}
	seg, why := h.segment(t, &l, main)
	if why != "" {
		if t.anew++; t.anew == 1 { // the sum is told with the verdict
			warn("%s: %s at %s; what was before is judged as a run of its own", t.label(), why, h.clock(at))
		}
	}
	t.last = at
	seg.looks = append(seg.looks, sec)
	if !l.Gauges.empty() {
		seg.gauges = append(seg.gauges, gaugePoint{sec, l.Gauges})
	}
	if l.Heap != nil {
		if err := h.addHeap(seg, sec, &l); err != nil {
			warnings = append(warnings, fmt.Errorf("heap profile of %s: %w", h.clock(at), err))
		}
	}
	if l.Goroutine != nil {
		h.addCounts(seg, goroutineStream, sec, l.Goroutine)
	}
	if l.Leaked != nil {
		h.addCounts(seg, leakedStream, sec, l.Leaked)
	}
	seg.thin()
	t.forget()
	h.thin()
	return warnings
}

// clock is a moment in words.
func (h *History) clock(at time.Time) string {
	if h.rounds {
		return fmt.Sprintf("round %d", at.Unix())
	}
	return at.Format(time.DateTime)
}

// when is the time of a look: the collector's, else that of its profiles.
func (l *Look) when() time.Time {
	if !l.At.IsZero() {
		return l.At
	}
	for _, p := range [...]*profile.Profile{l.Heap, l.Goroutine, l.Leaked} {
		if p != nil && p.TimeNanos != 0 {
			return time.Unix(0, p.TimeNanos)
		}
	}
	return time.Time{}
}

func (h *History) enter(at time.Time) {
	if h.looks == 0 {
		h.base, h.from, h.to = at, at, at
	}
	h.looks++
	if at.Before(h.from) {
		h.from = at
	}
	if at.After(h.to) {
		h.to = at
	}
}

func (h *History) target(name string) *target {
	t := h.byName[name]
	if t == nil {
		t = &target{name: name}
		h.byName[name] = t
		h.targets = append(h.targets, t)
	}
	return t
}

func (t *target) label() string {
	if t.name == "" {
		return "the program"
	}
	return t.name
}

// moment is the time of a second of the series.
func (h *History) moment(sec float64) time.Time {
	if math.IsNaN(sec) || math.Abs(sec) > 200*365*24*3600 {
		return time.Time{}
	}
	return h.base.Add(time.Duration(sec * float64(time.Second)))
}

func (g *Gauges) empty() bool {
	for i := range g {
		if !math.IsNaN(g[i]) && g[i] != 0 {
			return false
		}
	}
	return true
}

// binary is the main mapping of a look's profiles.
func binary(l *Look) profile.Mapping {
	for _, p := range [...]*profile.Profile{l.Heap, l.Goroutine, l.Leaked} {
		if p != nil && len(p.Mappings) > 1 {
			return p.Mappings[1]
		}
	}
	return profile.Mapping{}
}

// sameShare of the program's own functions must be known for a binary of
// another name to be the same program.
const sameShare = 0.6

// strange names the program of a look if it is not the one of the history.
func (h *History) strange(l *Look, main profile.Mapping) string {
	name := path.Base(main.File)
	if main.File == "" {
		return ""
	}
	if h.program == "" {
		h.program = name
	}
	p := l.Heap
	if p == nil {
		p = l.Goroutine
	}
	if p == nil {
		return ""
	}
	if name == h.program && h.own != nil {
		return ""
	}
	own := ownFunctions(p)
	if h.own == nil {
		h.own = own
		return ""
	}
	known := 0
	for f := range own {
		if h.own[f] {
			known++
		}
	}
	if len(own) > 0 && float64(known) < sameShare*float64(len(own)) {
		return name
	}
	return ""
}

// ownFunctions are the names of the functions of the program itself.
func ownFunctions(p *profile.Profile) map[string]bool {
	own := map[string]bool{}
	for i := 1; i < p.Functions.Len(); i++ {
		name := p.FunctionName(profile.FunctionID(i))
		if isOwn(name, p.FunctionFile(profile.FunctionID(i))) {
			own[name] = true
		}
	}
	return own
}

// segment is the one a look belongs to; why tells what began a new one.
func (h *History) segment(t *target, l *Look, main profile.Mapping) (seg *segment, why string) {
	build := main.BuildID
	if build == "" && main.File != "" {
		build = path.Base(main.File)
	}
	if len(t.segs) > 0 {
		seg = t.segs[len(t.segs)-1]
		if why = seg.ended(l, build); why == "" {
			if seg.build == "" {
				seg.build = build
			}
			return seg, ""
		}
	}
	seg = &segment{build: build}
	t.segs = append(t.segs, seg)
	return seg, why
}

// ended tells why a look does not belong to the segment before it, "" if it
// does.
func (s *segment) ended(l *Look, build string) string {
	if build != "" && s.build != "" && build != s.build {
		return "a new build"
	}
	if n := len(s.gauges); n > 0 {
		before := &s.gauges[n-1].g
		switch g := &l.Gauges; {
		case anotherProcess(before, g), g[TotalAlloc] < before[TotalAlloc], g[NumGC] < before[NumGC]:
			return "a restart"
		}
	}
	if hs := &s.streams[heapStream]; l.Heap != nil && len(hs.t) > 0 {
		if l.Heap.Period != hs.period {
			return "another sampling rate"
		}
		if births(l.Heap) < hs.total {
			return "a restart"
		}
	}
	return ""
}

// anotherProcess tells by its number and its start, counted by the kernel since
// the boot, whether gauges are of another process. Where these are not known,
// as in runs that were kept long ago, the start by the clock tells, which is
// adjusted now and then.
func anotherProcess(a, b *Gauges) bool {
	if a.Has(StartTicks) && b.Has(StartTicks) {
		return a[StartTicks] != b[StartTicks] || a[ProcessID] != b[ProcessID]
	}
	const same = 2 // seconds
	return math.Abs(a[StartTime]-b[StartTime]) > same
}

// forget drops the shortest of too many segments, the newest never.
func (t *target) forget() {
	for len(t.segs) > maxSegments {
		shortest := 0
		for i, s := range t.segs[:len(t.segs)-1] {
			if len(s.looks) < len(t.segs[shortest].looks) {
				shortest = i
			}
		}
		t.segs = slices.Delete(t.segs, shortest, shortest+1)
	}
}

// thin halves the largest stream until all columns fit.
func (h *History) thin() {
	for {
		cells := 0
		var largest *stream
		for _, t := range h.targets {
			for _, s := range t.segs {
				for i := range s.streams {
					st := &s.streams[i]
					cells += st.cells()
					if len(st.t) > leastPoints && (largest == nil || st.cells() > largest.cells()) {
						largest = st
					}
				}
			}
		}
		if cells <= maxCells || largest == nil {
			return
		}
		largest.thin()
	}
}

// cells is how many numbers the columns have at most.
func (st *stream) cells() int { return len(st.t) * len(st.columns) }

// thin drops every second point of what has too many, the newest never.
func (s *segment) thin() {
	for i := range s.streams {
		if st := &s.streams[i]; len(st.t) > maxPoints {
			st.thin()
		}
	}
	if n := len(s.looks); n > maxPoints {
		s.looks = everySecond(s.looks, n%2)
	}
	if n := len(s.gauges); n > maxPoints {
		s.gauges = everySecond(s.gauges, n%2)
	}
}

func (st *stream) thin() {
	odd := len(st.t) % 2
	for _, c := range st.columns {
		full := make([]float64, c.start, len(st.t))
		c.k = everySecond(append(full, c.k...), odd)
		c.a = everySecond(append(full, c.a...), odd)
		c.start = 0
	}
	st.t = everySecond(st.t, odd)
}

// everySecond keeps the points whose distance to the last is even; odd is
// the parity of the length.
func everySecond[T any](x []T, odd int) []T {
	out := make([]T, 0, len(x)/2+1)
	for i := 1 - odd; i < len(x); i += 2 {
		out = append(out, x[i])
	}
	return out
}
