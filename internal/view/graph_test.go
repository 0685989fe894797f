package view

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
	"github.com/profoundhq/profound/internal/unit"
)

// naive is a graph of maps, built frame by frame: slow and plain.
type naive struct {
	nodes map[string]*naiveNode
}

type naiveNode struct {
	name                       string
	frame                      Frame
	flat, flatDiv, cum, cumDiv int64
	in, out                    map[string]*naiveEdge
}

type naiveEdge struct {
	src, dst         string
	weight, div      int64
	residual, inline bool
}

// naiveFrames lists the frames of sample i, root first, with whether each is
// inlined.
func naiveFrames(v *View, i int) (frames []Frame, inlined []bool) {
	p := v.Profile
	st := p.Stacks.Of(p.Samples.Stack[i])
	for j := len(st) - 1; j >= 0; j-- {
		ids := v.nodeTable().of(st[j])
		for k := len(ids) - 1; k >= 0; k-- {
			frames = append(frames, v.nodeTable().frames[ids[k]])
			inlined = append(inlined, k != len(ids)-1)
		}
	}
	return frames, inlined
}

// keyOf is the node of a frame; in a tree, of a path of frames.
func keyOf(tree bool, parent string, f Frame) string {
	if tree {
		return parent + "\x00" + f.sortKey()
	}
	return f.sortKey()
}

func naiveGraph(v *View, keep map[string]bool, tree bool) *naive {
	g := &naive{nodes: map[string]*naiveNode{}}
	for i := range v.Values {
		value, div := v.Values[i], v.divisor(i)
		if value == 0 && div == 0 {
			continue
		}
		seen, seenEdge := map[string]bool{}, map[string]bool{}
		parent, residual := "", false
		frames, inlined := naiveFrames(v, i)
		for j, f := range frames {
			key := keyOf(tree, parent, f)
			if keep != nil && !keep[key] {
				residual = true
				continue
			}
			n := g.nodes[key]
			if n == nil {
				n = &naiveNode{name: f.String(), frame: f, in: map[string]*naiveEdge{}, out: map[string]*naiveEdge{}}
				g.nodes[key] = n
			}
			if !seen[key] {
				seen[key] = true
				n.cum += value
				n.cumDiv += div
			}
			if parent != "" && parent != key && !seenEdge[parent+"\x01"+key] {
				seenEdge[parent+"\x01"+key] = true
				e := n.in[parent]
				if e == nil {
					e = &naiveEdge{src: parent, dst: key, inline: true}
					n.in[parent], g.nodes[parent].out[key] = e, e
				}
				e.weight += value
				e.div += div
				e.residual = e.residual || residual
				e.inline = e.inline && inlined[j]
			}
			parent, residual = key, false
		}
		if parent != "" && !residual {
			g.nodes[parent].flat += value
			g.nodes[parent].flatDiv += div
		}
	}
	return g
}

// listed are the nodes worth showing.
func (g *naive) listed(dropNegative bool) []string {
	var out []string
	for key, n := range g.nodes {
		if n.flat == 0 && n.cum == 0 || dropNegative && (n.flat < 0 || n.flat == 0 && n.cum < 0) {
			continue
		}
		out = append(out, key)
	}
	return out
}

// sortKeys orders by flat or cum, then name, then the other value.
func (g *naive) sortKeys(keys []string, cum bool) {
	sort.Slice(keys, func(i, j int) bool {
		a, b := g.nodes[keys[i]], g.nodes[keys[j]]
		av, bv, am, bm := abs(a.flat), abs(b.flat), abs(a.cum), abs(b.cum)
		if cum {
			av, bv, am, bm = am, bm, av, bv
		}
		switch {
		case av != bv:
			return av > bv
		case a.frame.Address != 0 && b.frame.Address != 0 && a.frame.Address != b.frame.Address:
			return a.frame.Address < b.frame.Address
		case a.name != b.name:
			return a.name < b.name
		case am != bm:
			return am > bm
		}
		return keys[i] < keys[j]
	})
}

