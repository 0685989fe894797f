package view

import (
	"fmt"
	"regexp"

	"github.com/profoundhq/profound/internal/profile"
)

// filter applies focus, ignore, hide, show, show_from, tagfocus, tagignore,
// tagshow, taghide and prune_from, in that order.
func filter(p *profile.Profile, o Options, units map[string]string, warn func(string)) (*profile.Profile, error) {
	var firstErr error
	compile := func(name, value string) *regexp.Regexp {
		if value == "" || firstErr != nil {
			return nil
		}
		rx, err := regexp.Compile(value)
		if err != nil {
			firstErr = fmt.Errorf("parsing %s regexp: %w", name, err)
		}
		return rx
	}
	tag := func(name, value string) labelMatcher {
		if value == "" || firstErr != nil {
			return nil
		}
		m, err := compileTagFilter(name, value, units, warn)
		if err != nil {
			firstErr = err
		}
		return m
	}
	focus, ignore := compile("focus", o.Focus), compile("ignore", o.Ignore)
	hide, show := compile("hide", o.Hide), compile("show", o.Show)
	showFrom := compile("show_from", o.ShowFrom)
	tagFocus, tagIgnore := tag("tagfocus", o.TagFocus), tag("tagignore", o.TagIgnore)
	pruneFrom := compile("prune_from", o.PruneFrom)
	tagShow, tagHide := compile("tagshow", o.TagShow), compile("taghide", o.TagHide)
	if firstErr != nil {
		return nil, firstErr
	}
	noMatch := func(given, matched bool, name string) {
		if given && !matched {
			warn(name + " expression matched no samples")
		}
	}
	var r nameResult
	p, r = filterByName(p, focus, ignore, hide, show)
	noMatch(focus != nil, r.focus, "Focus")
	noMatch(ignore != nil, r.ignore, "Ignore")
	noMatch(hide != nil, r.hide, "Hide")
	noMatch(show != nil, r.show, "Show")
	if showFrom != nil {
		var ok bool
		p, ok = filterShowFrom(p, showFrom)
		noMatch(true, ok, "ShowFrom")
	}
	p, tf, ti := filterByTag(p, tagFocus, tagIgnore)
	noMatch(tagFocus != nil, tf, "TagFocus")
	noMatch(tagIgnore != nil, ti, "TagIgnore")
	p, ts, th := filterTagNames(p, tagShow, tagHide)
	noMatch(tagShow != nil, ts, "TagShow")
	noMatch(tagHide != nil, th, "TagHide")
	if pruneFrom != nil {
		p = PruneFrom(p, pruneFrom)
	}
	return p, nil
}

// matcher answers whether functions and mappings match a regexp, each once.
type matcher struct {
	functions []bool // name or file matches
	mappings  []bool // file matches
}

func newMatcher(p *profile.Profile, rx *regexp.Regexp) *matcher {
	if rx == nil {
		return nil
	}
	n := p.Functions.Len()
	m := &matcher{functions: make([]bool, n), mappings: make([]bool, len(p.Mappings))}
	profile.InParts(n, profile.Parts(n), func(_, from, to int) {
		files := map[profile.StringID]bool{}
		for i := max(1, from); i < to; i++ {
			file := p.Functions.File[i]
			hit, ok := files[file]
			if !ok {
				hit = rx.MatchString(p.Strings[file])
				files[file] = hit
			}
			m.functions[i] = hit || rx.MatchString(p.Strings[p.Functions.Name[i]])
		}
	})
	for i := 1; i < len(p.Mappings); i++ {
		m.mappings[i] = rx.MatchString(p.Mappings[i].File)
	}
	return m
}

// location tells whether any line or the mapping of a location matches.
func (m *matcher) location(mapping profile.MappingID, lines []profile.Line) bool {
	for _, ln := range lines {
		if m.functions[ln.Function] {
			return true
		}
	}
	return m.mappings[mapping]
}

// nameResult tells which expressions matched anything.
type nameResult struct{ focus, ignore, hide, show bool }

// What a location is to the expressions. One that is hidden goes.
const (
	locFocused = 1 << iota
	locIgnored
	locHidden // the highest: dividing by it gives 0 or 1
)

func filterByName(p *profile.Profile, focus, ignore, hide, show *regexp.Regexp) (*profile.Profile, nameResult) {
	var res nameResult
	if focus == nil && ignore == nil && hide == nil && show == nil {
		return p, res
	}
	marks := markLocations(p, focus, ignore, &res)
	if hide != nil || show != nil {
		p = hideLines(p, hide, show, marks, &res)
	}
	drop, lengths := make([]bool, p.Stacks.Len()), make([]int32, p.Stacks.Len())
	parts := profile.Parts(len(drop))
	profile.InParts(len(drop), parts, func(_, from, to int) {
		for id := from; id < to; id++ {
			frames := p.Stacks.Of(profile.StackID(id))
			var is uint8
			hidden := 0
			for _, f := range frames {
				is |= marks[f]
				hidden += int(marks[f] / locHidden)
			}
			drop[id] = is&(locFocused|locIgnored) != locFocused || hidden == len(frames)
			lengths[id] = profile.Same
			if hidden > 0 {
				lengths[id] = int32(len(frames) - hidden)
			}
		}
	})
	c := p.ShallowCopy()
	c.Stacks = p.Stacks.Remake(lengths, parts, func(_ int, id profile.StackID, to []profile.LocationID) {
		at := 0
		for _, f := range p.Stacks.Of(id) {
			if at == len(to) {
				return
			}
			to[at] = f // written over by the next if it is hidden: no branch to guess
			at += 1 - int(marks[f]/locHidden)
		}
	})
	return dropStacks(c, drop), res
}

