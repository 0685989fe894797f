package web

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// timelineView is everything that has a time: totals of profiles, gauges of
// the process, findings, labels, the selected function.
func timelineView() View {
	return View{
		Name: "timeline",
		Help: "Everything over time as series (schema timeline/1)",
		Params: []Param{
			{"label", "KEY", "Also the values of this label of the profiles, each as a series"},
			{"tracks", "NAMES", "Which tracks are shown; for the page"},
			{"range", "FROM..TO", "Which profiles are marked; for the page"},
			{"show", "chart | table", "How it is shown; for the page"},
		},
		Answer: answerTimeline,
	}
}

// Timeline is the answer of timelineView. Times are in milliseconds since
// 1970.
type Timeline struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"`
	// Shots are the profiles of the kind that can be base and current.
	Shots []AboutShot `json:"shots"`
	// Untimed is how many profiles of the kind have no time.
	Untimed int     `json:"untimed"`
	Tracks  []Track `json:"tracks"`
	// Labels are the keys label can be.
	Labels []string `json:"labels"`
}

// Track is a chart: series with one unit.
type Track struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Unit is bytes, nanoseconds, count, share; PerSecond says it is a rate.
	Unit      string   `json:"unit"`
	PerSecond bool     `json:"perSecond,omitempty"`
	Series    []Series `json:"series"`
}

// Series is one line of a track. Values are null where unknown.
type Series struct {
	Title  string     `json:"title"`
	Times  []int64    `json:"times"`
	Values []*float64 `json:"values"`
}

// Limits of a timeline.
const (
	timelinePoints = 2000
	labelSeries    = 6
)

func answerTimeline(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	k, err := s.Kind(q.Kind)
	if err != nil {
		return nil, err
	}
	a := &Timeline{Schema: "timeline/1", Kind: k.Name, Shots: []AboutShot{}, Tracks: []Track{}, Labels: labelKeys(k)}
	for _, shot := range k.Shots {
		a.Shots = append(a.Shots, AboutShot{shot.ID, shot.Name, shot.Kind, shot.Target, millis(shot.Time), shot.Bytes, shot.Profile.Samples.Len()})
		if shot.Time.IsZero() {
			a.Untimed++
		}
	}
	seen, err := s.through(ctx, q, k, valueOf(q, k))
	if err != nil {
		return nil, err
	}
	if label := q.Own("label"); label != "" {
		if !slices.Contains(a.Labels, label) {
			return nil, badRequest("There are: "+joinWords(a.Labels)+".", "%s profiles have no label %q", k.Name, label)
		}
		a.add(labelTrack(seen, valueOf(q, k), label))
	}
	if q.Sel.Sort == 'f' {
		t, err := s.functionTrack(ctx, q, k)
		if err != nil {
			return nil, err
		}
		a.add(t)
	}
	a.add(s.kindTrack(seen, valueOf(q, k)))
	for i := range s.kinds {
		o := &s.kinds[i]
		if o == k {
			continue
		}
		if o, err = s.through(ctx, q, o, o.Value); err != nil {
			return nil, err
		}
		a.add(s.kindTrack(o, o.Value))
	}
	for _, t := range s.gaugeTracks() {
		a.add(t)
	}
	return &Answer{JSON: a}, nil
}

func valueOf(q *Query, k *Kind) string {
	if q.Value != "" {
		return q.Value
	}
	return k.Value
}

// add takes a track that has at least two points.
func (a *Timeline) add(t Track) {
	t.Series = slices.DeleteFunc(t.Series, func(s Series) bool { return len(s.Times) < 2 })
	for i := range t.Series {
		t.Series[i].thin()
	}
	if len(t.Series) > 0 {
		a.Tracks = append(a.Tracks, t)
	}
}

