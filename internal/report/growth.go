package report

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/view"
)

// Moment is one profile of a run, with the clock of whoever took it.
type Moment struct {
	At      time.Time
	Profile *profile.Profile
}

// GrowthOptions say what to compare.
type GrowthOptions struct {
	// SampleIndex is the value that may grow: inuse_space, goroutine.
	SampleIndex string
	// WarmUp is the first part of the run that does not count.
	WarmUp time.Duration
	// Grain is the sampling period in units of the value: what one sampled
	// object stands for. Growth is told from chance by it.
	Grain float64
}

// GrowthFrame is one frame of the path that grew, outermost first.
type GrowthFrame struct {
	view.Frame
	// From and To are the frame's cumulative value early and late in the run.
	From, To int64
	// Own is set on frames of the program's own code.
	Own bool
}

// Growth tells what grew over a run of profiles.
type Growth struct {
	// Times and Total are the run: the value of each profile.
	Times []time.Time
	Total []int64
	// From and To are the early and late level of the total: medians of a
	// quarter of the profiles each. Rate is their difference a second.
	From, To int64
	Rate     float64
	// Span is the time between the middles of the two quarters.
	Span time.Duration
	// Grows is true when the difference is more than sampling explains and
	// the run rises throughout.
	Grows bool
	// Path leads to where most of the growth is; Series is the value of its
	// last frame over the run, Share its part of the growth.
	Path   []GrowthFrame
	Series []int64
	Share  float64
	// Branches are the callees of the last frame of Path between which its
	// growth is divided, when no single one has most of it.
	Branches []GrowthFrame
}

// Thresholds of Growth. A value made of sampled objects, each standing for
// Grain, has the standard deviation sqrt(Grain x value); growth counts when it
// is minSigma of those, half of what was there, and in step with time.
const (
	minSigma   = 3.5
	minRelGrow = 0.5
	minTau     = 0.5
	// pathShare is the part of the growth a callee must have to be followed,
	// branchShare the part to be named beside others.
	pathShare   = 0.7
	branchShare = 0.1
)

// NewGrowth compares the profiles of a run, in time order.
func NewGrowth(run []Moment, opt GrowthOptions) (*Growth, error) {
	g := &Growth{}
	stacks := map[string]*grownStack{}
	for i, m := range run {
		o := view.Defaults()
		o.SampleIndex, o.Granularity = opt.SampleIndex, "lines"
		v, err := view.Prepare(m.Profile, o, func(string) {})
		if err != nil {
			return nil, err
		}
		g.Times = append(g.Times, m.At)
		g.Total = append(g.Total, addStacks(stacks, v, i, len(run)))
	}
	early, late := g.windows(opt.WarmUp)
	g.From, g.To = level(g.Total, early), level(g.Total, late)
	if len(late) > 0 && len(early) > 0 {
		g.Span = g.Times[late[len(late)/2]].Sub(g.Times[early[len(early)/2]])
		if g.Span > 0 {
			g.Rate = float64(g.To-g.From) / g.Span.Seconds()
		}
	}
	g.Grows = grows(g.Total, early, late, opt.Grain)
	g.follow(stacks, early, late)
	return g, nil
}

// grownStack is one stack over the run.
type grownStack struct {
	key    string
	frames []view.Frame // outermost first
	series []int64
}

func addStacks(stacks map[string]*grownStack, v *view.View, at, n int) int64 {
	perStack := map[profile.StackID]int64{}
	for i, s := range v.Profile.Samples.Stack {
		perStack[s] += v.Values[i]
	}
	var total int64
	for id, value := range perStack {
		total += value
		if value == 0 {
			continue
		}
		st := v.StackFrames(id)
		names := make([]string, len(st.Frames))
		for i, f := range st.Frames {
			names[len(names)-1-i] = f.String()
		}
		key := strings.Join(names, "\n")
		gs := stacks[key]
		if gs == nil {
			gs = &grownStack{key: key, series: make([]int64, n)}
			for i := len(st.Frames) - 1; i >= 0; i-- {
				gs.frames = append(gs.frames, *st.Frames[i])
			}
			stacks[key] = gs
		}
		gs.series[at] += value
	}
	return total
}

