package leak

import "slices"

// mostShare of the growth in one child is all of it.
const mostShare = 0.85

// pick walks down from branch b and collects the branches at which to report
// growth of the wanted class: each once, at the lowest path that has all of
// it.
func (tr *tree) pick(b int, want func(int) bool, out []int) []int {
	br := &tr.branches[b]
	kids := slices.Clone(br.kids)
	slices.SortStableFunc(kids, func(x, y int) int {
		return compare(tr.branches[y].judged.growth, tr.branches[x].judged.growth)
	})
	if !want(b) { // a quiet parent can hide a leaking child
		for _, k := range kids {
			out = tr.pick(k, want, out)
		}
		return out
	}
	var growing []int
	sum, own := 0.0, 0
	for _, k := range kids {
		if want(k) {
			growing = append(growing, k)
			sum += tr.branches[k].judged.growth
			if tr.ownBranch(k) {
				own++
			}
		}
	}
	growth := br.judged.growth
	switch {
	case len(growing) == 0:
		return append(out, tr.hidden(b, want)...)
	case tr.branches[growing[0]].judged.growth >= mostShare*growth,
		len(growing) == 1 && !tr.remains(b, growing[0]):
		return tr.pick(growing[0], want, out)
	case len(growing) >= 2 && own == len(growing) && sum >= 0.8*growth && !tr.oneKind(b):
		for _, k := range growing {
			out = tr.pick(k, want, out)
		}
		return out
	}
	return append(out, b)
}

// hidden is where to report branch b when none of its children is wanted:
// what is below a child that is not, if it has most of the growth, else b
// itself or the child that only just missed the test.
func (tr *tree) hidden(b int, want func(int) bool) []int {
	var below []int
	for _, k := range tr.branches[b].kids {
		below = tr.pick(k, want, below)
	}
	sum := 0.0
	for _, k := range below {
		sum += tr.branches[k].judged.growth
	}
	if sum >= mostShare*tr.branches[b].judged.growth {
		return below
	}
	return []int{tr.deepen(b)}
}

// deepen follows the child that has most of the growth of branch b though it
// is not of its class by itself: it grows, and only just missed a test that b
// passed.
func (tr *tree) deepen(b int) int {
	for {
		next := -1
		for _, k := range tr.branches[b].kids {
			if j := &tr.branches[k].judged; j.growth >= mostShare*tr.branches[b].judged.growth && j.class == Growing && tr.branches[b].judged.class == Leak {
				next = k
			}
		}
		if next < 0 {
			return b
		}
		tr.branches[next].judged.class = Leak
		tr.branches[next].judged.reason = tr.branches[b].judged.reason
		b = next
	}
}

// oneKind tells whether branch b is one kind of goroutine: its path has come
// to the program's own code. Below, its goroutines only wait at one place or
// another.
func (tr *tree) oneKind(b int) bool {
	return tr.exact && slices.ContainsFunc(tr.path(tr.branches[b].bottom), func(e elemID) bool { return tr.h.elements.all[e].own })
}

// ownBranch tells whether the path that leads into branch b, or parts right
// at its end, calls a function of the program.
func (tr *tree) ownBranch(b int) bool {
	for _, e := range tr.run(b) {
		if x := &tr.h.elements.all[e]; !x.isLine {
			return x.own
		}
	}
	for _, k := range tr.branches[b].kids {
		if tr.ownBranch(k) {
			return true
		}
	}
	return false
}

// remains tells whether what is in branch b beside its only leaking child
// grows too, so that the child is not the whole of it. When it is the same
// function of the program that allocates it, a weak sign is enough, as the
// parts are likely one leak; where its ways part, it must be significant by
// itself.
//
// Goroutines move between the places below the function they run, so there
// all of the remainder counts.
func (tr *tree) remains(b, kid int) bool {
	if tr.exact {
		return true
	}
	s := tr.seriesOf(b)
	s.add(tr.seriesOf(kid), -1)
	rest := tr.view(s)
	env := tr.set
	env.gate = 0
	j := classify(rest, env)
	if j.growth < (1-mostShare)*tr.branches[b].judged.growth || j.slope.Value <= 0 {
		return false
	}
	switch j.class {
	case Load, Step, Filling, Shrinking, Churn, Unknown:
		return false
	}
	if tr.oneCall(b, kid) {
		return j.p < 0.05
	}
	return j.p < 0.001
}

