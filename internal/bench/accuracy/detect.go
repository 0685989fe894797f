package main

import (
	"context"
	"slices"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/watch"
)

// judgeEvery is how much longer a run gets between two verdicts on it.
const judgeEvery = 3 * time.Second

// eachLook goes through a kept run.
func eachLook(ctx context.Context, run string, look func(leak.Look)) error {
	r, err := watch.Open(ctx, []string{run}, watch.Options{Source: source.Options{Now: time.Now}, Now: time.Now})
	if err != nil {
		return err
	}
	return r.Each(ctx, func(l leak.Look) error {
		look(l)
		return nil
	})
}

// firstLeak goes through a kept run and tells how long it had to be for the
// verdict to be a leak and to stay one; 0 if it is none in the end.
func firstLeak(ctx context.Context, run string) (time.Duration, error) {
	history := leak.NewHistory()
	var first, last, judged, since time.Time
	judge := func() {
		judged = last
		v := leak.Judge(history, leak.Options{})
		switch isLeak := slices.ContainsFunc(v.Findings, func(f leak.Finding) bool { return f.Class == leak.Leak }); {
		case !isLeak:
			since = time.Time{}
		case since.IsZero():
			since = last
		}
	}
	err := eachLook(ctx, run, func(l leak.Look) {
		if first.IsZero() {
			first = l.At
		}
		history.Add(l) // what could not be used is no news: the answer has it
		if last = l.At; last.Sub(judged) >= judgeEvery {
			judge()
		}
	})
	if err != nil {
		return 0, err
	}
	if judge(); since.IsZero() {
		return 0, nil
	}
	return since.Sub(first), nil
}
