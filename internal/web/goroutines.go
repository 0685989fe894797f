package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/profile"
)

// goroutinesView groups goroutines by what they wait for, where, and who
// started them.
func goroutinesView() View {
	return View{
		Name: "goroutines",
		Help: "Goroutines by state, place and who started them, with what they hold where there is a heap (schema goroutines/1)",
		Params: []Param{
			{"heap", "yes | no", "Also what they hold; it must have been read"},
		},
		Answer: answerGoroutines,
	}
}

// Goroutines is the answer of goroutinesView.
type Goroutines struct {
	Schema string `json:"schema"`
	// Cur and Base are the profiles that were counted; Cur is empty where the
	// heap alone tells.
	Cur  []string `json:"cur"`
	Base []string `json:"base,omitempty"`
	// Count is how many there are, BaseCount how many there were.
	Count     int64    `json:"count"`
	BaseCount *int64   `json:"baseCount,omitempty"`
	Sentence  string   `json:"sentence"`
	Groups    []Group  `json:"groups"`
	Shots     []string `json:"shots,omitempty"` // of the trends
	// Waits tells whether waiting times are known, Heap whether what they
	// hold is.
	Waits    bool     `json:"waits"`
	Heap     bool     `json:"heap"`
	Filters  []string `json:"filters"`
	Warnings []string `json:"warnings"`
}

// Group are goroutines that do the same: they wait in the same way at the same
// place, and were started by the same function.
type Group struct {
	// Name is how the group is selected: sel=g:NAME.
	Name    string     `json:"name"`
	State   string     `json:"state"`
	At      GroupFrame `json:"at"`
	Started string     `json:"started,omitempty"`
	Count   int64      `json:"count"`
	Base    *int64     `json:"base,omitempty"`
	Trend   []int64    `json:"trend,omitempty"`
	Wait    *GroupWait `json:"wait,omitempty"`
	// Category is that of the place.
	Category categoryNumber `json:"category"`
	// Stack is that of most of them, leaf first; Stacks is how many different
	// ones there are.
	Stack  []GroupFrame `json:"stack"`
	Stacks int          `json:"stacks"`
	Labels []string     `json:"labels,omitempty"`
	Holds  *Memory      `json:"holds,omitempty"`
	Bytes  uint64       `json:"stackBytes,omitempty"` // of the stacks
	Vars   []GroupVar   `json:"vars,omitempty"`
	IDs    []uint64     `json:"ids,omitempty"`
	most   int64        // the count of Stack
	seen   map[string]bool
}

// GroupFrame is a call.
type GroupFrame struct {
	Function string         `json:"function"`
	File     string         `json:"file,omitempty"`
	Line     int            `json:"line,omitempty"`
	Category categoryNumber `json:"category"`
}

// GroupWait are waiting times in nanoseconds, of Known goroutines; a profile
// tells them in whole minutes, from one on.
type GroupWait struct {
	Known   int64 `json:"known"`
	Longest int64 `json:"longest"`
	Minutes bool  `json:"minutes,omitempty"`
}

// GroupVar is what one variable of the goroutines holds.
type GroupVar struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Memory
}

func answerGoroutines(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	withHeap, err := q.OwnChoice("heap", "no", "yes")
	if err != nil {
		return nil, err
	}
	a := &Goroutines{Schema: "goroutines/1", Cur: []string{}, Groups: []Group{}, Filters: []string{}, Warnings: []string{}}
	set := groupSet{}
	k, err := s.Kind("goroutine")
	if err == nil {
		if err := a.count(ctx, s, ofKind(q, k), set); err != nil {
			return nil, err
		}
	} else if withHeap == "no" {
		return nil, notFound("Open one too, as of http://HOST/debug/pprof/goroutine?debug=2, which tells how long they wait.", "this session has no profile of goroutines")
	}
	if withHeap == "yes" {
		if err := s.Heap(ctx, func(h *Heap) error { a.addHeap(h, set, k != nil); return nil }); err != nil {
			return nil, err
		}
	}
	a.finish(set)
	return &Answer{JSON: a}, nil
}

// ofKind asks the same of another kind of profile. Profiles of one look have
// the same number in every kind.
func ofKind(q *Query, k *Kind) *Query {
	c := *q
	if c.Kind == k.Name {
		return &c
	}
	c.Kind, c.Value = k.Name, ""
	if list, err := k.Select(c.Cur, k.Cur); err != nil || len(list) == 0 {
		c.Cur = Span{}
	}
	if _, err := k.Select(c.Base, k.Base); err != nil {
		c.Base = Span{}
	}
	return &c
}

// groupSet are groups by name.
type groupSet map[string]*Group

// count counts the goroutines of the profiles a query chooses.
func (a *Goroutines) count(ctx context.Context, s *Session, q *Query, set groupSet) error {
	now := *q
	now.Base = Span{None: true}
	d, err := s.Data(ctx, &now)
	if err != nil {
		return err
	}
	a.Cur, a.Filters, a.Warnings = shotIDs(d.Cur), d.Filters, d.Warnings
	untold := int64(0)
	eachGroup(d.Filtered, d.Names, func(g *stackGroup) {
		set.add(g).Count += g.count
		a.Count += g.count
		a.Waits = a.Waits || g.wait > 0
		if g.stateWord() == stateUntold {
			untold += g.count
		}
	})
	if untold > 0 {
		a.Warnings = append(slices.Clip(a.Warnings), fmt.Sprintf("the profile does not tell what %d of the goroutines do: take it with ?debug=2, or without debug", untold))
	}
	old, err := d.Kind.Select(q.Base, d.Kind.Base)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		then := *q
		then.Cur, then.Base = q.Base, Span{None: true}
		if then.Cur.IsDefault() {
			then.Cur = d.Kind.Base
		}
		b, err := s.Data(ctx, &then)
		if err != nil {
			return err
		}
		a.addBase(b, set)
	}
	return a.addTrends(ctx, s, q, d.Kind, set)
}