// thin leaves out points when there are more than a picture can show. In each
// stretch the largest stays: peaks are what one looks for.
func (s *Series) thin() {
	n := len(s.Times)
	if n <= timelinePoints {
		return
	}
	times, values := make([]int64, 0, timelinePoints), make([]*float64, 0, timelinePoints)
	for i := range timelinePoints {
		from, to := i*n/timelinePoints, (i+1)*n/timelinePoints
		best := from
		for j := from; j < to; j++ {
			if s.Values[j] != nil && (s.Values[best] == nil || *s.Values[j] > *s.Values[best]) {
				best = j
			}
		}
		times, values = append(times, s.Times[best]), append(values, s.Values[best])
	}
	s.Times, s.Values = times, values
}

// through is a kind as the filters of a query leave it: with them, of so many
// of its profiles as a trend has.
func (s *Session) through(ctx context.Context, q *Query, k *Kind, value string) (*Kind, error) {
	if list, _ := q.filters(); len(list) == 0 {
		return k, nil
	}
	c, left := *q, *k
	c.Kind, c.Value, left.Shots = k.Name, value, nil
	for _, shot := range k.trendShots(value, maxTrend) {
		own := *shot
		if err := s.one(ctx, &c, shot, func(d *Data) { own.Profile = d.Filtered }); err != nil {
			return nil, err
		}
		left.Shots = append(left.Shots, &own)
	}
	return &left, nil
}

// kindTrack is the total of the profiles of a kind. What adds up over a time
// is divided by it.
func (s *Session) kindTrack(k *Kind, value string) Track {
	t := Track{ID: k.Name + "." + value, Title: title(wholeWords(k.Name, value))}
	by := bySeries{}
	for _, shot := range k.Shots {
		v, unitName, ok := shotTotal(shot, value)
		if !ok || shot.Time.IsZero() {
			continue
		}
		t.Unit = unitName
		if took := lasted([]*Shot{shot}); k.Name == "cpu" && took > 0 {
			v, t.PerSecond = v/took, true
		}
		by.add(shot.Target, shot.Time, v)
	}
	t.Series = by.list(wholeWords(k.Name, value))
	return t
}

// bySeries collects points by the name of their series, in order of coming.
type bySeries struct {
	names  []string
	series []Series
}

func (b *bySeries) add(name string, at time.Time, v float64) {
	i := slices.Index(b.names, name)
	if i < 0 {
		i = len(b.names)
		b.names, b.series = append(b.names, name), append(b.series, Series{Title: name})
	}
	s := &b.series[i]
	s.Times, s.Values = append(s.Times, millis(at)), append(s.Values, known(v))
}

// list is the series; what has no name, or is alone, gets the given one.
func (b *bySeries) list(name string) []Series {
	for i := range b.series {
		if b.series[i].Title == "" || len(b.series) == 1 {
			b.series[i].Title = name
		}
	}
	return b.series
}

// functionTrack is the selected function over the profiles.
func (s *Session) functionTrack(ctx context.Context, q *Query, k *Kind) (Track, error) {
	t := Track{ID: "selected", Title: "Selected: " + q.Sel.Name}
	var flat, cum Series
	flat.Title, cum.Title = "flat", "cum"
	for _, shot := range k.trendShots(valueOf(q, k), maxTrend) {
		if shot.Time.IsZero() {
			continue
		}
		err := s.one(ctx, q, shot, func(d *Data) {
			v := d.values(d.View.Sandwich(q.Sel.Name).Amount)
			_, t.Unit = d.scale()
			at := millis(shot.Time)
			flat.Times, flat.Values = append(flat.Times, at), append(flat.Values, known(v.Flat))
			cum.Times, cum.Values = append(cum.Times, at), append(cum.Values, known(v.Cum))
		})
		if err != nil {
			return t, err
		}
	}
	t.Series = []Series{cum, flat}
	return t, nil
}

// labelKeys are the keys of the text labels in the profiles of a kind.
func labelKeys(k *Kind) []string {
	seen := map[string]bool{}
	for _, shot := range spread(k.Shots, summaryPoints) {
		p := shot.Profile
		for _, l := range p.LabelSets.Labels {
			if l.Str != 0 {
				seen[p.Str(l.Key)] = true
			}
		}
	}
	return append([]string{}, sortedKeys(seen)...)
}

