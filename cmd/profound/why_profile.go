package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/why"
)

// writeRetained is "profound why -o": the dominator tree as a profile, or the
// part of it that holds what a filter lets pass.
func writeRetained(ctx context.Context, h *heapAnalysis, filter why.Filter, path string, e *env) error {
	p, err := await(ctx, func() (*profile.Profile, error) {
		return h.Profile(h.Select(filter), why.ProfileOptions{Program: h.program, Taken: h.taken, Frame: reason.FrameName, Place: reason.SitePlace})
	})
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("why: %w", err)
	case p.Samples.Len() == 0:
		return errors.New("why: -o: nothing was selected that is alive, so there is nothing to write")
	}
	f, err := source.CreateAtomic(path)
	if err != nil {
		return fmt.Errorf("why: -o: %w", err)
	}
	defer f.Abort()
	if err := report.WriteProfile(f, p); err != nil {
		return fmt.Errorf("why: write %s: %w", path, err)
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("why: -o: %w", err)
	}
	e.say(fmt.Sprintf("written to %s; look at it with: %s -http=: %s", path, e.program(), path))
	return nil
}
