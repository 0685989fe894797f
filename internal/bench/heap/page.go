package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// The bars of the issue of reading heaps.
const (
	barPauseBase   = 5 * time.Millisecond
	barPausePerGB  = 30 * time.Millisecond // of resident memory
	barSpeed       = 1.8e6                 // objects a second, from start to end
	barPerObject   = 60                    // bytes, without the copy and references
	perReference   = 8                     // bytes
	barPath        = time.Millisecond
	barSemiNCA     = 200 * time.Millisecond
	largeEnough    = 10_000_000 // objects, for what depends on the size; below, the start of the program counts
	sectionHeading = "## Reading a process\n"
)

// check is a figure with its bar.
type check struct {
	figure, measured, bar string
	ok                    bool
}

// pauseBar is how long a process may stand still.
func (r *speedRow) pauseBar() time.Duration {
	return barPauseBase + time.Duration(float64(barPausePerGB)*float64(r.resident)/(1<<30))
}

// perObject is what an object takes at the peak, without what is copied and
// the references, bytes.
func (r *speedRow) perObject() float64 {
	m := median(r.runs)
	return (float64(m.peak) - m.told.copied - perReference*float64(r.edges)) / float64(max(1, m.told.objects))
}

func (r *speedRow) checks() (list []check) {
	m := median(r.runs)
	of := fmt.Sprintf(", %s objects", millions(m.told.objects))
	list = append(list, check{"stands still" + of, milliseconds(m.told.pause), "at most " + milliseconds(r.pauseBar()), m.told.pause <= r.pauseBar()})
	if m.told.objects < largeEnough {
		return list
	}
	rate := float64(m.told.objects) / m.wall.Seconds()
	return append(list,
		check{"objects a second, start to end" + of, fmt.Sprintf("%.2f M", rate/1e6), fmt.Sprintf("at least %.1f M", barSpeed/1e6), rate >= barSpeed},
		check{"bytes an object at the peak, without the copy and references" + of, fmt.Sprintf("%.0f", r.perObject()), fmt.Sprint("at most ", barPerObject), r.perObject() <= barPerObject})
}

func (s *speed) checks() (list []check) {
	for i := range s.rows {
		list = append(list, s.rows[i].checks()...)
	}
	if st := s.stages; st != nil {
		of := fmt.Sprintf(", %s objects", millions(st.objects))
		list = append(list, check{"path to an object, with names: median of " + fmt.Sprint(pathQueries) + of, microseconds(st.path), "less than " + microseconds(barPath), st.path < barPath})
	}
	return append(list, check{"Semi-NCA, generated graph of " + millions(semiNCAObjects) + " objects", milliseconds(s.semiNCA), "less than " + milliseconds(barSemiNCA), s.semiNCA < barSemiNCA})
}

func (s *speed) ok() bool { return passed(s.checks()) }

func passed(list []check) bool {
	for _, c := range list {
		if !c.ok {
			return false
		}
	}
	return true
}

// section is what docs/benchmarks.md has of it.
func (s *speed) section(head []string) string {
	var w strings.Builder
	w.WriteString(sectionHeading + `
profound why, and others that read a process, on the same services in the same
run. Written by make bench (internal/bench/heap); do not edit.

Programs run as whole processes; figures of profound are medians. "Noticed" is
the longest time between two ticks of the service while it was read: a tick
comes each fifth of a millisecond. "Told" is what profound says of it. The
ratios say how many times more the others took.

| objects | resident | program | noticed | told | wall s | CPU s | MiB | noticed | wall | memory |
|---|---|---|---|---|---|---|---|---|---|---|
`)
	for i := range s.rows {
		s.rows[i].lines(&w)
	}
	w.WriteString("\n")
	writeChecks(&w, s.checks())
	for _, line := range head {
		fmt.Fprintf(&w, "- %s\n", line)
	}
	for i := range s.rows {
		r := &s.rows[i]
		m := median(r.runs)
		fmt.Fprintf(&w, "- %s objects: %s references, %s copied, median of %d runs; in a second without a reader the longest time between ticks was %s\n",
			millions(m.told.objects), millions(r.edges), gigabytes(m.told.copied), len(r.runs), milliseconds(r.quiet))
	}
	if st := s.stages; st != nil {
		fmt.Fprintf(&w, "- of %s objects, the heap was read in %.2f s from the copy, dominators and retained sizes took %.2f s, the first path %.2f s, the slowest of the others %s\n",
			millions(st.objects), st.read.Seconds(), st.dominators.Seconds(), st.firstPath.Seconds(), milliseconds(st.worstPath))
	}
	for _, n := range s.notes {
		fmt.Fprintf(&w, "- %s\n", n)
	}
	if s.alive != nil {
		fmt.Fprintf(&w, "\nOur own memory, without garbage and the copy, as our heap profile has it:\n\n```text\n%s\n```\n", s.alive)
	}
	w.WriteString(`
The service keeps a shop: orders in a map and a list through all of them, with
lines, notes and documents; see internal/bench/heap/service. gcore only writes a
core file: what holds what is still to be found then.
`)
	return w.String()
}

// lines are the rows of one service: ours, then the others with ratios.
func (r *speedRow) lines(w *strings.Builder) {
	m := median(r.runs)
	fmt.Fprintf(w, "| %s | %s | profound | %s | %s | %.2f | %.2f | %.0f | | | |\n", millions(m.told.objects), gigabytes(float64(r.resident)),
		milliseconds(m.gap), milliseconds(m.told.pause), m.wall.Seconds(), m.cpu.Seconds(), float64(m.peak)/(1<<20))
	for _, o := range r.rivals {
		fmt.Fprintf(w, "| | | %s | %s | | %.2f | %.2f | %.0f | %.1fx | %.2fx | %.2fx |\n", o.name,
			milliseconds(o.gap), o.wall.Seconds(), o.cpu.Seconds(), float64(o.peak)/(1<<20),
			float64(o.gap)/float64(max(1, m.gap)), o.wall.Seconds()/m.wall.Seconds(), float64(o.peak)/float64(max(1, m.peak)))
	}
}

func writeChecks(w *strings.Builder, list []check) {
	w.WriteString("| figure | measured | bar | verdict |\n|---|---|---|---|\n")
	for _, c := range list {
		verdict := "pass"
		if !c.ok {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", c.figure, c.measured, c.bar, verdict)
	}
	w.WriteString("\n")
}

func millions(n int64) string { return fmt.Sprintf("%.2f M", float64(n)/1e6) }

func gigabytes(bytes float64) string { return fmt.Sprintf("%.2f GiB", bytes/(1<<30)) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

// replaceSection puts a section in the place of the one with the same heading,
// or at the end of the file.
func replaceSection(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(file, []byte(withSection(string(old), text)), 0o644)
}

// withSection is a page with a section, which begins with its heading.
func withSection(page, text string) string {
	heading, _, _ := strings.Cut(text, "\n")
	before, after := page, ""
	if i := strings.Index(page, heading+"\n"); i >= 0 {
		before, after = page[:i], page[i+len(heading):]
		if k := strings.Index(after, "\n## "); k >= 0 {
			after = after[k+1:]
		} else {
			after = ""
		}
	}
	if before = strings.TrimRight(before, "\n"); before != "" {
		before += "\n\n"
	}
	if after != "" {
		text += "\n"
	}
	return before + text + after
}
