package leaktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

// NoGoroutines fails the test at its end if a goroutine still runs that was
// started during the test; call it first, so that it looks last. Goroutines
// about to end get time to do so (see Settle). The message lists those that
// stay with what they wait for, where they were started, and which of them can
// never run again, if this Go can tell (its profile goroutineleak).
//
// While other tests run in parallel, only goroutines count that were started
// by this test or by one of its goroutines. A test that failed already is
// left alone.
//
// It leaves the profiler label leaktest on the goroutine that calls it.
func NoGoroutines(t testing.TB, opts ...Option) {
	t.Helper()
	o, err := optionsOf(opts)
	if err != nil {
		t.Fatalf("leaktest: %v", err)
	}
	mark(t)
	r := &remains{t: t, o: o, before: map[int64]bool{}}
	for i, g := range dumpAll() {
		r.before[g.id] = true
		if i == 0 {
			r.self = g.id
		}
	}
	t.Cleanup(r.check)
}

// remains looks for goroutines a test leaves behind.
type remains struct {
	t      testing.TB
	o      *options
	self   int64          // the goroutine of the test
	before map[int64]bool // those that were there when the test began
}

// check fails the test if goroutines remain.
func (r *remains) check() {
	r.t.Helper()
	if r.t.Failed() {
		return
	}
	var left []goroutine
	var err error
	if poll(r.o.settle, func() bool {
		left, err = r.left()
		return err != nil || len(left) == 0
	}) {
		if err != nil {
			r.t.Errorf("leaktest: %v", err)
		}
		return
	}
	certain, err := r.certain()
	if err != nil {
		r.t.Logf("leaktest: %v", err)
	}
	r.t.Error(r.message(left, certain))
}

// left lists the goroutines of the test that are still there.
func (r *remains) left() ([]goroutine, error) {
	all := dumpAll()
	fresh := slices.DeleteFunc(slices.Clone(all), func(g goroutine) bool {
		return r.before[g.id] || g.id == r.self || r.harmless(&g)
	})
	if len(fresh) == 0 {
		return nil, nil
	}
	ours, err := r.labelledStacks()
	if err != nil {
		return nil, err
	}
	// The background is what was there before, and the timers, which have no
	// number. What it starts counts while no other test can have asked for it.
	background := map[int64]bool{}
	if !r.others(all) {
		background[0] = true
		for id := range r.before {
			background[id] = true
		}
	}
	known := map[int64]bool{r.self: true}
	for again := true; again; { // until no more children are found
		again = false
		for i := range fresh {
			g := &fresh[i]
			if !known[g.id] && (known[g.creator] || background[g.creator]) {
				known[g.id], again = true, true
				ours[g.key()]--
			}
		}
	}
	// Those whose creator is gone are known by their label; a profile has no
	// numbers, so that of equal stacks the last started are taken.
	for _, g := range slices.Backward(fresh) {
		if key := g.key(); !known[g.id] && ours[key] > 0 {
			known[g.id] = true
			ours[key]--
		}
	}
	return slices.DeleteFunc(fresh, func(g goroutine) bool { return !known[g.id] }), nil
}

// harmless tells goroutines of the framework and the runtime, those that are
// ignored, and ours.
func (r *remains) harmless(g *goroutine) bool {
	if framework(g.entry()) || framework(g.created.function) {
		return true
	}
	for _, c := range g.calls {
		if strings.HasPrefix(c.function, self) || r.o.ignored(c.function) {
			return true
		}
	}
	return r.o.ignored(g.created.function)
}

// others tells whether a test runs that is not this one.
func (r *remains) others(all []goroutine) bool {
	for i := range all {
		g := &all[i]
		if g.id == r.self || g.entry() != "testing.tRunner" {
			continue
		}
		if !slices.ContainsFunc(g.calls, func(c call) bool { return idle(c.function) }) {
			return true
		}
	}
	return false
}

// labelledStacks counts the goroutines with the label of the test by the key
// of their stack.
func (r *remains) labelledStacks() (map[string]int, error) {
	raw, err := rawProfile("goroutine")
	if err != nil {
		return nil, err
	}
	p, err := decode(raw)
	if err != nil {
		return nil, err
	}
	s := scope{test: r.t.Name()}
	ours := s.labelled(p)
	count := map[string]int{}
	for i, id := range p.Samples.Stack {
		if ours[p.Samples.Labels[i]] {
			count[profileKey(p, id)] += int(p.Samples.Values[0][i])
		}
	}
	return count, nil
}

