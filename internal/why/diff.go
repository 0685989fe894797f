package why

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Growth is a path by which more is held than before. Amounts are exact, of
// all objects whose shortest path leads through it, without those that another
// Growth tells; no object is in two of them.
type Growth struct {
	Before, After retain.Amount
	// Type is the type of what grew most, "" if it is not known, and Count how
	// many there were and are; of a Root of goroutines these are goroutines.
	Type                    string
	Pointed                 bool
	CountBefore, CountAfter uint64
	// Goroutines says that there are more goroutines, which hold it.
	Goroutines bool
	// Holding tells the way to one of them as it is after, and what goes
	// without it.
	Holding Holding
	// Sites are the places that allocated what grew, by the growth of what of
	// it is alive; estimated.
	Sites []SiteGrowth
}

// Bytes is by how many bytes it grew.
func (g *Growth) Bytes() uint64 { return g.After.Bytes - g.Before.Bytes }

// SiteGrowth is what an allocation stack and type has alive, before and after.
// Stack and Type are in both.
type SiteGrowth struct{ Before, After Site }

// Bytes is by how many bytes it grew, below 0 if it shrank.
func (s *SiteGrowth) Bytes() float64 { return s.After.Bytes - s.Before.Bytes }

// leastGrowth is the part of all that grew that a path must have to be told,
// and leastBytes the bytes it must have.
const (
	leastGrowth = 0.01
	leastBytes  = 1 << 10
)

// Growths compares with an earlier heap of the same program: the n paths that
// grew most, by which more is held in after, the sums of this heap, than in
// before. Paths are known by the names of roots, fields and types, groups of
// goroutines by where they wait and who made them. An object that is alone of
// its type and has moved from one root to another is the same one.
func (a *Analysis) Growths(before, after *Sums, n int) []Growth {
	t := &growth{a: a, nodes: []growNode{{}}, index: map[pathKey]uint32{}}
	t.add(before, func(n *growNode) *side { return &n.before })
	t.add(after, func(n *growNode) *side { return &n.after })
	t.moved()
	grown := t.sum(0)
	t.least = max(leastBytes, int64(leastGrowth*float64(grown)))
	t.visit(0)
	slices.SortStableFunc(t.rows, func(x, y growRow) int { return cmp.Compare(y.bytes(), x.bytes()) })
	t.rows = t.rows[:min(n, len(t.rows))]
	var out []Growth
	for i := range t.rows {
		t.nodes[t.rows[i].node].row = i + 1
	}
	sites := make([]map[string]*SiteGrowth, len(t.rows))
	t.collect(0, -1, sites)
	for i := range t.rows {
		out = append(out, t.describe(&t.rows[i], sites[i]))
	}
	return out
}

// growth is the trees of two heaps laid on each other.
type growth struct {
	a     *Analysis
	nodes []growNode
	index map[pathKey]uint32
	least int64
	rows  []growRow
}

type growNode struct {
	pathKey
	kind          goheap.Kind
	before, after side
	kids          []uint32
	told          bool // it is a row
	row           int  // its number from 1, 0 if it is none that is shown
}

// side is a node in one of the heaps.
type side struct {
	self, sum retain.Amount
	members   uint64
	sites     map[string]*Site
	example   uint32
}

// growRow is a node with what of it no other row has.
type growRow struct {
	node          uint32
	before, after retain.Amount
}

func (r *growRow) bytes() int64 { return int64(r.after.Bytes - r.before.Bytes) }

// add lays a heap onto the tree.
func (t *growth) add(s *Sums, of func(*growNode) *side) {
	to := make([]uint32, len(s.nodes))
	for i := 1; i < len(s.nodes); i++ {
		n := &s.nodes[i]
		key := n.pathKey
		key.parent = to[key.parent]
		k, ok := t.index[key]
		if !ok {
			k = uint32(len(t.nodes))
			t.index[key] = k
			t.nodes = append(t.nodes, growNode{pathKey: key, kind: n.kind})
			up := &t.nodes[key.parent]
			up.kids = append(up.kids, k)
		}
		to[i] = k
		*of(&t.nodes[k]) = side{self: n.self, members: n.members, sites: n.sites, example: n.example}
	}
}

