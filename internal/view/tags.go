package view

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// Tag is one label value at a node with what was sampled under it.
type Tag struct {
	Name          string
	Unit          string // numeric labels only
	Value         int64  // numeric labels only
	Flat, FlatDiv int64
	Cum, CumDiv   int64
}

// FlatValue is the flat value, averaged if the view is.
func (t *Tag) FlatValue() int64 { return mean(t.Flat, t.FlatDiv) }

// CumValue is the cumulative value, averaged if the view is.
func (t *Tag) CumValue() int64 { return mean(t.Cum, t.CumDiv) }

// NodeTags are the labels at one node. Numeric tags are grouped by the string
// labels they occurred with, "" for none.
type NodeTags struct {
	Labels  []*Tag
	Numeric map[string][]*Tag
}

// MaxTagsShown is how many tags of a kind a picture shows at a node.
const MaxTagsShown = 4

// count is the number of tags with a flat value.
func (t *NodeTags) count() int {
	n := 0
	for _, l := range t.Labels {
		if l.Flat != 0 {
			n++
		}
	}
	for _, list := range t.Numeric {
		for _, l := range list {
			if l.Flat != 0 {
				n++
			}
		}
	}
	return n
}

// SortTags orders tags by value, flat or cumulative, then name.
func SortTags(tags []*Tag, flat bool) {
	slices.SortStableFunc(tags, func(a, b *Tag) int {
		if ca, cb := abs(a.Cum), abs(b.Cum); !flat && ca != cb {
			return cmp.Compare(cb, ca)
		}
		if fa, fb := abs(a.Flat), abs(b.Flat); fa != fb {
			return cmp.Compare(fb, fa)
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// countWithTags is the number of nodes that fit limit when each node counts
// for itself and for the tags drawn at it.
func (g *Graph) countWithTags(w *stackWeights, limit int, cutoff int64) int {
	tags := g.collectTags(g.Order[:min(limit, len(g.Order))], cutoff)
	count := 0
	for i, n := range g.Order {
		if i >= limit {
			break
		}
		count += 1 + min(tags[n].count(), MaxTagsShown)
		if count >= limit {
			return i + 1
		}
	}
	return min(limit, len(g.Order))
}

// tagKey is a numeric tag in its group.
type tagKey struct {
	group int32
	name  string
}

// numericTag is a tagKey with the value it was first seen with.
type numericTag struct {
	tagKey
	unit  string
	value int64
}

// tagTable numbers the tags of a profile: groups of equal string labels, and
// the numeric tags within each. It is made once a view and expands each label
// set once, not once a node; names are made for groups that are shown only.
type tagTable struct {
	v *View
	// group is the string labels of each label set, numeric its numeric tags;
	// numeric is nil when no set has any.
	group   []int32
	numeric [][]int32
	keys    []numericTag
	// parts holds the string labels of each group.
	parts *profile.LabelSets
	names []string // by group, "" for those not asked for yet
	// groupSum and keySum add up what was sampled under each, without signs.
	groupSum []int64
	keySum   []int64
}

// tagTable makes the table on first use.
func (v *View) tagTable() *tagTable {
	if v.tags == nil {
		v.tags = newTagTable(v)
	}
	return v.tags
}

func newTagTable(v *View) *tagTable {
	p := v.Profile
	t := &tagTable{v: v, group: make([]int32, p.LabelSets.Len()), parts: &p.LabelSets}
	if t.stringsOnly() {
		for id := range t.group {
			t.group[id] = int32(id)
		}
	} else {
		t.split()
	}
	t.groupSum = make([]int64, t.parts.Len())
	t.keySum = make([]int64, len(t.keys))
	for i, set := range p.Samples.Labels {
		x := abs(v.Values[i])
		t.groupSum[t.group[set]] += x
		if t.numeric != nil {
			for _, k := range t.numeric[set] {
				t.keySum[k] += x
			}
		}
	}
	return t
}

// shownNumber is the one numeric label pictures show.
const shownNumber = "bytes"

// isShownString tells string labels that take part in a group.
func isShownString(p *profile.Profile, l profile.Label) bool {
	return l.Str != 0 && p.Strings[l.Key] != profile.BaseLabel
}

func (t *tagTable) stringsOnly() bool {
	p := t.v.Profile
	for _, l := range p.LabelSets.Labels {
		if !isShownString(p, l) {
			return false
		}
	}
	return true
}

// split separates string labels from numbers, set by set.
func (t *tagTable) split() {
	p := t.v.Profile
	t.parts = &profile.LabelSets{Offsets: []uint32{0, 0}}
	t.numeric = make([][]int32, p.LabelSets.Len())
	var in profile.LabelInterner
	var buf []profile.Label
	byKey := map[tagKey]int32{}
	for id := range t.group {
		set := p.LabelSets.Of(profile.LabelSetID(id))
		buf = buf[:0]
		for _, l := range set {
			if isShownString(p, l) {
				buf = append(buf, l)
			}
		}
		t.group[id] = int32(in.Intern(t.parts, buf))
		for _, l := range set {
			if l.Str != 0 || p.Strings[l.Key] != shownNumber {
				continue
			}
			u := t.v.LabelUnits[shownNumber]
			key := tagKey{t.group[id], unit.Format(l.Num, u, t.v.Options.Unit)}
			n, ok := byKey[key]
			if !ok {
				n = int32(len(t.keys))
				byKey[key] = n
				t.keys = append(t.keys, numericTag{key, u, l.Num})
			}
			t.numeric[id] = append(t.numeric[id], n)
		}
	}
}

// name joins the string labels of a group as key:value, sorted.
func (t *tagTable) name(group int32) string {
	if t.names == nil {
		t.names = make([]string, t.parts.Len())
	}
	if t.names[group] == "" {
		p := t.v.Profile
		var joined []string
		for _, l := range t.parts.Of(profile.LabelSetID(group)) {
			joined = append(joined, p.Strings[l.Key]+":"+p.Strings[l.Str])
		}
		sort.Strings(joined)
		t.names[group] = strings.Join(joined, `\n`)
	}
	return t.names[group]
}

// collectTags adds the labels of all samples up at the given nodes, leaving
// out tags below cutoff. A tag whose samples together stay below the cutoff
// cannot reach it at any node, so those samples are skipped.
func (g *Graph) collectTags(nodes []int32, cutoff int64) map[int32]*NodeTags {
	v := g.view
	p := v.Profile
	out := make(map[int32]*NodeTags, len(nodes))
	for _, n := range nodes {
		out[n] = &NodeTags{}
	}
	if p.LabelSets.Len() == 1 || len(nodes) == 0 {
		return out
	}
	t := v.tagTable()
	acc := &tagSums{g: g, wanted: g.nodeSet(nodes), seen: make([]uint32, len(g.Nodes))}
	groups := int32(t.parts.Len())
	for i, set := range p.Samples.Labels {
		x, d := v.Values[i], v.divisor(i)
		if x == 0 && d == 0 {
			continue
		}
		visited := false
		if group := t.group[set]; group != 0 && t.groupSum[group] >= cutoff {
			acc.visit(p.Samples.Stack[i])
			visited = true
			acc.add(group, x, d)
		}
		if t.numeric == nil {
			continue
		}
		for _, k := range t.numeric[set] {
			if t.keySum[k] < cutoff {
				continue
			}
			if !visited {
				acc.visit(p.Samples.Stack[i])
				visited = true
			}
			acc.add(groups+k, x, d)
		}
	}
	acc.finish(t, out, cutoff)
	return out
}

// tagSums adds tags up at the wanted nodes of a graph. A tag is a group of
// string labels or, with the number of groups added, a numeric tag.
type tagSums struct {
	g      *Graph
	wanted []bool    // by node
	index  pairIndex // numbers the pairs of node and tag met
	sums   []tagSum  // by that number
	seen   []uint32  // by node: the last turn that visited it
	turn   uint32
	// of the stack last visited:
	nodes []int32
	leaf  int32
}

type tagSum struct {
	node, tag                  int32
	flat, flatDiv, cum, cumDiv int64
}

// visit finds the wanted nodes of a stack, each once, and which of them has
// its flat value.
func (a *tagSums) visit(stack profile.StackID) {
	a.turn++
	a.nodes = a.nodes[:0]
	a.leaf = -1
	g := a.g
	if g.Tree {
		a.leaf = g.paths[stack]
		for n := a.leaf; n >= 0; n = g.Nodes[n].parent {
			if a.wanted[n] {
				a.nodes = append(a.nodes, n)
			}
		}
		return
	}
	t := g.view.nodeTable()
	first := true
	for _, loc := range g.view.Profile.Stacks.Of(stack) {
		for _, f := range t.of(loc) {
			n := g.kept[f]
			if first {
				a.leaf = n
				first = false
			}
			if n < 0 || a.seen[n] == a.turn {
				continue
			}
			a.seen[n] = a.turn
			if a.wanted[n] {
				a.nodes = append(a.nodes, n)
			}
		}
	}
}

func (a *tagSums) add(tag int32, value, div int64) {
	for _, n := range a.nodes {
		i, isNew := a.index.find(n, tag)
		if isNew {
			a.sums = append(a.sums, tagSum{node: n, tag: tag})
		}
		s := &a.sums[i]
		s.cum += value
		s.cumDiv += div
		if n == a.leaf {
			s.flat += value
			s.flatDiv += div
		}
	}
}

func (a *tagSums) finish(table *tagTable, out map[int32]*NodeTags, cutoff int64) {
	a.index = pairIndex{} // its memory is needed for the tags
	groups := int32(table.parts.Len())
	for i := range a.sums {
		s := &a.sums[i]
		if abs(s.flat) < cutoff && abs(s.cum) < cutoff {
			continue
		}
		t := &Tag{Flat: s.flat, FlatDiv: s.flatDiv, Cum: s.cum, CumDiv: s.cumDiv}
		nt := out[s.node]
		if s.tag < groups {
			t.Name = table.name(s.tag)
			nt.Labels = append(nt.Labels, t)
			continue
		}
		k := table.keys[s.tag-groups]
		t.Name, t.Unit, t.Value = k.name, k.unit, k.value
		if nt.Numeric == nil {
			nt.Numeric = map[string][]*Tag{}
		}
		group := table.name(k.group)
		nt.Numeric[group] = append(nt.Numeric[group], t)
	}
}
