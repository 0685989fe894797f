package view

import (
	"sort"

	"github.com/profoundhq/profound/internal/profile"
)

// Amount is what was sampled in something, and in it or below it, in the unit
// of the view: now, and in the base of a marked diff.
type Amount struct {
	Flat, Cum         int64
	FlatBase, CumBase int64
}

// Neighbour is who calls something, or is called by it, with what was sampled
// on the way.
type Neighbour struct {
	Frame         *Frame
	Current, Base int64
}

// Sandwich is one function between its callers and its callees.
type Sandwich struct {
	Amount
	// Frames are the entries of the view that it is made of: one, or one for
	// each line, address or object file; Of has the amount of each.
	Frames []*Frame
	Of     []Amount
	// Callers and Callees are sorted by the larger of now and base. Calls of
	// the function to itself are left out. A caller counts once a stack.
	Callers, Callees []Neighbour
}

// Sandwich looks at the entries called name: functions, or files where the
// view has no functions. Divisors are not honoured: the amounts are sums.
func (v *View) Sandwich(name string) *Sandwich {
	b := &sandwichBuilder{v: v, t: v.nodeTable(), s: &Sandwich{}}
	n := len(b.t.frames)
	b.entry = make([]int32, n)
	for f := range b.t.frames {
		b.entry[f] = -1
		fr := &b.t.frames[f]
		if fr.Name == name || fr.Name == "" && (fr.File == name || fr.File == "" && b.t.name(int32(f)) == name) {
			b.entry[f] = int32(len(b.s.Frames))
			b.s.Frames = append(b.s.Frames, fr)
		}
	}
	b.s.Of = make([]Amount, len(b.s.Frames))
	b.callers, b.callees = newTally(n), newTally(n)
	b.seen = make([]uint32, len(b.s.Frames))
	b.walk()
	b.s.Callers, b.s.Callees = b.callers.list(b.t), b.callees.list(b.t)
	return b.s
}

type sandwichBuilder struct {
	v                *View
	t                *frameTable
	s                *Sandwich
	entry            []int32  // by frame: index in Sandwich.Frames, -1 for others
	seen             []uint32 // by entry: the last stack (plus 1) that counted it
	callers, callees *tally
	frames           []int32
}

func (b *sandwichBuilder) walk() {
	p := b.v.Profile
	value, base := b.v.split()
	has := make([]bool, p.Locations.Len())
	for loc := range has {
		for _, f := range b.t.of(profile.LocationID(loc)) {
			has[loc] = has[loc] || b.entry[f] >= 0
		}
	}
	for id := range p.Stacks.Len() {
		if value[id] == 0 && base[id] == 0 {
			continue
		}
		locs := p.Stacks.Of(profile.StackID(id))
		if !anyWanted(locs, has) {
			continue
		}
		b.frames = b.frames[:0]
		for _, loc := range locs {
			b.frames = append(b.frames, b.t.of(loc)...)
		}
		b.stack(uint32(id)+1, value[id], base[id])
	}
}

// stack counts one stack, whose frames are leaf first.
func (b *sandwichBuilder) stack(stamp uint32, value, base int64) {
	b.s.Cum += value
	b.s.CumBase += base
	if e := b.entry[b.frames[0]]; e >= 0 {
		b.s.Flat += value
		b.s.FlatBase += base
		b.s.Of[e].Flat += value
		b.s.Of[e].FlatBase += base
	}
	for i, f := range b.frames {
		e := b.entry[f]
		if e < 0 {
			continue
		}
		if b.seen[e] != stamp {
			b.seen[e] = stamp
			b.s.Of[e].Cum += value
			b.s.Of[e].CumBase += base
		}
		if i > 0 && b.entry[b.frames[i-1]] < 0 {
			b.callees.add(b.frames[i-1], stamp, value, base)
		}
		if i+1 < len(b.frames) && b.entry[b.frames[i+1]] < 0 {
			b.callers.add(b.frames[i+1], stamp, value, base)
		}
	}
}

// tally adds values up by frame, each frame once a stack.
type tally struct {
	seen         []uint32
	current, was []int64
	met          []int32
}

func newTally(frames int) *tally {
	return &tally{seen: make([]uint32, frames), current: make([]int64, frames), was: make([]int64, frames)}
}

func (t *tally) add(f int32, stamp uint32, value, base int64) {
	if t.seen[f] == stamp {
		return
	}
	if t.seen[f] == 0 {
		t.met = append(t.met, f)
	}
	t.seen[f] = stamp
	t.current[f] += value
	t.was[f] += base
}

func (t *tally) list(ft *frameTable) []Neighbour {
	most := func(f int32) int64 { return max(abs(t.current[f]), abs(t.was[f])) }
	sort.Slice(t.met, func(i, j int) bool {
		a, b := t.met[i], t.met[j]
		if most(a) != most(b) {
			return most(a) > most(b)
		}
		return ft.name(a) < ft.name(b)
	})
	out := make([]Neighbour, len(t.met))
	for i, f := range t.met {
		out[i] = Neighbour{Frame: &ft.frames[f], Current: t.current[f], Base: t.was[f]}
	}
	return out
}

// split adds the values of each stack up: now, and in the base of a marked
// diff.
func (v *View) split() (value, base []int64) {
	p := v.Profile
	value, base = make([]int64, p.Stacks.Len()), make([]int64, p.Stacks.Len())
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	for i, s := range p.Samples.Stack {
		if marked[p.Samples.Labels[i]] {
			base[s] -= v.Values[i]
		} else {
			value[s] += v.Values[i]
		}
	}
	return value, base
}
