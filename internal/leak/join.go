package leak

import (
	"math"
	"slices"
)

// join makes one finding of those that are parts of one leak: they blame the
// same function of the program, and so does the path that they share. The
// function allocates in several ways, or by several calls of itself; that one
// way is a map that doubled once, or has too few samples yet, does not stand
// against the whole. What is not joined to a leak, or to what may become one,
// stays as it is. Rounds are exact enough to tell the parts apart.
func (tr *tree) join(found []int) []int {
	out := slices.Clone(found)
	for i := 0; i < len(out); i++ {
		if tr.branches[out[i]].judged.class < Growing {
			continue
		}
		whole, parts := tr.partsOf(out[i], out[i+1:])
		if len(parts) == 1 || !tr.unite(whole, parts) {
			continue
		}
		out[i] = whole
		rest := slices.DeleteFunc(out[i+1:], func(k int) bool { return slices.Contains(parts, k) })
		out = out[:i+1+len(rest)]
	}
	return out
}

// partsOf are branch b and those of a list that are parts of the same, with
// the branch that has them all. One that joins may bring others with it.
func (tr *tree) partsOf(b int, list []int) (whole int, parts []int) {
	whole, parts = b, []int{b}
	function := tr.blamed(b)
	for n := 0; n < len(parts); {
		n = len(parts)
		for _, k := range list {
			if slices.Contains(parts, k) || !tr.blames(k, function) {
				continue
			}
			if at := tr.shared(whole, k); tr.blames(at, function) {
				whole, parts = at, append(parts, k)
			}
		}
	}
	return whole, parts
}

// shared is the lowest branch that has both a and b at or below it.
func (tr *tree) shared(a, b int) int {
	above := map[int]bool{a: true}
	for a != 0 {
		a = tr.branches[a].parent
		above[a] = true
	}
	for !above[b] {
		b = tr.branches[b].parent
	}
	return b
}

// blamed is the element of the function that the path to branch b blames, 0
// if there is none.
func (tr *tree) blamed(b int) elemID {
	frames := tr.pathOf(b)
	i := blame(frames)
	if i < 0 {
		return 0
	}
	return tr.h.elements.functions[functionKey{frames[i].Function, frames[i].File}]
}

func (tr *tree) blames(b int, function elemID) bool { return function != 0 && tr.blamed(b) == function }

// unite makes branch whole the finding of its parts: of the class of the
// worst, with its own slope. False when it does not grow as fast as they do,
// because something else below it shrinks.
func (tr *tree) unite(whole int, parts []int) bool {
	class, p, since, samples := Unknown, 1.0, math.Inf(1), 0
	var worst judgement
	sum, variance := 0.0, 0.0
	for _, b := range parts {
		j := &tr.branches[b].judged
		if j.class > class {
			class, worst = j.class, *j
		}
		if j.class >= Growing {
			p, since, samples = min(p, j.p), min(since, j.since), samples+j.samples
			half := (j.slope.High - j.slope.Low) / 2
			sum, variance = sum+j.slope.Value, variance+half*half
		}
	}
	j := tr.measured(whole)
	if !(j.slope.Low > 0) || j.slope.High < sum-math.Sqrt(variance) {
		return false
	}
	j.p, j.since, j.earliest, j.certain = p, since, worst.earliest, worst.certain
	j.plateau, j.settles, j.samples = unknown(), math.NaN(), max(j.samples, samples)
	if class == Leak {
		worst.reason = Reason{} // stairs may be a part, and are not the whole
	}
	tr.branches[whole].judged = j.as(class, worst.reason.Code, worst.reason.Share)
	return true
}

// measured is what branch b grows by, without a class.
func (tr *tree) measured(b int) judgement {
	s := tr.view(tr.seriesOf(b))
	if n := s.len(); n >= minLooks {
		s = s.cut(int(float64(n)*warmUp), n)
	}
	j := nothing()
	j.measure(s)
	j.setSlope(s, robustTrend(s.t, s.y))
	return j
}
