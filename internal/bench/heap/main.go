// Heap measures "profound why": what it does to the process it reads, how fast
// it is and how much memory it takes, and how much of real heaps it knows. It is
// part of what `make bench` runs.
//
//	go run ./internal/bench/heap [-speed] [-servers] [-suite] [flags] [-o docs/benchmarks.md] [-accuracy docs/accuracy-of-why.md]
//
// Speed: services of several sizes that notice when they stand still are read
// by profound, and in the same run by others that can: goref and gcore, as far
// as they are to be had. Servers: programs nobody here has written are built
// through the module proxy, put under a little load, collected and read. Suite:
// the leaky service of internal/goheap, for each toolchain at hand. Without
// -speed, -servers and -suite it does all three.
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
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	speed, servers, suite bool

	objects  []int // of the services
	runs     int   // of profound for each
	rivals   bool
	profound string // a binary; "" builds one
	dir      string
	out      string // "" prints only
	accuracy string
	command  string // for the pages
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("heap", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.speed, "speed", false, "measure pause, speed and memory")
	flags.BoolVar(&s.servers, "servers", false, "read real servers; builds them at first")
	flags.BoolVar(&s.suite, "suite", false, "read the leaky service of each Go toolchain at hand")
	objects := flags.String("objects", "1000000,12000000,30000000", "live objects of the services, with commas between")
	quick := flags.Bool("quick", false, "one service of 300,000 objects, and no servers, for a try")
	flags.IntVar(&s.runs, "runs", 3, "measured runs of profound for each service; figures are medians")
	flags.BoolVar(&s.rivals, "rivals", true, "measure goref and gcore too, as far as they are to be had")
	flags.StringVar(&s.profound, "profound", "", "measure this `binary` instead of building one")
	flags.StringVar(&s.dir, "dir", "bench-out/heap", "`folder` for binaries and what they write; kept between runs")
	flags.StringVar(&s.out, "o", "", "also write the section of speed into this `file`")
	flags.StringVar(&s.accuracy, "accuracy", "", "also write the page of servers and suite to this `file`")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *quick {
		*objects = "300000"
	}
	for _, text := range strings.Split(*objects, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1000 {
			return s, fmt.Errorf("-objects: %q is no number of 1000 or more", text)
		}
		s.objects = append(s.objects, n)
	}
	if s.runs < 1 {
		return s, errors.New("-runs must be 1 or more")
	}
	if !s.speed && !s.servers && !s.suite {
		s.speed, s.servers, s.suite = true, !*quick, true
	}
	var err error
	s.dir, err = filepath.Abs(s.dir)
	s.command = commandLine(args)
	return s, err
}

// commandLine is the command for the pages, without what is only of this
// machine.
func commandLine(args []string) string {
	words := []string{"go run ./internal/bench/heap"}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch name {
		case "dir", "o", "accuracy", "profound":
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
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "heap:", err)
		return 2
	}
	ok, err := (&bench{settings: s, progress: stderr}).run(ctx, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "heap:", err)
		return 2
	}
	if !ok {
		return 1
	}
	return 0
}

// bench is one run of this program.
type bench struct {
	settings
	progress io.Writer

	service string // binary
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, format+"\n", args...)
}

// run measures what is asked for and reports whether no bar was missed.
func (b *bench) run(ctx context.Context, stdout io.Writer) (bool, error) {
	if err := b.build(ctx); err != nil {
		return false, err
	}
	head := about(ctx, b.command, time.Now())
	ok := true
	if b.speed {
		r, err := b.measureSpeed(ctx)
		if err != nil {
			return false, err
		}
		ok = r.ok()
		text := r.section(head)
		fmt.Fprintln(stdout, text)
		if b.out != "" {
			if err := replaceSection(b.out, text); err != nil {
				return false, err
			}
		}
	}
	if !b.servers && !b.suite {
		return ok, nil
	}
	var a accuracy
	var err error
	if b.suite {
		if a.suite, err = b.readSuite(ctx); err != nil {
			return false, err
		}
	}
	if b.servers {
		if a.servers, err = b.readServers(ctx); err != nil {
			return false, err
		}
	}
	text := a.page(head)
	fmt.Fprintln(stdout, text)
	if b.accuracy != "" {
		if err := os.WriteFile(b.accuracy, []byte(text), 0o644); err != nil {
			return false, err
		}
	}
	return ok && a.ok(), nil
}

// build makes the binaries; profound may be given.
func (b *bench) build(ctx context.Context) error {
	bin := filepath.Join(b.dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	const module = "github.com/profoundhq/profound/"
	b.service = filepath.Join(bin, "service")
	builds := [][2]string{{b.service, "internal/bench/heap/service"}}
	if b.profound == "" {
		b.profound = filepath.Join(bin, "profound")
		builds = append(builds, [2]string{b.profound, "cmd/profound"})
	}
	for _, to := range builds {
		if _, err := output(ctx, nil, "go", "build", "-o", to[0], module+to[1]); err != nil {
			return err
		}
	}
	return nil
}

// output runs a command in this environment, with more variables, and gives
// what it prints.
func output(ctx context.Context, more []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), more...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
