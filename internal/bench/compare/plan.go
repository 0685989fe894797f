package main

import (
	"fmt"

	"github.com/profoundhq/profound/internal/bench/synth"
)

// benchCase is one row of the table: a command line, its input, how often to
// run it and what is expected.
type benchCase struct {
	name  string
	args  []string // before -output and the inputs; -help has neither
	input input
	pairs int // measured runs of both programs, in turn
	// oursOnly is how many further runs of profound follow the pairs, where a
	// run of pprof is too long to repeat.
	oursOnly int
	check    check
	bar      bar
	// bounded stops pprof where it would take all time and memory of the
	// machine; its figures are then lower bounds.
	bounded bool
}

// input names what a case reads; the zero value is nothing.
type input struct {
	samples int  // synthetic profile of that many samples
	labels  bool // with labels
	merge   int  // so many CPU profiles of the Go compiler
	pgo     bool // cmd/compile/default.pgo of the Go distribution
}

func (in input) synth() synth.Options {
	return synth.Options{Samples: in.samples, Functions: 50_000, Locations: 200_000, Depth: 40, Labels: in.labels, Seed: 1}
}

// check says how outputs of the two programs must agree.
type check int

const (
	checkNone     check = iota // nothing to compare
	checkBytes                 // same bytes
	checkUnzipped              // same bytes after gunzip: compressors may differ
)

// bar is how many times less than pprof a case must take; 0 asks for nothing.
type bar struct{ cpu, wall, peak float64 }

const (
	million = 1_000_000
	gib     = 1 << 30

	smallPairs = 15
)

// pprofNeeds is the memory pprof takes for -top of a labelled profile: 14 KiB
// a sample, because each node keeps a tag map for every distinct label set,
// plus a reserve for the rest of the machine.
func pprofNeeds(samples int) int64 { return int64(samples)*14<<10 + 2*gib }

// labelledSize is the largest size of the labelled cases that fits into
// available bytes of memory; 0 is unknown and counts as little.
func labelledSize(available int64) int {
	for _, n := range []int{million, 300_000} {
		if available >= pprofNeeds(n) {
			return n
		}
	}
	return 100_000
}

// plan is all cases for a machine with that much available memory, and what a
// reader must know about the choice.
func plan(quick bool, available int64) (cases []benchCase, notes []string) {
	if quick {
		cases = quickCases()
		notes = append(notes, "quick run: small inputs, for which there are no bars")
	} else {
		labelled := labelledSize(available)
		if labelled < million {
			notes = append(notes, fmt.Sprintf("labelled cases use %s samples instead of 1M: pprof needs %.0f GiB for 1M, this machine has %.1f GiB available",
				sizeName(labelled), float64(pprofNeeds(million))/gib, float64(available)/gib))
		}
		cases = largeCases(labelled)
	}
	return append(cases, smallCases()...), notes
}

func synthetic(report string, samples int, labels bool) benchCase {
	kind := "unlabelled"
	if labels {
		kind = "labelled"
	}
	return benchCase{
		name:  fmt.Sprintf("%s-%s-%s", report, kind, sizeName(samples)),
		args:  []string{"-" + report},
		input: input{samples: samples, labels: labels},
		pairs: 1,
		check: checkBytes,
	}
}

func largeCases(labelled int) []benchCase {
	cases := []benchCase{
		synthetic("top", labelled, true),
		synthetic("dot", labelled, true),
		synthetic("top", million, false),
		synthetic("dot", million, false),
	}
	for i := range cases {
		c := &cases[i]
		c.oursOnly = 2
		if c.input.labels {
			c.bar = bar{cpu: 100, peak: 25}
			c.bounded = c.args[0] == "-dot"
		} else {
			c.bar = bar{cpu: 30}
		}
	}
	return cases
}

func quickCases() []benchCase {
	return []benchCase{
		synthetic("top", 30_000, true),
		synthetic("top", 100_000, true),
		synthetic("dot", 30_000, true),
		synthetic("top", 30_000, false),
		synthetic("top", 100_000, false),
		synthetic("dot", 30_000, false),
	}
}

func smallCases() []benchCase {
	return []benchCase{
		{
			name: "proto-merge-100", args: []string{"-proto"}, input: input{merge: 100},
			pairs: smallPairs, check: checkUnzipped, bar: bar{cpu: 5},
		},
		{
			name: "top-default.pgo", args: []string{"-top"}, input: input{pgo: true},
			pairs: smallPairs, check: checkBytes, bar: bar{wall: 2},
		},
		{name: "help", args: []string{"-help"}, pairs: smallPairs},
	}
}

func sizeName(samples int) string {
	if samples%million == 0 {
		return fmt.Sprintf("%dM", samples/million)
	}
	return fmt.Sprintf("%dk", samples/1000)
}
