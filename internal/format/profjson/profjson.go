// Package profjson writes a whole profile as JSON, for scripts: schema
// "profile/1", described in docs/formats/profile-json.md. It is the columnar
// profile laid out as rows, values in base units, nothing aggregated and
// nothing left out.
package profjson

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// Schema is the value of the "schema" field.
const Schema = "profile/1"

type valueType struct {
	Type string `json:"type"`
	Unit string `json:"unit"`
}

type header struct {
	Schema            string      `json:"schema"`
	SampleTypes       []valueType `json:"sample_types"`
	DefaultSampleType string      `json:"default_sample_type,omitempty"`
	PeriodType        valueType   `json:"period_type"`
	Period            int64       `json:"period"`
	TimeNanos         int64       `json:"time_nanos,omitempty"`
	DurationNanos     int64       `json:"duration_nanos,omitempty"`
	DropFrames        string      `json:"drop_frames,omitempty"`
	KeepFrames        string      `json:"keep_frames,omitempty"`
	Comments          []string    `json:"comments,omitempty"`
	DocURL            string      `json:"doc_url,omitempty"`
	Warnings          []string    `json:"warnings,omitempty"`
}

type mapping struct {
	ID              uint32 `json:"id"`
	Start           hex    `json:"start"`
	Limit           hex    `json:"limit"`
	Offset          hex    `json:"offset"`
	File            string `json:"file,omitempty"`
	BuildID         string `json:"build_id,omitempty"`
	HasFunctions    bool   `json:"has_functions,omitempty"`
	HasFilenames    bool   `json:"has_filenames,omitempty"`
	HasLineNumbers  bool   `json:"has_line_numbers,omitempty"`
	HasInlineFrames bool   `json:"has_inline_frames,omitempty"`
}

type function struct {
	ID         uint32 `json:"id"`
	Name       string `json:"name"`
	SystemName string `json:"system_name,omitempty"`
	File       string `json:"file,omitempty"`
	StartLine  int64  `json:"start_line,omitempty"`
}

type location struct {
	ID      uint32 `json:"id"`
	Mapping uint32 `json:"mapping,omitempty"`
	Address hex    `json:"address"`
	Folded  bool   `json:"folded,omitempty"`
	Lines   []line `json:"lines,omitempty"`
}

type line struct {
	Function uint32 `json:"function"`
	Line     int64  `json:"line,omitempty"`
	Column   int64  `json:"column,omitempty"`
}

type sample struct {
	Locations []uint32            `json:"locations"`
	Values    []int64             `json:"values"`
	Labels    map[string][]string `json:"labels,omitempty"`
	NumLabels map[string][]number `json:"num_labels,omitempty"`
}

