package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/procstat"
)

// Collect looks at the targets on a pace, first at once and last at the end,
// and hands the looks on. Targets that fail are tried again until the end. It
// fails when no look succeeded, or with the error of Plan.Look. When ctx ends
// it returns what there is, and its error only if there is nothing.
func Collect(ctx context.Context, targets []*Target, p Plan) (*Summary, error) {
	if len(targets) == 0 {
		return nil, errors.New("nothing to watch")
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c := &collector{plan: &p, stop: stop}
	var wg sync.WaitGroup
	for _, t := range targets {
		wg.Go(func() { c.watch(work, t) })
	}
	wg.Wait()
	s := &c.sum
	if c.err != nil {
		return s, c.err
	}
	s.Interrupted = ctx.Err() != nil
	if s.Looks > 0 {
		return s, nil
	}
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	return s, fmt.Errorf("no look succeeded: %w", c.failure)
}

// collector is one call of Collect.
type collector struct {
	plan *Plan
	stop context.CancelCauseFunc

	mu      sync.Mutex // orders the calls of Plan.Look and Plan.Warn
	sum     Summary
	err     error // of Plan.Look
	failure error // the last look that failed
}

// watch looks at one target until the end.
func (c *collector) watch(ctx context.Context, t *Target) {
	pace := newPacer(c.plan, t.opt.Now())
	var down outage
	for {
		now := t.opt.Now()
		last := pace.isLast(now)
		seen, err := t.Look(ctx, pace.ask(now))
		now = t.opt.Now()
		var due time.Time
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.failed(t, &down, now, err)
			due = pace.retry(now, down.failures)
		default:
			if down.failures > 0 {
				seen.Warnings = append(seen.Warnings, fmt.Errorf("it answers again, after %v", now.Sub(down.since).Round(time.Second)))
			}
			down = outage{said: down.said}
			stopped := pace.done(seen, now)
			c.seen(t, seen, pace, stopped, &down)
			due = pace.next(now)
		}
		ended := t.server == nil && errors.Is(err, procstat.ErrGone)
		if last || ended {
			if err != nil {
				c.mu.Lock()
				c.sum.Gone = append(c.sum.Gone, t.name)
				c.mu.Unlock()
			}
			return
		}
		if t.opt.Sleep(ctx, due.Sub(now)) != nil {
			return
		}
	}
}

// outage is a run of looks that failed.
type outage struct {
	failures int
	since    time.Time
	said     map[string]bool // texts of warnings that were given out
}

// once tells whether text is new.
func (o *outage) once(text string) bool {
	if o.said == nil {
		o.said = map[string]bool{}
	}
	if o.said[text] {
		return false
	}
	o.said[text] = true
	return true
}

// failed notes a look that brought nothing.
func (c *collector) failed(t *Target, down *outage, now time.Time, err error) {
	if down.failures == 0 {
		down.since = now
		clear(down.said) // the same again after a recovery is news
	}
	down.failures++
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Failed++
	c.failure = err
	if down.once(err.Error()) {
		c.warn(now, t, err)
	}
}

// warn hands a warning on; c.mu is held.
func (c *collector) warn(now time.Time, t *Target, err error) {
	if c.plan.Warn != nil {
		c.plan.Warn(Warning{At: now, Target: t.name, Err: err})
	}
}

// errDear is the warning when collections are no longer forced.
var errDear = errors.New("a collection for each profile takes the program too much of its time, so that they are no longer forced: profiles now lag up to two collections behind")

// seen hands a look on.
func (c *collector) seen(t *Target, s *Seen, pace *pacer, stopped bool, down *outage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stopped {
		c.sum.GCStopped = true
		s.Warnings = append(s.Warnings, errDear)
	}
	sum := &c.sum
	if sum.Looks == 0 || s.At.Before(sum.From) {
		sum.From = s.At
	}
	if s.At.After(sum.To) {
		sum.To = s.At
	}
	sum.Looks++
	sum.Forced += s.Forced
	sum.Every = max(sum.Every, pace.every)
	for _, w := range s.Warnings {
		if down.once(w.Error()) {
			c.warn(s.At, t, w)
		}
	}
	if c.plan.Look == nil || c.err != nil {
		return
	}
	if c.err = c.plan.Look(s); c.err != nil {
		c.stop(c.err)
	}
}
