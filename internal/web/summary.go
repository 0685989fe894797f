package web

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/verdict"
)

// summaryView opens on the finding: what grows when there is time in the
// session, else the biggest contributor.
func summaryView() View {
	return View{
		Name: "summary",
		Help: "The finding in a sentence with its evidence, growth, the paths it is about, and what else is to be seen (schema summary/1)",
		Params: []Param{
			{"least", "1", "Functions below so many percent of the change, or of the whole, are left out of the table"},
		},
		Answer: answerSummary,
	}
}

// Summary is the answer of summaryView.
type Summary struct {
	Schema string `json:"schema"`
	Head
	Headline Headline `json:"headline"`
	// Finding is the one the headline is about, -1 for none, and Call where to
	// look first.
	Finding int   `json:"finding"`
	Call    *Call `json:"call,omitempty"`
	// Picture is how the whole went, nil with one profile.
	Picture *Picture `json:"picture,omitempty"`
	// Growing tells that Rows have a base and a trend.
	Growing bool `json:"growing"`
	// Attributed tells that Current of Rows counts each sample for the innermost
	// function of the program, not for the innermost at all.
	Attributed bool         `json:"attributed"`
	Rows       []SummaryRow `json:"rows"`
	// Hidden is how many functions are below least.
	Hidden int     `json:"hidden"`
	Least  float64 `json:"least"`
	Tiles  []Tile  `json:"tiles"`
	// Report is the whole as text, to be copied.
	Report string `json:"report"`
}

// Headline is what there is to say first.
type Headline struct {
	// Class is that of a finding, "" when it is no judgement of growth.
	Class string `json:"class"`
	// Tone is grow, ok or none.
	Tone          string   `json:"tone"`
	Confidence    string   `json:"confidence,omitempty"`
	ConfidenceWhy string   `json:"confidenceWhy,omitempty"`
	Title         string   `json:"title"`
	Text          string   `json:"text"`
	Evidence      []Clause `json:"evidence"`
}

// Picture is a curve. Errors are standard errors, nil if there are none.
type Picture struct {
	Title  string     `json:"title"`
	Unit   string     `json:"unit"`
	Times  []int64    `json:"times"`
	Values []*float64 `json:"values"`
}

// SummaryRow is a path that grows, or a function that has much.
type SummaryRow struct {
	Call
	// Finding is the index of its finding, -1 for a function that has none.
	Finding int      `json:"finding"`
	Base    *float64 `json:"base"`
	Current *float64 `json:"current"`
	// Noise is half the 95 % interval of the change, nil if unknown.
	Noise *float64   `json:"noise"`
	Trend []*float64 `json:"trend"`
	Rate  Estimate   `json:"rate"`
	// Class is that of the finding; of others part (of finding Of), noise, waves
	// (up and down), more, less; "" without a base.
	Class string  `json:"class"`
	Of    int     `json:"of"`
	Unit  string  `json:"unit"`
	Cum   float64 `json:"cum"`
}

// Limits of what a summary lists.
const (
	summaryRows   = 14
	summaryPoints = 24
)

func answerSummary(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	least, err := q.OwnFloat("least", 1, 0, 100)
	if err != nil {
		return nil, err
	}
	k, err := s.Kind(q.Kind)
	if err != nil {
		return nil, err
	}
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	a := &Summary{Schema: "summary/1", Finding: -1, Least: least, Rows: []SummaryRow{}, Tiles: []Tile{}}
	judged := s.Verdict != nil && (k.Name == "heap" || k.Name == "goroutine")
	if judged {
		a.judged(s)
		if q.narrowed(k) {
			a.Headline.Evidence = append(a.Headline.Evidence, Clause{"certain", wholeFinding})
		}
	}
	if c, err := s.compared(q); err == nil && len(k.Shots) > 1 && ofOneMoment(k.Name) {
		if d, err = s.Data(ctx, c); err != nil {
			return nil, err
		}
		a.Growing = true
	}
	a.Head = d.Head()
	if !judged {
		a.contributor(d)
	}
	if err := a.addRows(ctx, s, q, d); err != nil {
		return nil, err
	}
	if a.Picture == nil {
		seen, err := s.through(ctx, q, k, d.View.Type)
		if err != nil {
			return nil, err
		}
		a.Picture = s.pictureOf(seen, d)
	}
	if a.Tiles, err = s.tiles(ctx, q, k); err != nil {
		return nil, err
	}
	return &Answer{JSON: a}, nil
}

// wholeFinding is said where a judgement stands above what is only a part.
const wholeFinding = "the finding is of all samples and profiles: the filters and the profiles that were chosen do not change it"

