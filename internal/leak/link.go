package leak

import (
	"math"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
)

// startedTogether makes one finding of kinds of goroutine that the same code of
// the program starts, as many of one as of the other: both ends of a
// connection, and who serves it. The one that says most remains.
func (j *judge) startedTogether() {
	if j.h.rounds {
		return
	}
	list := j.v.Findings
	gone := make([]bool, len(list))
	for i := range list {
		kinds := []int{i}
		for k := i + 1; k < len(list); k++ {
			if !gone[i] && !gone[k] && together(&list[i], &list[k]) {
				kinds = append(kinds, k)
			}
		}
		if len(kinds) == 1 {
			continue
		}
		first, sum := kinds[0], 0.0
		for _, k := range kinds {
			sum += list[k].Slope.Value
			if says(&list[k]) > says(&list[first]) {
				first = k
			}
		}
		var below []Branch
		for _, k := range kinds {
			below = append(below, Branch{list[k].Path, list[k].Slope.Value / sum})
			gone[k] = k != first
		}
		list[first].Below = below
		j.together += sum - list[first].Slope.Value
	}
	j.v.Findings = nil
	for i := range list {
		if !gone[i] {
			j.v.Findings = append(j.v.Findings, list[i])
		}
	}
}

// sameRate is how far apart the rates of goroutines that are started together
// may lie, as a part, if their intervals do not allow more.
const sameRate = 0.05

// together tells whether two findings are of goroutines that the same function
// of the program starts equally often.
func together(a, b *Finding) bool {
	if a.Resource != Goroutines || b.Resource != Goroutines || a.Class != b.Class || a.Class < Growing || a.Level != b.Level {
		return false
	}
	x, y := a.starter(), b.starter()
	apart := math.Abs(a.Slope.Value - b.Slope.Value)
	near := max(sameRate*a.Slope.Value, (a.Slope.High-a.Slope.Low+b.Slope.High-b.Slope.Low)/2)
	return x != "" && x == y && apart <= near
}

// starter is the function of the program that starts the goroutines, or else
// the one that they run; "" if none is known.
func (f *Finding) starter() string {
	for _, path := range [][]Frame{f.Origin, f.Path} {
		for i := len(path) - 1; i >= 0; i-- {
			if path[i].Own {
				return path[i].Function
			}
		}
	}
	return ""
}

// says ranks findings by how much they say: the program's own code on the
// stack before how sure it is who started it.
func says(f *Finding) int {
	if f.Blame >= 0 {
		return int(Certain) + 1
	}
	return int(f.BlameLevel)
}

// link tells which goroutine finding, or else which descriptor finding,
// explains which heap finding: the goroutines keep what they refer to alive.
// They must grow at the same time and share code: the function the goroutine
// runs, its package, or who starts it; or else grow in step, and be of one
// type.
func (j *judge) link() {
	for i := range j.v.Findings {
		f := &j.v.Findings[i]
		if f.Class < Growing || f.Resource != Heap && f.Resource != FileDescriptors {
			continue
		}
		for _, explains := range [...]func(f, c *Finding) bool{related, akin} {
			if f.Cause >= 0 {
				break
			}
			f.Cause = slices.IndexFunc(j.v.Findings, func(c Finding) bool {
				if c.Resource != Goroutines || c.Class < Growing {
					return false
				}
				return f.Resource == FileDescriptors && c.Slope.High >= f.Slope.Low/4 || f.Resource == Heap && explains(f, &c)
			})
		}
		if f.Cause >= 0 && f.Blame < 0 && f.Origin == nil {
			f.Origin, f.BlameLevel = j.v.Findings[f.Cause].ownPath(), Inferred
		}
	}
}

// ownPath is where the own code of a finding is.
func (f *Finding) ownPath() []Frame {
	if f.Blame >= 0 {
		return f.Path
	}
	return f.Origin
}