// naiveTrim follows pprof's order of steps: cut by value, sort, cut edges,
// cut by count, cut edges again.
func naiveTrim(v *View) (g *naive, order []string, dropped, orig int) {
	o := v.Options
	g = naiveGraph(v, nil, false)
	keys := g.listed(o.DropNegative)
	var total int64
	for _, k := range keys {
		total += g.nodes[k].flat
	}
	cutoff := abs(int64(float64(total) * o.NodeFraction))
	edgeCutoff := abs(int64(float64(total) * o.EdgeFraction))
	rebuild := func(kept []string) {
		set := map[string]bool{}
		for _, k := range kept {
			set[k] = true
		}
		g = naiveGraph(v, set, false)
		keys = g.listed(o.DropNegative)
	}
	if cutoff > 0 {
		var kept []string
		for _, k := range keys {
			if abs(g.nodes[k].cum) >= cutoff {
				kept = append(kept, k)
			}
		}
		if len(kept) < len(keys) {
			dropped = len(keys) - len(kept)
			rebuild(kept)
		}
	}
	orig = len(keys)
	g.sortKeys(keys, o.Sort == "cum")
	trimEdges := func() {
		for _, k := range keys {
			for src, e := range g.nodes[k].in {
				if abs(e.weight) < edgeCutoff {
					delete(g.nodes[k].in, src)
					delete(g.nodes[src].out, k)
				}
			}
		}
	}
	if o.NodeCount > 0 {
		trimEdges()
		if o.NodeCount < len(keys) {
			rebuild(keys[:o.NodeCount])
			g.sortKeys(keys, o.Sort == "cum")
		}
	}
	trimEdges()
	return g, keys, dropped, orig
}

// describe prints a node with its edges.
func describe(name string, flat, flatDiv, cum, cumDiv int64, in, out []string) string {
	sort.Strings(in)
	sort.Strings(out)
	return fmt.Sprintf("%s flat %d/%d cum %d/%d\n  in  %s\n  out %s", name, flat, flatDiv, cum, cumDiv, strings.Join(in, ", "), strings.Join(out, ", "))
}

func describeEdge(other Frame, weight, div int64, residual, inline bool) string {
	return fmt.Sprint(other.sortKey(), weight, "/", div, residual, inline)
}

func (g *naive) describe(key string) string {
	n := g.nodes[key]
	var in, out []string
	for _, e := range n.in {
		in = append(in, describeEdge(g.nodes[e.src].frame, e.weight, e.div, e.residual, e.inline))
	}
	for _, e := range n.out {
		out = append(out, describeEdge(g.nodes[e.dst].frame, e.weight, e.div, e.residual, e.inline))
	}
	return describe(n.frame.sortKey(), n.flat, n.flatDiv, n.cum, n.cumDiv, in, out)
}

func (g *Graph) describe(i int32) string {
	n := &g.Nodes[i]
	var in, out []string
	for _, e := range g.EdgesIn(i) {
		in = append(in, describeEdge(*g.Nodes[e.Src].Frame, e.Weight, e.WeightDiv, e.Residual, e.Inline))
	}
	for _, e := range g.EdgesOut(i) {
		out = append(out, describeEdge(*g.Nodes[e.Dst].Frame, e.Weight, e.WeightDiv, e.Residual, e.Inline))
	}
	return describe(n.sortKey(), n.Flat, n.FlatDiv, n.Cum, n.CumDiv, in, out)
}

// randomOptions draws what changes a graph.
func randomOptions(r *rand.Rand) Options {
	o := Defaults()
	o.Granularity = []string{"", "functions", "filefunctions", "files", "lines", "addresses"}[r.IntN(6)]
	o.NoInlines = r.IntN(4) == 0
	o.ShowColumns = r.IntN(4) == 0
	o.Mean = r.IntN(4) == 0
	o.DropNegative = r.IntN(4) == 0
	o.Sort = []string{"flat", "cum"}[r.IntN(2)]
	o.NodeCount = r.IntN(25)
	o.NodeFraction = []float64{0, 0.005, 0.05, 0.2}[r.IntN(4)]
	o.EdgeFraction = []float64{0, 0.001, 0.03}[r.IntN(3)]
	o.SampleIndex = []string{"", "0"}[r.IntN(2)]
	if r.IntN(4) == 0 {
		o.Hide = "Do1"
	}
	return o
}

