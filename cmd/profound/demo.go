package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/demo"
	"github.com/profoundhq/profound/internal/verdict"
)

const demoHelp = `usage: profound demo [-leak=KIND] [-for=20s] [-plain] [-save=DIR] [-web]

Starts a service that leaks, as a process of its own, watches it for a while
and says what grows, how surely, on which path and line.

  -leak KIND   %s (default append)
               none is a decoy: memory rises and settles, nothing leaks
  -for TIME    how long to watch (default 20s)
  -every TIME  pace of the profiles (default 1s)
  -save DIR    keep the profiles here (default: a new temporary folder)
  -web         then open the page on what was kept
  -http ADDR   the same, listening there: localhost:8080
  -plain       lines instead of the live view, no colours, as on a pipe
  -ascii       draw with ASCII characters only
`

// demoChild is the hidden command that is the service.
const demoChild = "demo-service"

// demoOptions are the flags of demo.
type demoOptions struct {
	leak         string
	during       time.Duration
	every        time.Duration
	save         string
	plain, ascii bool
	web          bool
	http         string // where the page listens, "" for a free port
}

func parseDemo(args []string, e *env) (demoOptions, error) {
	var o demoOptions
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.leak, "leak", demo.LeakAppend, "")
	fs.DurationVar(&o.during, "for", 20*time.Second, "")
	fs.DurationVar(&o.every, "every", time.Second, "")
	fs.StringVar(&o.save, "save", "", "")
	fs.BoolVar(&o.plain, "plain", false, "")
	fs.BoolVar(&o.ascii, "ascii", false, "")
	fs.BoolVar(&o.web, "web", false, "")
	fs.StringVar(&o.http, "http", "", "")
	rest, err := parseArgs(fs, args)
	help := fmt.Sprintf(demoHelp, strings.Join(demo.Leaks(), ", "))
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.stdout, help)
		return o, codeError{code: exitOK}
	case err != nil:
		return o, usagef("demo: %w\n\n%s", err, help)
	case len(rest) > 0:
		return o, usagef("demo: unexpected %q\n\n%s", rest[0], help)
	case !slices.Contains(demo.Leaks(), o.leak):
		return o, usagef("demo: -leak=%s: choose one of %s", o.leak, strings.Join(demo.Leaks(), ", "))
	case o.every < 100*time.Millisecond || o.during < 4*o.every:
		return o, usagef("demo: -for must be at least four times -every, and -every at least 100ms")
	}
	return o, nil
}

// runDemo is the main job on a service of our own.
func runDemo(ctx context.Context, args []string, e *env) error {
	o, err := parseDemo(args, e)
	if err != nil {
		return err
	}
	dir, err := demoDir(o.save)
	if err != nil {
		return err
	}
	if o.save == "" {
		defer os.Remove(dir) // only goes if nothing was kept: interrupted, failed
	}
	exe, done := demoProgram(ctx, e)
	defer done()
	p, err := demo.Start(ctx, exe, demo.StartOptions{Args: []string{demoChild}, Service: demo.ServiceOptions{Leak: o.leak}})
	if err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("demo: %w", err)
	}
	defer p.Stop()
	fmt.Fprintf(e.stdout, "A metrics fetcher runs as process %d (-leak=%s): %s/debug/pprof/heap\n", p.PID, o.leak, p.URL)
	if err := watchDemo(ctx, p, dir, o, e); err != nil || !o.web && o.http == "" {
		return err
	}
	args = []string{dir}
	if o.http != "" {
		args = []string{"-http", o.http, dir}
	}
	return runWeb(ctx, args, e)
}

// watchDemo does to the service what "profound leak" does to any other, and
// shows how to look further at what was kept.
func watchDemo(ctx context.Context, p *demo.Process, dir string, o demoOptions, e *env) error {
	lo := &leakOptions{during: duration(o.during), every: duration(o.every)}
	lo.plain, lo.ascii, lo.gc, lo.save = o.plain, o.ascii, "always", dir
	w, err := startWatch(ctx, []string{p.URL}, lo, e)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer w.close()
	v, err := w.run(ctx)
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := p.Stop(); err != nil {
		e.say("demo: stop service: " + err.Error())
	}
	vo := lo.verdictOptions(e, v.To)
	vo.Held = lookFurther{reasons: w.reasons}.held
	if err := verdict.Write(e.stdout, v, vo); err != nil {
		return err
	}
	d := demoPage{e: e, o: o, v: v, dir: dir, width: max(min(vo.Width, 110), 40)}
	if vo.Width == 0 {
		d.width = 80
	}
	_, err = io.WriteString(e.stdout, d.text())
	return err
}

func demoDir(save string) (string, error) {
	if save == "" {
		return os.MkdirTemp("", "profound-demo-")
	}
	if err := os.MkdirAll(save, 0o755); err != nil {
		return "", fmt.Errorf("demo: -save: %w", err)
	}
	return save, nil
}
