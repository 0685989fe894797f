package leaksim

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/profoundhq/profound/internal/leak"
)

// Options choose what Accuracy does.
type Options struct {
	Seeds int    // runs of each scenario
	Short bool   // runs of a minute instead of two days
	Only  string // one scenario, by name; "" is all
}

// Row is what came out for one scenario.
type Row struct {
	Scenario *Scenario
	// Flagged is how many runs had a leak at each of the looks.
	Flagged []int
	Runs    int
	// Path is how many of those flagged at the last look name the function.
	Path int
	// Covered and Sloped are the runs whose slope interval has the truth, of
	// all that have one.
	Covered, Sloped int
	// First is the time of the first look at which each run was flagged, NaN
	// if never.
	First []float64
	// Ends is the relative error of the time left, for steady leaks, at the
	// middle look.
	Ends []float64

	heap float64 // bytes at the start
}

// Result is all rows and what follows from them.
type Result struct {
	Looks []float64 // seconds
	Rows  []Row
	// Precision and Recall are at 24 hours, or at the end of short runs:
	// counting every flag on what does not leak, or only what had settled.
	PrecisionStrict, Precision, Recall float64
	// Coverage is the share of slope intervals that have the truth, PathRight
	// that of findings that name the function.
	Coverage, PathRight float64
	// EndsWithin is the share of steady leaks whose end is foretold within a
	// quarter of the time left; EndsMedian the median error.
	EndsWithin, EndsMedian float64
	// Slow is the largest ratio of the median time to detect to the floor
	// of steady leaks: z^2*R/g for sixteen samples, and the four hours, or the
	// half of the heap, that growth must last to be no cache that fills.
	Slow float64
	// FalseTwice is the share of runs without a leak that were called one, of
	// any resource, at two looks in a row after they settled.
	FalseTwice float64
}

// floorSamples is z^2 for the floor of the time to detect.
const floorSamples = 16

// Accuracy judges generated runs and compares with the truth.
func Accuracy(o Options) Result {
	list, res := Scenarios(), Result{Looks: []float64{1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48}}
	unit := hour
	if o.Short {
		list, unit = ShortRuns(), 1
		res.Looks = []float64{10, 15, 20, 30, 45, 60}
	}
	for i := range res.Looks {
		res.Looks[i] *= unit
	}
	falseTwice, settledRuns := 0, 0
	for _, sc := range list {
		if o.Only != "" && o.Only != sc.Name {
			continue
		}
		row := Row{Scenario: sc, Flagged: make([]int, len(res.Looks))}
		for seed := range o.Seeds {
			flags := row.run(sc, uint64(seed), res.Looks)
			if !sc.Leak && !math.IsInf(sc.Settled, 1) {
				settledRuns++
				if twice(flags, res.Looks, sc.Settled) {
					falseTwice++
				}
			}
		}
		res.Rows = append(res.Rows, row)
	}
	res.FalseTwice = float64(falseTwice) / float64(settledRuns) // of none it is not known: NaN
	res.summarize(o.Short)
	return res
}

// twice tells whether two looks in a row after a time were flagged.
func twice(flags []bool, looks []float64, after float64) bool {
	for i := 1; i < len(flags); i++ {
		if looks[i-1] > after && flags[i] && flags[i-1] {
			return true
		}
	}
	return false
}

// run judges one run at each of the looks.
func (row *Row) run(sc *Scenario, seed uint64, looks []float64) []bool {
	r := sc.New(seed)
	h := leak.NewHistory()
	row.Runs++
	first := math.NaN()
	flags := make([]bool, len(looks))
	for i, end := range looks {
		for r.t < end-sc.Every/2 {
			h.Add(r.Next())
			if r.t == 0 {
				row.heap = r.live()
			}
		}
		v := leak.Judge(h, leak.Options{})
		f := worst(v, !sc.Leak)
		if f != nil {
			flags[i] = true
			row.Flagged[i]++
			if math.IsNaN(first) {
				first = end
			}
		}
		if i == len(looks)-1 && f != nil && sc.Leak {
			row.last(sc, f)
		}
		if sc.Steady && i == len(looks)-3 && f != nil {
			row.Ends = append(row.Ends, r.endError(v.Forecast))
		}
	}
	row.First = append(row.First, first)
	return flags
}

func (row *Row) last(sc *Scenario, f *leak.Finding) {
	if n := len(f.Path); n > 0 && f.Path[n-1].Function == sc.At {
		row.Path++
	}
	if !math.IsNaN(sc.Slope) {
		row.Sloped++
		if f.Slope.Low <= sc.Slope && sc.Slope <= f.Slope.High {
			row.Covered++
		}
	}
}

