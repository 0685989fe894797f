// Package speedscope writes profiles in the file format of
// https://www.speedscope.app, schema file-format-schema.json: one "sampled"
// profile for each sample type over one shared frame table.
package speedscope

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

const (
	schema   = "https://www.speedscope.app/file-format-schema.json"
	exporter = "profound"
)

// Encode writes p. The profile shown first is the default sample type. Of a
// sample type, samples with value 0 are left out; a negative value, as in a
// difference of two profiles, is an error, because speedscope has no way to
// draw it. Labels do not fit the format and are dropped.
func Encode(w io.Writer, p *profile.Profile) error {
	e := &encoder{w: bufio.NewWriter(w), p: p, frames: map[profile.Line]int{}}
	if err := e.run(); err != nil {
		return fmt.Errorf("encode speedscope: %w", err)
	}
	return nil
}

type encoder struct {
	w      *bufio.Writer
	p      *profile.Profile
	frames map[profile.Line]int // frame number of a function and line
	// unnamed is the frame number of the locations without lines.
	unnamed map[profile.LocationID]int
	list    []frame
}

// frame is one entry of the shared frame table.
type frame struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	Line int64  `json:"line,omitempty"`
	Col  int64  `json:"col,omitempty"`
}

func (e *encoder) run() error {
	p := e.p
	for t, vt := range p.SampleTypes {
		for i, v := range p.Samples.Values[t] {
			if v < 0 {
				return fmt.Errorf("sample %d has the value %d of %s; speedscope shows no negative values", i, v, vt.Type)
			}
		}
	}
	stacks := e.stacks()
	active, err := p.SampleIndex("")
	if err != nil {
		active = 0
	}
	e.raw(`{"$schema":`)
	e.value(schema)
	e.raw(`,"exporter":`)
	e.value(exporter)
	e.raw(`,"activeProfileIndex":` + strconv.Itoa(active))
	e.raw(`,"shared":{"frames":[`)
	for i, f := range e.list {
		e.comma(i)
		e.value(f)
	}
	e.raw(`]},"profiles":[`)
	for t := range p.SampleTypes {
		e.comma(t)
		e.profile(t, stacks)
	}
	e.raw("]}\n")
	return e.w.Flush()
}

// stacks is the JSON array of every stack, root first, by stack id.
func (e *encoder) stacks() []string {
	p := e.p
	e.unnamed = map[profile.LocationID]int{}
	used := make([]bool, p.Stacks.Len())
	for _, s := range p.Samples.Stack {
		used[s] = true
	}
	out := make([]string, len(used))
	var buf []byte
	for id := range out {
		if !used[id] {
			continue
		}
		buf = append(buf[:0], '[')
		frames := p.Stacks.Of(profile.StackID(id))
		for i := len(frames) - 1; i >= 0; i-- {
			buf = e.location(buf, frames[i])
		}
		out[id] = string(append(buf, ']'))
	}
	return out
}

// location appends the frame numbers of one location, outermost first.
func (e *encoder) location(buf []byte, id profile.LocationID) []byte {
	add := func(n int) {
		if buf[len(buf)-1] != '[' {
			buf = append(buf, ',')
		}
		buf = strconv.AppendInt(buf, int64(n), 10)
	}
	p := e.p
	ls := p.Locations.LinesOf(id)
	if len(ls) == 0 {
		n, ok := e.unnamed[id]
		if !ok {
			n = e.frame(frame{
				Name: "0x" + strconv.FormatUint(p.Locations.Address[id], 16),
				File: p.Mappings[p.Locations.Mapping[id]].File,
			})
			e.unnamed[id] = n
		}
		add(n)
	}
	for i := len(ls) - 1; i >= 0; i-- {
		n, ok := e.frames[ls[i]]
		if !ok {
			n = e.frame(frame{
				Name: p.FunctionName(ls[i].Function),
				File: p.FunctionFile(ls[i].Function),
				Line: max(ls[i].Line, 0), Col: max(ls[i].Column, 0),
			})
			e.frames[ls[i]] = n
		}
		add(n)
	}
	return buf
}

func (e *encoder) frame(f frame) int {
	e.list = append(e.list, f)
	return len(e.list) - 1
}

// profile writes the profile of sample type t.
func (e *encoder) profile(t int, stacks []string) {
	p := e.p
	values := p.Samples.Values[t]
	var total float64
	for _, v := range values {
		total += float64(v)
	}
	name, factor := unitName(p.SampleTypes[t].Unit)
	e.raw(`{"type":"sampled","name":`)
	e.value(p.SampleTypes[t].Type)
	e.raw(`,"unit":`)
	e.value(name)
	e.raw(`,"startValue":0,"endValue":`)
	e.value(total * factor)
	e.raw(`,"samples":[`)
	n := 0
	for i, v := range values {
		if v != 0 {
			e.comma(n)
			e.raw(stacks[p.Samples.Stack[i]])
			n++
		}
	}
	e.raw(`],"weights":[`)
	n = 0
	for _, v := range values {
		if v != 0 {
			e.comma(n)
			e.value(float64(v) * factor)
			n++
		}
	}
	e.raw("]}")
}

// unitName maps a unit to the six speedscope knows: time to nanoseconds,
// memory to bytes, everything else to none.
func unitName(u string) (name string, factor float64) {
	switch unit.Kind(u) {
	case "bytes", "time":
		factor, name = unit.Base(u)
		return name, factor
	}
	return "none", 1
}

// raw writes s. Errors of the writer are kept by it until Flush.
func (e *encoder) raw(s string) { _, _ = e.w.WriteString(s) }

func (e *encoder) comma(i int) {
	if i > 0 {
		e.raw(",")
	}
}

// value writes v as JSON.
func (e *encoder) value(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("speedscope: cannot encode %T: %v", v, err))
	}
	_, _ = e.w.Write(b)
}
