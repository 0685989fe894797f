package leaktest

import (
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// self begins the names of the functions of this package, and driver is the
// one that calls the rounds.
const (
	self   = "github.com/profoundhq/profound/leaktest."
	driver = self + "drive"
)

// scope decides what of the process belongs to a check.
type scope struct {
	o *options
	// test is the name of the test, which is the value of labelKey.
	test string
	// round is the name of the round function.
	round string
	// others is set when other tests were seen to run.
	others bool
	// entries are the functions goroutines with our label began with.
	entries map[string]bool
	// waiters are allocations to leave out, by allocationAt.
	waiters map[string]bool
}

// framework tells functions that begin goroutines of the test framework and
// the runtime: they are there whatever is tested.
func framework(entry string) bool {
	for _, pkg := range [...]string{"testing.", "runtime.", "runtime/pprof.", "runtime/trace.", "os/signal.", "testing/synctest."} {
		if strings.HasPrefix(entry, pkg) && entry != "runtime.main" {
			return true
		}
	}
	return false
}

// idle tells functions in which the goroutine of a test waits for other tests.
func idle(function string) bool {
	switch function {
	case "testing.(*T).Run", "testing.(*T).Parallel", "testing.(*B).Run", "testing.(*B).RunParallel", "testing.tRunner.func1", self + "takeTurn":
		return true
	}
	return false
}

// frames calls f with the name of each function on a stack, leaf first, and
// the index of its location, until f returns false.
func frames(p *profile.Profile, stack []profile.LocationID, f func(i int, name string) bool) {
	for i, loc := range stack {
		for _, line := range p.Locations.LinesOf(loc) {
			if !f(i, p.FunctionName(line.Function)) {
				return
			}
		}
	}
}

// entryOf is the function a goroutine began with.
func entryOf(p *profile.Profile, stack []profile.LocationID) string {
	entry := ""
	frames(p, stack, func(_ int, name string) bool {
		if name != goexit {
			entry = name
		}
		return true
	})
	return entry
}

// heap is what of a heap profile belongs to the check, with the stacks of the
// rounds cut at the round function.
func (s *scope) heap(p *profile.Profile) *profile.Profile {
	// First, by whole stacks: the innermost frame is the one that allocates.
	all := p
	p = all.KeepSamples(func(i int) bool { return !s.isWaiter(all, i) })
	cut, dropped := p.CutStacks(func(stack []profile.LocationID) (from, to int, ok bool) {
		to, ok = s.allocation(p, stack)
		return 0, to, ok
	})
	return cut.KeepSamples(func(i int) bool { return !dropped[p.Samples.Stack[i]] })
}

// allocation tells whether what was allocated on a stack counts, and how many
// of its frames are the tested program's.
func (s *scope) allocation(p *profile.Profile, stack []profile.LocationID) (n int, ok bool) {
	const others = 0 // frames that belong to nobody in particular
	const (
		dropped = iota + 1
		inRound
		inTest
	)
	end, fate, literal, entry := len(stack), others, false, ""
	within := s.round + "."
	frames(p, stack, func(i int, name string) bool {
		switch {
		case name == driver:
			end, fate = i, inRound
		case name == "testing.tRunner":
			end, fate = i, inTest
		case strings.HasPrefix(name, self), strings.HasPrefix(name, "testing.(*"), s.o.ignored(name):
			fate = dropped
		case name == s.round || strings.HasPrefix(name, within):
			literal = true
		}
		if name != goexit {
			entry = name
		}
		return fate == others
	})
	switch {
	case fate == dropped:
		return 0, false
	case fate == inRound || literal:
		return end, true
	case fate == inTest || framework(entry):
		return 0, false
	}
	return end, !s.others || s.entries[entry]
}

// labelled tells which label sets of a goroutine profile are of this test.
func (s *scope) labelled(p *profile.Profile) []bool {
	ours := make([]bool, p.LabelSets.Len())
	for set := range ours {
		for _, l := range p.LabelSets.Of(profile.LabelSetID(set)) {
			if p.Str(l.Key) == labelKey && p.Str(l.Str) == s.test {
				ours[set] = true
			}
		}
	}
	return ours
}

// goroutines is what of a goroutine profile belongs to the check, without
// labels.
func (s *scope) goroutines(p *profile.Profile) *profile.Profile {
	ours := s.labelled(p)
	kept := p.KeepSamples(func(i int) bool {
		if s.others && !ours[p.Samples.Labels[i]] {
			return false
		}
		keep := true
		stack := p.Stacks.Of(p.Samples.Stack[i])
		frames(p, stack, func(_ int, name string) bool {
			keep = !strings.HasPrefix(name, self) && !s.o.ignored(name)
			return keep
		})
		return keep && !framework(entryOf(p, stack))
	})
	return kept.MapLabels(func(_, out []profile.Label) []profile.Label { return out })
}

// survey notes who else runs, and what our goroutines began with.
func (s *scope) survey(p *profile.Profile) {
	ours := s.labelled(p)
	for i, id := range p.Samples.Stack {
		stack := p.Stacks.Of(id)
		entry := entryOf(p, stack)
		if ours[p.Samples.Labels[i]] {
			s.entries[entry] = true
		} else if entry == "testing.tRunner" && !waits(p, stack) {
			s.others = true
		}
	}
}

// waits tells whether the goroutine of a test waits for other tests.
func waits(p *profile.Profile, stack []profile.LocationID) bool {
	found := false
	frames(p, stack, func(_ int, name string) bool {
		found = idle(name)
		return !found
	})
	return found
}
