package leak

import (
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/origin"
)

// tree is the call tree of a pool, judged. Runs of nodes with one child are
// one branch: their series are the same.
type tree struct {
	h        *History
	f        *forest
	p        *pool
	exact    bool // counts: births are the rises of the node itself
	branches []branch
	root     *series
	set      setting
	level    float64 // of false discoveries
	scratch  []*series
}

// branch is a node of the tree with the run of single children above it.
type branch struct {
	top, bottom nodeID // first and last node of the run
	parent      int    // of the root the root
	kids        []int
	own         []leafColumn
	judged      judgement
}

type leafColumn struct {
	part *part
	c    *column
}

// growTree makes the tree of a pool and judges every branch.
func (h *History) growTree(id streamID, p *pool) *tree {
	tr := &tree{h: h, f: h.forests[id], p: p, exact: id != heapStream}
	tr.build()
	tr.root = newSeries(p.t)
	for i := range tr.branches {
		for _, lc := range tr.branches[i].own {
			p.addColumn(tr.root, lc.part, lc.c)
		}
	}
	if tr.exact {
		recount(tr.root)
	}
	warm := int(float64(tr.root.len()) * warmUp)
	tr.set = setting{whole: tr.root.y[warm], gate: minBytes}
	if tr.exact {
		tr.set.gate = minSamples
	} else if !h.rounds {
		tr.set.load = loadOf(tr.root)
	}
	tr.judge(0, 0)
	tr.discover()
	return tr
}

// recount makes the births of an exact series the rises of itself, not of
// its parts: goroutines that move from one place to another below the same
// node are not born there. It has no sampling error.
func recount(s *series) {
	for i := range s.y {
		s.a[i] = 0
		if i > 0 {
			s.a[i] = s.a[i-1] + max(0, s.y[i]-s.y[i-1])
		}
	}
}

// loadOf is how much the process allocates a second, over a fiftieth of the
// points around each.
func loadOf(root *series) []float64 {
	n := root.len()
	load := make([]float64, n)
	half := max(1, n/50)
	for i := range load {
		a, b := max(0, i-half), min(n-1, i+half)
		if root.t[b] > root.t[a] {
			load[i] = (root.cum[b] - root.cum[a]) / (root.t[b] - root.t[a])
		}
	}
	return load
}

// build makes the branches of the nodes that have columns.
func (tr *tree) build() {
	own := make(map[nodeID][]leafColumn)
	used := make([]bool, len(tr.f.nodes))
	for i := range tr.p.parts {
		pt := &tr.p.parts[i]
		for _, c := range pt.st.columns {
			own[c.node] = append(own[c.node], leafColumn{pt, c})
			for id := c.node; !used[id]; id = tr.f.nodes[id].parent {
				used[id] = true
			}
		}
	}
	used[0] = true
	tr.grow(0, 0, own, used)
}

func (tr *tree) grow(top nodeID, parent int, own map[nodeID][]leafColumn, used []bool) int {
	at := len(tr.branches)
	tr.branches = append(tr.branches, branch{top: top, parent: parent, judged: nothing()})
	bottom := top
	var kids []nodeID
	for {
		kids = kids[:0]
		for _, k := range tr.f.nodes[bottom].kids {
			if used[k] {
				kids = append(kids, k)
			}
		}
		if len(kids) != 1 || len(own[bottom]) > 0 || at == 0 {
			break
		}
		bottom = kids[0]
	}
	tr.branches[at].bottom, tr.branches[at].own = bottom, own[bottom]
	ids := make([]int, 0, len(kids))
	for _, k := range slices.Clone(kids) {
		ids = append(ids, tr.grow(k, at, own, used))
	}
	tr.branches[at].kids = ids
	return at
}

// judge sums the series of branch b and of all below into a scratch series
// of its depth, and judges it.
func (tr *tree) judge(b, depth int) *series {
	if depth == len(tr.scratch) {
		tr.scratch = append(tr.scratch, newSeries(tr.p.t))
	}
	s := tr.scratch[depth]
	s.clear()
	tr.sum(b, s, func(kid int) { s.add(tr.judge(kid, depth+1), 1) })
	br := &tr.branches[b]
	q := tr.view(s)
	if b == 0 || tr.moves(s) {
		br.judged = tr.assess(q)
		if br.judged.reason.Code == InStairs && !tr.leavesRuntime(b) {
			br.judged = br.judged.as(Steady, NoGrowth, 0) // threads and the like, few and large
		}
	} else {
		br.judged.class = Steady
		br.judged.growth = s.y[s.len()-1] - s.y[int(float64(s.len())*warmUp)]
	}
	return s
}

