package verdict

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/profoundhq/profound/internal/leak"
)

// number is a float that JSON can hold: null for what is not known.
type number float64

// MarshalJSON writes null for NaN and infinities.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

type jsonEstimate struct {
	Value number `json:"value"`
	Low   number `json:"low"`
	High  number `json:"high"`
}

func jsonOf(e leak.Estimate) jsonEstimate {
	return jsonEstimate{number(e.Value), number(e.Low), number(e.High)}
}

type jsonFrame struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int64  `json:"line,omitempty"`
	Own      bool   `json:"own,omitempty"`
}

type jsonBranch struct {
	Path  []jsonFrame `json:"path"`
	Share number      `json:"share"`
}

// jsonFinding is one finding. Sizes are bytes, rates bytes or count a second
// (a round, with unit per round).
type jsonFinding struct {
	Class      string        `json:"class"`
	Resource   string        `json:"resource"`
	Sentence   string        `json:"sentence"`
	Reason     string        `json:"reason,omitempty"`
	Share      number        `json:"reason_share"`
	Level      string        `json:"level"`
	Blame      *jsonFrame    `json:"blame,omitempty"`
	BlameLevel string        `json:"blame_level,omitempty"`
	Path       []jsonFrame   `json:"path,omitempty"`
	Origin     []jsonFrame   `json:"origin,omitempty"`
	Below      []jsonBranch  `json:"below,omitempty"`
	Before     jsonEstimate  `json:"before"`
	After      jsonEstimate  `json:"after"`
	Slope      jsonEstimate  `json:"slope"`
	Unit       string        `json:"unit"`
	Keeps      number        `json:"keeps"`
	Samples    int           `json:"samples"`
	P          number        `json:"p"`
	Since      *time.Time    `json:"since,omitempty"`
	Earliest   *time.Time    `json:"earliest_verdict,omitempty"`
	Plateau    *jsonEstimate `json:"plateau,omitempty"`
	Settles    *time.Time    `json:"settles,omitempty"`
	Cause      int           `json:"cause"`
	HeldBy     []string      `json:"held_by,omitempty"`
	Next       []string      `json:"next,omitempty"`
	Times      []time.Time   `json:"times,omitempty"`
	Values     []number      `json:"values,omitempty"`
	Errors     []number      `json:"errors,omitempty"`
}

type jsonDate struct {
	At       time.Time  `json:"at"`
	Earliest *time.Time `json:"earliest,omitempty"`
	Latest   *time.Time `json:"latest,omitempty"`
}

type jsonForecast struct {
	Limit     number       `json:"limit"`
	LimitName string       `json:"limit_name"`
	Used      number       `json:"used"`
	Slope     jsonEstimate `json:"slope"`
	Thrash    *jsonDate    `json:"gc_thrash,omitempty"`
	Throttle  *jsonDate    `json:"throttle,omitempty"`
	OOM       *jsonDate    `json:"out_of_memory,omitempty"`
}

type jsonLedger struct {
	Resident      number            `json:"resident"`
	LiveHeap      number            `json:"live_heap"`
	Garbage       number            `json:"garbage"`
	Fragmentation number            `json:"fragmentation"`
	Stacks        number            `json:"stacks"`
	Runtime       number            `json:"runtime"`
	OffHeap       number            `json:"off_heap"`
	Rest          number            `json:"rest"`
	Growth        map[string]number `json:"growth,omitempty"`
}

type jsonVerdict struct {
	Schema   string        `json:"schema"`
	Verdict  string        `json:"verdict"`
	Sentence string        `json:"sentence"`
	From     *time.Time    `json:"from,omitempty"`
	To       *time.Time    `json:"to,omitempty"`
	Looks    int           `json:"looks"`
	Targets  int           `json:"targets"`
	Restarts int           `json:"restarts,omitempty"`
	Findings []jsonFinding `json:"findings"`
	Totals   []jsonFinding `json:"totals"`
	Forecast *jsonForecast `json:"forecast,omitempty"`
	Ledger   *jsonLedger   `json:"ledger,omitempty"`
	Earliest *time.Time    `json:"earliest_verdict,omitempty"`
	Warnings []string      `json:"warnings,omitempty"`
}

