// Package perfscript reads what `perf script` prints of a Linux perf.data
// file: a header line for each event, its stack below it, leaf first, and a
// blank line.
//
//	swapper  0/0 [000] 1234.567890:     250000 cycles:ppp:
//		ffffffff8104f45a native_write_msr+0xa ([kernel.kallsyms])
//		    7f2b3c4d5e6f [unknown] (/usr/lib/libc.so.6)
//
// The first value type is samples/count, then one for each event in the order
// they appear, filled from the period perf prints before the event's name (1
// if it prints none); cpu-clock and task-clock count nanoseconds, others
// events. Events with the same stack and labels are one sample. comm is a
// string label, pid and tid are numbers (perf prints the tid alone unless
// asked). perf's clock is not the wall clock, so only the duration is known.
package perfscript

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

const (
	// maxEvents bounds the events that get a value type of their own.
	maxEvents = 16
	// maxWarnings bounds the warnings of one file.
	maxWarnings = 10
)

// Looks knows perf script text: a header line with an event and, when the
// line below is there, a frame or another header.
func Looks(head []byte) bool {
	first, rest := lines.First(head)
	h, ok := parseHeader(first)
	if !ok {
		return false
	}
	if h.timed {
		return true
	}
	next, _, _ := bytes.Cut(rest, []byte("\n"))
	_, ok = parseFrame(next)
	return ok
}

// Decode reads perf script text. Lines it cannot read are passed over with a
// warning; a file without an event is an error.
func Decode(r io.Reader) (*profile.Profile, error) {
	d := &decoder{in: lines.NewReader(r), b: profile.NewBuilder(), index: map[string]int{}}
	if err := d.read(); err != nil {
		return nil, err
	}
	if len(d.samples) == 0 {
		return nil, d.in.Errorf("no event in the perf script text")
	}
	h := d.b.Header()
	types := []profile.ValueType{{Type: "samples", Unit: "count"}}
	for _, e := range d.events {
		types = append(types, profile.ValueType{Type: e, Unit: unitOf(e)})
	}
	h.SampleTypes = types
	h.Samples.Values = make([][]int64, len(types))
	h.PeriodType, h.Period = types[0], 1
	if len(d.events) > 0 {
		h.DefaultSampleType = d.events[0]
	}
	if d.last > d.first {
		h.DurationNanos = int64(math.Round((d.last - d.first) * 1e9))
	}
	values := make([]int64, len(types))
	for _, s := range d.samples {
		clear(values)
		copy(values, s.values)
		d.b.Sample(s.stack, values, s.labels...)
	}
	return d.b.Profile()
}

// unitOf is the unit of an event's period.
func unitOf(event string) string {
	switch event {
	case "cpu-clock", "task-clock":
		return "nanoseconds"
	}
	return "count"
}

// decoder is the state of one Decode.
type decoder struct {
	in          *lines.Reader
	b           *profile.Builder
	events      []string
	samples     []sample
	index       map[string]int // of samples, by stack and labels
	key         []byte
	first, last float64 // seconds on perf's clock; first is 0 while unseen
	warned      int

	open    bool // an event is being read
	current header
	frames  []frame
}

// sample is the events with one stack and one set of labels.
type sample struct {
	stack  []profile.LocationID
	labels []profile.Label
	values []int64 // samples, then by event; may be shorter than the types
}

// read reads the whole text.
func (d *decoder) read() error {
	for d.in.Next() {
		line := d.in.Bytes()
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			d.flush()
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			d.indented(line)
		default:
			d.header(line)
		}
	}
	d.flush()
	return d.in.Err()
}

// indented takes a frame, or the source line perf prints below one.
func (d *decoder) indented(line []byte) {
	if f, ok := parseFrame(line); ok && d.open {
		d.frames = append(d.frames, f)
		return
	}
	if n := len(d.frames); n > 0 {
		if file, num, ok := parseSourceLine(line); ok {
			d.frames[n-1].file, d.frames[n-1].line = file, num
			return
		}
	}
	// A short command name is padded on the left.
	if h, ok := parseHeader(bytes.TrimSpace(line)); ok && h.timed {
		d.header(bytes.TrimSpace(line))
		return
	}
	d.warn("want a frame \"ADDRESS SYMBOL (FILE)\", found %s", lines.Quote(line))
}

