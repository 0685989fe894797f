package report

import (
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
)

// painter marks up text for a terminal, or leaves it as it is.
type painter struct {
	r *Report
}

func newPainter(r *Report) painter { return painter{r} }

// ANSI attributes used: weights for importance, orange and blue for change.
const (
	ansiReset  = "\x1b[0m"
	ansiDim    = "\x1b[2m"
	ansiBold   = "\x1b[1m"
	ansiGrow   = "\x1b[38;5;208m"
	ansiShrink = "\x1b[38;5;75m"
	ansiHot    = "\x1b[1;38;5;208m"
)

// name sets a function off from its package path.
func (p painter) name(name string) string {
	if !p.r.Colour {
		return name
	}
	name = origin.FoldTypeArgs(name)
	i := strings.LastIndexByte(name, '/') + 1
	if i == 0 || strings.Contains(name[i:], " ") || strings.Contains(name, "[") && strings.IndexByte(name, '[') < i {
		return name // not a plain Go name
	}
	return ansiDim + name[:i] + ansiReset + name[i:]
}

func (p painter) dim(s string) string {
	if !p.r.Colour {
		return s
	}
	return ansiDim + s + ansiReset
}

// share marks large shares of the total.
func (p painter) share(v int64, text string) string {
	total := p.r.View.Total
	if !p.r.Colour || total == 0 {
		return text
	}
	switch s := float64(abs(v)) / float64(abs(total)); {
	case s >= 0.1:
		return ansiHot + text + ansiReset
	case s >= 0.01:
		return ansiBold + text + ansiReset
	}
	return text
}

// change prints "x -> y (+d)".
func (p painter) change(c *Change) string {
	base, current := c.CumBase, c.CumCurrent
	sign, colour := "+", ansiGrow
	if current < base {
		sign, colour = "", ansiShrink
	}
	r := p.r
	return colour + fmt.Sprintf("%s -> %s (%s%s)", r.format(base), r.format(current), sign, r.format(current-base)) + ansiReset
}
