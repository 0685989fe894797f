// Package unit parses, scales and prints quantities the way pprof does, so
// that reports are the same text. Inside the program values are int64 in the
// unit the profile names; a unit is applied only when a value is printed.
//
// Units come in families (memory by 1024, time, GCU); a value converts only
// within its family, and an unknown unit passes through unscaled.
package unit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Pseudo units that ask for scaling instead of naming a unit.
const (
	// Auto scales each value to the largest unit that keeps it at 1 or more.
	Auto = "auto"
	// Minimum picks one unit for a whole report from its smallest value; for
	// a single value it is the same as Auto.
	Minimum = "minimum"
)

type unitDef struct {
	name    string
	factor  float64 // in the first unit of the family
	aliases []string
}

type family struct {
	units []unitDef
	// fallback prints values for which the wanted unit is of another family
	// or no unit fits.
	fallbackName   string
	fallbackFactor float64
}

var familyTable = [...]family{
	{
		units: []unitDef{
			{"B", 1, []string{"b", "byte"}},
			{"kB", 1 << 10, []string{"kb", "kbyte", "kilobyte"}},
			{"MB", 1 << 20, []string{"mb", "mbyte", "megabyte"}},
			{"GB", 1 << 30, []string{"gb", "gbyte", "gigabyte"}},
			{"TB", 1 << 40, []string{"tb", "tbyte", "terabyte"}},
			{"PB", 1 << 50, []string{"pb", "pbyte", "petabyte"}},
		},
		fallbackName: "B", fallbackFactor: 1,
	},
	{
		units: []unitDef{
			{"ns", 1, []string{"ns", "nanosecond"}},
			{"us", 1e3, []string{"μs", "us", "microsecond"}},
			{"ms", 1e6, []string{"ms", "millisecond"}},
			{"s", 1e9, []string{"s", "sec", "second"}},
			{"hrs", 3600e9, []string{"hour", "hr"}},
		},
		fallbackName: "s", fallbackFactor: 1e9,
	},
	{
		units: []unitDef{
			{"n*GCU", 1e-9, []string{"nanogcu"}},
			{"u*GCU", 1e-6, []string{"microgcu"}},
			{"m*GCU", 1e-3, []string{"milligcu"}},
			{"GCU", 1, []string{"gcu"}},
			{"k*GCU", 1e3, []string{"kilogcu"}},
			{"M*GCU", 1e6, []string{"megagcu"}},
			{"G*GCU", 1e9, []string{"gigagcu"}},
			{"T*GCU", 1e12, []string{"teragcu"}},
			{"P*GCU", 1e15, []string{"petagcu"}},
		},
		fallbackName: "GCU", fallbackFactor: 1,
	},
}

// find looks a unit up by any of its names: case does not count, nor does a
// plural s on names longer than two letters.
func (f *family) find(name string) *unitDef {
	name = strings.ToLower(name)
	if len(name) > 2 {
		name = strings.TrimSuffix(name, "s")
	}
	for i := range f.units {
		for _, a := range f.units[i].aliases {
			if a == name {
				return &f.units[i]
			}
		}
	}
	return nil
}

func (f *family) convert(value int64, from *unitDef, to string) (float64, string) {
	v := float64(value) * from.factor
	if to == Minimum || to == Auto {
		var best *unitDef
		for i := range f.units {
			if u := &f.units[i]; v/u.factor >= 1 && (best == nil || u.factor >= best.factor) {
				best = u
			}
		}
		if best != nil {
			return v / best.factor, best.name
		}
	} else if u := f.find(to); u != nil {
		return v / u.factor, u.name
	}
	return v / f.fallbackFactor, f.fallbackName
}

// Scale converts value from one unit to another and names the unit of the
// result, "" where none should be printed. to may be Auto or Minimum.
func Scale(value int64, from, to string) (float64, string) {
	if value < 0 && -value > 0 { // -value stays negative for the smallest int64
		v, u := Scale(-value, from, to)
		return -v, u
	}
	for i := range familyTable {
		if u := familyTable[i].find(from); u != nil {
			return familyTable[i].convert(value, u, to)
		}
	}
	switch to {
	case "count", "sample", "unit", Minimum, Auto:
		return float64(value), ""
	}
	return float64(value), to
}

// Format prints value scaled to unit to, with at most two decimals: "1.50s".
func Format(value int64, from, to string) string {
	v, u := Scale(value, from, to)
	return number(v, u)
}

// Label prints value in its most natural unit.
func Label(value int64, unit string) string { return Format(value, unit, Auto) }

func number(v float64, u string) string {
	s := strings.TrimSuffix(strconv.FormatFloat(v, 'f', 2, 64), ".00")
	if s == "0" || s == "-0" {
		return "0"
	}
	return s + u
}

// Formatter prints many values of one unit; it looks the units up once.
type Formatter struct {
	fixed  bool
	factor float64 // of the source unit
	div    float64
	name   string
	from   string
	to     string
}

// NewFormatter prepares Format(v, from, to).
func NewFormatter(from, to string) Formatter {
	f := Formatter{from: from, to: to}
	if to == Auto || to == Minimum {
		return f
	}
	for i := range familyTable {
		fam := &familyTable[i]
		if u := fam.find(from); u != nil {
			f.fixed, f.factor, f.div, f.name = true, u.factor, fam.fallbackFactor, fam.fallbackName
			if t := fam.find(to); t != nil {
				f.div, f.name = t.factor, t.name
			}
			break
		}
	}
	return f
}

// Format prints one value.
func (f *Formatter) Format(value int64) string {
	if !f.fixed {
		return Format(value, f.from, f.to)
	}
	if value < 0 && -value > 0 {
		return number(-(float64(-value) * f.factor / f.div), f.name)
	}
	return number(float64(value)*f.factor/f.div, f.name)
}

// Percentage prints |value/total| in at least five characters with two
// significant digits or more: "  100%", "12.34%", "  0.5%".
func Percentage(value, total int64) string {
	var ratio float64
	if total != 0 {
		ratio = math.Abs(float64(value)/float64(total)) * 100
	}
	switch {
	case ratio >= 99.95 && ratio <= 100.05:
		return "  100%"
	case ratio >= 1:
		return fmt.Sprintf("%5.2f%%", ratio)
	}
	return fmt.Sprintf("%5.2g%%", ratio)
}

// Kind classifies a unit: "bytes", "time", "gcu", or "" for counts and
// unknown units.
func Kind(unit string) string {
	for i, name := range [...]string{"bytes", "time", "gcu"} {
		if familyTable[i].find(unit) != nil {
			return name
		}
	}
	return ""
}

// Compatible tells whether values of the two units can be converted into
// each other.
func Compatible(a, b string) bool {
	return a == b || Kind(a) != "" && Kind(a) == Kind(b)
}

// Base is the factor that turns a value of unit into the base unit of its
// family, and that unit's name: bytes, nanoseconds, GCU. Other units are
// their own base.
func Base(unit string) (factor float64, name string) {
	for i, base := range [...]string{"bytes", "nanoseconds", "gcu"} {
		if u := familyTable[i].find(unit); u != nil {
			return u.factor, base
		}
	}
	return 1, unit
}