func (a *Goroutines) addBase(b *Data, set groupSet) {
	var all int64
	was := map[string]int64{}
	eachGroup(b.Filtered, b.Names, func(g *stackGroup) {
		set.add(g)
		was[g.key()] += g.count
		all += g.count
	})
	a.Base, a.BaseCount = shotIDs(b.Cur), &all
	for name, g := range set {
		n := was[name]
		g.Base = &n
	}
}

func (a *Goroutines) addTrends(ctx context.Context, s *Session, q *Query, k *Kind, set groupSet) error {
	shots := k.trendShots("", trendPoints)
	if len(shots) < 2 {
		return nil
	}
	a.Shots = shotIDs(shots)
	for _, g := range set {
		g.Trend = make([]int64, len(shots))
	}
	for i, shot := range shots {
		err := s.one(ctx, q, shot, func(d *Data) {
			eachGroup(d.Filtered, d.Names, func(g *stackGroup) {
				if known := set[g.key()]; known != nil {
					known.Trend[i] += g.count
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachGroup tells the goroutines of a profile, a stack with labels at a time.
func eachGroup(p *profile.Profile, names *Names, tell func(*stackGroup)) {
	col := 0
	if i, err := p.SampleIndex("goroutine"); err == nil {
		col = i
	}
	blind := !namesRuntime(p)
	for i, id := range p.Samples.Stack {
		g := stackGroup{count: p.Samples.Values[col][i], stack: []GroupFrame{}, blind: blind}
		for _, at := range p.Stacks.Of(id) {
			for _, ln := range p.Locations.LinesOf(at) {
				name, file := p.FunctionName(ln.Function), p.FunctionFile(ln.Function)
				if started, ok := strings.CutPrefix(name, "created by "); ok {
					g.started = started
					continue
				}
				g.stack = append(g.stack, GroupFrame{name, file, int(ln.Line), names.Of(name).Category})
			}
		}
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			g.label(p.Strings[l.Key], p.Strings[l.Str], l.Num)
		}
		tell(&g)
	}
}

// add finds or makes the group of some goroutines, and notes their stack.
func (set groupSet) add(g *stackGroup) *Group {
	name := g.key()
	x := set[name]
	if x == nil {
		at := g.place()
		x = &Group{Name: name, State: g.stateWord(), At: at, Started: g.started, Category: at.Category, seen: map[string]bool{}}
		set[name] = x
	}
	if x.Started == "" {
		x.Started = g.started
	}
	if g.count > x.most || x.Stack == nil {
		x.Stack, x.most = g.stack, g.count
	}
	x.seen[g.text()] = true
	x.Stacks = len(x.seen)
	if g.wait > 0 {
		if x.Wait == nil {
			x.Wait = &GroupWait{Minutes: g.minutes}
		}
		x.Wait.Known += g.count
		x.Wait.Longest = max(x.Wait.Longest, g.wait)
	}
	for _, l := range g.labels {
		const most = 12
		if len(x.Labels) < most && !slices.Contains(x.Labels, l) {
			x.Labels = append(x.Labels, l)
		}
	}
	return x
}

// addHeap adds what goroutines hold, and, where profiles did not count them,
// how many there are.
func (a *Goroutines) addHeap(h *Heap, set groupSet, counted bool) {
	a.Heap = true
	origins := h.originsOf()
	list := h.Analysis.Heap.Goroutines
	byID := map[uint64]string{}
	for i := range list {
		g := groupOfGoroutine(&list[i])
		for k := range g.stack {
			g.stack[k].Category = origins.of(g.stack[k].Function)
		}
		if since := list[i].Since; since > 0 && h.Analysis.Heap.Clock > since && list[i].State == "waiting" {
			g.wait = h.Analysis.Heap.Clock - since
			a.Waits = true
		}
		byID[list[i].ID] = g.key()
		x := set.add(g)
		if !counted {
			x.Count++
			a.Count++
		}
		if len(x.IDs) < 20 {
			x.IDs = append(x.IDs, list[i].ID)
		}
	}
	for _, x := range h.Analysis.Groups(func(*goheap.Goroutine) bool { return true }) {
		g := set[byID[x.IDs[0]]]
		if g == nil {
			continue
		}
		if g.Holds == nil {
			g.Holds = &Memory{}
		}
		g.Holds.Bytes += x.Holds.Bytes
		g.Holds.Objects += x.Holds.Objects
		g.Bytes += x.Stacks
		for _, v := range x.Vars {
			const most = 8
			if len(g.Vars) < most && v.Amount.Bytes > 0 {
				g.Vars = append(g.Vars, GroupVar{v.Name, v.Type, memory(v.Amount)})
			}
		}
	}
}

// finish sorts the groups and says what is most striking.
func (a *Goroutines) finish(set groupSet) {
	for _, g := range set {
		if g.Count > 0 || g.Base != nil && *g.Base > 0 { // else of another moment, or not counted by profiles
			a.Groups = append(a.Groups, *g)
		}
	}
	slices.SortFunc(a.Groups, func(x, y Group) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Name, y.Name))
	})
	a.Sentence = a.sentence()
}
