// Package verdict puts what package leak found into words: one sentence a
// finding, the evidence below it with how sure each part is, and the same as
// JSON.
package verdict

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
)

// Options say how to print.
type Options struct {
	// Now is the moment dates are seen from: usually the last look.
	Now time.Time
	// Width is the number of columns; 0 is 100.
	Width int
	// ASCII leaves out sparklines of block characters and the like.
	ASCII bool
	// Bold marks what is most telling; nil leaves it.
	Bold func(string) string
	// Rounds says that slopes are per round of work and not per second.
	Rounds bool
	// Over says that nobody watches any more: a verdict comes not at a moment
	// but with so much more of watching.
	Over bool
	// Held says which references hold what finding i of the verdict is about;
	// nil: nobody was asked.
	Held func(i int) []string
	// Next gives the command lines that show more of a finding; nil: none.
	Next func(*leak.Finding) []string
}

func (o *Options) per() string {
	if o.Rounds {
		return " a round"
	}
	return "/s"
}

// Sentence says what one finding is. It has no line breaks and no full stop.
func Sentence(v *leak.Verdict, f *leak.Finding, o Options) string {
	s := strings.ToUpper(ClassWord(f.Class)) + " " + say(f, o)
	if f.Class == leak.Leak || f.Class == leak.Growing {
		if end := ending(v, f, o); end != "" {
			s += ", " + end
		}
	}
	return s
}

func say(f *leak.Finding, o Options) string {
	switch f.Class {
	case leak.Leak, leak.Growing:
		s := growth(f, o)
		if f.Class == leak.Growing {
			s += "; " + tooEarly(f, o)
		}
		return s
	case leak.Filling:
		return filling(f, o)
	case leak.Step:
		return fmt.Sprintf("%s jumped from %s to %s%s and %s", subject(f), Amount(f.Resource, f.Before.Value), WithError(f.Resource, f.After), since(f, o, " at "), stays(f))
	case leak.Load:
		s := fmt.Sprintf("%s grew from %s to %s with the load", subject(f), Amount(f.Resource, f.Before.Value), WithError(f.Resource, f.After))
		if f.Reason.Share > 0 {
			s += fmt.Sprintf(", which explains %s of it", percent(min(1, f.Reason.Share)))
		}
		return s
	case leak.Shrinking:
		return fmt.Sprintf("%s went down from %s to %s", subject(f), Amount(f.Resource, f.Before.Value), WithError(f.Resource, f.After))
	case leak.Churn:
		return fmt.Sprintf("%s stays at %s: much is allocated and %s kept", subject(f), WithError(f.Resource, f.After), keptWords(f.Keeps))
	case leak.Steady:
		return fmt.Sprintf("%s stays at %s", subject(f), WithError(f.Resource, f.After))
	}
	return fmt.Sprintf("%s: %s", subject(f), reason(f))
}

func stays(f *leak.Finding) string {
	if isPluralSubject(f) {
		return "stay there"
	}
	return "stays there"
}

func isPluralSubject(f *leak.Finding) bool { return len(f.Path) == 0 && isCount(f.Resource) }

func keptWords(keeps float64) string {
	if math.IsNaN(keeps) || keeps < 0.005 {
		return "nothing of it"
	}
	return percent(keeps) + " of it"
}

// growth says who grows and how fast.
func growth(f *leak.Finding, o Options) string {
	rate := slope(f.Resource, f.Slope, o.per(), evidence(f))
	switch f.Resource {
	case leak.Heap:
		if !math.IsNaN(f.Keeps) && f.Keeps >= 0.01 && len(f.Path) > 0 {
			return fmt.Sprintf("%s keeps %s of what it allocates: %s", subject(f), percent(min(1, f.Keeps)), rate)
		}
		return fmt.Sprintf("%s grows: %s", subject(f), rate)
	case leak.Goroutines:
		switch {
		case f.Reason.Code == leak.Unreachable:
			return fmt.Sprintf("%s: %s goroutines can never run again", subject(f), Amount(f.Resource, f.After.Value))
		case f.Reason.Code == leak.Piled:
			return fmt.Sprintf("%s: %s goroutines wait at one place", subject(f), Amount(f.Resource, f.After.Value))
		}
		return fmt.Sprintf("%s: goroutines that do not end: %s%s", subject(f), rate, startedBy(f))
	case leak.FileDescriptors:
		return fmt.Sprintf("%s are not closed: %s%s", subject(f), rate, startedBy(f))
	case leak.OffHeap:
		return fmt.Sprintf("%s grows (cgo or mmap): %s%s", subject(f), rate, startedBy(f))
	}
	return fmt.Sprintf("%s grows: %s", subject(f), rate)
}

