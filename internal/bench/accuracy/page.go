package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// page is everything that was measured.
type page struct {
	Command, Machine string
	During           time.Duration
	Parallel         int
	Again            bool // Live are runs of another time, judged again
	Live, Recorded   []outcome
	LeftOut          []string // what could not be measured here
	// Extra are the sections of measurements without services.
	Extra []section
}

// section is a table of its own.
type section struct {
	Title, Text string
	Rows        [][]string // the first is the head
	Bars        []bar
}

// bar is a figure and what it must be at least or at most.
type bar struct {
	name   string
	got    string
	want   string
	missed bool
}

// share is n of m, which must be at least a part. Nothing measured is a miss.
func share(name string, n, m int, atLeast float64) bar {
	b := bar{name: name, want: fmt.Sprintf("at least %.0f %%", 100*atLeast)}
	if m == 0 {
		b.got, b.missed = "nothing measured", true
		return b
	}
	b.got = fmt.Sprintf("%d of %d, %.1f %%", n, m, 100*float64(n)/float64(m))
	b.missed = float64(n) < atLeast*float64(m)
	return b
}

// none is a count that must be zero, of some that were measured.
func none(name string, n, m int) bar {
	return bar{name: name, got: fmt.Sprintf("%d of %d", n, m), want: "none", missed: n > 0 || m == 0}
}

// figure is a number there is no bar for.
func figure(name, got string) bar { return bar{name: name, got: got, want: "-"} }

