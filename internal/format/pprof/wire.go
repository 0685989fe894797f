package pprof

import (
	"errors"
	"fmt"
	"io"
)

// Protocol buffer wire types.
const (
	wireVarint = 0
	wireI64    = 1
	wireBytes  = 2
	wireI32    = 5
)

var errTruncated = errors.New("truncated message")

// varint decodes one varint of b. n is its length, 0 when b ends inside it or
// it is longer than ten bytes.
func varint(b []byte) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return longVarint(b)
}

// longVarint is varint without the short way for a single byte.
func longVarint(b []byte) (v uint64, n int) {
	for i := 0; i < len(b) && i < 10; i++ {
		c := b[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// fields iterates over the fields of one message that is wholly in memory.
// Scalars come in u, length-delimited fields in b.
type fields struct {
	rest []byte
	num  int
	wire int
	u    uint64
	b    []byte
}

// next moves to the next field; false at the end.
func (f *fields) next() (bool, error) {
	if len(f.rest) == 0 {
		return false, nil
	}
	key, n := varint(f.rest)
	if n == 0 {
		return false, errTruncated
	}
	rest := f.rest[n:]
	f.num, f.wire = int(key>>3), int(key&7)
	switch f.wire {
	case wireVarint:
		v, n := varint(rest)
		if n == 0 {
			return false, errTruncated
		}
		f.u, f.rest = v, rest[n:]
	case wireBytes:
		v, n := varint(rest)
		if n == 0 || v > uint64(len(rest)-n) {
			return false, errTruncated
		}
		f.b, f.rest = rest[n:n+int(v)], rest[n+int(v):]
	case wireI64, wireI32:
		n := 8
		if f.wire == wireI32 {
			n = 4
		}
		if len(rest) < n {
			return false, errTruncated
		}
		f.rest = rest[n:]
	default:
		return false, fmt.Errorf("unknown wire type %d", f.wire)
	}
	return true, nil
}

// numbers reads the message b, whose known fields are numbers, into v by field
// number. Most messages of a profile are of this sort and hold nothing else.
func numbers(b []byte, v []uint64) error {
	for len(b) > 0 {
		if key := b[0]; key < 0x80 && key&7 == wireVarint {
			u, n := varint(b[1:])
			if n == 0 {
				return errTruncated
			}
			if num := int(key >> 3); num < len(v) {
				v[num] = u
			}
			b = b[1+n:]
			continue
		}
		f := fields{rest: b}
		if _, err := f.next(); err != nil {
			return err
		}
		if f.num >= 1 && f.num < len(v) {
			if f.wire != wireVarint {
				return f.wrongType()
			}
			v[f.num] = f.u
		}
		b = f.rest
	}
	return nil
}

func (f *fields) wrongType() error {
	return fmt.Errorf("field %d: unexpected wire type %d", f.num, f.wire)
}

// stream reads the top-level fields of a message of any length through a
// buffer that holds one field at a time and grows only as bytes arrive.
type stream struct {
	r    io.Reader
	buf  []byte
	pos  int   // start of what is unread in buf
	off  int64 // input offset of buf[0]
	err  error // of the reader, io.EOF at the end
	read int64 // bytes read so far
	max  int64 // bound on read
}

const streamBuffer = 256 << 10

func newStream(r io.Reader, opt Options) *stream {
	size := int64(streamBuffer)
	if opt.SizeHint > 0 {
		size = min(size, opt.SizeHint+16)
	}
	return &stream{r: r, buf: make([]byte, 0, size), max: opt.MaxBytes}
}

// offset is the input position of the next unread byte.
func (s *stream) offset() int64 { return s.off + int64(s.pos) }

// fill makes at least n unread bytes available if the input has them and
// returns the unread bytes.
func (s *stream) fill(n int) ([]byte, error) {
	for len(s.buf)-s.pos < n {
		if s.err != nil {
			break
		}
		if s.pos > 0 && (len(s.buf) == cap(s.buf) || s.pos == len(s.buf)) {
			k := copy(s.buf, s.buf[s.pos:])
			s.buf = s.buf[:k]
			s.off += int64(s.pos)
			s.pos = 0
		}
		if len(s.buf) == cap(s.buf) {
			grown := make([]byte, len(s.buf), 2*cap(s.buf))
			copy(grown, s.buf)
			s.buf = grown
		}
		k, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+k]
		s.read += int64(k)
		if s.read > s.max {
			return nil, tooLarge(s.max)
		}
		s.err = err
	}
	if s.err != nil && s.err != io.EOF {
		return nil, fmt.Errorf("read at byte %d: %w", s.off+int64(len(s.buf)), s.err)
	}
	return s.buf[s.pos:], nil
}

// varint reads one varint; io.EOF only at a clean end of the input.
func (s *stream) varint() (uint64, error) {
	if s.pos < len(s.buf) && s.buf[s.pos] < 0x80 {
		s.pos++
		return uint64(s.buf[s.pos-1]), nil
	}
	b := s.buf[s.pos:]
	if len(b) < 10 {
		var err error
		if b, err = s.fill(10); err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return 0, io.EOF
		}
	}
	v, n := varint(b)
	if n == 0 {
		return 0, errTruncated
	}
	s.pos += n
	return v, nil
}

// bytes reads the next n bytes; they are valid until the next call.
func (s *stream) bytes(n uint64) ([]byte, error) {
	if n > uint64(s.max) {
		return nil, fmt.Errorf("field of %d bytes: %w", n, errTruncated)
	}
	b := s.buf[s.pos:]
	if uint64(len(b)) < n {
		var err error
		if b, err = s.fill(int(n)); err != nil {
			return nil, err
		}
		if uint64(len(b)) < n {
			return nil, fmt.Errorf("field of %d bytes with only %d left: %w", n, len(b), errTruncated)
		}
	}
	s.pos += int(n)
	return b[:n], nil
}
