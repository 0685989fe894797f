package profile

import (
	"runtime"
	"sync"
)

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
//
// Many stacks are divided among the processors: f may be called for several at
// the same time.
func (p *Profile) MapStacks(f func(frames, out []LocationID) ([]LocationID, bool)) (c *Profile, dropped []bool) {
	n := p.Stacks.Len()
	dropped = make([]bool, n)
	offsets := make([]uint64, n+1)
	whole := make([]LocationID, len(p.Stacks.Frames))
	parts := make([][]LocationID, max(1, min(runtime.GOMAXPROCS(0), n/stacksPerPart)))
	var wg sync.WaitGroup
	for k := range parts {
		from, to := k*n/len(parts), (k+1)*n/len(parts)
		// What a part makes goes where it read, and moves down below.
		out := whole[p.Stacks.Offsets[from]:p.Stacks.Offsets[from]:p.Stacks.Offsets[to]]
		wg.Go(func() {
			for id := from; id < to; id++ {
				next, ok := f(p.Stacks.Of(StackID(id)), out)
				if ok {
					out = next
				} else {
					out = next[:len(out)]
					dropped[id] = true
				}
				offsets[id+1] = uint64(len(out))
			}
			parts[k] = out
		})
	}
	wg.Wait()
	total := 0
	for k, out := range parts {
		total += len(out)
		if from, to := k*n/len(parts), (k+1)*n/len(parts); uint64(len(out)) > p.Stacks.Offsets[to]-p.Stacks.Offsets[from] {
			whole = nil // it lies elsewhere, and would be written over the next one
		}
	}
	if whole == nil {
		whole = make([]LocationID, total)
	}
	c = p.ShallowCopy()
	c.Stacks = Stacks{Offsets: offsets, Frames: joinParts(whole, parts, offsets)}
	return c, dropped
}

// stacksPerPart is how many stacks are worth a goroutine.
const stacksPerPart = 1 << 14

// joinParts puts the frames of parts one behind the other into whole, and makes
// offsets, which begin at 0 in each part, those of all.
func joinParts(whole []LocationID, parts [][]LocationID, offsets []uint64) []LocationID {
	end, n := 0, len(offsets)-1
	for k, out := range parts {
		for id := k * n / len(parts); id < (k+1)*n/len(parts); id++ {
			offsets[id+1] += uint64(end)
		}
		end += copy(whole[end:], out)
	}
	return whole[:end]
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