// narrowed tells that a query asks for less than the session shows by itself:
// filtered samples, or other profiles.
func (q *Query) narrowed(k *Kind) bool {
	list, _ := q.filters()
	return len(list) > 0 || !q.Cur.IsDefault() && q.Cur != k.Cur || !q.Base.IsDefault() && q.Base != k.Base
}

// judged fills in what the leak detector says.
func (a *Summary) judged(s *Session) {
	v := s.Verdict
	word, bad := worstWord(v)
	a.Report = s.reportText()
	h := Headline{Class: word, Tone: "ok", Title: verdict.Headline(v, s.words()), Evidence: []Clause{}}
	resource := leak.Heap
	if bad {
		i := slices.IndexFunc(v.Findings, func(f leak.Finding) bool { return f.Class == leak.Leak || f.Class == leak.Growing })
		if i >= 0 {
			f := s.finding(&v.Findings[i], i)
			a.Finding, a.Call, resource = i, f.Blame, v.Findings[i].Resource
			if a.Call == nil && len(f.Path) > 0 {
				a.Call = &f.Path[len(f.Path)-1]
			}
			h.Class, h.Tone, h.Title, h.Text = f.Class, "grow", shortSentence(v, &v.Findings[i]), f.Sentence
			h.Confidence, h.ConfidenceWhy, h.Evidence = f.Confidence, f.ConfidenceWhy, f.Evidence
		}
	} else if word == "unknown" {
		h.Tone = "none"
	}
	if !bad {
		for i := range v.Findings { // why what grew is no leak
			h.Evidence = append(h.Evidence, Clause{"tested", verdict.Sentence(v, &v.Findings[i], s.words())})
		}
		h.Confidence, h.ConfidenceWhy = "high", looksOver(v)
		if v.Looks <= fewLooks {
			h.Confidence = "low"
		}
	}
	a.Headline = h
	for i := range v.Totals {
		if f := &v.Totals[i]; f.Resource == resource && len(f.Values) > 1 {
			t := s.finding(f, -1)
			a.Picture = &Picture{Title: totalTitle(resource), Unit: t.Unit, Times: t.Times, Values: t.Values}
		}
	}
}

func totalTitle(r leak.Resource) string {
	switch r {
	case leak.Heap:
		return "Live heap"
	case leak.Goroutines:
		return "Goroutines"
	case leak.FileDescriptors:
		return "File descriptors"
	case leak.OffHeap:
		return "Memory outside the heap"
	}
	return "Resident memory"
}

// shortSentence is a finding as a title: how much there is, how much of it is
// new, and since when.
func shortSentence(v *leak.Verdict, f *leak.Finding) string {
	now, more := verdict.Amount(f.Resource, f.After.Value), verdict.Amount(f.Resource, f.After.Value-f.Before.Value)
	in := verdict.Duration(v.To.Sub(v.From))
	if n := len(f.Times); n > 1 {
		in = verdict.Duration(f.Times[n-1].Sub(f.Times[0]))
	}
	who := inSentence(verdict.Subject(f))
	if len(f.Path) == 0 {
		who = title(who)
	}
	switch f.Resource {
	case leak.Heap:
		return fmt.Sprintf("%s holds %s and added %s in %s", who, now, more, in)
	case leak.Goroutines:
		return fmt.Sprintf("%s: %s goroutines, %s more in %s", who, now, more, in)
	case leak.FileDescriptors:
		return fmt.Sprintf("%s: %s open, %s more in %s", who, now, more, in)
	}
	return fmt.Sprintf("%s: %s, %s more in %s", who, now, more, in)
}

