package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
)

// compareView says what changed from one profile, or several added up, to
// others.
func compareView() View {
	return View{
		Name: "compare",
		Help: "What changed since the base, in columns (schema compare/1): those of table, and noise, half the 95 % interval of the difference (-1: unknown)",
		Params: []Param{
			{"per", "raw | second", "Values as they are, or divided by how long the profiles took; without it, divided when the lengths differ"},
			{"order", "COLUMN", "Which column sorts the table; for the page"},
			{"show", "changed | all | new | gone | up | down", "Which rows; for the page"},
			{"as", "absolute | share", "Amounts or shares; for the page"},
			{"filter", "TEXT", "Which names; for the page"},
		},
		Answer: answerCompare,
	}
}

// compareMeta is what a comparison says besides its columns.
type compareMeta struct {
	Head
	Rows int `json:"rows"`
	// Sentence is the whole in a sentence, Explain which functions it is.
	Sentence string   `json:"sentence"`
	Explain  string   `json:"explain"`
	Names    []string `json:"names"` // those functions
	// Per is raw or second; Seconds how long current and base took, 0 if
	// unknown.
	Per     string     `json:"per"`
	Seconds [2]float64 `json:"seconds"`
	// Counts are of functions by their flat value; those whose change is
	// within the noise are the same.
	Counts changeCounts `json:"counts"`
	// Differs is what else is different about the two.
	Differs []string `json:"differs"`
	// Noise tells that error bars are known.
	Noise bool `json:"noise"`
}

type changeCounts struct {
	New  int `json:"new"`
	Gone int `json:"gone"`
	Up   int `json:"up"`
	Down int `json:"down"`
	Same int `json:"same"`
}

// changeRow is one function of a comparison, in base units.
type changeRow struct {
	name     string
	now, was float64 // flat
	noise    float64 // NaN if unknown
}

func (r *changeRow) change() float64 { return r.now - r.was }

// settled tells that the change may be chance.
func (r *changeRow) settled() bool {
	return r.now == r.was || math.Abs(r.change()) <= r.noise // false for NaN
}

// compared is a query with a base: that of the query, of the session, or the
// first profile against the one that is shown.
func (s *Session) compared(q *Query) (*Query, error) {
	k, err := s.Kind(q.Kind)
	if err != nil {
		return nil, err
	}
	c := *q
	if !q.Base.IsDefault() && !q.Base.None || len(k.Bases) > 0 && len(k.Shots) > 0 && !q.Base.None {
		return &c, nil
	}
	if len(k.Shots) == 0 {
		return nil, notFound("Name a newer one beside it: profound web -base OLD NEW.", "all %s profiles were given as a base, and there is nothing to compare with them", k.Name)
	}
	shots := k.shotsWith(valueOf(q, k))
	switch {
	case len(shots) == 0:
		return nil, badRequest("Choose another value.", "no %s profile has a value %q", k.Name, valueOf(q, k))
	case len(shots) == 1:
		return nil, notFound("Give two: profound web -base OLD NEW, or a folder of profound leak -save.", "there is one %s profile with %s and nothing to compare it with", k.Name, valueOf(q, k))
	}
	if q.Cur.IsDefault() {
		c.Cur, _ = ParseSpan(shots[len(shots)-1].ID)
	}
	cur, err := k.Select(c.Cur, k.Cur)
	if err != nil {
		return nil, err
	}
	first := shots[0]
	if len(cur) == 1 && cur[0] == first {
		first = shots[1]
	}
	c.Base, _ = ParseSpan(first.ID)
	return &c, nil
}

func answerCompare(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	c, err := s.compared(q)
	if err != nil {
		return nil, err
	}
	d, err := s.Data(ctx, c)
	if err != nil {
		return nil, err
	}
	meta := compareMeta{Head: d.Head(), Seconds: [2]float64{lasted(d.Cur), lasted(d.Base)}, Differs: differs(d)}
	if meta.Per, err = perWord(q, d, meta.Seconds); err != nil {
		return nil, err
	}
	w, wb := 1.0, 1.0
	if meta.Per == "second" {
		w, wb = 1/meta.Seconds[0], 1/meta.Seconds[1]
	}
	t := newTableRows(d)
	rows := d.changeRows(t, w, wb)
	meta.Rows = len(rows)
	noise := make([]float32, len(rows))
	for i := range rows {
		meta.Counts.add(&rows[i])
		noise[i] = -1
		if !math.IsNaN(rows[i].noise) {
			noise[i], meta.Noise = float32(rows[i].noise), true
		}
	}
	meta.Sentence = changeSentence(d, meta.Shown*w, *meta.BaseShown*wb, meta.Per)
	meta.Explain, meta.Names = explain(rows, meta.Shown*w-*meta.BaseShown*wb)
	cols := t.columns(d)
	cols.Add("noise", noise)
	cols.Schema, cols.Meta = "compare/1", meta
	return &Answer{Columns: cols}, nil
}

// changeRows are the functions with what they have now and had before, times
// w and wb.
func (d *Data) changeRows(t *tableRows, w, wb float64) []changeRow {
	factor, _ := d.scale()
	noise := d.flatNoise(w, wb)
	rows := make([]changeRow, len(t.of))
	for i, a := range t.of {
		r := changeRow{
			name: entryName(t.frames[i]), now: float64(a.Flat) * factor * w, was: float64(a.FlatBase) * factor * wb, noise: math.NaN(),
		}
		if v, ok := noise[r.name]; ok && t.frames[i].Name != "" && t.frames[i].Line == 0 {
			r.noise = v
		} else if noise != nil && a.Flat == 0 && a.FlatBase == 0 {
			r.noise = 0
		}
		rows[i] = r
	}
	return rows
}

