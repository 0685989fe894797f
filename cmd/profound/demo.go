package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/demo"
	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/unit"
)

const demoHelp = `usage: profound demo [-leak=KIND] [-for=20s] [-plain] [-save=DIR]

Starts a service that leaks, as a process of its own, watches its heap for a
while and shows what grew: the path, the function, the line.

  -leak KIND   %s (default append)
               none is a decoy: memory rises and settles, nothing leaks
  -for TIME    how long to watch (default 20s)
  -every TIME  pace of the profiles (default 1s)
  -save DIR    keep the profiles here (default: a new temporary folder)
  -plain       no moving line and no colours, as on a pipe
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

// warmUp is the part of the run in which any service grows.
func (o demoOptions) warmUp() time.Duration { return o.during * 3 / 10 }

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
	p, err := demo.Start(ctx, e.exe, demo.StartOptions{Args: []string{demoChild}, Service: demo.ServiceOptions{Leak: o.leak}})
	if err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("demo: %w", err)
	}
	defer p.Stop()
	fmt.Fprintf(e.stdout, "A metrics fetcher runs as process %d (-leak=%s): %s/debug/pprof/heap\n", p.PID, o.leak, p.URL)
	fmt.Fprintf(e.stdout, "Taking a heap profile every %v for %v.\n", o.every, o.during)
	shots, err := demo.Collect(ctx, p.URL, o.every, o.during, demoProgress(e, o))
	endProgress(e, o)
	if stopErr := p.Stop(); stopErr != nil {
		e.say("demo: stop service: " + stopErr.Error())
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return showDemo(shots, dir, o, e)
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

// moving tells whether a line that rewrites itself can be drawn.
func (o demoOptions) moving(e *env) bool { return e.stderrTTY && e.stdoutTTY && !o.plain }

func demoProgress(e *env, o demoOptions) func(demo.Snapshot) {
	n, start := 0, e.now()
	return func(s demo.Snapshot) {
		n++
		took := s.At.Sub(start).Round(time.Second)
		live := unit.Label(int64(s.Stats.HeapLive), "bytes")
		if o.moving(e) {
			line := fmt.Sprintf("%v of %v   %d profiles   live heap %s   %d goroutines", took, o.during, n, live, s.Stats.Goroutines)
			if w := e.width(); w > 1 {
				line = render.CutText(line, w-1, render.TextOptions{ASCII: o.ascii})
			}
			fmt.Fprint(e.stderr, "\r\x1b[K"+line)
			return
		}
		if n%5 == 1 {
			fmt.Fprintf(e.stdout, "  %3v   live heap %-9s %d goroutines\n", took, live, s.Stats.Goroutines)
		}
	}
}

func endProgress(e *env, o demoOptions) {
	if o.moving(e) {
		fmt.Fprint(e.stderr, "\r\x1b[K")
	}
}

// demoRun is the run, decoded and saved.
type demoRun struct {
	heap, goroutines []report.Moment
	first, last      string // heap profiles
	lastGoroutines   string
}

func readDemo(shots []demo.Snapshot, dir string) (*demoRun, error) {
	r := &demoRun{}
	for i, s := range shots {
		for _, part := range []struct {
			kind  string
			bytes []byte
			to    *[]report.Moment
		}{{"heap", s.Heap, &r.heap}, {"goroutine", s.Goroutine, &r.goroutines}} {
			name := filepath.Join(dir, fmt.Sprintf("%s-%03d.pb.gz", part.kind, i))
			if err := os.WriteFile(name, part.bytes, 0o644); err != nil {
				return nil, fmt.Errorf("demo: keep profile: %w", err)
			}
			p, _, err := format.Decode(bytes.NewReader(part.bytes), name, format.Options{})
			if err != nil {
				return nil, err
			}
			*part.to = append(*part.to, report.Moment{At: s.At, Profile: p})
		}
	}
	r.first = filepath.Join(dir, "heap-000.pb.gz")
	r.last = filepath.Join(dir, fmt.Sprintf("heap-%03d.pb.gz", len(shots)-1))
	r.lastGoroutines = filepath.Join(dir, fmt.Sprintf("goroutine-%03d.pb.gz", len(shots)-1))
	return r, nil
}

func showDemo(shots []demo.Snapshot, dir string, o demoOptions, e *env) error {
	run, err := readDemo(shots, dir)
	if err != nil {
		return err
	}
	warmUp := o.warmUp()
	heap, err := report.NewGrowth(run.heap, report.GrowthOptions{SampleIndex: "inuse_space", WarmUp: warmUp, Grain: grainOf(run.heap)})
	if err != nil {
		return err
	}
	goroutines, err := report.NewGrowth(run.goroutines, report.GrowthOptions{SampleIndex: "goroutine", WarmUp: warmUp, Grain: 1})
	if err != nil {
		return err
	}
	d := demoPage{e: e, o: o, run: run, heap: heap, goroutines: goroutines}
	d.width = 80
	if w := e.width(); w > 0 {
		d.width = min(max(w, 40), 110)
	}
	_, err = io.WriteString(e.stdout, d.text())
	return err
}

// grainOf is what one sampled object of a heap profile stands for.
func grainOf(run []report.Moment) float64 {
	if len(run) == 0 {
		return 1
	}
	p := run[0].Profile
	if p.PeriodType == (profile.ValueType{Type: "space", Unit: "bytes"}) {
		return float64(p.Period)
	}
	return 512 << 10
}
