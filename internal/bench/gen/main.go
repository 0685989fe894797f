// Gen writes one synthetic CPU profile for benchmarks; see package synth for
// what is in it. The same flags give the same profile, byte for byte before
// compression.
//
//	go run ./internal/bench/gen -samples 1000000 -labels=false -o big.pb.gz
//
// With -truth it also writes the exact flat and cum of every function, counted
// while writing: the answer any program must find in the profile.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/profoundhq/profound/internal/bench/synth"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "gen:", err)
		}
		os.Exit(2)
	}
}

func run(args []string, stderr io.Writer) error {
	var opt synth.Options
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&opt.Samples, "samples", 1_000_000, "number of samples")
	flags.IntVar(&opt.Functions, "functions", 50_000, "number of functions")
	flags.IntVar(&opt.Locations, "locations", 200_000, "number of locations, at least one a function")
	flags.IntVar(&opt.Depth, "depth", 40, "mean number of frames in a stack")
	flags.BoolVar(&opt.Labels, "labels", true, "label samples with endpoint, tenant and, 5% of them, trace_id")
	flags.Uint64Var(&opt.Seed, "seed", 1, "seed of every random choice")
	out := flags.String("o", "", "`file` to write, gzipped profile.proto (required)")
	truth := flags.String("truth", "", "`file` for flat, cum (ns) and name of each function, tab separated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() > 0 {
		flags.Usage()
		return flag.ErrHelp
	}
	var t *synth.Truth
	err := writeFile(*out, func(w io.Writer) (err error) {
		t, err = synth.Write(w, opt)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s: %d samples, %d frames, %d bytes before gzip\n", *out, t.Samples, t.Frames, t.Raw)
	if *truth == "" {
		return nil
	}
	return writeFile(*truth, func(w io.Writer) error { return writeTruth(w, t) })
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return cmp.Or(write(f), f.Close())
}

func writeTruth(w io.Writer, t *synth.Truth) error {
	buf := bufio.NewWriter(w)
	for i, name := range t.Names {
		fmt.Fprintf(buf, "%d\t%d\t%s\n", t.Flat[i], t.Cum[i], name)
	}
	return buf.Flush()
}
