package view

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// reservedParens are parentheses that belong to a C++ name.
var reservedParens = [...]string{"(anonymous namespace)", "operator()"}

// simplifyName cuts the leading dot of PowerPC symbols and, from the first
// parenthesis that is not part of a reserved name, the argument list.
func simplifyName(name string) string {
	name = strings.TrimPrefix(name, ".")
	for i := 0; i < len(name); {
		rest := name[i:]
		skip := 0
		for _, r := range reservedParens {
			if strings.HasPrefix(rest, r) {
				skip = len(r)
			}
		}
		if skip > 0 {
			i += skip
			continue
		}
		if rest[0] == '(' {
			return name[:i]
		}
		i++
	}
	return name
}

// matchFunctions tells for each function whether its simplified name matches;
// functions without a name do not.
func matchFunctions(p *profile.Profile, match func(string) bool) []bool {
	hit := make([]bool, p.Functions.Len())
	for i := range hit {
		if name := p.Strings[p.Functions.Name[i]]; name != "" {
			hit[i] = match(simplifyName(name))
		}
	}
	return hit
}

// DropFrames applies the profile's own drop_frames and keep_frames: from the
// outermost matching frame below the first user frame on, frames go away.
func DropFrames(p *profile.Profile) (*profile.Profile, error) {
	if p.DropFrames == "" {
		return p, nil
	}
	drop, err := regexp.Compile("^(" + p.DropFrames + ")$")
	if err != nil {
		return p, fmt.Errorf("drop_frames: %w", err)
	}
	var keep *regexp.Regexp
	if p.KeepFrames != "" {
		if keep, err = regexp.Compile("^(" + p.KeepFrames + ")$"); err != nil {
			return p, fmt.Errorf("keep_frames: %w", err)
		}
	}
	hit := matchFunctions(p, func(s string) bool {
		return drop.MatchString(s) && (keep == nil || !keep.MatchString(s))
	})
	whole := make([]bool, p.Locations.Len())   // the location goes
	beneath := make([]bool, p.Locations.Len()) // its inner lines go
	found := false
	p = p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		for i := len(lines) - 1; i >= 0; i-- {
			if !hit[lines[i].Function] {
				continue
			}
			found = true
			if i == len(lines)-1 {
				whole[id] = true
				break
			}
			beneath[id] = true
			return append(out, lines[i+1:]...)
		}
		return append(out, lines...)
	})
	if !found {
		return p, nil
	}
	p, _ = p.CutStacks(func(frames []profile.LocationID) (from, to int, ok bool) {
		user := false
		for i := len(frames) - 1; i >= 0; i-- {
			switch f := frames[i]; {
			case !whole[f] && !beneath[f]:
				user = true
			case !user:
			case whole[f]:
				return i + 1, len(frames), true
			default:
				return i, len(frames), true
			}
		}
		return 0, len(frames), true
	})
	return p, nil
}

// PruneFrom removes what lies beneath the innermost matching frame, keeping
// that frame. It matches simplified function names.
func PruneFrom(p *profile.Profile, rx *regexp.Regexp) *profile.Profile {
	hit := matchFunctions(p, rx.MatchString)
	at := make([]bool, p.Locations.Len())
	p = p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		for i := range lines {
			if hit[lines[i].Function] {
				at[id] = true
				return append(out, lines[i:]...)
			}
		}
		return append(out, lines...)
	})
	p, _ = p.CutStacks(func(frames []profile.LocationID) (from, to int, ok bool) {
		for i, f := range frames {
			if at[f] {
				return i, len(frames), true
			}
		}
		return 0, len(frames), true
	})
	return p
}
