package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
)

// zoos lists all services there are to run.
func (b *bench) zoos(ctx context.Context) ([]zooCase, error) {
	cases, err := ownZoo(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cases = append(cases, demoZoo(self)...)
	if readable(b.zoo) {
		extra, err := extraZoo(ctx, b.zoo, b.dir)
		if err != nil {
			return nil, err
		}
		cases = append(cases, extra...)
	}
	cases = pick(cases, b.only)
	if len(cases) == 0 {
		return nil, fmt.Errorf("no case matches %q", b.only)
	}
	return cases, nil
}

// live runs every service and judges what is said about it.
func (b *bench) live(ctx context.Context, page *page) error {
	cases, err := b.zoos(ctx)
	if err != nil {
		return err
	}
	b.say("live: %d services, %d at a time, %v each", len(cases), b.parallel, b.during)
	page.Live = each(b.parallel, cases, func(c zooCase) outcome {
		o := b.watch(ctx, c)
		b.say("  %s: %s", c.Case, o.line())
		return o
	})
	return ctx.Err()
}

// each calls f for every item, n at a time; the results are in the order of
// the items.
func each[T, R any](n int, items []T, f func(T) R) []R {
	results := make([]R, len(items))
	queue := make(chan int)
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for i := range queue {
				results[i] = f(items[i])
			}
		})
	}
	for i := range items {
		queue <- i
	}
	close(queue)
	group.Wait()
	return results
}

// folder is where the run of a case is kept.
func (b *bench) folder(c zooCase) string {
	return filepath.Join(b.dir, "runs", strings.NewReplacer("/", "-", " ", "-").Replace(c.group), c.Case)
}

// watch runs one service and its twin, asks for the verdict, and judges it.
// The run, the twin and the answer stay in the folder of the case; with -again
// those that are there are judged by the program as it is now.
func (b *bench) watch(ctx context.Context, c zooCase) outcome {
	folder := b.folder(c)
	run, keep := filepath.Join(folder, "run"), filepath.Join(folder, "answer.json")
	var t *twin
	var a *answer
	var err error
	if b.again {
		if a, err = ask(ctx, b.profound, 0, keep, run); err == nil {
			t, err = loadTwin(filepath.Join(folder, "twin"))
		}
	} else if err = errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err == nil {
		if a, t, err = b.runBoth(ctx, c, keep, run); err == nil {
			err = t.save(filepath.Join(folder, "twin"))
		}
	}
	if err != nil {
		return outcome{zooCase: c, err: err}
	}
	o := judge(c, a, t)
	o.settled, o.settledErr = firstLeak(ctx, run)
	b.keep(filepath.Join(folder, "judged.txt"), o)
	return o
}

// runBoth runs a service and its twin and asks for the verdict on the first.
// Goroutines and descriptors are exact at any rate: then the service is its
// own twin, so that the two do not share limits of the system.
func (b *bench) runBoth(ctx context.Context, c zooCase, keep, run string) (*answer, *twin, error) {
	service, err := start(ctx, c.argv, lifeOf(b.during), 0)
	if err != nil {
		return nil, nil, err
	}
	defer service.stop()
	exact, t := service, newTwin(c.Signal == "heap" || !c.Leak)
	if t.heaps {
		if exact, err = start(ctx, c.argv, lifeOf(b.during), 1); err != nil {
			return nil, nil, err
		}
		defer exact.stop()
	}
	polling, end := context.WithTimeout(ctx, b.during)
	var lost error
	var group sync.WaitGroup
	group.Go(func() { lost = t.watch(polling, exact) })
	a, err := ask(ctx, b.profound, b.during, keep, "-for", b.during.String(), "-save", run, service.url)
	end()
	group.Wait()
	return a, t, errors.Join(err, lost)
}

// keep writes what was found next to the run, for people.
func (b *bench) keep(path string, o outcome) {
	text := o.line() + "\n" + o.details()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.say("%s: %v", o.Case, err)
	}
}

// validate runs the services as exact twins and prints what they hold: the
// check that leaks leak and decoys do not.
func (b *bench) validate(ctx context.Context, stdout io.Writer) error {
	cases, err := b.zoos(ctx)
	if err != nil {
		return err
	}
	type held struct {
		t   *twin
		err error
	}
	all := each(b.parallel, cases, func(c zooCase) held {
		b.say("  %s", c.Case)
		p, err := start(ctx, c.argv, lifeOf(b.during), 1)
		if err != nil {
			return held{err: err}
		}
		defer p.stop()
		ctx, cancel := context.WithTimeout(ctx, b.during)
		defer cancel()
		t := newTwin(true)
		return held{t, t.watch(ctx, p)}
	})
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "case\theap MB\tgoroutines\tdescriptors\toff-heap MB\tslope of the second half: heap MB/s\tgoroutines/s\tdescriptors/s")
	for i, c := range cases {
		h := all[i]
		if h.err != nil {
			fmt.Fprintf(w, "%s\t%v\n", c.Case, h.err)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\n", c.Case, h.t.levels())
	}
	return w.Flush()
}
