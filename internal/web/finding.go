package web

import (
	"fmt"
	"math"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/verdict"
)

// Finding is one judgement of the leak detector as the page shows it. Amounts
// are bytes or counts, slopes the same a second; what is unknown is null.
type Finding struct {
	// Index is its place in the verdict, -1 for the whole of a resource.
	Index int `json:"index"`
	// Class is steady churn shrinking load step filling growing leak, Resource
	// goroutines descriptors heap off-heap resident.
	Class    string `json:"class"`
	Resource string `json:"resource"`
	// Sentence says it, Subject what it is about.
	Sentence string   `json:"sentence"`
	Subject  string   `json:"subject"`
	Reason   string   `json:"reason,omitempty"`
	Evidence []Clause `json:"evidence"`
	// Confidence is high, low or none; ConfidenceWhy says on what it rests.
	Confidence    string `json:"confidence"`
	ConfidenceWhy string `json:"confidenceWhy"`
	// Blame is the program's own code to look at first, nil if unknown.
	Blame *Call `json:"blame,omitempty"`
	// Path leads to where the growth is, outermost first; Origin to who starts
	// what is on Path, when that is somewhere else. Below are the calls between
	// which the growth is divided.
	Path   []Call   `json:"path"`
	Origin []Call   `json:"origin,omitempty"`
	Below  []Branch `json:"below,omitempty"`
	Unit   string   `json:"unit"` // bytes or count
	Before Estimate `json:"before"`
	After  Estimate `json:"after"`
	Slope  Estimate `json:"slope"`
	Keeps  *float64 `json:"keeps"`
	P      *float64 `json:"p"`
	// Moments are in milliseconds since 1970, 0 for none.
	Since    int64     `json:"since,omitempty"`
	Earliest int64     `json:"earliest,omitempty"`
	Settles  int64     `json:"settles,omitempty"`
	Plateau  *Estimate `json:"plateau,omitempty"`
	// Cause is the Index of the finding that explains this one, -1 if none.
	Cause  int        `json:"cause"`
	Times  []int64    `json:"times"`
	Values []*float64 `json:"values"`
	Errors []*float64 `json:"errors"`
}

// Clause is a piece of evidence. Level is certain, tested or inferred; of an
// estimate from samples, sampled.
type Clause struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

// Call is one frame of a path.
type Call struct {
	Name     string          `json:"name"`
	File     string          `json:"file,omitempty"`
	Line     int64           `json:"line,omitempty"`
	Category render.Category `json:"category"`
}

// Branch is a part of a finding's growth.
type Branch struct {
	Path  []Call  `json:"path"`
	Share float64 `json:"share"`
}

// Estimate is a number with its 95 % interval.
type Estimate struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// known is v, nil where it is no number: JSON has none for that.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func estimateOf(e leak.Estimate) Estimate {
	return Estimate{known(e.Value), known(e.Low), known(e.High)}
}

func callOf(f leak.Frame) Call {
	c := Call{f.Function, f.File, f.Line, report.CategoryFrom(origin.OfFrame(f.Function, f.File))}
	if f.Own {
		c.Category = render.CategoryOwn
	}
	return c
}

func callsOf(path []leak.Frame) []Call {
	list := make([]Call, len(path))
	for i, f := range path {
		list[i] = callOf(f)
	}
	return list
}

// words are the options for sentences of the session's verdict.
func (s *Session) words() verdict.Options { return verdict.Options{Now: s.Verdict.To, Over: true} }

// finding is f of the session's verdict; index is -1 for a total.
func (s *Session) finding(f *leak.Finding, index int) Finding {
	v, o := s.Verdict, s.words()
	out := Finding{
		Index: index, Class: verdict.ClassWord(f.Class), Resource: verdict.ResourceWord(f.Resource),
		Sentence: verdict.Sentence(v, f, o), Subject: verdict.Subject(f), Reason: verdict.Reason(f), Evidence: []Clause{},
		Path: callsOf(f.Path), Origin: callsOf(f.Origin), Unit: "bytes",
		Before: estimateOf(f.Before), After: estimateOf(f.After), Slope: estimateOf(f.Slope), Keeps: known(f.Keeps), P: known(f.P),
		Since: millis(f.Since), Earliest: millis(f.Earliest), Settles: millis(f.Settles), Cause: f.Cause,
		Values: knownAll(f.Values), Errors: knownAll(f.Errors), Times: make([]int64, len(f.Times)),
	}
	for i, t := range f.Times {
		out.Times[i] = millis(t)
	}
	if f.Resource == leak.Goroutines || f.Resource == leak.FileDescriptors {
		out.Unit = "count"
	}
	for _, c := range verdict.Evidence(v, f, o) {
		out.Evidence = append(out.Evidence, Clause(c))
	}
	if at := verdict.Blame(f); at != nil {
		c := callOf(*at)
		out.Blame = &c
	}
	for _, b := range f.Below {
		out.Below = append(out.Below, Branch{callsOf(b.Path), b.Share})
	}
	if f.Class == leak.Filling && !math.IsNaN(f.Plateau.Value) {
		p := estimateOf(f.Plateau)
		out.Plateau = &p
	}
	out.Confidence, out.ConfidenceWhy = confidence(v, f)
	return out
}

func knownAll(values []float64) []*float64 {
	list := make([]*float64, len(values))
	for i, v := range values {
		list[i] = known(v)
	}
	return list
}

// fewLooks is up to how many looks nothing is more than low confidence.
const fewLooks = 3

// confidence says how far a finding is to be trusted, and why.
func confidence(v *leak.Verdict, f *leak.Finding) (word, why string) {
	looks := looksOver(v)
	switch {
	case f.Level == leak.Certain && f.Reason.Code == leak.Unreachable:
		return "high", "the collector itself says so"
	case v.Looks <= fewLooks:
		return "low", fmt.Sprintf("%s, take %d more", manyWords(v.Looks, "profile"), fewLooks+1-v.Looks)
	case f.Class == leak.Unknown:
		return "none", looks
	case f.Class == leak.Growing && !f.Earliest.IsZero() && f.Earliest.After(v.To):
		return "low", looks + "; needs " + verdict.MoreWatching(f.Earliest.Sub(v.To))
	case f.Class == leak.Growing:
		return "low", looks
	}
	return "high", looks
}

// looksOver is how much a verdict rests on.
func looksOver(v *leak.Verdict) string {
	return manyWords(v.Looks, "profile") + " over " + verdict.Duration(v.To.Sub(v.From))
}

// worstWord names the class of a verdict and whether something is to be done.
func worstWord(v *leak.Verdict) (word string, bad bool) {
	c := v.Worst()
	return verdict.ClassWord(c), c == leak.Leak || c == leak.Growing
}

// seconds is how long it is from a to b.
func seconds(a, b time.Time) float64 { return b.Sub(a).Seconds() }
