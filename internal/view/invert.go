package view

import (
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// Apply makes the steps of Prepare that come before aggregation: label frames
// and filters. It lets filters be applied in an order of the caller's.
func Apply(p *profile.Profile, o Options, warn func(string)) (*profile.Profile, error) {
	units := labelUnits(p, func(string) {}) // Prepare warns of them
	return filter(addLabelFrames(p, o, warn), o, units, warn)
}

// with is the view of another profile of the same tables of values.
func (v *View) with(p *profile.Profile) *View {
	c := *v
	c.frames, c.tags = nil, nil
	c.setProfile(p)
	return &c
}

// Inverted is the view with every stack upside down: trees of it grow from
// what was sampled to its callers.
func (v *View) Inverted() *View { return v.with(invert(v.Profile)) }

func invert(p *profile.Profile) *profile.Profile {
	p = p.MapLines(func(_ profile.LocationID, lines, out []profile.Line) []profile.Line {
		start := len(out)
		out = append(out, lines...)
		slices.Reverse(out[start:])
		return out
	})
	p, _ = p.MapStacks(func(frames, out []profile.LocationID) ([]profile.LocationID, bool) {
		start := len(out)
		out = append(out, frames...)
		slices.Reverse(out[start:])
		return out, true
	})
	return p
}

// Around splits the stacks with an entry called name at their outermost one:
// callees has what is below it, callers what is above it, upside down. Both
// begin with the entry.
func (v *View) Around(name string) (callers, callees *View) {
	is := entriesNamed(v.Profile, name)
	above := rewriteStacks(v.Profile, is, false, func(frames []profile.FunctionID, keep []bool) bool {
		outermost := len(frames) - 1
		for !is[frames[outermost]] {
			outermost--
		}
		for i := range outermost {
			keep[i] = false
		}
		return true
	})
	return v.with(invert(above)), v.with(RootAt(v.Profile, is))
}

// entriesNamed is Named for a profile that is aggregated: what has no name is
// called after its file.
func entriesNamed(p *profile.Profile, name string) []bool {
	is := make([]bool, p.Functions.Len())
	for i := 1; i < len(is); i++ {
		fn := profile.FunctionID(i)
		n := p.FunctionName(fn)
		is[i] = n == name || n == "" && fileName(p, fn) == name
	}
	return is
}
