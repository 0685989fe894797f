package web

import (
	"fmt"
	"math"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
)

// wholeWords is what the total of a value is called: "heap in use".
func wholeWords(kind, value string) string {
	switch value {
	case "inuse_space":
		return "heap in use"
	case "inuse_objects":
		return "objects in use"
	case "alloc_space":
		return "allocated memory"
	case "alloc_objects":
		return "allocated objects"
	case "cpu":
		return "CPU time"
	case "delay":
		if kind == "mutex" {
			return "lock wait"
		}
		return "blocked time"
	case "goroutine":
		return "goroutines"
	case "goroutineleak":
		return "leaked goroutines"
	case "threadcreate":
		return "threads"
	}
	return strings.ReplaceAll(value, "_", " ")
}

// verbOf says what a function does with a value: "holds".
func verbOf(kind, value string) string {
	switch {
	case strings.HasPrefix(value, "inuse"):
		return "holds"
	case strings.HasPrefix(value, "alloc"):
		return "allocated"
	case value == "cpu" || value == "samples":
		return "takes"
	case kind == "goroutine" || kind == "goroutineleak":
		return "runs"
	case kind == "threadcreate":
		return "started"
	case kind == "mutex":
		return "made others wait"
	case kind == "block":
		return "waited"
	}
	return "has"
}

// longName is how many runes of a name fit a sentence.
const longName = 90

// inSentence is a function's name short enough for a sentence: type arguments
// folded, the middle of what is still long left out.
func inSentence(name string) string {
	r := []rune(origin.FoldTypeArgs(origin.ShortName(name)))
	if len(r) <= longName {
		return string(r)
	}
	return string(r[:longName/2]) + "\u2026" + string(r[len(r)-longName/2:])
}

// thousands prints a whole number with its digits in groups.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", math.Abs(v))
	for i := len(s) - 3; i > 0 && len(s) > 4; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 {
		return "\u2212" + s
	}
	return s
}

// percentOf prints a part of a whole.
func percentOf(part, whole float64) string {
	if whole == 0 || part == 0 {
		return "0 %"
	}
	p, sign := 100*math.Abs(part/whole), ""
	if part < 0 != (whole < 0) {
		sign = "\u2212"
	}
	switch {
	case p < 0.1:
		return sign + "<0.1 %"
	case p < 10:
		return fmt.Sprintf("%s%.1f %%", sign, p)
	}
	return fmt.Sprintf("%s%.0f %%", sign, p)
}

// manyWords is a number of things: "1 profile", "3 profiles".
func manyWords(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
