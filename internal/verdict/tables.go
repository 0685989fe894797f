package verdict

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/textart"
)

// span is how long a finding was watched.
func span(f *leak.Finding) time.Duration {
	if n := len(f.Times); n > 1 {
		return f.Times[n-1].Sub(f.Times[0])
	}
	return 0
}

// harmless lists what grew and is no leak.
func (w *writer) harmless() {
	w.line("Grew, and is no leak:")
	shown, more := 0, 0
	for i := range w.v.Findings {
		f := &w.v.Findings[i]
		if f.Class == leak.Leak || f.Class == leak.Growing {
			continue
		}
		if shown == shownHarmless {
			more++
			continue
		}
		shown++
		for j, l := range Wrap(Sentence(w.v, f, w.o), w.o.Width-4) {
			w.line("%s%s", []string{"  ", "    "}[min(j, 1)], l)
		}
	}
	if more > 0 {
		w.line("  and %d more (-json has them)", more)
	}
	w.line("")
}

// Totals is the table of resources with their series, as wide as the options
// allow: the pictures shrink first.
func Totals(v *leak.Verdict, o Options) string {
	width := o.Width
	if width <= 0 {
		width = defaultWidth
	}
	t := textart.Table{Align: []textart.Align{textart.AlignLeft, textart.AlignRight, textart.AlignLeft, textart.AlignRight}}
	for i := range v.Totals {
		f := &v.Totals[i]
		number, u := amount(f.Resource, f.Slope.Value)
		rate := number + u + o.per()
		if f.Slope.Value > 0 {
			rate = "+" + rate
		}
		if math.IsNaN(f.Slope.Value) {
			rate = ""
		}
		t.Rows = append(t.Rows, []string{
			rowTitle(f.Resource), Amount(f.Resource, f.Before.Value), "-> " + WithError(f.Resource, f.After), rate, ClassWord(f.Class),
		})
	}
	room := width - 2
	for _, l := range strings.Split(t.String(), "\n") {
		room = min(room, width-2-textart.TextWidth(l))
	}
	if room >= 4 {
		for i := range t.Rows {
			t.Rows[i] = append(t.Rows[i], textart.Sparkline(v.Totals[i].Values, min(room, sparkWidth), textart.TextOptions{ASCII: o.ASCII}))
		}
	}
	return t.String()
}

func (w *writer) totals() {
	if len(w.v.Totals) == 0 {
		return
	}
	if w.o.Rounds {
		w.line("After each of %s:", plural(w.v.Looks, "round"))
	} else {
		w.line("%s, %s:", plural(w.v.Looks, "look"), lasting(w.v))
	}
	o := w.o
	o.Width -= 2
	for _, l := range strings.Split(strings.TrimRight(Totals(w.v, o), "\n"), "\n") {
		w.line("  %s", textart.CutText(l, max(o.Width, 20), textart.TextOptions{ASCII: w.o.ASCII}))
	}
}

func lasting(v *leak.Verdict) string {
	s := "over " + Duration(v.To.Sub(v.From))
	if v.Targets > 1 {
		s += fmt.Sprintf(" of %d targets", v.Targets)
	}
	return s
}

// memory closes the ledger of resident memory and tells when it runs out.
func (w *writer) memory() {
	if l := w.v.Ledger; l != nil {
		w.labelled("memory", ledgerText(l))
	}
	c := w.v.Forecast
	if c == nil {
		return
	}
	if c.Limit > 0 && !math.IsInf(c.Limit, 0) {
		r := leak.Heap
		if c.LimitName == "descriptors" {
			r = leak.FileDescriptors
		}
		s := fmt.Sprintf("%s of %s (%s) used", Amount(r, c.Used), Amount(r, c.Limit), c.LimitName)
		if !math.IsNaN(c.Slope.Value) && c.Slope.Value > 0 {
			s += ", " + slope(r, c.Slope, "/s", "")
		}
		w.labelled("limit", s)
	}
	for _, d := range []struct {
		word string
		date leak.Date
	}{{"the collector takes the CPU (GOMEMLIMIT)", c.Thrash}, {"the kernel slows it down (memory.high)", c.Throttle}, {endWord(c), c.OOM}} {
		if !d.date.IsZero() {
			w.labelled("", fmt.Sprintf("%s %s, at %s", d.word, dated(d.date, w.o), Clock(d.date.Value, w.o.Now)))
		}
	}
}

func endWord(c *leak.Forecast) string {
	if c.LimitName == "descriptors" {
		return "no descriptor is left"
	}
	return "out of memory"
}

// ledgerText prints the parts of resident memory as a sum.
func ledgerText(l *leak.Ledger) string {
	var parts []string
	for _, p := range []struct {
		name string
		v    float64
	}{
		{"live heap", l.LiveHeap}, {"garbage", l.Garbage}, {"fragmentation", l.Fragmentation}, {"stacks", l.Stacks},
		{"runtime", l.Runtime}, {"off-heap", l.OffHeap}, {"rest", l.Rest},
	} {
		if !math.IsNaN(p.v) && math.Abs(p.v) >= 1 {
			parts = append(parts, p.name+" "+Amount(leak.Heap, p.v))
		}
	}
	return "resident " + Amount(leak.Heap, l.Resident) + " = " + strings.Join(parts, " + ")
}

func (w *writer) warnings() {
	if len(w.v.Warnings) == 0 {
		return
	}
	w.line("")
	for _, err := range w.v.Warnings {
		w.labelled("note", err.Error())
	}
}

// Wrap breaks text at blanks into lines of at most width columns.
func Wrap(text string, width int) []string {
	width = max(width, 20)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case textart.TextWidth(line)+1+textart.TextWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
