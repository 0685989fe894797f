package pprof

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/profoundhq/profound/internal/profile"
)

// readSample decodes one sample straight into the columns.
func (d *decoder) readSample(b []byte) error {
	p := d.p
	start := len(p.Stacks.Frames)
	d.valueBuf = d.valueBuf[:0]
	d.labelBuf = d.labelBuf[:0]
	f := fields{rest: b}
	for {
		ok, err := f.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch f.num {
		case 1:
			switch f.wire {
			case wireBytes:
				if err := d.readFrames(f.b); err != nil {
					return err
				}
			case wireVarint:
				d.addFrame(f.u)
			default:
				return f.wrongType()
			}
		case 2:
			if err := d.readValues(&f); err != nil {
				return err
			}
		case 3:
			if f.wire != wireBytes {
				return errors.New("label is no message")
			}
			if err := d.readLabel(f.b); err != nil {
				return err
			}
		}
		if err := d.room(start, 0); err != nil {
			return err
		}
	}
	return d.addSample(start)
}

// longList is the size in bytes of a packed list that is not unpacked before
// it is known to fit.
const longList = 1 << 16

// room checks that what was read of a sample since frame index start, and more
// bytes of it, fit the limit: a single sample may be as long as the input.
func (d *decoder) room(start, more int) error {
	n := 4*(len(d.p.Stacks.Frames)-start) + 8*len(d.valueBuf) + 24*len(d.labelBuf) + more
	if d.cost+growthSlack*int64(n) > d.opt.MaxBytes {
		return tooLarge(d.opt.MaxBytes)
	}
	return nil
}

// roomForList is room for a packed list of numbers that take size bytes each
// when they are unpacked.
func (d *decoder) roomForList(b []byte, size int) error {
	if len(b) < longList {
		return nil
	}
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return d.room(len(d.p.Stacks.Frames), size*n)
}

// readValues reads one value, or a packed list of them.
func (d *decoder) readValues(f *fields) error {
	switch f.wire {
	case wireVarint:
		d.valueBuf = append(d.valueBuf, int64(f.u))
		return nil
	case wireBytes:
		if err := d.roomForList(f.b, 8); err != nil {
			return err
		}
		for r := f.b; len(r) > 0; {
			v, n := varint(r)
			if n == 0 {
				return errTruncated
			}
			d.valueBuf = append(d.valueBuf, int64(v))
			r = r[n:]
		}
		return nil
	}
	return f.wrongType()
}

// addFrame appends one location reference to the stack being read.
func (d *decoder) addFrame(id uint64) {
	if id == 0 {
		d.zeroLoc = true
	}
	d.p.Stacks.Frames = append(d.p.Stacks.Frames, profile.LocationID(d.locations.ref(id)))
}

// readFrames appends a packed list of location references. This is the
// innermost loop of decoding: almost all references take one to three bytes.
func (d *decoder) readFrames(b []byte) error {
	if err := d.roomForList(b, 4); err != nil {
		return err
	}
	frames := d.p.Stacks.Frames
	top := d.locations.max
	for i := 0; i < len(b); {
		c := uint32(b[i])
		i++
		if c >= 0x80 {
			if i < len(b) && b[i] < 0x80 {
				c = c&0x7f | uint32(b[i])<<7
				i++
			} else if i+1 < len(b) && b[i+1] < 0x80 {
				c = c&0x7f | uint32(b[i]&0x7f)<<7 | uint32(b[i+1])<<14
				i += 2
			} else {
				v, n := varint(b[i-1:])
				if n == 0 {
					return errTruncated
				}
				i += n - 1
				d.locations.max = top
				c = d.locations.ref(v)
				if v == 0 {
					d.zeroLoc = true
				}
				frames = append(frames, profile.LocationID(c))
				top = d.locations.max
				continue
			}
		}
		if c == 0 {
			d.zeroLoc = true
		}
		if c > top {
			top = c
		}
		frames = append(frames, profile.LocationID(c))
	}
	d.p.Stacks.Frames = frames
	d.locations.max = top
	return nil
}

// addSample interns what was read since frame index start and appends a row.
func (d *decoder) addSample(start int) error {
	p, s := d.p, &d.p.Samples
	if len(d.valueBuf) == 0 {
		return fmt.Errorf("mismatch: sample has 0 values vs. %d types", len(d.hdr.types))
	}
	if s.Len() == 0 && len(s.Values) == 0 {
		if err := d.charge(24 * len(d.valueBuf)); err != nil {
			return err
		}
		s.Values = columns(s.Values, len(d.valueBuf))
	}
	if len(s.Values) != len(d.valueBuf) {
		return fmt.Errorf("mismatch: sample has %d values vs. %d types", len(d.valueBuf), len(s.Values))
	}
	sets := p.LabelSets.Len()
	frames := len(p.Stacks.Frames) - start
	stack := d.stacks.InternTail(&p.Stacks, start)
	labels := d.labels.Intern(&p.LabelSets, d.labelBuf)
	s.Stack = append(s.Stack, stack)
	s.Labels = append(s.Labels, labels)
	for i, v := range d.valueBuf {
		s.Values[i] = append(s.Values[i], v)
	}
	cost := 8 + 8*len(d.valueBuf)
	if len(p.Stacks.Frames) > start {
		cost += 16 + 4*frames
	}
	if p.LabelSets.Len() > sets {
		cost += 16 + 24*len(d.labelBuf)
	}
	return d.charge(cost)
}

