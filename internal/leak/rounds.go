package leak

import "math"

// Rounds of equal work are easier to judge than time: whatever is kept must
// grow by about the same in nearly every round. The first rounds fill pools
// and caches and do not count, unless there are stairs: a slice that is
// copied to a larger one as it grows does so in ever fewer rounds.
const (
	firstRounds = 2
	// minRounds is the least number of rounds behind the first that can rise.
	minRounds = 3
	// roundBytes is the growth a round below which bytes are noise of the
	// runtime and of the test itself; of what is counted, one in four rounds is
	// worth a look.
	roundBytes = 32
	roundCount = 0.25
)

// judgeRounds judges a series with one point after each round. Slopes are a
// round.
func judgeRounds(all *series, gate float64) judgement {
	n := all.len()
	j := nothing()
	if n < firstRounds+minRounds+1 {
		return j.as(Unknown, TooFewLooks, 0)
	}
	byRound := *all
	byRound.t = make([]float64, n)
	for i := range byRound.t {
		byRound.t[i] = float64(i)
	}
	s := byRound.cut(firstRounds, n)
	j.measure(s)
	m := s.len() - 1
	j.growth = s.y[m] - s.y[0]
	j.roundSlope(s)
	if st := findStairs(&byRound); st != nil && !st.stopped && st.slope.Low >= gate {
		j.p, j.certain = st.p, true
		j.growth = all.y[n-1] - all.y[0]
		j.slope, j.samples = st.slope, st.n
		return j.as(Leak, InStairs, st.factor-1)
	}
	rises := 0
	for i := 1; i <= m; i++ {
		if s.y[i] > s.y[i-1] {
			rises++
		}
	}
	switch {
	case all.y[n-1]-all.y[0] < gate*float64(n-1):
		return j.as(Steady, NoGrowth, 0)
	case j.growth < gate*float64(m) || s.y[m] <= s.y[m/2]:
		return j.as(Filling, Stopped, 0)
	case rises < m-m/8:
		return j.nowAndThen(s, rises, gate)
	}
	j.p = binomialTail(m, rises)
	if noise := s.noise(); noise > 0 {
		// Sampled: only births and deaths can tell it from noise.
		b, d := s.moves(0, m)
		j.p = binomialTail(b+d, b)
		return j.as(Leak, "", 0)
	}
	j.certain = true
	return j.as(Leak, "", 0)
}

// roundSlope sets the mean growth a round, with the error of the mean.
func (j *judgement) roundSlope(s *series) {
	m := s.len() - 1
	slope := (s.y[m] - s.y[0]) / float64(m)
	sse := 0.0
	for i := 1; i <= m; i++ {
		d := s.y[i] - s.y[i-1] - slope
		sse += d * d
	}
	se := math.Sqrt(sse/float64(max(1, m-1))/float64(m) + s.variance(0, m)/float64(m*m))
	j.slope = Estimate{slope, slope - 1.96*se, slope + 1.96*se}
}

// nowAndThen is the judgement on what grows now and then, in both halves: a
// leak when it has risen often and never fell. It may also be a pool that
// rarely needs more, so that a few rises prove nothing yet, and sampled ones are
// not worth a word when the mean growth may be none.
func (j judgement) nowAndThen(s *series, rises int, gate float64) judgement {
	m := s.len() - 1
	share, fell := float64(rises)/float64(m), false
	for i := 1; i <= m; i++ {
		fell = fell || s.y[i] < s.y[i-1]-gate
	}
	switch {
	case fell || s.y[m/2] <= s.y[0] || rises < minSamples && s.noise() > 0 && !(j.slope.Low > 0):
		return j.as(Filling, NotEveryRound, share)
	case rises < minSamples:
		return j.as(Growing, NotEveryRound, share)
	}
	j.p, j.certain = binomialTail(rises, rises), true
	return j.as(Leak, "", 0)
}
