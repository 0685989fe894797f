// Package watch turns targets into looks: what leak.Judge judges. A target is
// a running Go program with net/http/pprof, or a process of this machine; a
// run is what was kept of one before.
//
//	spec ─► Connect ─► Target ─► Look, Look, ... ─► leak.History
//	                      │      (Collect keeps the pace)
//	                      ├────► Clues                            once, when something grows
//	                      └────► folder (SaveTo) ─► Open ─► Run ─► Each look again
//
// A look asks for the profiles heap and goroutine, now and then goroutineleak
// where there is one, and for what the process tells of itself: memstats of
// /debug/vars or at the end of heap?debug=1, and /proc and the memory cgroup
// when the process is local. What fails is a warning and not the end.
//
// HTTP is package source's, the bytes are package format's, /proc is package
// procstat's; docs/formats/leak-run.md describes the folder.
package watch

import (
	"context"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/source"
)

// Options are what targets need to know of the user's wishes and the world.
type Options struct {
	// Source says how to speak HTTP: headers, TLS, token, proxy, timeouts,
	// the limit of bytes.
	Source source.Options
	// Proc is where /proc and the cgroups are; the zero value is their usual
	// place.
	Proc procstat.Roots
	// Now is the collector's clock.
	Now func() time.Time
	// Sleep waits for d, or until ctx ends, whose error it then returns. nil
	// sleeps by the system's timers.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Ask chooses what a look asks for besides the profiles heap and goroutine.
type Ask struct {
	// GC makes the target collect its garbage first, so that the heap profile
	// is current.
	GC bool
	// Leaked asks for the goroutineleak profile if the target has one; it
	// costs the target a collection.
	Leaked bool
	// MemStats asks for heap?debug=1 if there is no /debug/vars; the answer
	// is larger than a profile.
	MemStats bool
}

// Seen is a look and how it went.
type Seen struct {
	leak.Look
	// Warnings are what could not be had, and changes of the target: that it
	// restarted, that it answers again.
	Warnings []error
	// Forced is how many collections the look made the target do.
	Forced int
	// Cost is how long the target worked on the answers at most: the time until
	// they came without that of the fastest, which is the way there and back,
	// or the CPU time of the process meanwhile if that is less.
	Cost time.Duration
}

// GCPolicy is whether looks make the target collect its garbage.
type GCPolicy int

// The policies. A profile lags up to two collections behind without; that
// matters in short runs of services that collect rarely.
const (
	// GCAuto forces collections in runs of at most ten minutes, while they
	// cost the target little.
	GCAuto GCPolicy = iota
	GCAlways
	GCNever
)

// Plan is how Collect is to go about it.
type Plan struct {
	// For is the length of the run; 0 goes on until ctx ends.
	For time.Duration
	// Every is the pace; 0 lets Collect choose (see Pace) and change it.
	Every time.Duration
	GC    GCPolicy
	// Look gets each look, one call at a time, for each target in the order of
	// time. It may keep the look. An error ends the run and is returned. A look
	// of a target that was busy may come late; Collect does not wait for Look
	// to keep its pace.
	Look func(*Seen) error
	// Warn gets what went wrong, one call at a time; nil drops it. Targets
	// that fail the same way again and again are reported once.
	Warn func(Warning)
}

// Warning is something that went wrong with one target.
type Warning struct {
	At     time.Time
	Target string // its name
	Err    error
}

// Error is the warning with the name of its target.
func (w Warning) Error() string { return w.Target + ": " + w.Err.Error() }

// Unwrap gives the warning without the name.
func (w Warning) Unwrap() error { return w.Err }

// Summary is what became of a run.
type Summary struct {
	From, To time.Time // of the first and the last look
	Looks    int       // how many brought something
	Failed   int       // how many did not
	// Forced is how many collections the targets did because of us, and
	// GCStopped that forcing them was given up because of what they cost.
	Forced    int
	GCStopped bool
	// Every is the pace at the end.
	Every time.Duration
	// Interrupted is set when ctx ended the run early.
	Interrupted bool
	// Gone are the names of targets that did not answer in the end.
	Gone []string
}

// ClueOptions bound what Clues asks for.
type ClueOptions struct {
	// Trace is how long the execution trace lasts; 0 is 3 seconds, negative
	// asks for none.
	Trace time.Duration
	// MaxBytes bounds each answer; 0 is 64 MiB.
	MaxBytes int64
}
