package view

import (
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
	sort.SliceStable(tags, func(i, j int) bool {
		a, b := tags[i], tags[j]
		if ca, cb := abs(a.Cum), abs(b.Cum); !flat && ca != cb {
			return ca > cb
		}
		if fa, fb := abs(a.Flat), abs(b.Flat); fa != fb {
			return fa > fb
		}
		return a.Name < b.Name
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
	unit  string
	value int64
}

// setTags are the tags a label set contributes to.
type setTags struct {
	group   int32 // joined string labels; 0 is none
	numeric []int32
}

// tagCollector numbers tags over the whole profile: string groups first come,
// then numeric tags. Label sets are expanded once each, not once a node.
type tagCollector struct {
	v      *View
	groups *namer
	keys   []tagKey
	byKey  map[[2]any]int32
	sets   []setTags
}

func (c *tagCollector) expand(id profile.LabelSetID) setTags {
	p := c.v.Profile
	var st setTags
	var joined []string
	set := p.LabelSets.Of(id)
	for _, l := range set {
		if l.Str != 0 && p.Strings[l.Key] != profile.BaseLabel {
			joined = append(joined, p.Strings[l.Key]+":"+p.Strings[l.Str])
		}
	}
	sort.Strings(joined)
	st.group = c.groups.id(strings.Join(joined, `\n`))
	for _, l := range set {
		if l.Str != 0 || p.Strings[l.Key] != "bytes" {
			continue
		}
		u := c.v.LabelUnits["bytes"]
		name := unit.Format(l.Num, u, c.v.Options.Unit)
		key := [2]any{st.group, name}
		n, ok := c.byKey[key]
		if !ok {
			n = int32(len(c.keys))
			c.byKey[key] = n
			c.keys = append(c.keys, tagKey{st.group, name, u, l.Num})
		}
		st.numeric = append(st.numeric, n)
	}
	return st
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
	c := &tagCollector{v: v, groups: newNamer(), byKey: map[[2]any]int32{}}
	c.sets = make([]setTags, p.LabelSets.Len())
	for id := range c.sets {
		c.sets[id] = c.expand(profile.LabelSetID(id))
	}
	groupSum := make([]int64, len(c.groups.list))
	keySum := make([]int64, len(c.keys))
	for i, set := range p.Samples.Labels {
		st := &c.sets[set]
		groupSum[st.group] += abs(v.Values[i])
		for _, k := range st.numeric {
			keySum[k] += abs(v.Values[i])
		}
	}
	acc := newTagSums(g, out)
	for i, set := range p.Samples.Labels {
		st := &c.sets[set]
		x, d := v.Values[i], v.divisor(i)
		if x == 0 && d == 0 {
			continue
		}
		group := st.group > 0 && groupSum[st.group] >= cutoff
		numeric := false
		for _, k := range st.numeric {
			numeric = numeric || keySum[k] >= cutoff
		}
		if !group && !numeric {
			continue
		}
		acc.visit(p.Samples.Stack[i])
		if group {
			acc.add(tagID{group: st.group, key: -1}, x, d)
		}
		for _, k := range st.numeric {
			acc.add(tagID{group: st.group, key: k}, x, d)
		}
	}
	acc.finish(c, out, cutoff)
	return out
}

// tagID is a string group (key -1) or a numeric tag.
type tagID struct{ group, key int32 }

// tagSums adds tags up at the wanted nodes of a graph.
type tagSums struct {
	g    *Graph
	tags []map[tagID]*Tag // by node, nil where not wanted
	seen []uint32
	turn uint32
	// of the stack last visited:
	nodes []int32
	leaf  int32
}

func newTagSums(g *Graph, wanted map[int32]*NodeTags) *tagSums {
	a := &tagSums{g: g, tags: make([]map[tagID]*Tag, len(g.Nodes)), seen: make([]uint32, len(g.Nodes))}
	for n := range wanted {
		a.tags[n] = map[tagID]*Tag{}
	}
	return a
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
			if a.tags[n] != nil {
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
			if a.tags[n] != nil {
				a.nodes = append(a.nodes, n)
			}
		}
	}
}

func (a *tagSums) add(id tagID, value, div int64) {
	for _, n := range a.nodes {
		t := a.tags[n][id]
		if t == nil {
			t = &Tag{}
			a.tags[n][id] = t
		}
		t.Cum += value
		t.CumDiv += div
		if n == a.leaf {
			t.Flat += value
			t.FlatDiv += div
		}
	}
}

func (a *tagSums) finish(c *tagCollector, out map[int32]*NodeTags, cutoff int64) {
	for n, nt := range out {
		for id, t := range a.tags[n] {
			if abs(t.Flat) < cutoff && abs(t.Cum) < cutoff {
				continue
			}
			group := c.groups.list[id.group]
			if id.key < 0 {
				t.Name = group
				nt.Labels = append(nt.Labels, t)
				continue
			}
			k := c.keys[id.key]
			t.Name, t.Unit, t.Value = k.name, k.unit, k.value
			if nt.Numeric == nil {
				nt.Numeric = map[string][]*Tag{}
			}
			nt.Numeric[group] = append(nt.Numeric[group], t)
		}
	}
}
