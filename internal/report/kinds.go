package report

import (
	"slices"

	"github.com/profoundhq/profound/internal/view"
)

// Kind is one report of the command line: a flag, a shell command, a row of
// the help. The table of kinds is the only list of them.
type Kind struct {
	Name string
	// Param is set when the report takes a regular expression.
	Param bool
	// Help is one line.
	Help string
	// Ext is the file extension of output that does not belong on a terminal;
	// "" for text.
	Ext string
	// Viewer opens the output: "browser", or the name of a program.
	Viewer string
	// Usage is the help of the shell command; NAME stands for its name.
	Usage string
	// Compute makes the result.
	Compute func(*Report) (Result, error)

	force forced
}

// forced are the options a report does not leave to the user.
type forced struct {
	granularity string // "" leaves it
	noInlines   bool
	inlines     bool
	noTrim      bool
	count       int // default node count
}

// defaultNodes is the node count of graphs when none is given.
const defaultNodes = 80

// Options applies what the report demands and its own defaults.
func (k *Kind) Options(o view.Options) view.Options {
	if k.force.granularity != "" {
		o.Granularity = k.force.granularity
	}
	if k.force.noInlines {
		o.NoInlines = true
	}
	if k.force.inlines {
		o.NoInlines = false
	}
	if o.NodeCount == -1 {
		o.NodeCount = k.force.count
	}
	if k.force.noTrim || !o.Trim {
		o.NodeCount, o.NodeFraction, o.EdgeFraction = 0, 0, 0
	}
	return o
}

// KindByName finds a report.
func KindByName(kinds []Kind, name string) *Kind {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

// result lets a computation that returns a concrete type be a Compute.
func result[R Result](f func(*Report) R) func(*Report) (Result, error) {
	return func(r *Report) (Result, error) { return f(r), nil }
}

func resultErr[R Result](f func(*Report) (R, error)) func(*Report) (Result, error) {
	return func(r *Report) (Result, error) {
		res, err := f(r)
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}