// columns is n empty columns, in the memory of cols where it has any.
func columns(cols [][]int64, n int) [][]int64 {
	if cap(cols) < n {
		cols = append(cols[:cap(cols)], make([][]int64, n-cap(cols))...)
	}
	cols = cols[:n]
	for i := range cols {
		cols[i] = cols[i][:0]
	}
	return cols
}

func (d *decoder) readLabel(b []byte) error {
	var l [5]uint64
	if err := numbers(b, l[:]); err != nil {
		return err
	}
	if l[1]|l[2]|l[4] > 1<<32-1 {
		return errors.New("label refers to no string of the profile")
	}
	lab := profile.Label{Key: profile.StringID(l[1]), Str: profile.StringID(l[2]), Num: int64(l[3]), Unit: profile.StringID(l[4])}
	if lab.Str != 0 {
		lab.Num, lab.Unit = 0, 0
	} else if lab.Num == 0 && lab.Unit == 0 {
		d.emptyKey = max(d.emptyKey, l[1])
		return nil // the format cannot tell it from no label
	}
	d.labelBuf = append(d.labelBuf, lab)
	return nil
}

func (d *decoder) readMapping(b []byte) error {
	var v [11]uint64
	if err := numbers(b, v[:]); err != nil {
		return err
	}
	d.p.Mappings = append(d.p.Mappings, profile.Mapping{
		ID: v[1], Start: v[2], Limit: v[3], Offset: v[4],
		HasFunctions: v[7] != 0, HasFilenames: v[8] != 0, HasLineNumbers: v[9] != 0, HasInlineFrames: v[10] != 0,
	})
	d.mappings.rows = append(d.mappings.rows, v[1])
	d.mappingRefs = append(d.mappingRefs, struct{ file, build uint64 }{v[5], v[6]})
	return d.charge(160)
}

func (d *decoder) readLocation(b []byte) error {
	var v [6]uint64 // by field number, but for the lines
	l := &d.p.Locations
	lines := len(l.Lines)
	f := fields{rest: b}
	for {
		ok, err := f.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch f.num {
		case 1, 2, 3, 5:
			if f.wire != wireVarint {
				return f.wrongType()
			}
			v[f.num] = f.u
		case 4:
			if f.wire != wireBytes {
				return errors.New("line is no message")
			}
			if err := d.readLine(f.b); err != nil {
				return err
			}
		}
	}
	id, mapping, addr, folded := v[1], v[2], v[3], v[5] != 0
	if id == 0 {
		return errors.New("found location with reserved id=0")
	}
	row := len(l.Address)
	l.Address = append(l.Address, addr)
	l.Mapping = append(l.Mapping, profile.MappingID(d.mappings.ref(mapping)))
	l.LineOffsets = append(l.LineOffsets, uint32(len(l.Lines)))
	if folded && l.Folded == nil {
		l.Folded = make([]bool, row, row+1)
	}
	if l.Folded != nil {
		l.Folded = append(l.Folded, folded)
	}
	d.locations.rows = append(d.locations.rows, id)
	return d.charge(40 + 24*(len(l.Lines)-lines))
}

func (d *decoder) readLine(b []byte) error {
	var v [4]uint64
	if err := numbers(b, v[:]); err != nil {
		return err
	}
	l := &d.p.Locations
	l.Lines = append(l.Lines, profile.Line{
		Function: profile.FunctionID(d.functions.ref(v[1])), Line: int64(v[2]), Column: int64(v[3]),
	})
	return nil
}

func (d *decoder) readFunction(b []byte) error {
	var v [6]uint64
	if err := numbers(b, v[:]); err != nil {
		return err
	}
	if v[1] == 0 {
		return errors.New("found function with reserved id=0")
	}
	if v[2]|v[3]|v[4] > 1<<32-1 {
		return errors.New("function refers to no string of the profile")
	}
	fs := &d.p.Functions
	fs.Name = append(fs.Name, profile.StringID(v[2]))
	fs.SystemName = append(fs.SystemName, profile.StringID(v[3]))
	fs.File = append(fs.File, profile.StringID(v[4]))
	fs.StartLine = append(fs.StartLine, int64(v[5]))
	d.functions.rows = append(d.functions.rows, v[1])
	return d.charge(36)
}

// finish resolves every reference and checks the profile.
func (d *decoder) finish() (*profile.Profile, error) {
	p := d.p
	if len(d.strEnds) == 0 {
		return nil, fmt.Errorf("%w: no string table", profile.ErrMalformed)
	}
	d.finishStrings()
	if err := d.finishHeader(); err != nil {
		return nil, err
	}
	if s := &p.Samples; s.Len() == 0 {
		s.Values = columns(s.Values, len(p.SampleTypes))
	}
	if err := d.finishReferences(); err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	d.sortLabelSets()
	return p, nil
}

