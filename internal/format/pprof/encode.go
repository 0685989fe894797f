package pprof

import (
	"io"

	"github.com/profoundhq/profound/internal/profile"
)

// Encode writes p as one uncompressed profile.proto message. The same profile
// gives the same bytes: fields in the order of their numbers, repeated numbers
// packed when there are more than two, the string table in the order of first
// use.
func Encode(w io.Writer, p *profile.Profile) error {
	e := &encoder{w: w, p: p, byID: make([]uint64, len(p.Strings))}
	e.byContent = make(map[string]uint64, len(p.Strings))
	e.strings = make([]string, 0, len(p.Strings))
	e.out = make([]byte, 0, 2*encodeChunk)
	e.str("")
	e.types()
	for i := range p.Samples.Len() {
		e.sample(i)
	}
	for i := 1; i < len(p.Mappings); i++ {
		e.mapping(&p.Mappings[i])
	}
	for i := 1; i < p.Locations.Len(); i++ {
		e.location(profile.LocationID(i))
	}
	for i := 1; i < p.Functions.Len(); i++ {
		e.function(profile.FunctionID(i))
	}
	e.trailer()
	e.flush(true)
	return e.err
}

type encoder struct {
	w   io.Writer
	p   *profile.Profile
	err error

	out []byte // bytes not yet written
	msg []byte // the message being built

	byContent map[string]uint64
	byID      []uint64 // string index + 1 by StringID, 0 when not yet used
	strings   []string
}

const encodeChunk = 64 << 10

func (e *encoder) flush(all bool) {
	if len(e.out) >= encodeChunk || all {
		if e.err == nil {
			_, e.err = e.w.Write(e.out)
		}
		e.out = e.out[:0]
	}
}

// str is the index of s in the table being written.
func (e *encoder) str(s string) uint64 {
	if i, ok := e.byContent[s]; ok {
		return i
	}
	i := uint64(len(e.strings))
	e.strings = append(e.strings, s)
	e.byContent[s] = i
	return i
}

func (e *encoder) id(id profile.StringID) uint64 {
	if v := e.byID[id]; v != 0 {
		return v - 1
	}
	v := e.str(e.p.Strings[id])
	e.byID[id] = v + 1
	return v
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// opt appends a scalar field unless it is 0.
func opt(b []byte, num int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendVarint(append(b, byte(num<<3)), v)
}

func optBool(b []byte, num int, v bool) []byte {
	if !v {
		return b
	}
	return append(b, byte(num<<3), 1)
}

// emit writes e.msg as field num of the profile and clears it.
func (e *encoder) emit(num int) {
	e.out = append(e.out, byte(num<<3|wireBytes))
	e.out = appendVarint(e.out, uint64(len(e.msg)))
	e.out = append(e.out, e.msg...)
	e.msg = e.msg[:0]
	e.flush(false)
}

func (e *encoder) valueType(num int, t profile.ValueType) {
	e.msg = opt(e.msg, 1, e.str(t.Type))
	e.msg = opt(e.msg, 2, e.str(t.Unit))
	e.emit(num)
}

func (e *encoder) types() {
	for _, t := range e.p.SampleTypes {
		e.valueType(1, t)
	}
}

// sample builds sample i. A packed list needs its length first, which a first
// pass over the values gives.
func (e *encoder) sample(i int) {
	p := e.p
	frames := p.Stacks.Of(p.Samples.Stack[i])
	if len(frames) > 2 {
		n := 0
		for _, f := range frames {
			n += varintLen(p.Locations.Number(f))
		}
		e.msg = append(e.msg, 1<<3|wireBytes)
		e.msg = appendVarint(e.msg, uint64(n))
		for _, f := range frames {
			e.msg = appendVarint(e.msg, p.Locations.Number(f))
		}
	} else {
		for _, f := range frames {
			e.msg = appendVarint(append(e.msg, 1<<3), p.Locations.Number(f))
		}
	}
	values := p.Samples.Values
	if len(values) > 2 {
		n := 0
		for _, v := range values {
			n += varintLen(uint64(v[i]))
		}
		e.msg = append(e.msg, 2<<3|wireBytes)
		e.msg = appendVarint(e.msg, uint64(n))
		for _, v := range values {
			e.msg = appendVarint(e.msg, uint64(v[i]))
		}
	} else {
		for _, v := range values {
			e.msg = appendVarint(append(e.msg, 2<<3), uint64(v[i]))
		}
	}
	var buf [44]byte
	for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
		b := opt(buf[:0], 1, e.id(l.Key))
		b = opt(b, 2, e.id(l.Str))
		b = opt(b, 3, uint64(l.Num))
		b = opt(b, 4, e.id(l.Unit))
		e.msg = append(e.msg, 3<<3|wireBytes, byte(len(b)))
		e.msg = append(e.msg, b...)
	}
	e.emit(2)
}

