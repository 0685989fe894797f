package leak

import "math"

// shape tells growth without end from what only looks like it: it is Leak
// when nothing speaks against it.
func (j judgement) shape(s *series) judgement {
	n := s.len()
	h := n / 2
	_, first := s.growthTest(0, h)
	p2, second := s.growthTest(h, n-1)
	p3, third := s.growthTest(n*2/3, n-1)
	l := leapsOf(s.y)
	switch {
	case l.share-l.noise > 2*jumpShare: // up and down again
		return j.as(Steady, NoGrowth, 0)
	case l.isStep(s):
		return j.as(Step, OneJump, l.share)
	case j.p > 0.05:
		return j.as(Steady, NoGrowth, 0)
	case second.slope <= 0 || p2 > 0.05 && slower(first, second, s.floor(0, h), s.floor(h, n-1)):
		return j.filling(s, Stopped)
	}
	if tau := s.lifetime(); second.slope < 0.85*first.slope && s.plateaus() && s.saturatesWith(tau) {
		return j.saturating(s, PlateauAhead, saturate(s.t, s.y, tau, make([]float64, n)))
	}
	switch {
	case (third.slope < 0.3*first.slope || p3 > 0.2 && first.slope > 0) && slower(first, third, s.floor(0, h), s.floor(n*2/3, n-1)):
		return j.filling(s, SlowsDown)
	case second.slope < 0.85*first.slope && s.diesMore():
		if s.frontHeavy() && s.prefersSaturation() {
			return j.filling(s, SlowsDown)
		}
		j.earliest = s.t[n-1] + s.span()/2
		return j.as(Growing, SlowsDown, max(0, 1-second.slope/first.slope))
	case s.frontHeavy():
		if c := bestSaturation(s.t, s.y); !s.saturatesBy(c, third) {
			break
		}
		if s.prefersSaturation() {
			return j.filling(s, SlowsDown)
		}
		j.earliest = s.t[n-1] + s.span()/2
		return j.as(Growing, SlowsDown, max(0, 1-second.slope/first.slope))
	}
	return j.as(Leak, "", 0)
}

// floor is the least standard error that a slope between two points can have:
// that of the sampled objects of the growth.
func (s *series) floor(i, j int) float64 {
	return math.Sqrt(s.variance(i, j)) / (s.t[j] - s.t[i])
}

// slower tells whether slope b is below slope a by more than chance explains
// once in twenty times.
func slower(a, b trend, floorA, floorB float64) bool {
	return a.slope-b.slope > 1.64*math.Hypot(a.error(floorA), b.error(floorB))
}

// error is the standard error of a slope, the floor where too few points tell
// of the noise over time.
func (tr trend) error(floor float64) float64 {
	if math.IsInf(tr.se, 1) {
		return floor
	}
	return max(tr.se, floor)
}

// filling is the judgement that growth ends, with the plateau of the curve
// that fits best.
func (j judgement) filling(s *series, code Code) judgement {
	return j.saturating(s, code, bestSaturation(s.t, s.y))
}

func (j judgement) saturating(s *series, code Code, c saturation) judgement {
	n := s.len()
	j = j.as(Filling, code, 0)
	if c.rise <= 0 || math.IsInf(c.sse, 1) {
		return j
	}
	top := c.at + c.rise
	level := 0.0
	if s.v != nil {
		level = s.v[n-1]
	}
	se := math.Sqrt(c.sse/float64(n) + level)
	j.plateau = Estimate{top, max(0, top-1.96*se), top + 1.96*se}
	// |top - y| <= 5 % of top: rise*exp(-x/tau) <= 0.05*top.
	if x := c.rise / (0.05 * top); x > 1 {
		j.settles = s.t[0] + c.tau*math.Log(x)
	} else {
		j.settles = s.t[0]
	}
	return j
}

// leaps are the two steepest places of a series: how far the mean of the
// twentieth of the window behind a point is above that of the one before it.
type leaps struct {
	// share is the part of the growth in both: a fifth for a line, all for one
	// or two steps. noise is what noise alone, which is new at every point,
	// would show.
	share, noise float64
	at, other    int // the steepest place, and the second; 0 if there is none
}

func leapsOf(y []float64) leaps {
	m := len(y)
	k := max(2, m/20)
	sums := make([]float64, m+1)
	for i, v := range y {
		sums[i+1] = sums[i] + v
	}
	level := func(i, j int) float64 { return (sums[j] - sums[i]) / float64(j-i) }
	rise := func(i int) float64 { return level(i, min(m, i+k)) - level(max(0, i-k), i) }
	total := level(m-k, m) - level(0, k)
	var l leaps
	if total <= 0 {
		return l
	}
	first, second := 0.0, 0.0
	for i := 1; i < m; i++ {
		if d := rise(i); d > first {
			first, l.at = d, i
		}
	}
	for i := 1; i < m; i++ {
		if d := rise(i); d > second && (i <= l.at-2*k || i >= l.at+2*k) {
			second, l.other = d, i
		}
	}
	l.share = (first + second) / total
	// The largest of so many normal differences of two means.
	of := float64(m) / float64(k)
	l.noise = 2 * jitter(y) * math.Sqrt(2/float64(k)) * math.Sqrt(2*math.Log(of)) / total
	return l
}

