// Package profile holds the columnar Profile: the samples and symbol tables
// of one collection, as plain arrays joined by dense typed ids. It is the
// ground floor of the house: formats decode into it, views and reports read
// it, and it imports nothing of ours.
//
// The layout follows the dictionary model of profile.proto and of
// OpenTelemetry's profiles: every table is a set of columns, entry 0 of each
// is the "none" entry, and variable-length rows (the frames of a stack, the
// lines of a location, the labels of a set) are CSR ranges: one flat array
// plus an offsets array with one more entry than there are rows.
//
//	Samples  Stack[i] ──► Stacks     Offsets[s]..Offsets[s+1] ──► Frames (leaf first)
//	         Labels[i] ─► LabelSets  Offsets[l]..Offsets[l+1] ──► Labels
//	         Values[t][i]                                            │
//	Frames ──► Locations  Address, Mapping, LineOffsets[l].. ──► Lines (innermost first)
//	Lines  ──► Functions  Name, SystemName, File ──► Strings
//
// A Profile is read-only once built: transformations make a new Profile that
// shares the columns they did not change, so views and reports may hold one
// without copying it.
package profile

import "strings"

// Ids are dense indexes into the tables of one Profile; 0 means none.
type (
	// StringID indexes Profile.Strings; 0 is the empty string.
	StringID uint32
	// FunctionID indexes the Functions columns.
	FunctionID uint32
	// LocationID indexes the Locations columns.
	LocationID uint32
	// MappingID indexes Profile.Mappings.
	MappingID uint32
	// StackID indexes the Stacks rows; 0 is the empty stack.
	StackID uint32
	// LabelSetID indexes the LabelSets rows; 0 is the empty set.
	LabelSetID uint32
)

// ValueType names what a value counts and in which unit, as in profile.proto:
// {"inuse_space", "bytes"}, {"cpu", "nanoseconds"}.
type ValueType struct {
	Type string
	Unit string
}

// Mapping is one mapped region of the profiled process. Start, Limit and
// Offset are bytes; ID is the number the input gave it, kept for output.
type Mapping struct {
	ID     uint64
	Start  uint64
	Limit  uint64
	Offset uint64

	File    string
	BuildID string
	// KernelRelocation is the symbol ("_text", "_stext") that some tools
	// append to the name of a kernel mapping; derived from File.
	KernelRelocation string

	HasFunctions    bool
	HasFilenames    bool
	HasLineNumbers  bool
	HasInlineFrames bool
}

// Line is one frame of a location: a function and where in it. Line and
// Column count from 1; 0 is unknown.
type Line struct {
	Function FunctionID
	Line     int64
	Column   int64
}

// Label is one key with either a string (Str != 0) or a number and its unit.
type Label struct {
	Key  StringID
	Str  StringID
	Num  int64
	Unit StringID
}

// Functions are the columns of the function table; row 0 is none.
type Functions struct {
	// ID is the number the input gave each function; nil when it is the row
	// number itself.
	ID         []uint64
	Name       []StringID
	SystemName []StringID
	File       []StringID
	StartLine  []int64
}

// Len is the number of rows including row 0.
func (f *Functions) Len() int { return len(f.Name) }

// Number is the id function f is written with.
func (f *Functions) Number(id FunctionID) uint64 {
	if f.ID == nil {
		return uint64(id)
	}
	return f.ID[id]
}

// Locations are the columns of the location table; row 0 is none.
type Locations struct {
	// ID is the number the input gave each location; nil when it is the row
	// number itself.
	ID      []uint64
	Address []uint64
	Mapping []MappingID
	Folded  []bool // nil when no location is folded
	// LineOffsets has Len()+1 entries; the lines of location l are
	// Lines[LineOffsets[l]:LineOffsets[l+1]], innermost inlined frame first,
	// the physical function last.
	LineOffsets []uint32
	Lines       []Line
}

// Len is the number of rows including row 0.
func (l *Locations) Len() int { return len(l.Address) }

// LinesOf is the lines of one location, innermost first; owned by the profile.
func (l *Locations) LinesOf(id LocationID) []Line {
	return l.Lines[l.LineOffsets[id]:l.LineOffsets[id+1]]
}

