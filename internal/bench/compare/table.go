package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// table is everything a run found.
type table struct {
	Host       host
	Notes      []string
	Started    time.Time
	Unresolved int64 // bytes; a smaller peak reads as this
	Rows       []row
}

func header() []string {
	return []string{"case", "CPU s", "wall s", "MiB", "pprof CPU s", "wall s", "MiB",
		"CPU", "wall", "memory", "floor s", "x floor", "same bytes", "bar", "verdict"}
}

func (r row) cells() []string {
	ours, theirs, floor := medianOf(r.ours), medianOf(r.theirs), medianOf(r.floor)
	ratios := r.ratios()
	bound := ""
	if ratios.atLeast {
		bound = ">"
	}
	cells := []string{r.name, seconds(ours.cpu), seconds(ours.wall), mebi(ours.peak),
		bound + seconds(theirs.cpu), bound + seconds(theirs.wall), bound + mebi(theirs.peak),
		bound + times(ratios.cpu), bound + times(ratios.wall), bound + times(ratios.peak)}
	if r.inputBytes > 0 {
		cells = append(cells, seconds(floor.cpu), times(ratio(ours.cpu, floor.cpu)))
	} else {
		cells = append(cells, "-", "-")
	}
	return append(cells, string(r.same), r.bar.String(), r.verdict().String())
}

// remarks are sentences about single rows that do not fit into a cell.
func (t *table) remarks() []string {
	notes := append([]string(nil), t.Notes...)
	for _, r := range t.Rows {
		if theirs := medianOf(r.theirs); theirs.stopped != "" {
			notes = append(notes, fmt.Sprintf("%s: pprof was stopped by the %s at %s s CPU, %.1f GiB; its figures and the ratios are lower bounds",
				r.name, theirs.stopped, seconds(theirs.cpu), float64(theirs.peak)/gib))
		}
		if len(r.theirs) == 1 {
			notes = append(notes, fmt.Sprintf("%s: one run of pprof, median of %d of profound", r.name, len(r.ours)))
		}
	}
	if t.Unresolved > 0 {
		notes = append(notes, fmt.Sprintf("peaks of less than %s MiB cannot be told apart: that is what a process that does nothing reads", mebi(t.Unresolved)))
	}
	return notes
}

// text writes the table for a terminal.
func (t *table) text(w io.Writer) error {
	var aligned strings.Builder
	tw := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	for _, cells := range t.all() {
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush() // into memory: no error
	for _, line := range append(t.Host.lines(), t.remarks()...) {
		fmt.Fprintf(&aligned, "%s\n", line)
	}
	_, err := io.WriteString(w, aligned.String())
	return err
}

func (t *table) all() [][]string {
	rows := [][]string{header()}
	for _, r := range t.Rows {
		rows = append(rows, r.cells())
	}
	return rows
}

// markdown writes the table for the documentation.
func (t *table) markdown(w *strings.Builder) {
	fmt.Fprint(w, `# Benchmarks

profound against go tool pprof, measured in one run on one machine. Written by
make bench (internal/bench/compare); do not edit.

Both programs run as whole processes with the same flags on the same files.
Figures are medians; CPU is user + system time, MiB the peak resident set. The
columns CPU, wall and memory after pprof's own say how many times more pprof
took. The floor is the CPU time of a program that only decompresses the input.

`)
	for i, cells := range t.all() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(cells)))
		}
	}
	fmt.Fprintf(w, "\n- date: %s\n", t.Started.UTC().Format("2006-01-02 15:04 MST"))
	for _, line := range append(t.Host.lines(), t.remarks()...) {
		fmt.Fprintf(w, "- %s\n", line)
	}
	fmt.Fprint(w, `
The synthetic inputs (labelled, unlabelled) have 50,000 functions, 200,000
locations and stacks of 40 frames on average; labels are endpoint (200 values),
tenant (5,000) and a trace_id on 5% of the samples. See internal/bench/synth.
proto-merge-100 merges CPU profiles that the Go compiler wrote of itself.
`)
}

// seconds keeps three digits that count.
func seconds(d time.Duration) string {
	switch s := d.Seconds(); {
	case s >= 99.5:
		return fmt.Sprintf("%.0f", s)
	case s >= 9.95:
		return fmt.Sprintf("%.1f", s)
	case s >= 0.995:
		return fmt.Sprintf("%.2f", s)
	default:
		return fmt.Sprintf("%.4f", s)
	}
}

func mebi(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(bytes)/(1<<20))
}