// totals are the figures of a group of outcomes, with twins or without.
func totals(all []outcome, twins bool) []bar {
	var leaks, found, signals, blamable, blamed, onPaths, decoys, falsely, growing, known, covered, failed, stray int
	var settled []time.Duration
	for i := range all {
		o := &all[i]
		if o.err != nil {
			failed++
			continue
		}
		stray += min(1, len(o.stray))
		if !o.Leak {
			decoys++
			falsely += count(o.flagged)
			growing += count(o.growing)
			continue
		}
		leaks++
		found += count(o.flagged)
		if !o.flagged {
			continue
		}
		signals += count(o.signal)
		blamable += count(o.blame != noMatch || !o.blameless)
		blamed += count(o.blame == exactly)
		onPaths += count(o.blame != noMatch)
		known += count(o.known)
		covered += count(o.covered)
		if o.settledErr == nil && o.settled > 0 {
			settled = append(settled, o.settled)
		}
	}
	bars := []bar{
		share("leaks found", found, leaks, 0.95),
		none("decoys called a leak", falsely, decoys),
		share("function to blame is the one that is blamed", blamed, blamable, 0.9),
		figure("it is on the path at least", fmt.Sprintf("%d of %d", onPaths, blamable)),
		figure("right resource", fmt.Sprintf("%d of %d", signals, found)),
		figure("decoys called growing at the end", fmt.Sprintf("%d of %d", growing, decoys)),
	}
	if twins {
		bars = append(bars, share("slope interval has the exact slope", covered, known, 0.85),
			none("runs with a leak called where nothing grows", stray, leaks+decoys))
	}
	if len(settled) > 0 {
		slices.Sort(settled)
		bars = append(bars, figure("median time until the verdict", fmt.Sprintf("%.0f s", settled[len(settled)/2].Seconds())))
	}
	if failed > 0 {
		bars = append(bars, none("not measured", failed, len(all)))
	}
	return bars
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// column is the figures of one group of services.
type column struct {
	name string
	bars []bar
}

// columns are the groups of services: each zoo, all together, the recorded
// runs.
func (p *page) columns() []column {
	var all []column
	zoos := groups(p.Live)
	for _, group := range zoos {
		all = append(all, column{group, totals(of(p.Live, group), true)})
	}
	if len(zoos) > 1 {
		all = append(all, column{"all of these", totals(p.Live, true)})
	}
	if len(p.Recorded) > 0 {
		all = append(all, column{"recorded", totals(p.Recorded, false)})
	}
	return all
}

// matrix lays the figures of the groups side by side.
func matrix(columns []column) [][]string {
	rows := [][]string{{"figure"}}
	var names []string
	for _, c := range columns {
		rows[0] = append(rows[0], c.name)
		for _, b := range c.bars {
			if !slices.Contains(names, b.name) {
				names = append(names, b.name)
			}
		}
	}
	rows[0] = append(rows[0], "bar")
	for _, name := range names {
		row, want := []string{name}, "-"
		for _, c := range columns {
			i := slices.IndexFunc(c.bars, func(b bar) bool { return b.name == name })
			switch {
			case i < 0:
				row = append(row, "-")
			case c.bars[i].missed:
				row, want = append(row, "**"+c.bars[i].got+"**"), c.bars[i].want
			default:
				row, want = append(row, c.bars[i].got), c.bars[i].want
			}
		}
		rows = append(rows, append(row, want))
	}
	return rows
}

// bars are all figures.
func (p *page) bars() []bar {
	var all []bar
	for _, c := range p.columns() {
		all = append(all, c.bars...)
	}
	return append(all, p.extraBars()...)
}

func (p *page) extraBars() []bar {
	var all []bar
	for _, s := range p.Extra {
		all = append(all, s.Bars...)
	}
	return all
}

// missed tells whether a bar is, or nothing was measured.
func (p *page) missed() bool {
	return len(p.bars()) == 0 || slices.ContainsFunc(p.bars(), func(b bar) bool { return b.missed })
}

// groups are the origins of the cases, in their order.
func groups(all []outcome) []string {
	var names []string
	for _, o := range all {
		if !slices.Contains(names, o.group) {
			names = append(names, o.group)
		}
	}
	return names
}

func of(all []outcome, group string) []outcome {
	var some []outcome
	for _, o := range all {
		if o.group == group {
			some = append(some, o)
		}
	}
	return some
}

// markdown is the page.
func (p *page) markdown() string {
	var w strings.Builder
	fmt.Fprintf(&w, `# How good the verdict is

Written by internal/bench/accuracy; do not edit.

- command: %s
- machine: %s

`, "`"+p.Command+"`", p.Machine)
	for _, s := range p.LeftOut {
		fmt.Fprintf(&w, "Left out: %s.\n\n", s)
	}
	if columns := p.columns(); len(columns) > 0 {
		fmt.Fprint(&w, "Services, what misses its bar in bold:\n\n")
		writeTable(&w, matrix(columns))
		w.WriteByte('\n')
	}
	if len(p.Extra) > 0 {
		writeTable(&w, barRows(p.extraBars()))
	}
	if len(p.Live) > 0 {
		fmt.Fprintf(&w, `
## Live

Each service is watched for %v at the default sampling rate by "profound leak",
%d at a time. At the same time an exact twin does the same work with a
MemProfileRate of 1; the exact slope is by least squares over its profiles, of
the same call path. Slopes are in MB (2^20 bytes, as the program prints them) or in pieces a second. The time is how long
the run had to be until it was called a leak and remained one.

`, p.During, p.Parallel)
		if p.Again {
			fmt.Fprint(&w, "These are runs that were kept by an earlier -live, judged once more.\n\n")
		}
		writeTable(&w, caseRows(p.Live, true))
	}
	if len(p.Recorded) > 0 {
		fmt.Fprint(&w, "\n## Recorded runs\n\nThe same, from heap and goroutine profiles that were kept. There is no twin, and\n"+
			"nothing but the profiles: leaks outside the heap are left out, and a function\nthat is in none of them need not be blamed.\n\n")
		writeTable(&w, caseRows(p.Recorded, false))
	}
	for _, s := range p.Extra {
		fmt.Fprintf(&w, "\n## %s\n\n%s\n\n", s.Title, strings.TrimSpace(s.Text))
		writeTable(&w, s.Rows)
	}
	return w.String()
}

func barRows(bars []bar) [][]string {
	rows := [][]string{{"figure", "measured", "bar"}}
	for _, b := range bars {
		if b.missed {
			b.got = "**" + b.got + "**"
		}
		rows = append(rows, []string{b.name, b.got, b.want})
	}
	return rows
}

// caseRows is a row for each case.
func caseRows(all []outcome, twins bool) [][]string {
	head := []string{"case", "what leaks", "verdict", "resource", "blame", "blamed", "slope (95 %)"}
	if twins {
		head = append(head, "exact slope", "inside")
	}
	rows := [][]string{append(head, "after")}
	for i := range all {
		rows = append(rows, all[i].cells(twins))
	}
	return rows
}

func (o *outcome) cells(twins bool) []string {
	what := o.Mechanism
	if what == "" {
		what = o.Signal
	}
	cells := []string{o.Case, what}
	switch {
	case o.err != nil:
		cells = append(cells, "not measured", "", "", "", "")
	case o.best == nil:
		cells = append(cells, o.said(), "", "", "", "")
	default:
		blamed := ""
		if o.best.Blame != nil {
			blamed = "`" + short(o.best.Blame.Function) + "`"
		}
		cells = append(cells, o.said(), o.best.Resource, o.blame.String(), blamed, o.slope())
		if !o.Leak {
			cells[len(cells)-3] = ""
		}
	}
	if twins {
		exact, inside := "", ""
		if o.known {
			exact, inside = o.amount(o.truth.slope), "no"
			if o.covered {
				inside = "yes"
			}
		}
		cells = append(cells, exact, inside)
	}
	after := ""
	if o.settled > 0 {
		after = fmt.Sprintf("%.0f s", o.settled.Seconds())
	}
	return append(cells, after)
}

// said is the class of the verdict, with a remark when it is wrong.
func (o *outcome) said() string {
	word := o.answer.Verdict
	if o.flagged {
		word = "leak"
	}
	switch {
	case o.Leak && !o.flagged:
		return "**missed**: " + word
	case !o.Leak && o.flagged:
		return "**false**: " + word
	}
	return word
}

func (o *outcome) slope() string {
	s := o.best.Slope
	if !s.known() {
		return o.amount(float64(s.Value))
	}
	return fmt.Sprintf("%s (%s to %s)", o.amount(float64(s.Value)), o.amount(float64(s.Low)), o.amount(float64(s.High)))
}

// amount prints bytes as MB, pieces as they are.
func (o *outcome) amount(v float64) string {
	switch {
	case math.IsNaN(v):
		return "?"
	case o.best.Resource == "goroutines" || o.best.Resource == "descriptors":
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2f", v/(1<<20))
}

// short leaves the package path out of a function's name.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func writeTable(w *strings.Builder, rows [][]string) {
	for i, cells := range rows {
		for j := range cells {
			cells[j] = strings.ReplaceAll(cells[j], "|", "\\|")
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(cells)))
		}
	}
}