// moved joins what went away below one root with what came up below another,
// where it is one object by itself: a server that is reached through another
// goroutine than before, say.
func (t *growth) moved() {
	gone := map[string][]uint32{}
	come := map[string]uint32{}
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.kind != goheap.KindObject || n.name == "" || t.nodes[n.parent].kind == goheap.KindObject {
			continue
		}
		switch b, a := n.before.members, n.after.members; {
		case b == 1 && a == 0:
			gone[n.name] = append(gone[n.name], uint32(i))
		case b == 0 && a == 1:
			if k, ok := come[n.name]; ok && k != 0 {
				come[n.name] = 0 // two of them: not known which
				continue
			}
			come[n.name] = uint32(i)
		}
	}
	for name, list := range gone {
		if to := come[name]; to != 0 && len(list) == 1 {
			up := &t.nodes[t.nodes[list[0]].parent]
			up.kids = slices.DeleteFunc(up.kids, func(k uint32) bool { return k == list[0] })
			t.absorb(to, list[0])
		}
	}
}

// absorb adds the node from, with what is below it, to another.
func (t *growth) absorb(to, from uint32) {
	t.nodes[to].before.add(&t.nodes[from].before)
	t.nodes[to].after.add(&t.nodes[from].after)
	for _, k := range t.nodes[from].kids {
		i := slices.IndexFunc(t.nodes[to].kids, func(x uint32) bool {
			return t.nodes[x].label == t.nodes[k].label && t.nodes[x].name == t.nodes[k].name
		})
		if i >= 0 {
			t.absorb(t.nodes[to].kids[i], k)
			continue
		}
		t.nodes[k].parent = to
		t.nodes[to].kids = append(t.nodes[to].kids, k)
	}
}

func (s *side) add(x *side) {
	s.self, s.members = s.self.Add(x.self), s.members+x.members
	if s.example == 0 {
		s.example = x.example
	}
	for k, site := range x.sites {
		if s.sites == nil {
			s.sites = map[string]*Site{}
		}
		if _, ok := s.sites[k]; !ok {
			s.sites[k] = site
		}
	}
}

// sum fills in the sums below a node, and returns what grew there, all that
// shrank left out.
func (t *growth) sum(i uint32) (grown uint64) {
	n := &t.nodes[i]
	n.before.sum, n.after.sum = n.before.self, n.after.self
	if n.after.self.Bytes > n.before.self.Bytes {
		grown = n.after.self.Bytes - n.before.self.Bytes
	}
	for _, k := range n.kids {
		grown += t.sum(k)
		n.before.sum, n.after.sum = n.before.sum.Add(t.nodes[k].before.sum), n.after.sum.Add(t.nodes[k].after.sum)
	}
	return grown
}

// visit finds rows from the leaves up: a node tells what grew in it and in
// what is many below it, if that is enough, and leaves it to the one above
// else.
func (t *growth) visit(i uint32) (before, after retain.Amount) {
	n := &t.nodes[i]
	before, after = n.before.self, n.after.self
	for _, k := range n.kids {
		b, a := t.nodes[k].before.sum, t.nodes[k].after.sum
		if !t.many(k) {
			b, a = t.visit(k)
		}
		before, after = before.Add(b), after.Add(a)
	}
	if r := (growRow{i, before, after}); i != 0 && r.bytes() >= t.least {
		n.told = true
		t.rows = append(t.rows, r)
		return retain.Amount{}, retain.Amount{}
	}
	return before, after
}

// many tells whether a node grew because there is more of it: at least half as
// fast as its memory. What holds these is what is told.
func (t *growth) many(i uint32) bool {
	n := &t.nodes[i]
	b, a := n.before.members, n.after.members
	if n.kind != goheap.KindObject || a <= b || a < 2 {
		return t.moreGoroutines(n.parent)
	}
	more, larger := 1-float64(b)/float64(a), 1-float64(n.before.sum.Bytes)/float64(max(1, n.after.sum.Bytes))
	return more >= larger/2
}

