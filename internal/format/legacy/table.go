// Package legacy reads the profile formats that came before profile.proto:
// the binary CPU profiles of gperftools, the text profiles of gperftools
// (heap, growth, contention, threads) and of the Java agent, the debug=1
// texts of the Go runtime, which are the same texts with the symbols in
// comments, and the heap_v2 dumps of jemalloc.
//
// Each format has a Looks function, which decides on the first bytes of a
// file, and a Decode function. All collect into one table and leave the
// numbering to it: locations are numbered in the order the samples use them,
// mappings by the memory map at the end of the file, so that a profile shows
// the same numbers as in pprof.
package legacy

import (
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// loc is an index into table.addrs. It is not the number of the location: the
// number is given by first use when the table is finished.
type loc int32

// frame is one source frame of a location, as a text names it.
type frame struct {
	function, file string
	line           int64
}

// row is one sample of a table.
type row struct {
	first, n  int // frames: table.frames[first : first+n], leaf first
	blockSize int64
	hasBlock  bool // blockSize becomes the label "bytes"
	labels    []stringLabel
	shown     int // frames before this one were left out of the symbols
	symbols   bool
}

type stringLabel struct{ key, value string }

// table collects a profile while a file is read.
type table struct {
	head *profile.Builder
	p    *profile.Profile

	addrs  []uint64 // by loc, in order of appearance
	byAddr map[uint64]loc
	lines  map[loc][]frame // innermost first
	rows   []row
	frames []loc
	values []int64 // len(p.SampleTypes) a row
	maps   []profile.Mapping

	// keepAddrs false: a location with lines loses its address (Java).
	keepAddrs bool
}

func newTable(period profile.ValueType, n int64, types ...profile.ValueType) *table {
	b := profile.NewBuilder(types...)
	p := b.Header()
	p.PeriodType, p.Period = period, n
	return &table{head: b, p: p, byAddr: map[uint64]loc{}, lines: map[loc][]frame{}, keepAddrs: true}
}

// types of the values most formats have.
func count(name string) profile.ValueType { return profile.ValueType{Type: name, Unit: "count"} }
func nanos(name string) profile.ValueType { return profile.ValueType{Type: name, Unit: "nanoseconds"} }
func bytesOf(name string) profile.ValueType {
	return profile.ValueType{Type: name, Unit: "bytes"}
}

// loc is the location at addr.
func (t *table) loc(addr uint64) loc {
	l, ok := t.byAddr[addr]
	if !ok {
		l = loc(len(t.addrs))
		t.addrs = append(t.addrs, addr)
		t.byAddr[addr] = l
	}
	return l
}

// adjust says which addresses of a stack are return addresses: those are
// lowered by 1 to lie on the call instruction.
type adjust int

const (
	adjustNone adjust = iota
	adjustCallers
	adjustAll
)

// add appends a sample. addrs are leaf first and not kept.
func (t *table) add(addrs []uint64, adj adjust, values ...int64) *row {
	r := row{first: len(t.frames), n: len(addrs)}
	for i, a := range addrs {
		if adj == adjustAll || adj == adjustCallers && i > 0 {
			a--
		}
		t.frames = append(t.frames, t.loc(a))
	}
	t.rows = append(t.rows, r)
	t.values = append(t.values, values...)
	return &t.rows[len(t.rows)-1]
}

// stack is the frames of r, leaf first; owned by t.
func (t *table) stack(r *row) []loc { return t.frames[r.first : r.first+r.n] }

// dropSecond takes the frame behind the leaf out of r.
func (t *table) dropSecond(r *row) {
	s := t.stack(r)
	copy(s[1:], s[2:])
	r.n--
}

// dropDuplicateLeaf removes the caller of a leaf where it is the leaf again:
// profilers that take the leaf from the signal context and the rest from an
// unwinder record it twice, the second time lowered by 1.
func (t *table) dropDuplicateLeaf() {
	for i := range t.rows {
		if s := t.stack(&t.rows[i]); len(s) > 1 && t.addrs[s[0]] == t.addrs[s[1]]+1 {
			t.dropSecond(&t.rows[i])
		}
	}
}

// number gives every location in use its number, in the order of use.
func (t *table) number() (order []loc, ids []profile.LocationID) {
	ids = make([]profile.LocationID, len(t.addrs))
	for i := range t.rows {
		for _, l := range t.stack(&t.rows[i]) {
			if ids[l] == 0 {
				order = append(order, l)
				ids[l] = profile.LocationID(len(order))
			}
		}
	}
	return order, ids
}

// finish numbers the locations, places them in the mappings and builds the
// profile. With dedupe, duplicate leaves are dropped behind the numbering, so
// that the locations they leave behind keep their numbers.
func (t *table) finish(dedupe bool) (*profile.Profile, error) {
	t.nameHidden()
	order, ids := t.number()
	if dedupe {
		t.dropDuplicateLeaf()
	}
	place := newPlacer(t.maps)
	mappingOf := make([]int, len(order))
	for i, l := range order {
		mappingOf[i] = place.find(t.address(l))
	}
	if place.warning != nil {
		t.p.Warnings = append(t.p.Warnings, place.warning)
	}
	t.flagSymbols(place.maps, order, mappingOf)
	b := t.head
	for i, m := range place.maps {
		m.ID = uint64(i + 1)
		b.AddMapping(m)
	}
	for i, l := range order {
		t.addLocation(l, profile.MappingID(mappingOf[i]+1))
	}
	var stack []profile.LocationID
	nt := len(t.p.SampleTypes)
	for i := range t.rows {
		r := &t.rows[i]
		stack = stack[:0]
		for _, l := range t.stack(r) {
			stack = append(stack, ids[l])
		}
		b.Sample(stack, t.values[i*nt:(i+1)*nt], t.labels(r)...)
	}
	t.p.DropFrames, t.p.KeepFrames = boringFrames(t.p)
	return b.Profile()
}

// address is what a location is placed by. A Java location with lines has
// none: its number is no machine address.
func (t *table) address(l loc) uint64 {
	if !t.keepAddrs && len(t.lines[l]) > 0 {
		return 0
	}
	return t.addrs[l]
}

func (t *table) addLocation(l loc, m profile.MappingID) {
	b := t.head
	var lines []profile.Line
	for _, f := range t.lines[l] {
		lines = append(lines, profile.Line{Function: b.Function(f.function, f.function, f.file, 0), Line: f.line})
	}
	addr := t.address(l)
	if !t.keepAddrs {
		addr = 0
	}
	b.AddLocation(m, addr, false, lines...)
}

func (t *table) labels(r *row) []profile.Label {
	var labels []profile.Label
	if r.hasBlock {
		labels = append(labels, t.head.NumLabel("bytes", r.blockSize, ""))
	}
	for _, l := range r.labels {
		labels = append(labels, t.head.StringLabel(l.key, l.value))
	}
	return labels
}

// valid is s with every invalid UTF-8 sequence replaced, for names that come
// from text.
func valid(s []byte) string { return strings.ToValidUTF8(string(s), "\uFFFD") }
