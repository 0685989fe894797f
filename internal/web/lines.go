package web

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/view"
)

// fileSums adds up what was sampled on the lines of one file. Each line,
// function and call counts once a stack.
type fileSums struct {
	lines     []lineSum
	functions []functionSum
	calls     []callSum
	numbers   map[int]*numberSum // by line, whatever the function
	file      tally
}

// tally is an amount and the last stack (plus 1) that counted for it.
type tally struct {
	view.Amount
	seen uint32
}

type lineSum struct {
	tally
	line, function int
}

type functionSum struct {
	tally
	name        string
	first, last int
}

// numberSum is a line with the functions that have it.
type numberSum struct {
	tally
	functions int
}

// callSum is a call on a line, an index in lines.
type callSum struct {
	tally
	line   int
	name   string
	inline bool
}

// stackValue is one stack with its values.
type stackValue struct {
	stamp      uint32
	value, was int64
}

func (t *tally) add(s stackValue, leaf bool) {
	if leaf {
		t.Flat += s.value
		t.FlatBase += s.was
	}
	if t.seen != s.stamp {
		t.seen = s.stamp
		t.Cum += s.value
		t.CumBase += s.was
	}
}

// sumFile walks over the stacks of a view by lines.
func (d *Data) sumFile(file string) *fileSums {
	p := d.View.Profile
	b := &fileBuilder{
		p: p, of: &fileSums{numbers: map[int]*numberSum{}}, inFile: make([]bool, p.Functions.Len()), function: make([]int, p.Functions.Len()),
		lines: map[lineKey]int{}, calls: map[callKey]int{},
	}
	clean := view.TrimPath("", "")
	names := map[string]int{}
	for i := 1; i < len(b.inFile); i++ {
		fn := profile.FunctionID(i)
		raw := p.FunctionFile(fn)
		if raw == "" || filepath.Clean(clean(raw)) != file {
			continue
		}
		name := p.FunctionName(fn)
		at, known := names[name]
		if !known {
			at = len(b.of.functions)
			names[name] = at
			b.of.functions = append(b.of.functions, functionSum{name: name})
		}
		b.inFile[i], b.function[i] = true, at
	}
	has := make([]bool, p.Locations.Len())
	for loc := range has {
		has[loc] = slices.ContainsFunc(p.Locations.LinesOf(profile.LocationID(loc)), func(ln profile.Line) bool { return b.inFile[ln.Function] })
	}
	value, was := d.stackValues()
	for id := range p.Stacks.Len() {
		if value[id] == 0 && was[id] == 0 {
			continue
		}
		locs := p.Stacks.Of(profile.StackID(id))
		if slices.ContainsFunc(locs, func(l profile.LocationID) bool { return has[l] }) {
			b.stack(locs, stackValue{uint32(id) + 1, value[id], was[id]})
		}
	}
	return b.of
}

// stackValues adds up the values of each stack: now, and in the base.
func (d *Data) stackValues() (value, was []int64) {
	p := d.View.Profile
	value, was = make([]int64, p.Stacks.Len()), make([]int64, p.Stacks.Len())
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	for i, id := range p.Samples.Stack {
		if marked[p.Samples.Labels[i]] {
			was[id] -= d.View.Values[i]
		} else {
			value[id] += d.View.Values[i]
		}
	}
	return value, was
}

type lineKey struct{ function, line int }

type callKey struct {
	line   int
	callee profile.FunctionID
	inline bool
}

type fileBuilder struct {
	p        *profile.Profile
	of       *fileSums
	inFile   []bool // by function of the profile
	function []int  // by function of the profile: index in of.functions
	lines    map[lineKey]int
	calls    map[callKey]int
}

// stack counts one stack, whose frames are leaf first.
func (b *fileBuilder) stack(locs []profile.LocationID, s stackValue) {
	callee := profile.FunctionID(0)
	for i, loc := range locs {
		for k, ln := range b.p.Locations.LinesOf(loc) {
			leaf := i == 0 && k == 0
			if b.inFile[ln.Function] {
				b.frame(ln, callee, k > 0, leaf, s)
			}
			callee = ln.Function
		}
	}
}

