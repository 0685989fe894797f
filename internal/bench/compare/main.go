// Compare measures profound against go tool pprof: the same inputs, the same
// flags, both as whole processes on the same machine in the same run. It is
// what `make bench` runs.
//
//	go run ./internal/bench/compare [-quick] [-cases REGEXP] [-pairs N] [-o docs/benchmarks.md]
//
// Each case runs the two programs in turn and takes medians of CPU time (user +
// system), wall time and peak memory; where the outputs must be the same bytes
// it checks that they are. A ratio is never taken against a figure of another
// day: there is no stored baseline. Inputs are generated once and kept in
// bench-out, which may be deleted at any time.
//
// The case "page" is the page of both in a browser: web/test/bench.mjs.
//
// The exit code is 1 when a bar is missed or outputs differ, 2 when the
// measuring itself did not work.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	quick    bool
	pairs    int // 0: what each case says
	cases    *regexp.Regexp
	profound string // a binary; "" builds one
	dir      string
	out      string // "" prints only
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.quick, "quick", false, "small inputs (30k and 100k samples): about a minute, no bars for these")
	flags.IntVar(&s.pairs, "pairs", 0, "measured pairs of runs a case; 0: 1 for the large cases, 15 for the small ones")
	pattern := flags.String("cases", "", "only cases whose name matches this `regexp`; the page in a browser is called page")
	flags.StringVar(&s.profound, "profound", "", "measure this `binary` instead of building one")
	flags.StringVar(&s.dir, "dir", "bench-out", "`folder` for inputs, binaries and outputs; kept between runs")
	flags.StringVar(&s.out, "o", "", "also write the table to this `file`, as markdown")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if s.cases, err = regexp.Compile(*pattern); err != nil {
		return s, fmt.Errorf("-cases: %w", err)
	}
	return s, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "compare:", err)
		return 2
	}
	ok, err := compare(ctx, s, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "compare:", err)
		return 2
	}
	if !ok {
		return 1
	}
	return 0
}

// compare measures every case asked for and reports whether all passed.
func compare(ctx context.Context, s settings, stdout, stderr io.Writer) (bool, error) {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return false, err
	}
	host := describe(ctx)
	cases, notes := plan(s.quick, host.available)
	cases = selectCases(cases, s)
	withPage := s.cases.MatchString(pageCase)
	if len(cases) == 0 && !withPage {
		return false, fmt.Errorf("no case matches %q", s.cases)
	}
	for _, n := range notes {
		fmt.Fprintln(stderr, "note:", n)
	}
	b := &bench{dir: dir, progress: stderr}
	if err := b.build(ctx, s.profound); err != nil {
		return false, err
	}
	result := table{Host: host, Notes: notes, Started: time.Now()}
	result.Unresolved, err = b.smallestPeak(ctx)
	if err != nil {
		return false, err
	}
	ok := true
	for _, c := range cases {
		row, err := b.measure(ctx, c)
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.name, err)
		}
		ok = ok && row.verdict().ok()
		result.Rows = append(result.Rows, row)
	}
	var md strings.Builder
	if len(result.Rows) > 0 {
		if err := result.text(stdout); err != nil {
			return false, err
		}
		result.markdown(&md)
	}
	page, pageOK, err := b.page(ctx, withPage, s.quick, host, stdout)
	if err != nil {
		return false, err
	}
	if s.out == "" {
		return ok && pageOK, nil
	}
	return ok && pageOK, writeParts(s.out, md.String(), page)
}

// page measures the page if it is asked for, prints it, and gives its part of
// the document.
func (b *bench) page(ctx context.Context, asked, quick bool, h host, stdout io.Writer) (part string, ok bool, err error) {
	if !asked {
		return "", true, nil
	}
	started := time.Now()
	rows, note, err := b.measurePage(ctx, quick)
	if err != nil {
		return "", false, err
	}
	if note != "" {
		fmt.Fprintln(stdout, note)
		return "", true, nil
	}
	ok = true
	for _, r := range rows {
		fmt.Fprintln(stdout, strings.Join(r.cells(), "  "))
		ok = ok && r.verdict().ok()
	}
	return pageMarkdown(h, started, rows), ok, nil
}

func selectCases(cases []benchCase, s settings) []benchCase {
	var picked []benchCase
	for _, c := range cases {
		if !s.cases.MatchString(c.name) {
			continue
		}
		if s.pairs > 0 {
			c.pairs, c.oursOnly = s.pairs, 0
		}
		picked = append(picked, c)
	}
	return picked
}