// endError is the relative error of the time left by a forecast; +Inf when
// there is no date.
func (r *Run) endError(c *leak.Forecast) float64 {
	if c == nil || c.OOM.IsZero() {
		return math.Inf(1)
	}
	at := start().Add(time.Duration(r.Ends() * float64(time.Second)))
	return c.OOM.Value.Sub(at).Seconds() / (r.Ends() - r.t)
}

// worst is the first finding that is called a leak: of the heap, which is what
// leaks here, or of any resource.
func worst(v *leak.Verdict, any bool) *leak.Finding {
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Class == leak.Leak && (any || f.Resource == leak.Heap) {
			return f
		}
	}
	return nil
}

// summarize computes the figures over all rows.
func (res *Result) summarize(short bool) {
	at := slices.Index(res.Looks, day)
	if short {
		at = len(res.Looks) - 1
	}
	res.Slow = math.Inf(-1)
	var hits, leaks, wrong, wrongSettled, covered, sloped, path, flagged float64
	var ends []float64
	for i := range res.Rows {
		row := &res.Rows[i]
		if !row.Scenario.Leak {
			wrong += float64(row.Flagged[at])
			if row.Scenario.Settled < res.Looks[at] {
				wrongSettled += float64(row.Flagged[at])
			}
			continue
		}
		hits += float64(row.Flagged[at])
		leaks += float64(row.Runs)
		covered, sloped = covered+float64(row.Covered), sloped+float64(row.Sloped)
		path, flagged = path+float64(row.Path), flagged+float64(row.Flagged[len(res.Looks)-1])
		ends = append(ends, row.Ends...)
		if row.Scenario.Steady && row.floor() >= res.Looks[0] {
			res.Slow = max(res.Slow, middle(row.First)/row.floor())
		}
	}
	if math.IsInf(res.Slow, -1) {
		res.Slow = math.NaN() // nothing was measured
	}
	res.PrecisionStrict, res.Precision, res.Recall = hits/(hits+wrong), hits/(hits+wrongSettled), hits/leaks
	res.Coverage, res.PathRight = covered/sloped, path/flagged
	within := 0.0
	for i, e := range ends {
		ends[i] = math.Abs(e)
		if ends[i] <= 0.25 {
			within++
		}
	}
	res.EndsWithin, res.EndsMedian = within/float64(len(ends)), middle(ends)
}

// floor is the shortest time to detect a steady leak.
func (row *Row) floor() float64 {
	g := row.Scenario.Slope
	return max(floorSamples*period/g, min(4*hour, row.heap/2/g))
}

// middle is the median; NaN counts as never.
func middle(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	c := slices.Clone(x)
	for i := range c {
		if math.IsNaN(c[i]) {
			c[i] = math.Inf(1)
		}
	}
	slices.Sort(c)
	return c[(len(c)-1)/2]
}

// WriteText prints a table of all rows and the figures.
func (res *Result) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	unit, name := hour, "h"
	if res.Looks[len(res.Looks)-1] < hour {
		unit, name = 1, "s"
	}
	fmt.Fprintf(t, "scenario\tleak\t")
	for _, l := range res.Looks {
		fmt.Fprintf(t, "%g %s\t", l/unit, name)
	}
	fmt.Fprintf(t, "first\tpath %%\tslope %%\tend +-%%\t\n")
	for i := range res.Rows {
		row := &res.Rows[i]
		kind := "no"
		if row.Scenario.Leak {
			kind = "yes"
		}
		fmt.Fprintf(t, "%s\t%s\t", row.Scenario.Name, kind)
		for k, n := range row.Flagged {
			mark := ""
			if !row.Scenario.Leak && row.Scenario.Settled >= res.Looks[k] {
				mark = "*"
			}
			fmt.Fprintf(t, "%.0f%s\t", 100*float64(n)/float64(row.Runs), mark)
		}
		if !row.Scenario.Leak {
			fmt.Fprintf(t, "\t\t\t\t\n")
			continue
		}
		var ends []float64
		for _, e := range row.Ends {
			ends = append(ends, 100*math.Abs(e))
		}
		fmt.Fprintf(t, "%.3g\t%.0f\t%.0f\t%.0f\t\n", middle(row.First)/unit, 100*float64(row.Path)/float64(max(1, row.Flagged[len(res.Looks)-1])),
			100*float64(row.Covered)/float64(max(1, row.Sloped)), middle(ends))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n* not settled: the heap alone cannot tell\nprecision %.3f strict, %.3f decidable; recall %.3f\nslope interval has the truth: %.2f; path right: %.2f\nend within 25 %%: %.2f, median error %.2f\ntime to detect over the floor, worst scenario: %.2f\ntwo looks in a row false: %.4f\n",
		res.PrecisionStrict, res.Precision, res.Recall, res.Coverage, res.PathRight, res.EndsWithin, res.EndsMedian, res.Slow, res.FalseTwice)
	return err
}
