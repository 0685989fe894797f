package reason

import (
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// heldWays is how many ways to hold what a finding is about are told.
const heldWays = 2

// Holdable tells findings about things that references hold, and whose place
// is known.
func Holdable(f *leak.Finding) bool {
	return len(f.Path) > 0 && (f.Resource == leak.Heap || f.Resource == leak.Goroutines)
}

// Held says who holds what a finding is about, in words that follow "held by".
// It is nil for what is not Holdable.
func Held(a *why.Analysis, f *leak.Finding) []string {
	switch {
	case !Holdable(f):
		return nil
	case f.Resource == leak.Goroutines:
		return heldByGoroutines(a, f)
	}
	return heldByReferences(a, f)
}

// allocatedBy matches the allocation stacks that run through the last frame of
// a finding's path, by way of the function to blame.
func allocatedBy(f *leak.Finding) func(stack []goheap.Frame) bool {
	through := []string{f.Path[len(f.Path)-1].Function}
	if at := verdict.Blame(f); at != nil {
		through = append(through, at.Function)
	}
	return func(stack []goheap.Frame) bool {
		for _, name := range through {
			if !slices.ContainsFunc(stack, func(s goheap.Frame) bool { return s.Func == name }) {
				return false
			}
		}
		return true
	}
}

// heldByReferences says which references hold what a finding's path has
// allocated; ways that end at the same reference are told once, the one that
// holds most.
func heldByReferences(a *why.Analysis, f *leak.Finding) []string {
	const look = 20
	var out []string
	told := map[string]bool{}
	for _, w := range a.Sites(look, allocatedBy(f)) {
		cut := cutNames(&w)
		if told[cut] || len(out) == heldWays {
			continue
		}
		told[cut] = true
		out = append(out, HeldBy(&w))
	}
	return out
}

// heldByGoroutines says how the goroutines of a finding wait and what goes
// free with them.
func heldByGoroutines(a *why.Analysis, f *leak.Finding) []string {
	var out []string
	for _, g := range a.Goroutines(func(stack []goheap.Frame) bool {
		return slices.ContainsFunc(stack, func(s goheap.Frame) bool { return s.Func == f.Path[0].Function })
	}) {
		if len(out) == heldWays {
			break
		}
		out = append(out, HeldByGroup(&g))
	}
	return out
}
