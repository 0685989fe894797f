package profile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestBuilder(t *testing.T) {
	b := NewBuilder(ValueType{"samples", "count"})
	x := b.String("x")
	if b.String("") != 0 || b.String("x") != x || x == b.String("y") {
		t.Error("strings are not interned")
	}
	f := b.Function("f", "f", "f.go", 1)
	if f == 0 || b.Function("f", "f", "f.go", 1) != f || b.Function("f", "f", "f.go", 2) == f || b.Function("f", "_f", "f.go", 1) == f {
		t.Error("functions are not interned by all their fields")
	}
	m := b.Mapping(Mapping{Start: 1, Limit: 2, File: "a"})
	if b.Mapping(Mapping{ID: 77, Start: 1, Limit: 2, File: "a"}) != m || b.Mapping(Mapping{Start: 1, Limit: 2, File: "b"}) == m {
		t.Error("mappings are not interned by all fields but the number")
	}
	if again := b.AddMapping(Mapping{Start: 1, Limit: 2, File: "a"}); again == m {
		t.Error("AddMapping interned")
	}
	l := b.Location(m, 10, Line{f, 3, 0})
	for _, other := range []LocationID{b.Location(m, 11, Line{f, 3, 0}), b.Location(0, 10, Line{f, 3, 0}), b.Location(m, 10), b.Location(m, 10, Line{f, 3, 1}), b.Location(m, 10, Line{f, 4, 0}), b.Location(m, 10, Line{f, 3, 0}, Line{f, 3, 0}), b.AddLocation(m, 10, false, Line{f, 3, 0})} {
		if other == l {
			t.Error("unequal locations are one")
		}
	}
	if b.Location(m, 10, Line{f, 3, 0}) != l {
		t.Error("equal locations are two")
	}
	b.AddLocation(m, 12, true)
	b.Sample([]LocationID{l}, []int64{1}, b.NumLabel("n", 1, "u"), b.StringLabel("b", "2"), b.StringLabel("a", "1"))
	b.Sample([]LocationID{l}, []int64{2}, b.StringLabel("a", "1"), b.StringLabel("b", "2"), b.NumLabel("n", 1, "u"))
	b.Sample(nil, []int64{3})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	if p.Samples.Labels[0] != p.Samples.Labels[1] || p.Samples.Stack[0] != p.Samples.Stack[1] {
		t.Error("equal stacks or label sets are two")
	}
	if p.Samples.Stack[2] != 0 || p.Samples.Labels[2] != 0 {
		t.Error("no frames and no labels are row 0")
	}
	if !p.Locations.IsFolded(LocationID(p.Locations.Len()-1)) || p.Locations.IsFolded(l) {
		t.Error("folded is on the wrong location")
	}
	var keys []string
	for _, l := range p.LabelSets.Of(p.Samples.Labels[0]) {
		keys = append(keys, p.Str(l.Key))
	}
	if want := []string{"a", "b", "n"}; !slices.Equal(keys, want) {
		t.Errorf("labels %v, want %v", keys, want)
	}
	if p.FunctionName(f) != "f" || p.FunctionFile(f) != "f.go" || p.FunctionName(0) != "" {
		t.Error("names of functions")
	}
	bad := NewBuilder(ValueType{"samples", "count"})
	bad.Sample([]LocationID{99}, []int64{1})
	if _, err := bad.Profile(); !errors.Is(err, ErrMalformed) {
		t.Errorf("a dangling frame: %v", err)
	}
}

