package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrIncompatible is wrapped when profiles have value or period types that
// cannot be put together.
var ErrIncompatible = errors.New("incompatible profiles")

// Merge adds profiles of the same value types into one. Equal samples (same
// stack and labels) add up; samples that are or become zero go away, and with
// them everything only they referred to. Tables are in the order of first
// use; the first mapping of the first profile that has one stays first.
// Addresses of one binary loaded at different places are rebased to the first.
func Merge(srcs []*Profile) (*Profile, error) {
	m := NewMerger()
	for _, src := range srcs {
		if err := m.Add(src); err != nil {
			return nil, err
		}
	}
	return m.Profile()
}

// Compact rebuilds p from its non-zero samples, leaving out what nothing
// refers to.
func Compact(p *Profile) *Profile {
	c, err := Merge([]*Profile{p})
	if err != nil {
		panic(err) // a single profile is compatible with itself
	}
	c.Warnings = p.Warnings
	return c
}

// addHeader checks that src goes with what was added before and takes over its
// times, comments and names.
func (m *Merger) addHeader(src *Profile) error {
	if m.b == nil {
		types := make([]ValueType, len(src.SampleTypes))
		for i, t := range src.SampleTypes {
			types[i] = t.clone()
		}
		m.b = NewBuilder(types...)
		h := m.b.Header()
		h.DropFrames, h.KeepFrames = strings.Clone(src.DropFrames), strings.Clone(src.KeepFrames)
		h.PeriodType = src.PeriodType.clone()
	}
	h := m.b.Header()
	if h.PeriodType != src.PeriodType {
		return fmt.Errorf("%w: period types %v and %v", ErrIncompatible, h.PeriodType, src.PeriodType)
	}
	if !slices.Equal(h.SampleTypes, src.SampleTypes) {
		return fmt.Errorf("%w: sample types %v and %v", ErrIncompatible, h.SampleTypes, src.SampleTypes)
	}
	if src.TimeNanos != 0 && (h.TimeNanos == 0 || src.TimeNanos < h.TimeNanos) {
		h.TimeNanos = src.TimeNanos
	}
	h.DurationNanos += src.DurationNanos
	if h.Period == 0 || h.Period < src.Period {
		h.Period = src.Period
	}
	for _, c := range src.Comments {
		if !m.comments[c] {
			c = strings.Clone(c)
			m.comments[c] = true
			h.Comments = append(h.Comments, c)
		}
	}
	if h.DefaultSampleType == "" {
		h.DefaultSampleType = strings.Clone(src.DefaultSampleType)
	}
	if h.DocURL == "" {
		h.DocURL = strings.Clone(src.DocURL)
	}
	h.Warnings = append(h.Warnings, src.Warnings...)
	return nil
}

type mappingKey struct {
	size, offset uint64
	identity     string
}

// identityOf is what makes two mappings the same file region: its size up to
// a page, its offset, and the build id or else the file name.
func identityOf(m *Mapping) mappingKey {
	const page = 0x1000
	size := (m.Limit - m.Start + page - 1) &^ (page - 1)
	k := mappingKey{size: size, offset: m.Offset, identity: m.BuildID}
	if k.identity == "" {
		k.identity = m.File
	}
	return k
}

func (t ValueType) clone() ValueType {
	return ValueType{Type: strings.Clone(t.Type), Unit: strings.Clone(t.Unit)}
}

// Merger is Merge one profile at a time. It keeps nothing of a profile that was
// added. Besides the result it holds, for the profile being added, the row of
// the result that each of its rows became (0: not yet seen).
type Merger struct {
	b        *Builder
	mappings map[mappingKey]MappingID
	samples  rowTable // row 1 is the first sample
	comments map[string]bool

	src       *Profile
	strings   []StringID
	functions []FunctionID
	locations []LocationID
	stacks    []StackID
	labels    []LabelSetID
	seenMap   []MappingID
	shift     []uint64 // by mapping row of src: what to add to its addresses

	near   []LocationID // by hash of an address: where it was last
	lines  []Line
	frames []LocationID
	set    []Label
}

// NewMerger starts without a profile.
func NewMerger() *Merger {
	return &Merger{near: make([]LocationID, 1<<nearBits), mappings: map[mappingKey]MappingID{}, comments: map[string]bool{}}
}

