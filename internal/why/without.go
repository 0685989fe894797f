package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// WhatIf is what goes free without some references.
type WhatIf struct {
	Names []string
	// Variables and References are how many were taken away.
	Variables, References int
	Frees                 retain.Amount
	Stacks                uint64 // of goroutines that were taken away
	Types                 []TypeRow
	Sites                 []Site // estimates, the largest first
}

// UnknownName is the error for a reference that does not exist.
type UnknownName struct {
	Name string
	// Known is the part of Name that exists, "" if not even the variable does.
	Known string
	// Near are names that exist, the nearest first: of variables, or of fields
	// behind Known.
	Near []string
}

func (e *UnknownName) Error() string {
	near := strings.Join(e.Near, ", ")
	switch {
	case e.Known == "" && near == "":
		return fmt.Sprintf("no variable %s holds anything", e.Name)
	case e.Known == "":
		return fmt.Sprintf("no variable %s holds anything; near to it are: %s", e.Name, near)
	case near == "":
		return fmt.Sprintf("%s: %s refers to nothing", e.Name, e.Known)
	}
	return fmt.Sprintf("%s: %s has no such field that refers to something; it has: %s", e.Name, e.Known, near)
}

// Without finds what goes free without references, all together. A name is a
// variable, or a variable and fields behind it, as in Holding: main.cache,
// main.cache.m. A variable that many goroutines have is taken from all of
// them. The error is an *UnknownName.
func (a *Analysis) Without(names []string) (*WhatIf, error) {
	w := &WhatIf{Names: names}
	var edges []retain.Edge
	var vertices []uint32
	for _, name := range names {
		e, v, err := a.resolve(name)
		if err != nil {
			return nil, err
		}
		edges, vertices = append(edges, e...), append(vertices, v...)
	}
	w.Variables, w.References = len(vertices), len(edges)
	freed := a.Result.WhatIf(edges, vertices)
	s := &Selection{in: newSet(a.Result.Vertices())}
	for v := range freed.All() {
		if a.Heap.Kind(v) == goheap.KindGoroutine {
			w.Stacks += a.Result.Size(v)
		}
		if a.Heap.IsObject(v) {
			s.Vertices = append(s.Vertices, v)
			s.in.add(v)
		}
	}
	slices.Sort(s.Vertices)
	w.Frees = freed.Amount
	w.Frees.Bytes -= min(w.Frees.Bytes, w.Stacks)
	w.Types = a.Types(s)
	w.Sites = a.SitesOf(s, -1)
	return w, nil
}

// SitesOf adds up the samples of a selection by allocation site, the n largest
// first, all with n < 0.
func (a *Analysis) SitesOf(s *Selection, n int) []Site {
	sums := map[int]*Site{}
	for _, i := range a.Sampled(s).Samples {
		a.addSample(sums, &a.Heap.Samples[i])
	}
	return a.joined(sums, n)
}

// resolve finds the variables, or the references at the end of the fields, that
// a name means.
func (a *Analysis) resolve(name string) (edges []retain.Edge, vertices []uint32, err error) {
	plain := strings.TrimPrefix(strings.TrimSpace(name), "*")
	w := walk{Analysis: a, seen: map[place]bool{}, fields: map[string]bool{}}
	for v := uint32(1); v < a.Heap.FirstObject; v++ {
		if k := a.Heap.Kind(v); k == goheap.KindPackage || k == goheap.KindGoroutine || !a.Result.Reachable(v) {
			continue
		}
		root := strings.TrimPrefix(a.Heap.Name(v), "*")
		rest, ok := strings.CutPrefix(plain, root)
		switch {
		case root == "" || !ok || !ends(rest):
		case rest == "":
			vertices = append(vertices, v)
		default:
			w.name, w.known = plain, max(w.known, len(root))
			w.from(place{v, len(root)})
		}
	}
	if len(w.edges)+len(vertices) > 0 {
		return w.edges, vertices, nil
	}
	if w.name == "" {
		return nil, nil, &UnknownName{Name: name, Near: a.nearNames(plain)}
	}
	e := &UnknownName{Name: name, Known: plain[:w.known]}
	for f := range w.fields {
		e.Near = append(e.Near, f)
	}
	slices.Sort(e.Near)
	e.Near = e.Near[:min(len(e.Near), maxNear)]
	return nil, nil, e
}

// ends tells whether a name may end before rest: nothing, or the next field.
func ends(rest string) bool { return rest == "" || strings.ContainsRune(".[+", rune(rest[0])) }

// place is a vertex that was come to by the first so many bytes of a name.
type place struct {
	vertex uint32
	at     int
}

// walk follows the fields of a name.
type walk struct {
	*Analysis
	name   string
	edges  []retain.Edge
	seen   map[place]bool
	known  int             // how much of the name exists
	fields map[string]bool // that follow there
}

func (w *walk) from(p place) {
	work := []place{p}
	for len(work) > 0 {
		p := work[len(work)-1]
		work = work[:len(work)-1]
		if w.seen[p] {
			continue
		}
		w.seen[p] = true
		for to := range w.Result.Targets(p.vertex) {
			if !w.Heap.IsObject(to) {
				continue
			}
			field := trimLabel(w.labels.Name(w.labels.Label(p.vertex, to)))
			rest := w.name[p.at:]
			switch tail, ok := strings.CutPrefix(rest, field); {
			case field == "": // a pointer's target, or a part of a map
				work = append(work, place{to, p.at})
			case ok && tail == "", strings.HasPrefix(field, rest) && ends(field[len(rest):]):
				w.edges = append(w.edges, retain.Edge{From: p.vertex, To: to})
			case ok && ends(tail):
				at := len(w.name) - len(tail)
				if at > w.known {
					w.known = at
					clear(w.fields)
				}
				work = append(work, place{to, at})
			case strings.HasSuffix(w.name[:p.at], field): // round a list or a tree once more
				work = append(work, place{to, p.at})
			case p.at == w.known:
				w.fields[field] = true
			}
		}
	}
}

// maxNear is how many names an error offers.
const maxNear = 6

// nearNames are the names of roots that are most like a name.
func (a *Analysis) nearNames(name string) []string {
	type near struct {
		name string
		off  int
	}
	var list []near
	seen := map[string]bool{}
	for v := uint32(1); v < a.Heap.FirstObject; v++ {
		k, n := a.Heap.Kind(v), strings.TrimPrefix(a.Heap.Name(v), "*")
		if k != goheap.KindGlobal && k != goheap.KindLocal || seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, near{n, distance(name, n)})
	}
	slices.SortFunc(list, func(x, y near) int { return cmp.Or(cmp.Compare(x.off, y.off), cmp.Compare(x.name, y.name)) })
	var out []string
	for _, n := range list[:min(maxNear, len(list))] {
		out = append(out, n.name)
	}
	return out
}

// distance is how far the name a user gave is from one that exists: letters to
// change (Levenshtein), not counting fields that may follow the variable.
func distance(given, name string) int {
	given, name = strings.ToLower(given), strings.ToLower(name)
	row := make([]int, len(name)+1)
	for j := range row {
		row[j] = j
	}
	best := len(given) + len(name)
	for i := range len(given) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(name) {
			cost := diagonal
			if given[i] != name[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
		if i+1 == len(given) || ends(given[i+1:]) {
			best = min(best, row[len(name)])
		}
	}
	return best
}
