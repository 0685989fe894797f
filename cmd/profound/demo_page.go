package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/verdict"
)

// demoPage draws what the demo found and tells how to look further.
type demoPage struct {
	e     *env
	o     demoOptions
	v     *leak.Verdict
	dir   string // where the profiles are
	width int
}

func (d *demoPage) text() string {
	var b strings.Builder
	b.WriteString("\n" + d.chart())
	if len(d.leaks()) == 0 {
		b.WriteString("\nRising memory alone is no leak: this service fills a ring buffer, then stays.\n")
	}
	d.commands(&b)
	return b.String()
}

// leaks are the findings that matter, most telling first.
func (d *demoPage) leaks() []*leak.Finding {
	var out []*leak.Finding
	for i := range d.v.Findings {
		if f := &d.v.Findings[i]; f.Class == leak.Leak || f.Class == leak.Growing {
			out = append(out, f)
		}
	}
	return out
}

// total is the whole of a resource.
func (d *demoPage) total(r leak.Resource) *leak.Finding {
	for i := range d.v.Totals {
		if d.v.Totals[i].Resource == r {
			return &d.v.Totals[i]
		}
	}
	return nil
}

// chart draws the whole of what leaks, and the blamed part of it.
func (d *demoPage) chart() string {
	resource := leak.Heap
	var blamed *leak.Finding
	if l := d.leaks(); len(l) > 0 {
		blamed, resource = l[0], l[0].Resource
	}
	total := d.total(resource)
	if total == nil || len(total.Values) < 2 {
		return ""
	}
	begin := total.Times[0]
	line := func(name string, f *leak.Finding) textart.Series {
		s := textart.Series{Name: name, Y: f.Values}
		for _, t := range f.Times {
			s.X = append(s.X, t.Sub(begin).Seconds())
		}
		return s
	}
	series := []textart.Series{line(verdict.ResourceWord(resource), total)}
	if blamed != nil && verdict.Blame(blamed) != nil {
		series = append(series, line(origin.ShortName(verdict.Blame(blamed).Function), blamed))
	}
	return textart.LineChart(series, d.width, 12, textart.ChartOptions{
		FormatY: func(v float64) string { return verdict.Amount(resource, v) }, FromZero: true, ASCII: d.o.ascii,
		FormatX: func(v float64) string { return (time.Duration(v) * time.Second).String() },
	})
}

// commands prints how to look further at the kept profiles. The service is
// gone, so all of it reads files.
func (d *demoPage) commands(b *strings.Builder) {
	cmd := d.e.program()
	fmt.Fprintf(b, "\nThe profiles are in %s. Look further:\n\n", d.dir)
	prefix := ""
	if cmd == "profound" {
		fmt.Fprintf(b, "  cd %s\n", d.dir)
	} else {
		prefix = d.dir + string(filepath.Separator)
	}
	first, last := d.ends("heap")
	_, goroutines := d.ends("goroutine")
	where := "."
	if prefix != "" {
		where = d.dir
	}
	fmt.Fprintf(b, "  %s web %s\n", cmd, where)
	fmt.Fprintf(b, "  %s leak %s\n", cmd, where)
	for _, f := range d.leaks() {
		at := verdict.Blame(f)
		if at == nil {
			continue
		}
		switch f.Resource {
		case leak.Goroutines:
			fmt.Fprintf(b, "  %s -peek %s %s\n", cmd, quote(pattern(at.Function)), prefix+goroutines)
		case leak.Heap:
			fmt.Fprintf(b, "  %s -list %s %s\n", cmd, quote(pattern(at.Function)), prefix+last)
		}
	}
	fmt.Fprintf(b, "  %s -top -base %s %s\n", cmd, prefix+first, prefix+last)
}

// ends are the first and the last kept profile of a kind.
func (d *demoPage) ends(kind string) (first, last string) {
	names := profilesIn(d.dir, kind)
	if len(names) == 0 {
		return kind, kind
	}
	return names[0], names[len(names)-1]
}
