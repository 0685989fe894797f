package leak

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/origin"
)

// Options say what Judge is to know besides the history.
type Options struct {
	// Limit is the memory limit in bytes given by the user; 0: from the gauges.
	Limit float64
	// Clues explain findings, if they were asked for.
	Clues Clues
}

// falseRate is the share of false findings among those called leaks that is
// accepted.
const falseRate = 0.01

// unknown is an estimate of which nothing is known.
func unknown() Estimate { return Estimate{math.NaN(), math.NaN(), math.NaN()} }

// Judge judges what was seen so far.
func Judge(h *History, o Options) *Verdict {
	j := &judge{h: h, o: o, v: &Verdict{From: h.from, To: h.to, Looks: h.looks, Targets: len(h.targets)}}
	j.certainLeaks()
	j.stacks(goroutineStream, Goroutines)
	j.confirmCertain()
	j.stacks(heapStream, Heap)
	j.gauges()
	j.piles()
	j.explain()
	j.startedTogether()
	j.link()
	j.reconcile()
	j.order()
	j.remarks()
	j.v.Ledger = j.h.ledger()
	for _, t := range j.h.targets {
		j.v.Restarts += t.anew
	}
	if !h.rounds {
		j.v.Forecast = j.forecast()
		j.tooEarly()
	}
	return j.v
}

// judge is the state of one Judge.
type judge struct {
	h     *History
	o     Options
	v     *Verdict
	trees [3]*tree
	// together is how many goroutines a second are of the kinds that have no
	// finding of their own.
	together float64
}

// stacks judges what is counted by stack: the total and the paths.
func (j *judge) stacks(id streamID, r Resource) {
	p := j.h.poolOf(id)
	if p == nil {
		return
	}
	tr := j.h.growTree(id, p)
	j.trees[id] = tr
	total := tr.finding(0, r)
	total.Path, total.Below = nil, nil
	j.v.Totals = append(j.v.Totals, total)
	taken := make([]bool, len(tr.branches))
	var found []int
	for _, classes := range [...][]Class{{Leak}, {Growing}, {Filling, Step, Load}} {
		some := tr.find(func(b int) bool {
			return !taken[b] && slices.Contains(classes, tr.branches[b].judged.class)
		})
		slices.SortStableFunc(some, func(x, y int) int {
			return compare(tr.branches[y].judged.growth, tr.branches[x].judged.growth)
		})
		found = append(found, some[:min(len(some), maxFindings)]...)
		tr.take(0, some, taken)
	}
	if !tr.exact && !tr.h.rounds {
		found = tr.join(found)
	}
	for _, b := range found {
		j.v.Findings = append(j.v.Findings, tr.finding(b, r))
	}
}

// maxFindings bounds the findings of one resource and class.
const maxFindings = 20

// find picks from the root. Goroutines are told apart by the function they
// run, which is right below the root, whatever else grows.
func (tr *tree) find(want func(int) bool) []int {
	if !tr.exact {
		return tr.pick(0, want, nil)
	}
	var out []int
	for _, k := range tr.branches[0].kids {
		out = tr.pick(k, want, out)
	}
	return out
}

// take marks the branches at, above and below the ones reported.
func (tr *tree) take(b int, found []int, taken []bool) bool {
	if slices.Contains(found, b) {
		tr.takeAll(b, taken)
		return true
	}
	any := false
	for _, k := range tr.branches[b].kids {
		any = tr.take(k, found, taken) || any
	}
	taken[b] = taken[b] || any
	return any
}

func (tr *tree) takeAll(b int, taken []bool) {
	taken[b] = true
	for _, k := range tr.branches[b].kids {
		tr.takeAll(k, taken)
	}
}

// finding puts branch b into words of the contract.
func (tr *tree) finding(b int, r Resource) Finding {
	s := tr.view(tr.seriesOf(b))
	f := tr.h.finding(s, tr.branches[b].judged, r)
	f.Path = tr.pathOf(b)
	if tr.exact {
		f.Path = untilRuntime(f.Path)
	}
	f.Below = tr.below(b)
	f.Blame, f.BlameLevel = blame(f.Path), Certain
	if f.Blame < 0 {
		f.BlameLevel = Inferred
	}
	return f
}

// untilRuntime cuts a path behind the first of the runtime's functions it
// ends in: what the goroutine waits in.
func untilRuntime(path []Frame) []Frame {
	n := len(path)
	for n > 0 && origin.Of(path[n-1].Function, path[n-1].File) == origin.Runtime {
		n--
	}
	return path[:min(n+1, len(path))]
}

