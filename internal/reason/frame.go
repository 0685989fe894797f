package reason

import (
	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/why"
)

// FrameName names a step of a path as a frame of a profile: a root with its
// kind, a field with the type it leads to; see why.ProfileOptions.
func FrameName(s *why.Step, root string) string {
	switch {
	case s.Kind == goheap.KindGlobal:
		return s.Name + " (" + RootWord(s.Kind) + ")"
	case root != "":
		return s.Name + " (of " + root + " and others)"
	case s.Kind == goheap.KindObject && s.Label != "":
		return s.Label + " " + s.Name
	}
	return s.Name
}

// SitePlace names an allocation stack by its innermost own frame.
func SitePlace(stack []goheap.Frame) string { return Place(caller(stack)) }
