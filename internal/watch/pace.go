package watch

import (
	"slices"
	"time"
)

// Pace is how often to look during a run of length d when nobody says: enough
// points to see a curve, no more. Looking more often does not find leaks
// sooner: the same sampled objects are in one profile after the other.
//
//	1 minute   every second        up to a day   every minute
//	1 hour     every minute        longer        every 5 minutes
func Pace(d time.Duration) time.Duration {
	const points = 60
	switch {
	case d > 24*time.Hour:
		return 5 * time.Minute
	case d > time.Hour:
		return time.Minute
	}
	return max(d/points, time.Second).Round(100 * time.Millisecond)
}

const (
	// forcedFor is how long collections are forced on a target by itself.
	// Later they collect often enough in comparison to the length of the run.
	forcedFor = 10 * time.Minute
	// lookShare is the part of its time a target may spend on our looks, and
	// gcShare that including forced collections.
	lookShare = 0.02
	gcShare   = 0.05
	// leastLooks is what is left of a run after making the pace slower.
	leastLooks = 20
	// leakedEvery is how often goroutineleak is asked for in long runs;
	// in short ones at every rareLook-th look, and so is heap?debug=1.
	leakedEvery = time.Hour
	rareLook    = 10
)

// pacer decides when the next look at a target is due and what it asks for.
type pacer struct {
	plan  *Plan
	start time.Time
	end   time.Time // zero: never
	every time.Duration

	looks      int       // so far
	slot       time.Time // when the last look was due
	costs      []time.Duration
	gcStopped  bool
	lastLeaked time.Time
}

func newPacer(p *Plan, now time.Time) *pacer {
	c := &pacer{plan: p, start: now, slot: now}
	if p.For > 0 {
		c.end = now.Add(p.For)
	}
	c.every = c.wanted(now)
	return c
}

// wanted is the pace before the cost is considered. A run without end gets
// slower as it gets longer.
func (c *pacer) wanted(now time.Time) time.Duration {
	switch {
	case c.plan.Every > 0:
		return c.plan.Every
	case c.plan.For > 0:
		return Pace(c.plan.For)
	}
	return Pace(now.Sub(c.start))
}

// isLast tells whether the look that is due at now is the one at the end.
func (c *pacer) isLast(now time.Time) bool { return !c.end.IsZero() && !now.Before(c.end) }

// ask is what the look at now is to ask for.
func (c *pacer) ask(now time.Time) Ask {
	a := Ask{GC: c.forces(now), MemStats: c.looks%rareLook == 0 || c.isLast(now)}
	switch {
	case c.plan.GC == GCNever:
	case c.lastLeaked.IsZero(), c.isLast(now), now.Sub(c.lastLeaked) >= leakedEvery:
		a.Leaked = true
	default:
		a.Leaked = a.GC && c.looks%rareLook == 0
	}
	if a.Leaked {
		c.lastLeaked = now
	}
	return a
}

// forces tells whether to force a collection.
func (c *pacer) forces(now time.Time) bool {
	switch c.plan.GC {
	case GCAlways:
		return true
	case GCNever:
		return false
	}
	return !c.gcStopped && c.plan.For <= forcedFor && now.Sub(c.start) <= forcedFor
}

// done notes what a look cost, and adapts: a look that is dear is made less
// often, and if that is not enough, or not allowed, without a collection.
// stopped is true when that was decided just now.
func (c *pacer) done(s *Seen, now time.Time) (stopped bool) {
	c.looks++
	c.costs = append(c.costs, s.Cost)
	// The least of the last few: what is more is often a busy machine or line.
	const recent = 5
	c.costs = c.costs[max(0, len(c.costs)-recent):]
	cost := slices.Min(c.costs)
	c.every = c.wanted(now)
	if c.plan.Every <= 0 {
		slower := time.Duration(float64(cost) / lookShare)
		if c.plan.For > 0 {
			slower = min(slower, c.plan.For/leastLooks)
		}
		c.every = max(c.every, slower)
	}
	if s.Forced > 0 && !c.gcStopped && c.plan.GC == GCAuto && len(c.costs) == recent && float64(cost) > gcShare*float64(c.every) {
		c.gcStopped = true
		c.costs = nil
		return true
	}
	return false
}

// next is when to look again after now: on a fixed grid, so that the pace
// does not drift; points that have passed are left out.
func (c *pacer) next(now time.Time) time.Time {
	c.slot = c.slot.Add(c.every)
	if late := now.Sub(c.slot); late > 0 {
		c.slot = c.slot.Add((late + c.every - 1) / c.every * c.every)
	}
	if !c.end.IsZero() && c.slot.After(c.end) {
		c.slot = c.end
	}
	return c.slot
}

// retry is when to look again after failures in a row: later each time.
func (c *pacer) retry(now time.Time, failures int) time.Time {
	const most = 30 * time.Second
	wait := c.every << min(failures-1, 10)
	limit := most
	if c.plan.For > 0 {
		limit = min(limit, c.plan.For/leastLooks)
	}
	wait = min(wait, max(c.every, limit))
	c.slot = now.Add(wait)
	if !c.end.IsZero() && c.slot.After(c.end) {
		c.slot = c.end
	}
	return c.slot
}
