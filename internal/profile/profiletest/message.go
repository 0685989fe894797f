// Package profiletest makes profile.proto messages for tests: random ones of
// a chosen shape, and any one by hand, written in every way the wire format
// allows. It knows the format, not our model of it, so that decoders can be
// tested against it.
package profiletest

import "encoding/binary"

// Message is a profile.proto message with its strings in place.
type Message struct {
	Types         []ValueType
	Samples       []Sample
	Mappings      []Mapping
	Locations     []Location
	Functions     []Function
	Drop, Keep    string
	TimeNanos     int64
	DurationNanos int64
	PeriodType    *ValueType
	Period        int64
	Comments      []string
	Default       string
	Doc           string
}

// ValueType is a message of that name.
type ValueType struct{ Type, Unit string }

// Sample is a message of that name, leaf first.
type Sample struct {
	Locations []uint64
	Values    []int64
	Labels    []Label
}

// Label has a string or a number.
type Label struct {
	Key, Str string
	Num      int64
	Unit     string
}

// Mapping is a message of that name.
type Mapping struct {
	ID, Start, Limit, Offset         uint64
	File, BuildID                    string
	Functions, Files, Lines, Inlines bool
}

// Location is a message of that name, innermost line first.
type Location struct {
	ID, Mapping, Address uint64
	Lines                []Line
	Folded               bool
}

// Line is a message of that name.
type Line struct {
	Function     uint64
	Line, Column int64
}

// Function is a message of that name.
type Function struct {
	ID                 uint64
	Name, System, File string
	Start              int64
}

// Numbers of the fields of a profile.
const (
	FieldType     = 1
	FieldSample   = 2
	FieldMapping  = 3
	FieldLocation = 4
	FieldFunction = 5
	FieldString   = 6
	FieldRest     = 7 // and all that follow
)

// Wire chooses among the ways to write a message.
type Wire struct {
	// Unpacked writes one field for each element of a repeated number.
	Unpacked bool
	// Unknown adds fields of every wire type that the format does not have.
	Unknown bool
	// Order is the order of the fields; nil is that of their numbers.
	Order []int
}

// Bytes encodes the message.
func (m *Message) Bytes(w Wire) []byte {
	e := encoder{wire: w, index: map[string]uint64{}}
	e.str("")
	parts := map[int][]byte{}
	part := func(num int, f func(*buffer)) {
		var b buffer
		f(&b)
		if w.Unknown {
			e.unknown(&b)
		}
		parts[num] = b
	}
	part(FieldType, func(b *buffer) {
		for _, t := range m.Types {
			b.message(1, e.valueType(t))
		}
	})
	part(FieldSample, func(b *buffer) {
		for i := range m.Samples {
			b.message(2, e.sample(&m.Samples[i]))
		}
	})
	part(FieldMapping, func(b *buffer) {
		for i := range m.Mappings {
			b.message(3, e.mapping(&m.Mappings[i]))
		}
	})
	part(FieldLocation, func(b *buffer) {
		for i := range m.Locations {
			b.message(4, e.location(&m.Locations[i]))
		}
	})
	part(FieldFunction, func(b *buffer) {
		for i := range m.Functions {
			b.message(5, e.function(&m.Functions[i]))
		}
	})
	part(FieldRest, func(b *buffer) { e.rest(b, m) })
	part(FieldString, func(b *buffer) {
		for _, s := range e.strings {
			b.message(6, []byte(s))
		}
	})
	order := w.Order
	if order == nil {
		order = []int{1, 2, 3, 4, 5, 6, 7}
	}
	var out []byte
	for _, num := range order {
		out = append(out, parts[num]...)
	}
	return out
}

type encoder struct {
	wire    Wire
	strings []string
	index   map[string]uint64
}

func (e *encoder) str(s string) uint64 {
	i, ok := e.index[s]
	if !ok {
		i = uint64(len(e.strings))
		e.index[s] = i
		e.strings = append(e.strings, s)
	}
	return i
}

// buffer is a message being written.
type buffer []byte

func (b *buffer) uint(num int, v uint64) {
	if v != 0 {
		b.always(num, v)
	}
}

