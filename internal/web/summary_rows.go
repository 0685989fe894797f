package web

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/verdict"
)

// addRows fills the table: findings that have a path, then the functions that
// changed most; without a base, those that have most.
func (a *Summary) addRows(ctx context.Context, s *Session, q *Query, d *Data) error {
	listed := map[string]bool{}
	part := map[string]int{} // function: finding it is on the path of
	if a.Headline.Class != "" {
		for i := range s.Verdict.Findings {
			f := &s.Verdict.Findings[i]
			if len(f.Path) == 0 {
				continue
			}
			same := (f.Resource == leak.Heap) == (d.Kind.Name == "heap")
			// Of what is only a part, a function has its own row, as all others.
			if row := s.findingRow(f, i); !same || !q.narrowed(d.Kind) {
				listed[row.Name] = true
				a.Rows = append(a.Rows, row)
			}
			for _, c := range slices.Concat(f.Path, below(f)) {
				if _, ok := part[c.Function]; !ok && same {
					part[c.Function] = i
				}
			}
		}
	}
	t := newTableRows(d)
	rows := d.changeRows(t, 1, 1)
	a.Attributed = d.Kind.Name != "cpu" && d.attribute(t, rows)
	size := func(r *changeRow) float64 {
		if a.Growing {
			return math.Abs(r.change())
		}
		return math.Abs(r.now) // of a difference, below zero too
	}
	order := make([]int, 0, len(rows))
	for i := range rows {
		if size(&rows[i]) > 0 && !listed[rows[i].name] {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(size(&rows[y]), size(&rows[x])) })
	enough := slices.IndexFunc(order, func(i int) bool { return size(&rows[i]) < a.Least/100*a.Shown })
	if enough < 0 {
		enough = len(order)
	}
	enough = min(enough, summaryRows)
	a.Hidden, order = len(order)-enough, order[:enough]
	picked := &tableRows{}
	for _, i := range order {
		picked.frames, picked.of = append(picked.frames, t.frames[i]), append(picked.of, t.of[i])
	}
	trend, points, err := s.rowTrends(ctx, q, d, picked, a.Attributed)
	if err != nil {
		return err
	}
	factor, _ := d.scale()
	for n, i := range order {
		row := d.functionRow(&rows[i], a.Growing)
		row.Cum = float64(t.of[i].Cum) * factor
		if f, ok := part[row.Name]; ok && row.Class == "more" {
			row.Class, row.Of = "part", f
		}
		for _, v := range trend[n*points : (n+1)*points] {
			row.Trend = append(row.Trend, known(float64(v)))
		}
		if (row.Class == "more" || row.Class == "less") && waves(trend[n*points:(n+1)*points]) {
			row.Class = "waves"
		}
		a.Rows = append(a.Rows, row)
	}
	return nil
}

// attribute counts samples for the innermost function of the program instead
// of the innermost at all: where a goroutine waits, or what takes memory for
// others, says little. It does nothing and says so when no function is known
// to be the program's.
func (d *Data) attribute(t *tableRows, rows []changeRow) bool {
	now, was := d.contributors()
	if len(now.own)+len(was.own) == 0 {
		return false
	}
	for i := range rows {
		r := &rows[i]
		if t.frames[i].Name == "" {
			continue // no symbol: its samples are nobody's
		}
		r.now, r.was, r.noise = now.of(r.name), was.of(r.name), math.NaN()
		if len(now.variance) > 0 {
			r.noise = twoSigma * math.Sqrt(now.variance[r.name]+was.variance[r.name])
		}
	}
	return true
}

// waves tells a series that goes down about as much as it goes up.
func waves(v []float32) bool {
	var up, down float32
	for i := 1; i < len(v); i++ {
		up, down = up+max(0, v[i]-v[i-1]), down+max(0, v[i-1]-v[i])
	}
	return min(up, down) >= max(up, down)/2 && up > 0
}

func below(f *leak.Finding) []leak.Frame {
	var out []leak.Frame
	for _, b := range f.Below {
		out = append(out, b.Path...)
	}
	return out
}