func prepare(t testing.TB, p *profile.Profile, o Options) *View {
	t.Helper()
	v, err := Prepare(p, o, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWholeGraph(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		for range 12 {
			o := randomOptions(r)
			v := prepare(t, p, o)
			v.ObjNames = r.IntN(3) == 0
			want := naiveGraph(v, nil, false)
			g := v.Whole()
			found := 0
			for i := range g.Nodes {
				key := g.Nodes[i].sortKey()
				if want.nodes[key] == nil {
					if n := &g.Nodes[i]; n.Cum != 0 || n.Flat != 0 || len(n.In)+len(n.Out) > 0 {
						t.Fatalf("%+v: node %s out of nothing", o, g.describe(int32(i)))
					}
					continue
				}
				if w, h := want.describe(key), g.describe(int32(i)); w != h {
					t.Fatalf("%+v\nwant %s\ngot  %s", o, w, h)
				}
				found++
			}
			if found != len(want.nodes) {
				t.Fatalf("%+v: %d nodes, want %d", o, found, len(want.nodes))
			}
		}
	})
}

// TestTrim compares what is kept, its order and all values and edges; the flat
// list, which builds no graph of the kept, must agree with both.
func TestTrim(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		for range 20 {
			o := randomOptions(r)
			want, order, dropped, orig := naiveTrim(prepare(t, p, o))
			g := prepare(t, p, o).Trim(ForText)
			if g.DroppedNodes != dropped || g.OrigCount != orig || len(g.Order) != len(order) {
				t.Fatalf("%+v: %d dropped, %d before the count, %d shown; want %d, %d, %d", o, g.DroppedNodes, g.OrigCount, len(g.Order), dropped, orig, len(order))
			}
			list := prepare(t, p, o).Trim(ForList)
			if list.DroppedNodes != dropped || list.OrigCount != orig || len(list.Order) != len(order) {
				t.Fatalf("%+v: the list has %d nodes, want %d", o, len(list.Order), len(order))
			}
			for i, key := range order {
				if w, h := want.describe(key), g.describe(g.Order[i]); w != h {
					t.Fatalf("%+v\nnode %d\nwant %s\ngot  %s", o, i, w, h)
				}
				a, b := &g.Nodes[g.Order[i]], &list.Nodes[list.Order[i]]
				if *a.Frame != *b.Frame || a.Flat != b.Flat || a.FlatDiv != b.FlatDiv || a.Cum != b.Cum || a.CumDiv != b.CumDiv {
					t.Fatalf("%+v: the list has %s, want %s", o, list.describe(list.Order[i]), g.describe(g.Order[i]))
				}
				if w, h := inlineMark(g.Graph, g.Order[i]), inlineMark(list.Graph, list.Order[i]); w != h {
					t.Fatalf("%+v: the list marks %s as %q, want %q", o, a.String(), h, w)
				}
			}
		}
	})
}

// inlineMark is what a flat list says about calls of n.
func inlineMark(g *Graph, n int32) string {
	inline, call := false, false
	for _, e := range g.EdgesIn(n) {
		inline, call = inline || e.Inline, call || !e.Inline
	}
	switch {
	case inline && call:
		return "partial-inline"
	case inline:
		return "inline"
	}
	return ""
}

func TestWholeTree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		for range 6 {
			v := prepare(t, p, randomOptions(r))
			want := naiveGraph(v, nil, true)
			g := v.WholeTree()
			if len(g.Nodes) != len(want.nodes) {
				t.Fatalf("%d nodes, want %d", len(g.Nodes), len(want.nodes))
			}
			keys := make([]string, len(g.Nodes))
			for i := range g.Nodes {
				parent := ""
				if up := g.Parent(int32(i)); up >= 0 {
					parent = keys[up] // parents come before their children
				}
				keys[i] = keyOf(true, parent, *g.Nodes[i].Frame)
				if w, h := want.describe(keys[i]), g.describe(int32(i)); w != h {
					t.Fatalf("want %s\ngot  %s", w, h)
				}
			}
		}
	})
}

