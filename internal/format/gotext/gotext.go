// Package gotext reads goroutine dumps: the text of
// /debug/pprof/goroutine?debug=2, of a panic or fatal error, of SIGQUIT and
// of runtime.Stack. They are one format (runtime/traceback.go):
//
//	goroutine 18 [chan receive, 5 minutes, locked to thread]:
//	main.worker(0xc000012345, {0x1, 0x2})
//		/src/main.go:33 +0x14
//	main.(*pool).run(...)
//		/src/pool.go:12
//	created by main.start in goroutine 1
//		/src/main.go:90 +0x29f
//
// Decode makes a profile with the value type goroutine/count. Goroutines with
// the same stack and labels are one sample:
//
//	state            string   "chan receive", "IO wait", "running", ...
//	wait             number   minutes blocked, unit "minutes", from 1 on
//	created_by       string   the function that started the goroutine
//	locked_to_thread string   "true", if so
//	synctest_bubble  number   if inside one
//	...                       labels the runtime printed (GODEBUG=tracebacklabels=1)
//
// The number of a goroutine is left out: it would make each a sample of its
// own. The function that created a goroutine is also its outermost frame,
// named "created by F", with F as system name; what is elided in the middle
// of a deep stack is one frame named "[N frames elided]". Frames have no
// address; calls inlined into a frame are lines of its location. Debug=1
// texts are read by package legacy.
package gotext

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// Looks knows a goroutine dump: a goroutine header, at the start of the text
// or, in the output of a crashed program, anywhere in head where a line
// begins.
func Looks(head []byte) bool {
	for len(head) > 0 {
		line, rest, more := bytes.Cut(head, []byte("\n"))
		if !more && !bytes.HasSuffix(bytes.TrimSpace(line), []byte("]:")) {
			return false
		}
		if isHeader(bytes.TrimRight(line, "\r")) {
			return true
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return false
		}
		head = rest
	}
	return false
}

// isHeader knows "goroutine N ... [...]:".
func isHeader(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok || !bytes.HasSuffix(rest, []byte("]:")) {
		return false
	}
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	return n > 0 && n < len(rest) && rest[n] == ' ' && bytes.IndexByte(rest, '[') >= 0
}

// Decode reads every goroutine of a dump. Text between the stacks, such as
// the panic message, registers or log lines, is passed over; a stack in which
// a line cannot be read ends there, with a warning.
func Decode(r io.Reader) (*profile.Profile, error) {
	goroutine := profile.ValueType{Type: "goroutine", Unit: "count"}
	d := &dump{
		in:    lines.NewReader(r),
		b:     profile.NewBuilder(goroutine),
		index: map[string]int{},
	}
	h := d.b.Header()
	h.PeriodType, h.Period = goroutine, 1
	for d.in.Next() {
		if isHeader(d.in.Bytes()) {
			d.goroutine()
		}
	}
	if d.in.Err() != nil {
		return nil, d.in.Err()
	}
	if len(d.groups) == 0 {
		return nil, d.in.Errorf("no goroutine in the dump")
	}
	for _, g := range d.groups {
		d.b.Sample(g.stack, []int64{g.n}, g.labels...)
	}
	return d.b.Profile()
}

// dump is the state of one Decode.
type dump struct {
	in     *lines.Reader
	b      *profile.Builder
	groups []group
	index  map[string]int // by key of stack and labels
	key    []byte
}

// group is the goroutines with one stack and one set of labels.
type group struct {
	stack  []profile.LocationID
	labels []profile.Label
	n      int64
}

// call is one frame as the text shows it.
type call struct {
	function, system, file string
	line                   int64
	inlined                bool
}

// goroutine reads one goroutine; the current line is its header. It stops
// before the first line behind its stack.
func (d *dump) goroutine() {
	labels := d.headerLabels(d.in.Text())
	var stack []profile.LocationID
	var inlined []profile.Line
	push := func(c call) {
		inlined = append(inlined, profile.Line{Function: d.b.Function(c.function, c.system, c.file, 0), Line: c.line})
		if !c.inlined {
			stack = append(stack, d.b.Location(0, 0, inlined...))
			inlined = inlined[:0]
		}
	}
	for {
		c, ok := d.call()
		if !ok {
			break
		}
		if creator, ok := strings.CutPrefix(c.function, createdBy); ok {
			labels = append(labels, d.b.StringLabel("created_by", creator))
			c.system = creator
		}
		push(c)
	}
	if len(inlined) > 0 {
		stack = append(stack, d.b.Location(0, 0, inlined...))
	}
	d.add(stack, labels)
}

