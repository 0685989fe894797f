package leak

import (
	"math"
	"time"
)

// Options say what Judge is to know besides the history.
type Options struct {
	// Limit is the memory limit in bytes given by the user; 0: from the gauges.
	Limit float64
	// Clues explain findings, if they were asked for.
	Clues Clues
	// FalseRate is the share of false findings among those called leaks that
	// is accepted; 0 is 1 %.
	FalseRate float64
	// Rounds is set when the looks are rounds of equal work instead of
	// moments: slopes are per round, and load, warm-up and minimum times do
	// not apply.
	Rounds bool
}

// unknown is an estimate of which nothing is known.
func unknown() Estimate { return Estimate{math.NaN(), math.NaN(), math.NaN()} }

// Judge judges what was seen so far.
func Judge(h *History, o Options) *Verdict {
	return &Verdict{From: h.from, To: h.to, Looks: h.looks}
}

// History is what was seen of one program over time, as columns by stack.
type History struct {
	from, to time.Time
	looks    int
}

// NewHistory is empty.
func NewHistory() *History { return &History{} }

// Add appends a look. The errors are warnings: what could not be used and
// why; the rest of the look is kept.
func (h *History) Add(l Look) []error { return nil }