// TestInterners compares the open addressing tables with maps.
func TestInterners(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	stacks := Stacks{Offsets: make([]uint64, 2)}
	sets := LabelSets{Offsets: make([]uint32, 2)}
	var si StackInterner
	var li LabelInterner
	knownStack, knownSet := map[string]StackID{"[]": 0}, map[string]LabelSetID{"[]": 0}
	for range 20_000 {
		frames := make([]LocationID, r.IntN(4))
		for i := range frames {
			frames[i] = LocationID(r.IntN(20) + 1)
		}
		id := si.Intern(&stacks, frames)
		key := fmt.Sprint(frames)
		if want, ok := knownStack[key]; ok && want != id || !ok && int(id) != len(knownStack) {
			t.Fatalf("stack %v is %d, want %d (known %v, %d stacks)", frames, id, want, ok, len(knownStack))
		}
		knownStack[key] = id
		if !slices.Equal(stacks.Of(id), frames) {
			t.Fatalf("stack %d is %v, want %v", id, stacks.Of(id), frames)
		}

		labels := make([]Label, r.IntN(3))
		for i := range labels {
			labels[i] = Label{Key: StringID(r.IntN(5)), Str: StringID(r.IntN(4)), Num: int64(r.IntN(3)) - 1, Unit: StringID(r.IntN(3))}
		}
		set := li.Intern(&sets, labels)
		key = fmt.Sprint(labels)
		if want, ok := knownSet[key]; ok && want != set || !ok && int(set) != len(knownSet) {
			t.Fatalf("labels %v are %d, want %d", labels, set, want)
		}
		knownSet[key] = set
		if !slices.Equal(sets.Of(set), labels) {
			t.Fatalf("set %d is %v, want %v", set, sets.Of(set), labels)
		}
	}
	if stacks.Len() != len(knownStack) || sets.Len() != len(knownSet) {
		t.Errorf("%d stacks and %d sets, want %d and %d", stacks.Len(), sets.Len(), len(knownStack), len(knownSet))
	}
	// An interner that starts on a table with rows knows them.
	var late StackInterner
	for key, want := range knownStack {
		if got := late.Intern(&stacks, slices.Clone(stacks.Of(want))); got != want {
			t.Fatalf("stack %s is %d for a late interner, want %d", key, got, want)
		}
	}
	var lateLabels LabelInterner
	for key, want := range knownSet {
		if got := lateLabels.Intern(&sets, slices.Clone(sets.Of(want))); got != want {
			t.Fatalf("labels %s are %d for a late interner, want %d", key, got, want)
		}
	}
}

func valid() *Profile {
	b := NewBuilder(ValueType{"samples", "count"}, ValueType{"cpu", "ns"})
	m := b.Mapping(Mapping{Start: 1, Limit: 2})
	fn := b.Function("f", "f", "f.go", 1)
	b.Sample([]LocationID{b.Location(m, 1, Line{fn, 1, 0})}, []int64{1, 2}, b.StringLabel("k", "v"))
	p, err := b.Profile()
	if err != nil {
		panic(err)
	}
	return p
}

// TestCheck breaks one rule at a time.
func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(p *Profile)
		want  string
	}{
		"no strings":            {func(p *Profile) { p.Strings = nil }, "string 0 is not empty"},
		"first string":          {func(p *Profile) { p.Strings[0] = "x" }, "string 0 is not empty"},
		"no mapping row":        {func(p *Profile) { p.Mappings = nil }, "mapping row 0"},
		"mapping number 0":      {func(p *Profile) { p.Mappings[1].ID = 0 }, "reserved ID=0"},
		"mapping twice":         {func(p *Profile) { p.Mappings = append(p.Mappings, p.Mappings[1]) }, "multiple mappings with same id: 1"},
		"function columns":      {func(p *Profile) { p.Functions.File = p.Functions.File[:1] }, "function columns differ"},
		"function string":       {func(p *Profile) { p.Functions.Name[1] = 99 }, "function 1: string 99"},
		"function number 0":     {func(p *Profile) { p.Functions.ID = []uint64{0, 0} }, "function with reserved id=0"},
		"location columns":      {func(p *Profile) { p.Locations.Mapping = p.Locations.Mapping[:1] }, "location columns differ"},
		"folded column":         {func(p *Profile) { p.Locations.Folded = make([]bool, 1) }, "location columns differ"},
		"location numbers":      {func(p *Profile) { p.Locations.ID = []uint64{0, 0} }, "location with reserved id=0"},
		"line offsets end":      {func(p *Profile) { p.Locations.LineOffsets[2] = 9 }, "line offsets do not cover"},
		"line offsets fall":     {func(p *Profile) { p.Locations.LineOffsets[1] = 5 }, "line offsets do not increase"},
		"location mapping":      {func(p *Profile) { p.Locations.Mapping[1] = 7 }, "location 1: mapping 7"},
		"line without a name":   {func(p *Profile) { p.Locations.Lines[0].Function = 0 }, "line with nil function"},
		"line function":         {func(p *Profile) { p.Locations.Lines[0].Function = 5 }, "location 1: function 5"},
		"stack offsets":         {func(p *Profile) { p.Stacks.Offsets[2] = 9 }, "stack offsets do not cover"},
		"no stack row":          {func(p *Profile) { p.Stacks.Offsets = nil }, "stack offsets do not cover"},
		"stack offsets fall":    {func(p *Profile) { p.Stacks.Offsets = []uint64{0, 0, 2, 1} }, "stack 2: offsets decrease"},
		"frame 0":               {func(p *Profile) { p.Stacks.Frames[0] = 0 }, "frame 0: location 0"},
		"frame":                 {func(p *Profile) { p.Stacks.Frames[0] = 8 }, "frame 0: location 8"},
		"label offsets":         {func(p *Profile) { p.LabelSets.Offsets[2] = 4 }, "label offsets do not cover"},
		"label offsets fall":    {func(p *Profile) { p.LabelSets.Offsets = []uint32{0, 0, 3, 1} }, "label set 2: offsets decrease"},
		"label string":          {func(p *Profile) { p.LabelSets.Labels[0].Unit = 44 }, "label 0: string 44"},
		"no types":              {func(p *Profile) { p.SampleTypes = nil }, "missing sample type"},
		"columns":               {func(p *Profile) { p.Samples.Values = p.Samples.Values[:1] }, "samples have 1 values vs. 2 types"},
		"label column":          {func(p *Profile) { p.Samples.Labels = nil }, "sample columns differ"},
		"value column":          {func(p *Profile) { p.Samples.Values[1] = nil }, ""},
		"stack of a sample":     {func(p *Profile) { p.Samples.Stack[0] = 5 }, ""},
		"label set of a sample": {func(p *Profile) { p.Samples.Labels[0] = 5 }, ""},
	} {
		p := valid()
		tt.spoil(p)
		err := p.Check()
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if err := valid().Check(); err != nil {
		t.Error(err)
	}
	if err := NewEmpty().Check(); err != nil {
		t.Error(err)
	}
}

