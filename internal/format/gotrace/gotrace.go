// Package gotrace reads execution traces of Go 1.22 and later: what
// /debug/pprof/trace and `go test -trace` write. A trace is a log of what
// every goroutine did; here only two kinds of its events are counted, because
// no profile has them:
//
//	goroutines_created count   the stack of the go statement, with the label
//	                           started: the function the goroutine begins in
//	syscalls           count   the stack that called the system; calls that
//	                           the runtime does not expect to wait are not
//	                           in the trace
//
// So who started the goroutines, which a goroutine profile does not say, and
// who mapped memory, which a heap profile does not see, have an answer. A
// trace that ends early gives what was read, with a warning.
package gotrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/exp/trace"

	"github.com/profoundhq/profound/internal/profile"
)

// The columns.
const (
	created = iota
	syscalls
	columns
)

// Looks knows the header "go 1.22 trace\x00\x00\x00", of 16 bytes.
func Looks(head []byte) bool {
	const size = 16
	if len(head) < size {
		return false
	}
	h := head[:size]
	return bytes.HasPrefix(h, []byte("go 1.")) && bytes.Contains(h, []byte(" trace\x00"))
}

// errOld is about traces in the format before Go 1.22, which has to be held in
// memory as a whole.
var errOld = errors.New("the trace is of Go 1.21 or older, whose format is not read; open it with: go tool trace FILE")

// Decode reads a trace.
func Decode(r io.Reader) (*profile.Profile, error) {
	d := &decoder{b: profile.NewBuilder(
		profile.ValueType{Type: "goroutines_created", Unit: "count"},
		profile.ValueType{Type: "syscalls", Unit: "count"},
	), index: map[string]int{}, counts: map[event]int64{}, frames: map[call]profile.LocationID{}}
	d.b.Header().DefaultSampleType = "goroutines_created"
	in := &input{r: r}
	if err := d.read(in); err != nil {
		if in.err != nil {
			return nil, in.err
		}
		if len(d.groups) == 0 {
			return nil, err
		}
		d.b.Header().Warnings = []error{fmt.Errorf("the trace is cut off or damaged, what came later is not counted: %w", err)}
	}
	for _, g := range d.groups {
		d.b.Sample(g.stack, g.values[:], g.labels...)
	}
	return d.b.Profile()
}

// input remembers what went wrong with the input itself, rather than with what
// it holds.
type input struct {
	r   io.Reader
	err error
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	if err != nil && err != io.EOF && in.err == nil {
		in.err = err
	}
	return n, err
}

// decoder is one call of Decode.
type decoder struct {
	b      *profile.Builder
	frames map[call]profile.LocationID
	// counts is what was seen of the generation under way. The stacks are
	// handles into its tables, so it is emptied at its end.
	counts map[event]int64
	order  []event
	groups []group
	index  map[string]int // of groups, by key
	key    []byte

	events      int
	first, last trace.Time
}

// event is what is counted.
type event struct {
	column int
	stack  trace.Stack
	// started is where a new goroutine begins.
	started trace.Stack
}

// call is one frame of a stack.
type call struct {
	function, file string
	line           uint64
}

// group is a sample.
type group struct {
	stack  []profile.LocationID
	labels []profile.Label
	values [columns]int64
}

// read counts all events. The library does not promise never to panic on
// damaged input; if it does that is an error of the input.
func (d *decoder) read(r io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the trace is damaged behind event %d: %v", d.events, p)
		}
	}()
	in, err := checkVersion(r)
	if err != nil {
		return err
	}
	events, err := trace.NewReader(in)
	if err != nil {
		return err
	}
	defer d.flush()
	for {
		e, err := events.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("behind event %d: %w", d.events, err)
		}
		d.event(&e)
	}
}

// checkVersion passes on r if its header is of a format the library reads as
// a stream.
func checkVersion(r io.Reader) (io.Reader, error) {
	var head [16]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil {
		return nil, fmt.Errorf("header of %d bytes, wanted %d: %w", n, len(head), err)
	}
	var minor int
	if _, err := fmt.Sscanf(string(head[:]), "go 1.%d trace", &minor); err != nil {
		return nil, fmt.Errorf("header %q: %w", head, err)
	}
	const oldest = 22
	if minor < oldest {
		return nil, errOld
	}
	return io.MultiReader(bytes.NewReader(head[:]), r), nil
}

func (d *decoder) event(e *trace.Event) {
	d.events++
	if d.events == 1 {
		d.first = e.Time()
	}
	d.last = e.Time()
	switch e.Kind() {
	case trace.EventSync:
		d.flush()
		d.clock(e)
	case trace.EventStateTransition:
		t := e.StateTransition()
		if t.Resource.Kind != trace.ResourceGoroutine {
			return
		}
		switch from, to := t.Goroutine(); {
		case from == trace.GoNotExist && to == trace.GoRunnable:
			d.count(event{created, e.Stack(), t.Stack})
		case from == trace.GoRunning && to == trace.GoSyscall:
			d.count(event{syscalls, e.Stack(), trace.NoStack})
		}
	}
}

// clock takes the time of the profile from the first generation that tells
// what its clock showed.
func (d *decoder) clock(e *trace.Event) {
	h := d.b.Header()
	if c := e.Sync().ClockSnapshot; c != nil && h.TimeNanos == 0 {
		h.TimeNanos = c.Wall.UnixNano() - int64(c.Trace-d.first)
	}
}

// flush adds the counts of a generation to the groups, in the order in which
// the events were first seen.
func (d *decoder) flush() {
	d.b.Header().DurationNanos = max(0, int64(d.last-d.first))
	for _, e := range d.order {
		d.add(e, d.counts[e])
	}
	d.order = d.order[:0]
	clear(d.counts)
}

func (d *decoder) count(e event) {
	if d.counts[e]++; d.counts[e] == 1 {
		d.order = append(d.order, e)
	}
}

func (d *decoder) add(e event, n int64) {
	var stack []profile.LocationID
	for f := range e.stack.Frames() {
		stack = append(stack, d.location(f))
	}
	started := ""
	if e.column == created {
		// Leaf first, so that the last one is where it begins.
		for f := range e.started.Frames() {
			started = valid(f.Func)
		}
	}
	k := append(d.key[:0], byte(e.column))
	for _, l := range stack {
		k = append(k, byte(l), byte(l>>8), byte(l>>16), byte(l>>24))
	}
	k = append(k, 0xff, 0xff, 0xff, 0xff)
	k = append(k, started...)
	d.key = k
	i, ok := d.index[string(k)]
	if !ok {
		i = len(d.groups)
		d.index[string(k)] = i
		g := group{stack: stack}
		if started != "" {
			g.labels = []profile.Label{d.b.StringLabel("started", started)}
		}
		d.groups = append(d.groups, g)
	}
	d.groups[i].values[e.column] += n
}

// location interns a frame, without its address: of the same line in the same
// function there may be several, which would part what belongs together.
func (d *decoder) location(f trace.StackFrame) profile.LocationID {
	c := call{f.Func, f.File, f.Line}
	if id, ok := d.frames[c]; ok {
		return id
	}
	name, file := valid(f.Func), valid(f.File)
	line := int64(0)
	if f.Line < 1<<31 {
		line = int64(f.Line)
	}
	id := d.b.Location(0, 0, profile.Line{Function: d.b.Function(name, name, file, 0), Line: line})
	d.frames[c] = id
	return id
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