func startedBy(f *leak.Finding) string {
	at := lastOwn(f.Origin)
	if at == nil {
		return ""
	}
	return ", from " + origin.ShortName(at.Function)
}

// evidence is what the rate rests on.
func evidence(f *leak.Finding) string {
	switch {
	case isCount(f.Resource):
		return fmt.Sprintf("%d more", f.Samples)
	case f.Reason.Code == leak.InStairs:
		return plural(f.Samples, "jump")
	case f.Resource == leak.Heap && f.Samples > 0:
		return plural(f.Samples, "sample")
	}
	return plural(len(f.Values), "look")
}

func tooEarly(f *leak.Finding, o Options) string {
	s := "too early to call it a leak"
	if why := reason(f); why != "" {
		s += ": " + why
	}
	if !o.Rounds && !f.Earliest.IsZero() && f.Earliest.After(o.Now) {
		more := f.Earliest.Sub(o.Now)
		if o.Over {
			return s + "; needs " + MoreWatching(more)
		}
		s += fmt.Sprintf("; earliest verdict at %s, in %s", Clock(f.Earliest, o.Now), Duration(more))
	}
	return s
}

// MoreWatching is how much longer to watch, in whole seconds and at least one:
// "20 min more of watching".
func MoreWatching(d time.Duration) string {
	return Duration(max(time.Second, d.Round(time.Second))) + " more of watching"
}

func filling(f *leak.Finding, o Options) string {
	s := fmt.Sprintf("%s grew from %s to %s", subject(f), Amount(f.Resource, f.Before.Value), WithError(f.Resource, f.After))
	switch {
	case math.IsNaN(f.Plateau.Value) || f.Plateau.Value <= 0:
		s += " and " + reason(f)
	case f.Plateau.Value <= f.After.Value*1.05 || f.Settles.IsZero() || !f.Settles.After(o.Now):
		s += fmt.Sprintf(" and settles: its plateau is about %s", Amount(f.Resource, f.Plateau.Value))
	default:
		s += fmt.Sprintf(" and slows down towards a plateau of about %s (%s to %s), there at %s", Amount(f.Resource, f.Plateau.Value),
			Amount(f.Resource, f.Plateau.Low), Amount(f.Resource, f.Plateau.High), Clock(f.Settles, o.Now))
	}
	return s
}

func since(f *leak.Finding, o Options, word string) string {
	if f.Since.IsZero() || o.Rounds {
		return ""
	}
	return word + Clock(f.Since, o.Now)
}

// reason is why the class is what it is, as half a sentence; "" when the
// class says it all.
func reason(f *leak.Finding) string {
	switch f.Reason.Code {
	case leak.TooFewSamples:
		return "only " + plural(f.Samples, "sample") + " so far"
	case leak.TooShort:
		return "watched too short a time"
	case leak.Unconfirmed:
		return "a shorter run would not have said so yet"
	case leak.SlowsDown:
		return "it slows down"
	case leak.Stopped:
		return "has stopped growing"
	case leak.NotEveryRound:
		return "it grew in " + percent(f.Reason.Share) + " of the rounds"
	}
	return strings.ReplaceAll(string(f.Reason.Code), "-", " ")
}

