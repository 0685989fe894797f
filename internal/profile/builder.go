package profile

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sort"
	"strings"
)

// Builder assembles a Profile row by row. Strings, functions, stacks and
// label sets are interned; mappings and locations are interned by Location
// and Mapping and appended by AddMapping and AddLocation, for inputs whose
// numbering must survive. A Builder serves one goroutine.
type Builder struct {
	p         *Profile
	strings   rowTable
	seed      maphash.Seed
	functions rowTable
	mappings  map[Mapping]MappingID
	locations rowTable
	stacks    StackInterner
	labels    LabelInterner
}

type functionKey struct {
	name, system, file StringID
	start              int64
}

// NewBuilder starts a profile with the given value types.
func NewBuilder(types ...ValueType) *Builder {
	p := NewEmpty()
	p.SampleTypes = slices.Clone(types)
	p.Samples.Values = make([][]int64, len(types))
	return &Builder{
		p:        p,
		seed:     maphash.MakeSeed(),
		mappings: map[Mapping]MappingID{},
	}
}

// NewEmpty is a profile with the none row of every table and nothing else.
func NewEmpty() *Profile {
	return &Profile{
		Strings:  []string{""},
		Mappings: make([]Mapping, 1),
		Functions: Functions{
			Name: make([]StringID, 1), SystemName: make([]StringID, 1),
			File: make([]StringID, 1), StartLine: make([]int64, 1),
		},
		Locations: Locations{
			Address: make([]uint64, 1), Mapping: make([]MappingID, 1),
			LineOffsets: make([]uint32, 2),
		},
		Stacks:    Stacks{Offsets: make([]uint64, 2)},
		LabelSets: LabelSets{Offsets: make([]uint32, 2)},
	}
}

// Header gives access to the fields that are no tables (types, period, time,
// comments, drop frames ...), to be set before Profile is called.
func (b *Builder) Header() *Profile { return b.p }

// push is append to a table being built. append would add a quarter to a large
// table and so copy it again and again. The memory that is still free is not
// touched and costs nothing.
func push[T any](table []T, rows ...T) []T {
	if n := len(table) + len(rows); n > cap(table) {
		const small = 1 << 16 // rows
		factor := 2
		if n < small {
			factor = 4
		}
		table = append(make([]T, 0, max(factor*n, 16)), table...)
	}
	return append(table, rows...)
}

// String interns s.
func (b *Builder) String(s string) StringID {
	return b.intern(s, func() string { return s })
}

// stringCopy is String for strings whose memory is lent.
func (b *Builder) stringCopy(s string) StringID {
	return b.intern(s, func() string { return strings.Clone(s) })
}

// intern is the row of s; keep gives the string to be kept in a new one.
func (b *Builder) intern(s string, keep func() string) StringID {
	if s == "" {
		return 0
	}
	slot, found := b.strings.find(uint32(maphash.String(b.seed, s)), func(id uint32) bool { return b.p.Strings[id] == s })
	if !found {
		slot.id = uint32(len(b.p.Strings))
		b.p.Strings = push(b.p.Strings, keep())
	}
	return StringID(slot.id)
}

// Function interns a function; start is its first line, 0 if unknown.
func (b *Builder) Function(name, system, file string, start int64) FunctionID {
	return b.internFunction(functionKey{b.String(name), b.String(system), b.String(file), start})
}

func (b *Builder) internFunction(k functionKey) FunctionID {
	t, f := &b.functions, &b.p.Functions
	h := mix(mix(uint64(k.name)<<32|uint64(k.system), uint64(k.file)), uint64(k.start))
	slot, found := t.find(uint32(h^h>>32), func(id uint32) bool {
		return f.Name[id] == k.name && f.SystemName[id] == k.system && f.File[id] == k.file && f.StartLine[id] == k.start
	})
	if found {
		return FunctionID(slot.id)
	}
	id := FunctionID(f.Len())
	f.Name = push(f.Name, k.name)
	f.SystemName = push(f.SystemName, k.system)
	f.File = push(f.File, k.file)
	f.StartLine = push(f.StartLine, k.start)
	slot.id = uint32(id)
	return id
}