// moreGoroutines tells whether a node is a group that has more goroutines.
func (t *growth) moreGoroutines(i uint32) bool {
	n := &t.nodes[i]
	return n.kind == goheap.KindGroup && n.after.members > n.before.members && n.after.members > 1
}

// grew is by how many bytes all below a node grew.
func (t *growth) grew(i uint32) int64 {
	return int64(t.nodes[i].after.sum.Bytes - t.nodes[i].before.sum.Bytes)
}

// collect gives the sites of what is below a node to the row it belongs to.
func (t *growth) collect(i uint32, row int, sites []map[string]*SiteGrowth) {
	n := &t.nodes[i]
	if n.told {
		row = n.row - 1
	}
	if row >= 0 {
		if sites[row] == nil {
			sites[row] = map[string]*SiteGrowth{}
		}
		for _, s := range []struct {
			of map[string]*Site
			to func(*SiteGrowth) *Site
		}{{n.before.sites, func(g *SiteGrowth) *Site { return &g.Before }}, {n.after.sites, func(g *SiteGrowth) *Site { return &g.After }}} {
			for k, site := range s.of {
				g := sites[row][k]
				if g == nil {
					none := Site{Stack: site.Stack, Type: site.Type}
					g = &SiteGrowth{none, none}
					sites[row][k] = g
				}
				x := s.to(g)
				x.Bytes, x.Objects, x.Samples = x.Bytes+site.Bytes, x.Objects+site.Objects, x.Samples+site.Samples
			}
		}
	}
	for _, k := range n.kids {
		t.collect(k, row, sites)
	}
}

// describe tells a row: the way to what grew most in it.
func (t *growth) describe(r *growRow, sites map[string]*SiteGrowth) Growth {
	g := Growth{Before: r.before, After: r.after, Goroutines: t.moreGoroutines(r.node)}
	last := r.node
	for more := false; !more; more = t.many(last) {
		next := uint32(0)
		for _, k := range t.nodes[last].kids {
			if n := &t.nodes[k]; !n.told && n.after.members > 0 && (next == 0 || t.grew(k) > t.grew(next)) {
				next = k
			}
		}
		if next == 0 || float64(t.grew(next)) < showShare*float64(r.bytes()) {
			break
		}
		last = next
	}
	end := &t.nodes[last]
	if g.Goroutines {
		end = &t.nodes[r.node]
	}
	g.CountBefore, g.CountAfter = end.before.members, end.after.members
	v := t.nodes[last].after.example
	if t.a.Heap.IsObject(v) {
		g.Type, g.Pointed = t.a.typeOf(v)
		g.Pointed = g.Pointed && !strings.HasPrefix(g.Type, "[]")
	}
	path := t.a.Result.Path(v)
	h := Holding{Amount: r.after, Type: g.Type, Pointed: g.Pointed, Example: v, Root: t.a.rootKind(v), Path: t.a.way(path)}
	top := v
	for top != 0 && float64(t.a.heapOf(top).Bytes) < keepShare*float64(r.after.Bytes) {
		top, _ = t.a.Result.Dominator(top)
	}
	t.a.cut(&h, top, func() []uint32 { return []uint32{v} })
	g.Holding = h
	for _, s := range sites {
		if s.Bytes() > 0 {
			g.Sites = append(g.Sites, *s)
		}
	}
	slices.SortFunc(g.Sites, func(x, y SiteGrowth) int {
		return cmp.Or(cmp.Compare(y.Bytes(), x.Bytes()), cmp.Compare(x.After.Type, y.After.Type), compareStacks(x.After.Stack, y.After.Stack))
	})
	g.Sites = g.Sites[:min(maxSites, len(g.Sites))]
	return g
}

// compareStacks puts stacks in an order that is always the same.
func compareStacks(x, y []goheap.Frame) int {
	return slices.CompareFunc(x, y, func(a, b goheap.Frame) int {
		return cmp.Or(cmp.Compare(a.Func, b.Func), cmp.Compare(a.Line, b.Line))
	})
}
