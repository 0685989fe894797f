package leaktest

import (
	"fmt"
	"regexp"
	"time"
)

// Option changes a check. Options that do not concern a check are left alone
// by it.
type Option func(*options)

// options is what the Options set.
type options struct {
	rounds, warmup int
	rate           int
	maxGrowth      int64
	settle         time.Duration
	ignore         []*regexp.Regexp
	err            error
}

// The defaults.
const (
	defaultRounds = 10
	defaultWarmup = 2
	defaultSettle = time.Second
)

// minRounds is how many rounds can prove anything at all.
const minRounds = 6

// Rounds sets how many rounds are judged first; the default is 10. While
// there is something to doubt as many again are run, twice at most, and once
// with -short.
func Rounds(n int) Option {
	return func(o *options) {
		o.rounds = n
		if n < minRounds {
			o.fail("Rounds(%d): %d rounds are needed to tell growth from chance", n, minRounds)
		}
	}
}

// Warmup sets how many rounds go before those that are judged, for what is
// built on first use; the default is 2. A cache that fills wants as many as it
// takes to fill it. They also tell what a round allocates, from which the
// sampling rate follows: without them it is 4 KiB (see Rate).
func Warmup(n int) Option {
	return func(o *options) {
		o.warmup = n
		if n < 0 {
			o.fail("Warmup(%d): a number of rounds, 0 or more", n)
		}
	}
}

// Rate sets the sampling rate of the heap profile for the time of the check:
// one sample in so many bytes allocated, 1 records every allocation. By
// default it follows from what a round allocates.
func Rate(bytes int) Option {
	return func(o *options) {
		o.rate = bytes
		if bytes < 1 {
			o.fail("Rate(%d): bytes allocated for one sample, 1 or more", bytes)
		}
	}
}

// MaxGrowth lets a path of the heap grow by so many bytes a round.
func MaxGrowth(bytes int64) Option {
	return func(o *options) {
		o.maxGrowth = bytes
		if bytes < 0 {
			o.fail("MaxGrowth(%d): bytes a round, 0 or more", bytes)
		}
	}
}

// Settle sets how long a check waits for what is about to end before it fails
// the test: goroutines, timers, idle connections. The default is a second. A
// test that passes does not wait.
func Settle(d time.Duration) Option {
	return func(o *options) {
		o.settle = d
		if d < 0 {
			o.fail("Settle(%v): a time, 0 or more", d)
		}
	}
}

// Ignore leaves out memory and goroutines with a function on their stack that
// the regular expression matches, as in Ignore(`^go\.opencensus\.io/`). The
// name of a function is that of its package's import path, receiver and
// function: net/http.(*Server).Serve.
func Ignore(function string) Option {
	return func(o *options) {
		rx, err := regexp.Compile(function)
		if err != nil {
			o.fail("Ignore: %v", err)
			return
		}
		o.ignore = append(o.ignore, rx)
	}
}

// fail remembers the first mistake in the options.
func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

// optionsOf applies opts to the defaults.
func optionsOf(opts []Option) (*options, error) {
	o := &options{rounds: defaultRounds, warmup: defaultWarmup, settle: defaultSettle}
	for _, opt := range opts {
		opt(o)
	}
	return o, o.err
}

// ignored tells whether a function is left out by request.
func (o *options) ignored(function string) bool {
	for _, rx := range o.ignore {
		if rx.MatchString(function) {
			return true
		}
	}
	return false
}
