package view

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// addLabelFrames gives every stack the frames tagroot and tagleaf ask for: a
// function named after the label's values, in a "file" named after its key.
func addLabelFrames(p *profile.Profile, o Options, warn func(string)) *profile.Profile {
	roots, leaves := labelKeys(o.TagRoot), labelKeys(o.TagLeaf)
	if len(roots)+len(leaves) > 0 {
		a := newLabelFramer(p, o)
		p = a.apply(roots, leaves)
		if len(roots) > 0 && !a.rootHit {
			warn("TagRoot expression matched no samples")
		}
		if len(leaves) > 0 && !a.leafHit {
			warn("TagLeaf expression matched no samples")
		}
	}
	return p
}

func labelKeys(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}

type labelFramer struct {
	p                *profile.Profile
	unit             string
	nameAbsent       bool
	made             map[[2]string]profile.LocationID
	fnNumber, number uint64 // the last numbers given to functions and locations that have numbers of their own
	rootHit, leafHit bool
}

func newLabelFramer(p *profile.Profile, o Options) *labelFramer {
	c := p.ShallowCopy()
	c.Strings = slices.Clip(p.Strings)
	f := &c.Functions
	f.ID, f.Name, f.SystemName = slices.Clip(f.ID), slices.Clip(f.Name), slices.Clip(f.SystemName)
	f.File, f.StartLine = slices.Clip(f.File), slices.Clip(f.StartLine)
	l := &c.Locations
	l.ID, l.Address, l.Mapping, l.Folded = slices.Clip(l.ID), slices.Clip(l.Address), slices.Clip(l.Mapping), slices.Clip(l.Folded)
	l.LineOffsets, l.Lines = slices.Clip(l.LineOffsets), slices.Clip(l.Lines)
	a := &labelFramer{p: c, unit: o.Unit, nameAbsent: o.NameAbsent, made: map[[2]string]profile.LocationID{}}
	if f.ID != nil {
		a.fnNumber = slices.Max(f.ID)
	}
	if l.ID != nil {
		a.number = slices.Max(l.ID)
	}
	return a
}

// apply builds a stack for each pair of stack and label set in use.
func (a *labelFramer) apply(roots, leaves []string) *profile.Profile {
	p := a.p
	type frames struct{ leaf, root []profile.LocationID }
	bySet := make([]*frames, p.LabelSets.Len())
	stacks := profile.Stacks{Offsets: []uint64{0, 0}}
	var in profile.StackInterner
	var buf []profile.LocationID
	newStack := make([]profile.StackID, p.Samples.Len())
	for i, set := range p.Samples.Labels {
		fr := bySet[set]
		if fr == nil {
			fr = &frames{leaf: a.frames(set, leaves, &a.leafHit), root: a.frames(set, roots, &a.rootHit)}
			bySet[set] = fr
		}
		buf = append(buf[:0], fr.leaf...)
		buf = append(buf, p.Stacks.Of(p.Samples.Stack[i])...)
		buf = append(buf, fr.root...)
		newStack[i] = in.Intern(&stacks, buf)
	}
	p.Stacks = stacks
	p.Samples.Stack = newStack
	return p
}

// frames are the locations for keys in storage order: the last key first.
func (a *labelFramer) frames(set profile.LabelSetID, keys []string, hit *bool) []profile.LocationID {
	var out []profile.LocationID
	for i := len(keys) - 1; i >= 0; i-- {
		values := a.values(set, keys[i])
		if len(values) > 0 {
			*hit = true
		}
		name := strings.Join(values, ",")
		if len(values) == 0 && a.nameAbsent {
			name = "(no " + keys[i] + ")"
		}
		out = append(out, a.location(name, keys[i]))
	}
	return out
}

func (a *labelFramer) values(set profile.LabelSetID, key string) []string {
	p := a.p
	var values []string
	hasUnit := false
	labels := p.LabelSets.Of(set)
	for _, l := range labels {
		if l.Str == 0 && l.Unit != 0 && p.Strings[l.Key] == key {
			hasUnit = true
		}
	}
	for _, l := range labels {
		switch {
		case p.Strings[l.Key] != key:
		case l.Str != 0:
			values = append(values, p.Strings[l.Str])
		case hasUnit:
			values = append(values, unit.Format(l.Num, p.Strings[l.Unit], a.unit))
		default:
			values = append(values, unit.Format(l.Num, "", ""))
		}
	}
	return values
}

func (a *labelFramer) location(name, file string) profile.LocationID {
	if id, ok := a.made[[2]string{name, file}]; ok {
		return id
	}
	p := a.p
	fn := profile.FunctionID(p.Functions.Len())
	p.Strings = append(p.Strings, name, file)
	f := &p.Functions
	if f.ID != nil {
		a.fnNumber++
		f.ID = append(f.ID, a.fnNumber)
	}
	f.Name = append(f.Name, profile.StringID(len(p.Strings)-2))
	f.SystemName = append(f.SystemName, 0)
	f.File = append(f.File, profile.StringID(len(p.Strings)-1))
	f.StartLine = append(f.StartLine, 0)
	l := &p.Locations
	id := profile.LocationID(l.Len())
	if l.ID != nil {
		a.number++
		l.ID = append(l.ID, a.number)
	}
	l.Address = append(l.Address, 0)
	l.Mapping = append(l.Mapping, 0)
	if l.Folded != nil {
		l.Folded = append(l.Folded, false)
	}
	l.Lines = append(l.Lines, profile.Line{Function: fn})
	l.LineOffsets = append(l.LineOffsets, uint32(len(l.Lines)))
	a.made[[2]string{name, file}] = id
	return id
}
