package main

import (
	"fmt"
	"strings"
)

// accuracy is how much of heaps is known.
type accuracy struct {
	suite   []suiteRow
	servers []serverRow
}

func (a *accuracy) checks() (list []check) {
	for i := range a.suite {
		s := &a.suite[i]
		of := " of the leaky service, " + s.toolchain
		list = append(list,
			check{"objects missed, and free ones reached," + of, fmt.Sprintf("%d, %d", s.Missed, s.Free), "none", s.Missed == 0 && s.Free == 0},
			atLeast("objects"+of+" with a type", s.typedObjects(), barSuiteTyped),
			atLeast("types"+of+" that fit the pointer bitmaps", s.masks(), barMasks))
	}
	for i := range a.servers {
		s := &a.servers[i]
		list = append(list,
			atLeast("bytes of "+s.name+" with a type", s.typedBytes(), barServerTyped),
			check{"free objects of " + s.name + " that were reached", fmt.Sprint(s.Free), "none", s.Free == 0})
	}
	return list
}

func atLeast(figure string, got, bar float64) check {
	return check{figure, percent(got), fmt.Sprintf("at least %.4g %%", 100*bar), got >= bar}
}

func (a *accuracy) ok() bool { return passed(a.checks()) }

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// page is docs/accuracy-of-why.md.
func (a *accuracy) page(head []string) string {
	var w strings.Builder
	w.WriteString(`# How much of a heap is known

What profound why finds in heaps where the truth is known, and in programs
nobody here has written. Written by internal/bench/heap; do not edit.

`)
	for _, line := range head {
		fmt.Fprintf(&w, "- %s\n", line)
	}
	w.WriteString("\n")
	writeChecks(&w, a.checks())
	if len(a.suite) > 0 {
		a.writeSuite(&w)
	}
	if len(a.servers) > 0 {
		a.writeServers(&w)
	}
	w.WriteString(`"Missed" are objects that the allocator has given out and that are not reached:
garbage, or an error of ours where there is none. "Free" are objects that are
reached and were not given out: always an error. Types that "fit" are those of
small objects which have a pointer wherever the object's own bitmap has one; an
object is left without a type rather than given one that does not fit.
`)
	return w.String()
}

func statCells(s *heapStats) string {
	return fmt.Sprintf("%d | %.1f | %d | %d | %s | %s | %s of %d", s.Objects, float64(s.Bytes)/(1<<20), s.Missed, s.Free,
		percent(s.typedObjects()), percent(s.typedBytes()), percent(s.masks()), s.MaskAgree+s.MaskDisagree)
}

func (a *accuracy) writeSuite(w *strings.Builder) {
	w.WriteString(`## The leaky service

It keeps memory in every way a Go program can, and was collected right before.
What closures have captured is in DWARF since Go 1.23; before, it is read from
the code that makes them.

| built by | objects | MiB | missed | free | typed, of objects | of bytes | types that fit |
|---|---|---|---|---|---|---|---|
`)
	for i := range a.suite {
		fmt.Fprintf(w, "| %s | %s |\n", a.suite[i].toolchain, statCells(&a.suite[i].heapStats))
	}
	w.WriteString("\n")
	for i := range a.suite {
		if s := &a.suite[i]; s.typedObjects() < barSuiteTyped {
			fmt.Fprintf(w, "Without a type in that of %s, by what points to them:\n\n", s.toolchain)
			writeUntyped(w, s.untyped)
			w.WriteString("\n")
		}
	}
}

// writeUntyped lists what has no type.
func writeUntyped(w *strings.Builder, list []untyped) {
	for _, u := range list[:min(len(list), untypedShown)] {
		fmt.Fprintf(w, "- %d objects, %.1f KiB: `%s`\n", u.objects, float64(u.bytes)/1024, u.where)
	}
}

// untypedShown is how many kinds of objects without a type are listed for each
// server.
const untypedShown = 4

func (a *accuracy) writeServers(w *strings.Builder) {
	w.WriteString(`## Programs nobody here has written

Built through the module proxy, put under a little load, and collected by
/debug/pprof/heap?gc=1; what is missed is garbage made since.

| program | objects | MiB | missed | free | typed, of objects | of bytes | types that fit | s |
|---|---|---|---|---|---|---|---|---|
`)
	for i := range a.servers {
		s := &a.servers[i]
		fmt.Fprintf(w, "| %s %s | %s | %.1f |\n", s.name, s.version, statCells(&s.heapStats), s.seconds)
	}
	for i := range a.servers {
		s := &a.servers[i]
		fmt.Fprintf(w, "\n%s (%s) keeps most here:\n\n", s.name, s.what)
		for _, x := range s.holders {
			fmt.Fprintf(w, "- `%s`\n", strings.ReplaceAll(x, "\n", " "))
		}
		if len(s.untyped) > 0 {
			w.WriteString("\nWithout a type, by what points to them:\n\n")
		}
		writeUntyped(w, s.untyped)
	}
	w.WriteString("\n")
}
