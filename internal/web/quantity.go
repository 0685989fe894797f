package web

import (
	"math"
	"strconv"
	"strings"
)

// quantityStep is a unit to print in, and from which size on, both in base
// units.
type quantityStep struct {
	name       string
	size, from float64
}

// quantitySteps are the units of the page, smallest first: scaleFor of
// web/src/format.ts, so that a sentence has the figure the table below it has.
func quantitySteps(unit string) []quantityStep {
	const second, hour, most = 1e9, 3600e9, 1000.0 / 1024 // 1000 kB is a MB already
	switch unit {
	case "bytes":
		steps := []quantityStep{{" B", 1, 0}}
		for i, name := range []string{" kB", " MB", " GB", " TB", " PB"} {
			size := math.Ldexp(1, 10*(i+1))
			steps = append(steps, quantityStep{name, size, size * most})
		}
		return steps
	case "nanoseconds":
		return []quantityStep{
			{" ns", 1, 0}, {" \u00b5s", 1e3, 1e3}, {" ms", 1e6, 1e6}, {" s", second, second},
			{" min", 60 * second, 600 * second}, {" h", hour, 3 * hour}, {" d", 24 * hour, 72 * hour},
		}
	}
	return []quantityStep{{" " + unit, 1, 0}}
}

// quantity prints a value in base units: "45.94 MB".
func quantity(v float64, unit string) string {
	if unit == "count" {
		return thousands(math.Round(v))
	}
	step := quantityStep{}
	for _, s := range quantitySteps(unit) {
		if math.Abs(v) >= s.from {
			step = s
		}
	}
	n, decimals := math.Abs(v)/step.size, 2
	if n >= 100 {
		decimals = 1
	}
	text := strconv.FormatFloat(n, 'f', decimals, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if text == "0" && v != 0 {
		text = "<0.01"
	}
	if v < 0 {
		text = "\u2212" + text
	}
	return strings.TrimSpace(text + step.name)
}
