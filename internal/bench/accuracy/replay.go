package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

// replay judges runs that were recorded: the same services on another machine
// on another day. There are heap and goroutine profiles and nothing else: no
// twin, no clues, nothing of the system. So leaks that only the system sees are
// left out, and a function that is in no profile need not be blamed.
func (b *bench) replay(ctx context.Context, page *page) error {
	if !readable(b.recordeds) {
		b.say("recorded: no folder %s, left out", b.recordeds)
		page.LeftOut = append(page.LeftOut, "recorded runs, which are not here")
		return nil
	}
	rows, err := readManifest(filepath.Join(b.zoo, "manifest.json"))
	if err != nil {
		return fmt.Errorf("the expectations of %s: %w", b.recordeds, err)
	}
	var cases []zooCase
	for _, e := range rows {
		if _, err := os.Stat(filepath.Join(b.recordeds, e.Case)); err == nil && b.only.MatchString(e.Case) {
			if e.Signal == "rss" || e.Signal == "fd" {
				b.say("  %s: left out, profiles do not show it", e.Case)
				continue
			}
			cases = append(cases, zooCase{e, "recorded", nil})
		}
	}
	folder := filepath.Join(b.dir, "recorded")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	page.Recorded = each(b.parallel, cases, func(c zooCase) outcome {
		run := filepath.Join(b.recordeds, c.Case)
		a, err := ask(ctx, b.profound, 0, filepath.Join(folder, c.Case+".json"), run)
		if err != nil {
			return outcome{zooCase: c, err: err}
		}
		o := judge(c, a, nil)
		o.settled, o.settledErr = firstLeak(ctx, run)
		seen, err := appears(ctx, run, &c.expectation)
		o.err, o.blameless = err, !seen
		b.keep(filepath.Join(folder, c.Case+".txt"), o)
		b.say("  %s: %s", c.Case, o.line())
		return o
	})
	return ctx.Err()
}

// appears tells whether the function to blame is in a profile of a run.
func appears(ctx context.Context, run string, e *expectation) (bool, error) {
	found := false
	err := eachLook(ctx, run, func(l leak.Look) {
		for _, p := range []*profile.Profile{l.Heap, l.Goroutine} {
			if p == nil || found {
				continue
			}
			for id := range p.Functions.Len() {
				found = found || e.blames(p.FunctionName(profile.FunctionID(id)))
			}
		}
	})
	return found, err
}
