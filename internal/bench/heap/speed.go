package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// speed is what all services have shown.
type speed struct {
	rows    []speedRow
	stages  *stages  // of the service nearest to twelve million objects
	alive   *account // of that service, when most was alive
	semiNCA time.Duration
	notes   []string
}

// speedRow is one service.
type speedRow struct {
	resident int64
	quiet    time.Duration // longest gap in a second when nobody reads it
	runs     []usage
	rivals   []rivalRun
	edges    int64
}

// rivalRun is what another program took for the same service.
type rivalRun struct {
	name string
	usage
}

// rivalsUpTo is how many objects a service may have that others read too: the
// largest would take goref minutes, and gcore the disk.
const rivalsUpTo = 15_000_000

func (b *bench) measureSpeed(ctx context.Context) (*speed, error) {
	s := &speed{}
	var rivals []rival
	if b.rivals {
		rivals, s.notes = b.findRivals(ctx)
	}
	for _, n := range b.objects {
		row, err := b.measureService(ctx, n, rivals, s)
		if err != nil {
			return nil, fmt.Errorf("service of %d objects: %w", n, err)
		}
		s.rows = append(s.rows, row)
	}
	var err error
	s.semiNCA, err = measureSemiNCA(ctx)
	return s, err
}

func (b *bench) measureService(ctx context.Context, n int, rivals []rival, s *speed) (row speedRow, err error) {
	b.say("service of %d objects", n)
	t, err := startTarget(ctx, b.service, "-objects", fmt.Sprint(n))
	if err != nil {
		return row, err
	}
	defer t.stop()
	row.resident = t.resident()
	if row.quiet, err = quietGap(ctx, t); err != nil {
		return row, err
	}
	for range b.runs {
		u, err := read(ctx, t, b.profound, "why", "-plain", fmt.Sprint(t.pid))
		if err != nil {
			return row, err
		}
		b.say("  profound  %6.2f s wall %6.2f s CPU %6.0f MiB, stood still %v, noticed %v", u.wall.Seconds(), u.cpu.Seconds(), float64(u.peak)/(1<<20), u.told.pause, u.gap)
		row.runs = append(row.runs, u)
	}
	for _, r := range rivals {
		if n > rivalsUpTo {
			break
		}
		out := filepath.Join(b.dir, "rival")
		u, err := read(ctx, t, r.argv(t.pid, out)...)
		os.Remove(r.writes(t.pid, out))
		if err != nil {
			s.notes = append(s.notes, fmt.Sprintf("%s failed: %v", r.name, firstLine(err)))
			continue
		}
		b.say("  %-9s %6.2f s wall %6.2f s CPU %6.0f MiB, noticed %v", r.name, u.wall.Seconds(), u.cpu.Seconds(), float64(u.peak)/(1<<20), u.gap)
		row.rivals = append(row.rivals, rivalRun{r.name, u})
	}
	st, err := measureStages(ctx, t.pid)
	if err != nil {
		return row, err
	}
	row.edges = st.edges
	b.say("  read %v, dominators %v, %d references, path %v, at most %v", st.read, st.dominators, st.edges, st.path, st.worstPath)
	accounts, err := accountsOf(ctx, t.pid)
	if err != nil {
		return row, err
	}
	for i := range accounts {
		b.say("  %s", &accounts[i])
	}
	if s.stages == nil || nearer(st.objects, s.stages.objects) {
		s.stages = st
		s.alive = &accounts[0]
		for i := range accounts {
			if accounts[i].live > s.alive.live {
				s.alive = &accounts[i]
			}
		}
	}
	return row, nil
}

// nearer tells whether a is nearer to the twelve million objects the goals are
// set for than b.
func nearer(a, b int64) bool {
	const goal = 12_000_000
	return max(a-goal, goal-a) < max(b-goal, goal-b)
}

// quietGap is the longest gap in a second in which nobody reads the service.
func quietGap(ctx context.Context, t *target) (time.Duration, error) {
	if _, err := t.gap(); err != nil {
		return 0, err
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(time.Second):
	}
	return t.gap()
}