func (d *dump) add(stack []profile.LocationID, labels []profile.Label) {
	k := d.key[:0]
	for _, l := range stack {
		k = append(k, byte(l), byte(l>>8), byte(l>>16), byte(l>>24))
	}
	k = append(k, 0xff, 0xff, 0xff, 0xff)
	for _, l := range labels {
		k = fmt.Appendf(k, "%d,%d,%d,%d;", l.Key, l.Str, l.Num, l.Unit)
	}
	d.key = k
	if i, ok := d.index[string(k)]; ok {
		d.groups[i].n++
		return
	}
	d.index[string(k)] = len(d.groups)
	d.groups = append(d.groups, group{stack: stack, labels: labels, n: 1})
}

const createdBy = "created by "

// call reads one frame: a line with the function and, but for a few kinds of
// frames, a line with its place. ok is false at the end of the stack; the
// line that ended it is then unread.
func (d *dump) call() (c call, ok bool) {
	in := d.in
	if !in.Next() {
		return c, false
	}
	line := bytes.TrimRight(in.Bytes(), " \t")
	if n, ok := elided(line); ok {
		name := "[" + n + "frames elided]"
		return call{function: name, system: name}, true
	}
	if rest, ok := bytes.CutPrefix(line, []byte("non-Go function")); ok {
		// "non-Go function at pc=0x..", without a place of its own, or
		// "non-Go function" and "\tpc=0x.." below.
		if len(rest) == 0 && in.Next() && !bytes.Contains(in.Bytes(), []byte("pc=")) {
			in.Unread()
		}
		return call{function: "non-Go function", system: "non-Go function"}, true
	}
	if bytes.HasPrefix(line, []byte("[originating from goroutine ")) {
		name := valid(bytes.Trim(line, "[]:"))
		if i := strings.Index(name, " goroutine "); i > 0 {
			name = name[:i]
		}
		name = "[" + name + "]"
		return call{function: name, system: name}, true
	}
	if bytes.HasPrefix(bytes.TrimSpace(line), []byte("goroutine running on other thread; stack unavailable")) {
		name := "[stack unavailable]"
		return call{function: name, system: name}, true
	}
	if len(line) == 0 || line[0] == '\t' || line[0] == ' ' || isHeader(line) {
		in.Unread()
		return c, false
	}
	name, inlined, ok := functionName(line)
	if !ok {
		in.Unread()
		return c, false
	}
	c = call{function: name, system: name, inlined: inlined}
	if !in.Next() {
		d.warn("the dump ends behind the function %q, without its source line; it is truncated", name)
		return c, true
	}
	if c.file, c.line, ok = place(in.Bytes()); !ok {
		d.warn("no source line behind the function %q, found %s", name, lines.Quote(in.Bytes()))
		in.Unread()
	}
	return c, true
}

// maxWarnings bounds the warnings of one dump.
const maxWarnings = 10

func (d *dump) warn(format string, args ...any) {
	if h := d.b.Header(); len(h.Warnings) < maxWarnings {
		h.Warnings = append(h.Warnings, d.in.Errorf(format, args...))
	}
}

// elided reads "...23 frames elided..." and "...additional frames elided...";
// n ends in a space.
func elided(line []byte) (n string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("..."))
	if !ok {
		return "", false
	}
	rest, ok = bytes.CutSuffix(rest, []byte("frames elided..."))
	return valid(rest), ok
}

// functionName reads "pkg.(*T).M(0x1, {0x2})", "pkg.f(...)" for an inlined
// call, and "created by pkg.f in goroutine 1".
func functionName(line []byte) (name string, inlined, ok bool) {
	if rest, ok := bytes.CutPrefix(line, []byte(createdBy)); ok {
		if i := bytes.LastIndex(rest, []byte(" in goroutine ")); i > 0 {
			rest = rest[:i]
		}
		return createdBy + valid(rest), false, len(rest) > 0
	}
	if line[len(line)-1] != ')' {
		return "", false, false
	}
	i := bytes.LastIndexByte(line, '(')
	if i <= 0 {
		return "", false, false
	}
	return valid(line[:i]), string(line[i:]) == "(...)", true
}

// place reads "\t/path/file.go:33 +0x14 fp=0x.. sp=0x.. pc=0x..", all behind
// the line number optional.
func place(line []byte) (file string, n int64, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("\t"))
	if !ok {
		// Copied from a web page or a log: blanks instead of the tab.
		if rest = bytes.TrimLeft(line, " "); len(rest) == len(line) {
			return "", 0, false
		}
	}
	for _, cut := range []string{" fp=0x", " +0x", " pc=0x"} {
		if i := bytes.LastIndex(rest, []byte(cut)); i > 0 {
			rest = rest[:i]
		}
	}
	i := bytes.LastIndexByte(rest, ':')
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(rest[i+1:])), 10, 64)
	if err != nil || n < 0 {
		return "", 0, false
	}
	return valid(rest[:i]), n, true
}

func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