// TestTrimmedTree checks that the children of removed nodes hang on the
// nearest ancestor that is left.
func TestTrimmedTree(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		o := Defaults()
		o.CallTree, o.NodeCount, o.NodeFraction, o.EdgeFraction = true, 15, 0.01, 0
		g := prepare(t, p, o).Trim(ForCallgrind)
		if !g.Tree || len(g.Order) > 15 {
			t.Fatalf("tree %v of %d nodes", g.Tree, len(g.Order))
		}
		shown := map[int32]bool{}
		for _, n := range g.Order {
			shown[n] = true
		}
		for _, n := range g.Order {
			up, direct := g.Parent(n), true
			for up >= 0 && !shown[up] {
				up, direct = g.Parent(up), false
			}
			in := g.EdgesIn(n)
			switch {
			case up < 0 && len(in) != 0:
				t.Errorf("%s: a root has %d callers", g.Nodes[n].String(), len(in))
			case up >= 0 && (len(in) != 1 || in[0].Src != up || in[0].Residual == direct || in[0].Weight != g.Nodes[n].Cum):
				t.Errorf("%s: edges %s, want one from %s, residual %v", g.Nodes[n].String(), g.describe(n), g.Nodes[up].String(), !direct)
			}
		}
	})
}

// TestGraphByHand: recursion counts once, direct self calls make no edge,
// mutual recursion makes both, what is not kept makes residual edges, and
// nobody inherits the flat value of a leaf that is not kept.
func TestGraphByHand(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
	fn := func(name string) profile.Line { return profile.Line{Function: b.Function(name, name, "", 0)} }
	main, f, gg, leaf := b.Location(0, 1, fn("main")), b.Location(0, 2, fn("f")), b.Location(0, 3, fn("g")), b.Location(0, 4, fn("inner"), fn("outer"))
	b.Sample([]profile.LocationID{f, f, f, main}, []int64{1})
	b.Sample([]profile.LocationID{gg, f, gg, f, main}, []int64{10})
	b.Sample([]profile.LocationID{leaf, gg, main}, []int64{100})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	text := func(keep ...string) string {
		v := prepare(t, p, Defaults())
		var set []bool
		if keep != nil {
			set = make([]bool, len(v.nodeTable().frames))
			for i, f := range v.nodeTable().frames {
				for _, k := range keep {
					set[i] = set[i] || f.Name == k
				}
			}
		}
		g := v.graph(v.weights(), set, allEdges)
		g.SortCum()
		var out []string
		for _, i := range g.Order {
			s := fmt.Sprintf("%s %d/%d", g.Nodes[i].Name, g.Nodes[i].Flat, g.Nodes[i].Cum)
			for _, e := range g.SortedOut(i) {
				s += fmt.Sprintf(" >%s:%d", g.Nodes[e.Dst].Name, e.Weight)
				if e.Residual {
					s += "r"
				}
				if e.Inline {
					s += "i"
				}
			}
			out = append(out, s)
		}
		return strings.Join(out, ", ")
	}
	for _, tt := range []struct {
		keep []string
		want string
	}{
		{nil, "main 0/111 >g:100 >f:11, g 10/110 >outer:100 >f:10, inner 100/100, outer 0/100 >inner:100i, f 1/11 >g:10"},
		{[]string{"main", "inner"}, "main 0/111 >inner:100ri, inner 100/100"},
		{[]string{"main", "outer"}, "main 0/111 >outer:100r, outer 0/100"},
		{[]string{"g"}, "g 10/110"},
		{[]string{"f", "inner"}, "inner 100/100, f 1/11"},
	} {
		if got := text(tt.keep...); got != tt.want {
			t.Errorf("keep %v:\n%s, want\n%s", tt.keep, got, tt.want)
		}
	}
}