type number struct {
	Value int64  `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

// hex is an address: a string, because JSON readers keep 53 bits of a number.
type hex uint64

func (h hex) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, "0x"+strconv.FormatUint(uint64(h), 16)), nil
}

// Encode writes p.
func Encode(w io.Writer, p *profile.Profile) error {
	e := &encoder{w: bufio.NewWriter(w), p: p, factors: make([]int64, len(p.SampleTypes))}
	if err := e.run(); err != nil {
		return fmt.Errorf("encode profile json: %w", err)
	}
	return nil
}

type encoder struct {
	w       *bufio.Writer
	p       *profile.Profile
	factors []int64 // by sample type: value in base units / value
	err     error
}

func (e *encoder) run() error {
	p := e.p
	e.header()
	e.array("mappings", len(p.Mappings)-1, func(i int) any {
		m := &p.Mappings[i+1]
		return mapping{
			ID: uint32(i + 1), Start: hex(m.Start), Limit: hex(m.Limit), Offset: hex(m.Offset),
			File: m.File, BuildID: m.BuildID, HasFunctions: m.HasFunctions, HasFilenames: m.HasFilenames,
			HasLineNumbers: m.HasLineNumbers, HasInlineFrames: m.HasInlineFrames,
		}
	})
	e.array("functions", p.Functions.Len()-1, func(i int) any {
		id := profile.FunctionID(i + 1)
		return function{
			ID: uint32(id), Name: p.FunctionName(id), SystemName: p.Str(p.Functions.SystemName[id]),
			File: p.FunctionFile(id), StartLine: p.Functions.StartLine[id],
		}
	})
	e.array("locations", p.Locations.Len()-1, func(i int) any { return e.location(profile.LocationID(i + 1)) })
	e.array("samples", p.Samples.Len(), func(i int) any { return e.sample(i) })
	e.raw("\n}\n")
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}

// header writes the fields that are no tables, without the closing brace.
func (e *encoder) header() {
	p := e.p
	h := header{
		Schema: Schema, SampleTypes: []valueType{}, DefaultSampleType: p.DefaultSampleType, Period: p.Period,
		TimeNanos: p.TimeNanos, DurationNanos: p.DurationNanos, DropFrames: p.DropFrames, KeepFrames: p.KeepFrames,
		Comments: p.Comments, DocURL: p.DocURL,
	}
	for t, vt := range p.SampleTypes {
		factor, name := baseFactor(vt.Unit, p.Samples.Values[t])
		e.factors[t] = factor
		h.SampleTypes = append(h.SampleTypes, valueType{vt.Type, name})
	}
	factor, name := baseFactor(p.PeriodType.Unit, []int64{p.Period})
	h.PeriodType, h.Period = valueType{p.PeriodType.Type, name}, p.Period*factor
	for _, w := range p.Warnings {
		h.Warnings = append(h.Warnings, w.Error())
	}
	b := e.marshal(h)
	e.raw(string(b[:max(len(b)-1, 0)]))
}

// baseFactor is what brings values into the base unit, and its name. A unit
// that is smaller than its base, or whose values would not fit, stays.
func baseFactor(u string, values []int64) (int64, string) {
	factor, name := unit.Base(u)
	n := int64(factor)
	if float64(n) != factor || n < 1 {
		return 1, u
	}
	for _, v := range values {
		if v > math.MaxInt64/n || v < math.MinInt64/n {
			return 1, u
		}
	}
	return n, name
}

func (e *encoder) location(id profile.LocationID) location {
	p := e.p
	l := location{ID: uint32(id), Mapping: uint32(p.Locations.Mapping[id]), Address: hex(p.Locations.Address[id]), Folded: p.Locations.IsFolded(id)}
	for _, ln := range p.Locations.LinesOf(id) {
		l.Lines = append(l.Lines, line{uint32(ln.Function), ln.Line, ln.Column})
	}
	return l
}

func (e *encoder) sample(i int) sample {
	p := e.p
	s := sample{Locations: []uint32{}, Values: make([]int64, len(p.SampleTypes))}
	for _, l := range p.Stacks.Of(p.Samples.Stack[i]) {
		s.Locations = append(s.Locations, uint32(l))
	}
	for t := range p.SampleTypes {
		s.Values[t] = p.Samples.Values[t][i] * e.factors[t]
	}
	for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
		key := p.Str(l.Key)
		if l.Str != 0 {
			if s.Labels == nil {
				s.Labels = map[string][]string{}
			}
			s.Labels[key] = append(s.Labels[key], p.Str(l.Str))
			continue
		}
		if s.NumLabels == nil {
			s.NumLabels = map[string][]number{}
		}
		s.NumLabels[key] = append(s.NumLabels[key], number{l.Num, p.Str(l.Unit)})
	}
	return s
}

// array writes ,"name":[...] with one row a line.
func (e *encoder) array(name string, n int, at func(int) any) {
	e.raw(",\n\"" + name + "\":[")
	for i := 0; i < n && e.err == nil; i++ {
		if i > 0 {
			e.raw(",")
		}
		e.raw("\n")
		e.raw(string(e.marshal(at(i))))
	}
	e.raw("]")
}

func (e *encoder) marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	return b
}

// raw writes s; the first error stays.
func (e *encoder) raw(s string) {
	if _, err := e.w.WriteString(s); err != nil && e.err == nil {
		e.err = err
	}
}
