package view

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// View is a profile made ready for one report.
type View struct {
	// Profile is filtered and aggregated.
	Profile *profile.Profile
	Options Options

	// Values is the column shown; Divisors the column it is averaged over, or
	// nil.
	Values   []int64
	Divisors []int64
	// Type and Unit name the value shown.
	Type string
	Unit string
	// Total is what percentages are of, before filters unless
	// RelativePercentages.
	Total int64
	// LabelUnits is the unit of each numeric label key.
	LabelUnits map[string]string
	// Filters are the active filters as name=value.
	Filters []string
	// ObjNames keeps the names of object files in the nodes, so that equal
	// functions of different binaries stay apart.
	ObjNames bool

	index, divIndex int
	frames          *frameTable
	tags            *tagTable
}

// Prepare applies options to p. warn receives what pprof says on standard
// error, a line each.
func Prepare(p *profile.Profile, o Options, warn func(string)) (*View, error) {
	v := &View{Options: o}
	v.LabelUnits = labelUnits(p, warn)
	p = addLabelFrames(p, o, warn)
	var err error
	if o.RelativePercentages {
		if p, err = filter(p, o, v.LabelUnits, warn); err != nil {
			return nil, err
		}
	}
	if err := v.selectValue(p); err != nil {
		return nil, err
	}
	v.Total = v.computeTotal(p)
	v.Filters = activeFilters(o)
	if !o.RelativePercentages {
		if p, err = filter(p, o, v.LabelUnits, warn); err != nil {
			return nil, err
		}
	}
	if p, err = aggregate(p, o); err != nil {
		return nil, err
	}
	v.setProfile(p)
	return v, nil
}

func (v *View) setProfile(p *profile.Profile) {
	v.Profile = p
	v.Values = p.Samples.Values[v.index]
	if v.divIndex >= 0 {
		v.Divisors = p.Samples.Values[v.divIndex]
	}
}

// Freeze builds what is else built when it is first needed. Copies of a frozen
// view may be used by several goroutines, each its own.
func (v *View) Freeze() {
	v.nodeTable().nameAll()
}

func (v *View) selectValue(p *profile.Profile) error {
	i, err := p.SampleIndex(v.Options.SampleIndex)
	if err != nil {
		return err
	}
	if v.Options.DivideBy == 0 {
		return errors.New("zero divisor specified")
	}
	v.index, v.divIndex = i, -1
	v.Type, v.Unit = p.SampleTypes[i].Type, p.SampleTypes[i].Unit
	if v.Options.Mean {
		v.divIndex = 0
		v.Type = "mean_" + v.Type
	}
	return nil
}

// SampleValue is the value of sample i, averaged if the view is.
func (v *View) SampleValue(i int) int64 {
	return mean(v.Values[i], v.divisor(i))
}

func (v *View) divisor(i int) int64 {
	if v.Divisors == nil {
		return 0
	}
	return v.Divisors[i]
}

func mean(value, div int64) int64 {
	if div == 0 {
		return value
	}
	return value / div
}

// computeTotal adds up absolute values; of a marked diff, the base's alone.
func (v *View) computeTotal(p *profile.Profile) int64 {
	base := p.HasStringLabel(profile.BaseLabel, "true")
	anyBase := slices.Contains(base, true)
	var total, div, baseTotal, baseDiv int64
	values := p.Samples.Values[v.index]
	for i, w := range values {
		var d int64
		if v.divIndex >= 0 {
			d = p.Samples.Values[v.divIndex][i]
		}
		w = abs(w)
		total += w
		div += d
		if anyBase && base[p.Samples.Labels[i]] {
			baseTotal += w
			baseDiv += d
		}
	}
	if baseTotal > 0 {
		total, div = baseTotal, baseDiv
	}
	return mean(total, div)
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

func activeFilters(o Options) []string {
	var out []string
	for _, f := range []struct{ name, value string }{
		{"focus", o.Focus}, {"ignore", o.Ignore}, {"hide", o.Hide}, {"show", o.Show}, {"show_from", o.ShowFrom},
		{"tagfocus", o.TagFocus}, {"tagignore", o.TagIgnore}, {"tagshow", o.TagShow}, {"taghide", o.TagHide},
	} {
		if f.value != "" {
			out = append(out, f.name+"="+f.value)
		}
	}
	return out
}

// labelUnits finds the unit of each numeric label key: the first one given,
// else bytes for sizes and the key itself for the rest.
func labelUnits(p *profile.Profile, warn func(string)) map[string]string {
	units := map[string]string{}
	if !slices.ContainsFunc(p.LabelSets.Labels, func(l profile.Label) bool { return l.Str == 0 }) {
		return units
	}
	ignored := map[string]map[string]bool{}
	seen := make([]bool, p.LabelSets.Len())
	for _, set := range p.Samples.Labels {
		if seen[set] {
			continue
		}
		seen[set] = true
		for _, l := range p.LabelSets.Of(set) {
			if l.Str != 0 {
				continue
			}
			key, u := p.Strings[l.Key], p.Strings[l.Unit]
			have, ok := units[key]
			switch {
			case !ok || have == "":
				units[key] = u
			case u != "" && u != have:
				if ignored[key] == nil {
					ignored[key] = map[string]bool{}
				}
				ignored[key][u] = true
			}
		}
	}
	for key, u := range units {
		if u == "" {
			units[key] = key
			if key == "alignment" || key == "request" {
				units[key] = "bytes"
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(ignored)) {
		others := slices.Sorted(maps.Keys(ignored[key]))
		warn(fmt.Sprintf("For tag %s used unit %s, also encountered unit(s) %s", key, units[key], strings.Join(others, ", ")))
	}
	return units
}

// Regranulate is the view of the same filtered samples at another, coarser
// granularity.
func (v *View) Regranulate(granularity string, noInlines bool) (*View, error) {
	c := *v
	c.frames, c.tags = nil, nil
	c.Options.Granularity, c.Options.NoInlines = granularity, noInlines
	p, err := aggregate(v.Profile, c.Options)
	if err != nil {
		return nil, err
	}
	c.setProfile(p)
	return &c, nil
}
