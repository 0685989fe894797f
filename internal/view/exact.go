package view

import (
	"path/filepath"
	"runtime"
	"sync"

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
	return rewriteStacks(p, is, false, func(frames []profile.FunctionID, keep []bool) bool {
		for i := len(frames) - 1; i >= 0 && !is[frames[i]]; i-- {
			keep[i] = false
		}
		return true
	})
}

// TakeOut removes the frames of the functions in is; what was sampled in them
// counts for their callers. Samples of which nothing is left are dropped.
func TakeOut(p *profile.Profile, is []bool) *profile.Profile {
	return rewriteStacks(p, is, true, func(frames []profile.FunctionID, keep []bool) bool {
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
	return rewriteStacks(p, is, true, func(frames []profile.FunctionID, keep []bool) bool {
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
	return rewriteStacks(p, nil, true, func(frames []profile.FunctionID, keep []bool) bool {
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
	inParts(len(drop), func(from, to int) {
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

// rewriteStacks takes frames out of stacks. edit gets the functions of a
// stack, leaf first, inlined ones and all, 0 for a location without lines,
// and clears keep for those that go; false drops the stack's samples. Stacks
// without a frame of a function in is are not asked about: others says whether
// they stay. With nil for is, edit is asked about all.
//
// A location of which some lines go is replaced on this stack only: it may be
// whole on others.
func rewriteStacks(p *profile.Profile, is []bool, others bool, edit func(frames []profile.FunctionID, keep []bool) bool) *profile.Profile {
	var has []bool
	if is != nil {
		has = locationsWith(p, is)
	}
	n := p.Stacks.Len()
	out, drop := make([]profile.LocationID, len(p.Stacks.Frames)), make([]bool, n)
	offsets := make([]uint64, n+1)
	parts := make([]*rewriter, max(1, min(runtime.GOMAXPROCS(0), n/stacksPerWorker)))
	var wg sync.WaitGroup
	for k := range parts {
		from, to := k*n/len(parts), (k+1)*n/len(parts)
		r := newRewriter(p, out[p.Stacks.Offsets[from]:p.Stacks.Offsets[from]:p.Stacks.Offsets[to]])
		parts[k] = r
		wg.Go(func() {
			for id := from; id < to; id++ {
				frames := p.Stacks.Of(profile.StackID(id))
				if has != nil && !anyWanted(frames, has) {
					drop[id] = !others
					if others {
						r.out = append(r.out, frames...)
					}
				} else if r.expand(frames); edit(r.functions, r.keep) {
					r.out = r.collect(frames, r.out)
				} else {
					drop[id] = true
				}
				offsets[id+1] = uint64(len(r.out))
			}
		})
	}
	wg.Wait()
	// No stack grew, so every part can move down to where the one before ends.
	end := 0
	for k, r := range parts {
		r.renumber(parts[0])
		from, to := k*n/len(parts), (k+1)*n/len(parts)
		for id := from; id < to; id++ {
			offsets[id+1] += uint64(end)
		}
		end += copy(out[end:], r.out)
	}
	c := p.ShallowCopy()
	c.Stacks = profile.Stacks{Offsets: offsets, Frames: out[:end]}
	return dropStacks(parts[0].addParts(c), drop)
}

// rewriter rebuilds stacks frame by frame. The buffers are reused.
type rewriter struct {
	p         *profile.Profile
	out       []profile.LocationID
	functions []profile.FunctionID
	keep      []bool
	parts     map[partKey]profile.LocationID
	made      []partKey // the new locations, in the order of their ids
}

func newRewriter(p *profile.Profile, out []profile.LocationID) *rewriter {
	return &rewriter{p: p, out: out, parts: map[partKey]profile.LocationID{}}
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

func (r *rewriter) collect(frames, out []profile.LocationID) []profile.LocationID {
	at := 0
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
			out = append(out, loc)
		default:
			out = append(out, r.part(loc, kept))
		}
	}
	return out
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
