package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/profile"
)

// plainFrame is one line of a stack; name is "" for a location without lines.
type plainFrame struct {
	name, text string
}

// plainSamples writes every sample as values and frames, leaf first; drop and
// edit are the naive way to do what a transform does.
func plainSamples(t *testing.T, p *profile.Profile, edit func([]plainFrame) ([]plainFrame, bool)) []string {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, id := range p.Samples.Stack {
		var frames []plainFrame
		for _, loc := range p.Stacks.Of(id) {
			lines := p.Locations.LinesOf(loc)
			if len(lines) == 0 {
				frames = append(frames, plainFrame{"", fmt.Sprintf("%#x", p.Locations.Address[loc])})
			}
			for _, ln := range lines {
				frames = append(frames, plainFrame{p.FunctionName(ln.Function), fmt.Sprintf("%s:%d", p.FunctionName(ln.Function), ln.Line)})
			}
		}
		if edit != nil {
			var ok bool
			if frames, ok = edit(frames); !ok {
				continue
			}
		}
		var b strings.Builder
		for _, col := range p.Samples.Values {
			fmt.Fprint(&b, col[i], " ")
		}
		for _, f := range frames {
			b.WriteString(" < " + f.text)
		}
		out = append(out, b.String())
	}
	slices.Sort(out)
	return out
}

// busiest is the name of the function in most stacks.
func busiest(p *profile.Profile) string {
	count := map[string]int{}
	best := ""
	for _, loc := range p.Stacks.Frames {
		for _, ln := range p.Locations.LinesOf(loc) {
			n := p.FunctionName(ln.Function)
			count[n]++
			if best == "" || count[n] > count[best] || count[n] == count[best] && n < best {
				best = n
			}
		}
	}
	return best
}

// TestExactTransforms compares the transforms with the naive way.
func TestExactTransforms(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		name := busiest(p)
		is := Named(p, "", name)
		at := func(frames []plainFrame, from int, step int) int {
			for i := from; i >= 0 && i < len(frames); i += step {
				if frames[i].name == name && name != "" {
					return i
				}
			}
			return -1
		}
		for op, c := range map[string]struct {
			got  *profile.Profile
			edit func([]plainFrame) ([]plainFrame, bool)
		}{
			"root": {RootAt(p, is), func(f []plainFrame) ([]plainFrame, bool) {
				i := at(f, len(f)-1, -1)
				return f[:i+1], i >= 0
			}},
			"drop": {DropThrough(p, is), func(f []plainFrame) ([]plainFrame, bool) { return f, at(f, 0, 1) < 0 }},
			"merge": {TakeOut(p, is), func(f []plainFrame) ([]plainFrame, bool) {
				if at(f, 0, 1) < 0 {
					return f, true
				}
				f = slices.DeleteFunc(f, func(x plainFrame) bool { return x.name == name })
				return f, len(f) > 0
			}},
			"collapse": {CollapseRecursion(p, is), func(f []plainFrame) ([]plainFrame, bool) {
				if first := at(f, 0, 1); first >= 0 {
					f = slices.Delete(f, first+1, at(f, len(f)-1, -1)+1)
				}
				return f, true
			}},
			"collapse all": {CollapseDirect(p), func(f []plainFrame) ([]plainFrame, bool) {
				return slices.CompactFunc(f, func(a, b plainFrame) bool { return a.name != "" && a.name == b.name }), true
			}},
			"nobody": {RootAt(p, Named(p, "", "no such function")), func(f []plainFrame) ([]plainFrame, bool) { return nil, false }},
		} {
			if got, want := plainSamples(t, c.got, nil), plainSamples(t, p, c.edit); !slices.Equal(got, want) {
				t.Errorf("%s of %q: %d samples, want %d; first difference\n%s", op, name, len(got), len(want), firstDifference(got, want))
			}
		}
	})
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		var a, b string
		if i < len(got) {
			a = got[i]
		}
		if i < len(want) {
			b = want[i]
		}
		if a != b {
			return "got  " + a + "\nwant " + b
		}
	}
	return ""
}

