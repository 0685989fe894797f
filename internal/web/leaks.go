package web

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/verdict"
)

// leaksView is the whole verdict: what grows, why it is or is no leak, and
// when memory runs out.
func leaksView() View {
	return View{Name: "leaks", Help: "What grows over time: findings with class, reasons, path and next commands; forecast and ledger of memory (schema leaks/1)", Answer: answerLeaks}
}

// heldView asks the heap who holds what a finding is about.
func heldView() View {
	return View{Name: "held", Help: "Who holds what a finding of leaks is about, from the heap of the process (schema held/1)", Plain: true,
		Params: []Param{{"finding", "0", "Index of the finding"}}, Answer: answerHeld}
}

// Leaks is the answer of leaksView.
type Leaks struct {
	Schema   string `json:"schema"`
	Headline string `json:"headline"`
	// Worst is the class of the gravest finding.
	Worst    string    `json:"worst"`
	From     int64     `json:"from"`
	To       int64     `json:"to"`
	Looks    int       `json:"looks"`
	Targets  int       `json:"targets"`
	Restarts int       `json:"restarts"`
	Findings []Finding `json:"findings"`
	// Next are commands that show more, by finding.
	Next   [][]string `json:"next"`
	Totals []Finding  `json:"totals"`
	// Earliest is when a verdict will be possible, 0 if it is.
	Earliest int64     `json:"earliest,omitempty"`
	Forecast *Forecast `json:"forecast,omitempty"`
	// Ledger splits resident memory, largest part first; nil if unknown.
	Ledger   []LedgerPart `json:"ledger"`
	Warnings []string     `json:"warnings"`
}

// Forecast is when memory ends, were all to go on like this. Moments are in
// milliseconds since 1970.
type Forecast struct {
	Limit     float64  `json:"limit"`
	LimitName string   `json:"limitName"`
	Used      float64  `json:"used"`
	Unit      string   `json:"unit"`
	Slope     Estimate `json:"slope"`
	Dates     []Date   `json:"dates"`
}

// Date is something that will happen; Latest 0 is perhaps never.
type Date struct {
	What     string `json:"what"`
	At       int64  `json:"at"`
	Earliest int64  `json:"earliest"`
	Latest   int64  `json:"latest"`
	// In is how long it is until then, in words.
	In string `json:"in"`
}

// LedgerPart is a part of resident memory, bytes; Growth a second.
type LedgerPart struct {
	Name   string   `json:"name"`
	Bytes  float64  `json:"bytes"`
	Growth *float64 `json:"growth"`
}

func answerLeaks(_ context.Context, s *Session, _ *Query) (*Answer, error) {
	v := s.Verdict
	if v == nil {
		return nil, notFound("Watch the program for a while: profound leak -save DIR HOST:PORT, then profound web DIR.", "growth needs several profiles over time")
	}
	worst, _ := worstWord(v)
	a := &Leaks{
		Schema: "leaks/1", Headline: verdict.Headline(v, s.words()), Worst: worst, From: millis(v.From), To: millis(v.To),
		Looks: v.Looks, Targets: v.Targets, Restarts: v.Restarts, Earliest: millis(v.Earliest),
		Findings: []Finding{}, Totals: []Finding{}, Next: [][]string{}, Warnings: []string{},
		Forecast: s.forecast(), Ledger: ledgerOf(v.Ledger),
	}
	for i := range v.Findings {
		a.Findings = append(a.Findings, s.finding(&v.Findings[i], i))
		a.Next = append(a.Next, s.nextCommands(&v.Findings[i]))
	}
	for i := range v.Totals {
		a.Totals = append(a.Totals, s.finding(&v.Totals[i], -1))
	}
	for _, w := range v.Warnings {
		a.Warnings = append(a.Warnings, w.Error())
	}
	return &Answer{JSON: a}, nil
}

