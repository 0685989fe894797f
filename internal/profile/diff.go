package profile

import (
	"fmt"
	"math"
	"slices"
)

// BaseLabel marks the samples of a diff's base profile, as pprof does.
const BaseLabel = "pprof::base"

// ScaleTypes multiplies each value column by its ratio, rounding to the
// nearest integer, and drops the samples that are zero afterwards.
func (p *Profile) ScaleTypes(ratios []float64) (*Profile, error) {
	if len(ratios) != len(p.SampleTypes) {
		return nil, fmt.Errorf("mismatched scale ratios, got %d, want %d", len(ratios), len(p.SampleTypes))
	}
	if !slices.ContainsFunc(ratios, func(r float64) bool { return r != 1 }) {
		return p, nil
	}
	c := p.ShallowCopy()
	c.Samples.Values = slices.Clone(p.Samples.Values)
	for t, r := range ratios {
		if r == 1 {
			continue
		}
		col := make([]int64, p.Samples.Len())
		for i, v := range p.Samples.Values[t] {
			col[i] = int64(math.Round(float64(v) * r))
		}
		c.Samples.Values[t] = col
	}
	return c.KeepSamples(func(i int) bool { return !c.zeroSample(i) }), nil
}

// Scale multiplies every value by ratio; see ScaleTypes.
func (p *Profile) Scale(ratio float64) *Profile {
	ratios := slices.Repeat([]float64{ratio}, len(p.SampleTypes))
	c, err := p.ScaleTypes(ratios)
	if err != nil {
		panic(err) // one ratio a type by construction
	}
	return c
}

// Normalize scales p so that each value type has the total it has in base.
func (p *Profile) Normalize(base *Profile) (*Profile, error) {
	if p.PeriodType != base.PeriodType || !slices.Equal(p.SampleTypes, base.SampleTypes) {
		return nil, fmt.Errorf("%w: sample types %v and %v", ErrIncompatible, p.SampleTypes, base.SampleTypes)
	}
	ratios := make([]float64, len(p.SampleTypes))
	for t := range ratios {
		var want, have int64
		for _, v := range base.Samples.Values[t] {
			want += v
		}
		for _, v := range p.Samples.Values[t] {
			have += v
		}
		if have != 0 {
			ratios[t] = float64(want) / float64(have)
		}
	}
	return p.ScaleTypes(ratios)
}

// DiffOptions choose what Diff does with the base.
type DiffOptions struct {
	// Mark keeps base samples apart with BaseLabel, so that percentages can
	// be relative to the base (pprof's -diff_base).
	Mark bool
	// Normalize scales p to the totals of the base first.
	Normalize bool
}

// Diff subtracts base from p: base values enter negative and are merged in.
func Diff(p, base *Profile, opt DiffOptions) (*Profile, error) {
	if opt.Normalize {
		var err error
		if p, err = p.Normalize(base); err != nil {
			return nil, err
		}
	}
	if opt.Mark {
		base = base.WithStringLabel(BaseLabel, "true")
	}
	both, err := CommonTypes([]*Profile{p, base.Scale(-1)})
	if err != nil {
		return nil, err
	}
	return Merge(both)
}

// WithStringLabel sets the label key to value on every sample, replacing
// string values it had.
func (p *Profile) WithStringLabel(key, value string) *Profile {
	c := p.ShallowCopy()
	c.Strings = slices.Concat(p.Strings, []string{key, value})
	added := Label{Key: StringID(len(p.Strings)), Str: StringID(len(p.Strings) + 1)}
	if id := slices.Index(p.Strings, key); id >= 0 {
		added.Key = StringID(id)
	}
	return c.MapLabels(func(set, out []Label) []Label {
		for _, l := range set {
			if l.Str == 0 || p.Strings[l.Key] != key {
				out = append(out, l)
			}
		}
		return append(out, added)
	})
}

// HasStringLabel tells for each label set whether it has key=value.
func (p *Profile) HasStringLabel(key, value string) []bool {
	has := make([]bool, p.LabelSets.Len())
	if !slices.Contains(p.Strings, key) { // many profiles have many label sets, and few a base
		return has
	}
	for id := range has {
		for _, l := range p.LabelSets.Of(LabelSetID(id)) {
			if l.Str != 0 && p.Strings[l.Key] == key && p.Strings[l.Str] == value {
				has[id] = true
			}
		}
	}
	return has
}
