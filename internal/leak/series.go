package leak

import "math"

// series is one quantity over time. All slices have the length of t.
type series struct {
	t []float64 // seconds, rising
	y []float64 // the estimate, bytes or count; the mean over pooled processes
	v []float64 // variance of y from sampling; nil when y is exact

	// k and a are what was counted, over all pooled processes: objects live
	// now and objects born since the start. nil when y was not counted but
	// measured: resident memory.
	k, a []float64
	cum  []float64 // estimate of what was allocated since the start, nil if unknown
}

// newSeries is n zeros of a sampled quantity at the times t.
func newSeries(t []float64) *series {
	n := len(t)
	all := make([]float64, 5*n)
	return &series{t: t, y: all[:n:n], v: all[n : 2*n : 2*n], k: all[2*n : 3*n : 3*n], a: all[3*n : 4*n : 4*n], cum: all[4*n:]}
}

// clear sets everything but the times to zero.
func (s *series) clear() {
	clear(s.y)
	clear(s.v)
	clear(s.k)
	clear(s.a)
	clear(s.cum)
}

// add adds o, times f; both must be sampled quantities at the same times.
func (s *series) add(o *series, f float64) {
	for i := range s.y {
		s.y[i] += f * o.y[i]
		s.v[i] += f * o.v[i]
		s.k[i] += f * o.k[i]
		s.a[i] += f * o.a[i]
		s.cum[i] += f * o.cum[i]
	}
}

// cut is the part from point i up to but without j; it shares the columns.
func (s *series) cut(i, j int) *series {
	part := func(x []float64) []float64 {
		if x == nil {
			return nil
		}
		return x[i:j]
	}
	return &series{part(s.t), part(s.y), part(s.v), part(s.k), part(s.a), part(s.cum)}
}

func (s *series) len() int { return len(s.t) }

func (s *series) span() float64 { return s.t[len(s.t)-1] - s.t[0] }

// counted is a series of exact counts; births are its rises.
func counted(t, y []float64) *series {
	a := make([]float64, len(y))
	for i := 1; i < len(y); i++ {
		a[i] = a[i-1] + max(0, y[i]-y[i-1])
	}
	return &series{t: t, y: y, k: y, a: a}
}

// moves are the births and deaths between two points.
func (s *series) moves(i, j int) (births, deaths int) {
	if s.a == nil {
		return 0, 0
	}
	b := s.a[j] - s.a[i]
	return int(math.Round(b)), int(math.Round(b - (s.k[j] - s.k[i])))
}

// variance is that of the difference between two points: what was sampled
// and lives at both is the same error twice and falls out, so that only
// growth counts; 0 when the series is exact.
func (s *series) variance(i, j int) float64 {
	if s.v == nil {
		return 0
	}
	return math.Abs(s.v[j] - s.v[i])
}

// noise is the largest variance of any point, 0 when the series is exact.
func (s *series) noise() float64 {
	most := 0.0
	for _, v := range s.v {
		most = max(most, v)
	}
	return most
}

// variancePerUnit is how much variance one byte of growth brings: about the
// period of sampling for small objects.
func (s *series) variancePerUnit() float64 {
	n := len(s.t) - 1
	if g := s.y[n] - s.y[0]; g > 0 {
		return s.variance(0, n) / g
	}
	return 0
}

// growthTest is the test of growth between two points: the birth-death test
// and the robust trend, with twice the smaller p.
//
// When a stationary quantity has B births and D deaths in a window, B given
// B+D is binomial with 1/2, or narrower. The trend may not claim more than
// the square root of the net births in sigmas: those are a Poisson count at
// best.
func (s *series) growthTest(i, j int) (p float64, tr trend) {
	tr = robustTrend(s.t[i:j+1], s.y[i:j+1])
	z := tr.z
	if s.k != nil {
		z = min(z, math.Sqrt(max(0, s.k[j]-s.k[i])))
	}
	births := 1.0
	if b, d := s.moves(i, j); b > 0 && d >= 0 {
		births = binomialTail(b+d, b)
	}
	return min(1, 2*min(normalTail(z), births)), tr
}