// profileKey is the key of a stack of a profile.
func profileKey(p *profile.Profile, id profile.StackID) string {
	var k stackKey
	frames(p, p.Stacks.Of(id), func(_ int, name string) bool {
		k.add(name)
		return true
	})
	return k.String()
}

// certain tells the stacks of goroutines that can never run again; empty if
// this runtime cannot tell.
func (r *remains) certain() (map[string]bool, error) {
	stacks := map[string]bool{}
	raw, err := rawProfile("goroutineleak")
	if raw == nil || err != nil {
		return stacks, err
	}
	p, err := decode(raw)
	if err != nil {
		return stacks, err
	}
	for _, id := range p.Samples.Stack {
		stacks[profileKey(p, id)] = true
	}
	return stacks, nil
}

// shownGoroutines is how many kinds of goroutines a message lists.
const shownGoroutines = 10

// message lists goroutines, those that are alike as one.
func (r *remains) message(left []goroutine, certain map[string]bool) string {
	var order []string
	alike := map[string][]*goroutine{}
	for i := range left {
		g := &left[i]
		key := g.state + "\n" + g.created.function + "\n" + g.key()
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], g)
	}
	var b strings.Builder
	count := "1 goroutine is left that was"
	if len(left) > 1 {
		count = fmt.Sprintf("%d goroutines are left that were", len(left))
	}
	fmt.Fprintf(&b, "leaktest: %s started during the test, %v after its end", count, r.o.settle)
	for i, key := range order {
		if i == shownGoroutines {
			fmt.Fprintf(&b, "\n\n  and goroutines of %d more kinds", len(order)-i)
			break
		}
		describe(&b, alike[key], certain[alike[key][0].key()])
	}
	return b.String()
}

// describe writes one kind of goroutines: what they wait for, where they were
// started, their stack, and what to do.
func describe(b *strings.Builder, gs []*goroutine, certain bool) {
	g := gs[0]
	longest := 0
	for _, other := range gs {
		longest = max(longest, other.waited)
	}
	since := "less than a minute"
	if longest > 0 {
		since = (time.Duration(longest) * time.Minute).String()
	}
	who := fmt.Sprintf("goroutine %d", g.id)
	if len(gs) > 1 {
		who = fmt.Sprintf("%d goroutines such as %d", len(gs), g.id)
	}
	fmt.Fprintf(b, "\n\n  %s: %s for %s", who, g.state, since)
	if certain {
		b.WriteString("; certain: nothing can ever wake it (goroutineleak)")
	}
	for _, c := range g.calls {
		if !strings.HasPrefix(c.function, "runtime.") {
			fmt.Fprintf(b, "\n      %s  %s", origin.ShortName(c.function), c.place)
		}
	}
	if g.created.function != "" {
		fmt.Fprintf(b, "\n      created by %s  %s", origin.ShortName(g.created.function), g.created.place)
	}
	if next := remedy(g); next != "" {
		fmt.Fprintf(b, "\n      next: %s", next)
	}
}

// remedy is what usually ends a goroutine, by what it runs and waits for.
func remedy(g *goroutine) string {
	for _, r := range [...]struct{ entry, text string }{
		{"net/http.(*persistConn).", "close the response body, and the client's idle connections at the end of the test: CloseIdleConnections"},
		{"net/http.(*http2ClientConn).", "close the client's idle connections at the end of the test: CloseIdleConnections"},
		{"net/http.(*Server).", "stop the server at the end of the test: Close or Shutdown"},
		{"net/http.(*conn).", "stop the server at the end of the test: Close or Shutdown"},
		{"database/sql.(*DB).", "close the DB at the end of the test"},
		{"context.", "call the cancel function of the context"},
	} {
		if strings.HasPrefix(g.entry(), r.entry) {
			return r.text
		}
	}
	state, _, _ := strings.Cut(g.state, " (")
	switch state {
	case "chan receive":
		return "close the channel it receives from, or send to it"
	case "chan send":
		return "receive from the channel, or give it room for what nobody waits for any more"
	case "select":
		return "cancel the context or close the channel that is to stop it"
	case "IO wait":
		return "close the connection or listener it reads from"
	case "sync.WaitGroup.Wait", "sync.Cond.Wait", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire":
		return "see who was to wake it: a Done, Signal or Unlock is missing"
	case "sleep":
		return "have it wait on a timer and a channel that stops it, in place of time.Sleep"
	case "running", "runnable", "syscall":
		return "tell it to stop, and wait for it at the end of the test"
	}
	return ""
}