// WriteJSON prints a verdict as JSON of schema leak/1. The series come with
// the totals, and with findings that leak or grow.
func WriteJSON(out io.Writer, v *leak.Verdict, o Options) error {
	j := jsonVerdict{
		Schema: "leak/1", Verdict: ClassWord(v.Worst()), Sentence: Headline(v, o),
		From: o.moment(v.From), To: o.moment(v.To), Looks: v.Looks, Targets: v.Targets, Restarts: v.Restarts,
		Findings: []jsonFinding{}, Totals: []jsonFinding{}, Earliest: o.moment(v.Earliest),
		Forecast: forecastJSON(v.Forecast), Ledger: ledgerJSON(v.Ledger),
	}
	for i := range v.Findings {
		f := findingJSON(v, &v.Findings[i], o)
		if o.Held != nil {
			f.HeldBy = o.Held(i)
		}
		j.Findings = append(j.Findings, f)
	}
	for i := range v.Totals {
		j.Totals = append(j.Totals, findingJSON(v, &v.Totals[i], o))
	}
	for _, err := range v.Warnings {
		j.Warnings = append(j.Warnings, err.Error())
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(j)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// moment is a time of the run, nil where the looks are rounds: their times
// only number them.
func (o *Options) moment(t time.Time) *time.Time {
	if o.Rounds {
		return nil
	}
	return moment(t)
}

func findingJSON(v *leak.Verdict, f *leak.Finding, o Options) jsonFinding {
	j := jsonFinding{
		Class: ClassWord(f.Class), Resource: ResourceWord(f.Resource), Sentence: Sentence(v, f, o),
		Reason: string(f.Reason.Code), Share: number(f.Reason.Share), Level: levelWord(f.Level),
		Path: framesJSON(f.Path), Origin: framesJSON(f.Origin),
		Before: jsonOf(f.Before), After: jsonOf(f.After), Slope: jsonOf(f.Slope), Unit: unitJSON(f.Resource, o),
		Keeps: number(f.Keeps), Samples: f.Samples, P: number(f.P),
		Since: o.moment(f.Since), Earliest: o.moment(f.Earliest), Settles: o.moment(f.Settles), Cause: f.Cause,
	}
	if at := Blame(f); at != nil {
		b := frameJSON(*at)
		j.Blame, j.BlameLevel = &b, levelWord(f.BlameLevel)
	}
	for _, b := range f.Below {
		j.Below = append(j.Below, jsonBranch{framesJSON(b.Path), number(b.Share)})
	}
	if f.Class == leak.Filling && !math.IsNaN(f.Plateau.Value) {
		p := jsonOf(f.Plateau)
		j.Plateau = &p
	}
	if len(f.Path) == 0 || f.Class == leak.Leak || f.Class == leak.Growing {
		if !o.Rounds {
			j.Times = f.Times
		}
		j.Values, j.Errors = numbers(f.Values), numbers(f.Errors)
	}
	if o.Next != nil && (f.Class == leak.Leak || f.Class == leak.Growing) {
		j.Next = o.Next(f)
	}
	return j
}

func unitJSON(r leak.Resource, o Options) string {
	u := "bytes"
	if isCount(r) {
		u = "count"
	}
	if o.Rounds {
		return u + "/round"
	}
	return u + "/second"
}

func numbers(v []float64) []number {
	out := make([]number, len(v))
	for i, x := range v {
		out[i] = number(x)
	}
	return out
}

func frameJSON(f leak.Frame) jsonFrame { return jsonFrame(f) }

func framesJSON(path []leak.Frame) []jsonFrame {
	var out []jsonFrame
	for _, f := range path {
		out = append(out, frameJSON(f))
	}
	return out
}

func dateJSON(d leak.Date) *jsonDate {
	if d.IsZero() {
		return nil
	}
	return &jsonDate{At: d.Value, Earliest: moment(d.Earliest), Latest: moment(d.Latest)}
}

func forecastJSON(c *leak.Forecast) *jsonForecast {
	if c == nil {
		return nil
	}
	return &jsonForecast{
		Limit: number(c.Limit), LimitName: c.LimitName, Used: number(c.Used), Slope: jsonOf(c.Slope),
		Thrash: dateJSON(c.Thrash), Throttle: dateJSON(c.Throttle), OOM: dateJSON(c.OOM),
	}
}

func ledgerJSON(l *leak.Ledger) *jsonLedger {
	if l == nil {
		return nil
	}
	j := &jsonLedger{
		Resident: number(l.Resident), LiveHeap: number(l.LiveHeap), Garbage: number(l.Garbage), Fragmentation: number(l.Fragmentation),
		Stacks: number(l.Stacks), Runtime: number(l.Runtime), OffHeap: number(l.OffHeap), Rest: number(l.Rest),
		Growth: map[string]number{},
	}
	for i, name := range []string{"resident", "live_heap", "garbage", "fragmentation", "stacks", "runtime", "off_heap", "rest"} {
		j.Growth[name] = number(l.Growth[i])
	}
	return j
}
