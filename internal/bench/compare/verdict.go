package main

import (
	"fmt"
	"math"
	"strings"
)

// ratios say how many times more pprof took; NaN is unknown.
type ratios struct {
	cpu, wall, peak float64
	atLeast         bool // pprof was stopped: these are lower bounds
}

func (r row) ratios() ratios {
	ours, theirs := medianOf(r.ours), medianOf(r.theirs)
	return ratios{
		cpu:     ratio(theirs.cpu, ours.cpu),
		wall:    ratio(theirs.wall, ours.wall),
		peak:    ratio(theirs.peak, ours.peak),
		atLeast: theirs.stopped != "",
	}
}

// verdict is one word and, unless all is well, what is missing.
type verdict struct {
	word   string
	detail string
}

const (
	verdictPass   = "pass"
	verdictMissed = "MISSED"
	verdictDiffer = "DIFFER" // outputs are not the same
	// verdictOpen: pprof was stopped before the bar was settled.
	verdictOpen = "open"
	verdictNone = "-" // there is no bar
)

// ok tells whether the run as a whole may succeed. An open verdict is no
// failure of profound: the machine was too small to see how bad pprof gets.
func (v verdict) ok() bool { return v.word != verdictMissed && v.word != verdictDiffer }

func (v verdict) String() string {
	if v.detail == "" {
		return v.word
	}
	return v.word + ": " + v.detail
}

func (r row) verdict() verdict { return judge(r.bar, r.ratios(), r.same) }

func judge(want bar, got ratios, same sameness) verdict {
	if same == sameNo {
		return verdict{verdictDiffer, "outputs are not the same bytes"}
	}
	var short []string
	word := verdictNone
	for _, part := range []struct {
		name      string
		want, got float64
	}{
		{"CPU", want.cpu, got.cpu},
		{"wall", want.wall, got.wall},
		{"memory", want.peak, got.peak},
	} {
		switch {
		case part.want == 0:
		case math.IsNaN(part.got):
			short = append(short, part.name+" unknown")
			word = graver(word, verdictOpen)
		case part.got >= part.want:
			word = graver(word, verdictPass)
		default:
			short = append(short, fmt.Sprintf("%s %s of %s", part.name, times(part.got), times(part.want)))
			if got.atLeast {
				word = graver(word, verdictOpen)
			} else {
				word = verdictMissed
			}
		}
	}
	return verdict{word, strings.Join(short, ", ")}
}

// graver is the worse of two words.
func graver(a, b string) string {
	for _, word := range []string{verdictMissed, verdictOpen, verdictPass} {
		if a == word || b == word {
			return word
		}
	}
	return verdictNone
}

// times writes a ratio: 137x, 9.4x.
func times(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case x >= 99.5:
		return fmt.Sprintf("%.0fx", x)
	case x >= 9.95:
		return fmt.Sprintf("%.1fx", x)
	}
	return fmt.Sprintf("%.2fx", x)
}

func (b bar) String() string {
	var parts []string
	for _, part := range []struct {
		name string
		want float64
	}{{"CPU", b.cpu}, {"wall", b.wall}, {"memory", b.peak}} {
		if part.want > 0 {
			parts = append(parts, fmt.Sprintf("%s %gx", part.name, part.want))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}