// Number is the id location l is written with.
func (l *Locations) Number(id LocationID) uint64 {
	if l.ID == nil {
		return uint64(id)
	}
	return l.ID[id]
}

// IsFolded tells whether several functions share the code of location id.
func (l *Locations) IsFolded(id LocationID) bool { return l.Folded != nil && l.Folded[id] }

// Stacks are the call stacks, each once; row 0 is the empty stack.
type Stacks struct {
	// Offsets has Len()+1 entries into Frames.
	Offsets []uint64
	// Frames holds the locations of all stacks, leaf first within a stack.
	Frames []LocationID
}

// Len is the number of rows including row 0.
func (s *Stacks) Len() int { return len(s.Offsets) - 1 }

// Of is the frames of one stack, leaf first; owned by the profile.
func (s *Stacks) Of(id StackID) []LocationID {
	return s.Frames[s.Offsets[id]:s.Offsets[id+1]]
}

// LabelSets are the distinct label sets; row 0 is the empty set. Within a
// set, string labels come first, then numeric ones, each sorted by key, the
// values of one key in the order of the input.
type LabelSets struct {
	// Offsets has Len()+1 entries into Labels.
	Offsets []uint32
	Labels  []Label
}

// Len is the number of rows including row 0.
func (s *LabelSets) Len() int { return len(s.Offsets) - 1 }

// Of is the labels of one set; owned by the profile.
func (s *LabelSets) Of(id LabelSetID) []Label {
	return s.Labels[s.Offsets[id]:s.Offsets[id+1]]
}

// Samples are the columns of the sample table. Unlike the other tables it
// has no row 0 for none.
type Samples struct {
	Stack  []StackID
	Labels []LabelSetID
	// Values has one column for each of Profile.SampleTypes, in base units
	// of that type.
	Values [][]int64
}

// Len is the number of samples.
func (s *Samples) Len() int { return len(s.Stack) }

// Profile is one collection: samples and what they refer to. See the package
// comment for the shape.
type Profile struct {
	SampleTypes       []ValueType
	DefaultSampleType string
	PeriodType        ValueType
	Period            int64

	// TimeNanos is the wall clock of the collection in ns since 1970, 0 when
	// unknown; DurationNanos its length in ns.
	TimeNanos     int64
	DurationNanos int64

	DropFrames string
	KeepFrames string
	Comments   []string
	DocURL     string

	// Strings is the string table; Strings[0] is "". Entries may repeat.
	Strings   []string
	Mappings  []Mapping // Mappings[0] is the none entry
	Functions Functions
	Locations Locations
	Stacks    Stacks
	LabelSets LabelSets
	Samples   Samples

	// Warnings are findings about the input that did not prevent a result.
	Warnings []error
}

// Str is the string of id.
func (p *Profile) Str(id StringID) string { return p.Strings[id] }

// NumMappings is the number of mappings without the none entry.
func (p *Profile) NumMappings() int { return len(p.Mappings) - 1 }

// FunctionName is the name of function id, "" for none.
func (p *Profile) FunctionName(id FunctionID) string { return p.Strings[p.Functions.Name[id]] }

// FunctionFile is the source file of function id, "" for none.
func (p *Profile) FunctionFile(id FunctionID) string { return p.Strings[p.Functions.File[id]] }

// ShallowCopy is a new Profile that shares every column with p. The caller
// replaces whole columns of the copy; it never writes into a shared one.
func (p *Profile) ShallowCopy() *Profile {
	c := *p
	return &c
}

// SampleIndex finds the value column called name: "" is the default type if
// the profile names one, else the last; digits are an index; otherwise a
// sample type, also with a leading "inuse_" removed.
func (p *Profile) SampleIndex(name string) (int, error) {
	return sampleIndex(p.SampleTypes, p.DefaultSampleType, name)
}

// kernelMapping is the name tools give to the mapping of the Linux kernel.
const kernelMapping = "[kernel.kallsyms]"

// KernelRelocation is the relocation symbol in the name of a kernel mapping:
// "_text" of "[kernel.kallsyms]_text", "" for any other file.
func KernelRelocation(file string) string {
	if sym, ok := strings.CutPrefix(file, kernelMapping); ok {
		return sym
	}
	return ""
}