// labelTrack splits the total of a kind by the values of a label: the largest
// of them, and the rest.
func labelTrack(k *Kind, value, key string) Track {
	t := Track{ID: "label", Title: "Label " + key}
	sums := make([]map[string]float64, len(k.Shots))
	all := amounts{}
	for i, shot := range k.Shots {
		p := shot.Profile
		col, err := p.SampleIndex(value)
		if err != nil || shot.Time.IsZero() {
			continue
		}
		factor, name := unit.Base(p.SampleTypes[col].Unit)
		t.Unit = name
		values := labelValues(p, key)
		sums[i] = map[string]float64{}
		for j, v := range p.Samples.Values[col] {
			x := float64(v) * factor
			name := values[p.Samples.Labels[j]]
			sums[i][name] += x
			all[name] += x
		}
	}
	names := sortedKeys(all)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(all[b], all[a]) })
	var by bySeries
	for i, shot := range k.Shots {
		if sums[i] == nil {
			continue
		}
		rest := 0.0
		for n, name := range names {
			switch {
			case n >= labelSeries:
				rest += sums[i][name]
			case name == "":
				by.add("(without)", shot.Time, sums[i][name])
			default:
				by.add(name, shot.Time, sums[i][name])
			}
		}
		if len(names) > labelSeries {
			by.add("(others)", shot.Time, rest)
		}
	}
	t.Series = by.series
	return t
}

// labelValues is the value of a text label in every label set, "" without.
func labelValues(p *profile.Profile, key string) []string {
	values := make([]string, p.LabelSets.Len())
	for i := range values {
		for _, l := range p.LabelSets.Of(profile.LabelSetID(i)) {
			if l.Str != 0 && p.Str(l.Key) == key {
				values[i] = p.Str(l.Str)
				break
			}
		}
	}
	return values
}

// gaugeTracks are what the process says of itself.
func (s *Session) gaugeTracks() []Track {
	type line struct {
		title string
		gauge leak.Gauge
	}
	var list []Track
	for _, g := range []struct {
		id, title, unit string
		lines           []line
	}{
		{"memory", "Memory of the process", "bytes", []line{{"resident", leak.Resident}, {"from the system", leak.Sys}, {"heap with garbage", leak.HeapAlloc}, {"live heap", leak.HeapLive}, {"next GC at", leak.NextGC}, {"stacks", leak.StackInuse}}},
		{"descriptors", "File descriptors", "count", []line{{"open", leak.Descriptors}}},
		{"threads", "Threads", "count", []line{{"threads", leak.Threads}}},
		{"gcshare", "GC share of CPU since the start", "share", []line{{"GC", leak.GCCPUFraction}}},
	} {
		t := Track{ID: g.id, Title: g.title, Unit: g.unit}
		for _, l := range g.lines {
			by := bySeries{}
			for _, m := range s.Moments {
				if v := m.Gauges[l.gauge]; m.Gauges.Has(l.gauge) {
					by.add(m.Target, m.At, v)
				}
			}
			for i, x := range by.list(l.title) {
				if len(by.names) > 1 {
					x.Title = l.title + ", " + by.names[i]
				}
				t.Series = append(t.Series, x)
			}
		}
		list = append(list, t)
	}
	return append(list,
		s.rateTrack("allocrate", "Allocation rate", "bytes", leak.TotalAlloc),
		s.rateTrack("gcrate", "GC cycles", "count", leak.NumGC))
}

// rateTrack is how fast a gauge that only rises does so.
func (s *Session) rateTrack(id, title, unitName string, g leak.Gauge) Track {
	t := Track{ID: id, Title: title, Unit: unitName, PerSecond: true}
	before := map[string]Moment{}
	by := bySeries{}
	for _, m := range s.Moments {
		if !m.Gauges.Has(g) {
			continue
		}
		if b, ok := before[m.Target]; ok && m.At.After(b.At) {
			v := (m.Gauges[g] - b.Gauges[g]) / seconds(b.At, m.At)
			if v < 0 {
				v = math.NaN() // another process
			}
			by.add(m.Target, m.At, v)
		}
		before[m.Target] = m
	}
	t.Series = by.list(title)
	return t
}
