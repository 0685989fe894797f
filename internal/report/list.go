package report

import (
	"bufio"
	"fmt"
	"io"
	"sort"

	"github.com/profoundhq/profound/internal/symbol/srcfind"
)

// Sources finds and reads source files by the name a profile has for them.
type Sources interface {
	Lines(name string) ([]string, srcfind.Found, error)
}

// SourceLine is one line of a listing.
type SourceLine struct {
	Number    int
	Flat, Cum int64
	Text      string
}

// Routine is a function in one file with its annotated lines.
type Routine struct {
	Name, File string
	Flat, Cum  int64
	Lines      []SourceLine
	// Path is where the source was found, Err why it was not.
	Path string
	Err  error
}

// List is annotated source of the functions that match the symbol.
type List struct {
	Routines []Routine
	r        *Report
}

// listMargin is how many lines before and after the sampled ones are shown
// where the beginning of the function is not known.
const listMargin = 5

// NewList adds samples up by line. A function that calls itself counts once
// a sample on each of its lines.
func NewList(r *Report) (*List, error) {
	r.View.ObjNames = true
	g := r.View.WholeNodes()
	byName := map[string]map[string][]int32{}
	for _, i := range g.Order {
		n := &g.Nodes[i]
		if !r.Symbol.MatchString(n.Name) {
			continue
		}
		if byName[n.Name] == nil {
			byName[n.Name] = map[string][]int32{}
		}
		byName[n.Name][n.File] = append(byName[n.Name][n.File], i)
	}
	if len(byName) == 0 {
		return nil, noMatch(r.Symbol)
	}
	l := &List{r: r}
	for _, name := range sortedKeys(byName) {
		files := byName[name]
		if len(files) == 1 && files[""] != nil {
			l.Routines = append(l.Routines, Routine{Name: name})
		}
		for _, file := range sortedKeys(files) {
			if file == "" {
				continue
			}
			rt := Routine{Name: name, File: file}
			places := make([]place, 0, len(files[file]))
			for _, i := range files[file] {
				n := &g.Nodes[i]
				rt.Flat += n.Flat
				rt.Cum += n.Cum
				places = append(places, place{n.StartLine, n.Line, n.Flat, n.Cum})
			}
			rt.annotate(r.Sources, places)
			l.Routines = append(l.Routines, rt)
		}
	}
	return l, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// place is a sampled line of a function that starts at start, 0 if unknown.
type place struct {
	start, line int
	flat, cum   int64
}

// annotate reads the source from the first to the last line of interest.
func (rt *Routine) annotate(src Sources, places []place) {
	type sum struct{ flat, cum int64 }
	sums := map[int]sum{}
	first, last := 0, 0
	for i, p := range places {
		start := p.start
		if start == 0 {
			start = p.line - listMargin
		}
		if i == 0 || start < first {
			first = start
		}
		last = max(last, p.line+listMargin)
		s := sums[p.line]
		sums[p.line] = sum{s.flat + p.flat, s.cum + p.cum}
	}
	lines, found, err := src.Lines(rt.File)
	if err != nil {
		rt.Err = err
		return
	}
	rt.Path = found.Path
	for n := max(first, 1); n <= last && n <= len(lines); n++ {
		rt.Lines = append(rt.Lines, SourceLine{n, sums[n].flat, sums[n].cum, lines[n-1]})
	}
}

// WriteText writes the listing.
func (l *List) WriteText(out io.Writer) error {
	r := l.r
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "Total: %s\n", r.format(r.View.Total))
	p := newPainter(r)
	for _, rt := range l.Routines {
		if rt.File == "" {
			fmt.Fprintf(w, "No source information for %s\n", rt.Name)
			continue
		}
		fmt.Fprintf(w, "ROUTINE ======================== %s in %s\n", rt.Name, rt.File)
		fmt.Fprintf(w, "%10s %10s (flat, cum) %s of Total\n", r.format(rt.Flat), r.format(rt.Cum), r.percent(rt.Cum))
		if rt.Err != nil {
			fmt.Fprintf(w, " Error: %v\n", rt.Err)
			continue
		}
		for _, ln := range rt.Lines {
			fmt.Fprintf(w, "%10s %10s %6d:%s\n", p.share(ln.Flat, r.formatOrDot(ln.Flat)), r.formatOrDot(ln.Cum), ln.Number, ln.Text)
		}
	}
	return w.Flush()
}

type jsonSourceLine struct {
	Line int     `json:"line"`
	Flat float64 `json:"flat"`
	Cum  float64 `json:"cum"`
	Text string  `json:"text"`
}

type jsonRoutine struct {
	Name  string           `json:"name"`
	File  string           `json:"file,omitempty"`
	Path  string           `json:"path,omitempty"`
	Error string           `json:"error,omitempty"`
	Flat  float64          `json:"flat"`
	Cum   float64          `json:"cum"`
	Lines []jsonSourceLine `json:"lines"`
}

// JSON is {"schema":"list/1", ..., "routines":[{name, file, lines}]}.
func (l *List) JSON() any {
	routines := make([]jsonRoutine, len(l.Routines))
	for i, rt := range l.Routines {
		jr := jsonRoutine{Name: rt.Name, File: rt.File, Path: rt.Path, Flat: l.r.base(rt.Flat), Cum: l.r.base(rt.Cum), Lines: []jsonSourceLine{}}
		if rt.Err != nil {
			jr.Error = rt.Err.Error()
		}
		for _, ln := range rt.Lines {
			jr.Lines = append(jr.Lines, jsonSourceLine{ln.Number, l.r.base(ln.Flat), l.r.base(ln.Cum), ln.Text})
		}
		routines[i] = jr
	}
	return struct {
		jsonHead
		Routines []jsonRoutine `json:"routines"`
	}{l.r.head("list/1"), routines}
}