// windows are the first and last quarter of the profiles after the warm-up.
func (g *Growth) windows(warmUp time.Duration) (early, late []int) {
	var rest []int
	for i, t := range g.Times {
		if t.Sub(g.Times[0]) >= warmUp {
			rest = append(rest, i)
		}
	}
	if len(rest) < 2 {
		rest = rest[:0]
		for i := range g.Times {
			rest = append(rest, i)
		}
	}
	k := max(1, len(rest)/4)
	if len(rest) < 2 {
		return nil, nil
	}
	return rest[:k], rest[len(rest)-k:]
}

// level is the median of a series over a window.
func level(series []int64, window []int) int64 {
	if len(window) == 0 {
		return 0
	}
	v := make([]int64, len(window))
	for i, at := range window {
		v[i] = series[at]
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func grows(series []int64, early, late []int, grain float64) bool {
	from, to := level(series, early), level(series, late)
	d := float64(to - from)
	if d <= 0 || d < minRelGrow*float64(from) {
		return false
	}
	return d >= minSigma*math.Sqrt(max(grain, 1)*d) && kendall(series[early[0]:]) >= minTau
}

// kendall is Kendall's rank correlation of a series with time.
func kendall(s []int64) float64 {
	up, all := 0, 0
	for i := range s {
		for j := i + 1; j < len(s); j++ {
			all++
			switch {
			case s[j] > s[i]:
				up++
			case s[j] < s[i]:
				up--
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(up) / float64(all)
}

// follow walks from the root to where the growth is, as long as one callee
// has most of it. Callees are told apart by function; the line shown is the
// one with the most growth.
func (g *Growth) follow(stacks map[string]*grownStack, early, late []int) {
	group := make([]*grownStack, 0, len(stacks))
	for _, s := range stacks {
		group = append(group, s)
	}
	sort.Slice(group, func(i, j int) bool { return group[i].key < group[j].key })
	whole := float64(g.To - g.From)
	if whole <= 0 {
		return
	}
	grown := func(list []*grownStack) float64 {
		s := sumSeries(list)
		return float64(level(s, late) - level(s, early))
	}
	frame := func(list []*grownStack, depth int) GrowthFrame {
		s := sumSeries(list)
		_, lines := callees(list, depth, func(f view.Frame) string { return f.String() }, grown)
		f := lines[0][0].frames[depth]
		return GrowthFrame{Frame: f, From: level(s, early), To: level(s, late), Own: origin.OfFrame(f.Name, f.File) == origin.Own}
	}
	for depth := 0; ; depth++ {
		names, next := callees(group, depth, func(f view.Frame) string { return f.Name }, grown)
		if len(names) == 0 {
			return
		}
		if grown(next[0]) < pathShare*whole {
			for i := range names {
				if grown(next[i]) >= branchShare*whole {
					g.Branches = append(g.Branches, frame(next[i], depth))
				}
			}
			return
		}
		group = next[0]
		g.Path = append(g.Path, frame(group, depth))
		g.Series, g.Share = sumSeries(group), grown(group)/whole
	}
}

// callees groups stacks by their frame at depth, most growth first.
func callees(group []*grownStack, depth int, name func(view.Frame) string, grown func([]*grownStack) float64) (names []string, lists [][]*grownStack) {
	at := map[string]int{}
	for _, s := range group {
		if depth >= len(s.frames) {
			continue
		}
		n := name(s.frames[depth])
		i, ok := at[n]
		if !ok {
			i = len(lists)
			at[n] = i
			names, lists = append(names, n), append(lists, nil)
		}
		lists[i] = append(lists[i], s)
	}
	order := make([]int, len(lists))
	weight := make([]float64, len(lists))
	for i := range order {
		order[i], weight[i] = i, grown(lists[i])
	}
	sort.SliceStable(order, func(i, j int) bool { return weight[order[i]] > weight[order[j]] })
	sortedNames, sorted := make([]string, len(order)), make([][]*grownStack, len(order))
	for i, o := range order {
		sortedNames[i], sorted[i] = names[o], lists[o]
	}
	return sortedNames, sorted
}

func sumSeries(group []*grownStack) []int64 {
	out := make([]int64, len(group[0].series))
	for _, s := range group {
		for i, v := range s.series {
			out[i] += v
		}
	}
	return out
}