func TestKernelRelocation(t *testing.T) {
	for file, want := range map[string]string{"[kernel.kallsyms]_text": "_text", "[kernel.kallsyms]": "", "/usr/bin/x": "", "x[kernel.kallsyms]_text": ""} {
		if got := KernelRelocation(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

// TestTransformsShare: a transformation makes a new profile and leaves the old
// one as it was.
func TestTransformsShare(t *testing.T) {
	p := valid()
	before := fmt.Sprintf("%+v", *p)
	if p.KeepSamples(func(int) bool { return true }) != p {
		t.Error("keeping all copies")
	}
	if q := p.KeepSamples(func(int) bool { return false }); q.Samples.Len() != 0 {
		t.Error("keeping none keeps some")
	}
	q, dropped := p.CutStacks(func(frames []LocationID) (int, int, bool) { return 0, len(frames), len(frames) == 0 })
	if q.Stacks.Len() != 2 || len(q.Stacks.Of(1)) != 0 || !dropped[1] || dropped[0] {
		t.Errorf("stacks %v, dropped %v", q.Stacks, dropped)
	}
	q = p.MapLines(func(_ LocationID, lines, out []Line) []Line { return append(append(out, lines...), lines...) })
	if len(q.Locations.LinesOf(1)) != 2 {
		t.Error("lines are not doubled")
	}
	q = p.MapLabels(func(set, out []Label) []Label { return out })
	if q.Samples.Labels[0] != 0 || q.LabelSets.Len() != 1 {
		t.Error("labels are not gone")
	}
	q = p.WithStringLabel("k", "other")
	if set := q.LabelSets.Of(q.Samples.Labels[0]); len(set) != 1 || q.Str(set[0].Str) != "other" {
		t.Errorf("label set %v", set)
	}
	for _, q := range []*Profile{p.Scale(3), p.WithStringLabel("new", "x"), Compact(p)} {
		if err := q.Check(); err != nil {
			t.Error(err)
		}
	}
	if after := fmt.Sprintf("%+v", *p); after != before {
		t.Errorf("the profile changed\nwas %s\nis  %s", before, after)
	}
}

// TestMergePlacesApart merges places that have their address in common and
// differ in one thing, which makes each the next one's neighbour.
func TestMergePlacesApart(t *testing.T) {
	type place struct {
		name, system, file string
		start, line        int64
		column             int64
		folded             bool
		inlined            bool
	}
	base := place{name: "f", system: "f", file: "f.go", start: 1, line: 2}
	places := []place{base}
	for _, change := range []func(*place){
		func(p *place) { p.name = "g" }, func(p *place) { p.system = "g" }, func(p *place) { p.file = "g.go" },
		func(p *place) { p.start = 9 }, func(p *place) { p.line = 9 }, func(p *place) { p.column = 9 },
		func(p *place) { p.folded = true }, func(p *place) { p.inlined = true },
	} {
		p := base
		change(&p)
		places = append(places, p)
	}
	var srcs []*Profile
	for _, pl := range append(slices.Clone(places), places...) {
		b := NewBuilder(ValueType{"samples", "count"})
		b.String("shift") // row numbers are not the same in all profiles
		m := b.Mapping(Mapping{Start: 0x1000, Limit: 0x2000, File: "prog"})
		lines := []Line{{b.Function(pl.name, pl.system, pl.file, pl.start), pl.line, pl.column}}
		if pl.inlined {
			lines = append(lines, lines[0])
		}
		b.Sample([]LocationID{b.AddLocation(m, 0x1234, pl.folded, lines...)}, []int64{1})
		p, err := b.Profile()
		if err != nil {
			t.Fatal(err)
		}
		srcs = append(srcs, p)
	}
	p, err := Merge(srcs)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Locations.Len()-1, len(places); got != want {
		t.Errorf("%d places, want %d", got, want)
	}
	for i, v := range p.Samples.Values[0] {
		if v != 2 {
			t.Errorf("sample %d has value %d, want 2", i, v)
		}
	}
}

// manyStacks is a table worth dividing, of stacks of 0 to 4 frames.
func manyStacks() Stacks {
	s := Stacks{Offsets: []uint64{0}}
	for id := range 5 * RowsPerPart {
		for i := range id % 5 {
			s.Frames = append(s.Frames, LocationID(id+i))
		}
		s.Offsets = append(s.Offsets, uint64(len(s.Frames)))
	}
	return s
}

// TestCutManyStacks divides the work; stacks stay, shrink and go.
func TestCutManyStacks(t *testing.T) {
	p := NewEmpty()
	p.Stacks = manyStacks()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	for _, cut := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		f := func(frames []LocationID) (from, to int, ok bool) {
			if len(frames) < 2 {
				return 0, len(frames), true
			}
			return cut[0], len(frames) - cut[1], len(frames) != 3
		}
		q, dropped := p.CutStacks(f)
		for id := range p.Stacks.Len() {
			from, to, ok := f(p.Stacks.Of(StackID(id)))
			want := p.Stacks.Of(StackID(id))[from:to]
			if !ok {
				want = nil
			}
			if got := q.Stacks.Of(StackID(id)); !slices.Equal(got, want) || dropped[id] == ok {
				t.Fatalf("cut %d: stack %d is %v, want %v, dropped %t", cut, id, got, want, dropped[id])
			}
		}
	}
}

// TestRemakeManyStacks: stacks grow, shrink, go, and stay.
func TestRemakeManyStacks(t *testing.T) {
	s := manyStacks()
	lengths := make([]int32, s.Len())
	for id := range lengths {
		lengths[id] = int32(id%7) - 1 // the least is Same
	}
	last := make([]StackID, 4)
	q := s.Remake(lengths, len(last), func(k int, id StackID, to []LocationID) {
		if id < last[k] {
			t.Errorf("part %d: %d comes after %d", k, id, last[k])
		}
		last[k] = id
		for i := range to {
			to[i] = LocationID(id) + 7
		}
	})
	for id, n := range lengths {
		want := s.Of(StackID(id))
		if n != Same {
			want = slices.Repeat([]LocationID{LocationID(id) + 7}, int(n))
		}
		if got := q.Of(StackID(id)); !slices.Equal(got, want) {
			t.Fatalf("stack %d is %v, want %v", id, got, want)
		}
	}
	for id := range lengths {
		lengths[id] = Same
	}
	if q := s.Remake(lengths, 1, nil); &q.Frames[0] != &s.Frames[0] {
		t.Error("a table of the same stacks is a copy")
	}
}

// TestKeepManySamples divides the work.
func TestKeepManySamples(t *testing.T) {
	p := NewEmpty()
	n := 5*RowsPerPart + 3
	p.Samples = Samples{Stack: make([]StackID, n), Labels: make([]LabelSetID, n), Values: [][]int64{make([]int64, n), make([]int64, n)}}
	for i := range n {
		p.Samples.Stack[i], p.Samples.Labels[i], p.Samples.Values[0][i], p.Samples.Values[1][i] = StackID(i), LabelSetID(i+1), int64(i+2), int64(i+3)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	keep := func(i int) bool { return i%3 == 0 && i/100%7 != 2 }
	s := p.KeepSamples(keep).Samples
	at := 0
	for i := range n {
		if !keep(i) {
			continue
		}
		if got, want := [4]int64{int64(s.Stack[at]), int64(s.Labels[at]), s.Values[0][at], s.Values[1][at]}, [4]int64{int64(i), int64(i + 1), int64(i + 2), int64(i + 3)}; got != want {
			t.Fatalf("row %d is %v, want %v", at, got, want)
		}
		at++
	}
	if s.Len() != at || len(s.Labels) != at || len(s.Values[1]) != at {
		t.Errorf("%d rows, want %d", s.Len(), at)
	}
}
