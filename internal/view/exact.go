package view

import (
	"path/filepath"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// Named tells for each function whether it is called name. At the
// granularities "files" and "packages" name may be a file or a package too:
// what one entry stands for there.
func Named(p *profile.Profile, granularity, name string) []bool {
	is := make([]bool, p.Functions.Len())
	for i := 1; i < len(is); i++ {
		fn := profile.FunctionID(i)
		is[i] = p.FunctionName(fn) == name ||
			granularity == "files" && fileName(p, fn) == name ||
			granularity == "packages" && PackageName(p.FunctionName(fn)) == name
	}
	return is
}

// fileName is the file of a function as frames have it, "" for none.
func fileName(p *profile.Profile, fn profile.FunctionID) string {
	file := p.FunctionFile(fn)
	if file == "" {
		return ""
	}
	return filepath.Clean(TrimPath("", "")(file))
}

// RootAt cuts every stack above its outermost call of a function in is and
// drops the samples without one: the subtrees below these functions.
func RootAt(p *profile.Profile, is []bool) *profile.Profile {
	return rewriteStacks(p, through(p, is), false, func(frames []profile.FunctionID, keep []bool) bool {
		for i := len(frames) - 1; i >= 0 && !is[frames[i]]; i-- {
			keep[i] = false
		}
		return true
	})
}

// TakeOut removes the frames of the functions in is; what was sampled in them
// counts for their callers. Samples of which nothing is left are dropped.
func TakeOut(p *profile.Profile, is []bool) *profile.Profile {
	return rewriteStacks(p, through(p, is), true, func(frames []profile.FunctionID, keep []bool) bool {
		left := false
		for i, f := range frames {
			keep[i] = !is[f]
			left = left || keep[i]
		}
		return left
	})
}

// CollapseRecursion makes one call of each recursion of a function in is: of
// the frames from its outermost to its innermost call only the innermost
// stays.
func CollapseRecursion(p *profile.Profile, is []bool) *profile.Profile {
	names := functionNames(p)
	return rewriteStacks(p, through(p, is), true, func(frames []profile.FunctionID, keep []bool) bool {
		for i := 0; i < len(frames); i++ {
			if !is[frames[i]] {
				continue
			}
			last := i
			for j := i + 1; j < len(frames); j++ {
				if names[frames[j]] == names[frames[i]] {
					last = j
				}
			}
			for j := i + 1; j <= last; j++ {
				keep[j] = false
			}
			i = last
		}
		return true
	})
}

// CollapseDirect makes one call of every run of calls of a function to
// itself; the innermost stays.
func CollapseDirect(p *profile.Profile) *profile.Profile {
	names := functionNames(p)
	return rewriteStacks(p, recursesDirectly(p, names), true, func(frames []profile.FunctionID, keep []bool) bool {
		for i := 1; i < len(frames); i++ {
			keep[i] = frames[i] == 0 || names[frames[i]] != names[frames[i-1]]
		}
		return true
	})
}

// DropThrough drops the samples with a frame of a function in is.
func DropThrough(p *profile.Profile, is []bool) *profile.Profile {
	has := locationsWith(p, is)
	drop := make([]bool, p.Stacks.Len())
	profile.InParts(len(drop), profile.Parts(len(drop)), func(_, from, to int) {
		for id := from; id < to; id++ {
			drop[id] = anyWanted(p.Stacks.Of(profile.StackID(id)), has)
		}
	})
	return dropStacks(p, drop)
}

// functionNames numbers functions by their name: equal names, equal numbers.
func functionNames(p *profile.Profile) []int32 {
	names := newNamer()
	out := make([]int32, p.Functions.Len())
	for i := range out {
		out[i] = names.id(p.Strings[p.Functions.Name[i]])
	}
	return out
}

// locationsWith tells which locations have a line of a function in is.
func locationsWith(p *profile.Profile, is []bool) []bool {
	has := make([]bool, p.Locations.Len())
	for loc := range has {
		for _, ln := range p.Locations.LinesOf(profile.LocationID(loc)) {
			has[loc] = has[loc] || is[ln.Function]
		}
	}
	return has
}

// through tells which stacks have a frame of a function in is.
func through(p *profile.Profile, is []bool) func(frames []profile.LocationID) bool {
	has := locationsWith(p, is)
	return func(frames []profile.LocationID) bool { return anyWanted(frames, has) }
}

// recursesDirectly tells which stacks have a call of a function to itself;
// names numbers the functions by name.
func recursesDirectly(p *profile.Profile, names []int32) func(frames []profile.LocationID) bool {
	const nobody, within = -1, -2 // no function of its own; the call is among the lines
	type ends struct{ inner, outer int32 }
	of := make([]ends, p.Locations.Len())
	for loc := range of {
		of[loc].inner = nobody
		lines := p.Locations.LinesOf(profile.LocationID(loc))
		for i, ln := range lines {
			name := names[ln.Function]
			switch {
			case ln.Function == 0:
			case i == 0:
				of[loc].inner = name
			case name == of[loc].outer:
				of[loc].inner = within
			}
			of[loc].outer = name
		}
	}
	return func(frames []profile.LocationID) bool {
		callee := int32(nobody)
		for _, loc := range frames {
			at := of[loc]
			if at.inner == within || at.inner == callee && callee != nobody {
				return true
			}
			callee = at.outer
		}
		return false
	}
}

// rewriteStacks takes frames out of the stacks that are meant; others says
// whether the rest stays. edit gets the functions of a stack, leaf first,
// inlined ones and all, 0 for a location without lines, and clears keep for
// those that go; false drops the stack's samples.
//
// A location of which some lines go is replaced on this stack only: it may be
// whole on others.
func rewriteStacks(p *profile.Profile, meant func(frames []profile.LocationID) bool, others bool, edit func(frames []profile.FunctionID, keep []bool) bool) *profile.Profile {
	n := p.Stacks.Len()
	drop, lengths := make([]bool, n), make([]int32, n)
	made := make([]*rewriter, profile.Parts(n))
	profile.InParts(n, len(made), func(k, from, to int) {
		r := newRewriter(p)
		made[k] = r
		for id := from; id < to; id++ {
			frames := p.Stacks.Of(profile.StackID(id))
			switch {
			case meant(frames):
				if r.expand(frames); edit(r.functions, r.keep) {
					lengths[id] = r.collect(frames)
				} else {
					drop[id] = true
				}
			case others:
				lengths[id] = profile.Same
			default:
				drop[id] = true
			}
		}
	})
	for _, r := range made {
		r.renumber(made[0])
	}
	c := p.ShallowCopy()
	c.Stacks = p.Stacks.Remake(lengths, len(made), func(k int, _ profile.StackID, to []profile.LocationID) {
		made[k].out = made[k].out[copy(to, made[k].out):]
	})
	return dropStacks(made[0].addParts(c), drop)
}

// rewriter rebuilds stacks frame by frame: those that changed, one behind the
// other. The buffers are reused.
type rewriter struct {
	p         *profile.Profile
	out       []profile.LocationID
	functions []profile.FunctionID
	keep      []bool
	parts     map[partKey]profile.LocationID
	made      []partKey // the new locations, in the order of their ids
}

func newRewriter(p *profile.Profile) *rewriter {
	return &rewriter{p: p, parts: map[partKey]profile.LocationID{}}
}

// renumber gives the locations r made the ids that first has for them.
func (r *rewriter) renumber(first *rewriter) {
	if r == first || len(r.made) == 0 {
		return
	}
	ids := make([]profile.LocationID, len(r.made))
	for i, key := range r.made {
		ids[i] = first.idOf(key)
	}
	least := profile.LocationID(r.p.Locations.Len())
	for i, loc := range r.out {
		if loc >= least {
			r.out[i] = ids[loc-least]
		}
	}
}

// partKey is a location with some of its lines: a byte for each, 1 to keep it.
type partKey struct {
	loc   profile.LocationID
	lines string
}

func (r *rewriter) expand(frames []profile.LocationID) {
	r.functions, r.keep = r.functions[:0], r.keep[:0]
	for _, loc := range frames {
		lines := r.p.Locations.LinesOf(loc)
		if len(lines) == 0 {
			r.functions, r.keep = append(r.functions, 0), append(r.keep, true)
		}
		for _, ln := range lines {
			r.functions, r.keep = append(r.functions, ln.Function), append(r.keep, true)
		}
	}
}

// collect appends what is kept of a stack to out and tells how many frames that
// are; Same, and nothing, for all of them.
func (r *rewriter) collect(frames []profile.LocationID) int32 {
	if !slices.Contains(r.keep, false) {
		return profile.Same
	}
	before, at := len(r.out), 0
	for _, loc := range frames {
		n := max(1, len(r.p.Locations.LinesOf(loc)))
		kept := r.keep[at : at+n]
		at += n
		count := 0
		for _, k := range kept {
			if k {
				count++
			}
		}
		switch count {
		case 0:
		case n:
			r.out = append(r.out, loc)
		default:
			r.out = append(r.out, r.part(loc, kept))
		}
	}
	return int32(len(r.out) - before)
}

func (r *rewriter) part(loc profile.LocationID, kept []bool) profile.LocationID {
	lines := make([]byte, len(kept))
	for i, k := range kept {
		if k {
			lines[i] = 1
		}
	}
	return r.idOf(partKey{loc, string(lines)})
}

// idOf is the id of a location that was made, or is made now.
func (r *rewriter) idOf(key partKey) profile.LocationID {
	id, ok := r.parts[key]
	if !ok {
		id = profile.LocationID(r.p.Locations.Len() + len(r.made))
		r.parts[key] = id
		r.made = append(r.made, key)
	}
	return id
}

// addParts appends the locations that were made to those of p.
func (r *rewriter) addParts(p *profile.Profile) *profile.Profile {
	if len(r.made) == 0 {
		return p
	}
	a := newLabelFramer(p, Options{}) // a copy whose tables can grow
	l := &a.p.Locations
	for _, key := range r.made {
		if l.ID != nil {
			a.number++
			l.ID = append(l.ID, a.number)
		}
		l.Address = append(l.Address, p.Locations.Address[key.loc])
		l.Mapping = append(l.Mapping, p.Locations.Mapping[key.loc])
		if l.Folded != nil {
			l.Folded = append(l.Folded, p.Locations.Folded[key.loc])
		}
		for i, ln := range p.Locations.LinesOf(key.loc) {
			if key.lines[i] == 1 {
				l.Lines = append(l.Lines, ln)
			}
		}
		l.LineOffsets = append(l.LineOffsets, uint32(len(l.Lines)))
	}
	return a.p
}