func TestRedundantEdges(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	removed := 0
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		for range 5 {
			o := randomOptions(r)
			o.NodeCount = 5 + r.IntN(10)
			v := prepare(t, p, o)
			pic := v.Trim(ForPicture)
			left := map[int32][]int32{}
			for i := range pic.Edges {
				if e := &pic.Edges[i]; !e.removed {
					left[e.Src] = append(left[e.Src], e.Dst)
				}
			}
			var connected func(src, dst int32, seen map[int32]bool) bool
			connected = func(src, dst int32, seen map[int32]bool) bool {
				for _, n := range left[src] {
					if n == dst {
						return true
					}
					if !seen[n] {
						seen[n] = true
						if connected(n, dst, seen) {
							return true
						}
					}
				}
				return false
			}
			var total int64
			first := v.WholeNodes()
			for _, n := range first.Order {
				total += first.Nodes[n].Flat
			}
			edgeCutoff := abs(int64(float64(total) * o.EdgeFraction))
			for i := range pic.Edges {
				e := &pic.Edges[i]
				if !e.removed || abs(e.Weight) < edgeCutoff {
					continue
				}
				removed++
				if !e.Residual {
					t.Errorf("%+v: removed an edge that is not residual", o)
				}
				if !connected(e.Src, e.Dst, map[int32]bool{}) {
					t.Errorf("%+v: %s and %s are no longer connected", o, pic.Nodes[e.Src].String(), pic.Nodes[e.Dst].String())
				}
			}
		}
	})
	if removed == 0 {
		t.Error("no redundant edge in any graph")
	}
}

func TestEntropyScore(t *testing.T) {
	edges := func(weights ...int64) (g *Graph, list []int32) {
		g = &Graph{}
		for i, w := range weights {
			g.Edges = append(g.Edges, Edge{Weight: w})
			list = append(list, int32(i))
		}
		return g, list
	}
	for _, tt := range []struct {
		out  []int64
		flat int64
		want int64 // of cum 1000
	}{
		{nil, 0, 2000},           // neither callers nor callees: 1 + 1
		{[]int64{8}, 0, 1000},    // everything falls through: 1 + 0
		{[]int64{4, 4}, 0, 2000}, // one bit
		{[]int64{2, 2, 2, 2}, 0, 3000},
		{[]int64{8}, 8, 2008},     // half is its own
		{[]int64{-8}, 0, 1000},    // no positive weight at all
		{[]int64{8, -8}, 0, 1000}, // the share of -8 is 1: no information
	} {
		g, out := edges(tt.out...)
		if got := g.entropyScore(&Node{Cum: 1000, Flat: tt.flat, Out: out}); got != tt.want {
			t.Errorf("out %v flat %d: %d, want %d", tt.out, tt.flat, got, tt.want)
		}
	}
	g, in := edges(1, 3)
	want := int64((-(0.25*math.Log2(0.25) + 0.75*math.Log2(0.75)) + 1) * 1000)
	if got := g.entropyScore(&Node{Cum: 1000, In: in}); got != want {
		t.Errorf("in 1, 3: %d, want %d", got, want)
	}
}

