package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/watch"
)

// exitFinding is the exit code of -fail-on.
const exitFinding = 3

const leakHelp = `usage: profound leak [flags] TARGET...
       profound leak [flags] DIR | FILE FILE...

Judges whether a Go program leaks: what grows, how surely, since when, on which
line, when memory runs out, or why it is no leak.

TARGET is a URL (http://host:6060, or of its /debug/pprof/), host:port, or the
number of a process of this machine; several are replicas of one program.
Instead, a folder or glob of profiles taken at different times, or two files
and more. Ctrl-C ends with the verdict so far.

  -for TIME         how long to watch: 90s, 2h30m, 3d (default 60s)
  -every TIME       pace of the looks (default: chosen from -for)
  -limit SIZE       memory limit, such as 512mib; default: the cgroup's, the
                    machine's
  -why=false        do not ask a local process who holds what leaks; asking
                    makes it stand still for some milliseconds at the end
`

// leakDefaultFor is how long is watched when nobody says.
const leakDefaultFor = time.Minute

// leakOptions are the flags of leak.
type leakOptions struct {
	targetFlags
	during, every duration
	limit         bytesFlag
	noWhy         bool // leave out who holds what a finding is about
	specs         []string
}

func parseLeak(args []string, e *env) (*leakOptions, error) {
	o := &leakOptions{during: duration(leakDefaultFor)}
	fs := flag.NewFlagSet("leak", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.declare(fs)
	fs.Var(&o.during, "for", "")
	fs.Var(&o.every, "every", "")
	fs.Var(&o.limit, "limit", "")
	why := fs.Bool("why", true, "")
	rest, err := parseArgs(fs, args)
	help := leakHelp + targetFlagsHelp
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.stdout, help)
		return nil, codeError{code: exitOK}
	case err != nil:
		return nil, usagef("leak: %w\n\n%s", err, help)
	case len(rest) == 0:
		return nil, usagef("leak: nothing to look at; name a server such as localhost:6060, a process, or a folder of profiles\n\n%s", help)
	}
	o.specs, o.noWhy = rest, !*why
	if err := o.check(); err != nil {
		return nil, usagef("leak: %w", err)
	}
	if o.during <= 0 {
		return nil, usagef("leak: -for must be longer than nothing")
	}
	if o.every > 0 && o.during < 2*o.every {
		return nil, usagef("leak: -for=%v holds fewer than three looks at -every=%v; make -for longer or -every shorter", time.Duration(o.during), time.Duration(o.every))
	}
	return o, nil
}

// runLeak is "profound leak".
func runLeak(ctx context.Context, args []string, e *env) error {
	o, err := parseLeak(args, e)
	if err != nil {
		return err
	}
	live := 0
	for _, s := range o.specs {
		if watch.Live(s) {
			live++
		}
	}
	switch {
	case live == len(o.specs):
		return leakLive(ctx, o, e)
	case live > 0:
		return usagef("leak: %s: programs and files cannot be judged together; name one or the other", strings.Join(o.specs, " "))
	}
	return leakFiles(ctx, o, e)
}

// leakFiles judges what was kept.
func leakFiles(ctx context.Context, o *leakOptions, e *env) error {
	run, err := watch.Open(ctx, o.specs, o.watchOptions(e))
	if err != nil {
		return fmt.Errorf("leak: %w", err)
	}
	h := leak.NewHistory()
	var warnings []error
	last := time.Time{}
	err = run.Each(ctx, func(l leak.Look) error {
		last = l.At
		warnings = append(warnings, h.Add(l)...)
		return nil
	})
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("leak: %w", err)
	}
	jo := leak.Options{Limit: float64(o.limit)}
	for _, t := range run.Targets {
		clues, warn := run.Clues(ctx, t)
		warnings = append(warnings, warn...)
		if clues.Waiting != nil || clues.Trace != nil {
			jo.Clues = clues
		}
	}
	v := leak.Judge(h, jo)
	v.Warnings = slices.Concat(run.Warnings, warnings, v.Warnings)
	next := lookFurther{e: e, specs: o.specs}
	if !o.noWhy {
		if next.reasons, err = reasons(ctx, v, savedObjects(o.specs), heapOptions{plain: o.plain, brief: true}, e); err != nil {
			v.Warnings = append(v.Warnings, err)
		}
	}
	return o.print(v, e, last, next)
}

// print writes a verdict and picks the exit code. now is what dates are seen
// from.
func (t *targetFlags) print(v *leak.Verdict, e *env, now time.Time, next lookFurther) error {
	vo := t.verdictOptions(e, now)
	vo.Next, vo.Held = next.commands, next.held
	var err error
	if t.json {
		err = verdict.WriteJSON(e.stdout, v, vo)
	} else {
		err = verdict.Write(e.stdout, v, vo)
	}
	if err != nil {
		return err
	}
	return t.exit(v)
}

// exit is the exit code a verdict asks for.
func (t *targetFlags) exit(v *leak.Verdict) error {
	worst := leak.Unknown
	for i := range v.Findings {
		worst = max(worst, v.Findings[i].Class)
	}
	if t.failOn == "leak" && worst == leak.Leak || t.failOn == "growing" && worst >= leak.Growing {
		return codeError{code: exitFinding}
	}
	return nil
}