func (b *buffer) always(num int, v uint64) {
	*b = binary.AppendUvarint(*b, uint64(num)<<3)
	*b = binary.AppendUvarint(*b, v)
}

func (b *buffer) bool(num int, v bool) {
	if v {
		b.always(num, 1)
	}
}

func (b *buffer) message(num int, m []byte) {
	*b = binary.AppendUvarint(*b, uint64(num)<<3|2)
	*b = binary.AppendUvarint(*b, uint64(len(m)))
	*b = append(*b, m...)
}

func (e *encoder) list(b *buffer, num int, vs []uint64) {
	if e.wire.Unpacked {
		for _, v := range vs {
			b.always(num, v)
		}
		return
	}
	var p []byte
	for _, v := range vs {
		p = binary.AppendUvarint(p, v)
	}
	b.message(num, p)
}

// unknown adds a number, a fixed64, bytes and a fixed32.
func (e *encoder) unknown(b *buffer) {
	b.always(100, 1<<40)
	*b = binary.AppendUvarint(*b, 101<<3|1)
	*b = append(*b, 1, 2, 3, 4, 5, 6, 7, 8)
	b.message(102, []byte("later"))
	*b = binary.AppendUvarint(*b, 103<<3|5)
	*b = append(*b, 1, 2, 3, 4)
}

func (e *encoder) done(b buffer) []byte {
	if e.wire.Unknown {
		e.unknown(&b)
	}
	return b
}

func (e *encoder) valueType(t ValueType) []byte {
	var b buffer
	b.uint(1, e.str(t.Type))
	b.uint(2, e.str(t.Unit))
	return e.done(b)
}

func (e *encoder) sample(s *Sample) []byte {
	var b buffer
	if len(s.Locations) > 0 {
		e.list(&b, 1, s.Locations)
	}
	values := make([]uint64, len(s.Values))
	for i, v := range s.Values {
		values[i] = uint64(v)
	}
	if len(values) > 0 {
		e.list(&b, 2, values)
	}
	for _, l := range s.Labels {
		var m buffer
		m.uint(1, e.str(l.Key))
		m.uint(2, e.str(l.Str))
		m.uint(3, uint64(l.Num))
		m.uint(4, e.str(l.Unit))
		b.message(3, e.done(m))
	}
	return e.done(b)
}

func (e *encoder) mapping(m *Mapping) []byte {
	var b buffer
	b.uint(1, m.ID)
	b.uint(2, m.Start)
	b.uint(3, m.Limit)
	b.uint(4, m.Offset)
	b.uint(5, e.str(m.File))
	b.uint(6, e.str(m.BuildID))
	b.bool(7, m.Functions)
	b.bool(8, m.Files)
	b.bool(9, m.Lines)
	b.bool(10, m.Inlines)
	return e.done(b)
}

func (e *encoder) location(l *Location) []byte {
	var b buffer
	b.uint(1, l.ID)
	b.uint(2, l.Mapping)
	b.uint(3, l.Address)
	for _, ln := range l.Lines {
		var m buffer
		m.uint(1, ln.Function)
		m.uint(2, uint64(ln.Line))
		m.uint(3, uint64(ln.Column))
		b.message(4, e.done(m))
	}
	b.bool(5, l.Folded)
	return e.done(b)
}

func (e *encoder) function(f *Function) []byte {
	var b buffer
	b.uint(1, f.ID)
	b.uint(2, e.str(f.Name))
	b.uint(3, e.str(f.System))
	b.uint(4, e.str(f.File))
	b.uint(5, uint64(f.Start))
	return e.done(b)
}

func (e *encoder) rest(b *buffer, m *Message) {
	b.uint(7, e.str(m.Drop))
	b.uint(8, e.str(m.Keep))
	b.uint(9, uint64(m.TimeNanos))
	b.uint(10, uint64(m.DurationNanos))
	if m.PeriodType != nil {
		b.message(11, e.valueType(*m.PeriodType))
	}
	b.uint(12, uint64(m.Period))
	comments := make([]uint64, len(m.Comments))
	for i, c := range m.Comments {
		comments[i] = e.str(c)
	}
	if len(comments) > 0 {
		e.list(b, 13, comments)
	}
	b.uint(14, e.str(m.Default))
	b.uint(15, e.str(m.Doc))
}
