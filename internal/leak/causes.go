package leak

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

// explain finds the program's own code behind findings: where it starts the
// goroutine, or calls the system. Where the path itself has such code, only
// what is certain or seen is added.
func (j *judge) explain() {
	for i := range j.v.Findings {
		f := &j.v.Findings[i]
		switch f.Resource {
		case Goroutines:
			if len(f.Path) == 0 {
				continue
			}
			o, level := j.creator(f)
			if f.Blame < 0 {
				f.Origin, f.BlameLevel = o, level
			} else if level > Inferred {
				f.Origin = o
			}
		case OffHeap, FileDescriptors:
			if o := j.caller(f.Resource); o != nil {
				f.Origin, f.BlameLevel = o, Tested
			}
		}
	}
}

// creator is the origin of a goroutine finding: from the runtime's word who
// started it, from the trace's stacks of go statements, or, inferred, from
// what allocates on the same way.
func (j *judge) creator(f *Finding) ([]Frame, Level) {
	entry := f.Path[0]
	by := j.createdBy(entry.Function)
	if by.Own {
		return []Frame{by}, Certain
	}
	names := func(x *Frame) bool {
		return x.Function == by.Function && by.Function != "" || origin.Package(x.Function) == origin.Package(entry.Function)
	}
	if p := j.o.Clues.Trace; p != nil {
		if o := starter(p, entry.Function); o != nil {
			return o, Tested
		}
		if o := busiest(p, "goroutines_created", names); o != nil {
			return o, Inferred
		}
	}
	if o := j.allocator(names); o != nil {
		return o, Inferred
	}
	if by.Function != "" {
		return []Frame{by}, Certain
	}
	return nil, Inferred
}

// maxStarts bounds how far back a chain of go statements is followed.
const maxStarts = 8

// starter is the stack of the go statement in the program's own code that
// leads to goroutines of a function: the statement itself, or the one that
// started the goroutine that has it, and so on.
func starter(p *profile.Profile, function string) []Frame {
	column := slices.IndexFunc(p.SampleTypes, func(t profile.ValueType) bool { return t.Type == "goroutines_created" })
	if column < 0 {
		return nil
	}
	for range maxStarts {
		started := p.HasStringLabel("started", function)
		most, at := int64(0), -1
		for i, v := range p.Samples.Values[column] {
			if started[p.Samples.Labels[i]] && v > most {
				most, at = v, i
			}
		}
		if at < 0 {
			return nil
		}
		frames := framesOf(p, p.Samples.Stack[at])
		if len(frames) == 0 {
			return nil
		}
		if o := causedBy(frames, func(*Frame) bool { return true }); o != nil {
			return o
		}
		function = frames[0].Function
	}
	return nil
}

const (
	createdBy   = "created_by"
	createdName = "created by "
)

// createdBy is the function that started most goroutines with the entry
// function, as the runtime's dump says.
func (j *judge) createdBy(entry string) Frame {
	p := j.o.Clues.Waiting
	if p == nil || len(p.Samples.Values) == 0 {
		return Frame{}
	}
	counts := map[Frame]int64{}
	for i := range p.Samples.Len() {
		frames := framesOf(p, p.Samples.Stack[i])
		if len(frames) < 2 || frames[1].Function != entry {
			continue
		}
		if name, ok := strings.CutPrefix(frames[0].Function, createdName); ok {
			by := Frame{Function: name, File: frames[0].File, Line: frames[0].Line, Own: isOwn(name, frames[0].File)}
			counts[by] += p.Samples.Values[0][i]
		}
	}
	var best Frame
	for by, n := range counts {
		if m := counts[best]; n > m || n == m && by.Function < best.Function {
			best = by
		}
	}
	return best
}

// framesOf is a stack of a profile, outermost first, without the runtime's
// last frame.
func framesOf(p *profile.Profile, id profile.StackID) []Frame {
	var out []Frame
	stack := p.Stacks.Of(id)
	for i := len(stack) - 1; i >= 0; i-- {
		lines := p.Locations.LinesOf(stack[i])
		for k := len(lines) - 1; k >= 0; k-- {
			name, file := p.FunctionName(lines[k].Function), p.FunctionFile(lines[k].Function)
			if name != "runtime.goexit" {
				out = append(out, Frame{name, file, lines[k].Line, isOwn(name, file)})
			}
		}
	}
	return out
}

// busiest is the stack of a value type with the highest value among those
// that come from the program's own code to a frame that matches, down to
// that frame.
func busiest(p *profile.Profile, kind string, match func(*Frame) bool) []Frame {
	column := slices.IndexFunc(p.SampleTypes, func(t profile.ValueType) bool { return t.Type == kind })
	if column < 0 {
		return nil
	}
	var best []Frame
	most := int64(0)
	for i := range p.Samples.Len() {
		if v := p.Samples.Values[column][i]; v > most {
			if frames := causedBy(framesOf(p, p.Samples.Stack[i]), match); frames != nil {
				best, most = frames, v
			}
		}
	}
	return best
}

// causedBy is the path down to the first frame below the program's own code,
// if it or one below matches; nil if none does.
func causedBy(frames []Frame, match func(*Frame) bool) []Frame {
	own := -1
	for i := range frames {
		if frames[i].Own {
			own = i
		}
	}
	if own < 0 {
		return nil
	}
	for i := own; i < len(frames); i++ {
		if match(&frames[i]) {
			return frames[:min(own+2, len(frames))]
		}
	}
	return nil
}

// allocator is the path of the program's own code that allocates most often
// on the way to a frame that matches, in the window.
func (j *judge) allocator(match func(*Frame) bool) []Frame {
	tr := j.trees[heapStream]
	if tr == nil {
		return nil
	}
	born := map[nodeID]float64{}
	for i := range tr.p.parts {
		for _, c := range tr.p.parts[i].st.columns {
			born[c.node] += c.a[len(c.a)-1] - c.a[0]
		}
	}
	var best []Frame
	most := 0.0
	for node, n := range born {
		if n < most {
			continue
		}
		frames := causedBy(tr.h.elements.frames(tr.path(node)), match)
		if frames != nil && (n > most || best == nil || before(frames, best)) {
			best, most = frames, n
		}
	}
	return best
}

// before orders paths, so that ties do not depend on the order of a map.
func before(a, b []Frame) bool {
	return slices.CompareFunc(a, b, func(x, y Frame) int {
		if c := strings.Compare(x.Function, y.Function); c != 0 {
			return c
		}
		return int(x.Line - y.Line)
	}) < 0
}

// caller is the program's own code that most often asks the system, directly
// or through C, for what a resource is made of.
func (j *judge) caller(r Resource) []Frame {
	p := j.o.Clues.Trace
	if p == nil {
		return nil
	}
	return busiest(p, "syscalls", func(f *Frame) bool {
		name := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		switch r {
		case OffHeap:
			return strings.Contains(strings.ToLower(name), "mmap") || name == "cgocall" || strings.HasPrefix(name, "_Cfunc_") || strings.HasPrefix(name, "_C2func_")
		case FileDescriptors:
			switch strings.ToLower(strings.TrimLeft(name, "_")) {
			case "open", "openat", "openfile", "socket", "accept", "accept4", "pipe2", "dup", "inotifyinit1", "epollcreate1", "dial", "dialcontext":
				return true
			}
		}
		return false
	})
}