// TestSandwich compares one function with the naive way, with and without a
// base.
func TestSandwich(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		base := p.KeepSamples(func(i int) bool { return i%3 != 0 })
		diff, err := profile.Diff(p, base, profile.DiffOptions{Mark: true})
		if err != nil {
			t.Fatal(err)
		}
		name := busiest(p)
		if name == "" {
			t.Skip("no names")
		}
		for what, p := range map[string]*profile.Profile{"plain": p, "compared": diff} {
			for _, granularity := range []string{"functions", "lines"} {
				o := Defaults()
				o.Granularity = granularity
				v := prepare(t, p, o)
				got := v.Sandwich(name)
				want, callers, callees := naiveSandwich(v, name)
				if got.Amount != want {
					t.Errorf("%s %s: %+v, want %+v", what, granularity, got.Amount, want)
				}
				for side, c := range map[string]struct {
					got  []Neighbour
					want map[string][2]int64
				}{"callers": {got.Callers, callers}, "callees": {got.Callees, callees}} {
					have := map[string][2]int64{}
					for _, n := range c.got {
						have[n.Frame.String()] = [2]int64{n.Current, n.Base}
					}
					for name, w := range c.want {
						if have[name] != w {
							t.Errorf("%s %s %s of %s: %v, want %v", what, granularity, side, name, have[name], w)
						}
					}
					if len(have) > len(c.want) {
						t.Errorf("%s %s %s: %d, want %d", what, granularity, side, len(have), len(c.want))
					}
				}
				var flat int64
				for _, a := range got.Of {
					flat += a.Flat
				}
				if flat != want.Flat {
					t.Errorf("%s %s: entries add up to %d, want %d", what, granularity, flat, want.Flat)
				}
			}
		}
	})
}

func naiveSandwich(v *View, name string) (a Amount, callers, callees map[string][2]int64) {
	callers, callees = map[string][2]int64{}, map[string][2]int64{}
	p := v.Profile
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	// Values of one stack are added up first: a stack without any does not
	// count, as in graphs.
	type pair struct{ now, was int64 }
	sums := map[profile.StackID]pair{}
	for i, id := range p.Samples.Stack {
		s := sums[id]
		if marked[p.Samples.Labels[i]] {
			s.was -= v.Values[i]
		} else {
			s.now += v.Values[i]
		}
		sums[id] = s
	}
	t := v.nodeTable()
	for id, s := range sums {
		if s == (pair{}) {
			continue
		}
		var frames []*Frame
		for _, loc := range p.Stacks.Of(id) {
			for _, f := range t.of(loc) {
				frames = append(frames, &t.frames[f])
			}
		}
		isIn := false
		met := map[string]bool{}
		add := func(m map[string][2]int64, side string, f *Frame) {
			if f.Name == name || met[side+f.String()] {
				return
			}
			met[side+f.String()] = true
			x := m[f.String()]
			m[f.String()] = [2]int64{x[0] + s.now, x[1] + s.was}
		}
		for i, f := range frames {
			if f.Name != name {
				continue
			}
			isIn = true
			if i == 0 {
				a.Flat, a.FlatBase = a.Flat+s.now, a.FlatBase+s.was
			} else {
				add(callees, "callees ", frames[i-1])
			}
			if i+1 < len(frames) {
				add(callers, "callers ", frames[i+1])
			}
		}
		if isIn {
			a.Cum, a.CumBase = a.Cum+s.now, a.CumBase+s.was
		}
	}
	return a, callers, callees
}