// AddMapping appends a mapping; an ID of 0 becomes its row number.
func (b *Builder) AddMapping(m Mapping) MappingID {
	id := MappingID(len(b.p.Mappings))
	if m.ID == 0 {
		m.ID = uint64(id)
	}
	b.p.Mappings = append(b.p.Mappings, m)
	return id
}

// Mapping interns a mapping by all its fields.
func (b *Builder) Mapping(m Mapping) MappingID {
	m.ID = 0
	if id, ok := b.mappings[m]; ok {
		return id
	}
	id := b.AddMapping(m)
	b.mappings[m] = id
	return id
}

// AddLocation appends a location with its lines, innermost first.
func (b *Builder) AddLocation(m MappingID, address uint64, folded bool, lines ...Line) LocationID {
	l := &b.p.Locations
	id := LocationID(l.Len())
	l.Address = push(l.Address, address)
	l.Mapping = push(l.Mapping, m)
	if folded && l.Folded == nil {
		l.Folded = make([]bool, id, id+1)
	}
	if l.Folded != nil {
		l.Folded = append(l.Folded, folded)
	}
	l.Lines = push(l.Lines, lines...)
	l.LineOffsets = push(l.LineOffsets, uint32(len(l.Lines)))
	return id
}

// Location interns a location by mapping, address and lines.
func (b *Builder) Location(m MappingID, address uint64, lines ...Line) LocationID {
	return b.internLocation(m, address, false, lines)
}

// internLocation finds an equal location or appends one. Its place in the
// mapping is compared, so that it does not matter where the mapping was
// loaded.
func (b *Builder) internLocation(m MappingID, address uint64, folded bool, lines []Line) LocationID {
	l := &b.p.Locations
	slot, found := b.locations.find(hashLocation(m, address, folded, lines), func(row uint32) bool {
		id := LocationID(row)
		return l.Mapping[id] == m && l.Address[id] == address && l.IsFolded(id) == folded && slices.Equal(l.LinesOf(id), lines)
	})
	if !found {
		slot.id = uint32(b.AddLocation(m, address, folded, lines...))
	}
	return LocationID(slot.id)
}

func hashLocation(m MappingID, address uint64, folded bool, lines []Line) uint32 {
	h := mix(uint64(m)<<1, address)
	if folded {
		h++
	}
	for _, ln := range lines {
		h = mix(h, uint64(ln.Function)<<32^uint64(ln.Line))
		if ln.Column != 0 {
			h = mix(h, uint64(ln.Column))
		}
	}
	return uint32(h ^ h>>32)
}

// StringLabel makes a label with a string value.
func (b *Builder) StringLabel(key, value string) Label {
	return Label{Key: b.String(key), Str: b.String(value)}
}

// NumLabel makes a label with a numeric value; unit may be "".
func (b *Builder) NumLabel(key string, value int64, unit string) Label {
	return Label{Key: b.String(key), Num: value, Unit: b.String(unit)}
}

// Sample appends a sample: frames leaf first, one value for each type.
// Labels may come in any order.
func (b *Builder) Sample(frames []LocationID, values []int64, labels ...Label) {
	p := b.p
	if len(labels) > 1 {
		labels = slices.Clone(labels)
		SortLabels(labels, p.Strings)
	}
	p.Samples.Stack = append(p.Samples.Stack, b.stacks.Intern(&p.Stacks, frames))
	p.Samples.Labels = append(p.Samples.Labels, b.labels.Intern(&p.LabelSets, labels))
	for i := range p.Samples.Values {
		p.Samples.Values[i] = append(p.Samples.Values[i], values[i])
	}
}

// SortLabels puts labels in the order of LabelSets: string labels by key,
// then numeric labels by key, stable within a key.
func SortLabels(labels []Label, strings []string) {
	sort.SliceStable(labels, func(i, j int) bool {
		a, b := labels[i], labels[j]
		if an, bn := a.Str == 0, b.Str == 0; an != bn {
			return !an
		}
		return strings[a.Key] < strings[b.Key]
	})
}

// Profile checks and returns what was built. The Builder must not be used
// afterwards.
func (b *Builder) Profile() (*Profile, error) {
	if err := b.p.Check(); err != nil {
		return nil, fmt.Errorf("build profile: %w", err)
	}
	return b.p, nil
}