// related tells whether heap finding f, or most of what is below it, lies on
// the way of the goroutines c.
func related(f, c *Finding) bool {
	functions := map[string]bool{}
	packages := map[string]bool{}
	for i := range c.Path {
		if c.Path[i].Own && c.Path[i].Function != "main.main" {
			functions[c.Path[i].Function] = true
		}
	}
	for i := len(c.Origin) - 1; i >= 0; i-- { // the one that says go, not all above it
		if c.Origin[i].Own {
			functions[c.Origin[i].Function] = true
			break
		}
	}
	if len(c.Path) > 0 {
		functions[c.Path[0].Function] = true
		if !c.Path[0].Own {
			packages[origin.Package(c.Path[0].Function)] = true
		}
	}
	on := func(x Frame) bool { return functions[x.Function] || packages[origin.Package(x.Function)] }
	if slices.ContainsFunc(f.Path, on) {
		return true
	}
	share := 0.0
	for _, b := range f.Below {
		if slices.ContainsFunc(b.Path, on) {
			share += b.Share
		}
	}
	return share > 0.5
}

// akin tells whether heap finding f grows in step with the goroutines c, and
// calls methods of the type whose method they run, or the function in which
// theirs is written.
func akin(f, c *Finding) bool {
	entry := slices.IndexFunc(c.Path, func(x Frame) bool { return x.Own })
	if entry < 0 || !inStep(f, c) {
		return false
	}
	kin := family(c.Path[entry].Function)
	return slices.ContainsFunc(f.Path, func(x Frame) bool { return x.Own && x.Function != "main.main" && family(x.Function) == kin })
}

// family is a function's receiver type with its package, or the outermost
// function that it is written in.
func family(function string) string {
	dir := strings.LastIndexByte(function, '/') + 1
	pkg, rest, _ := strings.Cut(function[dir:], ".")
	if at := strings.Index(rest, ")."); at >= 0 && strings.HasPrefix(rest, "(") {
		return function[:dir] + pkg + "." + rest[:at+1]
	}
	name, _, _ := strings.Cut(rest, ".")
	return function[:dir] + pkg + "." + name
}

// inStep tells whether the growth of f is spread over time as that of c is, by
// the test of Kolmogorov and Smirnov at one in a hundred: of the samples of f,
// at each moment as many were there as c had of its own growth.
func inStep(f, c *Finding) bool {
	n, m := len(f.Values), len(c.Values)
	if n < minLooks || m < minLooks || f.Samples < minSamples {
		return false
	}
	rise, base := f.Values[n-1]-f.Values[0], c.Values[m-1]-c.Values[0]
	if rise <= 0 || base <= 0 {
		return false
	}
	far, k := 0.0, 0
	for i := range f.Values {
		for k+1 < m && !c.Times[k+1].After(f.Times[i]) {
			k++
		}
		far = max(far, math.Abs((f.Values[i]-f.Values[0])/rise-(c.Values[k]-c.Values[0])/base))
	}
	return far <= 1.63/math.Sqrt(float64(f.Samples))
}

// reconcile makes findings and totals agree. A total that grows is a finding
// when no other finding explains it: resident memory by what is in it, the
// rest by findings of its own. And what leaks mostly is a leak as a whole.
func (j *judge) reconcile() {
	for i := range j.v.Totals {
		t := &j.v.Totals[i]
		explained, leaks := t.Resource == ResidentMemory && j.heapExplains(t), 0.0
		for k := range j.v.Findings {
			f := &j.v.Findings[k]
			part := f.Resource == t.Resource || t.Resource == ResidentMemory && f.Resource != FileDescriptors
			explained = explained || part && f.Class >= Growing
			if f.Resource == t.Resource && f.Class == Leak && len(f.Path) > 0 {
				leaks += f.After.Value - f.Before.Value
			}
		}
		switch {
		case !explained && !j.h.rounds && (t.Class == Leak || t.Class == Growing && t.Resource != ResidentMemory):
			j.v.Findings = append(j.v.Findings, *t)
		case t.Class > Unknown && t.Class < Leak && leaks > max(0, (t.After.Value-t.Before.Value)/2):
			t.Class = Leak
		}
	}
}

// heapExplains tells that resident memory rises because the heap does, which
// has its own reason for it. Resident memory is up to 1 + GOGC/100 times as
// much, twice by default; half of the rest may be something else.
func (j *judge) heapExplains(resident *Finding) bool {
	heap := j.total(Heap)
	if heap == nil || heap.Class != Load && heap.Class != Filling && heap.Class != Step {
		return false
	}
	const most = 4
	return most*(heap.After.Value-heap.Before.Value) >= resident.After.Value-resident.Before.Value
}