// leavesRuntime tells whether any function on or below the path of branch b is
// not of the runtime.
func (tr *tree) leavesRuntime(b int) bool {
	outside := func(e elemID) bool {
		x := &tr.h.elements.all[e]
		return origin.Of(x.function, x.file) != origin.Runtime
	}
	return slices.ContainsFunc(tr.path(tr.branches[b].bottom), outside) || slices.ContainsFunc(tr.branches[b].kids, tr.leavesRuntime)
}

func (tr *tree) sum(b int, s *series, kid func(int)) {
	for _, lc := range tr.branches[b].own {
		tr.p.addColumn(s, lc.part, lc.c)
	}
	for _, k := range tr.branches[b].kids {
		kid(k)
	}
}

// seriesOf is the series of a branch, owned by the caller.
func (tr *tree) seriesOf(b int) *series {
	s := newSeries(tr.p.t)
	tr.addBelow(b, s)
	return s
}

func (tr *tree) addBelow(b int, s *series) {
	tr.sum(b, s, func(k int) { tr.addBelow(k, s) })
}

// view is the series as it is judged.
func (tr *tree) view(s *series) *series {
	if !tr.exact {
		return s
	}
	recount(s)
	o := *s
	o.v, o.cum = nil, nil
	return &o
}

// moves is the cheap gate before all tests: the means of the outer quarters
// differ by a fourth of what is of interest.
func (tr *tree) moves(s *series) bool {
	n := s.len()
	if n < minLooks || tr.h.rounds {
		return true
	}
	y := s.y[int(float64(n)*warmUp):]
	q := len(y) / 4
	d := mean(y[len(y)-q:]) - mean(y[:q])
	return d > tr.set.gate/4 || -d > tr.set.gate/2 || s.cum[n-1]-s.cum[0] > 16*tr.set.whole
}

// lookBack is where the look before the present one was, as a part of the
// time seen: leaks are called so only when two looks on a schedule agree, and
// the schedule is geometric, so that its length costs no error rate.
const lookBack = 0.75

// assess judges the series of a branch.
func (tr *tree) assess(s *series) judgement {
	switch {
	case !tr.h.rounds:
		return sober(confirm(s, tr.set))
	case tr.exact:
		return judgeRounds(s, roundCount)
	}
	return judgeRounds(s, roundBytes)
}

// confirm judges the whole and, if that is a leak, what was known at the look
// before.
func confirm(s *series, env setting) judgement {
	j := classify(s, env)
	if j.class != Leak {
		return j
	}
	n := s.len()
	end := s.t[0] + lookBack*s.span()
	m, _ := slices.BinarySearch(s.t, end)
	m = min(n, m+1)
	env.patient = true
	if env.load != nil {
		env.load = env.load[:m]
	}
	before := classify(s.cut(0, m), env)
	// What was measured and not counted must rise for certain, too.
	flat := s.k == nil && !(j.slope.Low > 0)
	if before.class != Leak || max(before.p, j.p) > falseRate || flat {
		j.earliest = s.t[n-1] + s.span()/3
		return j.as(Growing, Unconfirmed, 0)
	}
	return j
}

// sober takes back growth whose slope may as well be none.
func sober(j judgement) judgement {
	if j.class == Growing && !(j.slope.Low > 0) && !math.IsNaN(j.slope.Low) {
		return j.as(Steady, NoGrowth, 0)
	}
	return j
}

// discover takes back leaks that are not significant among so many branches.
func (tr *tree) discover() {
	var p []float64
	for i := range tr.branches {
		if v := tr.branches[i].judged.p; v < 1 {
			p = append(p, v)
		}
	}
	tr.level = falseDiscovery(p, len(tr.branches), falseRate)
	for i := range tr.branches {
		j := &tr.branches[i].judged
		if j.class == Leak && j.p > tr.level && !j.certain {
			s := tr.view(tr.seriesOf(i))
			j.earliest = j.possible(s, tr.set)
			*j = sober(j.as(Growing, TooFewSamples, 0))
		}
	}
}
