package leaktest

import (
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// NoGrowth runs round a few times to warm up and then as often as a judgement
// needs, and fails the test if the heap, the goroutines or the file
// descriptors grow from round to round. Each round must do the same amount of
// work; its argument counts all rounds from 0, to make new keys of. The
// message says what grows by how much a round, with the path of calls, and
// what to do next. When a round fails the test, NoGrowth returns.
//
// It leaves the profiler label leaktest on the goroutine that calls it.
func NoGrowth(t testing.TB, round func(round int), opts ...Option) {
	t.Helper()
	o, err := optionsOf(opts)
	if err != nil {
		t.Fatalf("leaktest: %v", err)
	}
	if inRound() {
		t.Fatal("leaktest: NoGrowth is called within a round of NoGrowth; check one after the other")
	}
	mark(t)
	takeTurn()
	defer endTurn()
	rate := runtime.MemProfileRate
	defer func() { runtime.MemProfileRate = rate }()
	runtime.MemProfileRate = 0
	c := &check{t: t, o: o, round: round, before: rate}
	problem, err := c.run()
	switch {
	case err != nil:
		t.Fatalf("leaktest: %v", err)
	case problem != "":
		t.Error(problem)
	}
	for _, r := range c.remarks {
		t.Log("leaktest: " + r)
	}
}

// turn has one place: the sampling rate belongs to the process, so the checks
// of parallel tests follow each other.
var turn = sync.OnceValue(func() chan struct{} { return make(chan struct{}, 1) })

func takeTurn() { turn() <- struct{}{} }
func endTurn()  { <-turn() }

// drive calls a round. Its name on a stack tells what runs in the round.
//
//go:noinline
func drive(round func(int), n int) { round(n) }

// inRound tells whether the caller was called by a round.
func inRound() bool {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if f.Function == driver {
			return true
		}
		if !more {
			return false
		}
	}
}

// functionName is the name of a function as stacks have it.
func functionName(f func(int)) string {
	if fn := runtime.FuncForPC(reflect.ValueOf(f).Pointer()); fn != nil {
		return strings.TrimSuffix(fn.Name(), "-fm") // method values
	}
	return ""
}

// check is one call of NoGrowth.
type check struct {
	t     testing.TB
	o     *options
	round func(int)
	// rate is the sampling rate of the rounds, before what it was before the
	// check. Between the rounds nothing is sampled.
	rate, before int
	collector
	remarks []string // what a check that passes could not tell

	driven int    // rounds so far, warm-up included
	looks  []look // after the warm-up and after each round that counts
	known  []seen // what the looks decode to, as far as they were judged
}

// look is what was seen after a round. Profiles are kept as the runtime wrote
// them, the values of the heap profile not yet scaled.
type look struct {
	heap, goroutine, leaked []byte
	rate                    int               // the sampling rate
	open                    map[string]string // descriptors, nil if unknown
	goroutines              int
	// net is by how much the live heap grew in the round, exactly, in bytes.
	net float64
}

// samplesARound is how many samples of the heap a round is to give: as many
// as cost a few milliseconds.
const samplesARound = 5000

// warmupRate is the rate while it is not known what a round allocates.
const warmupRate = 4 << 10

// run drives the rounds until it is sure, and returns what to say. A leak
// must show again after as many rounds more, and what grew otherwise gets the
// time to stop.
func (c *check) run() (string, error) {
	if ok, err := c.warmUp(); !ok {
		return "", err
	}
	stages := 4
	if testing.Short() {
		stages = 2
	}
	suspected := false
	for stage := 1; ; stage *= 2 {
		if ok, err := c.runTo(stage * c.o.rounds); !ok {
			return "", err
		}
		j, err := c.judge()
		last := stage >= stages
		switch {
		case err != nil:
			return "", err
		case len(j.leaks) > 0 && (suspected || last):
			return c.confirm()
		case len(j.leaks) == 0 && (last || !j.doubtful):
			c.remark(j)
			return "", nil
		}
		suspected = len(j.leaks) > 0
	}
}

