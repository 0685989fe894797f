// Check runs every check of the repository, one after the other, and is what
// `make test` calls:
//
//	go run ./internal/tools/check [-only REGEXP] [-skip REGEXP] [-fuzztime 30s] [-list]
//
// Each step is a line with its time; the output of a step is shown when it
// fails. The last line says how many steps passed. It needs Go and git; steps
// that need more say so, and are left out where that is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errSkip is wrapped by a step that cannot run here; the text says why.
var errSkip = errors.New("not run")

// step is one check. Its note is printed behind its name when it passes.
type step struct {
	name string
	// limit ends a step that hangs.
	limit time.Duration
	run   func(ctx context.Context, c *checker) (note string, err error)
}

// checker holds what steps share.
type checker struct {
	// fuzzTime is how long each fuzz target runs; 0 picks one.
	fuzzTime time.Duration
	// out gets messages while a step runs.
	out io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "run only steps whose name matches this `regexp`")
	skip := flags.String("skip", "^$", "leave out steps whose name matches this `regexp`")
	list := flags.Bool("list", false, "print the names of the steps")
	fuzzTime := flags.Duration("fuzztime", 0, "run each fuzz target so long; 0: 30s, less when there are many")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	onlyRx, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(stderr, "check: -only:", err)
		return 2
	}
	skipRx, err := regexp.Compile(*skip)
	if err != nil {
		fmt.Fprintln(stderr, "check: -skip:", err)
		return 2
	}
	var chosen []step
	for _, s := range steps() {
		if onlyRx.MatchString(s.name) && !skipRx.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	if *list {
		for _, s := range chosen {
			fmt.Fprintln(stdout, s.name)
		}
		return 0
	}
	return runSteps(ctx, chosen, &checker{fuzzTime: *fuzzTime, out: stdout}, stdout)
}

// runSteps runs all steps, also after one failed, and prints the closing line.
func runSteps(ctx context.Context, list []step, c *checker, w io.Writer) int {
	passed, failed := 0, 0
	for _, s := range list {
		if ctx.Err() != nil {
			fmt.Fprintln(w, "interrupted")
			failed++
			break
		}
		start := time.Now()
		stepCtx, cancel := context.WithTimeout(ctx, s.limit)
		note, err := s.run(stepCtx, c)
		if stepCtx.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("stopped after its limit of %s\n%w", s.limit, err)
		}
		cancel()
		took := time.Since(start).Seconds()
		if note != "" {
			note = ": " + note
		}
		switch {
		case err == nil:
			passed++
			fmt.Fprintf(w, "ok    %6.1f s  %s%s\n", took, s.name, note)
		case errors.Is(err, errSkip):
			fmt.Fprintf(w, "skip            %s: %v\n", s.name, err)
		default:
			failed++
			fmt.Fprintf(w, "FAIL  %6.1f s  %s%s\n%v\n", took, s.name, note, err)
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return 1
	}
	return 0
}