// TestFlameBelow zooms to every node of a tree and compares the subtrees.
func TestFlameBelow(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		v := prepare(t, p, Defaults())
		whole := v.Flame(0)
		for n := 0; n < len(whole.Parent); n += 1 + len(whole.Parent)/7 {
			var path []*Frame
			for i := int32(n); i >= 0; i = whole.Parent[i] {
				path = append([]*Frame{whole.Frame[i]}, path...)
			}
			got := v.FlameBelow(FlameOptions{Levels: len(path), Step: func(level int, f *Frame) bool { return f == path[level] }})
			last := len(path) - 1
			if got.Total[last] != whole.Total[n] || got.Self[last] != whole.Self[n] {
				t.Errorf("node %d: %d %d, want %d %d", n, got.Total[last], got.Self[last], whole.Total[n], whole.Self[n])
			}
			size := 0
			inside := make([]bool, len(whole.Parent))
			for i := n; i < len(whole.Parent); i++ {
				inside[i] = i == n || whole.Parent[i] >= 0 && inside[whole.Parent[i]]
				if inside[i] {
					size++
				}
			}
			if len(got.Parent) != last+size {
				t.Errorf("node %d: %d nodes, want %d", n, len(got.Parent), last+size)
			}
		}
		if got := v.FlameBelow(FlameOptions{Levels: 2, Step: func(int, *Frame) bool { return false }}); len(got.Parent) != 0 {
			t.Error("a path that leads nowhere has nodes")
		}
		// Much that would be folded is shown where it has room.
		const share = 0.2
		cut, want := v.Flame(share), len(whole.Parent)
		var all int64
		for i, p := range whole.Parent {
			if p < 0 {
				all += whole.Weight[i]
			}
		}
		if cut.FoldedWeight <= all/10 {
			want = len(cut.Parent)
		}
		room := max(len(whole.Parent), v.Profile.Stacks.Len())
		if got := v.FlameBelow(FlameOptions{MinShare: share, Enough: room}); len(got.Parent) != want {
			t.Errorf("%d nodes with room for %d, want %d", len(got.Parent), room, want)
		}
		if got := v.FlameBelow(FlameOptions{MinShare: share, Enough: len(whole.Parent) - 1}); len(got.Parent) != len(cut.Parent) || got.MinShare != share {
			t.Errorf("%d nodes without room, want %d", len(got.Parent), len(cut.Parent))
		}
		if most := len(whole.Parent) / 3; most > 0 {
			got := v.FlameBelow(FlameOptions{MaxNodes: most})
			want := v.Flame(got.MinShare)
			if len(got.Parent) > most || len(got.Parent) != len(want.Parent) || got.Folded == 0 {
				t.Errorf("%d nodes of at most %d, %d with the same share", len(got.Parent), most, len(want.Parent))
			}
		}
	})
}

// TestPackages puts functions under their package; calls inside one are one.
func TestPackages(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
	loc := func(name string) profile.LocationID {
		return b.Location(0, 0, profile.Line{Function: b.Function(name, name, "", 0), Line: 3})
	}
	b.Sample([]profile.LocationID{loc("runtime.mallocgc"), loc("net/http.(*conn).serve"), loc("net/http.(*Server).Serve"), loc("main.main"), loc("_start")}, []int64{7})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Granularity = "packages"
	v := prepare(t, p, o)
	want := []string{"7  < runtime:0 < net/http:0 < main:0 < (no package):0"}
	if got := plainSamples(t, v.Profile, nil); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if is := Named(p, "packages", "net/http"); !slices.Contains(is, true) {
		t.Error("a package's name does not select it")
	}
}

// TestApply applies filters one after the other, as Prepare does at once.
func TestApply(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		o := Defaults()
		o.Focus, o.Ignore, o.Hide, o.ShowFrom = "1", "77", "3", "2"
		want := prepare(t, p, o)
		step := p
		for _, s := range []Options{{Focus: "1"}, {Ignore: "77"}, {Hide: "3"}, {ShowFrom: "2"}} {
			var err error
			if step, err = Apply(step, s, func(string) {}); err != nil {
				t.Fatal(err)
			}
		}
		got := prepare(t, step, Defaults())
		if a, b := plainSamples(t, got.Profile, nil), plainSamples(t, want.Profile, nil); !slices.Equal(a, b) {
			t.Error(firstDifference(a, b))
		}
	})
}
