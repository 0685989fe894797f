package web

import (
	"context"
	"fmt"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Data is what a query selects of a session, filtered and aggregated: the
// ground all views of profiles stand on. It is kept, so that the next view of
// the same data has it at once.
type Data struct {
	Kind *Kind
	// Cur and Base are the profiles that were put together; Base is nil when
	// nothing is compared.
	Cur, Base []*Shot
	// View is of the current profiles; when there is a base, its samples are in
	// it too, negative and marked, as view.Changes and view.FlameTree.Base
	// expect. View.Total is of the current profiles before the filters.
	View *view.View
	// BaseTotal is that of the base, in the unit of the view.
	BaseTotal int64
	// Filtered is the profile after the transforms, before aggregation, with
	// files and lines in it.
	Filtered *profile.Profile
	// Names tells whose code a function is and where it lies.
	Names *Names
	// Filters name the transforms that were applied, as reports print them.
	Filters []string
	// Warnings say what matched nothing and the like.
	Warnings []string

	// shown and baseShown are what the transforms leave of the totals.
	shown, baseShown int64
	// Made when they are asked for, for this one caller.
	who      *stackNames
	now, was *contribution
}

// merged are the profiles of a query put together, before any transform.
type merged struct {
	kind    *Kind
	cur     []*Shot
	base    []*Shot
	profile *profile.Profile
	names   *Names
}

// filtered is a profile after some transforms.
type filtered struct {
	profile  *profile.Profile
	warnings []string
}

// Data selects what q asks for. The result is the caller's own; what it leads
// to is shared and read-only.
func (s *Session) Data(ctx context.Context, q *Query) (*Data, error) {
	m, err := s.merged(ctx, q)
	if err != nil {
		return nil, err
	}
	o := q.options()
	if o.SampleIndex == "" {
		o.SampleIndex = m.kind.Value
	}
	if _, err := m.profile.SampleIndex(o.SampleIndex); err != nil {
		return nil, m.lacks(o.SampleIndex)
	}
	list, names := q.filters()
	f, err := s.filtered(ctx, m, q.mergedKey(m), list, o.Granularity)
	if err != nil {
		return nil, err
	}
	whole, err := s.wholeTotals(ctx, m, q.mergedKey(m), o)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("view|%s|%q|%+v", q.mergedKey(m), list, o)
	d, err := cached(ctx, s.data, key, func() (*Data, int, error) {
		d := &Data{Kind: m.kind, Cur: m.cur, Base: m.base, Filtered: f.profile, Names: m.names, Filters: names, Warnings: append([]string{}, f.warnings...)}
		v, err := view.Prepare(f.profile, o, func(w string) { d.Warnings = append(d.Warnings, w) })
		if err != nil {
			return nil, 0, badRequest("", "%v", err)
		}
		d.View = v
		d.shown, d.baseShown = whole.cur, whole.base
		if f.profile != m.profile {
			d.shown, d.baseShown = totals(f.profile, o)
		}
		v.Total, d.BaseTotal = whole.cur, whole.base
		if o.RelativePercentages {
			v.Total, d.BaseTotal = d.shown, d.baseShown
		}
		v.Filters = names
		v.Freeze()
		return d, viewBytes(v), nil
	})
	if err != nil {
		return nil, err
	}
	own, v := *d, *d.View // a view has caches inside that are not for two
	own.View = &v
	return &own, nil
}

// lacks says which profile has no such value.
func (m *merged) lacks(value string) error {
	all := slices.Concat(m.cur, m.base)
	i := max(0, slices.IndexFunc(all, func(s *Shot) bool { return !s.has(value) }))
	hint := "It has: " + joinWords(all[i].Profile.TypeNames()) + "."
	if len(all) > 1 {
		hint = "All that are chosen have: " + joinWords(m.profile.TypeNames()) + "."
	}
	return badRequest(hint, "the %s profile %s, %s, has no value %q", m.kind.Name, all[i].ID, all[i].Name, value)
}

// viewBytes is about what a view takes besides the profile it is made of.
func viewBytes(v *view.View) int {
	return 150*v.Profile.Locations.Len() + 24*len(v.Profile.Locations.Lines) + 8*v.Profile.Stacks.Len()
}

// mergedKey names what is put together.
func (q *Query) mergedKey(m *merged) string {
	ids := func(list []*Shot) string {
		if len(list) == 0 {
			return "-"
		}
		return fmt.Sprintf("%s..%s/%d", list[0].ID, list[len(list)-1].ID, len(list))
	}
	return fmt.Sprintf("%s|%s|%s|%t|%t", m.kind.Name, ids(m.cur), ids(m.base), q.Options.Normalize, q.unmarked)
}

// merged puts the profiles of a query together: the current ones added up,
// the base subtracted and marked.
func (s *Session) merged(ctx context.Context, q *Query) (*merged, error) {
	kind, err := s.Kind(q.Kind)
	if err != nil {
		return nil, err
	}
	m := &merged{kind: kind}
	if m.cur, err = kind.Select(q.Cur, kind.Cur); err != nil {
		return nil, err
	}
	if len(m.cur) == 0 {
		return nil, badRequest("Name a profile with cur=, or leave it out.", "no profile is chosen")
	}
	if m.base, err = kind.Select(q.Base, kind.Base); err != nil {
		return nil, err
	}
	return cached(ctx, s.data, "merged|"+q.mergedKey(m), func() (*merged, int, error) {
		p, err := combine(m.cur)
		if err != nil {
			return nil, 0, err
		}
		bytes := 0
		if len(m.base) > 0 {
			b, err := combine(m.base)
			if err != nil {
				return nil, 0, err
			}
			if p, err = subtract(p, b, profile.DiffOptions{Mark: !q.unmarked, Normalize: q.Options.Normalize}); err != nil {
				return nil, 0, err
			}
		}
		if len(m.cur)+len(m.base) > 1 {
			bytes = profileBytes(p)
		}
		m.profile, m.names = p, newNames(p)
		return m, bytes + m.names.bytes(), nil
	})
}

// combine adds profiles up.
func combine(shots []*Shot) (*profile.Profile, error) {
	if len(shots) == 1 {
		return shots[0].Profile, nil
	}
	ps := make([]*profile.Profile, len(shots))
	for i, s := range shots {
		ps[i] = s.Profile
	}
	ps, err := alike(ps)
	if err != nil {
		return nil, err
	}
	return profile.Merge(ps)
}

func subtract(p, base *profile.Profile, o profile.DiffOptions) (*profile.Profile, error) {
	both, err := alike([]*profile.Profile{p, base})
	if err != nil {
		return nil, err
	}
	return profile.Diff(both[0], both[1], o)
}

// alike gives profiles common types and units.
func alike(ps []*profile.Profile) ([]*profile.Profile, error) {
	ps, err := profile.CommonTypes(ps)
	if err != nil {
		return nil, badRequest("Choose profiles of one kind.", "%v", err)
	}
	if ps, err = view.CommonUnits(ps); err != nil {
		return nil, badRequest("Choose profiles of one kind.", "%v", err)
	}
	return ps, nil
}

// filtered applies transforms one after the other. What each leaves is kept,
// so that adding one, or taking the last away, makes one step.
func (s *Session) filtered(ctx context.Context, m *merged, key string, list []Transform, granularity string) (*filtered, error) {
	if len(list) == 0 {
		return &filtered{profile: m.profile}, nil
	}
	last := list[len(list)-1]
	before, err := s.filtered(ctx, m, key, list[:len(list)-1], granularity)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("filtered|%s|%q|%s", key, list, granularity)
	return cached(ctx, s.data, name, func() (*filtered, int, error) {
		f := &filtered{warnings: append([]string{}, before.warnings...)}
		p, err := last.apply(before.profile, granularity, func(w string) { f.warnings = append(f.warnings, w) })
		if err != nil {
			return nil, 0, err
		}
		f.profile = p
		return f, ownBytes(f.profile, before.profile), nil
	})
}

// ownBytes is about what p takes besides what it shares with of.
func ownBytes(p, of *profile.Profile) int {
	n := 24 * p.Samples.Len()
	if !sameSlice(p.Stacks.Frames, of.Stacks.Frames) {
		n += 4*len(p.Stacks.Frames) + 8*len(p.Stacks.Offsets)
	}
	if !sameSlice(p.Locations.Lines, of.Locations.Lines) {
		n += 24*len(p.Locations.Lines) + 4*p.Locations.Len()
	}
	return n
}

func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// wholeTotal has the totals of what was put together, which are the same
// whatever the transforms.
type wholeTotal struct{ cur, base int64 }

func (s *Session) wholeTotals(ctx context.Context, m *merged, key string, o view.Options) (wholeTotal, error) {
	key = fmt.Sprintf("totals|%s|%s|%t", key, o.SampleIndex, o.Mean)
	return cached(ctx, s.data, key, func() (t wholeTotal, bytes int, err error) {
		t.cur, t.base = totals(m.profile, o)
		return t, len(key), nil
	})
}

// totals adds up absolute values of the sample type a view shows: of the
// current samples and of those marked as the base.
func totals(p *profile.Profile, o view.Options) (cur, base int64) {
	i, err := p.SampleIndex(o.SampleIndex)
	if err != nil {
		return 0, 0
	}
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	anyMarked := slices.Contains(marked, true)
	var div, baseDiv int64
	for j, x := range p.Samples.Values[i] {
		var n int64
		if o.Mean {
			n = p.Samples.Values[0][j]
		}
		if x < 0 {
			x = -x
		}
		if anyMarked && marked[p.Samples.Labels[j]] {
			base, baseDiv = base+x, baseDiv+n
		} else {
			cur, div = cur+x, div+n
		}
	}
	if o.Mean && div != 0 {
		cur /= div
	}
	if o.Mean && baseDiv != 0 {
		base /= -baseDiv
	}
	return cur, base
}

// scale is the factor to base units, and the name of that unit.
func (d *Data) scale() (factor float64, name string) { return unit.Base(d.View.Unit) }

// Head is what every answer about profiles begins with. Values are in base
// units.
type Head struct {
	Kind string `json:"kind"`
	// Value names the sample type, Unit its base unit: bytes, nanoseconds ...
	Value string `json:"value"`
	Unit  string `json:"unit"`
	// Cur and Base are ids of profiles.
	Cur  []string `json:"cur"`
	Base []string `json:"base,omitempty"`
	// Total is all that was sampled, Shown what the transforms leave of it.
	Total     float64  `json:"total"`
	Shown     float64  `json:"shown"`
	BaseTotal *float64 `json:"baseTotal,omitempty"`
	BaseShown *float64 `json:"baseShown,omitempty"`
	// DurationNanos is how long the current profiles were collected together.
	DurationNanos int64    `json:"durationNanos,omitempty"`
	Granularity   string   `json:"granularity"`
	Filters       []string `json:"filters"`
	Warnings      []string `json:"warnings"`
	// Dropped says what was left out, nil if nothing was.
	Dropped *Dropped `json:"dropped,omitempty"`
}

// Dropped says what was left out of an answer.
type Dropped struct {
	Nodes  int     `json:"nodes"`
	Weight float64 `json:"weight"`
}

// Head describes the data.
func (d *Data) Head() Head {
	factor, name := d.scale()
	h := Head{
		Kind: d.Kind.Name, Value: d.View.Type, Unit: name, Cur: shotIDs(d.Cur), Base: shotIDs(d.Base),
		Total: float64(d.View.Total) * factor, Shown: float64(d.shown) * factor,
		Granularity: d.View.Options.Granularity, Filters: append([]string{}, d.Filters...),
		Warnings: append([]string{}, d.Warnings...),
	}
	if h.Granularity == "" {
		h.Granularity = "functions"
	}
	if len(d.Base) > 0 {
		b, bs := float64(d.BaseTotal)*factor, float64(d.baseShown)*factor
		h.BaseTotal, h.BaseShown = &b, &bs
	}
	for _, s := range d.Cur {
		h.DurationNanos += s.Profile.DurationNanos
	}
	return h
}

func shotIDs(list []*Shot) []string {
	ids := make([]string, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	return ids
}