func (d *decoder) header(line []byte) {
	d.flush()
	h, ok := parseHeader(line)
	if !ok {
		d.warn("want an event \"COMM PID TIME: PERIOD EVENT:\", found %s", lines.Quote(line))
		return
	}
	if h.record {
		return
	}
	d.open, d.current = true, h
	if f, ok := parseFrame(h.rest); ok {
		d.frames = append(d.frames, f)
	}
}

func (d *decoder) warn(format string, args ...any) {
	if d.warned++; d.warned <= maxWarnings {
		h := d.b.Header()
		h.Warnings = append(h.Warnings, d.in.Errorf(format, args...))
	}
}

// flush adds the event that was read, if there is one.
func (d *decoder) flush() {
	if !d.open {
		return
	}
	d.open = false
	h := d.current
	labels := []profile.Label{d.b.StringLabel("comm", h.comm)}
	if h.hasPID {
		labels = append(labels, d.b.NumLabel("pid", h.pid, ""))
	}
	labels = append(labels, d.b.NumLabel("tid", h.tid, ""))
	if h.timed {
		if d.first == 0 {
			d.first = h.time
		}
		d.last = max(d.last, h.time)
	}
	s := d.sample(d.stack(), labels)
	d.frames = d.frames[:0]
	s.values[0]++
	column := 1 + slices.Index(d.events, h.event)
	if column == 0 {
		if len(d.events) == maxEvents {
			d.warn("more than %d events; %q counts as samples only", maxEvents, h.event)
			return
		}
		d.events = append(d.events, h.event)
		column = len(d.events)
	}
	for len(s.values) <= column {
		s.values = append(s.values, 0)
	}
	s.values[column] += h.period
}

// sample finds or makes the sample with this stack and these labels.
func (d *decoder) sample(stack []profile.LocationID, labels []profile.Label) *sample {
	k := d.key[:0]
	for _, l := range stack {
		k = append(k, byte(l), byte(l>>8), byte(l>>16), byte(l>>24))
	}
	k = append(k, 0xff, 0xff, 0xff, 0xff)
	for _, l := range labels {
		k = fmt.Appendf(k, "%d,%d,%d;", l.Key, l.Str, l.Num)
	}
	d.key = k
	i, ok := d.index[string(k)]
	if !ok {
		i = len(d.samples)
		d.index[string(k)] = i
		d.samples = append(d.samples, sample{stack: stack, labels: labels, values: []int64{0}})
	}
	return &d.samples[i]
}

// stack turns the frames of the event into locations: frames marked inlined
// are lines of the location of the next frame that is not.
func (d *decoder) stack() []profile.LocationID {
	var stack []profile.LocationID
	var ls []profile.Line
	for i, f := range d.frames {
		if f.symbol != "" {
			ls = append(ls, profile.Line{Function: d.b.Function(f.symbol, f.symbol, f.file, 0), Line: f.line})
		}
		if f.inlined && i+1 < len(d.frames) {
			continue
		}
		m := profile.MappingID(0)
		if f.object != "" {
			m = d.b.Mapping(profile.Mapping{File: f.object, HasFunctions: true})
		}
		stack = append(stack, d.b.Location(m, f.addr, ls...))
		ls = ls[:0]
	}
	return stack
}

// valid is b with every invalid UTF-8 sequence replaced.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// parseSourceLine reads the "file.c:12" that perf script -F +srcline prints
// below a frame.
func parseSourceLine(line []byte) (file string, n int64, ok bool) {
	line = bytes.TrimSpace(line)
	i := bytes.LastIndexByte(line, ':')
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(string(line[i+1:]), 10, 64)
	if err != nil || n < 0 {
		return "", 0, false
	}
	return valid(line[:i]), n, true
}
