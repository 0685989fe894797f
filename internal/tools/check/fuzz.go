package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// fuzzEach is how long a target runs when nothing else is asked for.
	fuzzEach = 30 * time.Second
	// fuzzBudget bounds the whole step then: with more targets each runs
	// shorter, so that all checks end within half an hour on two cores.
	fuzzBudget = 9 * time.Minute
	// fuzzSlots is how many targets run at the same time, one worker each.
	fuzzSlots = 2
)

// target is one native fuzz test.
type target struct{ pkg, name string }

// fuzz runs every fuzz target of the repository for a while.
func fuzz(ctx context.Context, c *checker) (string, error) {
	list, err := output(ctx, nil, "go", "test", "-list", "^Fuzz", "./...")
	if err != nil {
		return "", err
	}
	targets := parseTargets(list)
	if len(targets) == 0 {
		return "", errors.New("go test -list found no fuzz target")
	}
	each := c.fuzzTime
	if each == 0 {
		each = timeEach(len(targets))
	}
	queue := make(chan target)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for range fuzzSlots {
		wg.Go(func() {
			for t := range queue {
				if err := fuzzOne(ctx, t, each); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, t := range targets {
		queue <- t
	}
	close(queue)
	wg.Wait()
	return fmt.Sprintf("%d targets, %s each", len(targets), each), errors.Join(errs...)
}

func timeEach(targets int) time.Duration {
	return min(fuzzEach, (fuzzSlots * fuzzBudget / time.Duration(targets)).Truncate(time.Second))
}

// fuzzOne runs one target. The go command now and then reports its own
// deadline as a failure of the test (golang/go#75804): with no failing input
// written there is nothing to repair, and the target is run once more.
func fuzzOne(ctx context.Context, t target, each time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, 2*each+5*time.Minute)
	defer cancel()
	var err error
	for range 2 {
		_, err = output(ctx, nil, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$",
			"-fuzztime", each.String(), "-fuzzminimizetime", "10s", "-parallel", "1", t.pkg)
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "context deadline exceeded") ||
			strings.Contains(err.Error(), "Failing input written") {
			break
		}
	}
	return err
}

// parseTargets reads what go test -list prints: the names of a package, then
// "ok", the package and a time.
func parseTargets(text string) []target {
	var targets []target
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) >= 2 && fields[0] == "ok":
			for _, n := range names {
				targets = append(targets, target{fields[1], n})
			}
			names = nil
		}
	}
	return targets
}
