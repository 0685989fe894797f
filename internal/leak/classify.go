package leak

import "math"

// The thresholds. Those without a source are from the prototype's trials on
// generated series and services.
const (
	// warmUp is the part of a window that is not judged.
	warmUp = 1.0 / 12
	// minBytes is the growth below which nobody is disturbed.
	minBytes = 1 << 20
	// minSamples is the net growth in sampled objects, or in counts, below
	// which no test can reach one in a hundred over some hundred paths.
	minSamples = 8
	// settled is how long one must look before a leak that has not yet added
	// addedShare of the whole is called one: caches need hours to fill.
	settled    = 4 * 3600
	addedShare = 0.5
	// loadShare is the growth that must remain when the load is accounted for.
	loadShare = 0.35
	// jumpShare of the growth inside the two steepest twentieths is a step.
	jumpShare = 0.75
	// certainty is z^2 for sixteen sampled objects: what it takes to find
	// one path among some hundred.
	certainty = 16
)

// judgement is the class of one series with what led to it. Times are seconds
// of the series, NaN when unknown.
type judgement struct {
	class    Class
	reason   Reason
	p        float64
	slope    Estimate
	growth   float64
	keeps    float64
	samples  int
	since    float64
	earliest float64
	plateau  Estimate
	settles  float64
	certain  bool // by exact counts: not one of many tests
}

// setting is what classify knows of the surroundings of a series.
type setting struct {
	load  []float64 // what the process does, at each point; nil: unknown
	whole float64   // the whole resource at the start
	// gate is the growth that is of interest at all.
	gate float64
	// patient is set when only shape and significance count, not how long one
	// looked: for judging an earlier look again.
	patient bool
}

func (j judgement) as(c Class, code Code, share float64) judgement {
	j.class, j.reason = c, Reason{code, share}
	return j
}

// nothing is the judgement before judging.
func nothing() judgement {
	nan := math.NaN()
	return judgement{p: 1, slope: unknown(), keeps: nan, since: nan, earliest: nan, plateau: unknown(), settles: nan}
}

// minLooks is the number of points that can show a shape.
const minLooks = 10

// classify judges one series.
func classify(all *series, env setting) judgement {
	j := nothing()
	n := all.len()
	if n < 2 {
		return j.as(Unknown, TooFewLooks, 0)
	}
	skip := 0
	if n >= minLooks {
		skip = int(float64(n) * warmUp)
	}
	s := all.cut(skip, n)
	if env.load != nil {
		env.load = env.load[skip:]
	}
	if j.measure(s); n < minLooks {
		return j.few(s, env)
	}
	if gate := j.gate(s, env); j.growth < gate/2 || max(j.growth, s.y[s.len()-1]-s.y[0]) < gate {
		return j.quiet(s, env)
	}
	steps := findStairs(all) // a slice is small at first: no stair may be left out
	if j.samples < minSamples && s.k != nil && steps == nil {
		return j.few(s, env)
	}
	adjusted := s.cut(0, s.len())
	if env.load != nil {
		adjusted.y = withoutLoad(s.t, env.load, s.y)
	}
	p, tr := adjusted.growthTest(0, s.len()-1)
	j.p, j.since = p, all.t[0]
	if steps != nil {
		return j.climbing(s, steps, env)
	}
	j.setSlope(s, tr)
	if left := quarterGrowth(adjusted.y); left < loadShare*j.growth {
		return j.as(Load, FollowsLoad, 1-left/j.growth)
	}
	if by := s.byTurnover(); by > (1-loadShare)*j.growth {
		return j.as(Load, FollowsLoad, min(1, by/j.growth))
	}
	clock := straighter(s, adjusted, env.load)
	shaped := j.shape(clock)
	if shaped.class == Step {
		shaped.since = s.t[leapsOf(clock.y).at]
	}
	if shaped.class != Leak {
		return shaped
	}
	j.refit(s)
	return j.patience(s, env)
}

// climbing is the judgement on stairs: what is large is not sampled by chance,
// so their regularity counts and not how many were born.
func (j judgement) climbing(s *series, steps *stairs, env setting) judgement {
	j.p = min(1, 1.5*min(j.p, 2*steps.p))
	j.slope, j.samples = steps.slope, steps.n
	if steps.stopped {
		return j.as(Step, Stopped, 0)
	}
	if j = j.patience(s, env); j.class == Leak {
		j.reason = Reason{InStairs, steps.factor - 1}
	}
	return j
}

// measure sets what needs no test.
func (j *judgement) measure(s *series) {
	n := s.len()
	j.growth = s.y[n-1] - s.y[0]
	if n >= minLooks {
		j.growth = quarterGrowth(s.y)
	}
	if s.k != nil {
		j.samples = int(math.Round(s.k[n-1] - s.k[0]))
	}
	if s.cum != nil && s.cum[n-1] > s.cum[0] {
		j.keeps = min(1, max(0, (s.y[n-1]-s.y[0])/(s.cum[n-1]-s.cum[0])))
	}
}

