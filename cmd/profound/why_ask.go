package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// whyView is a view of -by.
type whyView struct {
	name string
	make func(q *reason.Question, o *whyQuestion) *reason.Answer
	// exact views have no meaning for samples; those with noObjects none for
	// chosen objects, those with noGoroutine none for chosen goroutines.
	// refuses says why.
	exact, noObjects, noGoroutine bool
	refuses                       string
}

// whyViews are the views, in the order in which errors list them.
func whyViews() []whyView {
	of := func(f func(*reason.Question) *reason.Answer) func(*reason.Question, *whyQuestion) *reason.Answer {
		return func(q *reason.Question, _ *whyQuestion) *reason.Answer { return f(q) }
	}
	return []whyView{
		{name: "root", make: of(reason.Roots)},
		{name: "package", make: of(reason.Packages)},
		{name: "type", make: of(reason.Types)},
		{name: "site", make: of(reason.Sites)},
		{name: "tree", make: of(reason.Tree)},
		{name: "drops", make: of(reason.Drops), exact: true},
		{name: "depth", make: of(reason.Depths)},
		{name: "goroutines", noObjects: true, refuses: "lists goroutines, not objects: it goes with -goroutine only; try -by root",
			make: func(q *reason.Question, o *whyQuestion) *reason.Answer {
				return reason.Goroutines(q.A.Groups(o.matchGoroutine), q.N, false)
			}},
		{name: "waste", make: of(reason.Waste), exact: true},
		{name: "queues", noObjects: true, noGoroutine: true, refuses: "lists what the runtime keeps, for the whole program: leave the selection out",
			make: func(q *reason.Question, _ *whyQuestion) *reason.Answer {
				return reason.Queues(q.A.Queues(), q.N)
			}},
	}
}

func whyViewNames() []string {
	var names []string
	for _, v := range whyViews() {
		names = append(names, v.name)
	}
	return names
}

func findWhyView(name string) (whyView, bool) {
	for _, v := range whyViews() {
		if v.name == name {
			return v, true
		}
	}
	return whyView{}, false
}

// whyQuestion are the options with the expressions compiled.
type whyQuestion struct {
	*whyOptions
	why.Ask
	asked   why.Filter // without objects
	objects []uint32
}

func newWhyQuestion(o *whyOptions) (*whyQuestion, error) {
	q := &whyQuestion{whyOptions: o, Ask: why.Ask{At: o.at, Type: o.typ, Goroutine: o.goroutine}}
	var err error
	if q.asked, err = q.Ask.Filter(); err != nil {
		return nil, usagef("why: -%w", err)
	}
	return q, nil
}

// matchGoroutine matches all goroutines if none are asked for.
func (q *whyQuestion) matchGoroutine(g *goheap.Goroutine) bool {
	return q.asked.Goroutine == nil || q.asked.Goroutine(g)
}

// filter is what is asked about.
func (q *whyQuestion) filter() why.Filter {
	f := q.asked
	f.Objects = q.objects
	return f
}

// what names the selection.
func (q *whyQuestion) what() string {
	var parts []string
	if s := q.What(); s != "" {
		parts = append(parts, s)
	}
	if len(q.addresses) > 0 {
		var list []string
		for _, a := range q.addresses {
			list = append(list, fmt.Sprintf("%#x", a))
		}
		parts = append(parts, "what "+strings.Join(list, ", ")+" holds")
	}
	return strings.Join(parts, " in ")
}

// holderShare is the smallest part of the heap worth an answer of its own.
const holderShare = 0.01

// answer asks an analysis.
func (q *whyQuestion) answer(a *why.Analysis) (*reason.Document, error) {
	d := &reason.Document{Question: &reason.Question{A: a, N: q.n, What: q.what()}}
	if q.without != "" {
		w, err := a.Without(splitPaths(q.without))
		if err != nil {
			return nil, fmt.Errorf("-without: %w", err)
		}
		d.Answers = reason.Without(w)
		return d, nil
	}
	if err := q.findObjects(a); err != nil {
		return nil, err
	}
	if (q.at != "" || q.by == "site") && a.Heap.ProfileRate == 0 {
		return nil, errors.New("this program records no allocations: it does not link runtime/pprof or net/http/pprof, or has set runtime.MemProfileRate to 0; leave -at and -by site out")
	}
	if q.goroutine != "" && !slices.ContainsFunc(a.Heap.Goroutines, func(g goheap.Goroutine) bool { return q.matchGoroutine(&g) }) {
		return nil, fmt.Errorf("-goroutine %s: none of the %d goroutines matches; -by goroutines lists them", q.goroutine, len(a.Heap.Goroutines))
	}
	selects := q.at != "" || q.typ != ""
	switch {
	case q.by == "" && !selects && q.goroutine != "":
		d.Answers = []*reason.Answer{reason.Goroutines(a.Groups(q.matchGoroutine), q.n, true)}
		return d, nil
	case q.by == "" && !selects && len(q.addresses) > 0:
		for _, addr := range q.addresses {
			o, err := a.Object(addr, max(1, q.paths))
			if err != nil {
				return nil, err
			}
			d.Objects = append(d.Objects, o)
		}
		return d, nil
	}
	if d.Question.S = a.All(); selects || q.by != "" {
		d.Question.S = a.Select(q.filter())
	}
	if !d.Question.S.Whole && len(d.Question.S.Vertices) == 0 {
		return nil, q.nothing(a)
	}
	if v, ok := findWhyView(q.by); ok {
		d.Answers = []*reason.Answer{v.make(d.Question, q)}
		return d, nil
	}
	q.findings(a, d)
	return d, nil
}

// findObjects finds what is at the addresses.
func (q *whyQuestion) findObjects(a *why.Analysis) error {
	q.objects = nil
	for _, addr := range q.addresses {
		v, err := a.At(addr)
		if err != nil {
			return err
		}
		q.objects = append(q.objects, v)
	}
	return nil
}

// findings are sentences, for the whole heap or a selection.
func (q *whyQuestion) findings(a *why.Analysis, d *reason.Document) {
	s := d.Question.S
	d.Findings = true
	if s.Whole {
		d.Holdings = a.Holders(q.n, holderShare)
	} else {
		d.Holdings = a.Ways(s, q.n)
	}
	if !s.Whole && !s.Estimated() {
		r := a.Retained(s)
		d.Retained = &r
	}
	if q.paths == 0 {
		return
	}
	for i := range d.Holdings {
		var p reason.Paths
		if h := &d.Holdings[i]; h.Address != 0 { // a variable is its own path
			p.List, p.All = a.Paths(h.Example, q.paths)
		}
		d.Paths = append(d.Paths, p)
	}
}

// nothing says why nothing was selected.
func (q *whyQuestion) nothing(a *why.Analysis) error {
	if q.at != "" {
		return fmt.Errorf("-at %s: nothing that was sampled there is alive (%d sampled objects are, of %d places); sampled is about one allocation in %s",
			q.at, len(a.Heap.Samples), len(a.Heap.Buckets), reason.Size(float64(a.Heap.ProfileRate)))
	}
	if q.typ != "" {
		return fmt.Errorf("-type %s: no live object is of such a type; -by type lists the types there are", q.typ)
	}
	return fmt.Errorf("there is nothing in %s: it holds nothing that others do not hold too", q.what())
}

// splitPaths splits at commas that are not inside brackets: types have commas.
func splitPaths(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range s {
		switch r {
		case '[', '(', '{':
			depth++
		case ']', ')', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}