// rowTrends follows rows through the profiles of the kind: row by row, as many
// points each, 0 when there is one profile.
func (s *Session) rowTrends(ctx context.Context, q *Query, d *Data, rows *tableRows, attributed bool) (trend []float32, points int, err error) {
	shots := d.Kind.trendShots(d.View.Type, summaryPoints)
	if len(shots) < 2 || len(rows.frames) == 0 {
		return nil, 0, nil
	}
	if !attributed {
		trend, err = s.trend(ctx, q, shots, rows)
		return trend, len(shots), err
	}
	trend = make([]float32, len(rows.frames)*len(shots))
	for k, shot := range shots {
		err := s.one(ctx, q, shot, func(d *Data) {
			c := contributors(d)
			for i, f := range rows.frames {
				trend[i*len(shots)+k] = float32(c.of(entryName(f)))
			}
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return trend, len(shots), nil
}

// findingRow is a finding in the table.
func (s *Session) findingRow(f *leak.Finding, i int) SummaryRow {
	w := s.finding(f, i)
	row := SummaryRow{
		Call: w.Path[len(w.Path)-1], Finding: i, Base: w.Before.Value, Current: w.After.Value, Rate: w.Slope, Class: w.Class, Of: w.Cause, Unit: w.Unit,
	}
	if w.Blame != nil {
		row.Call = *w.Blame
	}
	if half := (f.After.High - f.After.Low) / 2; !math.IsNaN(half) {
		row.Noise = known(half)
	}
	if f.Class != leak.Leak && f.Class != leak.Growing {
		row.Rate = Estimate{}
	}
	n := len(w.Values)
	for k := range min(n, summaryPoints) {
		row.Trend = append(row.Trend, w.Values[k*(n-1)/max(1, min(n, summaryPoints)-1)])
	}
	return row
}

// functionRow is a function that has no finding of its own.
func (d *Data) functionRow(r *changeRow, growing bool) SummaryRow {
	info := d.Names.Of(r.name)
	_, unit := d.scale()
	row := SummaryRow{Call: Call{r.name, info.File, int64(info.Line), info.Category}, Finding: -1, Of: -1, Current: known(r.now), Noise: known(r.noise), Unit: unit, Trend: []*float64{}}
	if !growing {
		return row
	}
	row.Base = known(r.was)
	switch {
	case r.settled():
		row.Class = "noise"
	case r.now > r.was:
		row.Class = "more"
	default:
		row.Class = "less"
	}
	return row
}

// pictureOf is the total of a kind over its profiles, nil with one.
func (s *Session) pictureOf(k *Kind, d *Data) *Picture {
	shots := k.trendShots(d.View.Type, maxTrend)
	if len(shots) < 2 {
		return nil
	}
	p := &Picture{Title: title(wholeWords(k.Name, d.View.Type))}
	for _, shot := range shots {
		v, unit, ok := shotTotal(shot, d.View.Type)
		if !ok {
			return nil
		}
		p.Unit = unit
		p.Times, p.Values = append(p.Times, millis(shot.Time)), append(p.Values, known(v))
	}
	return p
}

// Tile is a figure beside the finding. Fields that are not known are absent.
type Tile struct {
	ID    string   `json:"id"`
	Label string   `json:"label"`
	From  *float64 `json:"from,omitempty"`
	Value float64  `json:"value"`
	// Unit is bytes, nanoseconds, count; share is a part of 1; PerSecond says
	// that it is a rate.
	Unit      string `json:"unit"`
	PerSecond bool   `json:"perSecond,omitempty"`
	Below     string `json:"below,omitempty"`
	// Name is a function Below is about.
	Name string `json:"name,omitempty"`
	// Kind is the profile it is of.
	Kind string `json:"kind,omitempty"`
}

// tiles are the figures there are data for.
func (s *Session) tiles(ctx context.Context, q *Query, shown *Kind) ([]Tile, error) {
	list := []Tile{}
	for _, make := range []func(context.Context, *Query, *Kind) (*Tile, error){s.heapTile, s.goroutineTile, s.allocTile, s.collectorTile, s.lockTile, s.processorTile} {
		t, err := make(ctx, q, shown)
		if err != nil {
			return nil, err
		}
		if t != nil {
			list = append(list, *t)
		}
	}
	return list, nil
}

func (s *Session) kindIfAny(name string) *Kind {
	k, err := s.Kind(name)
	if err != nil || len(k.Shots) == 0 {
		return nil
	}
	return k
}

// totalTile is the total of a kind's last profile, and of the first.
func (k *Kind) totalTile(id, label string) *Tile {
	v, unit, ok := shotTotal(k.Shots[len(k.Shots)-1], k.Value)
	if !ok {
		return nil
	}
	t := &Tile{ID: id, Label: label, Value: v, Unit: unit, Kind: k.Name}
	if first, _, ok := shotTotal(k.Shots[0], k.Value); ok && len(k.Shots) > 1 {
		t.From = &first
	}
	return t
}

func (s *Session) heapTile(_ context.Context, _ *Query, shown *Kind) (*Tile, error) {
	k := s.kindIfAny("heap")
	if k == nil || shown.Name == "heap" {
		return nil, nil
	}
	return k.totalTile("heap", "Heap in use"), nil
}

func (s *Session) goroutineTile(ctx context.Context, _ *Query, shown *Kind) (*Tile, error) {
	k := s.kindIfAny("goroutine")
	if k == nil || shown.Name == "goroutine" {
		return nil, nil
	}
	t := k.totalTile("goroutines", "Goroutines")
	if t == nil {
		return nil, nil
	}
	c, v, err := s.topOwn(ctx, &Query{Kind: "goroutine", Options: defaultOptions()})
	if err != nil || c == "" {
		return t, err
	}
	t.Below, t.Name = quantity(v, "count")+" in", c
	if s.Verdict != nil {
		for i := range s.Verdict.Findings {
			if f := &s.Verdict.Findings[i]; f.Resource == leak.Goroutines && (f.Class == leak.Leak || f.Class == leak.Growing) {
				t.Below, t.Name = "▲ "+verdict.Amount(f.Resource, f.After.Value-f.Before.Value)+" in", verdict.Subject(f)
				break
			}
		}
	}
	return t, nil
}

// topOwn is the program's own function with most of what a query selects.
func (s *Session) topOwn(ctx context.Context, q *Query) (name string, v float64, err error) {
	d, err := s.Data(ctx, q)
	if err != nil {
		return "", 0, err
	}
	c := contributors(d)
	if name, v = c.own.top(); name == "" {
		name, v = c.leaf.top()
	}
	return name, v, nil
}
