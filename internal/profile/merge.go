package profile

import (
	"errors"
	"fmt"
	"slices"
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
	if len(srcs) == 0 {
		return nil, errors.New("no profiles to merge")
	}
	m, err := newMerger(srcs)
	if err != nil {
		return nil, err
	}
	for _, src := range srcs {
		m.add(src)
	}
	if m.hasZeroSample() {
		return Merge([]*Profile{m.b.p})
	}
	return m.b.p, nil
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

// combineHeaders checks that all profiles can be merged and starts the result.
func combineHeaders(srcs []*Profile) (*Builder, error) {
	first := srcs[0]
	for _, s := range srcs[1:] {
		if first.PeriodType != s.PeriodType {
			return nil, fmt.Errorf("%w: period types %v and %v", ErrIncompatible, first.PeriodType, s.PeriodType)
		}
		if !slices.Equal(first.SampleTypes, s.SampleTypes) {
			return nil, fmt.Errorf("%w: sample types %v and %v", ErrIncompatible, first.SampleTypes, s.SampleTypes)
		}
	}
	b := NewBuilder(first.SampleTypes...)
	h := b.Header()
	h.DropFrames, h.KeepFrames, h.PeriodType = first.DropFrames, first.KeepFrames, first.PeriodType
	for _, s := range srcs {
		if s.TimeNanos != 0 && (h.TimeNanos == 0 || s.TimeNanos < h.TimeNanos) {
			h.TimeNanos = s.TimeNanos
		}
		h.DurationNanos += s.DurationNanos
		if h.Period == 0 || h.Period < s.Period {
			h.Period = s.Period
		}
		for _, c := range s.Comments {
			if !slices.Contains(h.Comments, c) {
				h.Comments = append(h.Comments, c)
			}
		}
		if h.DefaultSampleType == "" {
			h.DefaultSampleType = s.DefaultSampleType
		}
		if h.DocURL == "" {
			h.DocURL = s.DocURL
		}
		h.Warnings = append(h.Warnings, s.Warnings...)
	}
	return b, nil
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

type sampleKey struct {
	stack  StackID
	labels LabelSetID
}

// merger holds the result and, for the profile being added, the row of the
// result that each of its rows became (0: not yet seen).
type merger struct {
	b        *Builder
	mappings map[mappingKey]MappingID
	samples  map[sampleKey]int32

	src       *Profile
	strings   []StringID
	functions []FunctionID
	locations []LocationID
	stacks    []StackID
	labels    []LabelSetID
	seenMap   []MappingID
	shift     []uint64 // by mapping row of src: what to add to its addresses

	lines  []Line
	frames []LocationID
	set    []Label
}

func newMerger(srcs []*Profile) (*merger, error) {
	b, err := combineHeaders(srcs)
	if err != nil {
		return nil, err
	}
	return &merger{
		b: b, mappings: map[mappingKey]MappingID{},
		samples: make(map[sampleKey]int32, srcs[0].Samples.Len()),
	}, nil
}

func (m *merger) add(src *Profile) {
	m.src = src
	m.strings = make([]StringID, len(src.Strings))
	m.functions = make([]FunctionID, src.Functions.Len())
	m.locations = make([]LocationID, src.Locations.Len())
	m.stacks = make([]StackID, src.Stacks.Len())
	m.labels = make([]LabelSetID, src.LabelSets.Len())
	m.seenMap = make([]MappingID, len(src.Mappings))
	m.shift = make([]uint64, len(src.Mappings))
	if m.b.p.NumMappings() == 0 && src.NumMappings() > 0 {
		m.mapping(1)
	}
	s, out := &src.Samples, &m.b.p.Samples
	for i := range s.Len() {
		if src.zeroSample(i) {
			continue
		}
		key := sampleKey{m.stack(s.Stack[i]), m.labelSet(s.Labels[i])}
		if at, ok := m.samples[key]; ok {
			for t := range out.Values {
				out.Values[t][at] += s.Values[t][i]
			}
			continue
		}
		m.samples[key] = int32(out.Len())
		out.Stack = append(out.Stack, key.stack)
		out.Labels = append(out.Labels, key.labels)
		for t := range out.Values {
			out.Values[t] = append(out.Values[t], s.Values[t][i])
		}
	}
}

func (p *Profile) zeroSample(i int) bool {
	for _, v := range p.Samples.Values {
		if v[i] != 0 {
			return false
		}
	}
	return true
}

func (m *merger) hasZeroSample() bool {
	for i := range m.b.p.Samples.Len() {
		if m.b.p.zeroSample(i) {
			return true
		}
	}
	return false
}

func (m *merger) string(id StringID) StringID {
	if id == 0 {
		return 0
	}
	if m.strings[id] == 0 {
		m.strings[id] = m.b.String(m.src.Strings[id])
	}
	return m.strings[id]
}

func (m *merger) stack(id StackID) StackID {
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

func (m *merger) labelSet(id LabelSetID) LabelSetID {
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

func (m *merger) mapping(id MappingID) (MappingID, uint64) {
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
		got = m.b.AddMapping(row)
		m.mappings[key] = got
	}
	m.seenMap[id] = got
	return got, m.shift[id]
}

func (m *merger) function(id FunctionID) FunctionID {
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

func (m *merger) location(id LocationID) LocationID {
	if m.locations[id] == 0 {
		l := &m.src.Locations
		mapping, shift := m.mapping(l.Mapping[id])
		m.lines = m.lines[:0]
		for _, ln := range l.LinesOf(id) {
			m.lines = append(m.lines, Line{Function: m.function(ln.Function), Line: ln.Line, Column: ln.Column})
		}
		m.locations[id] = m.b.internLocation(mapping, l.Address[id]+shift, l.IsFolded(id), m.lines)
	}
	return m.locations[id]
}

// CommonTypes reduces profiles to the sample types that all of them have, in
// the order of the first, so that they can be merged. Profiles that need no
// change are returned as they are.
func CommonTypes(ps []*Profile) ([]*Profile, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	var common []string
	for _, t := range ps[0].SampleTypes {
		everywhere := true
		for _, p := range ps[1:] {
			everywhere = everywhere && slices.ContainsFunc(p.SampleTypes, func(o ValueType) bool { return o.Type == t.Type })
		}
		if everywhere && !slices.Contains(common, t.Type) {
			common = append(common, t.Type)
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
	for _, n := range names {
		at := slices.IndexFunc(p.SampleTypes, func(t ValueType) bool { return t.Type == n })
		c.SampleTypes = append(c.SampleTypes, p.SampleTypes[at])
		c.Samples.Values = append(c.Samples.Values, p.Samples.Values[at])
	}
	return c
}