func (t *targetFlags) verdictOptions(e *env, now time.Time) verdict.Options {
	o := verdict.Options{Now: now, ASCII: t.ascii}
	if w := e.width(); w > 0 && e.stdoutTTY {
		o.Width = min(max(w, 40), 140)
	}
	if e.colour() && !t.plain {
		o.Bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
	}
	return o
}

// leakLive watches programs and judges them.
func leakLive(ctx context.Context, o *leakOptions, e *env) error {
	w, err := startWatch(ctx, o.specs, o, e)
	if err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("leak: %w", err)
	}
	defer w.close()
	v, err := w.run(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("leak: %w", err)
	}
	if w.sum.Forced > 0 && !o.json {
		e.say(forcedRemark(w.sum))
	}
	if w.sum.Interrupted {
		e.say("interrupted; this is the verdict so far")
	}
	return o.print(v, e, v.To, lookFurther{e: e, targets: w.targets, reasons: w.reasons})
}

// watching is one run over live programs.
type watching struct {
	o       *leakOptions
	e       *env
	targets []*watch.Target
	view    *liveView
	sum     *watch.Summary
	reasons map[int][]string // who holds what a finding is about
}

func startWatch(ctx context.Context, specs []string, o *leakOptions, e *env) (*watching, error) {
	targets, err := connectAll(ctx, specs, o.watchOptions(e), e)
	if err != nil {
		return nil, err
	}
	w := &watching{o: o, e: e, targets: targets, view: newLiveView(e, o, targets)}
	if o.save != "" {
		if err := watch.SaveTo(o.save, targets...); err != nil {
			w.close()
			return nil, fmt.Errorf("-save: %w", err)
		}
	}
	return w, nil
}

func (w *watching) close() {
	for _, t := range w.targets {
		t.Close()
	}
}

// run watches to the end, or to an interrupt, and judges.
func (w *watching) run(ctx context.Context) (*leak.Verdict, error) {
	policy, err := w.o.policy()
	if err != nil {
		return nil, err
	}
	w.view.start()
	w.sum, err = watch.Collect(ctx, w.targets, watch.Plan{
		For: time.Duration(w.o.during), Every: time.Duration(w.o.every), GC: policy, Look: w.view.look, Warn: w.view.warn,
	})
	if err != nil {
		w.view.end()
		return nil, err
	}
	jo := leak.Options{Limit: float64(w.o.limit)}
	v := leak.Judge(w.view.history, jo)
	if o, want := wantsClues(v); want && ctx.Err() == nil {
		jo.Clues = w.clues(ctx, o)
		v = leak.Judge(w.view.history, jo)
	}
	w.view.end()
	v.Warnings = append(w.view.warnings, v.Warnings...)
	if ctx.Err() == nil && !w.o.noWhy {
		ho := heapOptions{plain: w.o.plain, brief: true}
		if w.o.save != "" {
			ho.keep = filepath.Join(w.o.save, keptObjects)
		}
		if w.reasons, err = reasons(ctx, v, liveObjects(w.targets), ho, w.e); err != nil {
			v.Warnings = append(v.Warnings, err)
		}
	}
	return v, nil
}

// clues asks the first target that answers what runs there.
func (w *watching) clues(ctx context.Context, o watch.ClueOptions) leak.Clues {
	what := "goroutine stacks and a short execution trace"
	if o.Trace < 0 {
		what = "goroutine stacks"
	}
	w.view.say("asking what runs there: " + what)
	for _, t := range w.targets {
		c, warn := t.Clues(ctx, o)
		w.view.warnings = append(w.view.warnings, warn...)
		if c.Waiting != nil || c.Trace != nil {
			return c
		}
	}
	return leak.Clues{}
}

func forcedRemark(sum *watch.Summary) string {
	s := fmt.Sprintf("%d collections were asked for, so that profiles are current (-gc=never: none)", sum.Forced)
	if sum.GCStopped {
		s += "; given up because they cost too much"
	}
	return s
}

// connectAll opens targets; those that cannot be reached are remarks as long
// as one can.
func connectAll(ctx context.Context, specs []string, wo watch.Options, e *env) ([]*watch.Target, error) {
	var targets []*watch.Target
	var errs []error
	for _, s := range specs {
		t, err := watch.Connect(ctx, s, wo)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, note := range t.Notes() {
			e.say(t.Name() + ": " + note.Error())
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return nil, errors.Join(errs...)
	}
	for _, err := range errs {
		e.say(err.Error())
	}
	return targets, nil
}

// wantsClues tells what only the running program can explain: goroutines,
// descriptors or memory outside the heap that grow, or, without a trace, so
// many goroutines that they may have piled up before.
func wantsClues(v *leak.Verdict) (o watch.ClueOptions, want bool) {
	for i := range v.Findings {
		f := &v.Findings[i]
		if (f.Class == leak.Leak || f.Class == leak.Growing) && (f.Resource != leak.Heap || verdict.Blame(f) == nil) {
			return o, true
		}
	}
	o.Trace = -1
	for i := range v.Totals {
		if f := &v.Totals[i]; f.Resource == leak.Goroutines && f.After.Value >= leak.LeastPile {
			return o, true
		}
	}
	return o, false
}
