package why

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Sites are the ways in which what matching sites allocated is held, most
// first: each site and path of one shape is a holding. match gets a stack leaf
// first.
func (a *Analysis) Sites(n int, match func(stack []goheap.Frame) bool) []Holding {
	return a.Ways(a.Select(Filter{Site: match}), n)
}

// Ways are the n ways in which a selection is held that hold most, all with
// n < 0: objects of one type on paths of one shape are a holding, and where
// the selection is estimated, of one site too. The holdings add up to the
// selection.
func (a *Analysis) Ways(s *Selection, n int) []Holding {
	merged, at := a.mergedPaths(s.Vertices)
	t := a.fold(merged)
	groups := map[wayKey]*wayGroup{}
	for i, node := range at {
		k := wayKey{node: t.of[node], kind: a.labels.Kind(s.Vertices[i])}
		if s.Samples != nil {
			x := &a.Heap.Samples[s.Samples[i]]
			k.site = keyOf(&Site{Stack: a.Heap.Buckets[x.Bucket].Stack, Type: a.Heap.Name(x.Vertex)})
		}
		g := groups[k]
		if g == nil {
			g = &wayGroup{wayKey: k}
			groups[k] = g
		}
		g.sum.add(a.weigh(s, i))
		g.members = append(g.members, uint32(i))
	}
	order := make([]*wayGroup, 0, len(groups))
	for _, g := range groups {
		order = append(order, g)
	}
	slices.SortFunc(order, func(x, y *wayGroup) int {
		return cmp.Or(cmp.Compare(y.sum.bytes, x.sum.bytes), cmp.Compare(x.members[0], y.members[0]))
	})
	if n >= 0 {
		order = order[:min(n, len(order))]
	}
	out := make([]Holding, 0, len(order))
	for _, g := range order {
		out = append(out, a.wayHolding(s, g, t))
	}
	if s.Samples == nil && s.in != nil {
		a.addWaySites(s, order, out)
	}
	return out
}

// manyVertices is the part of all vertices from which on it is quicker to merge
// the paths to all of them.
const manyVertices = 1.0 / 16

// mergedPaths lays the best paths to vertices together; at is by index.
func (a *Analysis) mergedPaths(vertices []uint32) (t *retain.Tree, at []uint32) {
	if float64(len(vertices)) < manyVertices*float64(a.Result.Vertices()) {
		return a.Result.Merge(retain.ShortestPath, vertices, a.labels)
	}
	t, all := a.Result.PathTree(a.labels)
	at = make([]uint32, len(vertices))
	for i, v := range vertices {
		at[i] = all[v]
	}
	return t, at
}

// wayKey is what makes objects be held in one way: the node of the merged
// paths, the type, as the parts of a map are at one node, and the site.
type wayKey struct {
	node uint32
	kind uint32
	site siteKey
}

type wayGroup struct {
	wayKey
	sum     tally
	members []uint32 // indexes into the selection
}

// wayHolding describes objects that are held in one way.
func (a *Analysis) wayHolding(s *Selection, g *wayGroup, t *folded) Holding {
	example := s.Vertices[g.members[0]]
	for _, i := range g.members {
		if v := s.Vertices[i]; a.Result.Retained(v).Bytes > a.Result.Retained(example).Bytes {
			example = v
		}
	}
	h := Holding{Amount: g.sum.amount(), Example: example, Address: a.addr(example), Root: a.rootKind(example)}
	h.Type, h.Pointed = a.typeOf(example)
	if s.Samples != nil {
		sums := map[int]*Site{}
		for _, i := range g.members {
			a.addSample(sums, &a.Heap.Samples[s.Samples[i]])
		}
		h.Site = &a.joined(sums, 1)[0]
	}
	h.Path = a.goOn(a.told(a.Result.Path(example)), t, g.node)
	top := example
	for _, i := range g.members {
		for v := s.Vertices[i]; !a.Result.Dominates(top, v); {
			top, _ = a.Result.Dominator(top)
		}
	}
	a.cut(&h, top, func() []uint32 {
		targets := make([]uint32, len(g.members))
		for k, i := range g.members {
			targets[k] = s.Vertices[i]
		}
		return targets
	})
	return h
}

// addWaySites finds where the objects of holdings were allocated.
func (a *Analysis) addWaySites(s *Selection, groups []*wayGroup, out []Holding) {
	of := map[uint32]int{} // sampled vertex -> holding
	sampled := a.Sampled(s)
	for _, v := range sampled.Vertices {
		of[v] = -1
	}
	for k, g := range groups {
		for _, i := range g.members {
			if _, ok := of[s.Vertices[i]]; ok {
				of[s.Vertices[i]] = k
			}
		}
	}
	sums := make([]map[int]*Site, len(out))
	for i, v := range sampled.Vertices {
		k := of[v]
		if k < 0 {
			continue
		}
		if sums[k] == nil {
			sums[k] = map[int]*Site{}
		}
		a.addSample(sums[k], &a.Heap.Samples[sampled.Samples[i]])
	}
	for k := range out {
		out[k].Sites = a.joined(sums[k], maxSites)
	}
}
