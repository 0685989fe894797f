package leak

import (
	"math"
	"slices"
)

func mean(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// median leaves x as it is.
func median(x []float64) float64 {
	c := slices.Clone(x)
	slices.Sort(c)
	n := len(c)
	return (c[(n-1)/2] + c[n/2]) / 2
}

func sumSquares(x []float64) (s float64) {
	for _, v := range x {
		s += v * v
	}
	return s
}

// normalTail is P(N(0,1) > z).
func normalTail(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }

// binomialTail is P(Bin(n, 1/2) >= k), exact up to n = 2000, with a normal
// approximation beyond.
func binomialTail(n, k int) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	case n > 2000:
		return normalTail((float64(k) - 0.5 - float64(n)/2) / math.Sqrt(float64(n)/4))
	}
	lg := func(i int) float64 { v, _ := math.Lgamma(float64(i) + 1); return v }
	term := math.Exp(lg(n) - lg(k) - lg(n-k) - float64(n)*math.Ln2)
	p := 0.0
	for i := k; i <= n && term > 0; i++ {
		p += term
		term *= float64(n-i) / float64(i+1)
	}
	return min(1, p)
}

// line is the least-squares line y = at + slope*x through points.
type line struct {
	at, slope float64
	sxx       float64 // sum of squared deviations of x
	sse       float64 // sum of squared residuals
}

// fit is the least-squares line; res, if not nil, receives the residuals.
func fit(x, y, res []float64) line {
	mx, my := mean(x), mean(y)
	var l line
	var sxy float64
	for i := range x {
		d := x[i] - mx
		l.sxx += d * d
		sxy += d * (y[i] - my)
	}
	if l.sxx > 0 {
		l.slope = sxy / l.sxx
	}
	l.at = my - l.slope*mx
	for i := range x {
		r := y[i] - l.at - l.slope*x[i]
		l.sse += r * r
		if res != nil {
			res[i] = r
		}
	}
	return l
}

// longRunVariance is the Newey-West (1987) estimate with the Bartlett kernel
// and the bandwidth 4*(n/100)^(1/4), never below a tenth of the variance.
func longRunVariance(r []float64) float64 {
	n := len(r)
	lags := min(int(math.Ceil(4*math.Pow(float64(n)/100, 0.25))), n-2)
	variance := sumSquares(r) / float64(n)
	g := variance
	for k := 1; k <= lags; k++ {
		c := 0.0
		for i := k; i < n; i++ {
			c += r[i] * r[i-k]
		}
		g += 2 * (1 - float64(k)/float64(lags+1)) * c / float64(n)
	}
	return max(g, variance*0.1)
}

// trend is a slope with its standard error and its test statistic.
type trend struct{ z, slope, se float64 }

// minTrend is the number of points the trend test needs.
const minTrend = 8

// robustTrend is the test of Harvey, Leybourne and Taylor (2007), "A simple,
// robust and powerful test of the trend hypothesis", J. Econometrics 141:
// z = (1-l)*z0 + l*z1 is N(0,1) when there is no trend, whether the noise is
// stationary (z0: least squares in levels) or a random walk (z1: the mean
// difference). l = exp(-0.00025*(U/S)^2), U the Dickey-Fuller statistic after
// GLS detrending, S the KPSS statistic. Fewer than minTrend points give z = 0
// and an unknown error.
func robustTrend(t, y []float64) trend {
	n := len(y)
	if n < 2 {
		return trend{0, 0, math.Inf(1)}
	}
	r := make([]float64, 2*n)
	res, diff := r[:n], r[n:2*n-1]
	l := fit(t, y, res)
	if n < minTrend {
		return trend{0, l.slope, math.Inf(1)}
	}
	level := longRunVariance(res)
	se0 := math.Sqrt(level / l.sxx * float64(n) / float64(n-2))
	step := (t[n-1] - t[0]) / float64(n-1)
	rise := (y[n-1] - y[0]) / float64(n-1)
	for i := range diff {
		diff[i] = y[i+1] - y[i] - rise
	}
	b1 := rise / step
	se1 := math.Sqrt(longRunVariance(diff)/float64(n-1)) / step
	if l.sse <= 1e-18*sumSquares(y) || se0 == 0 || se1 == 0 {
		return exactTrend(l.slope)
	}
	ratio := dickeyFuller(y) / kpss(res, level)
	lambda := math.Exp(-0.00025 * ratio * ratio)
	return trend{
		z:     (1-lambda)*l.slope/se0 + lambda*b1/se1,
		slope: (1-lambda)*l.slope + lambda*b1,
		se:    (1-lambda)*se0 + lambda*se1,
	}
}

// exactTrend is the trend of a series without noise.
func exactTrend(slope float64) trend {
	switch {
	case slope > 0:
		return trend{40, slope, slope * 1e-3}
	case slope < 0:
		return trend{-40, slope, -slope * 1e-3}
	}
	return trend{0, 0, 0}
}

// kpss is the statistic of Kwiatkowski, Phillips, Schmidt and Shin (1992) for
// the residuals of a trend with the given long-run variance: small when the
// noise is stationary.
func kpss(res []float64, variance float64) float64 {
	s, k := 0.0, 0.0
	for _, e := range res {
		s += e
		k += s * s
	}
	n := float64(len(res))
	return k / (n * n * variance)
}

