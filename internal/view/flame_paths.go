package view

import (
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// flameStacks are the stacks a flame graph is built of, with what each weighs.
type flameStacks struct {
	stacks *profile.Stacks
	ft     *frameTable
	// only is, by location, the number of its frame when it has just one.
	only []int32
	// By stack. base is nil without a marked diff; weight is value where
	// nothing is negative.
	value, base, weight []int64
	// step is from one location of a path to the next: -1 to the callees, 1 to
	// the callers.
	step int64
}

// What flameStacks.only has for locations with no frame, and with several.
const (
	frameNone    = -1
	frameSeveral = -2
)

func newFlameStacks(v *View) *flameStacks {
	p := v.Profile
	n := p.Stacks.Len()
	s := &flameStacks{stacks: &p.Stacks, ft: v.nodeTable(), value: make([]int64, n), only: make([]int32, p.Locations.Len()), step: -1}
	for loc := range s.only {
		switch ids := s.ft.of(profile.LocationID(loc)); len(ids) {
		case 0:
			s.only[loc] = frameNone
		case 1:
			s.only[loc] = ids[0]
		default:
			s.only[loc] = frameSeveral
		}
	}
	isBase := p.HasStringLabel(profile.BaseLabel, "true")
	marked := slices.Contains(isBase, true)
	if marked {
		s.base = make([]int64, n)
	}
	signed := marked
	for i := 0; i < len(v.Values) && !signed; i++ {
		signed = v.SampleValue(i) < 0
	}
	s.weight = s.value
	if signed {
		s.weight = make([]int64, n)
	}
	for i, id := range p.Samples.Stack {
		x := v.SampleValue(i)
		if signed {
			s.weight[id] += abs(x)
		}
		if marked && isBase[p.Samples.Labels[i]] {
			s.base[id] -= x
		} else {
			s.value[id] += x
		}
	}
	return s
}

// upwards is s for paths that go to the callers.
func (s *flameStacks) upwards() *flameStacks {
	up := *s
	up.step = 1
	return &up
}

// flamePath is a stack and how far it was descended into.
type flamePath struct {
	at    int64 // of the location in the table of all stacks' frames
	stack int32
	left  int32 // how many locations there are behind it
	line  int32 // how many lines of the location there are behind this one
	frame int32 // number of the frame at the line, -1 when the stack has ended
}

// paths are those of the stacks that weigh something, by stack. start tells
// where the path of a stack begins; one without a frame is left out, unless
// the stack is empty.
func (s *flameStacks) paths(start func(id profile.StackID) (p flamePath, ok bool)) []flamePath {
	n := s.stacks.Len()
	all := make([]flamePath, n)
	found := make([][]flamePath, profile.Parts(n))
	profile.InParts(n, len(found), func(k, from, to int) {
		list := all[from:from:to]
		for id := from; id < to; id++ {
			if s.weight[id] > 0 {
				if p, ok := start(profile.StackID(id)); ok {
					list = append(list, p)
				}
			}
		}
		found[k] = list
	})
	paths := all[:0]
	for _, list := range found {
		paths = append(paths, list...) // moves down to where the one before ends
	}
	return paths
}

// fromRoot begins with the root of a stack.
func (s *flameStacks) fromRoot(id profile.StackID) (flamePath, bool) {
	o := s.stacks.Offsets
	return s.next(flamePath{at: int64(o[id+1]), stack: int32(id), left: int32(o[id+1] - o[id])}), true
}

// fromLeaf begins with the leaf of a stack, for paths upwards.
func (s *flameStacks) fromLeaf(id profile.StackID) (flamePath, bool) {
	o := s.stacks.Offsets
	return s.next(flamePath{at: int64(o[id]) - 1, stack: int32(id), left: int32(o[id+1] - o[id])}), true
}

// fromOutermost begins with the outermost frame of the functions in is.
func (s *flameStacks) fromOutermost(p *profile.Profile, is []bool) func(id profile.StackID) (flamePath, bool) {
	has := locationsWith(p, is)
	return func(id profile.StackID) (flamePath, bool) {
		stack := s.stacks.Of(id)
		for i := len(stack) - 1; i >= 0; i-- {
			if !has[stack[i]] {
				continue
			}
			lines := p.Locations.LinesOf(stack[i])
			for l := len(lines) - 1; l >= 0; l-- {
				if is[lines[l].Function] {
					at := s.stacks.Offsets[id] + uint64(i)
					return flamePath{at: int64(at), stack: int32(id), left: int32(i), line: int32(l), frame: s.ft.of(stack[i])[l]}, true
				}
			}
		}
		return flamePath{}, false
	}
}

// turned is a path downwards as one upwards from the same frame.
func (s *flameStacks) turned(p flamePath) flamePath {
	o := s.stacks.Offsets
	p.left = int32(o[p.stack+1]-o[p.stack]) - 1 - p.left
	p.line = int32(len(s.ft.of(s.stacks.Frames[p.at]))) - 1 - p.line
	return p
}

// next moves one frame on.
func (s *flameStacks) next(p flamePath) flamePath {
	if p.line > 0 {
		p.line--
		p.frame = s.frameOf(s.ft.of(s.stacks.Frames[p.at]), p.line)
		return p
	}
	for p.left > 0 {
		p.left--
		p.at += s.step
		loc := s.stacks.Frames[p.at]
		switch p.frame = s.only[loc]; p.frame {
		case frameNone:
		case frameSeveral:
			lines := s.ft.of(loc)
			p.line = int32(len(lines)) - 1
			p.frame = s.frameOf(lines, p.line)
			return p
		default:
			return p
		}
	}
	p.frame = -1
	return p
}

// frameOf is the frame of a location behind which there are so many.
func (s *flameStacks) frameOf(lines []int32, behind int32) int32 {
	if s.step > 0 {
		return lines[int32(len(lines))-1-behind]
	}
	return lines[behind]
}
