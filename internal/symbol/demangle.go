package symbol

import (
	"fmt"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// DemangleMode tells how far C++ and Rust names are made readable.
type DemangleMode int

// Demangle modes, by the words of -symbolize=demangle=.
const (
	DemangleDefault   DemangleMode = iota // no parameters, no template arguments
	DemangleNone                          // names stay as they are
	DemangleTemplates                     // no parameters
	DemangleFull                          // everything but clone suffixes
)

// ParseDemangleMode reads none, full, templates, default or the empty string
// (default).
func ParseDemangleMode(s string) (DemangleMode, error) {
	switch s {
	case "", "default":
		return DemangleDefault, nil
	case "none":
		return DemangleNone, nil
	case "templates":
		return DemangleTemplates, nil
	case "full":
		return DemangleFull, nil
	}
	return 0, fmt.Errorf("demangle mode %q: want none, full, templates or default", s)
}

func (m DemangleMode) String() string {
	switch m {
	case DemangleNone:
		return "none"
	case DemangleTemplates:
		return "templates"
	case DemangleFull:
		return "full"
	}
	return "default"
}

func (m DemangleMode) options() []demangle.Option {
	switch m {
	case DemangleNone:
		return nil
	case DemangleTemplates:
		return []demangle.Option{demangle.NoParams, demangle.NoEnclosingParams}
	case DemangleFull:
		return []demangle.Option{demangle.NoClones}
	}
	return []demangle.Option{demangle.NoParams, demangle.NoEnclosingParams, demangle.NoTemplateParams}
}

// Function returns the readable name of a function whose profile tells name
// and systemName (the linkage name). A name that differs from systemName is
// taken as demangled already; with force it is demangled anew from systemName.
// The rules, with their guesses about names that were demangled by somebody
// else, are those of pprof's symbolizer, so that names come out the same.
func (m DemangleMode) Function(name, systemName string, force bool) string {
	if force && name != "" && systemName != "" {
		name = systemName
	}
	opts := m.options()
	if len(opts) == 0 || name != "" && name != systemName {
		return name
	}
	if d := demangle.Filter(systemName, opts...); d != systemName {
		return d
	}
	// macOS puts one more underscore in front of all names.
	if rest, ok := strings.CutPrefix(systemName, "_"); ok {
		if d := demangle.Filter(rest, opts...); d != rest {
			return d
		}
	}
	if !looksDemangled(systemName) {
		return systemName
	}
	switch m {
	case DemangleDefault:
		return cutNested(cutNested(systemName, '(', ')'), '<', '>')
	case DemangleTemplates:
		return cutNested(systemName, '(', ')')
	}
	return systemName
}

// looksDemangled guesses whether name is readable C++: it has template
// arguments, an index or a scope, but is no Java constructor (Class.<init>)
// and no method of a generic Go type (pkg.(*T[...]).Method).
func looksDemangled(name string) bool {
	if strings.Contains(name, ".<") || strings.Contains(name, "]).") {
		return false
	}
	return strings.ContainsAny(name, "<>[]") || strings.Contains(name, "::")
}

// cutNested removes every outermost open...end group from s. It stops at an
// end without its open; a group that is never closed stays.
func cutNested(s string, open, end byte) string {
	var out []byte
	depth, from := 0, 0 // from: start of the group, or of the text to keep
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == open:
			if depth == 0 {
				out = append(out, s[from:i]...)
				from = i
			}
			depth++
		case s[i] == end && depth == 0:
			return string(out) + s[from:]
		case s[i] == end:
			if depth--; depth == 0 {
				from = i + 1
			}
		}
	}
	return string(out) + s[from:]
}