// warmUp runs the rounds that do not count and sets the sampling rate by what
// the last of them allocates. ok is false when a round failed the test.
func (c *check) warmUp() (ok bool, err error) {
	c.choose(warmupRate)
	for range c.o.warmup - 1 {
		if !c.once() {
			return false, nil
		}
	}
	if c.o.warmup > 0 {
		before, err := c.settled()
		if err != nil {
			return false, err
		}
		if !c.once() {
			return false, nil
		}
		after, err := c.settled()
		if err != nil {
			return false, err
		}
		rate, err := c.fineRate(before, after)
		if err != nil {
			return false, err
		}
		c.choose(rate)
	}
	l, err := c.settled()
	c.looks = append(c.looks, l)
	return err == nil, err
}

// settled is a look after a collection.
func (c *check) settled() (look, error) {
	c.collect()
	return c.look(math.NaN())
}

// fineRate is a sampling rate fit for what was allocated between two looks.
func (c *check) fineRate(before, after look) (int, error) {
	var seens []seen
	for _, l := range []look{before, after} {
		s, err := l.decode()
		if err != nil {
			return 0, err
		}
		seens = append(seens, s)
	}
	s := c.scopeOf(seens)
	was, is := allocated(s.heap(seens[0].heap)), allocated(s.heap(seens[1].heap))
	if is.objects-was.objects <= samplesARound {
		return 1, nil
	}
	return max(1, int(min((is.bytes-was.bytes)/samplesARound, math.MaxInt32))), nil
}

// choose sets the sampling rate of the rounds: the one the caller wants, else
// rate, and never a coarser one than there was.
func (c *check) choose(rate int) {
	if c.o.rate > 0 {
		rate = c.o.rate
	}
	if c.before > 0 {
		rate = min(rate, c.before)
	}
	c.rate = rate
}

// runTo runs rounds and looks until n rounds count. ok is false when a round
// failed the test.
func (c *check) runTo(n int) (ok bool, err error) {
	for len(c.looks) <= n {
		c.collect() // what the last look left
		before := liveBytes()
		if !c.once() {
			return false, nil
		}
		c.collect()
		l, err := c.look(liveBytes() - before)
		if err != nil {
			return false, err
		}
		c.looks = append(c.looks, l)
	}
	return true, nil
}

// once runs one round, and waits until no more goroutines are left than there
// were; false when it failed the test.
func (c *check) once() bool {
	before := runtime.NumGoroutine()
	if n := len(c.looks); n > 0 {
		before = c.looks[n-1].goroutines
	}
	runtime.MemProfileRate = c.rate
	drive(c.round, c.driven)
	c.driven++
	poll(goroutinesWait, func() bool { return runtime.NumGoroutine() <= before })
	runtime.MemProfileRate = 0
	return !c.t.Failed()
}

// goroutinesWait is how long goroutines may take to end after a round. Some
// that take longer do not add up: they end during the next rounds.
const goroutinesWait = 10 * time.Millisecond

// look records what there is now. While the rate is 0 the runtime does not
// scale the heap profile, nor see what is allocated for the look.
func (c *check) look(net float64) (look, error) {
	l := look{rate: c.rate, net: net, open: descriptors(), goroutines: runtime.NumGoroutine()}
	var err error
	if l.heap, err = rawProfile("heap"); err != nil {
		return l, err
	}
	l.goroutine, err = rawProfile("goroutine")
	return l, err
}

// confirm waits for what is about to end, looking again at times, and returns
// what to say if the leak is still there when the waiting is over.
func (c *check) confirm() (string, error) {
	last := len(c.looks) - 1
	pause, waited := c.o.settle/32, time.Duration(0)
	for {
		time.Sleep(pause)
		waited += pause
		c.collect()
		l, err := c.look(c.looks[last].net)
		if err != nil {
			return "", err
		}
		if l.leaked, err = rawProfile("goroutineleak"); err != nil {
			return "", err
		}
		c.looks[last], c.known = l, c.known[:last]
		j, err := c.judge()
		j.forget(lowered)
		if err != nil || len(j.leaks) == 0 {
			return "", err
		}
		if waited >= c.o.settle {
			return c.message(j), nil
		}
		pause = min(max(2*pause, time.Millisecond), c.o.settle-waited)
	}
}
