package profile

// KeepSamples is p with only the samples for which keep is true; the tables
// they refer to stay as they are. Many samples are divided among the
// processors: keep may be called for several at the same time.
func (p *Profile) KeepSamples(keep func(i int) bool) *Profile {
	n := p.Samples.Len()
	parts := Parts(n)
	kept, total := make([][]int32, parts), 0
	InParts(n, parts, func(k, from, to int) {
		rows := make([]int32, 0, to-from)
		for i := from; i < to; i++ {
			if keep(i) {
				rows = append(rows, int32(i))
			}
		}
		kept[k] = rows
	})
	begin := make([]int, parts)
	for k, rows := range kept {
		begin[k] = total
		total += len(rows)
	}
	if total == n {
		return p
	}
	c := p.ShallowCopy()
	c.Samples = Samples{Stack: make([]StackID, total), Labels: make([]LabelSetID, total), Values: make([][]int64, len(p.Samples.Values))}
	for t := range c.Samples.Values {
		c.Samples.Values[t] = make([]int64, total)
	}
	InParts(n, parts, func(k, _, _ int) {
		pick(c.Samples.Stack[begin[k]:], p.Samples.Stack, kept[k])
		pick(c.Samples.Labels[begin[k]:], p.Samples.Labels, kept[k])
		for t, col := range p.Samples.Values {
			pick(c.Samples.Values[t][begin[k]:], col, kept[k])
		}
	})
	return c
}

func pick[T any](to, col []T, rows []int32) {
	for i, r := range rows {
		to[i] = col[r]
	}
}

// Same is the length Remake keeps a stack by.
const Same = -1

// Remake is a table of as many stacks: where lengths has Same the stack is as
// it was, elsewhere it has so many frames, which fill writes. The work is
// divided as InParts does it, so that calls of fill for one part come one after
// the other, in the order of ids; there is none for empty stacks.
func (s *Stacks) Remake(lengths []int32, parts int, fill func(part int, id StackID, to []LocationID)) Stacks {
	n := s.Len()
	offsets, changed := make([]uint64, n+1), false
	for id, l := range lengths {
		if l == Same {
			offsets[id+1] = offsets[id] + s.Offsets[id+1] - s.Offsets[id]
		} else {
			offsets[id+1] = offsets[id] + uint64(l)
			changed = true
		}
	}
	if !changed {
		return *s
	}
	frames := make([]LocationID, offsets[n])
	InParts(n, parts, func(k, from, to int) {
		for id := from; id < to; {
			end := id
			for end < to && lengths[end] == Same {
				end++
			}
			if end > id {
				copy(frames[offsets[id]:], s.Frames[s.Offsets[id]:s.Offsets[end]])
				id = end
				continue
			}
			if lengths[id] > 0 {
				fill(k, StackID(id), frames[offsets[id]:offsets[id+1]])
			}
			id++
		}
	})
	return Stacks{Offsets: offsets, Frames: frames}
}

// CutStacks shortens stacks: of frames, f keeps those from one to another.
// Stack ids keep their meaning; stacks that become equal are not joined. A
// false from f marks the stack dropped: it becomes empty and dropped[id] is
// set.
//
// Many stacks are divided among the processors: f may be called for several at
// the same time.
func (p *Profile) CutStacks(f func(frames []LocationID) (from, to int, ok bool)) (c *Profile, dropped []bool) {
	n := p.Stacks.Len()
	parts := Parts(n)
	dropped = make([]bool, n)
	begin, lengths := make([]int32, n), make([]int32, n)
	InParts(n, parts, func(_, first, end int) {
		for id := first; id < end; id++ {
			frames := p.Stacks.Of(StackID(id))
			from, to, ok := f(frames)
			switch {
			case !ok:
				dropped[id] = true
			case to-from == len(frames):
				lengths[id] = Same
			default:
				begin[id], lengths[id] = int32(from), int32(to-from)
			}
		}
	})
	c = p.ShallowCopy()
	c.Stacks = p.Stacks.Remake(lengths, parts, func(_ int, id StackID, to []LocationID) {
		copy(to, p.Stacks.Of(id)[begin[id]:])
	})
	return c, dropped
}

// MapLines rewrites the lines of every location: f appends the new lines of
// location id to out.
func (p *Profile) MapLines(f func(id LocationID, lines, out []Line) []Line) *Profile {
	l := p.Locations
	n := l.Len()
	offsets := make([]uint32, 1, n+1)
	lines := make([]Line, 0, len(l.Lines))
	for id := range n {
		lines = f(LocationID(id), p.Locations.LinesOf(LocationID(id)), lines)
		offsets = append(offsets, uint32(len(lines)))
	}
	l.LineOffsets, l.Lines = offsets, lines
	c := p.ShallowCopy()
	c.Locations = l
	return c
}

// MapLabels rewrites every label set: f appends the labels of set to out, in
// any order.
func (p *Profile) MapLabels(f func(set, out []Label) []Label) *Profile {
	c := p.ShallowCopy()
	c.LabelSets = LabelSets{Offsets: []uint32{0, 0}}
	var in LabelInterner
	var buf []Label
	renumber := make([]LabelSetID, p.LabelSets.Len())
	for id := range renumber {
		buf = f(p.LabelSets.Of(LabelSetID(id)), buf[:0])
		SortLabels(buf, c.Strings)
		renumber[id] = in.Intern(&c.LabelSets, buf)
	}
	c.Samples.Labels = make([]LabelSetID, p.Samples.Len())
	for i, l := range p.Samples.Labels {
		c.Samples.Labels[i] = renumber[l]
	}
	return c
}
