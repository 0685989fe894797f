package why

import (
	"cmp"
	"maps"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// maxSites bounds the allocation sites listed with one holder.
const maxSites = 5

// addSites finds for holders where what they hold was allocated: by the
// sampled objects below each node.
func (a *Analysis) addSites(t *retain.Tree, nodes []uint32, holders []Holding) {
	if len(a.Heap.Samples) == 0 {
		return
	}
	index := map[uint32]int{}
	for i, n := range nodes {
		index[n] = i
	}
	// owner of a node of the tree: the holder it lies below, -1 for none.
	owner := make([]int, len(t.Nodes))
	owner[0] = -1
	for i := 1; i < len(t.Nodes); i++ {
		owner[i] = owner[t.Nodes[i].Parent]
		if k, ok := index[uint32(i)]; ok {
			owner[i] = k
		}
	}
	sums := make([]map[int]*Site, len(nodes))
	for i, at := range a.sampleNodes() {
		k := owner[at]
		if at == 0 || k < 0 {
			continue
		}
		if sums[k] == nil {
			sums[k] = map[int]*Site{}
		}
		a.addSample(sums[k], &a.Heap.Samples[i])
	}
	for k := range holders {
		sites := a.joined(sums[k], -1)
		sites = slices.DeleteFunc(sites, func(s Site) bool {
			return s.Samples < fewSamples && s.Bytes > overshoot*float64(t.Nodes[nodes[k]].Sum.Bytes)
		})
		holders[k].Sites = sites[:min(maxSites, len(sites))]
	}
}

// overshoot is how many times what is held an estimate from fewSamples may be:
// one sample stands for a lot, and tells nothing of little memory.
const (
	overshoot  = 4
	fewSamples = 3
)

// addSample counts a sampled object to its site.
func (a *Analysis) addSample(sums map[int]*Site, s *goheap.Sample) {
	b := &a.Heap.Buckets[s.Bucket]
	x := sums[s.Bucket]
	if x == nil {
		x = &Site{Stack: b.Stack, Type: a.Heap.Name(s.Vertex)}
		sums[s.Bucket] = x
	}
	x.Samples++
	x.Objects += b.Weight
	x.Bytes += b.Weight * float64(b.Size)
}

// siteKey is what makes allocations be of one site: the line and the type.
type siteKey struct {
	frame goheap.Frame
	typ   string
}

func keyOf(s *Site) siteKey {
	k := siteKey{typ: s.Type}
	if len(s.Stack) > 0 {
		k.frame = s.Stack[0]
	}
	return k
}

// joined lists the n largest sites by bytes, all with n < 0; buckets of one
// line and type are one site.
func (a *Analysis) joined(sums map[int]*Site, n int) []Site {
	index := map[siteKey]int{}
	largest := map[siteKey]float64{} // of the buckets, for the stack to show
	var out []Site
	for _, b := range slices.Sorted(maps.Keys(sums)) {
		s := sums[b]
		k := keyOf(s)
		i, ok := index[k]
		if !ok {
			index[k], largest[k] = len(out), s.Bytes
			out = append(out, *s)
			continue
		}
		o := &out[i]
		if s.Bytes > largest[k] {
			o.Stack, largest[k] = s.Stack, s.Bytes
		}
		o.Bytes, o.Objects, o.Samples = o.Bytes+s.Bytes, o.Objects+s.Objects, o.Samples+s.Samples
	}
	slices.SortStableFunc(out, func(x, y Site) int { return cmp.Compare(y.Bytes, x.Bytes) })
	if n >= 0 {
		out = out[:min(n, len(out))]
	}
	return out
}

// sampleNodes is, by sample, the node of the folded dominator tree it lies in.
func (a *Analysis) sampleNodes() []uint32 {
	if a.at == nil {
		vertices := make([]uint32, len(a.Heap.Samples))
		for i := range a.Heap.Samples {
			vertices[i] = a.Heap.Samples[i].Vertex
		}
		a.at = a.find(vertices)
	}
	return a.at
}

// find gives the nodes of the folded dominator tree that vertices lie in, by
// laying their paths together once more: nodes are the same by parent, label
// and kind.
func (a *Analysis) find(vertices []uint32) []uint32 {
	t, f := a.dominatorTree(), a.foldedTree()
	part, at := a.Result.Merge(retain.DominatorPath, vertices, a.labels)
	index := map[[3]uint32]uint32{}
	for i := 1; i < len(t.Nodes); i++ {
		n := &t.Nodes[i]
		index[[3]uint32{n.Parent, n.Label, n.Kind}] = uint32(i)
	}
	same := make([]uint32, len(part.Nodes))
	for i := 1; i < len(part.Nodes); i++ {
		n := &part.Nodes[i]
		same[i] = index[[3]uint32{same[n.Parent], n.Label, n.Kind}]
	}
	for i := range at {
		at[i] = f.of[same[at[i]]]
	}
	return at
}
