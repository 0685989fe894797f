// Package report computes the reports: what pprof prints, as values that a
// text writer lays out byte for byte as pprof does, and that JSON shows in
// base units.
//
// A Report is a view plus what only this report needs. Each report is one
// file: a function that computes a Result.
package report

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Result is a computed report.
type Result interface {
	// WriteText writes the report as pprof prints it.
	WriteText(w io.Writer) error
	// JSON is the value to encode for -json: quantities in base units, the
	// schema named in its first field.
	JSON() any
}

// Report is what a report is computed from.
type Report struct {
	View *view.View
	// Symbol selects functions in peek, list, disasm and weblist.
	Symbol *regexp.Regexp
	// Objects opens binaries and Sources finds source files, for the reports
	// that show code; nil where there are none.
	Objects Objects
	Sources Sources
	// Categories colours pictures; nil guesses from names alone.
	Categories Categories
	// Colour marks up text for a terminal.
	Colour bool

	outUnit   string
	formatter unit.Formatter
}

// New makes a report of a view.
func New(v *view.View) *Report {
	r := &Report{View: v}
	r.setUnit(v.Options.Unit)
	return r
}

func (r *Report) setUnit(u string) {
	r.outUnit = u
	r.formatter = unit.NewFormatter(r.View.Unit, u)
}

// ratio is what values are multiplied with before printing.
func (r *Report) ratio() float64 { return 1 / r.View.Options.DivideBy }

func (r *Report) scaled(v int64) int64 {
	if ratio := r.ratio(); ratio > 0 && ratio != 1 {
		return int64(float64(v) * ratio)
	}
	return v
}

// format prints a value in the unit of the report.
func (r *Report) format(v int64) string { return r.formatter.Format(r.scaled(v)) }

// formatOrDot prints zero as a dot.
func (r *Report) formatOrDot(v int64) string {
	if v == 0 {
		return "."
	}
	return r.format(v)
}

func (r *Report) percent(v int64) string { return unit.Percentage(v, r.View.Total) }

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// selectUnit replaces the unit "minimum" by one that suits the smallest node
// shown, or a hundred times that when the total needs a larger unit; whole
// keeps the unit of the smallest, for outputs that print integers only.
func (r *Report) selectUnit(g *view.Graph, whole bool) {
	if r.View.Options.Unit != unit.Minimum || len(g.Order) == 0 {
		return
	}
	var least int64
	for _, i := range g.Order {
		n := &g.Nodes[i]
		v := abs(n.FlatValue())
		if v == 0 {
			v = abs(n.CumValue())
		}
		if v > 0 && (least == 0 || v < least) {
			least = v
		}
	}
	most := r.View.Total
	if least == 0 {
		least = most
	}
	least, most = r.scaled(least), r.scaled(most)
	_, u := unit.Scale(least, r.View.Unit, unit.Minimum)
	_, mostUnit := unit.Scale(most, r.View.Unit, unit.Minimum)
	if u != mostUnit && least*100 < most && !whole {
		_, u = unit.Scale(100*least, r.View.Unit, unit.Minimum)
	}
	if u == "" {
		u = r.View.Unit
	}
	r.setUnit(u)
}

// Title is the name of the main binary.
func (r *Report) Title() string {
	if m := r.View.Profile.Mappings; len(m) > 1 && m[1].File != "" {
		return filepath.Base(m[1].File)
	}
	return ""
}

// ProfileLabels are the header lines that describe the profile.
func (r *Report) ProfileLabels() []string {
	p := r.View.Profile
	var out []string
	if len(p.Mappings) > 1 {
		if f := p.Mappings[1].File; f != "" {
			out = append(out, "File: "+filepath.Base(f))
		}
		if id := p.Mappings[1].BuildID; id != "" {
			out = append(out, "Build ID: "+id)
		}
	}
	for _, c := range p.Comments {
		if !strings.HasPrefix(c, "#") {
			out = append(out, c)
		}
	}
	if r.View.Type != "" {
		out = append(out, "Type: "+r.View.Type)
	}
	if p.DocURL != "" {
		out = append(out, "Doc: "+p.DocURL)
	}
	if p.TimeNanos != 0 {
		out = append(out, "Time: "+time.Unix(0, p.TimeNanos).Format("2006-01-02 15:04:05 MST"))
	}
	if p.DurationNanos != 0 {
		share := ""
		if ns, u := unit.Scale(r.View.Total, r.View.Unit, "nanoseconds"); u == "ns" && ns != 0 {
			share = "(" + unit.Percentage(int64(ns), p.DurationNanos) + ")"
		}
		out = append(out, fmt.Sprintf("Duration: %s, Total samples = %s %s", unit.Label(p.DurationNanos, "nanoseconds"), r.format(r.View.Total), share))
	}
	return out
}

const maxFilterBytes = 80

// graphLabels are the header lines of a report made of a graph. full is for
// pictures, which always describe the profile.
func (r *Report) graphLabels(t *view.Trimmed, full bool) []string {
	o := r.View.Options
	var out []string
	if full || !o.CompactLabels {
		out = r.ProfileLabels()
	}
	if len(r.View.Filters) > 0 {
		out = append(out, "Active filters:")
		for _, f := range r.View.Filters {
			if len(f) > maxFilterBytes {
				f = f[:maxFilterBytes] + "…"
			}
			out = append(out, "   "+f)
		}
	}
	shown := shownTotal(t.Graph)
	out = append(out, fmt.Sprintf("Showing nodes accounting for %s, %s of %s total", r.format(shown), strings.TrimSpace(r.percent(shown)), r.format(r.View.Total)))
	if total := r.View.Total; total != 0 {
		dropped := func(n int, what, measure string, fraction float64) {
			if n > 1 {
				what += "s"
			}
			if n > 0 {
				out = append(out, fmt.Sprintf("Dropped %d %s (%s <= %s)", n, what, measure, r.format(abs(int64(float64(total)*fraction)))))
			}
		}
		dropped(t.DroppedNodes, "node", "cum", o.NodeFraction)
		if full {
			dropped(t.DroppedEdges, "edge", "freq", o.EdgeFraction)
		}
		if n := len(t.Order); n > 0 && n < t.OrigCount {
			out = append(out, fmt.Sprintf("Showing top %d nodes out of %d", n, t.OrigCount))
		}
	}
	if full {
		out = append(out, "\nSee https://git.io/JfYMW for how to read the graph")
	}
	return out
}

func shownTotal(g *view.Graph) int64 {
	var total int64
	for _, n := range g.Order {
		total += g.Nodes[n].FlatValue()
	}
	return total
}