// jitter is the standard deviation of noise that is new at every point: from
// the median step, because a few large ones are no noise.
func jitter(y []float64) float64 {
	steps := make([]float64, len(y)-1)
	for i := range steps {
		steps[i] = y[i+1] - y[i]
	}
	usual := median(steps)
	for i := range steps {
		steps[i] = math.Abs(steps[i] - usual)
	}
	const normal = 1.4826 // standard deviation over median deviation
	return normal * median(steps) / math.Sqrt2
}

// isStep tells that the growth lies in one or two jumps. Noise has its two
// steepest places as well: where it explains them, a line must not describe the
// series much better than the levels beside the jumps, by the Bayesian
// information criterion; a difference of 10 is very strong evidence (Kass and
// Raftery 1995).
func (l *leaps) isStep(s *series) bool {
	if l.share <= jumpShare || l.share-l.noise > jumpShare {
		return l.share > jumpShare
	}
	straight, bic := s.informationCriterion()
	one, two := bic(s.aroundLevels(l.at), 3), bic(s.aroundLevels(min(l.at, l.other), max(l.at, l.other)), 5)
	const strong = 10
	return min(one, two) < bic(straight.sse, 2)+strong
}

// aroundLevels is the sum of squares around the means between the cuts.
func (s *series) aroundLevels(cuts ...int) float64 {
	sse, from := 0.0, 0
	for _, to := range append(cuts, s.len()) {
		if from < to {
			m := mean(s.y[from:to])
			for _, v := range s.y[from:to] {
				sse += (v - m) * (v - m)
			}
		}
		from = to
	}
	return sse
}

// lifetime is the mean lifetime of an object: the time all sampled objects
// lived in the window over the number that died; +Inf when too few died.
func (s *series) lifetime() float64 {
	n := s.len()
	_, d := s.moves(0, n-1)
	if d < 10 || s.cum == nil {
		return math.Inf(1)
	}
	lived := 0.0
	for i := 1; i < n; i++ {
		lived += s.k[i] * (s.t[i] - s.t[i-1])
	}
	return lived / float64(d)
}

// byTurnover is how much growth follows from more being allocated: by
// Little's law what lives is what is born a second times the lifetime. Only
// where objects live much shorter than the window; else 0.
func (s *series) byTurnover() float64 {
	tau := s.lifetime()
	if tau > s.span()/4 {
		return 0
	}
	n := s.len()
	q := n / 4
	rate := func(i, j int) float64 { return (s.cum[j] - s.cum[i]) / (s.t[j] - s.t[i]) }
	return (rate(n-1-q, n-1) - rate(0, q)) / 0.75 * tau
}

// diesMore tells whether of what is born a larger part dies in the second half
// of the window than in the first, as when things live for a time and the
// first of them reach it; once in a hundred times by chance. What leaks keeps
// the same part all the time.
func (s *series) diesMore() bool {
	n := s.len()
	b1, d1 := s.moves(0, n/2)
	b2, d2 := s.moves(n/2, n-1)
	if b1 <= 0 || b2 <= 0 || d1+d2 == 0 {
		return false
	}
	p := float64(d1+d2) / float64(b1+b2)
	variance := p * max(0, 1-p) * (1/float64(b1) + 1/float64(b2))
	// What lives but a moment makes the number at both ends of a half uncertain;
	// the halves share one end, which counts against both.
	ends := 3 * s.flicker()
	variance += ends/float64(b1*b1) + ends/float64(b2*b2)
	return float64(d2)/float64(b2)-float64(d1)/float64(b1) > 2.33*math.Sqrt(variance)
}

// flicker is the variance of the count from one point to the next that does
// not last: half of that of its differences.
func (s *series) flicker() float64 {
	n := s.len()
	rise := (s.k[n-1] - s.k[0]) / float64(n-1)
	sum := 0.0
	for i := 1; i < n; i++ {
		d := s.k[i] - s.k[i-1] - rise
		sum += d * d
	}
	return sum / float64(n-1) / 2
}

// plateaus tells whether births at the pace of the second half and deaths at
// the measured rate balance above what lives now, but not far above.
func (s *series) plateaus() bool {
	n := s.len()
	tau := s.lifetime()
	if math.IsInf(tau, 1) {
		return false
	}
	b, _ := s.moves(n/2, n-1)
	level := float64(b) / (s.t[n-1] - s.t[n/2]) * tau
	return s.k[n-1] < level && level < 4*s.k[n-1]
}