// Profile is the sum of what was added. The Merger must not be used
// afterwards.
func (m *Merger) Profile() (*Profile, error) {
	if m.b == nil {
		return nil, errors.New("no profiles to merge")
	}
	if !m.hasZeroSample() {
		return m.b.p, nil
	}
	return Merge([]*Profile{m.b.p})
}

// zeroed is s with n zero elements.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// Add merges src in. After an error the Merger holds what it held before.
func (m *Merger) Add(src *Profile) error {
	if err := m.addHeader(src); err != nil {
		return err
	}
	m.src = src
	m.strings = zeroed(m.strings, len(src.Strings))
	m.functions = zeroed(m.functions, src.Functions.Len())
	m.locations = zeroed(m.locations, src.Locations.Len())
	m.stacks = zeroed(m.stacks, src.Stacks.Len())
	m.labels = zeroed(m.labels, src.LabelSets.Len())
	m.seenMap = zeroed(m.seenMap, len(src.Mappings))
	m.shift = zeroed(m.shift, len(src.Mappings))
	if m.b.p.NumMappings() == 0 && src.NumMappings() > 0 {
		m.mapping(1)
	}
	s, out := &src.Samples, &m.b.p.Samples
	for i := range s.Len() {
		if src.zeroSample(i) {
			continue
		}
		stack, labels := m.stack(s.Stack[i]), m.labelSet(s.Labels[i])
		h := mix(uint64(stack), uint64(labels))
		slot, known := m.samples.find(uint32(h^h>>32), func(id uint32) bool {
			return out.Stack[id-1] == stack && out.Labels[id-1] == labels
		})
		if known {
			for t := range out.Values {
				out.Values[t][slot.id-1] += s.Values[t][i]
			}
			continue
		}
		out.Stack = push(out.Stack, stack)
		out.Labels = push(out.Labels, labels)
		for t := range out.Values {
			out.Values[t] = push(out.Values[t], s.Values[t][i])
		}
		slot.id = uint32(out.Len())
	}
	m.src = nil
	return nil
}

func (p *Profile) zeroSample(i int) bool {
	for _, v := range p.Samples.Values {
		if v[i] != 0 {
			return false
		}
	}
	return true
}

func (m *Merger) hasZeroSample() bool {
	for i := range m.b.p.Samples.Len() {
		if m.b.p.zeroSample(i) {
			return true
		}
	}
	return false
}

func (m *Merger) string(id StringID) StringID {
	if id == 0 {
		return 0
	}
	if m.strings[id] == 0 {
		m.strings[id] = m.b.stringCopy(m.src.Strings[id])
	}
	return m.strings[id]
}

func (m *Merger) stack(id StackID) StackID {
	if id == 0 {
		return 0
	}
	if m.stacks[id] == 0 {
		m.frames = m.frames[:0]
		for _, f := range m.src.Stacks.Of(id) {
			m.frames = append(m.frames, m.location(f))
		}
		m.stacks[id] = m.b.stacks.Intern(&m.b.p.Stacks, m.frames)
	}
	return m.stacks[id]
}

func (m *Merger) labelSet(id LabelSetID) LabelSetID {
	if id == 0 {
		return 0
	}
	if m.labels[id] == 0 {
		m.set = m.set[:0]
		for _, l := range m.src.LabelSets.Of(id) {
			m.set = append(m.set, Label{Key: m.string(l.Key), Str: m.string(l.Str), Num: l.Num, Unit: m.string(l.Unit)})
		}
		m.labels[id] = m.b.labels.Intern(&m.b.p.LabelSets, m.set)
	}
	return m.labels[id]
}

func (m *Merger) mapping(id MappingID) (MappingID, uint64) {
	if id == 0 {
		return 0, 0
	}
	if got := m.seenMap[id]; got != 0 {
		return got, m.shift[id]
	}
	src := &m.src.Mappings[id]
	key := identityOf(src)
	got, known := m.mappings[key]
	if known {
		m.shift[id] = m.b.p.Mappings[got].Start - src.Start
	} else {
		row := *src
		row.ID = 0
		row.File, row.BuildID = strings.Clone(src.File), strings.Clone(src.BuildID)
		row.KernelRelocation = KernelRelocation(row.File)
		key.identity = strings.Clone(key.identity)
		got = m.b.AddMapping(row)
		m.mappings[key] = got
	}
	m.seenMap[id] = got
	return got, m.shift[id]
}