// contributor says which of the program's own functions has most of what was
// sampled.
func (a *Summary) contributor(d *Data) {
	_, unit := d.scale()
	c := contributors(d)
	what := wholeWords(d.Kind.Name, d.View.Type)
	h := Headline{Tone: "none", Evidence: []Clause{}}
	level := "sampled"
	if isCounted(d.Kind.Name) {
		level = "certain"
	}
	defer func() { a.Headline = h }()
	if c.down > 0 {
		a.Call, h.Title, h.Text = c.difference(d, what)
		h.Evidence = append(h.Evidence, Clause{"certain", "shares are of all that changed, up and down added up"})
		a.Report = h.Title + ".\n" + h.Text + "\n"
		return
	}
	if c.total == 0 {
		h.Title = "There is no " + what + " in this profile"
		h.Text = "Either nothing happened while it was taken, or the filters leave nothing."
		return
	}
	amount := func(v float64) string { return quantity(v, unit) }
	top, byOwn := c.own.top()
	if byOwn == 0 {
		top, byOwn = c.leaf.top()
	}
	if top == "" { // no symbols: what the table calls it
		if rows := d.changeRows(newTableRows(d), 1, 1); len(rows) > 0 {
			top, byOwn = rows[0].name, rows[0].now
		}
	}
	verb := verbOf(d.Kind.Name, d.View.Type)
	a.Call = d.call(top)
	h.Title = fmt.Sprintf("%s %s %s, %s of the %s", inSentence(top), verb, amount(byOwn), percentOf(byOwn, c.total), what)
	if verb == "runs" {
		h.Title = fmt.Sprintf("%s goroutines run %s, %s of %s", amount(byOwn), inSentence(top), percentOf(byOwn, c.total), amount(c.total))
	}
	if pkg, v := c.packages().top(); byOwn < thinShare*c.total && v > byOwn && c.own[top] > 0 {
		inside := c.own.within(pkg)
		most, m := inside.top()
		a.Call = d.call(most)
		h.Title = fmt.Sprintf("Package %s %s %s, %s of the %s", pkg, verb, amount(v), percentOf(v, c.total), what)
		h.Evidence = append(h.Evidence, Clause{level, fmt.Sprintf("it is spread over %d functions; most is in %s with %s, %s", len(inside), inSentence(most), amount(m), percentOf(m, c.total))})
		top, byOwn = most, m
	}
	if c.own[top] > 0 {
		h.Text = fmt.Sprintf("Of %s, %s ends in %s or in what it calls outside the program's own code", amount(c.total), percentOf(byOwn, c.total), inSentence(top))
		if c.nobody != 0 {
			h.Text += fmt.Sprintf("; %s is in no function of the program", percentOf(c.nobody, c.total))
		}
		h.Text += "."
		h.Evidence = append(h.Evidence, Clause{"certain", "each sample counts for the innermost function of the program on its stack"})
	} else {
		h.Text = fmt.Sprintf("Of %s, nothing is known to be in the program's own code; this is what is at the end of most stacks.", amount(c.total))
	}
	if leaf, v := c.leaf.top(); leaf != "" && leaf != top {
		h.Evidence = append(h.Evidence, Clause{level, fmt.Sprintf("at the end of the stacks: %s with %s, %s", inSentence(leaf), amount(v), percentOf(v, c.total))})
	}
	h.Evidence = append(h.Evidence, c.accuracy(d, top, byOwn, unit))
	if t := lasted(d.Cur); t > 0 && d.View.Type == "cpu" {
		h.Evidence = append(h.Evidence, Clause{level, fmt.Sprintf("%s in %s: %.2g of a core", amount(c.total), quantity(t*1e9, "nanoseconds"), c.total/1e9/t)})
	}
	if len(d.Kind.Shots) < 2 && ofOneMoment(d.Kind.Name) {
		h.Evidence = append(h.Evidence, Clause{"inferred", "one profile says how much there is, not whether it grows: profound leak HOST:PORT watches it"})
	}
	a.Report = h.Title + ".\n" + h.Text + "\n"
	for _, e := range h.Evidence {
		a.Report += e.Level + "  " + e.Text + "\n"
	}
}

// difference says of a profile that was saved as the difference of two what
// changed most, and how much went up and down.
func (c *contribution) difference(d *Data, what string) (at *Call, title, text string) {
	_, unit := d.scale()
	top, v := c.own.top()
	if v == 0 {
		top, v = c.leaf.top()
	}
	at, title = d.call(top), fmt.Sprintf("Net, no function changed its %s", what)
	if v != 0 {
		way := "more"
		if v < 0 {
			way = "less"
		}
		title = fmt.Sprintf("%s %s %s %s, %s of all that changed", inSentence(top), verbOf(d.Kind.Name, d.View.Type), quantity(math.Abs(v), unit), way, percentOf(math.Abs(v), c.up+c.down))
	}
	return at, title, fmt.Sprintf("This profile is a difference: %s net of %s, %s up and %s down.", quantity(c.total, unit), what, quantity(c.up, unit), quantity(c.down, unit))
}

// thinShare is below which part of the whole the first function says less than
// its package.
const thinShare = 0.1

// call is a function as it is selected.
func (d *Data) call(name string) *Call {
	info := d.Names.Of(name)
	return &Call{name, info.File, int64(info.Line), info.Category}
}

// isCounted tells kinds that list everything from those that sample.
func isCounted(kind string) bool {
	return kind == "goroutine" || kind == "threadcreate" || kind == "goroutineleak"
}

// accuracy says how exact the number of a contributor is.
func (c *contribution) accuracy(d *Data, name string, v float64, unit string) Clause {
	variance, sampled := c.variance[name]
	switch {
	case isCounted(d.Kind.Name):
		return Clause{"certain", "counted, not sampled"}
	case !sampled || v == 0:
		return Clause{"inferred", "how much was sampled is not in the profile: no error bars"}
	}
	half := twoSigma * math.Sqrt(variance)
	return Clause{"sampled", fmt.Sprintf("%s ± %s (95 %%), from samples", quantity(v, unit), quantity(half, unit))}
}