// quarterGrowth is the growth over a window from the medians of its first and
// last quarter, whose middles are three quarters of the window apart.
func quarterGrowth(y []float64) float64 {
	q := max(1, len(y)/4)
	return (median(y[len(y)-q:]) - median(y[:q])) / 0.75
}

// gate is the growth below which there is nothing to judge: of no interest,
// or inside three standard errors of sampling.
func (j *judgement) gate(s *series, env setting) float64 {
	n := s.len()
	level := 0.0
	if s.v != nil {
		level = s.v[n/8] / 8 // most of what is sampled stays, and its error with it
	}
	return max(env.gate, 3*math.Sqrt(max(level, s.variance(0, n-1))))
}

// few is the judgement when too little was seen for a shape: the exact test
// of births and deaths can still say that something grows.
func (j judgement) few(s *series, env setting) judgement {
	n := s.len()
	if j.growth < j.gate(s, env) {
		return j.quiet(s, env)
	}
	p, tr := s.growthTest(0, n-1)
	j.p, j.since = p, s.t[0]
	j.setSlope(s, tr)
	code := TooFewSamples
	if n < minLooks {
		code = TooFewLooks
	}
	if n >= minLooks {
		if l := leapsOf(s.y); l.isStep(s) && j.growth > 4*math.Sqrt(s.noise()) {
			j.since = s.t[l.at]
			return j.as(Step, OneJump, l.share)
		}
		if p > 0.01 { // eight samples at least, all born and none gone
			return j.as(Steady, NoGrowth, 0)
		}
	}
	j.earliest = j.possible(s, env)
	return j.as(Growing, code, 0)
}

// quiet tells what does not grow apart.
func (j judgement) quiet(s *series, env setting) judgement {
	n := s.len()
	tr := robustTrend(s.t, s.y)
	j.setSlope(s, tr)
	switch {
	case n < minTrend:
		return j.as(Unknown, TooFewLooks, 0)
	case -j.growth > j.gate(s, env) && tr.z < -3:
		return j.as(Shrinking, NoGrowth, 0)
	case s.cum != nil && s.cum[n-1]-s.cum[0] > 4*max(mean(s.y), env.gate) && j.keeps < 0.05:
		return j.as(Churn, NoGrowth, j.keeps)
	}
	return j.as(Steady, NoGrowth, 0)
}

// setSlope sets the slope with an interval that is never tighter than what
// the sampled objects of the growth allow: a relative error of 1/sqrt(k).
func (j *judgement) setSlope(s *series, tr trend) {
	n := s.len()
	span := s.span()
	floor := math.Sqrt(s.variance(0, n-1)) / span
	if s.v == nil && s.k != nil {
		floor = 1 / span
	}
	se := max(tr.se, floor)
	if math.IsInf(se, 1) { // too few points for the noise over time
		se = max(floor, math.Abs(tr.slope)/2)
	}
	j.slope = Estimate{tr.slope, tr.slope - 1.96*se, tr.slope + 1.96*se}
}

// patience is the last step: what grows without a sign of an end is a leak
// when it has been seen long enough.
func (j judgement) patience(s *series, env setting) judgement {
	if env.patient || s.span() >= (1-warmUp)*settled-1 || j.growth >= addedShare*env.whole {
		return j.as(Leak, "", 0)
	}
	j.earliest = j.possible(s, env)
	return j.as(Growing, TooShort, 0)
}

// possible is the earliest time a series that goes on like this can be called
// a leak: T >= z^2*R/g for the samples, and long enough a look.
func (j *judgement) possible(s *series, env setting) float64 {
	g := j.slope.Value
	if g <= 0 || math.IsNaN(g) {
		return math.NaN()
	}
	unit := s.variancePerUnit()
	if s.v == nil && s.k != nil {
		unit = 1
	}
	need := max(certainty*unit/g, env.gate/g)
	need = max(need, min(settled, addedShare*env.whole/g))
	// The look before must have seen it too.
	at := s.t[0] + need/lookBack
	if at <= s.t[s.len()-1] {
		at = s.t[s.len()-1] + s.span()/2
	}
	return at
}

// refit looks for a kink behind which the growth is steeper: a leak that
// began within the window is measured from there.
func (j *judgement) refit(s *series) {
	n := s.len()
	if n < 3*minTrend {
		return
	}
	h := bend(s.t, s.y)
	if h.gain > 0.5 || h.right < 1.5*max(0, h.left) || n-h.at < minTrend {
		return
	}
	tail := s.cut(h.at, n)
	if s.k != nil && tail.k[n-h.at-1]-tail.k[0] < minSamples {
		return
	}
	p, tr := tail.growthTest(0, n-h.at-1)
	left := robustTrend(s.t[:h.at+1], s.y[:h.at+1])
	if p > 0.01 || tr.slope-left.slope < 3*math.Hypot(tr.error(tail.floor(0, n-h.at-1)), left.error(s.floor(0, h.at))) {
		return // as steep as chance makes some part of any series
	}
	j.since = s.t[h.at]
	j.setSlope(tail, tr)
}