func (s *Session) forecast() *Forecast {
	c, now := s.Verdict.Forecast, s.Verdict.To
	if c == nil {
		return nil
	}
	f := &Forecast{Limit: c.Limit, LimitName: c.LimitName, Used: c.Used, Unit: "bytes", Slope: estimateOf(c.Slope), Dates: []Date{}}
	if c.LimitName == "descriptors" {
		f.Unit = "count"
	}
	for _, d := range []struct {
		what string
		date leak.Date
	}{{"the collector takes the CPU, at GOMEMLIMIT", c.Thrash}, {"the system slows the process, at memory.high", c.Throttle}, {"out of " + endWord(c.LimitName), c.OOM}} {
		if d.date.IsZero() {
			continue
		}
		in := "now"
		if d.date.Value.After(now) {
			in = "in " + verdict.Duration(d.date.Value.Sub(now))
		}
		f.Dates = append(f.Dates, Date{d.what, millis(d.date.Value), millis(d.date.Earliest), millis(d.date.Latest), in})
	}
	return f
}

func endWord(limit string) string {
	if limit == "descriptors" {
		return "file descriptors"
	}
	return "memory"
}

func ledgerOf(l *leak.Ledger) []LedgerPart {
	parts := []LedgerPart{}
	if l == nil {
		return parts
	}
	values := []float64{l.LiveHeap, l.Garbage, l.Fragmentation, l.Stacks, l.Runtime, l.OffHeap, l.Rest}
	for i, name := range []string{"live heap", "garbage", "fragmentation", "stacks", "runtime", "outside the heap", "rest"} {
		if !math.IsNaN(values[i]) {
			parts = append(parts, LedgerPart{name, values[i], known(l.Growth[i+1])})
		}
	}
	return parts
}

// nextCommands are command lines that show more of a finding.
func (s *Session) nextCommands(f *leak.Finding) []string {
	out := []string{}
	kind := "heap"
	if f.Resource == leak.Goroutines {
		kind = "goroutine"
	}
	k, err := s.Kind(kind)
	if err != nil || len(f.Path) == 0 || f.Resource != leak.Heap && f.Resource != leak.Goroutines {
		return out
	}
	shots := k.Shots
	last := shellWord(shots[len(shots)-1].Name)
	if s.sent || shots[len(shots)-1].unsaved {
		// There is no file to name.
	} else if at := verdict.Blame(f); at != nil && kind == "heap" {
		out = append(out, "profound -list "+shellWord(exactly(at.Function))+" "+last)
	} else {
		out = append(out, "profound -peek "+shellWord(exactly(f.Path[0].Function))+" "+last)
	}
	if !s.HasHeap() && kind == "heap" {
		at := f.Path[len(f.Path)-1].Function
		if b := verdict.Blame(f); b != nil {
			at = b.Function
		}
		out = append(out, "profound why -at "+shellWord(exactly(at))+" PID")
	}
	return out
}

// Held is the answer of heldView: sentences that begin in the middle, as in
// "held by ...".
type Held struct {
	Schema string   `json:"schema"`
	Held   []string `json:"held"`
}

func answerHeld(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	if s.Verdict == nil || len(s.Verdict.Findings) == 0 {
		return nil, notFound("", "there is no finding")
	}
	i, err := q.OwnInt("finding", 0, 0, len(s.Verdict.Findings)-1)
	if err != nil {
		return nil, err
	}
	f := &s.Verdict.Findings[i]
	a := &Held{Schema: "held/1", Held: []string{}}
	if !reason.Holdable(f) {
		return &Answer{JSON: a}, nil
	}
	err = s.Heap(ctx, func(h *Heap) error {
		a.Held = append(a.Held, reason.Held(h.Analysis, f)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Answer{JSON: a}, nil
}

// reportText is what "copy report" copies: the verdict as text, with where it
// comes from.
func (s *Session) reportText() string {
	var b strings.Builder
	if err := verdict.Write(&b, s.Verdict, verdict.Options{Now: s.Verdict.To, Over: true, Width: 100}); err != nil {
		return ""
	}
	fmt.Fprintf(&b, "\n%s: %s, %s to %s\n", s.Title, manyWords(s.Verdict.Looks, "profile"), s.Verdict.From.Format("2006-01-02 15:04:05"), verdict.Clock(s.Verdict.To, s.Verdict.To))
	return b.String()
}
