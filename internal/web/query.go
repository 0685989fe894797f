package web

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/view"
)

// Param is one parameter of an address: of the page, of the API, mostly of
// both.
type Param struct {
	Name string
	// Form shows how a value is written: "p3 | p2..p5 | all".
	Form string
	// Help is one line.
	Help string
}

// written says how a value is written, as a hint.
func (p *Param) written() string {
	return "It is written " + strings.TrimSuffix(p.Form, ".") + "."
}

// Query is the state of the page that decides what is shown: what an address
// says behind the question mark. Equal queries have equal addresses; see
// Values.
type Query struct {
	// Kind is the kind of profile, Value the sample type; "" is what the
	// session picks.
	Kind, Value string
	// Cur is what is shown and Base what it is compared with.
	Cur, Base Span
	// Transforms are applied in their order.
	Transforms []Transform
	// Sel is the selected thing, zero for none.
	Sel Selection
	// Search is the text that is looked for; nothing is filtered by it.
	Search string
	// Options are the options of pprof that are no transforms; the others have
	// their defaults. The value and the granularity are set when a view is
	// made.
	Options view.Options
	// JSON is set by format=json; it is no part of the state.
	JSON bool
	// unmarked takes the base off as -base does: what is left is one profile,
	// and shares are of it. It is no part of the state.
	unmarked bool
	// own are the parameters that belong to one view only.
	own map[string]string
}

// queryParam is a row of the table of common parameters.
type queryParam struct {
	Param
	set func(q *Query, value string) error
	get func(q *Query) []string // nil or "" for the default
}

// queryParams is the table of parameters every view takes. Addresses, the
// page /api and "copy as command" are made from it.
func queryParams() []queryParam {
	one := func(at func(*Query) *string) (func(*Query, string) error, func(*Query) []string) {
		return func(q *Query, v string) error { *at(q) = v; return nil },
			func(q *Query) []string { return []string{*at(q)} }
	}
	setKind, getKind := one(func(q *Query) *string { return &q.Kind })
	setValue, getValue := one(func(q *Query) *string { return &q.Value })
	setSearch, getSearch := one(func(q *Query) *string { return &q.Search })
	list := []queryParam{
		{Param{"kind", "heap", "Kind of profile: heap allocs cpu goroutine block mutex threadcreate, or its own name"}, setKind, getKind},
		{Param{"value", "inuse_space", "Sample type to show"}, setValue, getValue},
		{Param{"cur", "p3 | p2..p5 | all", "Which profile is shown; several are added up"},
			func(q *Query, v string) (err error) { q.Cur, err = ParseSpan(v); return err },
			func(q *Query) []string { return []string{q.Cur.String()} }},
		{Param{"base", "p1 | p2..p5 | all | none", "Which profile it is compared with"},
			func(q *Query, v string) (err error) { q.Base, err = ParseSpan(v); return err },
			func(q *Query) []string { return []string{q.Base.String()} }},
		{Param{"x", "focus:REGEXP | root:FUNCTION | gran:lines | ...", "A transform; may be repeated, the order counts"},
			func(q *Query, v string) error {
				t, err := ParseTransform(v)
				if err == nil {
					q.Transforms = append(q.Transforms, t)
				}
				return err
			},
			func(q *Query) []string {
				var out []string
				for _, t := range q.Transforms {
					out = append(out, t.String())
				}
				return out
			}},
		{Param{"sel", "f:FUNCTION | t:TYPE | g:GROUP | l:FILE:LINE", "What is selected"},
			func(q *Query, v string) (err error) { q.Sel, err = ParseSelection(v); return err },
			func(q *Query) []string { return []string{q.Sel.String()} }},
		{Param{"q", "TEXT", "What is searched for; nothing is left out because of it"}, setSearch, getSearch},
	}
	return append(list, optionParams()...)
}

