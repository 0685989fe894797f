package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrMalformed is wrapped by every error of Check.
var ErrMalformed = errors.New("malformed profile")

// Check verifies that every column has the length of its table, every id
// points into its table and every input number is unique. Decoders and
// builders call it once at the boundary; everything after trusts the profile.
func (p *Profile) Check() error {
	if len(p.Strings) == 0 || p.Strings[0] != "" {
		return fmt.Errorf("%w: string 0 is not empty", ErrMalformed)
	}
	if len(p.Mappings) == 0 {
		return fmt.Errorf("%w: mapping row 0 is missing", ErrMalformed)
	}
	for _, check := range []func() error{p.checkMappings, p.checkFunctions, p.checkLocations, p.checkStacks, p.checkLabels, p.checkSamples} {
		if err := check(); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return nil
}

func (p *Profile) checkMappings() error {
	seen := make(map[uint64]bool, len(p.Mappings))
	for _, m := range p.Mappings[1:] {
		if m.ID == 0 {
			return errors.New("found mapping with reserved ID=0")
		}
		if seen[m.ID] {
			return fmt.Errorf("multiple mappings with same id: %d", m.ID)
		}
		seen[m.ID] = true
	}
	return nil
}

// checkNumbers verifies input numbers: none is 0, none repeats. nil means the
// row numbers themselves, which hold by construction.
func checkNumbers(kind string, ids []uint64) error {
	if ids == nil {
		return nil
	}
	seen := make(map[uint64]struct{}, len(ids))
	for _, id := range ids[1:] {
		if id == 0 {
			return fmt.Errorf("found %s with reserved id=0", kind)
		}
		if _, ok := seen[id]; ok {
			return fmt.Errorf("multiple %ss with same id: %d", kind, id)
		}
		seen[id] = struct{}{}
	}
	return nil
}

func (p *Profile) checkFunctions() error {
	f := &p.Functions
	n := f.Len()
	if n == 0 || len(f.SystemName) != n || len(f.File) != n || len(f.StartLine) != n || f.ID != nil && len(f.ID) != n {
		return errors.New("function columns differ in length")
	}
	for i := range n {
		for _, s := range [...]StringID{f.Name[i], f.SystemName[i], f.File[i]} {
			if int(s) >= len(p.Strings) {
				return fmt.Errorf("function %d: string %d of %d", f.Number(FunctionID(i)), s, len(p.Strings))
			}
		}
	}
	return checkNumbers("function", f.ID)
}

func (p *Profile) checkLocations() error {
	l := &p.Locations
	n := l.Len()
	if n == 0 || len(l.Mapping) != n || len(l.LineOffsets) != n+1 || l.ID != nil && len(l.ID) != n || l.Folded != nil && len(l.Folded) != n {
		return errors.New("location columns differ in length")
	}
	if l.LineOffsets[0] != 0 || int(l.LineOffsets[n]) != len(l.Lines) {
		return errors.New("line offsets do not cover the lines")
	}
	for i := range n {
		if int(l.Mapping[i]) >= len(p.Mappings) {
			return fmt.Errorf("location %d: mapping %d of %d", l.Number(LocationID(i)), l.Mapping[i], len(p.Mappings)-1)
		}
		if l.LineOffsets[i] > l.LineOffsets[i+1] || int(l.LineOffsets[i+1]) > len(l.Lines) {
			return fmt.Errorf("location %d: line offsets do not increase within the lines", l.Number(LocationID(i)))
		}
		for _, ln := range l.LinesOf(LocationID(i)) {
			if ln.Function == 0 {
				return fmt.Errorf("location id: %d has a line with nil function", l.Number(LocationID(i)))
			}
			if int(ln.Function) >= p.Functions.Len() {
				return fmt.Errorf("location %d: function %d of %d", l.Number(LocationID(i)), ln.Function, p.Functions.Len()-1)
			}
		}
	}
	return checkNumbers("location", l.ID)
}

func (p *Profile) checkStacks() error {
	s := &p.Stacks
	if len(s.Offsets) < 2 || s.Offsets[0] != 0 || s.Offsets[1] != 0 || s.Offsets[len(s.Offsets)-1] != uint64(len(s.Frames)) {
		return errors.New("stack offsets do not cover the frames")
	}
	for i := 1; i < len(s.Offsets); i++ {
		if s.Offsets[i-1] > s.Offsets[i] {
			return fmt.Errorf("stack %d: offsets decrease", i-1)
		}
	}
	n := LocationID(p.Locations.Len())
	for i, f := range s.Frames {
		if f == 0 || f >= n {
			return fmt.Errorf("frame %d: location %d of %d", i, f, n-1)
		}
	}
	return nil
}

func (p *Profile) checkLabels() error {
	s := &p.LabelSets
	if len(s.Offsets) < 2 || s.Offsets[0] != 0 || s.Offsets[1] != 0 || int(s.Offsets[len(s.Offsets)-1]) != len(s.Labels) {
		return errors.New("label offsets do not cover the labels")
	}
	for i := 1; i < len(s.Offsets); i++ {
		if s.Offsets[i-1] > s.Offsets[i] {
			return fmt.Errorf("label set %d: offsets decrease", i-1)
		}
	}
	n := StringID(len(p.Strings))
	for i, l := range s.Labels {
		if l.Key >= n || l.Str >= n || l.Unit >= n {
			return fmt.Errorf("label %d: string %d of %d", i, max(l.Key, l.Str, l.Unit), n)
		}
	}
	return nil
}

func (p *Profile) checkSamples() error {
	s := &p.Samples
	if len(p.SampleTypes) == 0 && s.Len() != 0 {
		return errors.New("missing sample type information")
	}
	if len(s.Labels) != s.Len() {
		return errors.New("sample columns differ in length")
	}
	if len(s.Values) != len(p.SampleTypes) {
		return fmt.Errorf("mismatch: samples have %d values vs. %d types", len(s.Values), len(p.SampleTypes))
	}
	for i, v := range s.Values {
		if len(v) != s.Len() {
			return fmt.Errorf("mismatch: %d values of type %s for %d samples", len(v), p.SampleTypes[i].Type, s.Len())
		}
	}
	for i := range s.Len() {
		if int(s.Stack[i]) >= p.Stacks.Len() || int(s.Labels[i]) >= p.LabelSets.Len() {
			return fmt.Errorf("sample %d: stack %d or label set %d out of range", i, s.Stack[i], s.Labels[i])
		}
	}
	return nil
}

// TypeNames is the Type of each sample type, in order.
func (p *Profile) TypeNames() []string {
	return typeNames(p.SampleTypes)
}

func typeNames(types []ValueType) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Type
	}
	return names
}

func sampleIndex(types []ValueType, dflt, name string) (int, error) {
	if len(types) == 0 {
		return 0, errors.New("profile has no samples")
	}
	if name == "" {
		for i, t := range types {
			if dflt != "" && t.Type == dflt {
				return i, nil
			}
		}
		return len(types) - 1, nil
	}
	if i, err := strconv.Atoi(name); err == nil {
		if i < 0 || i >= len(types) {
			return 0, fmt.Errorf("sample_index %s is outside the range [0..%d]", name, len(types)-1)
		}
		return i, nil
	}
	short := strings.TrimPrefix(name, "inuse_")
	for i, t := range types {
		if t.Type == name || t.Type == short {
			return i, nil
		}
	}
	return 0, fmt.Errorf("sample_index %q must be one of: %v", name, typeNames(types))
}
