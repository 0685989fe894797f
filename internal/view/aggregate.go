package view

import (
	"fmt"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// aggregate erases from locations and functions what the granularity does not
// tell apart, so that equal places become equal.
func aggregate(p *profile.Profile, o Options) (*profile.Profile, error) {
	var function, file, line, address bool
	switch o.Granularity {
	case "", "functions", "packages":
		function = true
	case "filefunctions":
		function, file = true, true
	case "files":
		file = true
	case "lines":
		function, file, line = true, true, true
	case "addresses":
		if !o.NoInlines {
			return p, nil
		}
		function, file, line, address = true, true, true, true
	default:
		return nil, fmt.Errorf("unexpected granularity %q", o.Granularity)
	}
	p = p.ShallowCopy()
	p.Mappings = slices.Clone(p.Mappings)
	for i := range p.Mappings {
		m := &p.Mappings[i]
		m.HasInlineFrames = m.HasInlineFrames && !o.NoInlines
		m.HasFunctions = m.HasFunctions && function
		m.HasFilenames = m.HasFilenames && file
		m.HasLineNumbers = m.HasLineNumbers && line
	}
	if o.Granularity == "packages" {
		p = FoldPackages(p, nil)
	}
	if !function {
		none := make([]profile.StringID, p.Functions.Len())
		p.Functions.Name, p.Functions.SystemName = none, none
	}
	if !file {
		p.Functions.File = make([]profile.StringID, p.Functions.Len())
	}
	if !address {
		p.Locations.Address = make([]uint64, p.Locations.Len())
	}
	return p.MapLines(func(_ profile.LocationID, lines, out []profile.Line) []profile.Line {
		if o.NoInlines && len(lines) > 1 {
			lines = lines[len(lines)-1:]
		}
		for _, ln := range lines {
			if !line {
				ln.Line, ln.Column = 0, 0
			}
			if !o.ShowColumns {
				ln.Column = 0
			}
			out = append(out, ln)
		}
		return out
	}), nil
}