// optionParams are pprof's options that are no transform, under their names
// in pprof's addresses.
func optionParams() []queryParam {
	var list []queryParam
	for _, f := range view.Fields() {
		if f.URL == "" || f.Name == "sample_index" || f.Name == "granularity" || isTransformOption(f.Name) {
			continue
		}
		form := f.URL
		switch f.Pointer(new(view.Options)).(type) {
		case *bool:
			form = "true | false"
		case *int, *float64:
			form = "NUMBER"
		}
		if f.Choices != nil {
			form = strings.Join(f.Choices, " | ")
		}
		help, _, _ := strings.Cut(f.Help, "\n")
		list = append(list, queryParam{Param{f.URL, form, help + " (option " + f.Name + ")"},
			func(q *Query, v string) error {
				if err := f.Set(&q.Options, v); err != nil {
					return err
				}
				return checkOption(f, &q.Options)
			},
			func(q *Query) []string {
				d := view.Defaults()
				if v := f.Get(&q.Options); v != f.Get(&d) {
					return []string{v}
				}
				return nil
			}})
	}
	return list
}

// checkOption refuses numbers that mean nothing: what is no number, fewer than
// no entries, shares beyond the whole.
func checkOption(f view.Field, o *view.Options) error {
	switch p := f.Pointer(o).(type) {
	case *float64:
		share := f.Name == "nodefraction" || f.Name == "edgefraction"
		if math.IsNaN(*p) || math.IsInf(*p, 0) || share && (*p < 0 || *p > 1) {
			return fmt.Errorf("%s goes from 0 to 1", f.Name)
		}
	case *int:
		d := view.Defaults()
		if *p < 0 && f.Get(o) != f.Get(&d) {
			return fmt.Errorf("%s goes from 0 on", f.Name)
		}
	}
	return nil
}

// ParseQuery reads the parameters of an address. own are those of the view
// itself. A parameter nobody knows is an error, so that a mistyped one is
// noticed.
func ParseQuery(values url.Values, own []Param) (*Query, error) {
	q := &Query{Options: view.Defaults(), own: map[string]string{}}
	params := queryParams()
	for _, name := range sortedKeys(values) {
		list := values[name]
		if name == "format" {
			q.JSON = slices.Contains(list, "json")
			continue
		}
		if slices.ContainsFunc(own, func(p Param) bool { return p.Name == name }) {
			if v := list[len(list)-1]; v != "" {
				q.own[name] = v
			}
			continue
		}
		i := slices.IndexFunc(params, func(p queryParam) bool { return p.Name == name })
		if i < 0 {
			return nil, badRequest("Take it out of the address; /api lists the parameters.", "there is no parameter %q here", name)
		}
		for _, v := range list {
			if v == "" && name != "x" {
				continue
			}
			if err := params[i].set(q, v); err != nil {
				return nil, badRequest(params[i].written(), "parameter %s=%s: %v", name, v, err)
			}
		}
	}
	return q, nil
}

// Values is the query as parameters, defaults left out: equal states give
// equal addresses.
func (q *Query) Values() url.Values {
	out := url.Values{}
	for _, p := range queryParams() {
		for _, v := range p.get(q) {
			if v != "" {
				out.Add(p.Name, v)
			}
		}
	}
	for name, v := range q.own {
		out.Set(name, v)
	}
	return out
}

// String is the query as it stands in an address, keys sorted.
func (q *Query) String() string { return q.Values().Encode() }

// Own is a parameter of the view itself, "" when it is absent.
func (q *Query) Own(name string) string { return q.own[name] }

// OwnChoice is a parameter that has one of several values; the first is the
// default.
func (q *Query) OwnChoice(name string, choices ...string) (string, error) {
	v := q.own[name]
	if v == "" {
		return choices[0], nil
	}
	if !slices.Contains(choices, v) {
		return "", badRequest("Choose from "+strings.Join(choices, ", ")+".", "there is no %s=%s", name, v)
	}
	return v, nil
}

// OwnInt is a parameter that is a whole number between least and most.
func (q *Query) OwnInt(name string, def, least, most int) (int, error) {
	v := q.own[name]
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, badRequest(fmt.Sprintf("Give a whole number from %d to %d.", least, most), "%s=%s is no number for this", name, v)
	}
	return n, nil
}

// OwnFloat is a parameter that is a number between least and most.
func (q *Query) OwnFloat(name string, def, least, most float64) (float64, error) {
	v := q.own[name]
	if v == "" {
		return def, nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= least && n <= most) {
		return 0, badRequest(fmt.Sprintf("Give a number from %g to %g.", least, most), "%s=%s is no number for this", name, v)
	}
	return n, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
