package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// compileTagFilter reads a tagfocus or tagignore expression: [key=]value,
// where value is a range of numbers (32kb, :64kb, 4mb:, 12kb:64mb) or comma
// separated regular expressions.
func compileTagFilter(name, value string, units map[string]string, warn func(string)) (labelMatcher, error) {
	key, rest, hasKey := strings.Cut(value, "=")
	if hasKey {
		value = rest
	} else {
		key = ""
	}
	inRange, err := parseRange(value)
	if err != nil {
		return nil, fmt.Errorf("parsing %s range: %w", name, err)
	}
	if inRange != nil {
		warn(fmt.Sprintf("%s:Interpreted '%s' as range, not regexp", name, value))
		return func(p *profile.Profile, set []profile.Label) bool {
			for _, l := range set {
				k := p.Strings[l.Key]
				if l.Str == 0 && (key == "" || k == key) && inRange(l.Num, units[k]) {
					return true
				}
			}
			return false
		}, nil
	}
	var rxs []*regexp.Regexp
	for _, s := range strings.Split(value, ",") {
		rx, err := regexp.Compile(s)
		if err != nil {
			return nil, fmt.Errorf("parsing %s regexp: %w", name, err)
		}
		rxs = append(rxs, rx)
	}
	if key == "" {
		return allMatch(rxs), nil
	}
	return func(p *profile.Profile, set []profile.Label) bool {
		for _, l := range set {
			if l.Str == 0 || p.Strings[l.Key] != key {
				continue
			}
			for _, rx := range rxs {
				if rx.MatchString(p.Strings[l.Str]) {
					return true
				}
			}
		}
		return false
	}, nil
}

// allMatch wants every expression to match some key:value of the set.
func allMatch(rxs []*regexp.Regexp) labelMatcher {
	return func(p *profile.Profile, set []profile.Label) bool {
	next:
		for _, rx := range rxs {
			for _, l := range set {
				if l.Str != 0 && rx.MatchString(p.Strings[l.Key]+":"+p.Strings[l.Str]) {
					continue next
				}
			}
			return false
		}
		return true
	}
}

// rangeRx is one end of a range. pprof knows whole numbers only and takes
// 1.5kb for a regular expression; a decimal point is a number here.
var rangeRx = regexp.MustCompile(`^([+-]?[0-9]+(?:\.[0-9]+)?)([[:alpha:]]+)?$`)

// bound is one end of a range, scaled to a canonical unit.
type bound struct {
	value float64
	unit  string
}

func parseBound(s, to string) (bound, bool, error) {
	m := rangeRx.FindStringSubmatch(s)
	if m == nil {
		return bound{}, false, nil
	}
	if to == "" {
		to = m[2]
	}
	if v, err := strconv.ParseInt(m[1], 10, 64); err == nil {
		scaled, u := unit.Scale(v, m[2], to)
		return bound{scaled, u}, true, nil
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil || !strings.Contains(m[1], ".") {
		return bound{}, false, fmt.Errorf("number %s is out of range", m[1])
	}
	one, u := unit.Scale(1, m[2], to)
	return bound{v * one, u}, true, nil
}

// parseRange reads a range of numbers; nil when s is none.
func parseRange(s string) (func(value int64, u string) bool, error) {
	low, high, two := strings.Cut(s, ":")
	switch {
	case !two:
		b, ok, err := parseBound(s, "")
		if !ok || err != nil {
			return nil, err
		}
		return b.test(func(v float64) bool { return v == b.value }), nil
	case low == "":
		b, ok, err := parseBound(high, "")
		if !ok || err != nil {
			return nil, err
		}
		return b.test(func(v float64) bool { return v <= b.value }), nil
	case high == "":
		b, ok, err := parseBound(low, "")
		if !ok || err != nil {
			return nil, err
		}
		return b.test(func(v float64) bool { return v >= b.value }), nil
	}
	b, ok, err := parseBound(low, "")
	if !ok || err != nil {
		return nil, err
	}
	b2, ok, err := parseBound(high, b.unit)
	if !ok || err != nil || b2.unit != b.unit {
		return nil, err
	}
	return b.test(func(v float64) bool { return v >= b.value && v <= b2.value }), nil
}

// test compares in the unit of the bound; values of other units never match.
func (b bound) test(in func(float64) bool) func(int64, string) bool {
	return func(value int64, u string) bool {
		v, vu := unit.Scale(value, u, b.unit)
		return vu == b.unit && in(v)
	}
}
