package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/leak/leaksim"
)

// simulate judges generated series with a known truth, and the memory of real
// machines.
func (b *bench) simulate(ctx context.Context, page *page) error {
	b.say("generated: %d runs of each scenario", b.seeds)
	results := each(2, []bool{false, true}, func(short bool) leaksim.Result {
		return leaksim.Accuracy(leaksim.Options{Seeds: b.seeds, Short: short})
	})
	page.Extra = append(page.Extra, generated(results[0], false, b.seeds), generated(results[1], true, b.seeds))
	files, err := filepath.Glob(filepath.Join(b.series, "*.csv"))
	if err != nil {
		return fmt.Errorf("-series: %w", err)
	}
	if len(files) == 0 {
		b.say("machines: no series in %q, left out", b.series)
		page.LeftOut = append(page.LeftOut, "the memory of real machines, whose series are not here")
		return ctx.Err()
	}
	s, err := b.machines(files)
	if err != nil {
		return err
	}
	page.Extra = append(page.Extra, s)
	return ctx.Err()
}

// generated is the section about generated series.
func generated(r leaksim.Result, short bool, seeds int) section {
	name, unit, suffix := "generated, 48 h", 3600.0, "h"
	s := section{Title: "Generated series: two days", Text: "Services of about 150 stacks that leak or do not, a look every five minutes, made by internal/leak/leaksim"}
	if short {
		name, unit, suffix = "generated, 60 s", 1, "s"
		s = section{Title: "Generated series: a minute", Text: "The same in a minute, a look every half second or second"}
	}
	s.Text += fmt.Sprintf(". There are %d runs of each; figures are the percentage called a leak\nafter that time. With a star: "+
		"it had not settled then, and the heap alone cannot tell.\n"+
		"A leak of any resource counts against what does not leak; for two looks in a row, from when it has settled on.", seeds)
	s.Bars = []bar{
		atLeast(name+": precision, decidable", r.Precision, 0.99),
		figure(name+": precision, all", fmt.Sprintf("%.3f", r.PrecisionStrict)),
		atLeast(name+": recall", r.Recall, 0.98),
		atMost(name+": false at two looks in a row", r.FalseTwice, 0.01),
		figure(name+": slope interval has the truth", fmt.Sprintf("%.3f", r.Coverage)),
		figure(name+": function named", fmt.Sprintf("%.3f", r.PathRight)),
		atMost(name+": end of memory, median error", r.EndsMedian, 0.25),
		figure(name+": end of memory within 25 %", fmt.Sprintf("%.3f", r.EndsWithin)),
	}
	if !short {
		s.Bars = append(s.Bars, atMost(name+": time to detect over the floor, worst scenario", r.Slow, 2))
	}
	head := []string{"scenario", "leaks"}
	for _, l := range r.Looks {
		head = append(head, fmt.Sprintf("%g %s", l/unit, suffix))
	}
	s.Rows = append(s.Rows, append(head, "function named", "slope inside"))
	for i := range r.Rows {
		s.Rows = append(s.Rows, generatedRow(&r.Rows[i], r.Looks))
	}
	return s
}

func generatedRow(row *leaksim.Row, looks []float64) []string {
	cells := []string{row.Scenario.Name, "no"}
	if row.Scenario.Leak {
		cells[1] = "yes"
	}
	for i, n := range row.Flagged {
		mark := ""
		if !row.Scenario.Leak && row.Scenario.Settled >= looks[i] {
			mark = "*"
		}
		cells = append(cells, percent(n, row.Runs)+mark)
	}
	if !row.Scenario.Leak {
		return append(cells, "", "")
	}
	return append(cells, percent(row.Path, row.Flagged[len(row.Flagged)-1]), percent(row.Covered, row.Sloped))
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", 100*float64(n)/float64(of))
}

// atLeast and atMost are bars of numbers; NaN misses them.
func atLeast(name string, got, want float64) bar {
	return bar{name: name, got: fmt.Sprintf("%.3f", got), want: fmt.Sprintf("at least %g", want), missed: !(got >= want)}
}

func atMost(name string, got, want float64) bar {
	return bar{name: name, got: fmt.Sprintf("%.4f", got), want: fmt.Sprintf("at most %g", want), missed: !(got <= want)}
}

// machines judges windows of the memory series of real machines. Nobody knows
// which of them leak; few will.
func (b *bench) machines(files []string) (section, error) {
	b.say("machines: %d series", len(files))
	type counted struct {
		leaksim.Windows
		err error
	}
	all := each(2, files, func(name string) (c counted) {
		c.Windows, c.err = leaksim.Machine(name)
		return c
	})
	var sum leaksim.Windows
	machines := 0
	for _, c := range all {
		if c.err != nil {
			return section{}, c.err
		}
		sum.All += c.All
		sum.Flagged += c.Flagged
		machines += count(c.Flagged > 0)
	}
	share := float64(sum.Flagged) / float64(sum.All) // of none it is NaN, which misses the bar
	return section{
		Title: "Memory of real machines",
		Text: "Series of five-minute means, judged as resident memory over windows of a day. They are not labelled: flagged\n" +
			"is not the same as wrong.",
		Rows: [][]string{{"machines", "windows", "called a leak", "on machines"},
			{fmt.Sprint(len(files)), fmt.Sprint(sum.All), fmt.Sprint(sum.Flagged), fmt.Sprint(machines)}},
		Bars: []bar{atMost("real machines: windows of a day called a leak, share", share, 0.005)},
	}, nil
}

// speed measures how long it takes to judge two days of a large service.
func (b *bench) speed(ctx context.Context, page *page) error {
	const stacks, looks, runs = 5000, 576, 5
	b.say("speed: %d looks at %d stacks", looks, stacks)
	took, verdict, err := timeJudge(stacks, looks, runs)
	if err != nil {
		return err
	}
	if verdict != leak.Leak {
		return fmt.Errorf("speed: the history that leaks is not called a leak")
	}
	slices.Sort(took)
	page.Extra = append(page.Extra, section{
		Title: "Speed",
		Text: fmt.Sprintf("A history of %d looks, one every five minutes, at %d stacks of 20 frames, on one core: all of judging,\n"+
			"without decoding. The fastest of %d, because other programs can only add.", looks, stacks, runs),
		Rows: [][]string{{"fastest", "median", "slowest"}, {seconds(took[0]), seconds(took[runs/2]), seconds(took[runs-1])}},
		Bars: []bar{atMost("speed: 48 h of 5,000 stacks judged, seconds of one core", took[0], 1)},
	})
	return ctx.Err()
}

func seconds(s float64) string {
	if math.IsNaN(s) {
		return "?"
	}
	return fmt.Sprintf("%.2f s", s)
}

// readable tells whether there is such a folder.
func readable(folder string) bool {
	_, err := os.Stat(folder)
	return folder != "" && err == nil
}
