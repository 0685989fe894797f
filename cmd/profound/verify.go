package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/watch"
)

const verifyHelp = `usage: profound verify [flags] TARGET -- LOAD [ARG...]
       profound verify [flags] -- PROGRAM [ARG...]

Repeats equal rounds of work and judges what a Go program keeps from one to
the next: memory, goroutines, descriptors. For CI: exit code 3 if it leaks.

The first form is for a service that runs: LOAD is a command that gives it
work, such as a load generator with a fixed number of requests. It is run
once a round and must end. TARGET is a URL, host:port or a process, as for
profound leak.

The second form starts PROGRAM once, finds the port where it serves
net/http/pprof, and stops it at the end. The work is what the program does
by itself (a test or a benchmark that serves pprof will do); a round is a
length of time, -every.

After each round the target collects its garbage and is looked at. Profiles
are samples, of one object in 512 kB by default: rounds that leak less than
that need a lower runtime.MemProfileRate (GODEBUG=memprofilerate=4096), more
work in a round, or more rounds. The first two rounds that are judged may fill
what is built on first use: growth counts from there on. Ctrl-C ends with the
verdict so far.

  -rounds N         rounds that are judged, 6 or more (default 12)
  -warmup N         rounds before them that are not (default 2)
  -every TIME       length of a round of the second form (default 5s)
  -start TIME       how long PROGRAM may take until it serves (default 30s)
  -fail-on CLASS    exit with code 3 on a finding: leak, growing (or leak),
                    or none (default leak)
  -gc WHEN          make the target collect its garbage before each look:
                    always, never (default always)
  -save DIR         keep the profiles here
  -json             print the verdict for programs
  -plain            no moving line, no colours
  -ascii            draw with ASCII characters only
  -header 'N: V'    send this header; may be repeated
  -bearer_token_file FILE, -tls_ca FILE, -tls_cert FILE, -tls_key FILE
  -timeout SECONDS  give up on one answer after this long
  -max_size SIZE    refuse profiles that take more memory than this

Exit codes: 0 nothing was found, 1 the check could not be made or proves
nothing (a restart, a heap that is not sampled), 2 usage,
3 a finding. In Go tests, leaktest.NoGrowth does the same from inside.
`

// verifyOptions are the flags of verify.
type verifyOptions struct {
	targetFlags
	rounds, warmup int
	every, start   duration
	target         string   // "" when the command is the program
	command        []string // the load, or the program
}

// minVerifyRounds is how many rounds can prove anything at all.
const minVerifyRounds = 6

func parseVerify(args []string, e *env) (*verifyOptions, error) {
	o := &verifyOptions{every: duration(5 * time.Second), start: duration(30 * time.Second)}
	fs := flag.NewFlagSet("verify", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.declare(fs)
	o.gc, o.failOn = "always", "leak"
	fs.IntVar(&o.rounds, "rounds", 12, "")
	fs.IntVar(&o.warmup, "warmup", 2, "")
	fs.Var(&o.every, "every", "")
	fs.Var(&o.start, "start", "")
	if i := slices.Index(args, "--"); i >= 0 {
		o.command = args[i+1:]
		args = args[:i]
	}
	rest, err := parseArgs(fs, args)
	if o.failOn == "none" {
		o.failOn = ""
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.stdout, verifyHelp)
		return nil, codeError{code: exitOK}
	case err != nil:
		return nil, usagef("verify: %w\n\n%s", err, verifyHelp)
	case len(o.command) == 0:
		return nil, usagef("verify: no command; put it behind --, as in: profound verify localhost:6060 -- ./load.sh\n\n%s", verifyHelp)
	case len(rest) > 1:
		return nil, usagef("verify: one target at a time, not %s", strings.Join(rest, " "))
	case o.rounds < minVerifyRounds:
		return nil, usagef("verify: -rounds=%d: %d rounds are needed to tell growth from chance", o.rounds, minVerifyRounds)
	case o.warmup < 0:
		return nil, usagef("verify: -warmup=%d: a number of rounds, 0 or more", o.warmup)
	case o.every <= 0 || o.start <= 0:
		return nil, usagef("verify: -every and -start must be longer than nothing")
	}
	if err := o.check(); err != nil {
		return nil, usagef("verify: %w", err)
	}
	if len(rest) == 1 {
		if o.target = rest[0]; !watch.Live(o.target) {
			return nil, usagef("verify: %s is a file or no address; name a server such as localhost:6060, or a process", o.target)
		}
	}
	return o, nil
}

