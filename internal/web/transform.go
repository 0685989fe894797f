package web

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/view"
)

// What the argument of a transform is.
const (
	argRegexp   = "a regular expression"
	argFunction = "a function's name"
	argLabel    = "NAME=VALUE of a label"
	argKeys     = "label keys"
	argGran     = "functions, filefunctions, files, lines, addresses or packages"
)

// TransformOp is one kind of transform: what a chip can do.
type TransformOp struct {
	Name string
	// Arg says what it takes, "" for nothing.
	Arg string
	// Help is one line.
	Help string
	// option is the field of view.Options that does it, "" for those that
	// pprof does not have.
	option string
	exact  func(p *profile.Profile, granularity, name string) *profile.Profile
}

// Transforms lists what a chip can do, pprof's own first, in the order in
// which pprof applies them.
func Transforms() []TransformOp {
	return []TransformOp{
		{"tagroot", argKeys, "Put label values as frames above each stack", "tagroot", nil},
		{"tagleaf", argKeys, "Put label values as frames below each stack", "tagleaf", nil},
		{"focus", argRegexp, "Keep samples with a matching frame", "focus", nil},
		{"ignore", argRegexp, "Drop samples with a matching frame", "ignore", nil},
		{"hide", argRegexp, "Take matching frames out of the stacks", "hide", nil},
		{"show", argRegexp, "Take all other frames out of the stacks", "show", nil},
		{"showfrom", argRegexp, "Cut stacks above the outermost matching frame", "show_from", nil},
		{"tagfocus", argLabel, "Keep samples with a matching label", "tagfocus", nil},
		{"tagignore", argLabel, "Drop samples with a matching label", "tagignore", nil},
		{"tagshow", argRegexp, "Keep the labels whose key matches", "tagshow", nil},
		{"taghide", argRegexp, "Drop the labels whose key matches", "taghide", nil},
		{"prunefrom", argRegexp, "Cut stacks below the innermost matching frame", "prune_from", nil},
		{"root", argFunction, "Only the subtrees below a function", "",
			func(p *profile.Profile, g, name string) *profile.Profile {
				return view.RootAt(p, view.Named(p, g, name))
			}},
		{"drop", argFunction, "Drop the samples that go through a function", "",
			func(p *profile.Profile, g, name string) *profile.Profile {
				return view.DropThrough(p, view.Named(p, g, name))
			}},
		{"merge", argFunction, "Take a function out; what it spent counts for its callers", "",
			func(p *profile.Profile, g, name string) *profile.Profile {
				return view.TakeOut(p, view.Named(p, g, name))
			}},
		{"collapse", "a function's name, or * for direct recursion of any", "Make one call of a recursion", "",
			func(p *profile.Profile, g, name string) *profile.Profile {
				if name == "*" {
					return view.CollapseDirect(p)
				}
				return view.CollapseRecursion(p, view.Named(p, g, name))
			}},
		{"noinlines", "", "Count inlined calls for the function they were inlined into", "noinlines", nil},
		{"gran", argGran, "What one entry stands for", "granularity", nil},
	}
}

func transformByName(name string) *TransformOp {
	list := Transforms()
	if i := slices.IndexFunc(list, func(o TransformOp) bool { return o.Name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

func transformNames() []string {
	var names []string
	for _, o := range Transforms() {
		names = append(names, o.Name)
	}
	return names
}

// isTransformOption tells that an option of view.Options is set by a transform.
func isTransformOption(name string) bool {
	return slices.ContainsFunc(Transforms(), func(o TransformOp) bool { return o.option == name })
}

func checkGranularity(g string) error {
	f, _ := view.FieldByName(view.Fields(), "granularity")
	if g != packages && !slices.Contains(f.Choices, g) {
		return fmt.Errorf("choose from %s, %s", strings.Join(f.Choices, ", "), packages)
	}
	return nil
}

// packages is the granularity that pprof's command line does not have.
const packages = "packages"

// setsView tells that a transform is a setting of the view, for which its
// place among the others does not matter.
func (t Transform) setsView() bool { return t.Op == "noinlines" || t.Op == "gran" }

// apply makes the profile that a transform leaves of p. granularity is that
// of the whole query: a name may be what an entry is called there.
func (t Transform) apply(p *profile.Profile, granularity string, warn func(string)) (*profile.Profile, error) {
	row := transformByName(t.Op)
	switch {
	case row == nil:
		return nil, badRequest("", "there is no transform %q", t.Op)
	case t.setsView():
		return p, nil
	case row.exact != nil:
		n := p.Samples.Len()
		out := row.exact(p, granularity, t.Arg)
		if t.Op == "root" && out.Samples.Len() == 0 && n > 0 {
			warn("no sample goes through " + t.Arg)
		}
		return out, nil
	}
	var o view.Options
	f, _ := view.FieldByName(view.Fields(), row.option)
	if err := f.Set(&o, t.Arg); err != nil {
		return nil, err
	}
	out, err := view.Apply(p, o, warn)
	if err != nil {
		return nil, badRequest("Change or remove the filter.", "%s: %v", t, err)
	}
	return out, nil
}

// options are the settings of the view a query asks for: its own options, the
// value, granularity and inlining.
func (q *Query) options() view.Options {
	o := q.Options
	o.SampleIndex = q.Value
	for _, t := range q.Transforms {
		switch t.Op {
		case "gran":
			o.Granularity = t.Arg
		case "noinlines":
			o.NoInlines = true
		}
	}
	return o
}

// filters are the transforms that change the profile, and their names as
// reports print them.
func (q *Query) filters() (list []Transform, names []string) {
	for _, t := range q.Transforms {
		if t.setsView() {
			continue
		}
		list = append(list, t)
		name := t.Op
		if row := transformByName(t.Op); row != nil && row.option != "" {
			name = row.option
		}
		names = append(names, name+"="+t.Arg)
	}
	return list, names
}

// Flags are the flags of the command line that show the same, as far as it
// can; rest are the transforms it cannot do. A function's name becomes an
// expression where that means the same.
func (q *Query) Flags() (flags []string, rest []Transform) {
	options := map[string]bool{}
	for _, t := range q.Transforms {
		row := transformByName(t.Op)
		name, arg := row.option, t.Arg
		switch t.Op {
		case "gran":
			if arg == packages {
				rest = append(rest, t)
			} else {
				flags = append(flags, "-"+arg)
			}
			continue
		case "root":
			name, arg = "show_from", exactly(arg)
		case "drop":
			name, arg = "ignore", exactly(arg)
		case "merge":
			name, arg = "hide", exactly(arg)
		}
		if name == "" || options[name] {
			rest = append(rest, t)
			continue
		}
		options[name] = true
		if arg == "" {
			flags = append(flags, "-"+name)
		} else {
			flags = append(flags, "-"+name+"="+arg)
		}
	}
	d := view.Defaults()
	for _, f := range view.Fields() {
		if v := f.Get(&q.Options); f.URL != "" && v != f.Get(&d) {
			flags = append(flags, "-"+f.Name+"="+v)
		}
	}
	if q.Value != "" {
		flags = append(flags, "-sample_index="+q.Value)
	}
	return flags, rest
}

func exactly(name string) string { return "^" + regexp.QuoteMeta(name) + "$" }
