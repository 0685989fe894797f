package legacy

import (
	"bytes"
	"io"
	"strconv"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A count text of the Go runtime (goroutine, threadcreate and custom profiles
// with debug=1):
//
//	goroutine profile: total 61
//	20 @ 0x47ea0e 0x4158ee 0x4df855 0x4850c1

// countHeader is the profile's name in "NAME profile: total N".
func countHeader(line []byte) (name string, ok bool) {
	word, rest, found := bytes.Cut(line, []byte(" "))
	digits, ok := bytes.CutPrefix(rest, []byte("profile: total "))
	if !found || !ok || len(word) == 0 || len(bytes.Fields(word)) != 1 || len(digits) == 0 || decimalLen(digits) != len(digits) {
		return "", false
	}
	return valid(word), true
}

// LooksCount knows a count text by its first line that is no comment.
func LooksCount(head []byte) bool {
	line, _ := lines.First(head)
	_, ok := countHeader(line)
	return ok
}

// DecodeCount reads a Go count text with its labels and symbols.
func DecodeCount(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	skipComments(in)
	name, ok := countHeader(bytes.TrimSpace(in.Bytes()))
	if !ok {
		return nil, headerError(in, `"NAME profile: total N"`)
	}
	t := newTable(count(name), 1, count(name))
	var st symbolState
	var addrs []uint64
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		if line[0] == '#' {
			t.comment(line, &st)
			continue
		}
		if bytes.HasPrefix(line, []byte("---")) {
			break
		}
		if _, again := countHeader(line); again {
			return nil, secondProfile(in)
		}
		digits := decimalLen(line)
		rest, ok := bytes.CutPrefix(line[digits:], []byte(" @ 0x"))
		if digits == 0 || !ok || len(addressPart(rest)) != len(rest) {
			return nil, in.Bad(`"N @ 0xADDRESS ..."`)
		}
		n, err := strconv.ParseInt(string(line[:digits]), 10, 64)
		if err != nil {
			return nil, in.Errorf("count does not fit in 64 bits: %s", lines.Quote(line))
		}
		if addrs, err = hexAddresses(in, addrs[:0], line[digits:]); err != nil {
			return nil, err
		}
		t.add(addrs, adjustAll, n)
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if err := t.readTail(in); err != nil {
		return nil, err
	}
	return t.finish(false)
}

// secondProfile is the error for a file of several profiles.
func secondProfile(in *lines.Reader) error {
	return in.Errorf("another profile begins here, %s; split the file", lines.Quote(in.Bytes()))
}

// skipComments goes to the first line that is neither blank nor a comment.
func skipComments(in *lines.Reader) {
	for in.Next() {
		if line := bytes.TrimSpace(in.Bytes()); len(line) > 0 && line[0] != '#' {
			return
		}
	}
}

func decimalLen(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}