func varintLen(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}

func (e *encoder) mapping(m *profile.Mapping) {
	b := opt(e.msg, 1, m.ID)
	b = opt(b, 2, m.Start)
	b = opt(b, 3, m.Limit)
	b = opt(b, 4, m.Offset)
	b = opt(b, 5, e.str(m.File))
	b = opt(b, 6, e.str(m.BuildID))
	b = optBool(b, 7, m.HasFunctions)
	b = optBool(b, 8, m.HasFilenames)
	b = optBool(b, 9, m.HasLineNumbers)
	e.msg = optBool(b, 10, m.HasInlineFrames)
	e.emit(3)
}

func (e *encoder) location(id profile.LocationID) {
	p := e.p
	b := opt(e.msg, 1, p.Locations.Number(id))
	b = opt(b, 2, p.Mappings[p.Locations.Mapping[id]].ID)
	b = opt(b, 3, p.Locations.Address[id])
	var buf [33]byte
	for _, ln := range p.Locations.LinesOf(id) {
		m := opt(buf[:0], 1, p.Functions.Number(ln.Function))
		m = opt(m, 2, uint64(ln.Line))
		m = opt(m, 3, uint64(ln.Column))
		b = append(b, 4<<3|wireBytes, byte(len(m)))
		b = append(b, m...)
	}
	e.msg = optBool(b, 5, p.Locations.IsFolded(id))
	e.emit(4)
}

func (e *encoder) function(id profile.FunctionID) {
	f := &e.p.Functions
	b := opt(e.msg, 1, f.Number(id))
	b = opt(b, 2, e.id(f.Name[id]))
	b = opt(b, 3, e.id(f.SystemName[id]))
	b = opt(b, 4, e.id(f.File[id]))
	e.msg = opt(b, 5, uint64(f.StartLine[id]))
	e.emit(5)
}

// trailer writes the string table and what follows it. The header's strings
// enter the table first, because the table precedes them.
func (e *encoder) trailer() {
	p := e.p
	drop, keep := e.str(p.DropFrames), e.str(p.KeepFrames)
	ptype, punit := e.str(p.PeriodType.Type), e.str(p.PeriodType.Unit)
	var comments []uint64
	for _, c := range p.Comments {
		comments = append(comments, e.str(c))
	}
	dflt, doc := e.str(p.DefaultSampleType), e.str(p.DocURL)
	for _, s := range e.strings {
		e.out = append(e.out, 6<<3|wireBytes)
		e.out = appendVarint(e.out, uint64(len(s)))
		e.out = append(e.out, s...)
		e.flush(false)
	}
	b := opt(e.out, 7, drop)
	b = opt(b, 8, keep)
	b = opt(b, 9, uint64(p.TimeNanos))
	b = opt(b, 10, uint64(p.DurationNanos))
	if ptype != 0 || punit != 0 {
		m := opt(opt(nil, 1, ptype), 2, punit)
		b = append(b, 11<<3|wireBytes, byte(len(m)))
		b = append(b, m...)
	}
	b = opt(b, 12, uint64(p.Period))
	if len(comments) > 2 {
		var packed []byte
		for _, c := range comments {
			packed = appendVarint(packed, c)
		}
		b = append(b, 13<<3|wireBytes)
		b = appendVarint(b, uint64(len(packed)))
		b = append(b, packed...)
	} else {
		for _, c := range comments {
			b = appendVarint(append(b, 13<<3), c)
		}
	}
	b = appendVarint(append(b, 14<<3), dflt)
	e.out = opt(b, 15, doc)
}
