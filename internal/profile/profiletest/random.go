package profiletest

import (
	"fmt"
	"math/rand/v2"
)

// Numbering is how the rows of a random message are numbered.
type Numbering int

// Numberings.
const (
	Dense  Numbering = iota // 1, 2, 3 ...
	Sparse                  // with gaps, in no order
	Huge                    // around and above 1<<32
)

// Shape is what a random message is like. The zero value is a small Go CPU
// profile without labels and inlined calls.
type Shape struct {
	Types     []ValueType // nil: samples/count cpu/nanoseconds
	Samples   int         // 0: 60
	Functions int         // 0: 25
	Depth     int         // 0: 12; the longest stack
	Numbering Numbering

	Labels   bool // string labels, repeated keys, numbers with and without units
	Inlines  bool // locations with several lines
	Negative bool // negative values
	Zeros    bool // samples of all zeros, and of some
	Bare     bool // addresses without lines
	Odd      bool // names of other languages, of other scripts, with quotes, empty
	Shift    uint64
}

var oddNames = [...]string{
	`std::map<int, foo<bar>>::operator[](int const&)`, "(anonymous namespace)::Pool::Grow(unsigned long)",
	"com.example.shop.Cart$Item.total", "java.lang.Thread.run", "github.com/acme/shop/v2.(*Cart).Add",
	"main.Map[go.shape.int,go.shape.string]", `quoted "name" \ back`, "日本.関数", "", ".ppc64_entry", "a|b", "<unknown>",
}

// Random makes a message; equal arguments give equal messages.
func Random(seed uint64, s Shape) *Message {
	g := &generator{r: rand.New(rand.NewPCG(seed, 0x70726f66)), s: s, m: &Message{}}
	g.defaults()
	g.mappings()
	g.functions()
	g.locations()
	g.samples()
	return g.m
}

type generator struct {
	r *rand.Rand
	s Shape
	m *Message
}

func (g *generator) defaults() {
	s := &g.s
	if s.Types == nil {
		s.Types = []ValueType{{"samples", "count"}, {"cpu", "nanoseconds"}}
	}
	if s.Samples == 0 {
		s.Samples = 60
	}
	if s.Functions == 0 {
		s.Functions = 25
	}
	if s.Depth == 0 {
		s.Depth = 12
	}
	m := g.m
	m.Types = s.Types
	last := s.Types[len(s.Types)-1]
	m.PeriodType = &last
	m.Period = 10_000_000
	m.TimeNanos = 1_700_000_000_000_000_000
	m.DurationNanos = 2_500_000_000
	if g.s.Odd {
		m.Comments = []string{"first comment", "#hidden comment", "first comment"}
		m.Doc = "https://example.com/profiles"
		m.Default = s.Types[0].Type
	}
}

// numbers draws n distinct numbers.
func (g *generator) numbers(n int) []uint64 {
	ids := make([]uint64, n)
	seen := map[uint64]bool{0: true}
	for i := range ids {
		id := uint64(i + 1)
		for g.s.Numbering != Dense && seen[id] || g.s.Numbering != Dense && id == uint64(i+1) {
			switch g.s.Numbering {
			case Sparse:
				id = g.r.Uint64N(100_000) + 1
			case Huge:
				id = 1<<32 - uint64(n) + g.r.Uint64N(uint64(4*n))
				if g.r.IntN(3) == 0 {
					id = 1<<63 + g.r.Uint64N(1<<20)
				}
			}
		}
		seen[id] = true
		ids[i] = id
	}
	return ids
}

func (g *generator) mappings() {
	ids := g.numbers(3)
	symbols := !g.s.Bare
	for i, file := range []string{"/usr/bin/shop", "/usr/lib/libc.so.6", "[vdso]"} {
		start := uint64(0x400000*(i+1)) + g.s.Shift
		mp := Mapping{ID: ids[i], Start: start, Limit: start + 0x200000, Offset: uint64(i) * 0x1000, File: file, Functions: symbols, Files: symbols, Lines: symbols, Inlines: symbols}
		if i == 0 {
			mp.BuildID = "c0ffee"
		}
		g.m.Mappings = append(g.m.Mappings, mp)
	}
}