// markLocations tells which locations are focused and ignored.
func markLocations(p *profile.Profile, focus, ignore *regexp.Regexp, res *nameResult) []uint8 {
	fm, im := newMatcher(p, focus), newMatcher(p, ignore)
	marks := make([]uint8, p.Locations.Len())
	for id := 1; id < len(marks); id++ {
		mapping, lines := p.Locations.Mapping[id], p.Locations.LinesOf(profile.LocationID(id))
		if im != nil && im.location(mapping, lines) {
			res.ignore = true
			marks[id] = locIgnored
		} else if fm == nil || fm.location(mapping, lines) {
			res.focus = true
			marks[id] = locFocused
		}
	}
	return marks
}

// hideLines takes away the lines that hide matches and show does not, and marks
// the locations that are hidden: of those nothing is left to see.
func hideLines(p *profile.Profile, hide, show *regexp.Regexp, marks []uint8, res *nameResult) *profile.Profile {
	hm, sm := newMatcher(p, hide), newMatcher(p, show)
	mapping := p.Locations.Mapping
	return p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		if id == 0 {
			return out
		}
		start, hidden := len(out), false
		out = append(out, lines...)
		if hm != nil && hm.location(mapping[id], lines) {
			res.hide = true
			out = keepLines(out, start, func(fn profile.FunctionID) bool { return !hm.mappings[mapping[id]] && !hm.functions[fn] })
			hidden = len(out) == start
		}
		if sm != nil {
			if !sm.mappings[mapping[id]] {
				out = keepLines(out, start, func(fn profile.FunctionID) bool { return sm.functions[fn] })
			}
			if len(out) == start {
				hidden = true
			} else {
				res.show = true
			}
		}
		if hidden {
			marks[id] |= locHidden
		}
		return out
	})
}

// keepLines filters out[start:] in place.
func keepLines(out []profile.Line, start int, keep func(profile.FunctionID) bool) []profile.Line {
	n := start
	for _, ln := range out[start:] {
		if keep(ln.Function) {
			out[n] = ln
			n++
		}
	}
	return out[:n]
}

// dropStacks removes the samples of dropped stacks.
func dropStacks(p *profile.Profile, drop []bool) *profile.Profile {
	stack := p.Samples.Stack
	return p.KeepSamples(func(i int) bool { return !drop[stack[i]] })
}

// filterShowFrom cuts every stack above the outermost matching frame and drops
// the samples without one.
func filterShowFrom(p *profile.Profile, rx *regexp.Regexp) (*profile.Profile, bool) {
	m := newMatcher(p, rx)
	matched := make([]bool, p.Locations.Len())
	found := false
	mapping := p.Locations.Mapping
	p = p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		if id != 0 && m.mappings[mapping[id]] {
			matched[id], found = true, true
			return append(out, lines...)
		}
		for i := len(lines) - 1; i >= 0; i-- {
			if m.functions[lines[i].Function] {
				matched[id], found = true, true
				return append(out, lines[:i+1]...)
			}
		}
		return append(out, lines...)
	})
	p, drop := p.CutStacks(func(frames []profile.LocationID) (from, to int, ok bool) {
		for i := len(frames) - 1; i >= 0; i-- {
			if matched[frames[i]] {
				return 0, i + 1, true
			}
		}
		return 0, 0, false
	})
	return dropStacks(p, drop), found
}

// labelMatcher tells whether a label set is meant.
type labelMatcher func(p *profile.Profile, set []profile.Label) bool

func filterByTag(p *profile.Profile, focus, ignore labelMatcher) (_ *profile.Profile, focused, ignored bool) {
	if focus == nil && ignore == nil {
		return p, p.Samples.Len() > 0, false
	}
	const (
		isFocused = 1 << iota
		isIgnored
	)
	state := make([]uint8, p.LabelSets.Len())
	for id := range state {
		set := p.LabelSets.Of(profile.LabelSetID(id))
		if focus == nil || focus(p, set) {
			state[id] |= isFocused
		}
		if ignore != nil && ignore(p, set) {
			state[id] |= isIgnored
		}
	}
	labels := p.Samples.Labels
	for _, l := range labels {
		focused = focused || state[l]&isFocused != 0
		ignored = ignored || state[l]&isIgnored != 0
	}
	return p.KeepSamples(func(i int) bool { return state[labels[i]] == isFocused }), focused, ignored
}

// filterTagNames keeps the labels whose key matches show and not hide.
func filterTagNames(p *profile.Profile, show, hide *regexp.Regexp) (_ *profile.Profile, shown, hid bool) {
	if show == nil && hide == nil {
		return p, false, false
	}
	keep := map[profile.StringID]bool{} // keys met so far
	return p.MapLabels(func(set, out []profile.Label) []profile.Label {
		for _, l := range set {
			kept, known := keep[l.Key]
			if !known {
				key := p.Strings[l.Key]
				s, h := show == nil || show.MatchString(key), hide != nil && hide.MatchString(key)
				shown, hid = shown || s, hid || h
				kept = s && !h
				keep[l.Key] = kept
			}
			if kept {
				out = append(out, l)
			}
		}
		return out
	}), shown, hid
}
