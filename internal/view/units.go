package view

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// ErrTypes is wrapped when value types of profiles do not go together.
var ErrTypes = errors.New("incompatible types")

// CommonUnits scales profiles of equal value types to the finest unit each
// type has in any of them, so that they can be merged.
func CommonUnits(ps []*profile.Profile) ([]*profile.Profile, error) {
	if len(ps) < 2 {
		return ps, nil
	}
	periods := make([]profile.ValueType, len(ps))
	for i, p := range ps {
		periods[i] = p.PeriodType
		if len(p.SampleTypes) != len(ps[0].SampleTypes) {
			return nil, fmt.Errorf("inconsistent samples type count: %d != %d", len(ps[0].SampleTypes), len(p.SampleTypes))
		}
	}
	period, err := finest(periods)
	if err != nil {
		return nil, fmt.Errorf("period type: %w", err)
	}
	units := make([]string, len(ps[0].SampleTypes))
	for t := range units {
		types := make([]profile.ValueType, len(ps))
		for i, p := range ps {
			types[i] = p.SampleTypes[t]
		}
		vt, err := finest(types)
		if err != nil {
			return nil, fmt.Errorf("sample types: %w", err)
		}
		units[t] = vt.Unit
	}
	out := make([]*profile.Profile, len(ps))
	for i, p := range ps {
		if out[i], err = scaleTo(p, period, units); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finest is the type with the smallest unit.
func finest(types []profile.ValueType) (profile.ValueType, error) {
	least := types[0]
	for _, t := range types[1:] {
		if strings.TrimSuffix(least.Type, "s") != strings.TrimSuffix(t.Type, "s") || !unit.Compatible(least.Unit, t.Unit) {
			return least, fmt.Errorf("%w: %v %v", ErrTypes, least, t)
		}
		if ratio, _ := unit.Scale(1, t.Unit, least.Unit); ratio < 1 {
			least = t
		}
	}
	return least, nil
}

func scaleTo(p *profile.Profile, period profile.ValueType, units []string) (*profile.Profile, error) {
	same := p.PeriodType.Unit == period.Unit
	for t, u := range units {
		same = same && p.SampleTypes[t].Unit == u
	}
	if same {
		return p, nil
	}
	c := p.ShallowCopy()
	scaled, _ := unit.Scale(p.Period, p.PeriodType.Unit, period.Unit)
	c.Period, c.PeriodType.Unit = int64(scaled), period.Unit
	c.SampleTypes = slices.Clone(p.SampleTypes)
	ratios := make([]float64, len(units))
	for t, u := range units {
		ratios[t], _ = unit.Scale(1, p.SampleTypes[t].Unit, u)
		c.SampleTypes[t].Unit = u
	}
	return c.ScaleTypes(ratios)
}
