// Package pprof reads and writes profile.proto, the format of pprof and of
// the Go runtime (github.com/google/pprof, proto/profile.proto).
//
// Decode makes one pass over the stream and fills the columns of
// profile.Profile directly: ids of the input become dense row numbers by
// array look-ups, equal stacks and label sets are stored once, and nothing is
// allocated for a single sample. Encode writes the same bytes for the same
// profile.
package pprof

import (
	"errors"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/profile"
)

// DefaultMaxBytes bounds the memory a decoded profile may take.
const DefaultMaxBytes = 4 << 30

// Options bound and help a Decode.
type Options struct {
	// MaxBytes bounds the uncompressed input, and the tables made of it, in
	// bytes each; 0 is DefaultMaxBytes.
	MaxBytes int64
	// SizeHint is the uncompressed size of the input in bytes if known; it
	// only saves copying.
	SizeHint int64
	// Storage lends its tables to the profile, which is then valid only until
	// the next Decode with the same Storage; nil makes new tables.
	Storage *Storage
}

// Storage is the memory of decoded profiles, used again and again. The zero
// value is ready; it serves one Decode at a time.
type Storage struct{ d *decoder }

var (
	// ErrTooLarge is wrapped when the input exceeds Options.MaxBytes.
	ErrTooLarge = errors.New("profile is larger than the limit")
	// ErrEmpty is returned for an input without a byte.
	ErrEmpty = errors.New("empty input file")
	// ErrConcatenated is returned for several profiles in one input.
	ErrConcatenated = errors.New("concatenated profiles detected")
)

func tooLarge(max int64) error {
	return fmt.Errorf("%w of %d bytes; raise it with -max_size", ErrTooLarge, max)
}

// Looks tells whether head, the first bytes of an uncompressed input, can be
// the beginning of a profile.proto message.
func Looks(head []byte) bool {
	f := fields{rest: head}
	key, n := varint(head)
	if n == 0 || key>>3 == 0 || key>>3 > 15 {
		return false
	}
	ok, err := f.next()
	if errors.Is(err, errTruncated) && key&7 == wireBytes {
		return true
	}
	return ok && err == nil
}

// Decode reads one uncompressed profile.proto message from r.
func Decode(r io.Reader, opt Options) (*profile.Profile, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	d := newDecoder(opt)
	d.in = newStream(r, opt)
	if err := d.run(); err != nil {
		return nil, err
	}
	return d.finish()
}

// DecodeBytes is Decode of a message that is wholly in memory. The profile
// does not refer to data afterwards.
func DecodeBytes(data []byte, opt Options) (*profile.Profile, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	opt.SizeHint = int64(len(data))
	d := newDecoder(opt)
	d.in = &stream{buf: data, err: io.EOF, max: opt.MaxBytes}
	if err := d.run(); err != nil {
		return nil, err
	}
	return d.finish()
}

// ids remembers the numbers the input gives to the rows of one table, so that
// references can be turned into row numbers once the table is complete.
// References are kept as 32 bits: numbers that do not fit get a stand-in.
type ids struct {
	rows []uint64          // number of each row in input order, rows[0] unused
	big  map[uint64]uint32 // stand-ins
	max  uint32            // largest plain reference
}

const firstStandIn = 0xF0000000

// maxStandIns bounds the map of stand-ins, some 50 bytes each.
const maxStandIns = 1 << 24

// ref is the 32 bit form of a reference.
func (t *ids) ref(id uint64) uint32 {
	if id < firstStandIn {
		if uint32(id) > t.max {
			t.max = uint32(id)
		}
		return uint32(id)
	}
	if r, ok := t.big[id]; ok {
		return r
	}
	if t.big == nil {
		t.big = map[uint64]uint32{}
	}
	if len(t.big) >= maxStandIns {
		return 0 // dangling: no real profile numbers so many rows so oddly
	}
	r := firstStandIn + uint32(len(t.big))
	t.big[id] = r
	return r
}

// dense tells whether row i has number i throughout.
func (t *ids) dense() bool {
	for i, id := range t.rows {
		if id != uint64(i) {
			return false
		}
	}
	return true
}

// resolver maps references to row numbers; 0 for a dangling one.
func (t *ids) resolver() func(uint32) uint32 {
	n := uint32(len(t.rows))
	if t.dense() {
		return func(r uint32) uint32 {
			if r < n {
				return r
			}
			return 0
		}
	}
	if int(t.max) < 8*len(t.rows)+1024 && t.big == nil {
		table := make([]uint32, t.max+1)
		for row, id := range t.rows {
			if row > 0 && id <= uint64(t.max) {
				table[id] = uint32(row)
			}
		}
		return func(r uint32) uint32 { return table[r] }
	}
	m := make(map[uint32]uint32, len(t.rows))
	for row, id := range t.rows {
		if row > 0 {
			m[t.ref(id)] = uint32(row)
		}
	}
	return func(r uint32) uint32 { return m[r] }
}

