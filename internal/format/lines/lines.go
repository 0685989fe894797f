// Package lines reads text formats line by line and keeps the position, so
// that every text decoder reports errors in the same words. It is the ground
// the text decoders stand on (legacy, gotext, folded, perfscript) and knows
// no format itself.
package lines

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// BOM is the UTF-8 byte order mark.
const BOM = "\xef\xbb\xbf"

// MaxLine bounds one line, in bytes. A stack of a million frames in hex takes
// less than a third of it.
const MaxLine = 64 << 20

// quoteBytes is how much of a bad line an error text shows.
const quoteBytes = 60

// Reader yields the lines of a text without their line ends ("\n" or
// "\r\n"). A byte order mark before the first line is dropped.
type Reader struct {
	br     *bufio.Reader
	line   []byte // current line; in br's buffer or in long
	long   []byte // assembled when a line does not fit br's buffer
	num    int    // 1 for the first line
	err    error
	again  bool
	done   bool
	maxLen int
}

// NewReader reads lines from r. Lines behind what r's consumer took before
// count from 1.
func NewReader(r io.Reader) *Reader {
	br, ok := r.(*bufio.Reader)
	if !ok {
		br = bufio.NewReaderSize(r, 64<<10)
	}
	return &Reader{br: br, maxLen: MaxLine}
}

// Next advances to the next line and tells whether there is one.
func (r *Reader) Next() bool {
	if r.again {
		r.again = false
		return true
	}
	r.line = nil
	if r.done {
		return false
	}
	if !r.read() {
		r.done, r.line = true, nil
		return false
	}
	r.num++
	if r.num == 1 {
		r.line = bytes.TrimPrefix(r.line, []byte(BOM))
	}
	if n := len(r.line); n > 0 && r.line[n-1] == '\r' {
		r.line = r.line[:n-1]
	}
	return true
}

// read fills r.line with the bytes up to the next "\n"; false at the end of
// the input or on an error.
func (r *Reader) read() bool {
	b, err := r.br.ReadSlice('\n')
	if err == nil {
		r.line = b[:len(b)-1]
		return true
	}
	r.long = r.long[:0]
	for err == bufio.ErrBufferFull {
		r.long = append(r.long, b...)
		if len(r.long) > r.maxLen {
			r.err = fmt.Errorf("line %d: longer than %d bytes", r.num+1, r.maxLen)
			return false
		}
		b, err = r.br.ReadSlice('\n')
	}
	r.long = append(r.long, b...)
	r.line = r.long
	switch {
	case err == nil:
		r.line = r.line[:len(r.line)-1]
		return true
	case err == io.EOF:
		return len(r.line) > 0
	}
	r.err = fmt.Errorf("after line %d: %w", r.num, err)
	return false
}

// Unread makes the next call of Next stay on the current line.
func (r *Reader) Unread() { r.again = !r.done || r.line != nil }

// Bytes is the current line, valid until Next; nil before the first line and
// after the last.
func (r *Reader) Bytes() []byte { return r.line }

// Text is a copy of the current line.
func (r *Reader) Text() string { return string(r.line) }

// Num is the number of the current line, from 1.
func (r *Reader) Num() int { return r.num }

// Err is the error that ended the input early, nil at a plain end.
func (r *Reader) Err() error { return r.err }

// Errorf makes an error that names the current line number.
func (r *Reader) Errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{max(r.num, 1)}, args...)...)
}

// Bad makes an error that names the current line number, what was wanted and
// the beginning of the line.
func (r *Reader) Bad(want string) error {
	return r.Errorf("want %s, found %s", want, Quote(r.line))
}

// Quote is b quoted for an error text and cut to a readable length.
func Quote(b []byte) string {
	if len(b) > quoteBytes {
		return fmt.Sprintf("%q...", b[:quoteBytes])
	}
	return fmt.Sprintf("%q", b)
}

// First is the first line of head that is neither blank nor a '#' comment,
// trimmed, and the text behind it. Sniffers call it on the beginning of a
// file.
func First(head []byte) (line, rest []byte) {
	for len(head) > 0 {
		line, rest, _ = bytes.Cut(head, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return line, rest
		}
		head = rest
	}
	return nil, nil
}

// BadAt is Bad for a line that is no longer the current one.
func BadAt(num int, want string, line []byte) error {
	return fmt.Errorf("line %d: want %s, found %s", num, want, Quote(line))
}
