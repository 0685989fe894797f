package why

import (
	"fmt"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Program is what a heap is of.
type Program struct {
	Path    string // of the executable, as the process knew it
	BuildID string // "" if not known
}

// Sums is a heap reduced to sums by path, type and allocation stack. It has no
// addresses and needs nothing of the heap it was made from, so one of an
// earlier heap can be kept to compare a later one with.
type Sums struct {
	Program     Program
	Taken       time.Time // zero if not known
	Total       retain.Amount
	Goroutines  int
	ProfileRate int64 // as goheap.Heap.ProfileRate

	nodes []pathSum // a node comes after its parent; the first is the super root
}

// pathSum is what is held by one generalised path: the shortest there is from a
// root to each object. Each object is in one of them.
type pathSum struct {
	pathKey
	kind goheap.Kind
	// self is what ends here; members are those of it that are no part of a
	// map, or the goroutines of a group.
	self    retain.Amount
	members uint64
	sites   map[string]*Site // of the samples that end here, by stack and type
	example uint32           // in the heap the sums are of
}

// pathKey is what makes a step the same in two heaps: by what, and to which
// type it leads.
type pathKey struct {
	parent      uint32
	label, name string
}

// Sums reduces the heap. It takes 12 bytes an object meanwhile, and ten more for
// shortest paths, which the analysis keeps.
func (a *Analysis) Sums(p Program, taken time.Time) *Sums {
	h := a.Heap
	s := &Sums{Program: p, Taken: taken, Total: a.Total(), Goroutines: len(h.Goroutines), ProfileRate: h.ProfileRate}
	t, at := a.Result.PathTree(a.labels)
	r := reducer{a: a, s: s, texts: map[string]string{}}
	r.nodes(t)
	for i := range h.Groups {
		g := &h.Groups[i]
		s.nodes[r.to[at[g.Vertex]]].members += uint64(len(g.Goroutines))
	}
	for v := h.FirstObject; int(v) < len(at); v++ {
		if node := at[v]; node != 0 && a.labels.Kind(v) == t.Nodes[node].Kind {
			s.nodes[r.to[node]].members++
		}
	}
	for i := range h.Samples {
		x := &h.Samples[i]
		r.sample(x, r.to[at[x.Vertex]])
	}
	return s
}

// reducer makes Sums.
type reducer struct {
	a     *Analysis
	s     *Sums
	to    []uint32 // node of the tree -> node of the sums
	texts map[string]string
}

// own gives a copy of a text that keeps nothing else alive.
func (r *reducer) own(text string) string {
	c, ok := r.texts[text]
	if !ok {
		c = strings.Clone(text)
		r.texts[c] = c
	}
	return c
}

// nodes takes over the nodes of a tree, by names instead of numbers.
func (r *reducer) nodes(t *retain.Tree) {
	index := map[pathKey]uint32{}
	r.to = make([]uint32, len(t.Nodes))
	r.s.nodes = []pathSum{{}}
	for i := 1; i < len(t.Nodes); i++ {
		n := &t.Nodes[i]
		kind := r.a.Heap.Kind(n.Example)
		key := pathKey{r.to[n.Parent], r.own(lasting(kind, r.a.labels.Name(n.Label))), r.own(r.a.labels.Name(n.Kind))}
		k, ok := index[key]
		if !ok {
			k = uint32(len(r.s.nodes))
			index[key] = k
			r.s.nodes = append(r.s.nodes, pathSum{pathKey: key, kind: kind, example: n.Example})
		}
		r.to[i] = k
		x := &r.s.nodes[k]
		if kind == goheap.KindObject { // the others' are stacks
			x.self = x.self.Add(n.Self)
		}
		if r.a.Result.Retained(n.Example).Bytes > r.a.Result.Retained(x.example).Bytes {
			x.example = n.Example
		}
	}
}

// lasting is what a step is called in every heap: groups of goroutines by where
// they are and who made them, without their number and state.
func lasting(kind goheap.Kind, label string) string {
	if kind == goheap.KindGroup {
		if _, at, ok := strings.Cut(label, "] at "); ok {
			return "goroutines at " + at
		}
	}
	return label
}

// sample counts a sampled object to the node it ends at.
func (r *reducer) sample(x *goheap.Sample, node uint32) {
	n, b := &r.s.nodes[node], &r.a.Heap.Buckets[x.Bucket]
	typ := r.a.Heap.Name(x.Vertex)
	var key strings.Builder
	for _, f := range b.Stack {
		fmt.Fprintf(&key, "%s:%d\n", f.Func, f.Line)
	}
	key.WriteString(typ)
	if n.sites == nil {
		n.sites = map[string]*Site{}
	}
	s := n.sites[key.String()]
	if s == nil {
		s = &Site{Type: r.own(typ)}
		for _, f := range b.Stack {
			s.Stack = append(s.Stack, goheap.Frame{Func: r.own(f.Func), File: r.own(f.File), Line: f.Line})
		}
		n.sites[r.own(key.String())] = s
	}
	s.Samples++
	s.Objects += b.Weight
	s.Bytes += b.Weight * float64(b.Size)
}