func (d *decoder) finishStrings() {
	var all string
	if d.opt.Storage == nil {
		all = string(d.arena)
	} else {
		all = unsafe.String(unsafe.SliceData(d.arena), len(d.arena)) // lent as everything is
	}
	strs := d.p.Strings[:0]
	if cap(strs) < len(d.strEnds) {
		strs = make([]string, 0, len(d.strEnds))
	}
	start := 0
	for _, end := range d.strEnds {
		strs = append(strs, all[start:end])
		start = end
	}
	d.p.Strings = strs
	if d.opt.Storage == nil {
		d.arena, d.strEnds = nil, nil
	}
}

// finishHeader turns the header's string references into strings.
func (d *decoder) finishHeader() error {
	p, h := d.p, &d.hdr
	var bad error
	str := func(what string, ref uint64) string {
		if ref >= uint64(len(p.Strings)) {
			if bad == nil {
				bad = fmt.Errorf("%w: %s refers to string %d of %d", profile.ErrMalformed, what, ref, len(p.Strings))
			}
			return ""
		}
		return p.Strings[ref]
	}
	for i := range h.types {
		p.SampleTypes = append(p.SampleTypes, profile.ValueType{Type: str("sample type", h.types[i]), Unit: str("sample unit", h.units[i])})
	}
	for _, c := range h.comments {
		p.Comments = append(p.Comments, str("comment", c))
	}
	p.PeriodType = profile.ValueType{Type: str("period type", h.periodType), Unit: str("period unit", h.perUnit)}
	p.DropFrames = str("drop_frames", h.drop)
	p.KeepFrames = str("keep_frames", h.keep)
	p.DefaultSampleType = str("default_sample_type", h.dflt)
	p.DocURL = str("doc_url", h.ur)
	str("label key", d.emptyKey)
	for i := 1; i < len(p.Mappings); i++ {
		m := &p.Mappings[i]
		m.File = str("mapping file", d.mappingRefs[i].file)
		m.BuildID = str("mapping build id", d.mappingRefs[i].build)
		m.KernelRelocation = profile.KernelRelocation(m.File)
	}
	return bad
}

// finishReferences replaces the input's numbers by row numbers in place.
func (d *decoder) finishReferences() error {
	p := d.p
	p.Functions.ID = d.functions.numbers()
	p.Locations.ID = d.locations.numbers()
	row := d.mappings.resolver()
	for i, m := range p.Locations.Mapping {
		p.Locations.Mapping[i] = profile.MappingID(row(uint32(m)))
	}
	row = d.functions.resolver()
	for i := range p.Locations.Lines {
		fn := &p.Locations.Lines[i].Function
		*fn = profile.FunctionID(row(uint32(*fn)))
	}
	if d.zeroLoc {
		return fmt.Errorf("%w: sample has nil location", profile.ErrMalformed)
	}
	if p.Locations.ID == nil && int(d.locations.max) < len(d.locations.rows) && d.locations.big == nil {
		return nil
	}
	row = d.locations.resolver()
	for i, f := range p.Stacks.Frames {
		r := row(uint32(f))
		if r == 0 {
			return fmt.Errorf("%w: a sample refers to location %d, which the profile does not have", profile.ErrMalformed, f)
		}
		p.Stacks.Frames[i] = profile.LocationID(r)
	}
	return nil
}

// sortLabelSets puts every set into the order LabelSets promises and interns
// again the sets that became equal.
func (d *decoder) sortLabelSets() {
	p := d.p
	changed := false
	for id := 1; id < p.LabelSets.Len(); id++ {
		set := p.LabelSets.Of(profile.LabelSetID(id))
		if !slices.IsSortedFunc(set, func(a, b profile.Label) int { return labelOrder(a, b, p.Strings) }) {
			profile.SortLabels(set, p.Strings)
			changed = true
		}
	}
	if !changed {
		return
	}
	var sets profile.LabelSets
	sets.Offsets = make([]uint32, 2)
	var in profile.LabelInterner
	renumber := make([]profile.LabelSetID, p.LabelSets.Len())
	for id := range renumber {
		renumber[id] = in.Intern(&sets, p.LabelSets.Of(profile.LabelSetID(id)))
	}
	for i, l := range p.Samples.Labels {
		p.Samples.Labels[i] = renumber[l]
	}
	p.LabelSets = sets
}

func labelOrder(a, b profile.Label, strs []string) int {
	if an, bn := a.Str == 0, b.Str == 0; an != bn {
		if an {
			return 1
		}
		return -1
	}
	if a.Key == b.Key {
		return 0
	}
	ka, kb := strs[a.Key], strs[b.Key]
	if ka < kb {
		return -1
	}
	if ka > kb {
		return 1
	}
	return 0
}
