package leak

import (
	"math"
	"math/rand/v2"
	"testing"
)

func close(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

// TestBinomialTail compares with adding up Pascal's triangle, and with the
// normal tail where that takes over.
func TestBinomialTail(t *testing.T) {
	row := []float64{1}
	for n := 0; n <= 60; n++ {
		for k := -1; k <= n+1; k++ {
			want := 0.0
			for i := max(k, 0); i <= n; i++ {
				want += row[i]
			}
			want /= math.Exp2(float64(n))
			if got := binomialTail(n, k); !close(got, want, 1e-12) {
				t.Fatalf("binomialTail(%d, %d) = %g, want %g", n, k, got, want)
			}
		}
		next := make([]float64, n+2)
		for i, v := range row {
			next[i] += v
			next[i+1] += v
		}
		row = next
	}
	if a, b := binomialTail(2000, 1060), binomialTail(2001, 1061); math.Abs(a/b-1) > 0.1 {
		t.Errorf("exact %g and approximate %g differ at the seam", a, b)
	}
	if got := binomialTail(12, 12); !close(got, 1.0/4096, 1e-15) {
		t.Errorf("twelve births, no death: %g", got)
	}
}

// TestFit compares with a line through values worked out by hand.
func TestFit(t *testing.T) {
	x, y := []float64{0, 1, 2, 3}, []float64{1, 3, 2, 5}
	l := fit(x, y, nil)
	if !close(l.slope, 1.1, 1e-12) || !close(l.at, 1.1, 1e-12) || !close(l.sse, 2.7, 1e-12) {
		t.Errorf("fit = %+v, want 1.1 + 1.1x and 2.7 left", l)
	}
}

// TestFalseDiscovery has the example of Benjamini and Hochberg (1995): four
// of fifteen hypotheses are rejected at 5 %.
func TestFalseDiscovery(t *testing.T) {
	p := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	if got := falseDiscovery(p, len(p), 0.05); got != 0.0095 {
		t.Errorf("cut at %g, want 0.0095", got)
	}
	if got := falseDiscovery(p[:9], 15, 0.05); got != 0.0095 {
		t.Errorf("with those of p = 1 left out, cut at %g, want 0.0095", got)
	}
	if got := falseDiscovery([]float64{0.2, 0.9}, 2, 0.05); got != 0 {
		t.Errorf("nothing to reject, cut at %g", got)
	}
}

// trendRejects is how often the trend test sees a trend at one-sided 5 % in
// series made by noise.
func trendRejects(n int, slope float64, noise func(*rand.Rand, []float64)) float64 {
	rng := rand.New(rand.NewPCG(7, 7))
	const runs = 600
	ts, hits := make([]float64, n), 0
	for i := range ts {
		ts[i] = float64(i)
	}
	for range runs {
		y := make([]float64, n)
		noise(rng, y)
		for i := range y {
			y[i] += slope * ts[i]
		}
		if robustTrend(ts, y).z > 1.645 {
			hits++
		}
	}
	return float64(hits) / runs
}

func white(rng *rand.Rand, y []float64) {
	for i := range y {
		y[i] = rng.NormFloat64()
	}
}

func walk(rng *rand.Rand, y []float64) {
	for i := 1; i < len(y); i++ {
		y[i] = y[i-1] + rng.NormFloat64()
	}
}

func correlated(rng *rand.Rand, y []float64) {
	for i := 1; i < len(y); i++ {
		y[i] = 0.6*y[i-1] + rng.NormFloat64()
	}
}

// TestRobustTrend simulates under the null: no trend, whatever the noise,
// must be rejected about as often as promised, and a clear trend be seen.
func TestRobustTrend(t *testing.T) {
	for _, tt := range []struct {
		name  string
		slope float64
		noise func(*rand.Rand, []float64)
		low   float64
		high  float64
	}{
		{"white noise", 0, white, 0.02, 0.09},
		{"random walk", 0, walk, 0.02, 0.12},
		{"autoregression", 0, correlated, 0.01, 0.14},
		{"trend in white noise", 0.02, white, 0.95, 1},
		{"drift of a random walk", 0.4, walk, 0.9, 1},
	} {
		if got := trendRejects(200, tt.slope, tt.noise); got < tt.low || got > tt.high {
			t.Errorf("%s: rejected in %.3f of the runs, want %.2f to %.2f", tt.name, got, tt.low, tt.high)
		}
	}
}

// TestUnitRootStatistics simulates: KPSS for a trend has its published 5 %
// critical value 0.146, the GLS-detrended Dickey-Fuller statistic -2.89 at
// 200 points (Elliott, Rothenberg, Stock 1996: -2.89 at infinity).
func TestUnitRootStatistics(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const runs, n = 800, 200
	ts, res := make([]float64, n), make([]float64, n)
	for i := range ts {
		ts[i] = float64(i)
	}
	aboveKPSS, belowDF := 0, 0
	for range runs {
		y := make([]float64, n)
		white(rng, y)
		fit(ts, y, res)
		if kpss(res, longRunVariance(res)) > 0.146 {
			aboveKPSS++
		}
		walk(rng, y)
		if dickeyFuller(y) < -2.89 {
			belowDF++
		}
	}
	if got := float64(aboveKPSS) / runs; got < 0.02 || got > 0.09 {
		t.Errorf("KPSS is above its 5 %% value in %.3f of stationary series", got)
	}
	if got := float64(belowDF) / runs; got < 0.02 || got > 0.1 {
		t.Errorf("Dickey-Fuller is below its 5 %% value in %.3f of random walks", got)
	}
}

// TestBend finds a kink that is there, and compares the closed form with
// least squares by brute force.
func TestBend(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	n := 100
	ts, y := make([]float64, n), make([]float64, n)
	for i := range ts {
		ts[i] = float64(i)
		y[i] = 5 + 2*max(0, ts[i]-40) + rng.NormFloat64()
	}
	h := bend(ts, y)
	if h.at < 35 || h.at > 45 || h.gain > 0.1 || !close(h.right, 2, 0.1) || !close(h.left, 0, 0.2) {
		t.Errorf("bend = %+v, want a kink at 40 from slope 0 to 2", h)
	}
	b1, b2, sse := bent(ts, y, 40)
	for _, d := range []float64{-1e-3, 1e-3} {
		for _, try := range [][2]float64{{b1 + d, b2}, {b1, b2 + d}} {
			if got := bentError(ts, y, 40, try[0], try[1]); got < sse {
				t.Errorf("slopes %v leave %g, less than the best fit's %g", try, got, sse)
			}
		}
	}
	if got := bentError(ts, y, 40, b1, b2); !close(got, sse, 1e-6*sse) {
		t.Errorf("the fit says it leaves %g, it leaves %g", sse, got)
	}
}

func bentError(ts, y []float64, kink, b1, b2 float64) float64 {
	r := make([]float64, len(ts))
	for i := range ts {
		r[i] = y[i] - b1*ts[i] - b2*max(0, ts[i]-kink)
	}
	m := mean(r)
	s := 0.0
	for _, v := range r {
		s += (v - m) * (v - m)
	}
	return s
}

// TestSampling checks the error of an estimate against drawing objects, as
// the runtime does: each with probability 1-exp(-size/period).
func TestSampling(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const period, runs = 512 << 10, 300
	for _, size := range []int64{1024, 64 << 10, 1 << 20} {
		n := (16 << 20) / int(size)
		p := sampled(size, period)
		w := float64(size) / p
		var ys []float64
		variance := 0.0
		for range runs {
			k := 0.0
			for range n {
				if rng.Float64() < p {
					k++
				}
			}
			ys = append(ys, k*w)
			variance += k * w * w * (1 - p) / runs
		}
		m := mean(ys)
		spread := 0.0
		for _, y := range ys {
			spread += (y - m) * (y - m) / (runs - 1)
		}
		if !close(m/(16<<20), 1, 0.05) || !close(math.Sqrt(spread/variance), 1, 0.15) {
			t.Errorf("size %d: mean %.3f of the truth, spread %.3g, estimated %.3g", size, m/(16<<20), math.Sqrt(spread), math.Sqrt(variance))
		}
	}
}
