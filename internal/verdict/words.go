package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/unit"
)

// dash stands for what is not known.
const dash = "?"

// ClassWord is the word for a class, as JSON and -fail-on have it.
func ClassWord(c leak.Class) string {
	switch c {
	case leak.Steady:
		return "steady"
	case leak.Churn:
		return "churn"
	case leak.Shrinking:
		return "shrinking"
	case leak.Load:
		return "load"
	case leak.Step:
		return "step"
	case leak.Filling:
		return "filling"
	case leak.Growing:
		return "growing"
	case leak.Leak:
		return "leak"
	}
	return "unknown"
}

// ResourceWord is the word for a resource in JSON.
func ResourceWord(r leak.Resource) string {
	switch r {
	case leak.Goroutines:
		return "goroutines"
	case leak.FileDescriptors:
		return "descriptors"
	case leak.Heap:
		return "heap"
	case leak.OffHeap:
		return "off-heap"
	}
	return "resident"
}

// title is how a resource is spoken of.
func title(r leak.Resource) string {
	switch r {
	case leak.Goroutines:
		return "goroutines"
	case leak.FileDescriptors:
		return "file descriptors"
	case leak.Heap:
		return "the live heap"
	case leak.OffHeap:
		return "memory outside the Go heap"
	}
	return "resident memory"
}

// rowTitle is the short form of title, for a table.
func rowTitle(r leak.Resource) string {
	switch r {
	case leak.Heap:
		return "live heap"
	case leak.ResidentMemory:
		return "resident"
	}
	return ResourceWord(r)
}

// levelWord is the word for a level of evidence.
func levelWord(l leak.Level) string {
	switch l {
	case leak.Certain:
		return "certain"
	case leak.Tested:
		return "tested"
	}
	return "inferred"
}

// isCount tells resources that are counted from those measured in bytes.
func isCount(r leak.Resource) bool {
	return r == leak.Goroutines || r == leak.FileDescriptors
}

// Amount prints so much of a resource: "1.50 MB", "312".
func Amount(r leak.Resource, v float64) string {
	number, u := amount(r, v)
	return number + u
}

// amount is Amount in two parts, so that an interval can leave out the unit.
func amount(r leak.Resource, v float64) (number, u string) {
	switch {
	case math.IsNaN(v):
		return dash, ""
	case isCount(r):
		return digits(v), ""
	}
	scaled, name := scale(v)
	return digits(scaled), " " + name
}

// scale brings bytes to their most natural unit, kept for fractions of one.
func scale(v float64) (float64, string) {
	switch {
	case math.Abs(v) < 0.005: // what is left of a sum of rounded numbers
		return 0, "B"
	case math.Abs(v) < 1, math.Abs(v) > math.MaxInt64/2:
		return v, "B"
	}
	_, name := unit.Scale(int64(v), "bytes", unit.Auto)
	factor, _ := unit.Base(name)
	return v / factor, name
}

// digits prints three significant digits and no exponent.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return dash
	case a == 0 || a >= 100 || a == math.Trunc(a) && a < 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.01:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// slope prints an estimate and, in brackets, its interval in the unit of its
// value and what it rests on: "+1.50 MB/s (1.23 to 1.77, 124 samples)".
func slope(r leak.Resource, e leak.Estimate, per, evidence string) string {
	sign := ""
	if e.Value > 0 {
		sign = "+"
	}
	number, u := amount(r, e.Value)
	s := sign + number + u + per
	var about []string
	if !math.IsNaN(e.Low) && !math.IsNaN(e.High) {
		factor := 1.0
		if !isCount(r) {
			if f, _ := unit.Base(strings.TrimSpace(u)); f > 0 && u != " B" {
				factor = f
			}
		}
		about = append(about, digits(e.Low/factor)+" to "+digits(e.High/factor))
	}
	if evidence != "" {
		about = append(about, evidence)
	}
	if about == nil {
		return s
	}
	return s + " (" + strings.Join(about, ", ") + ")"
}

// WithError prints an estimate and half its interval: "12.1 MB ± 0.9".
func WithError(r leak.Resource, e leak.Estimate) string {
	s := Amount(r, e.Value)
	half := (e.High - e.Low) / 2
	if math.IsNaN(half) || half <= 0 {
		return s
	}
	return s + " ± " + Amount(r, half)
}

// Duration prints a length of time in its two largest units: "2 h 10",
// "45 min", "3 d 4 h", "12 s".
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "no time"
	case d < 10*time.Second && d%time.Second != 0:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d < 2*day:
		m := int(d.Round(time.Minute) / time.Minute)
		return fmt.Sprintf("%d h %02d", m/60, m%60)
	case d < 90*day:
		h := int(d.Round(time.Hour) / time.Hour)
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	}
	return fmt.Sprintf("%d days", int(d/day))
}

// Clock prints a moment as seen from now: the time of day, with the date when
// it is another day.
func Clock(t, now time.Time) string {
	switch {
	case t.IsZero():
		return dash
	case t.Sub(now).Abs() < 10*time.Minute:
		return t.Format("15:04:05")
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

// percent prints a share.
func percent(f float64) string {
	switch {
	case math.IsNaN(f):
		return dash + " %"
	case f > 0 && f < 0.01:
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", f*100)
}

// chance prints a probability.
func chance(p float64) string {
	switch {
	case math.IsNaN(p):
		return dash
	case p < 1e-9:
		return "below 1 in a billion"
	case p < 1e-6:
		return "below 1 in a million"
	case p < 0.001:
		return fmt.Sprintf("1 in %s", digits(math.Round(1/p)))
	}
	return digits(p*100) + " %"
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