// numbers is the ID column: nil when rows are numbered densely.
func (t *ids) numbers() []uint64 {
	if t.dense() {
		return nil
	}
	return t.rows
}

// stringRefs are the header's references into the string table, resolved at
// the end because the table follows what refers to it.
type stringRefs struct {
	types, units         []uint64
	comments             []uint64
	periodType, perUnit  uint64
	drop, keep, dflt, ur uint64
}

type decoder struct {
	in   *stream
	opt  Options
	p    *profile.Profile
	cost int64 // bytes charged for tables

	functions, locations, mappings ids
	mappingRefs                    []struct{ file, build uint64 }
	hdr                            stringRefs

	arena   []byte // string table, one after the other
	strEnds []int

	stacks   profile.StackInterner
	labels   profile.LabelInterner
	labelBuf []profile.Label
	valueBuf []int64
	zeroLoc  bool
	sample   int    // number of samples read
	emptyKey uint64 // largest key of the labels without a value, which are left out
}

func newDecoder(opt Options) *decoder {
	st := opt.Storage
	if st != nil && st.d != nil {
		st.d.reset(opt)
		return st.d
	}
	d := &decoder{opt: opt, p: profile.NewEmpty()}
	d.functions.rows = make([]uint64, 1)
	d.locations.rows = make([]uint64, 1)
	d.mappings.rows = make([]uint64, 1)
	d.mappingRefs = make([]struct{ file, build uint64 }, 1)
	// In large profiles a frame takes about three bytes of the input. Pages
	// that are reserved but not touched cost nothing.
	if n := min(opt.SizeHint, opt.MaxBytes) / 3; n > 1<<10 {
		d.p.Stacks.Frames = make([]profile.LocationID, 0, n)
	}
	d.reserve(int(min(opt.SizeHint, opt.MaxBytes, 4<<20)))
	if st != nil {
		st.d = d
	}
	return d
}

// first is s cut to at most n elements, and to no less than n.
func first[T any](s []T, n int) []T {
	for len(s) < n {
		var zero T
		s = append(s, zero)
	}
	return s[:n]
}

// reset empties the tables but keeps their memory.
func (d *decoder) reset(opt Options) {
	p := d.p
	f, l, s := p.Functions, p.Locations, p.Samples
	*p = profile.Profile{
		Strings: append(p.Strings[:0], ""), Mappings: first(p.Mappings, 1), SampleTypes: p.SampleTypes[:0],
		Functions: profile.Functions{
			Name: first(f.Name, 1), SystemName: first(f.SystemName, 1), File: first(f.File, 1), StartLine: first(f.StartLine, 1),
		},
		Locations: profile.Locations{
			Address: first(l.Address, 1), Mapping: first(l.Mapping, 1), LineOffsets: first(l.LineOffsets, 2), Lines: l.Lines[:0],
		},
		Stacks:    profile.Stacks{Offsets: first(p.Stacks.Offsets, 2), Frames: p.Stacks.Frames[:0]},
		LabelSets: profile.LabelSets{Offsets: first(p.LabelSets.Offsets, 2), Labels: p.LabelSets.Labels[:0]},
		Samples:   profile.Samples{Stack: s.Stack[:0], Labels: s.Labels[:0], Values: s.Values[:0]},
	}
	d.opt, d.cost, d.sample, d.zeroLoc, d.emptyKey = opt, 0, 0, false, 0
	for _, t := range []*ids{&d.functions, &d.locations, &d.mappings} {
		*t = ids{rows: first(t.rows, 1)}
	}
	d.mappingRefs = first(d.mappingRefs, 1)
	d.hdr = stringRefs{types: d.hdr.types[:0], units: d.hdr.units[:0], comments: d.hdr.comments[:0]}
	d.arena, d.strEnds = d.arena[:0], d.strEnds[:0]
	d.stacks.Reset()
	d.labels.Reset()
}

// reserve makes room for the symbol tables of an ordinary profile of size
// bytes, so that small profiles are decoded without growing them.
func (d *decoder) reserve(size int) {
	if size == 0 {
		return
	}
	locations, functions := 16+size/64, 16+size/96
	l, f := &d.p.Locations, &d.p.Functions
	l.Address = grown(l.Address, locations)
	l.Mapping = grown(l.Mapping, locations)
	l.LineOffsets = grown(l.LineOffsets, locations+2)
	l.Lines = grown(l.Lines, locations)
	d.locations.rows = grown(d.locations.rows, locations)
	f.Name = grown(f.Name, functions)
	f.SystemName = grown(f.SystemName, functions)
	f.File = grown(f.File, functions)
	f.StartLine = grown(f.StartLine, functions)
	d.functions.rows = grown(d.functions.rows, functions)
	d.strEnds = make([]int, 0, 16+size/48)
	d.arena = make([]byte, 0, size/2)
}