// runVerify is "profound verify".
func runVerify(ctx context.Context, args []string, e *env) error {
	o, err := parseVerify(args, e)
	if err != nil {
		return err
	}
	r, err := newRounds(ctx, o, e)
	if err == nil {
		err = r.run(ctx)
	}
	return r.finish(ctx, err)
}

// rounds is one run of verify.
type rounds struct {
	e       *env
	o       *verifyOptions
	target  *watch.Target
	program *child // nil when the target runs by itself
	// work does the work of one round.
	work func(context.Context) error

	history     *leak.History
	looks       int
	warnings    []error
	interrupted bool
}

// newRounds connects to the target, or starts it. What it returns is to be
// finished, in the case of an error too.
func newRounds(ctx context.Context, o *verifyOptions, e *env) (r *rounds, err error) {
	r = &rounds{e: e, o: o, history: leak.NewRounds()}
	if o.target != "" {
		r.work = r.load
		r.target, err = watch.Connect(ctx, o.target, o.watchOptions(e))
	} else {
		r.work = r.wait
		r.program, r.target, err = startProgram(ctx, o, e)
	}
	return r, err
}

// finish stops what was started and prints the verdict. err is what ended the
// run.
func (r *rounds) finish(ctx context.Context, err error) error {
	if r.target != nil {
		r.target.Close()
	}
	if stopErr := r.program.stop(); stopErr != nil {
		r.e.say("verify: " + stopErr.Error())
	}
	switch {
	case err == nil:
		return r.answer()
	case ctx.Err() != nil:
		return errInterrupted
	}
	return fmt.Errorf("verify: %w", err)
}

