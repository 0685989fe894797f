// Package folded reads and writes folded stacks, the text format of
// FlameGraph's stackcollapse scripts and of many profilers: one line a stack,
// root first, a blank and a value:
//
//	main;net/http.(*conn).serve;runtime.mallocgc 12
//
// Frame names may hold blanks and digits: the value is what follows the last
// blank. When every line at the beginning of a file ends in two numbers, it
// is a difference (difffolded.pl): the first column becomes the value type
// "before", the second "samples".
package folded

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

const (
	// sniffLines is how many lines Looks wants to see in shape.
	sniffLines = 20
	// longLine is the length from which on Looks believes a line whose end
	// it does not see.
	longLine = 32 << 10
	// maxWarnings bounds the warnings of one file.
	maxWarnings = 10
)

// Looks knows folded stacks: text lines that end in a number, and at least
// one with a ';' before it.
func Looks(head []byte) bool {
	semicolon := false
	for n := 0; n < sniffLines && len(head) > 0; {
		line, rest, complete := bytes.Cut(head, []byte("\n"))
		head = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if !complete && n > 0 {
			// Cut off by the end of head or, without a line feed, of the file.
			break
		}
		if !isText(line) {
			return false
		}
		if !complete && len(line) >= longLine {
			// Too deep a stack to see its end: believe it.
			return line[0] != '<' && line[0] != '{' && bytes.IndexByte(line, ';') >= 0
		}
		stack, _, ok := cutValue(line)
		if !ok {
			return false
		}
		semicolon = semicolon || bytes.IndexByte(stack, ';') >= 0
		n++
	}
	return semicolon
}

// isText refuses control characters and text that is mostly not UTF-8.
func isText(line []byte) bool {
	bad := 0
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if r < ' ' && r != '\t' {
			return false
		}
		if r == utf8.RuneError && n == 1 {
			bad++
		}
		i += n
	}
	return bad*4 <= len(line)
}

// cutValue splits a line at its last blank, behind which a number stands.
func cutValue(line []byte) (stack []byte, value float64, ok bool) {
	i := bytes.LastIndexAny(line, " \t")
	if i <= 0 {
		return nil, 0, false
	}
	text := line[i+1:]
	if len(text) == 0 || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return nil, 0, false
	}
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return nil, 0, false
	}
	return bytes.TrimSpace(line[:i]), value, true
}

// integer reads the value of a line exactly, or rounds one with a fraction.
func integer(text []byte) (n int64, rounded, ok bool) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, false, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(math.Abs(f) < 1<<63) {
		return 0, false, false
	}
	return int64(math.Round(f)), true, true
}

// Decode reads folded stacks into a profile with the value type
// samples/count. Values with a fraction are rounded, with a warning.
func Decode(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	d := decoder{in: in}
	first, err := d.lookAhead()
	if err != nil {
		return nil, err
	}
	samples := profile.ValueType{Type: "samples", Unit: "count"}
	types := []profile.ValueType{samples}
	if d.twoColumns {
		types = []profile.ValueType{{Type: "before", Unit: "count"}, samples}
	}
	d.b = profile.NewBuilder(types...)
	d.values = make([]int64, len(types))
	h := d.b.Header()
	h.PeriodType, h.Period = samples, 1
	for _, l := range first {
		if err := d.line(l.num, l.text); err != nil {
			return nil, err
		}
	}
	for in.Next() {
		if err := d.line(in.Num(), in.Bytes()); err != nil {
			return nil, err
		}
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if d.rounded > 0 {
		d.warn("%d values had a fraction and were rounded", d.rounded)
	}
	return d.b.Profile()
}

type decoder struct {
	in         *lines.Reader
	b          *profile.Builder
	twoColumns bool
	rounded    int
	stack      []profile.LocationID
	values     []int64
}

type numbered struct {
	num  int
	text []byte
}

// lookAhead reads the first lines to learn whether there are two columns.
func (d *decoder) lookAhead() ([]numbered, error) {
	var first []numbered
	two, seen := true, 0
	for seen < sniffLines && d.in.Next() {
		text := bytes.TrimSpace(d.in.Bytes())
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		seen++
		first = append(first, numbered{d.in.Num(), bytes.Clone(text)})
		stack, _, ok := cutValue(text)
		if ok {
			stack, _, ok = cutValue(stack)
		}
		two = two && ok && bytes.IndexByte(stack, ';') >= 0
	}
	d.twoColumns = two && seen > 0
	return first, d.in.Err()
}

func (d *decoder) warn(format string, args ...any) {
	if h := d.b.Header(); len(h.Warnings) < maxWarnings {
		h.Warnings = append(h.Warnings, d.in.Errorf(format, args...))
	}
}

// line adds the sample of one line.
func (d *decoder) line(num int, text []byte) error {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] == '#' {
		return nil
	}
	for i := len(d.values) - 1; i >= 0; i-- {
		at := bytes.LastIndexAny(text, " \t")
		if at <= 0 {
			return lines.BadAt(num, "FRAME;FRAME;... VALUE", text)
		}
		n, rounded, ok := integer(text[at+1:])
		if !ok {
			return lines.BadAt(num, "FRAME;FRAME;... VALUE with an integer value", text)
		}
		if rounded {
			d.rounded++
		}
		d.values[i] = n
		text = bytes.TrimRight(text[:at], " \t")
	}
	// Root first in the text, leaf first in the profile.
	d.stack = d.stack[:0]
	for end := len(text); end >= 0; {
		start := bytes.LastIndexByte(text[:end], ';') + 1
		if name := bytes.TrimSpace(text[start:end]); len(name) > 0 {
			s := strings.ToValidUTF8(string(name), "\uFFFD")
			d.stack = append(d.stack, d.b.Location(0, 0, profile.Line{Function: d.b.Function(s, s, "", 0)}))
		}
		end = start - 1
	}
	d.b.Sample(d.stack, d.values)
	return nil
}