func grown[T any](s []T, n int) []T {
	return append(make([]T, 0, max(n, len(s))), s...)
}

// growthSlack is what a table takes while it grows, for each byte in it: the
// copy that append makes, and old copies that are not yet collected.
const growthSlack = 4

// charge accounts n bytes of table memory.
func (d *decoder) charge(n int) error {
	d.cost += growthSlack * int64(n)
	if d.cost > d.opt.MaxBytes {
		return tooLarge(d.opt.MaxBytes)
	}
	return nil
}

// run reads every field of the message.
func (d *decoder) run() error {
	for {
		at := d.in.offset()
		key, err := d.in.varint()
		if err == io.EOF {
			if at == 0 {
				return ErrEmpty
			}
			return nil
		}
		if err == nil {
			err = d.field(int(key>>3), int(key&7))
		}
		if err != nil {
			if errors.Is(err, ErrTooLarge) || errors.Is(err, ErrConcatenated) {
				return err
			}
			return fmt.Errorf("profile.proto at byte %d: %w", at, err)
		}
	}
}

// field reads the value of one top-level field.
func (d *decoder) field(num, wire int) error {
	switch wire {
	case wireVarint:
		v, err := d.in.varint()
		if err == io.EOF {
			err = errTruncated
		}
		if err != nil {
			return err
		}
		return d.scalar(num, v)
	case wireBytes:
		n, err := d.in.varint()
		if err == io.EOF {
			err = errTruncated
		}
		if err != nil {
			return err
		}
		b, err := d.in.bytes(n)
		if err != nil {
			return err
		}
		return d.message(num, b)
	case wireI64, wireI32:
		n := uint64(8)
		if wire == wireI32 {
			n = 4
		}
		if num >= 1 && num <= 15 {
			return fmt.Errorf("field %d: wire type %d", num, wire)
		}
		_, err := d.in.bytes(n)
		return err
	}
	return fmt.Errorf("field %d: unknown wire type %d", num, wire)
}

func (d *decoder) scalar(num int, v uint64) error {
	switch num {
	case 1, 2, 3, 4, 5, 6, 11:
		return fmt.Errorf("field %d: a number where a message belongs", num)
	case 7:
		d.hdr.drop = v
	case 8:
		d.hdr.keep = v
	case 9:
		if d.p.TimeNanos != 0 {
			return ErrConcatenated
		}
		d.p.TimeNanos = int64(v)
	case 10:
		d.p.DurationNanos = int64(v)
	case 12:
		d.p.Period = int64(v)
	case 13:
		d.hdr.comments = append(d.hdr.comments, v)
		return d.charge(24)
	case 14:
		d.hdr.dflt = v
	case 15:
		d.hdr.ur = v
	}
	return nil
}

func (d *decoder) message(num int, b []byte) error {
	switch num {
	case 1:
		typ, unit, err := valueType(b)
		if err != nil {
			return fmt.Errorf("sample type %d: %w", len(d.hdr.types), err)
		}
		d.hdr.types = append(d.hdr.types, typ)
		d.hdr.units = append(d.hdr.units, unit)
		return d.charge(64)
	case 2:
		if err := d.readSample(b); err != nil {
			return fmt.Errorf("sample %d: %w", d.sample, err)
		}
		d.sample++
		return nil
	case 3:
		if err := d.readMapping(b); err != nil {
			return fmt.Errorf("mapping %d: %w", len(d.mappings.rows), err)
		}
		return nil
	case 4:
		if err := d.readLocation(b); err != nil {
			return fmt.Errorf("location %d: %w", len(d.locations.rows), err)
		}
		return nil
	case 5:
		if err := d.readFunction(b); err != nil {
			return fmt.Errorf("function %d: %w", len(d.functions.rows), err)
		}
		return nil
	case 6:
		if len(d.strEnds) == 0 && len(b) > 0 {
			return errors.New("string_table[0] must be ''")
		}
		d.arena = append(d.arena, b...)
		d.strEnds = append(d.strEnds, len(d.arena))
		return d.charge(24 + len(b))
	case 11:
		var err error
		d.hdr.periodType, d.hdr.perUnit, err = valueType(b)
		return err
	case 13:
		for len(b) > 0 {
			v, n := varint(b)
			if n == 0 {
				return errTruncated
			}
			d.hdr.comments = append(d.hdr.comments, v)
			b = b[n:]
			if err := d.charge(24); err != nil {
				return err
			}
		}
	case 7, 8, 9, 10, 12, 14, 15:
		return fmt.Errorf("field %d: a message where a number belongs", num)
	}
	return nil
}

func valueType(b []byte) (typ, unit uint64, err error) {
	var v [3]uint64
	err = numbers(b, v[:])
	return v[1], v[2], err
}