// TestTags adds labels up at nodes sample by sample.
func TestTags(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, _ func() *gprofile.Profile) {
		for _, tree := range []bool{false, true} {
			o := Defaults()
			o.NodeCount, o.NodeFraction, o.EdgeFraction, o.CallTree = 0, 0, 0, tree
			v := prepare(t, p, o)
			pic := v.Trim(ForPicture)
			want := map[string]*[2]int64{} // node, group, numeric tag: flat, cum
			add := func(node, group, num string, flat bool, value int64) {
				k := node + "|" + group + "|" + num
				if want[k] == nil {
					want[k] = new([2]int64)
				}
				if flat {
					want[k][0] += value
				} else {
					want[k][1] += value
				}
			}
			for i, value := range v.Values {
				if value == 0 {
					continue
				}
				var joined, nums []string
				for _, l := range v.Profile.LabelSets.Of(v.Profile.Samples.Labels[i]) {
					key := v.Profile.Str(l.Key)
					if l.Str != 0 {
						joined = append(joined, key+":"+v.Profile.Str(l.Str))
					} else if key == "bytes" {
						nums = append(nums, unit.Format(l.Num, "bytes", o.Unit))
					}
				}
				sort.Strings(joined)
				group := strings.Join(joined, `\n`)
				frames, _ := naiveFrames(v, i)
				seen, key := map[string]bool{}, ""
				both := func(flat bool) {
					if group != "" {
						add(key, group, "", flat, value)
					}
					for _, n := range nums {
						add(key, group, n, flat, value)
					}
				}
				for _, f := range frames {
					if key = keyOf(tree, key, f); !seen[key] {
						seen[key] = true
						both(false)
					}
				}
				both(true)
			}
			keys := make([]string, len(pic.Nodes))
			got := map[string][2]int64{}
			for i := range pic.Nodes {
				parent := ""
				if up := pic.Parent(int32(i)); up >= 0 {
					parent = keys[up]
				}
				keys[i] = keyOf(tree, parent, *pic.Nodes[i].Frame)
			}
			for n, tags := range pic.Tags {
				for _, tag := range tags.Labels {
					got[keys[n]+"|"+tag.Name+"|"] = [2]int64{tag.Flat, tag.Cum}
				}
				for group, list := range tags.Numeric {
					for _, tag := range list {
						got[keys[n]+"|"+group+"|"+tag.Name] = [2]int64{tag.Flat, tag.Cum}
					}
				}
			}
			shown := map[string]bool{}
			for _, n := range pic.Order {
				shown[keys[n]] = true
			}
			for k, w := range want {
				if node, _, _ := strings.Cut(k, "|"); shown[node] && got[k] != *w {
					t.Fatalf("tree %v: tag %q is %v, want %v", tree, k, got[k], *w)
				}
			}
			for k := range got {
				if want[k] == nil {
					t.Fatalf("tree %v: tag %q out of nothing", tree, k)
				}
			}
		}
	})
}

// TestChanges splits a marked diff into its halves.
func TestChanges(t *testing.T) {
	load := func(seed uint64) *profile.Profile {
		return decode(t, profiletest.Random(seed, profiletest.Shape{Labels: true}).Bytes(profiletest.Wire{}))
	}
	now, base := load(1), load(2)
	d, err := profile.Diff(now, base, profile.DiffOptions{Mark: true})
	if err != nil {
		t.Fatal(err)
	}
	cums := func(p *profile.Profile) map[string][2]int64 {
		g := prepare(t, p, Defaults()).WholeNodes()
		out := map[string][2]int64{}
		for i := range g.Nodes {
			out[g.Nodes[i].String()] = [2]int64{g.Nodes[i].Flat, g.Nodes[i].Cum}
		}
		return out
	}
	nowCums, baseCums := cums(now), cums(base)
	v := prepare(t, d, Defaults())
	var baseTotal int64
	for _, x := range base.Samples.Values[1] {
		baseTotal += x
	}
	if v.Total != baseTotal {
		t.Errorf("total %d, want the base's, %d", v.Total, baseTotal)
	}
	g := v.WholeNodes()
	changes := v.Changes(g)
	if len(changes) != len(g.Nodes) {
		t.Fatalf("%d changes of %d nodes", len(changes), len(g.Nodes))
	}
	for i, c := range changes {
		name := g.Nodes[i].String()
		n, b := nowCums[name], baseCums[name]
		if want := (Change{b[0], n[0], b[1], n[1]}); c != want {
			t.Errorf("%s: %+v, want %+v", name, c, want)
		}
	}
	if v := prepare(t, now, Defaults()); v.Changes(v.WholeNodes()) != nil {
		t.Error("changes without a base")
	}
}

func BenchmarkTrim(b *testing.B) {
	data := profiletest.Random(1, profiletest.Shape{Samples: 20_000, Functions: 2000, Depth: 60, Inlines: true}).Bytes(profiletest.Wire{})
	p := decode(b, data)
	for name, purpose := range map[string]Purpose{"list": ForList, "text": ForText, "picture": ForPicture} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				o := Defaults()
				o.NodeCount = 80
				prepare(b, p, o).Trim(purpose)
			}
		})
	}
}
