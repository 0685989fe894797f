package view

import (
	"slices"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

// noPackage is what functions that are not Go's are put under.
const noPackage = "(no package)"

// PackageName is what FoldPackages calls a function: its package, or
// "(no package)".
func PackageName(function string) string {
	if pkg := origin.Package(function); pkg != "" {
		return pkg
	}
	return noPackage
}

// FoldPackages makes one entry of each package that is not open: its functions
// are called after it, and calls inside it are one.
func FoldPackages(p *profile.Profile, open map[string]bool) *profile.Profile {
	p = p.ShallowCopy()
	p.Strings = slices.Clip(p.Strings)
	ids := map[string]profile.StringID{}
	names := make([]profile.StringID, p.Functions.Len())
	for i := 1; i < len(names); i++ {
		old := p.FunctionName(profile.FunctionID(i))
		pkg := PackageName(old)
		if old == "" || open[pkg] {
			names[i] = p.Functions.Name[i]
			continue
		}
		id, ok := ids[pkg]
		if !ok {
			id = profile.StringID(len(p.Strings))
			p.Strings = append(p.Strings, pkg)
			ids[pkg] = id
		}
		names[i] = id
	}
	p.Functions.Name = names
	return CollapseDirect(p)
}

// CutRoots cuts the frames of functions in is from the roots of stacks, down to
// the first frame of another function. Stacks of nothing else stay whole.
func CutRoots(p *profile.Profile, is []bool) *profile.Profile {
	return rewriteStacks(p, through(p, is), true, func(frames []profile.FunctionID, keep []bool) bool {
		root := len(frames) - 1
		for root >= 0 && is[frames[root]] {
			root--
		}
		if root >= 0 {
			for i := root + 1; i < len(keep); i++ {
				keep[i] = false
			}
		}
		return true
	})
}
