package view

import "github.com/profoundhq/profound/internal/profile"

// flameGroup are the paths that share their next frame.
type flameGroup struct {
	frame               int32
	n                   int
	total, base, weight int64
	paths               []flamePath // one frame on; only of those taken
}

// count adds a stack.
func (g *flameGroup) count(s *flameStacks, stack int32) {
	g.n++
	g.total += s.value[stack]
	g.weight += s.weight[stack]
	if s.base != nil {
		g.base += s.base[stack]
	}
}

// flameLevel groups the paths of one level: group, then take. The buffers are
// used again for the next. When it is shared, a level of many paths is divided
// among the processors; the groups and their paths are in the order in which
// one would meet them.
type flameLevel struct {
	shared bool
	whole  flameFront
	parts  []*flameFront // nil when the level is not divided
	others []*flameFront // parts made before
}

// flameFront are the groups of some paths, in the order they are met.
type flameFront struct {
	slot   []int32 // by frame: its group plus 1, while a level is grouped
	groups []flameGroup
	ended  int64 // value of the paths without a next frame
}

// of is the group of a frame.
func (f *flameFront) of(frame int32) *flameGroup {
	if f.slot[frame] == 0 {
		f.groups = append(f.groups, flameGroup{frame: frame})
		f.slot[frame] = int32(len(f.groups))
	}
	return &f.groups[f.slot[frame]-1]
}

// reset forgets what was grouped.
func (f *flameFront) reset(frames int) {
	if f.slot == nil {
		f.slot = make([]int32, frames)
	}
	for i := range f.groups {
		f.slot[f.groups[i].frame] = 0
	}
	f.groups, f.ended = f.groups[:0], 0
}

func (f *flameFront) group(s *flameStacks, paths []flamePath) {
	f.reset(len(s.ft.frames))
	for i := range paths {
		p := &paths[i]
		if p.frame < 0 {
			f.ended += s.value[p.stack]
			continue
		}
		f.of(p.frame).count(s, p.stack)
	}
}

// group adds paths up by their next frame. The groups are good until the next
// call.
func (l *flameLevel) group(s *flameStacks, paths []flamePath) (groups []flameGroup, ended int64) {
	l.parts = nil
	if l.shared {
		if parts := profile.Parts(len(paths)); parts > 1 {
			return l.groupParts(s, paths, parts)
		}
	}
	l.whole.group(s, paths)
	return l.whole.groups, l.whole.ended
}

func (l *flameLevel) groupParts(s *flameStacks, paths []flamePath, parts int) (groups []flameGroup, ended int64) {
	for len(l.others) < parts {
		l.others = append(l.others, &flameFront{})
	}
	l.parts = l.others[:parts]
	profile.InParts(len(paths), parts, func(k, from, to int) { l.parts[k].group(s, paths[from:to]) })
	l.whole.reset(len(s.ft.frames))
	for _, part := range l.parts {
		l.whole.ended += part.ended
		for i := range part.groups {
			from := &part.groups[i]
			to := l.whole.of(from.frame)
			to.n, to.total, to.base, to.weight = to.n+from.n, to.total+from.total, to.base+from.base, to.weight+from.weight
		}
	}
	return l.whole.groups, l.whole.ended
}

// take is the groups just made that are worth it, with their paths moved on by
// a frame.
func (l *flameLevel) take(s *flameStacks, paths []flamePath, worth func(*flameGroup) bool) []flameGroup {
	var kept []flameGroup
	slot := l.whole.slot // from here on by frame: the group in kept, plus 1
	for i := range l.whole.groups {
		g := &l.whole.groups[i]
		if slot[g.frame] = 0; worth(g) {
			kept = append(kept, *g)
			slot[g.frame] = int32(len(kept))
		}
	}
	switch {
	case kept == nil:
	case l.parts != nil:
		l.moveParts(s, paths, kept)
	default:
		for i := range kept {
			kept[i].paths = make([]flamePath, 0, kept[i].n)
		}
		for i := range paths {
			p := &paths[i]
			if p.frame >= 0 && slot[p.frame] > 0 {
				g := &kept[slot[p.frame]-1]
				g.paths = append(g.paths, s.next(*p))
			}
		}
	}
	return kept
}

// moveParts fills in the paths of kept, each part behind the one before.
func (l *flameLevel) moveParts(s *flameStacks, paths []flamePath, kept []flameGroup) {
	slot := l.whole.slot
	end := make([]int, len(kept))
	at := make([][]int, len(l.parts)) // by part and group: where the next path goes
	for i := range kept {
		kept[i].paths = make([]flamePath, kept[i].n)
	}
	for k, part := range l.parts {
		at[k] = make([]int, len(kept))
		for i := range part.groups {
			g := &part.groups[i]
			if n := slot[g.frame]; n > 0 {
				at[k][n-1] = end[n-1]
				end[n-1] += g.n
			}
		}
	}
	profile.InParts(len(paths), len(l.parts), func(k, from, to int) {
		for i := from; i < to; i++ {
			p := &paths[i]
			if p.frame >= 0 && slot[p.frame] > 0 {
				n := slot[p.frame] - 1
				kept[n].paths[at[k][n]] = s.next(*p)
				at[k][n]++
			}
		}
	})
}
