package verdict

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/textart"
)

const (
	defaultWidth = 100
	sparkWidth   = 16
	// shownBranches and shownHarmless bound what is listed of one kind; the
	// rest is counted, and JSON has it all.
	shownBranches = 5
	shownHarmless = 6
)

// writer collects the lines of a text.
type writer struct {
	strings.Builder
	o Options
	v *leak.Verdict
}

// line prints a line. Names and messages are of the program that was watched:
// what would steer a terminal is taken out.
func (w *writer) line(format string, args ...any) {
	w.WriteString(textart.Clean(fmt.Sprintf(format, args...)))
	w.WriteByte('\n')
}

// sentence prints a finding's sentence on lines of its own, wrapped to the
// width and marked.
func (w *writer) sentence(s string) {
	for i, l := range Wrap(textart.Clean(s), w.o.Width) {
		if i > 0 {
			l = "  " + l
		}
		if w.o.Bold != nil {
			l = w.o.Bold(l) // marks may stay in
		}
		w.WriteString(l + "\n")
	}
}

// Write prints a whole verdict: the findings with their evidence, then the
// resources as a whole, what memory is made of, and what was odd.
func Write(out io.Writer, v *leak.Verdict, o Options) error {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	w := &writer{o: o, v: v}
	harmless := 0
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Class != leak.Leak && f.Class != leak.Growing {
			harmless++
			continue
		}
		w.finding(i)
	}
	if harmless == len(v.Findings) {
		w.noLeak()
	}
	if harmless > 0 {
		w.harmless()
	}
	w.totals()
	w.memory()
	w.warnings()
	_, err := io.WriteString(out, w.String())
	return err
}

// noLeak says that nothing leaks and, from the totals, why.
func (w *writer) noLeak() {
	w.sentence(Headline(w.v, w.o))
	w.line("")
}

// Headline is the whole verdict in a sentence.
func Headline(v *leak.Verdict, o Options) string {
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Class == leak.Leak || f.Class == leak.Growing {
			return Sentence(v, f, o)
		}
	}
	if v.Looks == 0 {
		return "Nothing was seen: no verdict"
	}
	if v.Looks == 1 {
		return "One look says nothing about growth: take another one later"
	}
	s := "No leak"
	hasHeap := slices.ContainsFunc(v.Totals, func(f leak.Finding) bool { return f.Resource == leak.Heap })
	switch {
	case v.Worst() == leak.Unknown:
		s = "No verdict yet"
	case !hasHeap && len(v.Totals) > 1:
		s += " was seen, but the heap could not be judged"
	}
	for i := range v.Totals {
		if f := &v.Totals[i]; f.Resource == leak.Heap || i == 0 && len(v.Totals) == 1 {
			s += ": " + say(f, o)
			break
		}
	}
	if !v.Earliest.IsZero() && v.Earliest.After(o.Now) {
		s += fmt.Sprintf("; a slow leak could be told at %s, in %s", Clock(v.Earliest, o.Now), Duration(v.Earliest.Sub(o.Now)))
	}
	return s
}

// finding prints one leak with its evidence.
func (w *writer) finding(i int) {
	f := &w.v.Findings[i]
	w.sentence(Sentence(w.v, f, w.o))
	w.line("")
	w.path(f)
	if w.o.Held != nil {
		for _, s := range w.o.Held(i) {
			w.labelled("held by", s)
		}
	}
	w.evidence(f)
	w.line("")
}

// path prints the frames from the program's own code down, the growth on the
// last one.
func (w *writer) path(f *leak.Finding) {
	if len(f.Origin) > 0 {
		verb := "started by"
		if f.Resource == leak.OffHeap || f.Resource == leak.FileDescriptors {
			verb = "called from"
		}
		w.line("  %s", verb)
		w.frames(ownPart(f.Origin), "")
		if len(f.Path) > 0 {
			w.line("  which runs")
		}
	}
	if len(f.Path) == 0 {
		return
	}
	arrow := " -> "
	growth := Amount(f.Resource, f.Before.Value) + arrow + WithError(f.Resource, f.After)
	if spark := textart.Sparkline(f.Values, sparkWidth, textart.TextOptions{ASCII: w.o.ASCII}); spark != "" {
		growth += "  " + spark
	}
	shown := ownPart(fullPath(f))
	w.frames(shown, growth)
	if len(f.Below) < 2 {
		return
	}
	for i, b := range f.Below {
		if i == shownBranches {
			w.line("  %sand %d more", strings.Repeat("  ", len(shown)), len(f.Below)-i)
			break
		}
		l := fmt.Sprintf("  %s%s of it in %s", strings.Repeat("  ", len(shown)), percent(b.Share), branchName(b.Path))
		w.line("%s", textart.CutText(l, w.o.Width, textart.TextOptions{ASCII: w.o.ASCII}))
	}
}

// branchName is the way from a finding into one of several branches: the first
// calls of it, with the place where it parts.
func branchName(path []leak.Frame) string {
	const shown = 3
	var names []string
	for i, f := range ownPart(withoutRuntime(path)) {
		if i == shown {
			names = append(names, "...")
			break
		}
		names = append(names, origin.ShortName(f.Function))
	}
	s := strings.Join(names, " -> ")
	if len(path) > 0 {
		if at := place(path[0]); at != "" {
			s += " (" + at + ")"
		}
	}
	return s
}

// place is a file with a line, without folders.
func place(f leak.Frame) string {
	switch {
	case f.File == "":
		return ""
	case f.Line > 0:
		return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
	}
	return filepath.Base(f.File)
}

// maxFrames is how many frames of a path are printed; the middle is left out.
const maxFrames = 12

