// Package leaksim generates looks at services whose leaks are known, to
// measure how often package leak is right: heap profiles as the runtime
// samples them, with objects that stay sampled from one profile to the next,
// over two days or over a minute. Everything follows from a seed.
package leaksim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

// period is the sampling period of all generated profiles.
const period = 512 << 10

// site is a population of objects allocated on one stack.
type site struct {
	path []string // functions, outermost first
	size float64  // bytes of one object
	// rate is bytes allocated a second at a time since the start of the
	// process and since the start of the series, both seconds.
	rate func(age, t float64) float64
	// life is the mean lifetime in seconds, exponential; +Inf lives for ever.
	life float64
	// ttl, if not 0, is the exact lifetime instead.
	ttl float64
	// holds, if not 0, is how many bytes live at most: the oldest go first.
	holds float64
	// born is how many bytes live when the process starts.
	born float64
	// grown, if set, is the capacity in bytes of one slice that is copied to a
	// larger one when full; rate and the rest do not apply.
	grown func(age float64) float64

	k, a    float64
	cohorts []cohort // of ttl and holds
	last    float64  // capacity
	total   float64  // bytes of slices made so far
}

type cohort struct{ t, n float64 }

func (s *site) sampled() float64 { return -math.Expm1(-s.size / period) }

// weight is the bytes a sampled object stands for.
func (s *site) weight() float64 { return s.size / s.sampled() }

// restart empties the site and lets it fill to what it has at a start.
func (s *site) restart(rng *rand.Rand) {
	s.k, s.a, s.cohorts, s.last, s.total = 0, 0, nil, 0, 0
	if s.born > 0 {
		n := poisson(rng, s.born/s.weight())
		s.k, s.a = n, n
		s.cohorts = append(s.cohorts, cohort{0, n})
	}
}

// step lets dt seconds pass until t, age after the start of the process.
func (s *site) step(rng *rand.Rand, age, t, dt float64) {
	if s.grown != nil {
		return
	}
	births := poisson(rng, s.rate(age, t)/s.weight()*dt)
	s.a += births
	switch {
	case s.ttl > 0 || s.holds > 0:
		s.k += births
		s.cohorts = append(s.cohorts, cohort{age, births})
		if s.ttl > 0 {
			for len(s.cohorts) > 0 && s.cohorts[0].t < age-s.ttl {
				s.k -= s.cohorts[0].n
				s.cohorts = s.cohorts[1:]
			}
		}
		if s.holds > 0 {
			s.evict(rng)
		}
	case math.IsInf(s.life, 1):
		s.k += births
	default:
		stay := math.Exp(-dt / s.life)
		fresh := s.life / dt * (1 - stay) // of those born within the step
		s.k = binomial(rng, s.k, stay) + binomial(rng, births, fresh)
	}
}

func (s *site) evict(rng *rand.Rand) {
	for over := s.k - s.holds/s.weight(); over > 0 && len(s.cohorts) > 0; {
		c := &s.cohorts[0]
		n := math.Min(c.n, math.Ceil(over))
		if over < 1 && rng.Float64() > over {
			n = 0
			over = 0
		}
		c.n -= n
		s.k -= n
		over -= n
		if c.n <= 0 {
			s.cohorts = s.cohorts[1:]
		}
	}
}

