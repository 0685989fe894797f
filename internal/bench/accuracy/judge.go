package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// match is how well a finding names the function to blame.
type match int

const (
	noMatch match = iota
	onPath        // it is on the path or the origin
	exactly       // it is the one that is blamed
)

func (m match) String() string { return [...]string{"no", "on the path", "yes"}[m] }

// outcome is the judgement on one answer.
type outcome struct {
	zooCase
	err error // the service, the program or the twin failed

	answer  *answer
	twin    *twin // nil if there is none
	flagged bool  // some finding is a leak
	growing bool  // some finding is growing, and none a leak
	signal  bool  // a leak of the resource that leaks
	blame   match
	// blameless is set when nothing that was collected has the function.
	blameless bool
	best      *finding // the leak that is named first; nil if none
	truth     truth    // of best
	known     bool     // there are an interval and a truth to compare
	covered   bool     // the interval has the truth in it
	// stray are leaks of what does not grow, by the twin.
	stray []string

	// settled is how long the run had to be for the leak to be called so.
	settled    time.Duration
	settledErr error
}

// resources says which resources a manifest means by a signal.
func resources(signal string) []string {
	switch signal {
	case "heap":
		return []string{"heap"}
	case "goroutine":
		return []string{"goroutines"}
	case "fd":
		return []string{"descriptors"}
	case "rss":
		return []string{"off-heap", "resident"}
	}
	return nil
}

// judge compares an answer with what is expected and, if there is a twin, with
// the exact figures.
func judge(c zooCase, a *answer, t *twin) outcome {
	o := outcome{zooCase: c, answer: a, twin: t, truth: truth{math.NaN(), math.NaN(), math.NaN()}}
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Class == "growing" {
			o.growing = true
		}
		if f.Class != "leak" {
			continue
		}
		o.flagged = true
		if o.best == nil {
			o.best, o.signal, o.blame = f, slices.Contains(resources(c.Signal), f.Resource), matchOf(&c.expectation, f)
		}
		if t != nil && f.Cause < 0 && idle(f, t) {
			o.stray = append(o.stray, f.Sentence)
		}
	}
	o.growing = o.growing && !o.flagged
	if o.best != nil && t != nil {
		o.truth = t.of(o.best)
		o.known = o.best.Slope.known() && !math.IsNaN(o.truth.slope)
		o.covered = o.known && o.best.Slope.covers(o.truth.slope)
	}
	return o
}

func matchOf(e *expectation, f *finding) match {
	if f.Blame != nil && e.blames(f.Blame.Function) {
		return exactly
	}
	for _, frames := range [][]frame{f.Path, f.Origin} {
		if slices.ContainsFunc(frames, func(at frame) bool { return e.blames(at.Function) }) {
			return onPath
		}
	}
	return noMatch
}

// idle tells that what a finding calls a leak did not grow, or by less than a
// quarter of what is said.
func idle(f *finding, t *twin) bool {
	real := t.of(f)
	return real.slope < float64(f.Slope.Value)/4
}

// right tells whether the verdict on the case is right as such.
func (o *outcome) right() bool { return o.err == nil && o.flagged == o.Leak }

// line is the outcome in one line.
func (o *outcome) line() string {
	if o.err != nil {
		return "not measured: " + o.err.Error()
	}
	word := "ok"
	switch {
	case o.Leak && !o.flagged:
		word = "MISSED (" + o.answer.Verdict + ")"
	case !o.Leak && o.flagged:
		word = "FALSE"
	case o.Leak && !o.signal:
		word = "wrong resource (" + o.best.Resource + ")"
	case o.Leak && o.blame != exactly && !o.blameless:
		word = "wrong blame"
	case o.known && !o.covered:
		word = "slope missed"
	case !o.Leak && o.growing:
		word = "ok, growing"
	}
	if o.best != nil {
		word += fmt.Sprintf("; slope %.4g (%.4g to %.4g), exact %.4g; %s", float64(o.best.Slope.Value), float64(o.best.Slope.Low),
			float64(o.best.Slope.High), o.truth.slope, o.best.Sentence)
	}
	for _, s := range o.stray {
		word += "; STRAY: " + s
	}
	return word
}

// details is what was said, finding by finding.
func (o *outcome) details() string {
	if o.answer == nil {
		return ""
	}
	var b strings.Builder
	for i, f := range slices.Concat(o.answer.Findings, o.answer.Totals) {
		kind := "finding"
		if i >= len(o.answer.Findings) {
			kind = "total"
		}
		fmt.Fprintf(&b, "%s %s %s: %s", kind, f.Resource, f.Class, f.Sentence)
		if o.twin != nil {
			exact := o.twin.of(&f)
			fmt.Fprintf(&b, " [exact: %.4g to %.4g, %.4g/s]", exact.first, exact.last, exact.slope)
		}
		b.WriteByte('\n')
	}
	for _, w := range o.answer.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}