func (m *Merger) function(id FunctionID) FunctionID {
	if id == 0 {
		return 0
	}
	if m.functions[id] == 0 {
		f := &m.src.Functions
		m.functions[id] = m.b.internFunction(functionKey{
			m.string(f.Name[id]), m.string(f.SystemName[id]), m.string(f.File[id]), f.StartLine[id],
		})
	}
	return m.functions[id]
}

func (m *Merger) location(id LocationID) LocationID {
	if m.locations[id] == 0 {
		l := &m.src.Locations
		mapping, shift := m.mapping(l.Mapping[id])
		address := l.Address[id] + shift
		near := &m.near[mix(uint64(mapping), address)>>(64-nearBits)]
		if m.sameLocation(id, *near, mapping, address) {
			m.locations[id] = *near
			return *near
		}
		m.lines = m.lines[:0]
		for _, ln := range l.LinesOf(id) {
			m.lines = append(m.lines, Line{Function: m.function(ln.Function), Line: ln.Line, Column: ln.Column})
		}
		*near = m.b.internLocation(mapping, address, l.IsFolded(id), m.lines)
		m.locations[id] = *near
	}
	return m.locations[id]
}

// nearBits is for 16384 places: more than most programs are seen at.
const nearBits = 14

// sameLocation tells whether location id of the source is location got of the
// result. Profiles of one program have most places in common: comparing two is
// less work than to look up all their parts.
func (m *Merger) sameLocation(id, got LocationID, mapping MappingID, address uint64) bool {
	src, out := &m.src.Locations, &m.b.p.Locations
	if got == 0 || out.Mapping[got] != mapping || out.Address[got] != address || out.IsFolded(got) != src.IsFolded(id) {
		return false
	}
	lines, known := src.LinesOf(id), out.LinesOf(got)
	if len(lines) != len(known) {
		return false
	}
	for i, ln := range lines {
		k := known[i]
		if ln.Line != k.Line || ln.Column != k.Column || !m.sameFunction(ln.Function, k.Function) {
			return false
		}
	}
	return true
}

func (m *Merger) sameFunction(id, got FunctionID) bool {
	if m.functions[id] != 0 {
		return m.functions[id] == got
	}
	src, out := &m.src.Functions, &m.b.p.Functions
	if src.StartLine[id] != out.StartLine[got] || !m.sameString(src.Name[id], out.Name[got]) ||
		!m.sameString(src.SystemName[id], out.SystemName[got]) || !m.sameString(src.File[id], out.File[got]) {
		return false
	}
	m.functions[id] = got
	return true
}

func (m *Merger) sameString(id, got StringID) bool {
	if m.strings[id] != 0 {
		return m.strings[id] == got
	}
	if m.src.Strings[id] != m.b.p.Strings[got] {
		return false
	}
	m.strings[id] = got
	return true
}

// CommonTypes reduces profiles to the sample types that all of them have, in
// the order of the first, so that they can be merged. Profiles that need no
// change are returned as they are.
func CommonTypes(ps []*Profile) ([]*Profile, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	in := map[string]int{} // how many profiles, from the first on, have the type
	for i, p := range ps {
		for _, t := range p.SampleTypes {
			if in[t.Type] == i {
				in[t.Type]++
			}
		}
	}
	var common []string
	for _, t := range ps[0].SampleTypes {
		if in[t.Type] == len(ps) {
			common = append(common, t.Type)
			in[t.Type] = 0 // once, however often it is listed
		}
	}
	if len(common) == 0 {
		return nil, fmt.Errorf("%w: profiles have empty common sample type list", ErrIncompatible)
	}
	out := make([]*Profile, len(ps))
	for i, p := range ps {
		out[i] = p.withTypes(common)
	}
	return out, nil
}

// withTypes selects the value columns of the named types, in that order.
func (p *Profile) withTypes(names []string) *Profile {
	same := len(names) == len(p.SampleTypes)
	for i := 0; same && i < len(names); i++ {
		same = p.SampleTypes[i].Type == names[i]
	}
	if same {
		return p
	}
	c := p.ShallowCopy()
	if !slices.Contains(names, c.DefaultSampleType) {
		c.DefaultSampleType = names[0]
	}
	c.SampleTypes = nil
	c.Samples.Values = nil
	first := make(map[string]int, len(p.SampleTypes))
	for i, t := range slices.Backward(p.SampleTypes) {
		first[t.Type] = i
	}
	for _, n := range names {
		at := first[n]
		c.SampleTypes = append(c.SampleTypes, p.SampleTypes[at])
		c.Samples.Values = append(c.Samples.Values, p.Samples.Values[at])
	}
	return c
}