// run makes the rounds. When ctx ends it keeps what there is.
func (r *rounds) run(ctx context.Context) error {
	for _, note := range r.target.Notes() {
		r.remark(note)
	}
	if r.o.save != "" {
		if err := watch.SaveTo(r.o.save, r.target); err != nil {
			return fmt.Errorf("-save: %w", err)
		}
	}
	defer r.erase()
	what := strings.Join(r.o.command, " ")
	if r.program != nil {
		what = verdict.Duration(time.Duration(r.o.every)) + " of " + r.target.Name()
	}
	r.e.say(fmt.Sprintf("%d rounds of %s, %d of them to warm up; ctrl-C ends with the verdict so far.", r.o.warmup+r.o.rounds, what, r.o.warmup))
	for n := -r.o.warmup; n <= r.o.rounds; n++ {
		// The look after the warm-up, and after each round that counts.
		if n >= 0 {
			err := r.look(ctx, n)
			if r.ended(ctx) {
				return nil
			}
			if err != nil {
				return r.program.explain(err)
			}
		}
		if n == r.o.rounds {
			break
		}
		err := r.work(ctx)
		if r.ended(ctx) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ended tells that the user ended the run.
func (r *rounds) ended(ctx context.Context) bool {
	r.interrupted = r.interrupted || ctx.Err() != nil
	return r.interrupted
}

// load runs the load command once.
func (r *rounds) load(ctx context.Context) error { return runCommand(ctx, r.o.command) }

// wait lets the program work for a round. It fails when the program ends.
func (r *rounds) wait(ctx context.Context) error {
	timer := time.NewTimer(time.Duration(r.o.every))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.program.done:
		return r.program.explain(errors.New("it must run on until it is stopped, or the rounds must be shorter (-every)"))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// look takes the look after round n.
func (r *rounds) look(ctx context.Context, n int) error {
	seen, err := r.target.Look(ctx, watch.Ask{GC: r.o.gc != "never", Leaked: n == r.o.rounds})
	if err != nil {
		return err
	}
	r.warnings = append(r.warnings, seen.Warnings...)
	l := seen.Look
	l.At = time.Unix(int64(n), 0) // a second stands for a round
	if l.Heap != nil {
		l.Heap = ofProgram(l.Heap)
	}
	r.warnings = append(r.warnings, r.history.Add(l)...)
	r.looks++
	if r.moving() {
		line := fmt.Sprintf("round %d of %d", n, r.o.rounds)
		if l.Gauges.Has(leak.GoroutineCount) {
			line += fmt.Sprintf("   %.0f goroutines", l.Gauges[leak.GoroutineCount])
		}
		if l.Gauges.Has(leak.Resident) {
			line += "   resident " + verdict.Amount(leak.ResidentMemory, l.Gauges[leak.Resident])
		}
		fmt.Fprint(r.e.stderr, "\r\x1b[K"+textart.CutText(line, max(r.e.width()-1, 40), textart.TextOptions{ASCII: r.o.ascii}))
	}
	return nil
}

// ofProgram leaves out of a heap profile what the runtime allocated for
// itself, such as threads: it depends on chance and not on rounds.
func ofProgram(p *profile.Profile) *profile.Profile {
	theirs := make([]bool, p.Stacks.Len())
	for id := range theirs {
		for _, loc := range p.Stacks.Of(profile.StackID(id)) {
			for _, line := range p.Locations.LinesOf(loc) {
				if origin.Of(p.FunctionName(line.Function), "") != origin.Runtime {
					theirs[id] = true
				}
			}
		}
	}
	return p.KeepSamples(func(i int) bool { return theirs[p.Samples.Stack[i]] })
}

// moving tells whether a line that rewrites itself can be drawn.
func (r *rounds) moving() bool { return r.e.stderrTTY && !r.o.plain && r.e.getenv("TERM") != "dumb" }

func (r *rounds) erase() {
	if r.moving() {
		fmt.Fprint(r.e.stderr, "\r\x1b[K")
	}
}

// remark says what is no reason to end.
func (r *rounds) remark(err error) {
	if err != nil {
		r.e.say(r.target.Name() + ": " + err.Error())
	}
}

// answer prints the verdict.
func (r *rounds) answer() error {
	if r.interrupted {
		r.erase()
		if r.looks < 2 {
			return errInterrupted
		}
		r.e.say("interrupted; this is the verdict so far")
	}
	v := leak.Judge(r.history, leak.Options{})
	v.Warnings = append(r.warnings, v.Warnings...)
	v.Forecast, v.Ledger = nil, nil // rounds have no dates, and need no sum of memory
	vo := r.o.verdictOptions(r.e, v.To)
	vo.Rounds = true
	next := lookFurther{e: r.e}
	if r.program == nil {
		next.targets = []*watch.Target{r.target}
	}
	vo.Next = func(f *leak.Finding) []string {
		if f.Class == leak.Growing {
			return append([]string{fmt.Sprintf("%s verify -rounds=%d ...", r.e.program(), 2*r.o.rounds)}, next.commands(f)...)
		}
		return next.commands(f)
	}
	write := verdict.Write
	if r.o.json {
		write = verdict.WriteJSON
	}
	if err := write(r.e.stdout, v, vo); err != nil {
		return err
	}
	if err := r.o.exit(v); err != nil {
		return err
	}
	return r.proves(v)
}

// proves fails when a verdict without a leak proves nothing: for CI, nothing
// seen must not look like nothing found.
func (r *rounds) proves(v *leak.Verdict) error {
	heap := slices.IndexFunc(v.Totals, func(f leak.Finding) bool { return f.Resource == leak.Heap && f.Class != leak.Unknown })
	switch {
	case r.interrupted:
		return nil
	case v.Restarts > 0:
		return errors.New("verify: nothing is proved: the program began anew between rounds; find out why, or give it a load it survives")
	case heap < 0:
		return errors.New("verify: nothing is proved: its heap could not be judged; see the notes above, and serve a heap profile that is sampled")
	}
	return nil
}
