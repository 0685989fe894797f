// Accuracy measures how good the verdict of "profound leak" is, and writes
// docs/accuracy.md.
//
//	go run ./internal/bench/accuracy [-live] [-replay] [-sim] [-speed] [flags] [-o docs/accuracy.md]
//
// Live, each service of a zoo runs beside an exact twin, the same service with
// a MemProfileRate of 1; the program itself is run on the first, and what it
// says is held against the manifest of the zoo and the twin's exact figures:
//
//	service (default rate) ◄── profound leak -json -for 60s ──► answer ─┐
//	twin    (rate 1)       ◄── heap?gc=1, goroutine, /proc ──► truth ───┴► judged
//
// Recorded runs and generated series need no waiting. Without -live,
// -replay, -sim and -speed it does all four.
//
// The exit code is 1 when a bar is missed, 2 when the measuring itself did not
// work.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	live, recorded, sim, speed bool
	validate, again            bool

	zoo       string // another zoo; "" none
	recordeds string // folder of recorded runs; "" none
	series    string // folder of real series; "" none
	during    time.Duration
	parallel  int
	seeds     int
	only      *regexp.Regexp
	profound  string // a binary; "" builds one
	dir       string
	out       string // "" prints only
	command   string // the command line, for the page
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.live, "live", false, "run the services of the zoos")
	flags.BoolVar(&s.recorded, "replay", false, "judge recorded runs")
	flags.BoolVar(&s.sim, "sim", false, "judge generated series and real memory series")
	flags.BoolVar(&s.speed, "speed", false, "measure how long judging takes")
	flags.BoolVar(&s.validate, "validate", false, "only run the services, exactly, and print what they hold at a third, two thirds and the end of -for")
	flags.BoolVar(&s.again, "again", false, "judge the runs that -live kept in -dir once more instead of running services")
	flags.StringVar(&s.zoo, "zoo", "../shared/zoo", "`folder` of another zoo with a manifest.json and commands below cmd; left out if it is not there")
	flags.StringVar(&s.recordeds, "recorded", "../shared/recorded", "`folder` of recorded runs, one folder each, with the expectations of -zoo")
	flags.StringVar(&s.series, "series", "../shared/series/alibaba5m", "`folder` of memory series of real machines, CSV")
	flags.DurationVar(&s.during, "for", time.Minute, "how long a service is watched")
	flags.IntVar(&s.parallel, "parallel", 4, "services at a time; each is two processes")
	flags.IntVar(&s.seeds, "seeds", 24, "generated runs of each scenario")
	pattern := flags.String("only", "", "only cases whose name matches this `regexp`")
	flags.StringVar(&s.profound, "profound", "", "judge this `binary` instead of building one")
	flags.StringVar(&s.dir, "dir", "bench-out/accuracy", "`folder` for binaries, runs and answers")
	flags.StringVar(&s.out, "o", "", "also write the page to this `file`")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if s.parallel < 1 || s.during < 10*time.Second {
		return s, errors.New("-parallel must be 1 or more and -for 10s or more")
	}
	if !s.live && !s.recorded && !s.sim && !s.speed {
		s.live, s.recorded, s.sim, s.speed = true, true, true, true
	}
	var err error
	if s.only, err = regexp.Compile(*pattern); err != nil {
		return s, fmt.Errorf("-only: %w", err)
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return s, err
	}
	s.command = commandLine(args)
	return s, nil
}

// commandLine is the command for the page, without where the runs are kept and
// what else is only of this machine.
func commandLine(args []string) string {
	words := []string{"go run ./internal/bench/accuracy"}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch name {
		case "dir", "o", "profound", "zoo", "recorded", "series":
			if !joined {
				i++
			}
		default:
			words = append(words, args[i])
		}
	}
	return strings.Join(words, " ")
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := func() error {
		if len(args) > 0 && args[0] == demoCommand {
			return serveDemo(ctx, args[1:])
		}
		s, err := parse(args, stderr)
		if err != nil {
			return err
		}
		return measure(ctx, s, stdout, stderr)
	}()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errMissed):
		fmt.Fprintln(stderr, "accuracy:", err)
		return 1
	}
	fmt.Fprintln(stderr, "accuracy:", err)
	return 2
}

// errMissed says that a bar was missed.
var errMissed = errors.New("a bar is missed, see the first table")

// measure does what was asked for and prints the page.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	b := &bench{settings: s, progress: stderr}
	if s.validate {
		return b.validate(ctx, stdout)
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	result := &page{Command: s.command, Machine: machine(), During: s.during, Parallel: s.parallel, Again: s.again}
	for _, part := range []struct {
		wanted bool
		run    func(context.Context, *page) error
	}{{s.live, b.live}, {s.recorded, b.replay}, {s.sim, b.simulate}, {s.speed, b.speed}} {
		if !part.wanted {
			continue
		}
		if err := part.run(ctx, result); err != nil {
			return err
		}
	}
	text := result.markdown()
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	if s.out != "" {
		if err := os.WriteFile(s.out, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if result.missed() {
		return errMissed
	}
	return nil
}

// bench is a run of the program.
type bench struct {
	settings
	profound string
	progress io.Writer
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, format+"\n", args...)
}

// build makes the program that is judged.
func (b *bench) build(ctx context.Context) error {
	if b.profound = b.settings.profound; b.profound != "" {
		return nil
	}
	b.profound = filepath.Join(b.dir, "profound")
	return goBuild(ctx, ".", "-o", b.profound, "./cmd/profound")
}

// serveDemo plays the service of the demo, with the flags of a zoo's service.
func serveDemo(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(demoCommand, flag.ContinueOnError)
	leak := flags.String("leak", demo.LeakNone, "")
	addr := flags.String("addr", "127.0.0.1:0", "")
	during := flags.Duration("for", time.Hour, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *during)
	defer cancel()
	return demo.Serve(ctx, demo.ServiceOptions{Leak: *leak, Addr: *addr, Ready: os.Stdout})
}