func (c *changeCounts) add(r *changeRow) {
	switch {
	case r.now == 0 && r.was == 0:
	case r.settled():
		c.Same++
	case r.was == 0:
		c.New++
	case r.now == 0:
		c.Gone++
	case r.now > r.was:
		c.Up++
	default:
		c.Down++
	}
}

// lasted is how many seconds profiles took together, 0 when one does not say.
func lasted(list []*Shot) float64 {
	var sum float64
	for _, shot := range list {
		if shot.Profile.DurationNanos <= 0 {
			return 0
		}
		sum += float64(shot.Profile.DurationNanos) / 1e9
	}
	return sum
}

// perWord decides between raw values and those of a second.
func perWord(q *Query, d *Data, took [2]float64) (string, error) {
	possible := took[0] > 0 && took[1] > 0
	switch q.Own("per") {
	case "":
		const alike = 0.02
		if possible && !ofOneMoment(d.Kind.Name) && math.Abs(took[0]/took[1]-1) > alike {
			return "second", nil
		}
		return "raw", nil
	case "raw":
		return "raw", nil
	case "second":
		if !possible {
			return "", badRequest("Look at the raw values.", "the profiles do not say how long they took")
		}
		return "second", nil
	}
	return "", badRequest("Choose from raw, second.", "there is no per=%s", q.Own("per"))
}

// changeSentence says how the whole has changed.
func changeSentence(d *Data, now, was float64, per string) string {
	what := wholeWords(d.Kind.Name, d.View.Type)
	_, unit := d.scale()
	show := func(v float64) string { return quantity(v, unit) }
	if per == "second" {
		show = func(v float64) string { return quantity(v, unit) + "/s" }
	}
	switch {
	case now == was:
		return fmt.Sprintf("%s is the same: %s", title(what), show(now))
	case was == 0:
		return fmt.Sprintf("%s %s, none before", show(now), what)
	}
	return fmt.Sprintf("%s %s: %s \u2192 %s", title(what), signedPercent(now/was-1), show(was), show(now))
}

func signedPercent(f float64) string {
	sign := "+"
	if f < 0 {
		sign = "\u2212"
	}
	f = math.Abs(f) * 100
	switch {
	case f < 0.1:
		return sign + "<0.1 %"
	case f < 10:
		return fmt.Sprintf("%s%.1f %%", sign, f)
	case f >= 200 && sign == "+":
		return fmt.Sprintf("\u00d7%.1f", f/100+1)
	}
	return fmt.Sprintf("%s%.0f %%", sign, f)
}

// explained is which part of a change the functions that are named must be,
// and mostExplained how many may be named.
const (
	explained     = 0.8
	mostExplained = 5
)

// explain names the few functions that changed most in the direction of the
// whole, and what part of all changes in that direction they are.
func explain(rows []changeRow, change float64) (sentence string, names []string) {
	sign, word := 1.0, "growth"
	if change < 0 {
		sign, word = -1, "drop"
	}
	var sum float64
	list := make([]*changeRow, 0, len(rows))
	for i := range rows {
		if c := rows[i].change() * sign; c > 0 {
			sum += c
			list = append(list, &rows[i])
		}
	}
	if sum == 0 {
		return "", []string{}
	}
	slices.SortStableFunc(list, func(a, b *changeRow) int { return cmp.Compare(b.change()*sign, a.change()*sign) })
	var part float64
	names = []string{}
	for _, r := range list {
		if part >= explained*sum || len(names) == mostExplained {
			break
		}
		part += r.change() * sign
		names = append(names, r.name)
	}
	functions := fmt.Sprintf("%d functions explain", len(names))
	if len(names) == 1 {
		functions = "1 function explains"
	}
	return fmt.Sprintf("%s %.0f %% of the %s", functions, 100*part/sum, word), names
}

// differs says what besides the values is different.
func differs(d *Data) []string {
	list := []string{}
	now, was := d.Cur[0].Profile, d.Base[0].Profile
	say := func(what, a, b string) {
		if a != b && a != "" && b != "" {
			list = append(list, fmt.Sprintf("%s %s \u2192 %s", what, a, b))
		}
	}
	say("build", buildOf(was), buildOf(now))
	if was.Period > 0 && now.Period > 0 {
		say("sampling period", fmt.Sprint(was.Period), fmt.Sprint(now.Period))
	}
	if a, b := lasted(d.Base), lasted(d.Cur); a > 0 && b > 0 && math.Abs(a-b) > 0.02*max(a, b) {
		say("length", quantity(a*1e9, "nanoseconds"), quantity(b*1e9, "nanoseconds"))
	}
	if len(d.Base) != len(d.Cur) {
		list = append(list, fmt.Sprintf("profiles added up %d \u2192 %d", len(d.Base), len(d.Cur)))
	}
	return list
}

// buildOf is the beginning of the build ID of the program.
func buildOf(p *profile.Profile) string {
	if len(p.Mappings) < 2 {
		return ""
	}
	id := p.Mappings[1].BuildID
	return id[:min(8, len(id))]
}
