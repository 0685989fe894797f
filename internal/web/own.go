package web

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

// ownPattern is an expression that matches the functions of the program's own
// packages and no others, "" when there are none. Modules stand for their
// packages where no foreign package lies below them.
func ownPattern(s *Session) string {
	own, foreign := map[string]bool{}, map[string]bool{}
	for i := range s.kinds {
		for _, shots := range [][]*Shot{s.kinds[i].Shots, s.kinds[i].Bases} {
			if len(shots) > 0 {
				sortPackages(shots[len(shots)-1].Profile, own, foreign)
			}
		}
	}
	roots := map[string]bool{}
	for pkg := range foreign {
		roots[moduleRoot(pkg)] = true
	}
	alternatives := map[string]bool{}
	for pkg := range own {
		if root := moduleRoot(pkg); !roots[root] {
			alternatives[regexp.QuoteMeta(root)+`[./]`] = true
		} else {
			alternatives[regexp.QuoteMeta(pkg)+`\.`] = true
		}
	}
	if len(alternatives) == 0 {
		return ""
	}
	return "^(" + strings.Join(slices.Sorted(maps.Keys(alternatives)), "|") + ")"
}

// sortPackages notes the packages of a profile's functions.
func sortPackages(p *profile.Profile, own, foreign map[string]bool) {
	for i := 1; i < p.Functions.Len(); i++ {
		fn := profile.FunctionID(i)
		name := p.FunctionName(fn)
		pkg := origin.Package(name)
		if pkg == "" || own[pkg] || foreign[pkg] {
			continue
		}
		if origin.Of(name, p.FunctionFile(fn)) == origin.Own {
			own[pkg] = true
		} else {
			foreign[pkg] = true
		}
	}
}

// moduleRoot guesses the module of a package: three parts of a path with a
// host in front, else the first.
func moduleRoot(pkg string) string {
	parts := strings.SplitN(pkg, "/", 4)
	if strings.Contains(parts[0], ".") {
		return strings.Join(parts[:min(3, len(parts))], "/")
	}
	return parts[0]
}
