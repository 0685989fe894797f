package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/unit"
)

// demoPage lays out what demo found.
type demoPage struct {
	e                *env
	o                demoOptions
	run              *demoRun
	heap, goroutines *report.Growth
	width            int
}

func (d *demoPage) text() string {
	var b strings.Builder
	switch {
	case d.goroutines.Grows:
		d.goroutineFinding(&b)
	case d.heap.Grows:
		d.heapFinding(&b)
	default:
		d.noFinding(&b)
	}
	b.WriteString("\n")
	b.WriteString(d.chart())
	d.commands(&b)
	return b.String()
}

// bold marks the finding on a terminal.
func (d *demoPage) bold(s string) string {
	if !d.e.colour() || d.o.plain {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

func size(v int64) string { return unit.Label(v, "bytes") }

func (d *demoPage) heapFinding(b *strings.Builder) {
	g := d.heap
	fmt.Fprintf(b, "\n%s\n", d.bold(fmt.Sprintf("The live heap grew from %s to %s in %s: %s a second.", size(g.From), size(g.To), d.span(g), size(int64(g.Rate)))))
	fmt.Fprintf(b, "The first %s are left out as warm-up; sizes are estimated from samples.\n", d.warmUp())
	d.path(b, g, size)
}

func (d *demoPage) warmUp() time.Duration { return d.o.warmUp().Round(time.Second) }

func (d *demoPage) goroutineFinding(b *strings.Builder) {
	g := d.goroutines
	count := func(v int64) string { return fmt.Sprint(v) }
	fmt.Fprintf(b, "\n%s\n", d.bold(fmt.Sprintf("Goroutines grew from %d to %d in %s: %.0f a second. Each keeps alive what it refers to.", g.From, g.To, d.span(g), g.Rate)))
	d.path(b, g, count)
	if d.heap.Grows {
		fmt.Fprintf(b, "\nThe live heap grew with them, from %s to %s:\n", size(d.heap.From), size(d.heap.To))
		d.path(b, d.heap, size)
	}
}

// shortRun is up to where a run without a finding proves nothing.
const shortRun = 12 * time.Second

func (d *demoPage) noFinding(b *strings.Builder) {
	g := d.heap
	if d.o.during < shortRun {
		fmt.Fprintf(b, "\n%s\n", d.bold("This run was too short to tell."))
		fmt.Fprintf(b, "The live heap was %s early and %s late, which chance may explain; watch for 20s or more (-for).\n", size(g.From), size(g.To))
		return
	}
	fmt.Fprintf(b, "\n%s\n", d.bold("Nothing grows without end."))
	fmt.Fprintf(b, "The live heap was %s after the warm-up and is %s at the end; goroutines %d and %d.\n", size(g.From), size(g.To), d.goroutines.From, d.goroutines.To)
	fmt.Fprintf(b, "Rising memory alone is no leak: this service fills a cache, then stays.\n")
}

// span is the time between the two levels that are compared: the first part of
// the run is left out as warm-up, and each level is a median.
func (d *demoPage) span(g *report.Growth) string {
	return g.Span.Round(time.Second).String()
}

// path prints the frames from the program's own code down to the first one
// below it, which is where memory is taken or a goroutine waits.
func (d *demoPage) path(b *strings.Builder, g *report.Growth, format func(int64) string) {
	path := ownPart(g.Path)
	if len(path) == 0 {
		fmt.Fprintf(b, "No single path has most of it.\n")
		return
	}
	fmt.Fprintf(b, "%.0f%% of the growth is on one path:\n\n", min(g.Share*100, 100))
	row := func(f report.GrowthFrame, depth int) {
		place := ""
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		name := render.CutText(strings.Repeat("  ", depth)+report.ShortName(f.Name), d.nameWidth(), render.TextOptions{ASCII: d.o.ascii})
		fmt.Fprintf(b, "  %s  %-16s %s -> %s\n", padRight(name, d.nameWidth()), place, format(f.From), format(f.To))
	}
	for depth, f := range path {
		row(f, depth)
	}
	if path[len(path)-1] == g.Path[len(g.Path)-1] {
		for _, f := range g.Branches {
			row(f, len(path))
		}
	}
}

// ownPart cuts a path to the frames from the first to the last of the
// program's own, and one more.
func ownPart(path []report.GrowthFrame) []report.GrowthFrame {
	first, last := -1, -1
	for i, f := range path {
		if f.Own {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return path
	}
	return path[first:min(last+2, len(path))]
}

func (d *demoPage) nameWidth() int { return max(20, d.width-42) }

func padRight(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-render.TextWidth(s)))
}

// chart draws the total and the blamed path over the run.
func (d *demoPage) chart() string {
	g, what := d.heap, "live heap"
	format := func(v float64) string { return size(int64(v)) }
	if d.goroutines.Grows {
		g, what = d.goroutines, "goroutines"
		format = func(v float64) string { return fmt.Sprintf("%.0f", v) }
	}
	x := make([]float64, len(g.Times))
	for i, t := range g.Times {
		x[i] = t.Sub(g.Times[0]).Seconds()
	}
	series := []render.Series{{Name: what, X: x, Y: floats(g.Total)}}
	if g.Grows && len(g.Path) > 0 {
		series = append(series, render.Series{Name: d.blamedName(g), X: x, Y: floats(g.Series)})
	}
	return render.LineChart(series, d.width, 12, render.ChartOptions{
		FormatY: format, FromZero: true, ASCII: d.o.ascii,
		FormatX: func(v float64) string { return (time.Duration(v) * time.Second).String() },
	})
}

// blamedName is the last own function of the path.
func (d *demoPage) blamedName(g *report.Growth) string {
	name := g.Path[len(g.Path)-1].Name
	for _, f := range g.Path {
		if f.Own {
			name = f.Name
		}
	}
	return report.ShortName(name)
}

func floats(v []int64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// commands prints how to look further at the kept profiles.
func (d *demoPage) commands(b *strings.Builder) {
	cmd := d.e.program()
	dir := filepath.Dir(d.run.first)
	fmt.Fprintf(b, "\nThe profiles are in %s. Look further, with pprof's own commands:\n\n", dir)
	first, last, goroutines := filepath.Base(d.run.first), filepath.Base(d.run.last), filepath.Base(d.run.lastGoroutines)
	if cmd == "profound" {
		fmt.Fprintf(b, "  cd %s\n", dir)
	} else {
		first, last, goroutines = d.run.first, d.run.last, d.run.lastGoroutines
	}
	if d.goroutines.Grows {
		fmt.Fprintf(b, "  %s -peek '%s' %s\n", cmd, d.blamedPattern(d.goroutines), goroutines)
		fmt.Fprintf(b, "  %s -traces %s\n", cmd, goroutines)
	}
	fmt.Fprintf(b, "  %s -top -base %s %s\n", cmd, first, last)
	if d.heap.Grows {
		fmt.Fprintf(b, "  %s -list '%s' %s\n", cmd, d.blamedPattern(d.heap), last)
		fmt.Fprintf(b, "  %s -peek '%s' %s\n", cmd, d.blamedPattern(d.heap), last)
	}
	fmt.Fprintf(b, "  %s -web -base %s %s\n", cmd, first, last)
}

// blamedPattern matches the blamed function and no other.
func (d *demoPage) blamedPattern(g *report.Growth) string {
	name := d.blamedName(g)
	if _, method, ok := strings.Cut(name, "."); ok {
		name = method // without the package
	}
	return regexp.QuoteMeta(name) + "$"
}
