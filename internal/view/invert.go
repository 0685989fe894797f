package view

import "github.com/profoundhq/profound/internal/profile"

// Apply makes the steps of Prepare that come before aggregation: label frames
// and filters. It lets filters be applied in an order of the caller's.
func Apply(p *profile.Profile, o Options, warn func(string)) (*profile.Profile, error) {
	units := labelUnits(p, func(string) {}) // Prepare warns of them
	return filter(addLabelFrames(p, o, warn), o, units, warn)
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