// saturatesWith tells whether the curve with the given time constant, which
// must be shorter than the window, fits better than a line.
func (s *series) saturatesWith(tau float64) bool {
	if tau >= s.span() {
		return false
	}
	c := saturate(s.t, s.y, tau, make([]float64, s.len()))
	return c.rise > 0 && c.sse < 0.9*fit(s.t, s.y, nil).sse
}

// saturatesBy tells whether a saturating curve fits better than a line, and
// growth in the last third is no more than the curve says: a leak beside a
// cache that filled first goes on.
func (s *series) saturatesBy(c saturation, third trend) bool {
	n := s.len()
	m := n * 2 / 3
	said := c.rise * (math.Exp(-(s.t[m]-s.t[0])/c.tau) - math.Exp(-s.span()/c.tau)) / (s.t[n-1] - s.t[m])
	return c.rise > 0 && c.sse < fit(s.t, s.y, nil).sse && third.slope-said <= 1.64*third.error(s.floor(m, n-1))
}

// informationCriterion is the line through a series, and the Bayesian
// information criterion of a sum of squares, with the number of points that
// first-order autocorrelation around the line leaves.
func (s *series) informationCriterion() (straight line, bic func(sse, parameters float64) float64) {
	n := s.len()
	res := make([]float64, n)
	straight = fit(s.t, s.y, res)
	num, rho := 0.0, 0.0
	for i := 1; i < n; i++ {
		num += res[i] * res[i-1]
	}
	if straight.sse > 0 {
		rho = max(0, min(0.9, num/straight.sse))
	}
	free := float64(n) * (1 - rho) / (1 + rho)
	return straight, func(sse, parameters float64) float64 {
		return free*math.Log(max(sse, 1e-9)/float64(n)) + parameters*math.Log(free+1)
	}
}

// prefersSaturation compares line, step and saturating curve; true when the
// curve wins and beats the line by 6.
func (s *series) prefersSaturation() bool {
	straight, bic := s.informationCriterion()
	curve, flat := bic(bestSaturation(s.t, s.y).sse, 3), bic(bestStep(s.y), 3)
	return curve < flat && curve < bic(straight.sse, 2)-6
}

// frontHeavy is Laplace's test: growth that comes evenly comes in the middle
// of the window on average, with the spread of uniform arrivals; the number
// of arrivals is what the error of the slope is worth. True when it came
// earlier, once in a hundred times by chance.
func (s *series) frontHeavy() bool {
	n := s.len()
	growth := s.y[n-1] - s.y[0]
	if growth <= 0 {
		return true
	}
	area := 0.0
	for i := 1; i < n; i++ {
		area += ((s.y[i]+s.y[i-1])/2 - s.y[0]) * (s.t[i] - s.t[i-1])
	}
	when := 1 - area/growth/s.span() // mean arrival, 0..1
	whole := robustTrend(s.t, s.y)
	r := whole.error(s.floor(0, n-1)) / whole.slope
	return (when-0.5)*math.Sqrt(12)/math.Abs(r) < -2.33
}

// withoutLoad removes from y what the load explains. The effect is estimated
// on detrended data: that both rise is no explanation. An effect of less than
// 15 % of the variance is none.
func withoutLoad(t, load, y []float64) []float64 {
	n := len(t)
	buf := make([]float64, 3*n)
	ry, rl, adjusted := buf[:n], buf[n:2*n], buf[2*n:]
	copy(adjusted, y)
	fit(t, y, ry)
	fit(t, load, rl)
	sxx, syy, sxy := sumSquares(rl), sumSquares(ry), 0.0
	for i := range ry {
		sxy += rl[i] * ry[i]
	}
	if sxx == 0 || syy == 0 || sxy <= 0 || sxy*sxy/sxx/syy < 0.15 {
		return adjusted
	}
	m := mean(load)
	for i := range adjusted {
		adjusted[i] -= sxy / sxx * (load[i] - m)
	}
	return adjusted
}

// straighter chooses between wall time and the clock that counts work done: a
// leak is straight in one of them.
func straighter(s, adjusted *series, load []float64) *series {
	if load == nil {
		return adjusted
	}
	n := s.len()
	work := make([]float64, n)
	for i := range work {
		w := max(load[i], 0)
		if i > 0 {
			work[i] = work[i-1] + w*(s.t[i]-s.t[i-1])
		}
	}
	total := work[n-1]
	if total <= 0 {
		return adjusted
	}
	for i := range work {
		work[i] = s.t[0] + work[i]/total*s.span()
		if i > 0 && work[i] <= work[i-1] {
			return adjusted // times of no work at all: no clock
		}
	}
	if fit(work, s.y, nil).sse < 0.9*fit(adjusted.t, adjusted.y, nil).sse {
		o := *s
		o.t = work
		return &o
	}
	return adjusted
}
