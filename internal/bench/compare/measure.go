package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
)

// bench is one run of this program: where things are.
type bench struct {
	dir      string
	progress io.Writer

	profound, pprof, gen, gunzip string // binaries
}

const modulePath = "github.com/profoundhq/profound/"

// build makes the binaries; profound may be given.
func (b *bench) build(ctx context.Context, profound string) (err error) {
	bin := filepath.Join(b.dir, "bin")
	for _, dir := range []string{bin, filepath.Join(b.dir, "out")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	exe := func(name string) string {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		return filepath.Join(bin, name)
	}
	b.gen, b.gunzip, b.profound = exe("gen"), exe("gunzip"), exe("profound")
	builds := [][2]string{{b.gen, "internal/bench/gen"}, {b.gunzip, "internal/bench/gunzip"}}
	if profound == "" {
		builds = append(builds, [2]string{b.profound, "cmd/profound"})
	} else if b.profound, err = filepath.Abs(profound); err != nil {
		return err
	}
	for _, to := range builds {
		if _, err := output(ctx, "go", "build", "-o", to[0], modulePath+to[1]); err != nil {
			return err
		}
	}
	b.pprof, err = output(ctx, "go", "tool", "-n", "pprof")
	return err
}

// environ is the environment both programs run in.
func (b *bench) environ() []string {
	out := filepath.Join(b.dir, "out")
	return append(os.Environ(), "TZ=UTC", "PPROF_TMPDIR="+out, "PPROF_BINARY_PATH="+out)
}

// smallestPeak is the peak that is read for a process that does nothing.
// Between its start and its exec a child shares the memory of this program, and
// Linux counts that into the child's Maxrss. So this program is a floor under
// the peaks it reads; it stays small, and the table says how small.
func (b *bench) smallestPeak(ctx context.Context) (int64, error) {
	u, err := runProcess(ctx, []string{b.gunzip}, b.environ(), limits{})
	return u.peak, err
}

// row is the outcome of a case.
type row struct {
	benchCase
	inputBytes   int64 // on disk
	ours, theirs []usage
	floor        []usage
	same         sameness
}

// floorRuns is how often the floor is measured; it also brings the input into
// the page cache.
const floorRuns = 3

func (b *bench) measure(ctx context.Context, c benchCase) (row, error) {
	r := row{benchCase: c}
	files, err := b.prepare(ctx, c.input)
	if err != nil {
		return r, err
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return r, err
		}
		r.inputBytes += info.Size()
	}
	fmt.Fprintf(b.progress, "%s: %.1f MB in %d files\n", c.name, float64(r.inputBytes)/1e6, len(files))
	for range floorRuns {
		u, err := runProcess(ctx, append([]string{b.gunzip}, files...), b.environ(), limits{})
		if err != nil {
			return r, err
		}
		r.floor = append(r.floor, u)
	}
	ours := &side{bench: b, binary: b.profound, name: "profound", files: files, c: c}
	theirs := &side{bench: b, binary: b.pprof, name: "pprof", files: files, c: c}
	if c.pairs > 1 { // warm-up: one run that does not count
		for _, s := range []*side{ours, theirs} {
			if err := s.run(ctx); err != nil {
				return r, err
			}
			s.runs = nil
		}
	}
	if err := measurePairs(ctx, c, ours, theirs); err != nil {
		return r, err
	}
	r.ours, r.theirs = ours.runs, theirs.runs
	r.same = compareSums(ours, theirs)
	return r, nil
}

// measurePairs runs the two in turn, the first of a pair changing each time.
// A bounded case takes profound first: the bound follows from its figures.
func measurePairs(ctx context.Context, c benchCase, ours, theirs *side) error {
	for i := range c.pairs {
		pair := []*side{ours, theirs}
		if i%2 == 1 && !c.bounded {
			slices.Reverse(pair)
		}
		for _, s := range pair {
			if c.bounded && s == theirs {
				s.lim = boundsFor(c.bar, medianOf(ours.runs), describe(ctx).available)
			}
			if err := s.run(ctx); err != nil {
				return err
			}
		}
	}
	for range c.oursOnly {
		if err := ours.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// maxBound is the most memory a bounded run may take, bytes: enough to settle
// the bars on memory, as profound takes some hundred MiB.
const maxBound = 16 * gib

// boundsFor gives pprof as much time as settles the bar on CPU time, and four
// fifths of the available memory but not more than maxBound.
func boundsFor(want bar, ours usage, available int64) limits {
	wall := time.Duration(1.2 * want.cpu * float64(ours.cpu))
	return limits{
		wall:   min(max(wall, time.Minute), 15*time.Minute),
		memory: min(available/5*4, maxBound),
	}
}

// side is one of the two programs in one case.
type side struct {
	bench  *bench
	binary string
	name   string
	files  []string
	c      benchCase
	lim    limits

	runs []usage
	sums [][sha256.Size]byte // of the outputs, each once
}

func (s *side) run(ctx context.Context) error {
	argv := append([]string{s.binary}, s.c.args...)
	out := filepath.Join(s.bench.dir, "out", s.c.name+"."+s.name)
	if s.c.check != checkNone {
		argv = append(append(argv, "-output", out), s.files...)
	}
	u, err := runProcess(ctx, argv, s.bench.environ(), s.lim)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, u)
	fmt.Fprintf(s.bench.progress, "  %-8s %8.3f s CPU %8.3f s wall %8.1f MiB %s\n",
		s.name, u.cpu.Seconds(), u.wall.Seconds(), float64(u.peak)/(1<<20), u.stopped)
	if s.c.check == checkNone || u.stopped != "" {
		return nil
	}
	sum, err := sumOf(out, s.c.check == checkUnzipped)
	if err != nil {
		return fmt.Errorf("output of %s: %w", s.name, err)
	}
	if !slices.Contains(s.sums, sum) {
		s.sums = append(s.sums, sum)
	}
	return nil
}

func sumOf(file string, unzip bool) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	var r io.Reader = f
	if unzip {
		if r, err = gzip.NewReader(f); err != nil {
			return sum, err
		}
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// sameness is how the outputs of the two programs compare.
type sameness string

const (
	sameYes     sameness = "yes"
	sameNo      sameness = "NO"
	sameUnknown sameness = "-" // nothing to compare, or pprof did not finish
)

// compareSums wants one output of ours, and pprof to have written it. pprof
// itself is not always of one mind about ties, so it may have written others.
func compareSums(ours, theirs *side) sameness {
	switch {
	case len(ours.sums) == 0 || len(theirs.sums) == 0:
		return sameUnknown
	case len(ours.sums) == 1 && slices.Contains(theirs.sums, ours.sums[0]):
		return sameYes
	}
	return sameNo
}

// medianOf takes the median of each figure by itself.
func medianOf(runs []usage) usage {
	if len(runs) == 0 {
		return usage{}
	}
	var m usage
	m.cpu = median(runs, func(u usage) time.Duration { return u.cpu })
	m.wall = median(runs, func(u usage) time.Duration { return u.wall })
	m.peak = median(runs, func(u usage) int64 { return u.peak })
	for _, u := range runs {
		if u.stopped != "" {
			m.stopped = u.stopped
		}
	}
	return m
}

func median[T int64 | time.Duration](runs []usage, get func(usage) T) T {
	values := make([]T, len(runs))
	for i, u := range runs {
		values[i] = get(u)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// ratio is a/b, NaN when either is unknown.
func ratio[T int64 | time.Duration](a, b T) float64 {
	if a == 0 || b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