// finding makes the finding of a judged series.
func (h *History) finding(s *series, j judgement, r Resource) Finding {
	n := s.len()
	f := Finding{
		Resource: r, Class: j.class, Reason: j.reason, Level: Tested, Blame: -1,
		Before: s.estimate(0), After: s.estimate(n - 1),
		Slope: j.slope, Keeps: j.keeps, Samples: j.samples, P: j.p,
		Since: h.moment(j.since), Earliest: h.moment(j.earliest),
		Plateau: j.plateau, Settles: h.moment(j.settles), Cause: -1,
		Times: make([]time.Time, n), Values: slices.Clone(s.y), Errors: make([]float64, n),
	}
	if j.certain {
		f.Level = Certain
	}
	if j.class != Growing {
		f.Earliest = time.Time{}
	}
	for i, t := range s.t {
		f.Times[i] = h.moment(t)
		if s.v != nil {
			f.Errors[i] = math.Sqrt(s.v[i])
		}
	}
	return f
}

// estimate is the value at a point with its interval.
func (s *series) estimate(i int) Estimate {
	se := 0.0
	if s.v != nil {
		se = math.Sqrt(s.v[i])
	}
	return Estimate{s.y[i], max(0, s.y[i]-1.96*se), s.y[i] + 1.96*se}
}

func isMain(function string) bool { return strings.HasPrefix(function, "main.") }

// certainLeaks reports what the runtime itself says can never run again.
func (j *judge) certainLeaks() {
	p := j.h.lastOnly(leakedStream)
	if p == nil {
		return
	}
	tr := j.h.growTree(leakedStream, p)
	j.trees[leakedStream] = tr
	last := len(p.t) - 1
	want := func(b int) bool { return tr.branches[b].judged.growth >= 1 }
	for i := range tr.branches {
		// What counts is not how it grows but that it is there, in all replicas.
		tr.branches[i].judged.growth = tr.seriesOf(i).k[last]
	}
	for _, b := range tr.find(want) {
		f, n := tr.finding(b, Goroutines), tr.branches[b].judged.growth
		f.Class, f.Level, f.Reason = Leak, Certain, Reason{Code: Unreachable}
		f.After, f.Samples, f.P = Estimate{n, n, n}, int(n), 0
		j.v.Findings = append(j.v.Findings, f)
	}
}

// confirmCertain joins the two findings about goroutines that can never run
// again and are seen to grow: the growth has slope and time, the runtime's
// word makes it certain.
func (j *judge) confirmCertain() {
	list := j.v.Findings
	j.v.Findings = slices.DeleteFunc(slices.Clone(list), func(c Finding) bool {
		if c.Reason.Code != Unreachable || len(c.Path) == 0 {
			return false
		}
		return slices.ContainsFunc(list, func(f Finding) bool { return f.growthOf(&c) })
	})
	for i := range j.v.Findings {
		f := &j.v.Findings[i]
		if slices.ContainsFunc(list, func(c Finding) bool { return c.Reason.Code == Unreachable && f.growthOf(&c) }) {
			f.Class, f.Level, f.Earliest = Leak, Certain, time.Time{}
		}
	}
}

// growthOf tells whether f is the growth of the goroutines of finding c.
func (f *Finding) growthOf(c *Finding) bool {
	return f.Reason.Code != Unreachable && f.Class >= Growing && len(f.Path) > 0 && len(c.Path) > 0 && f.Path[0].Function == c.Path[0].Function
}

// order sorts the findings: worse first, a cause as bad as its effects and
// before them, steeper before flatter.
func (j *judge) order() {
	list := j.v.Findings
	rank := make([]int, len(list))
	for i := range list {
		rank[i] = [...]int{2, 1, 0}[max(0, int(list[i].Class)-int(Growing)+1)]
	}
	for i := range list {
		if c := list[i].Cause; c >= 0 {
			rank[c] = min(rank[c], rank[i])
		}
	}
	from := make([]int, len(list))
	for i := range from {
		from[i] = i
	}
	slices.SortStableFunc(from, func(a, b int) int {
		if d := rank[a] - rank[b]; d != 0 {
			return d
		}
		if d := int(list[a].Resource) - int(list[b].Resource); d != 0 {
			return d
		}
		return compare(list[b].Slope.Value, list[a].Slope.Value)
	})
	to := make([]int, len(list))
	for i, k := range from {
		to[k] = i
	}
	sorted := make([]Finding, len(list))
	for i, k := range from {
		sorted[i] = list[k]
		if c := sorted[i].Cause; c >= 0 {
			sorted[i].Cause = to[c]
		}
	}
	j.v.Findings = sorted
	slices.SortStableFunc(j.v.Totals, func(a, b Finding) int { return int(a.Resource) - int(b.Resource) })
}

// tooEarly says when something can be said at all.
func (j *judge) tooEarly() {
	v := j.v
	switch worst := v.Worst(); {
	case worst == Growing:
		for i := range v.Findings {
			if e := v.Findings[i].Earliest; !e.IsZero() && (v.Earliest.IsZero() || e.Before(v.Earliest)) {
				v.Earliest = e
			}
		}
	case v.Looks > 1 && v.Looks < 2*minLooks && worst == Unknown:
		gap := v.To.Sub(v.From) / time.Duration(v.Looks-1)
		v.Earliest = v.From.Add(gap * 2 * minLooks)
	}
}
