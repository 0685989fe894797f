package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

const whyHelp = `usage: profound why [flags] PID | CORE | SNAPSHOT

Tells why memory of a Go program is still alive: which references hold it, from
which variable or goroutine, where it was allocated, and what would go free
without them. Reads a process of this machine (Linux), a core file or a file of
profound snapshot. A process is forked for it: it stands still for
milliseconds, and then runs on.

  -at REGEXP      what was allocated by matching functions or lines: who holds it
  -n N            how many answers (default 5)
  -json           print the answers for programs
  -exe FILE       the program a core or snapshot is of, if it is not where it was
`

// whyOptions are the flags of why.
type whyOptions struct {
	at   string
	n    int
	json bool
	exe  string
	spec string
}

func parseWhy(args []string, e *env) (*whyOptions, error) {
	o := &whyOptions{}
	fs := flag.NewFlagSet("why", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.at, "at", "", "")
	fs.IntVar(&o.n, "n", 5, "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.StringVar(&o.exe, "exe", "", "")
	rest, err := parseArgs(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.stdout, whyHelp)
		return nil, codeError{code: exitOK}
	case err != nil:
		return nil, usagef("why: %w\n\n%s", err, whyHelp)
	case len(rest) != 1:
		return nil, usagef("why: name one process, core file or snapshot\n\n%s", whyHelp)
	case o.n < 1:
		return nil, usagef("why: -n=%d: at least 1", o.n)
	}
	o.spec = rest[0]
	return o, nil
}

// runWhy is "profound why".
func runWhy(ctx context.Context, args []string, e *env) error {
	o, err := parseWhy(args, e)
	if err != nil {
		return err
	}
	var rx *regexp.Regexp
	if o.at != "" {
		if rx, err = regexp.Compile(o.at); err != nil {
			return usagef("why: -at: %w", err)
		}
	}
	a, err := analyse(ctx, o.spec, o.exe, e)
	if err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("why: %w", err)
	}
	list, err := ask(a, rx, o.n)
	if err != nil {
		return fmt.Errorf("why: %w", err)
	}
	if o.json {
		return reason.WriteJSON(e.stdout, a, list)
	}
	fmt.Fprintln(e.stdout, reason.Summary(a)+"\n")
	return reason.Write(e.stdout, list, reasonOptions(e))
}

// holderShare is the smallest part of the heap worth an answer of its own.
const holderShare = 0.01

// ask asks for the holders of everything, or of what matching sites allocated.
func ask(a *why.Analysis, rx *regexp.Regexp, n int) ([]why.Holding, error) {
	if rx == nil {
		return a.Holders(n, holderShare), nil
	}
	if a.Heap.ProfileRate == 0 {
		return nil, errors.New("-at: this program records no allocations: it does not link runtime/pprof or net/http/pprof, or has set runtime.MemProfileRate to 0; leave -at out")
	}
	list := a.Sites(n, func(stack []goheap.Frame) bool {
		return slices.ContainsFunc(stack, func(f goheap.Frame) bool {
			return rx.MatchString(f.Func) || rx.MatchString(fmt.Sprintf("%s:%d", f.File, f.Line))
		})
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("-at %s: nothing that was sampled there is alive (%d sampled objects are, of %d places); sampled is about one allocation in %s",
			rx, len(a.Heap.Samples), len(a.Heap.Buckets), reason.Size(float64(a.Heap.ProfileRate)))
	}
	return list, nil
}

func reasonOptions(e *env) reason.Options {
	o := reason.Options{}
	if w := e.width(); w > 0 && e.stdoutTTY {
		o.Width = min(max(w, 40), 140)
	}
	if e.colour() {
		o.Bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
	}
	return o
}
