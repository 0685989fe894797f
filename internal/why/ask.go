package why

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
)

// Ask is a Filter as a person writes it; what is empty asks for nothing.
type Ask struct {
	// At matches functions or lines, such as main.go:63, that allocated; Type
	// names of types.
	At, Type string
	// Goroutine is the number of a goroutine, or matches functions, lines and
	// states of goroutines.
	Goroutine string
}

// Filter compiles the expressions. An error begins with the one it is of: at,
// type or goroutine.
func (k *Ask) Filter() (Filter, error) {
	var f Filter
	for _, x := range []struct {
		name, expr string
		take       func(*regexp.Regexp)
	}{
		{"at", k.At, func(rx *regexp.Regexp) {
			f.Site = func(stack []goheap.Frame) bool { return slices.ContainsFunc(stack, matchFrame(rx)) }
		}},
		{"type", k.Type, func(rx *regexp.Regexp) { f.Type = rx.MatchString }},
		{"goroutine", k.Goroutine, func(rx *regexp.Regexp) { f.Goroutine = k.matchGoroutine(rx) }},
	} {
		if x.expr == "" {
			continue
		}
		rx, err := regexp.Compile(x.expr)
		if err != nil {
			return Filter{}, fmt.Errorf("%s: %w", x.name, err)
		}
		x.take(rx)
	}
	return f, nil
}

// matchGoroutine asks the number of a goroutine, or its functions, lines and
// state.
func (k *Ask) matchGoroutine(rx *regexp.Regexp) func(*goheap.Goroutine) bool {
	if id := k.goroutineID(); id != 0 {
		return func(g *goheap.Goroutine) bool { return g.ID == id }
	}
	frame := matchFrame(rx)
	return func(g *goheap.Goroutine) bool {
		return rx.MatchString(g.State) || rx.MatchString(g.Wait) || frame(g.Create) || slices.ContainsFunc(g.Stack, frame)
	}
}

// goroutineID is the number that is asked for, 0 for none.
func (k *Ask) goroutineID() uint64 {
	id, err := strconv.ParseUint(k.Goroutine, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func matchFrame(rx *regexp.Regexp) func(goheap.Frame) bool {
	return func(f goheap.Frame) bool {
		return rx.MatchString(f.Func) || rx.MatchString(fmt.Sprintf("%s:%d", f.File, f.Line))
	}
}

// What names what is asked for: "what was allocated at "newOrder"", "" for
// everything.
func (k *Ask) What() string {
	var parts []string
	if k.Type != "" {
		parts = append(parts, fmt.Sprintf("objects of types like %q", k.Type))
	}
	if k.At != "" {
		parts = append(parts, fmt.Sprintf("what was allocated at %q", k.At))
	}
	switch {
	case k.goroutineID() != 0:
		parts = append(parts, "what goroutine "+k.Goroutine+" holds")
	case k.Goroutine != "":
		parts = append(parts, fmt.Sprintf("what goroutines like %q hold", k.Goroutine))
	}
	return strings.Join(parts, " in ")
}
