package web

import (
	"math"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// variances gives the variance that sampling lends to the values of a column,
// sample by sample; nil when how they were sampled is not known. Values that
// are counted have none.
//
// A heap profile samples an object of size s with probability p = 1-exp(-s/R)
// and writes k/p for k sampled ones: the variance of the count c is c(1-p)/p. A
// CPU profile writes its period for each tick that hit: the variance of n ticks
// is n.
func variances(p *profile.Profile, col int) func(i int) float64 {
	t := p.SampleTypes[col].Type
	value := p.Samples.Values[col]
	abs := func(i int) float64 { return math.Abs(float64(value[i])) }
	switch {
	case slices.Contains([]string{"goroutine", "goroutineleak", "threadcreate"}, t):
		return func(int) float64 { return 0 }
	case t == "cpu" && p.Period > 0:
		return func(i int) float64 { return abs(i) * float64(p.Period) }
	case t == "samples":
		return abs
	}
	stem, what, _ := strings.Cut(t, "_")
	if stem != "inuse" && stem != "alloc" || p.Period <= 0 {
		return nil
	}
	other := map[string]string{"space": "objects", "objects": "space"}[what]
	j := slices.IndexFunc(p.SampleTypes, func(v profile.ValueType) bool { return v.Type == stem+"_"+other })
	if j < 0 {
		return nil
	}
	space, objects := col, j
	if what == "objects" {
		space, objects = j, col
	}
	bytes, counts, period := p.Samples.Values[space], p.Samples.Values[objects], float64(p.Period)
	return func(i int) float64 {
		b, c := math.Abs(float64(bytes[i])), math.Abs(float64(counts[i]))
		if b == 0 || c == 0 {
			return 0
		}
		size := b / c
		chance := -math.Expm1(-size / period)
		v := c * (1 - chance) / chance
		if what == "space" {
			v *= size * size
		}
		return v
	}
}

// twoSigma is how many standard errors an error bar shows: 95 %.
const twoSigma = 1.96

// flatNoise is half the 95 % interval that sampling leaves of the flat value of
// each function, as if the current profiles and the base were sampled apart;
// weights are those of both in the difference. nil when it is not known.
func (d *Data) flatNoise(weight, baseWeight float64) amounts {
	p := d.Filtered
	col, err := p.SampleIndex(d.View.Options.SampleIndex)
	if err != nil || d.View.Options.Mean || d.View.Options.Normalize {
		return nil
	}
	of := variances(p, col)
	if of == nil {
		return nil
	}
	factor, _ := d.scale()
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	who := d.stackNames()
	variance := numberedAmounts{make([]float64, len(who.names)), make([]bool, len(who.names))}
	for i, id := range p.Samples.Stack {
		w := weight
		if marked[p.Samples.Labels[i]] {
			w = baseWeight
		}
		variance.add(who.leaf[id], of(i)*w*w)
	}
	noise := variance.named(who.names)
	for name, v := range noise {
		noise[name] = twoSigma * math.Sqrt(v) * factor
	}
	return noise
}