// oneCall tells whether branch b is inside the program's own code, and what
// grows beside kid is not: one function of ours that allocates in several
// ways.
func (tr *tree) oneCall(b, kid int) bool {
	if !slices.ContainsFunc(tr.path(tr.branches[b].bottom), func(e elemID) bool { return tr.h.elements.all[e].own }) {
		return false
	}
	for _, k := range tr.branches[b].kids {
		if k != kid && tr.branches[k].judged.growth >= minShare*tr.branches[b].judged.growth && tr.ownBranch(k) {
			return false
		}
	}
	return true
}

// run is the elements of a branch, outermost first.
func (tr *tree) run(b int) []elemID {
	br := &tr.branches[b]
	var out []elemID
	for id := br.bottom; id != 0; id = tr.f.nodes[id].parent {
		out = append(out, tr.f.nodes[id].elem)
		if id == br.top {
			break
		}
	}
	slices.Reverse(out)
	return out
}

// path is the elements from the root to a node, outermost first.
func (tr *tree) path(id nodeID) []elemID {
	var out []elemID
	for ; id != 0; id = tr.f.nodes[id].parent {
		out = append(out, tr.f.nodes[id].elem)
	}
	slices.Reverse(out)
	return out
}

// frames turns elements into frames: a line belongs to the function before
// it. A path may begin with a line: then function names it.
func (es *elements) frames(path []elemID) []Frame {
	var out []Frame
	for _, e := range path {
		x := &es.all[e]
		f := Frame{Function: x.function, File: x.file, Line: x.line, Own: x.own}
		if n := len(out); x.isLine && n > 0 && out[n-1].Line == 0 && out[n-1].Function == f.Function && out[n-1].File == f.File {
			out[n-1] = f
			continue
		}
		out = append(out, f)
	}
	return out
}

// pathOf is the path of a finding at branch b. When it ends in a function
// that grows at several lines, it names the line that grows most.
func (tr *tree) pathOf(b int) []Frame {
	frames := tr.h.elements.frames(tr.path(tr.branches[b].bottom))
	n := len(frames)
	if n == 0 || frames[n-1].Line != 0 {
		return frames
	}
	most := 0.0
	for _, k := range tr.branches[b].kids {
		e := &tr.h.elements.all[tr.f.nodes[tr.branches[k].top].elem]
		if g := tr.branches[k].judged.growth; e.isLine && g > most {
			most, frames[n-1].Line = g, e.line
		}
	}
	return frames
}

// minShare is the smallest part of the growth that Below lists.
const minShare = 0.05

// below lists the calls between which the growth of branch b is divided, the
// largest first, each as far down as most of it goes one way.
func (tr *tree) below(b int) []Branch {
	br := &tr.branches[b]
	total := br.judged.growth
	if total <= 0 {
		return nil
	}
	var out []Branch
	for _, k := range br.kids {
		share := tr.branches[k].judged.growth / total
		if share < minShare {
			continue
		}
		path := tr.h.elements.frames(tr.chain(k))
		if len(path) > 1 && tr.h.elements.all[tr.f.nodes[tr.branches[k].top].elem].isLine {
			path = path[1:] // a line of the finding's own function
		}
		out = append(out, Branch{path, min(1, share)})
	}
	slices.SortStableFunc(out, func(x, y Branch) int { return compare(y.Share, x.Share) })
	return out
}

// chain is the elements of branch b and on, as long as one child has most of
// its growth.
func (tr *tree) chain(b int) []elemID {
	out := tr.run(b)
	for {
		next := -1
		for _, k := range tr.branches[b].kids {
			if tr.branches[k].judged.growth >= mostShare*tr.branches[b].judged.growth {
				next = k
			}
		}
		if next < 0 {
			return out
		}
		out = append(out, tr.run(next)...)
		b = next
	}
}

// blame is the index of the frame to look at first: the innermost of the
// program's own, -1 if there is none. Package main stands before the helper
// it calls directly when the helper does nothing but allocate: it ends the
// path.
func blame(path []Frame) int {
	for i := len(path) - 1; i >= 0; i-- {
		if !path[i].Own {
			continue
		}
		if i == len(path)-1 && i > 0 && !isMain(path[i].Function) && isMain(path[i-1].Function) && path[i-1].Own && path[i-1].Function != "main.main" {
			return i - 1
		}
		return i
	}
	return -1
}
