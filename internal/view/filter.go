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
	m := &matcher{functions: make([]bool, p.Functions.Len()), mappings: make([]bool, len(p.Mappings))}
	files := map[profile.StringID]bool{}
	for i := 1; i < len(m.functions); i++ {
		file := p.Functions.File[i]
		hit, ok := files[file]
		if !ok {
			hit = rx.MatchString(p.Strings[file])
			files[file] = hit
		}
		m.functions[i] = hit || rx.MatchString(p.Strings[p.Functions.Name[i]])
	}
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

// What a location is to focus and ignore.
const (
	locNeutral = iota
	locFocused
	locIgnored
)

func filterByName(p *profile.Profile, focus, ignore, hide, show *regexp.Regexp) (*profile.Profile, nameResult) {
	var res nameResult
	if focus == nil && ignore == nil && hide == nil && show == nil {
		return p, res
	}
	fm, im := newMatcher(p, focus), newMatcher(p, ignore)
	hm, sm := newMatcher(p, hide), newMatcher(p, show)
	state := make([]uint8, p.Locations.Len())
	hidden := make([]bool, p.Locations.Len())
	anyHidden := false
	mapping := p.Locations.Mapping
	filtered := p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		if id == 0 {
			return out
		}
		if im != nil && im.location(mapping[id], lines) {
			res.ignore = true
			state[id] = locIgnored
		} else if fm == nil || fm.location(mapping[id], lines) {
			res.focus = true
			state[id] = locFocused
		}
		start := len(out)
		out = append(out, lines...)
		if hm != nil && hm.location(mapping[id], lines) {
			res.hide = true
			out = keepLines(out, start, func(fn profile.FunctionID) bool { return !hm.mappings[mapping[id]] && !hm.functions[fn] })
			hidden[id] = len(out) == start
		}
		if sm != nil {
			if !sm.mappings[mapping[id]] {
				out = keepLines(out, start, func(fn profile.FunctionID) bool { return sm.functions[fn] })
			}
			if len(out) == start {
				hidden[id] = true
			} else {
				res.show = true
			}
		}
		anyHidden = anyHidden || hidden[id]
		return out
	})
	if hm != nil || sm != nil {
		p = filtered
	}
	drop := make([]bool, p.Stacks.Len())
	inParts(len(drop), func(from, to int) {
		for id := from; id < to; id++ {
			drop[id] = !focusedNotIgnored(p.Stacks.Of(profile.StackID(id)), state)
		}
	})
	if anyHidden {
		var emptied []bool
		p, emptied = p.MapStacks(func(frames, out []profile.LocationID) ([]profile.LocationID, bool) {
			if !anyWanted(frames, hidden) { // most stacks: one copy
				return append(out, frames...), len(frames) > 0
			}
			start := len(out)
			for _, f := range frames {
				if !hidden[f] {
					out = append(out, f)
				}
			}
			return out, len(out) > start
		})
		for id, e := range emptied {
			drop[id] = drop[id] || e
		}
	}
	return dropStacks(p, drop), res
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

func focusedNotIgnored(frames []profile.LocationID, state []uint8) bool {
	focused := false
	for _, f := range frames {
		switch state[f] {
		case locIgnored:
			return false
		case locFocused:
			focused = true
		}
	}
	return focused
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
	p, drop := p.MapStacks(func(frames, out []profile.LocationID) ([]profile.LocationID, bool) {
		for i := len(frames) - 1; i >= 0; i-- {
			if matched[frames[i]] {
				return append(out, frames[:i+1]...), true
			}
		}
		return out, false
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
