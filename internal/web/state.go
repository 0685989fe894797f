package web

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Span names profiles of one kind in a session: one, a range, all. The zero
// value is the session's default.
type Span struct {
	// Role is 'p' for profiles, 'b' for those that were given as a base.
	Role byte
	// From and To are numbers of profiles, both included, counted from 1; 0 in
	// All and None.
	From, To  int
	All, None bool
}

// IsDefault tells that the choice is the session's.
func (s Span) IsDefault() bool { return s == Span{} }

// String is the span as it stands in addresses, "" for the default.
func (s Span) String() string {
	switch {
	case s.All:
		return "all"
	case s.None:
		return "none"
	case s.From == 0:
		return ""
	case s.From == s.To:
		return shotID(s.Role, s.From)
	}
	return shotID(s.Role, s.From) + ".." + shotID(s.Role, s.To)
}

func shotID(role byte, n int) string { return string(role) + strconv.Itoa(n) }

var errSpan = errors.New("it names no profile")

// ParseSpan reads "p3", "p2..p5", "all", "none" or "".
func ParseSpan(s string) (Span, error) {
	switch s {
	case "":
		return Span{}, nil
	case "all":
		return Span{All: true}, nil
	case "none":
		return Span{None: true}, nil
	}
	from, to, isRange := strings.Cut(s, "..")
	if !isRange {
		to = from
	}
	a, n, err := parseShotID(from)
	if err != nil {
		return Span{}, err
	}
	b, m, err := parseShotID(to)
	if err != nil {
		return Span{}, err
	}
	if a != b {
		return Span{}, errSpan
	}
	return Span{Role: a, From: min(n, m), To: max(n, m)}, nil
}

func parseShotID(s string) (role byte, n int, err error) {
	if len(s) < 2 || s[0] != 'p' && s[0] != 'b' || s[1] < '1' || s[1] > '9' {
		return 0, 0, errSpan
	}
	n, err = strconv.Atoi(s[1:])
	if err != nil || n > 1<<30 {
		return 0, 0, errSpan
	}
	return s[0], n, nil
}

// Selection is the one thing the views look at together.
type Selection struct {
	// Sort is 'f' for a function (or what an entry is called at the present
	// granularity), 't' for a type, 'g' for a group of goroutines, 'l' for a
	// source line; 0 for nothing.
	Sort byte
	// Name is the function, the type, the group or the file.
	Name string
	// Line is the line of a file, from 1; 0 if the file is meant.
	Line int
}

// String is the selection as it stands in addresses.
func (s Selection) String() string {
	switch {
	case s.Sort == 0:
		return ""
	case s.Sort == 'l' && s.Line > 0:
		return "l:" + s.Name + ":" + strconv.Itoa(s.Line)
	}
	return string(s.Sort) + ":" + s.Name
}

// ParseSelection reads "f:main.work", "t:*main.Order", "g:...",
// "l:/src/main.go:63" or "".
func ParseSelection(s string) (Selection, error) {
	if s == "" {
		return Selection{}, nil
	}
	if len(s) < 3 || s[1] != ':' || !strings.ContainsRune("ftgl", rune(s[0])) {
		return Selection{}, errors.New("it names nothing that can be selected")
	}
	sel := Selection{Sort: s[0], Name: s[2:]}
	if sel.Sort == 'l' {
		if i := strings.LastIndexByte(sel.Name, ':'); i > 0 {
			if n, err := strconv.Atoi(sel.Name[i+1:]); err == nil && n > 0 {
				sel.Name, sel.Line = sel.Name[:i], n
			}
		}
	}
	return sel, nil
}

// Transform is one change of what is shown: a chip above the view.
type Transform struct {
	// Op is one of Transforms, Arg a regular expression, a function or what
	// else the op takes; "" where it takes nothing.
	Op, Arg string
}

// String is the transform as it stands in addresses.
func (t Transform) String() string {
	if t.Arg == "" {
		return t.Op
	}
	return t.Op + ":" + t.Arg
}

// ParseTransform reads "focus:REGEXP", "root:FUNCTION", "noinlines" ... and
// checks the argument.
func ParseTransform(s string) (Transform, error) {
	op, arg, _ := strings.Cut(s, ":")
	row := transformByName(op)
	if row == nil {
		return Transform{}, fmt.Errorf("there is no transform %q; there are %s", op, strings.Join(transformNames(), " "))
	}
	t := Transform{op, arg}
	switch {
	case row.Arg == "" && arg != "":
		return t, fmt.Errorf("%s takes nothing behind it", op)
	case row.Arg != "" && arg == "":
		return t, fmt.Errorf("%s needs %s behind a colon", op, row.Arg)
	case row.Arg == argRegexp:
		if _, err := regexp.Compile(arg); err != nil {
			return t, fmt.Errorf("%s is no regular expression: %w", arg, err)
		}
	case op == "gran":
		return t, checkGranularity(arg)
	}
	return t, nil
}