// poisson draws a count; large means are normal.
func poisson(rng *rand.Rand, mean float64) float64 {
	switch {
	case mean <= 0 || math.IsNaN(mean):
		return 0
	case mean > 50:
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	limit, p, n := math.Exp(-mean), rng.Float64(), 0.0
	for p > limit {
		p *= rng.Float64()
		n++
	}
	return n
}

func binomial(rng *rand.Rand, n, p float64) float64 {
	switch {
	case p >= 1:
		return n
	case p <= 0 || n <= 0:
		return 0
	case n > 50 && n*p > 10 && n*(1-p) > 10:
		return math.Min(n, math.Max(0, math.Round(n*p+math.Sqrt(n*p*(1-p))*rng.NormFloat64())))
	}
	k := 0.0
	for range int(n) {
		if rng.Float64() < p {
			k++
		}
	}
	return k
}

// Run is a service being looked at.
type Run struct {
	rng        *rand.Rand
	scenario   *Scenario
	sites      []*site
	step       float64 // seconds between two looks
	t, age     float64
	background int // how many of the sites do not leak
	template   *profile.Profile
	rows       [][]int // of the template, by site: one, or one for each capacity
	shown      *leak.Look
}

// outside is resident memory outside the heap, and packing that of the heap
// over its objects.
const (
	outside = 24 << 20
	packing = 1.05
)

// Next is the look after one more step; At is where it lies in a series that
// began at the epoch of 2026.
func (r *Run) Next() leak.Look {
	if r.age < 0 || r.scenario.restarts > 0 && r.age >= r.scenario.restarts {
		r.age = 0
		for _, s := range r.sites {
			s.restart(r.rng)
		}
	} else {
		r.t += r.step
		r.age += r.step
		for _, s := range r.sites {
			s.step(r.rng, r.age, r.t, r.step)
		}
	}
	l := leak.Look{At: start().Add(time.Duration(r.t * float64(time.Second))), Fresh: true, Gauges: leak.NoGauges()}
	l.Heap = r.heap()
	r.gauges(&l.Gauges)
	if every := r.scenario.cycle; every > 0 {
		// Without gc=1 the profile is that of the last finished cycle.
		l.Fresh = false
		if r.shown != nil && math.Mod(r.t, every) > r.step/2 {
			l.Heap = r.shown.Heap
		} else {
			r.shown = &leak.Look{Heap: l.Heap}
		}
	}
	return l
}

// start is the time of the first look.
func start() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// live is the bytes that live now: the background's by plan, as the noise of
// its sampling is none of the heap's; the rest by the samples.
func (r *Run) live() float64 {
	sum := 0.0
	for i, s := range r.sites {
		switch {
		case i < r.background:
			sum += s.born
		case s.grown != nil:
			sum += s.grown(r.age)
		default:
			sum += s.k * s.weight()
		}
	}
	return sum
}

// gauges are those of a process with GOGC=100.
func (r *Run) gauges(g *leak.Gauges) {
	live := r.live()
	alloc := live * (1 + r.rng.Float64())
	g[leak.HeapLive], g[leak.NextGC] = live, 2*live
	g[leak.HeapAlloc], g[leak.HeapInuse] = alloc, alloc*packing
	g[leak.HeapIdle], g[leak.HeapReleased] = 2*live*packing-alloc*packing, 0
	g[leak.StackInuse], g[leak.RuntimeOther] = 1<<20, 4<<20
	g[leak.Sys] = 2*live*packing + 5<<20
	g[leak.Resident] = resident(live)
	g[leak.GOGC] = 100
	if r.scenario.Limit > 0 {
		g[leak.GroupMax] = r.scenario.Limit
	}
}

// resident is resident memory at the end of a cycle.
func resident(live float64) float64 { return 2*live*packing + outside }

// heap is the heap profile now.
func (r *Run) heap() *profile.Profile {
	if r.template == nil {
		r.prepare()
	}
	p := r.template.ShallowCopy()
	n := p.Samples.Len()
	values := [4][]int64{}
	for i := range values {
		values[i] = make([]int64, n)
	}
	for i, s := range r.sites {
		if s.grown != nil {
			r.slices(s, r.rows[i], &values)
			continue
		}
		q := s.sampled()
		row := r.rows[i][0]
		values[0][row] += int64(s.a / q)
		values[1][row] += int64(s.a / q * s.size)
		values[2][row] += int64(s.k / q)
		values[3][row] += int64(s.k / q * s.size)
	}
	p.Samples.Values = [][]int64{values[0], values[1], values[2], values[3]}
	return p
}

// slices writes the rows of a slice that grows: every capacity so far was
// allocated once, the largest lives. Such objects are large enough to be
// sampled for sure.
func (r *Run) slices(s *site, rows []int, values *[4][]int64) {
	capacity := s.grown(r.age)
	for i, c := range capacities(s) {
		if c > capacity*1.0001 {
			break
		}
		q := -math.Expm1(-c / period)
		n := int64(1 / q)
		values[0][rows[i]] = n
		values[1][rows[i]] = int64(float64(n) * c)
		if c > capacity*0.9999 {
			values[2][rows[i]] = n
			values[3][rows[i]] = int64(float64(n) * c)
		}
	}
}

// capacities are those a growing slice goes through.
func capacities(s *site) []float64 {
	var out []float64
	for c := s.born; len(out) < 64; c *= s.size {
		out = append(out, math.Round(c))
	}
	return out
}

// prepare makes the tables of the profile; only its values change.
func (r *Run) prepare() {
	b := profile.NewBuilder(
		profile.ValueType{Type: "alloc_objects", Unit: "count"}, profile.ValueType{Type: "alloc_space", Unit: "bytes"},
		profile.ValueType{Type: "inuse_objects", Unit: "count"}, profile.ValueType{Type: "inuse_space", Unit: "bytes"})
	h := b.Header()
	h.Period, h.PeriodType = period, profile.ValueType{Type: "space", Unit: "bytes"}
	m := b.Mapping(profile.Mapping{Start: 0x400000, Limit: 0x900000, File: "/src/app/app", BuildID: "b1"})
	rows := 0
	for _, s := range r.sites {
		var frames []profile.LocationID
		for _, f := range s.path {
			fn := b.Function(f, f, "/src/app/"+f+".go", 1)
			frames = append([]profile.LocationID{b.Location(m, 0, profile.Line{Function: fn, Line: 10})}, frames...)
		}
		sizes := []float64{s.size}
		if s.grown != nil {
			sizes = capacities(s)
		}
		var mine []int
		for _, size := range sizes {
			b.Sample(frames, make([]int64, 4), b.NumLabel("bytes", int64(size), "bytes"))
			mine = append(mine, rows)
			rows++
		}
		r.rows = append(r.rows, mine)
	}
	p, err := b.Profile()
	if err != nil {
		panic(err) // a mistake in this package
	}
	r.template = p
}