// dickeyFuller is the unit root statistic of Elliott, Rothenberg and Stock
// (1996): y is detrended by least squares on quasi-differences, c = -13.5.
// Very negative when the noise is stationary.
func dickeyFuller(y []float64) float64 {
	n := len(y)
	c := 1 - 13.5/float64(n)
	var a11, a12, a22, c1, c2 float64
	for i := range y {
		q, one, time := y[i], 1.0, 1.0
		if i > 0 {
			q, one, time = y[i]-c*y[i-1], 1-c, float64(i+1)-c*float64(i)
		}
		a11 += one * one
		a12 += one * time
		a22 += time * time
		c1 += one * q
		c2 += time * q
	}
	det := a11*a22 - a12*a12
	at, slope := (c1*a22-c2*a12)/det, (c2*a11-c1*a12)/det
	d := func(i int) float64 { return y[i] - at - slope*float64(i+1) }
	var num, den float64
	for i := 1; i < n; i++ {
		num += d(i-1) * (d(i) - d(i-1))
		den += d(i-1) * d(i-1)
	}
	rho := num / den
	sse := 0.0
	for i := 1; i < n; i++ {
		e := d(i) - d(i-1) - rho*d(i-1)
		sse += e * e
	}
	return rho / math.Sqrt(sse/float64(n-2)/den)
}

// falseDiscovery is the largest p of a list that the step-up rule of Benjamini
// and Hochberg (1995) rejects at level q among tests hypotheses, of which all
// that are not listed have p = 1; 0 if it rejects none.
func falseDiscovery(p []float64, tests int, q float64) float64 {
	p = slices.Clone(p)
	slices.Sort(p)
	cut := 0.0
	for i, v := range p {
		if v <= q*float64(i+1)/float64(tests) {
			cut = v
		}
	}
	return cut
}

// hinge is the best bend of a line: where least squares with one free kink
// puts it, and by what factor that shrinks the squared residuals.
type hinge struct {
	at    int     // index of the kink
	gain  float64 // sse of the bent line / sse of the straight one, 0..1
	left  float64 // slope before
	right float64 // slope behind
}

// bend tries kinks at each of the twentieths between 10 % and 80 % of the
// points.
func bend(t, y []float64) hinge {
	n := len(t)
	straight := fit(t, y, nil)
	best := hinge{0, 1, straight.slope, straight.slope}
	if straight.sse <= 0 {
		return best
	}
	for f := 2; f <= 16; f++ {
		k := n * f / 20
		if k < 3 || n-k < 4 {
			continue
		}
		b1, b2, sse := bent(t, y, t[k])
		if g := sse / straight.sse; g < best.gain {
			best = hinge{k, g, b1, b1 + b2}
		}
	}
	return best
}

// bent fits y = a + b1*t + b2*max(0, t-kink).
func bent(t, y []float64, kink float64) (b1, b2, sse float64) {
	n := float64(len(t))
	var m1, m2, my float64
	for i := range t {
		m1 += t[i]
		m2 += max(0, t[i]-kink)
		my += y[i]
	}
	m1, m2, my = m1/n, m2/n, my/n
	var s11, s12, s22, s1y, s2y, syy float64
	for i := range t {
		u, v, w := t[i]-m1, max(0, t[i]-kink)-m2, y[i]-my
		s11 += u * u
		s12 += u * v
		s22 += v * v
		s1y += u * w
		s2y += v * w
		syy += w * w
	}
	det := s11*s22 - s12*s12
	if det <= 0 {
		return 0, 0, syy
	}
	b1, b2 = (s1y*s22-s2y*s12)/det, (s2y*s11-s1y*s12)/det
	return b1, b2, max(0, syy-b1*s1y-b2*s2y)
}

// saturation is the fit of y = at + rise*(1-exp(-(t-t0)/tau)).
type saturation struct{ at, rise, tau, sse float64 }

// saturate fits a saturating curve with a given time constant.
func saturate(t, y []float64, tau float64, x []float64) saturation {
	for i := range t {
		x[i] = 1 - math.Exp(-(t[i]-t[0])/tau)
	}
	l := fit(x[:len(t)], y, nil)
	return saturation{l.at, l.slope, tau, l.sse}
}

// bestSaturation tries time constants from 4 % to 60 % of the span: beyond,
// the curve cannot be told from a line.
func bestSaturation(t, y []float64) saturation {
	span := t[len(t)-1] - t[0]
	x := make([]float64, len(t))
	best := saturation{sse: math.Inf(1)}
	for _, f := range [...]float64{0.04, 0.07, 0.12, 0.2, 0.27, 0.35, 0.46, 0.6} {
		if s := saturate(t, y, f*span, x); s.sse < best.sse {
			best = s
		}
	}
	return best
}

// bestStep is the sum of squares left by the best single step among the
// twentieths.
func bestStep(y []float64) float64 {
	n := len(y)
	best := math.Inf(1)
	for f := 1; f < 20; f++ {
		k := n * f / 20
		if k < 3 || n-k < 3 {
			continue
		}
		a, b := mean(y[:k]), mean(y[k:])
		s := 0.0
		for i, v := range y {
			m := a
			if i >= k {
				m = b
			}
			s += (v - m) * (v - m)
		}
		best = min(best, s)
	}
	return best
}