// frames prints a path, one frame a line, deeper ones further in; tail comes
// at the end of the last line.
func (w *writer) frames(path []leak.Frame, tail string) {
	skipFrom, skipTo := len(path), len(path)
	if len(path) > maxFrames {
		skipFrom, skipTo = maxFrames/2, len(path)-maxFrames/2
	}
	var rows [][2]string
	depth := 0
	for i, f := range path {
		if i >= skipFrom && i < skipTo {
			if i == skipFrom {
				rows = append(rows, [2]string{strings.Repeat("  ", depth) + fmt.Sprintf("(%d frames)", skipTo-skipFrom)})
			}
			continue
		}
		rows = append(rows, [2]string{strings.Repeat("  ", depth) + origin.ShortName(f.Function), place(f)})
		depth++
	}
	nameWidth, placeWidth := 0, 0
	for _, r := range rows {
		nameWidth = max(nameWidth, textart.TextWidth(r[0]))
		placeWidth = max(placeWidth, textart.TextWidth(r[1]))
	}
	nameWidth = min(nameWidth, max(24, w.o.Width-placeWidth-6))
	for i, r := range rows {
		l := "  " + pad(textart.CutText(r[0], nameWidth, textart.TextOptions{ASCII: w.o.ASCII}), nameWidth) + "  " + pad(r[1], placeWidth)
		if i == len(rows)-1 && tail != "" {
			if textart.TextWidth(l)+2+textart.TextWidth(tail) > w.o.Width {
				w.line("%s", strings.TrimRight(l, " "))
				l = "      " + tail
			} else {
				l += "  " + tail
			}
		}
		w.line("%s", strings.TrimRight(l, " "))
	}
}

// ownPart cuts a path to what lies between the first frame of the program's
// own and one frame below the last; all of it when none is.
func ownPart(path []leak.Frame) []leak.Frame {
	first := -1
	for i, f := range path {
		if f.Own {
			first = i
			break
		}
	}
	if first < 0 {
		return path
	}
	return path[first:]
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-textart.TextWidth(s)))
}

// labelWidth is the width of the words in front of the evidence.
const labelWidth = 10

// labelled prints a line of evidence under its level or another word.
func (w *writer) labelled(label, text string) {
	for i, l := range Wrap(text, w.o.Width-labelWidth-2) {
		if i > 0 {
			label = ""
		}
		w.line("  %s%s", pad(label, labelWidth), l)
	}
}

func (w *writer) evidence(f *leak.Finding) {
	for _, c := range Evidence(w.v, f, w.o) {
		w.labelled(c.Level, c.Text)
	}
	if w.o.Next != nil {
		for i, c := range w.o.Next(f) {
			label := "next"
			if i > 0 {
				label = ""
			}
			w.line("  %s%s", pad(label, labelWidth), c) // never wrapped: it is to be copied
		}
	}
}

// Clause is a piece of evidence and how sure it is: certain, tested, inferred.
type Clause struct{ Level, Text string }

// Evidence is what a finding rests on, the judgement itself first.
func Evidence(v *leak.Verdict, f *leak.Finding, o Options) []Clause {
	list := []Clause{{levelWord(f.Level), why(v, f, o)}}
	if at := Blame(f); at != nil {
		switch {
		case blameOnPath(f) != nil:
			list = append(list, Clause{"certain", "the call path: it is on the stacks of the profile"})
		case f.BlameLevel == leak.Inferred:
			list = append(list, Clause{"inferred", "where it comes from: " + origin.ShortName(at.Function) + " is the program's own code that calls what runs here"})
		default:
			list = append(list, Clause{levelWord(f.BlameLevel), "where it comes from: the stack of the call in an execution trace"})
		}
	}
	if f.Cause >= 0 && f.Cause < len(v.Findings) {
		list = append(list, Clause{"inferred", fmt.Sprintf("it is the effect of another finding: %s keep it alive", title(v.Findings[f.Cause].Resource))})
	}
	return list
}

// why is the evidence of the class itself.
func why(v *leak.Verdict, f *leak.Finding, o Options) string {
	if f.Level == leak.Certain && f.Reason.Code == leak.Unreachable {
		return "the collector found that nothing can ever wake them (goroutineleak profile)"
	}
	var parts []string
	switch {
	case isCount(f.Resource) && !math.IsNaN(f.P), f.Resource == leak.Heap && f.Level == leak.Certain:
		parts = append(parts, fmt.Sprintf("counted, not sampled: %s more in %s", Amount(f.Resource, f.After.Value-f.Before.Value), lasted(f, o)))
	case f.Reason.Code == leak.InStairs && !math.IsNaN(f.P):
		parts = append(parts, fmt.Sprintf("%s to larger room, each after a longer wait; by chance: %s", plural(f.Samples, "jump"), chance(f.P)))
	case f.Resource == leak.Heap && f.Samples > 0 && !math.IsNaN(f.P):
		parts = append(parts, fmt.Sprintf("growth of %s by chance: %s", plural(f.Samples, "sampled object"), chance(f.P)))
	case f.P < 1: // else no test was possible yet
		parts = append(parts, fmt.Sprintf("such a rise by chance: %s", chance(f.P)))
	}
	if !f.Since.IsZero() && !o.Rounds {
		parts = append(parts, "grows since "+Clock(f.Since, o.Now))
	}
	if len(parts) == 0 {
		return "seen in " + plural(v.Looks, "look")
	}
	return strings.Join(parts, "; ")
}

// lasted is how long a finding was watched, in rounds or time.
func lasted(f *leak.Finding, o Options) string {
	if o.Rounds {
		return plural(max(0, len(f.Values)-1), "round")
	}
	return Duration(span(f))
}
