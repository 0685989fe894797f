package profile

// KeepSamples is p with only the samples for which keep is true; the tables
// they refer to stay as they are.
func (p *Profile) KeepSamples(keep func(i int) bool) *Profile {
	n := p.Samples.Len()
	kept := make([]int32, 0, n)
	for i := range n {
		if keep(i) {
			kept = append(kept, int32(i))
		}
	}
	if len(kept) == n {
		return p
	}
	c := p.ShallowCopy()
	c.Samples.Stack = pick(p.Samples.Stack, kept)
	c.Samples.Labels = pick(p.Samples.Labels, kept)
	c.Samples.Values = make([][]int64, len(p.Samples.Values))
	for t, col := range p.Samples.Values {
		c.Samples.Values[t] = pick(col, kept)
	}
	return c
}

func pick[T any](col []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = col[r]
	}
	return out
}

// MapStacks rewrites every stack: f appends the new frames of frames to out.
// Stack ids keep their meaning; stacks that become equal are not joined. A
// false from f marks the stack dropped: it becomes empty and dropped[id] is
// set.
func (p *Profile) MapStacks(f func(frames, out []LocationID) ([]LocationID, bool)) (c *Profile, dropped []bool) {
	n := p.Stacks.Len()
	dropped = make([]bool, n)
	s := Stacks{
		Offsets: make([]uint64, 1, n+1),
		Frames:  make([]LocationID, 0, len(p.Stacks.Frames)),
	}
	for id := range n {
		start := len(s.Frames)
		out, ok := f(p.Stacks.Of(StackID(id)), s.Frames)
		if !ok {
			out = out[:start]
			dropped[id] = true
		}
		s.Frames = out
		s.Offsets = append(s.Offsets, uint64(len(out)))
	}
	c = p.ShallowCopy()
	c.Stacks = s
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