func (g *generator) functions() {
	for i, id := range g.numbers(g.s.Functions) {
		f := Function{ID: id, Name: fmt.Sprintf("example.com/shop/pkg%d.(*T%d).Do%d", i%3, i%5, i), File: fmt.Sprintf("/src/shop/pkg%d/file%d.go", i%3, i%7), Start: int64(10 * i)}
		f.System = f.Name
		switch {
		case i%6 == 5: // the same name in another file
			f.Name = g.m.Functions[i-1].Name
			f.System = "_Z" + f.Name
		case g.s.Odd && i%2 == 1:
			f.Name = oddNames[i/2%len(oddNames)]
			f.System = f.Name
		case i%8 == 3:
			f.Name, f.System = "runtime.mallocgc", "runtime.mallocgc"
			f.File = "/usr/local/go/src/runtime/malloc.go"
		}
		if g.s.Odd && i%9 == 4 {
			f.File = []string{"", "../rel/./x.go", "/proc/self/cwd/y.cc", "a//b.c"}[i/9%4]
		}
		g.m.Functions = append(g.m.Functions, f)
	}
}

func (g *generator) locations() {
	for _, id := range g.numbers(2 * g.s.Functions) {
		mp := &g.m.Mappings[g.r.IntN(len(g.m.Mappings))]
		l := Location{ID: id, Mapping: mp.ID, Address: mp.Start + g.r.Uint64N(0x8000)}
		lines := 1
		if g.s.Inlines && g.r.IntN(3) == 0 {
			lines += 1 + g.r.IntN(3)
		}
		if g.s.Bare && g.r.IntN(2) == 0 {
			lines = 0
		}
		if g.s.Odd && g.r.IntN(12) == 0 {
			l.Mapping = 0
		}
		l.Folded = g.s.Odd && g.r.IntN(10) == 0
		for range lines {
			f := &g.m.Functions[g.r.IntN(len(g.m.Functions))]
			l.Lines = append(l.Lines, Line{Function: f.ID, Line: f.Start + g.r.Int64N(9), Column: g.r.Int64N(3)})
		}
		g.m.Locations = append(g.m.Locations, l)
	}
}

func (g *generator) samples() {
	var stacks [][]uint64
	for range g.s.Samples {
		var stack []uint64
		if len(stacks) > 0 && g.r.IntN(4) == 0 {
			stack = stacks[g.r.IntN(len(stacks))]
		} else {
			for range 1 + g.r.IntN(g.s.Depth) {
				// The square makes some locations frequent.
				n := g.r.IntN(len(g.m.Locations)) * g.r.IntN(len(g.m.Locations)) / len(g.m.Locations)
				stack = append(stack, g.m.Locations[n].ID)
			}
			if g.r.IntN(5) == 0 { // direct recursion
				stack = append(stack, stack[len(stack)-1])
			}
			stacks = append(stacks, stack)
		}
		sm := Sample{Locations: stack}
		for t := range g.m.Types {
			v := g.r.Int64N(1000) + 1
			if g.m.Types[t].Unit != "count" {
				v *= 10_000
			}
			if g.s.Negative && g.r.IntN(3) == 0 {
				v = -v
			}
			if g.s.Zeros && g.r.IntN(4) == 0 {
				v = 0
			}
			sm.Values = append(sm.Values, v)
		}
		if g.s.Labels {
			sm.Labels = g.labels()
		}
		g.m.Samples = append(g.m.Samples, sm)
	}
}

// labels draws a set in no order, with repeated keys now and then.
func (g *generator) labels() []Label {
	var out []Label
	add := func(odds int, l Label) {
		if g.r.IntN(odds) == 0 {
			out = append(out, l)
		}
	}
	add(3, Label{Key: "thread", Str: fmt.Sprint("worker-", g.r.IntN(4))})
	add(2, Label{Key: "endpoint", Str: []string{"/cart", "/login", "/pay now", "日本"}[g.r.IntN(4)]})
	add(5, Label{Key: "endpoint", Str: "/again"})
	add(3, Label{Key: "bytes", Num: 16 << g.r.IntN(12), Unit: "bytes"})
	add(4, Label{Key: "request", Num: int64(g.r.IntN(5000) + 1)})
	add(5, Label{Key: "wait", Num: int64(g.r.IntN(90)+1) * 1_000_000, Unit: "nanoseconds"})
	add(6, Label{Key: "wait", Num: int64(g.r.IntN(90) + 1)})
	add(8, Label{Key: "none", Unit: "bytes"})
	return out
}