// ending is when memory runs out, for the first finding it belongs to.
func ending(v *leak.Verdict, f *leak.Finding, o Options) string {
	c := v.Forecast
	if c == nil || o.Rounds || f.Cause >= 0 {
		return ""
	}
	if !drivesForecast(v, f) {
		return ""
	}
	switch {
	case !c.OOM.IsZero():
		word := "out of memory"
		if c.LimitName == "descriptors" {
			word = "out of descriptors"
		}
		return word + " " + dated(c.OOM, o) + " at " + limitWord(c.LimitName)
	case !c.Thrash.IsZero():
		return "the collector takes the CPU " + dated(c.Thrash, o) + " at GOMEMLIMIT"
	}
	return ""
}

// limitWord names a limit.
func limitWord(name string) string {
	switch name {
	case "machine":
		return "the machine's memory"
	case "descriptors":
		return "their limit"
	}
	return name
}

// drivesForecast tells whether the end of memory is told with this finding:
// the first leak, or the first that grows when nothing leaks.
func drivesForecast(v *leak.Verdict, f *leak.Finding) bool {
	descriptors := v.Forecast.LimitName == "descriptors"
	for i := range v.Findings {
		g := &v.Findings[i]
		if g.Cause >= 0 || descriptors != (g.Resource == leak.FileDescriptors) {
			continue
		}
		return g == f
	}
	return false
}

// dated prints "in 2 h 10 (1 h 50 to 2 h 40)".
func dated(d leak.Date, o Options) string {
	if !d.Value.After(o.Now) {
		return "now"
	}
	s := "in " + Duration(d.Value.Sub(o.Now))
	switch {
	case d.Earliest.IsZero():
		return s
	case d.Latest.IsZero():
		return s + fmt.Sprintf(" (%s at the earliest)", Duration(d.Earliest.Sub(o.Now)))
	}
	return s + fmt.Sprintf(" (%s to %s)", Duration(d.Earliest.Sub(o.Now)), Duration(d.Latest.Sub(o.Now)))
}

// Subject names what a finding is about: "main.serve -> main.newOrder".
func Subject(f *leak.Finding) string { return subject(f) }

// Reason is why a finding has its class, as half a sentence; "" when the class
// says it all.
func Reason(f *leak.Finding) string { return reason(f) }

// subject names what a finding is about: the program's own function and the
// call below it where memory is taken, or what a goroutine runs; else the
// resource.
func subject(f *leak.Finding) string {
	if len(f.Path) == 0 {
		return title(f.Resource)
	}
	path := fullPath(f)
	last := path[len(path)-1]
	if f.Resource == leak.Goroutines {
		last = path[0]
		if at := blameOnPath(f); at != nil {
			last = *at
		}
	}
	name := origin.ShortName(last.Function)
	if from := Blame(f); from != nil && origin.ShortName(from.Function) != name {
		return origin.ShortName(from.Function) + " -> " + name
	}
	return name
}

// fullPath is the path with what follows it when only one call does, without
// the runtime's own frames at its end.
func fullPath(f *leak.Finding) []leak.Frame {
	path := f.Path
	if len(f.Below) == 1 {
		path = slices.Concat(path, f.Below[0].Path)
	}
	return withoutRuntime(path)
}

// withoutRuntime cuts the runtime's and other internal frames off the end of
// a path: where a goroutine is parked says less than who parks it.
func withoutRuntime(path []leak.Frame) []leak.Frame {
	n := len(path)
	for n > 1 && isInside(path[n-1].Function) {
		n--
	}
	return path[:n]
}

func isInside(function string) bool {
	return origin.Of(function, "") == origin.Runtime || strings.HasPrefix(origin.Package(function), "internal/")
}

// lastOwn is the innermost frame of the program's own code, nil if none.
func lastOwn(path []leak.Frame) *leak.Frame {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i].Own {
			return &path[i]
		}
	}
	return nil
}

// blameOnPath is the frame of the path to look at first, nil if none is the
// program's own.
func blameOnPath(f *leak.Finding) *leak.Frame {
	if f.Blame >= 0 && f.Blame < len(f.Path) {
		return &f.Path[f.Blame]
	}
	return nil
}

// Blame is the frame to look at first: on the path, else where the growth
// comes from; nil if none is known.
func Blame(f *leak.Finding) *leak.Frame {
	if at := blameOnPath(f); at != nil {
		return at
	}
	return lastOwn(f.Origin)
}