func (b *fileBuilder) frame(ln profile.Line, callee profile.FunctionID, inline, leaf bool, s stackValue) {
	b.of.file.add(s, leaf)
	fn, n := b.function[ln.Function], int(ln.Line)
	f := &b.of.functions[fn]
	f.add(s, leaf)
	if n <= 0 {
		return
	}
	if f.first == 0 || n < f.first {
		f.first = n
	}
	f.last = max(f.last, n)
	at, known := b.lines[lineKey{fn, n}]
	if !known {
		at = len(b.of.lines)
		b.lines[lineKey{fn, n}] = at
		b.of.lines = append(b.of.lines, lineSum{line: n, function: fn})
		if b.of.numbers[n] == nil {
			b.of.numbers[n] = &numberSum{}
		}
		b.of.numbers[n].functions++
	}
	b.of.lines[at].add(s, leaf)
	b.of.numbers[n].add(s, leaf)
	if callee == 0 {
		return
	}
	key := callKey{at, callee, inline}
	c, known := b.calls[key]
	if !known {
		c = len(b.of.calls)
		b.calls[key] = c
		b.of.calls = append(b.of.calls, callSum{line: at, name: b.p.FunctionName(callee), inline: inline})
	}
	b.of.calls[c].add(s, false)
}

// hottest is the line with the most, of a function or ("") of all.
func (f *fileSums) hottest(function string) int {
	best, line := view.Amount{}, 0
	for i := range f.lines {
		l := &f.lines[i]
		if function != "" && f.functions[l.function].name != function {
			continue
		}
		if line == 0 || compareHeat(l.Amount, best) > 0 {
			best, line = l.Amount, l.line
		}
	}
	if line == 0 && function != "" {
		return f.hottest("")
	}
	return line
}

// maxLineCalls is how many calls of a line are listed.
const maxLineCalls = 6

// addSums puts sums into the answer, in order of their lines. A line that is in
// several functions, as of a generic one, is listed for each.
func (a *Source) addSums(d *Data, f *fileSums) {
	a.Values = d.values(f.file.Amount)
	order := make([]int, 0, len(f.functions))
	for i := range f.functions {
		if f.functions[i].seen != 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int {
		p, q := &f.functions[x], &f.functions[y]
		return cmp.Or(cmp.Compare(p.first, q.first), cmp.Compare(p.name, q.name))
	})
	number := make([]int, len(f.functions))
	for at, i := range order {
		number[i] = at
		fn := &f.functions[i]
		a.Functions = append(a.Functions, SourceFunction{Name: fn.name, First: fn.first, Last: fn.last, Values: d.values(fn.Amount)})
	}
	calls := make([][]*callSum, len(f.lines))
	for i := range f.calls {
		c := &f.calls[i]
		calls[c.line] = append(calls[c.line], c)
	}
	for i := range f.lines {
		l := SourceLine{Line: f.lines[i].line, Function: number[f.lines[i].function], Values: d.values(f.lines[i].Amount)}
		l.addCalls(d, calls[i])
		a.Lines = append(a.Lines, l)
	}
	slices.SortFunc(a.Lines, func(x, y SourceLine) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Function, y.Function))
	})
	for _, n := range slices.Sorted(maps.Keys(f.numbers)) {
		if sum := f.numbers[n]; sum.functions > 1 {
			a.Sums = append(a.Sums, LineSum{n, d.values(sum.Amount)})
		}
	}
}

func (l *SourceLine) addCalls(d *Data, list []*callSum) {
	slices.SortFunc(list, func(x, y *callSum) int {
		return cmp.Or(compareHeat(y.Amount, x.Amount), cmp.Compare(x.name, y.name))
	})
	for _, c := range list[:min(len(list), maxLineCalls)] {
		v := d.values(c.Amount)
		l.Calls = append(l.Calls, LineCall{Name: c.name, Category: d.Names.Of(c.name).Category, Inline: c.inline, Value: v.Cum, Base: v.CumBase})
	}
	l.More = max(0, len(list)-maxLineCalls)
}
