package synth

import (
	"compress/gzip"
	"fmt"
	"io"
)

// Field numbers of profile.proto, message by message. They are typed out here
// on purpose: this writer shares nothing with the program's own encoder.
const (
	profileSampleType    = 1
	profileSample        = 2
	profileMapping       = 3
	profileLocation      = 4
	profileFunction      = 5
	profileStringTable   = 6
	profileTimeNanos     = 9
	profileDurationNanos = 10
	profilePeriodType    = 11
	profilePeriod        = 12

	valueTypeType = 1
	valueTypeUnit = 2

	sampleLocation = 1
	sampleValue    = 2
	sampleLabel    = 3

	labelKey = 1
	labelStr = 2

	mappingID              = 1
	mappingStart           = 2
	mappingLimit           = 3
	mappingFile            = 5
	mappingBuildID         = 6
	mappingHasFunctions    = 7
	mappingHasFilenames    = 8
	mappingHasLineNumbers  = 9
	mappingHasInlineFrames = 10

	locationID      = 1
	locationMapping = 2
	locationAddress = 3
	locationLine    = 4

	lineFunction = 1
	lineLine     = 2

	functionID         = 1
	functionName       = 2
	functionSystemName = 3
	functionFile       = 4
	functionStartLine  = 5
)

const (
	wireVarint = 0
	wireBytes  = 2
)

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendUint appends a varint field; zero is left out, as proto3 does.
func appendUint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = appendVarint(b, uint64(field)<<3|wireVarint)
	return appendVarint(b, v)
}

func appendBytes(b []byte, field int, data []byte) []byte {
	b = appendVarint(b, uint64(field)<<3|wireBytes)
	b = appendVarint(b, uint64(len(data)))
	return append(b, data...)
}

func appendString(b []byte, field int, s string) []byte {
	b = appendVarint(b, uint64(field)<<3|wireBytes)
	b = appendVarint(b, uint64(len(s)))
	return append(b, s...)
}

// stringTable numbers strings in the order of first use; 0 is "".
type stringTable struct {
	ids  map[string]uint64
	list []string
}

func newStringTable() *stringTable {
	return &stringTable{ids: map[string]uint64{"": 0}, list: []string{""}}
}

// id is the number of s, a new one if s was not seen.
func (t *stringTable) id(s string) uint64 {
	id, ok := t.ids[s]
	if !ok {
		id = t.add(s)
		t.ids[s] = id
	}
	return id
}

// add numbers a string that does not repeat, and so need not be looked up.
func (t *stringTable) add(s string) uint64 {
	t.list = append(t.list, s)
	return uint64(len(t.list) - 1)
}

// writer streams top-level fields of one Profile message into gzip. The first
// error sticks and is returned by close.
type writer struct {
	zip *gzip.Writer
	buf []byte // fields not yet handed to zip
	raw int64  // bytes before compression, those in buf not counted
	err error
}

// flushAt is how many bytes are gathered before compression: large enough to
// make its cost per call vanish, small enough to stay in cache.
const flushAt = 64 << 10

func newWriter(w io.Writer) *writer {
	// The speed level is what runtime/pprof writes with.
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	return &writer{zip: zip, err: err}
}

// message appends one top-level message field.
func (w *writer) message(field int, body []byte) {
	w.buf = appendBytes(w.buf, field, body)
	w.settle()
}

// str appends one top-level string field.
func (w *writer) str(field int, s string) {
	w.buf = appendString(w.buf, field, s)
	w.settle()
}

// number appends one top-level integer field.
func (w *writer) number(field int, v uint64) {
	w.buf = appendUint(w.buf, field, v)
	w.settle()
}

func (w *writer) settle() {
	if len(w.buf) >= flushAt {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.err == nil {
		_, w.err = w.zip.Write(w.buf)
	}
	w.raw += int64(len(w.buf))
	w.buf = w.buf[:0]
}

func (w *writer) close() error {
	w.flush()
	if w.err == nil {
		w.err = w.zip.Close()
	}
	if w.err != nil {
		return fmt.Errorf("write profile: %w", w.err)
	}
	return nil
}
