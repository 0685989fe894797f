package why

import (
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/retain"
)

// ProfileOptions say what a profile is of.
type ProfileOptions struct {
	Program Program
	Taken   time.Time
	// Frame names a step. Of an object that several roots hold, so that none
	// of them dominates it, root is the name of the nearest; else it is empty.
	Frame func(s *Step, root string) string
	// Place names an allocation stack (leaf first).
	Place func(stack []goheap.Frame) string
}

// SiteLabel is the label that tells where objects were allocated.
const SiteLabel = "allocated"

// Profile is what is retained as a profile: the dominator tree, vertices of one
// shape together. A stack is the way from the root to what it leads to (leaf
// first, as in any profile), its values are what ends there. So cum of a frame
// is what goes free without it, flat what it is itself, and the totals are
// those of the heap, with the stacks of goroutines.
//
//	retained_space/bytes    retained_objects/count
//
// Of a selection it has only the objects of that, so that cum is what of them
// goes free without the frame. Where a selection is estimated, so are the
// values, and a sample has the place of the allocation as its SiteLabel.
func (a *Analysis) Profile(s *Selection, o ProfileOptions) (*profile.Profile, error) {
	b := profile.NewBuilder(profile.ValueType{Type: "retained_space", Unit: "bytes"}, profile.ValueType{Type: "retained_objects", Unit: "count"})
	head := b.Header()
	head.DefaultSampleType = "retained_space"
	head.PeriodType, head.Period = profile.ValueType{Type: "space", Unit: "bytes"}, 1
	if !o.Taken.IsZero() {
		head.TimeNanos = o.Taken.UnixNano()
	}
	if s.Estimated() {
		head.Period = a.Heap.ProfileRate
	}
	w := &profileWriter{a: a, b: b, o: o, frames: map[string]profile.LocationID{}}
	w.mapping = b.AddMapping(profile.Mapping{
		File: o.Program.Path, BuildID: o.Program.BuildID,
		HasFunctions: true, HasFilenames: true, HasLineNumbers: true, HasInlineFrames: true, // there is nothing to look up
	})
	if s.Whole {
		w.tree(a.dominatorTree())
	} else {
		w.selection(s)
	}
	return b.Profile()
}

// profileWriter fills a profile.
type profileWriter struct {
	a       *Analysis
	b       *profile.Builder
	o       ProfileOptions
	mapping profile.MappingID
	frames  map[string]profile.LocationID
	at      []profile.LocationID // by node of a tree
}

// tree writes all of a dominator tree.
func (w *profileWriter) tree(t *retain.Tree) {
	w.locate(t)
	var stack []profile.LocationID
	t.Samples(func(nodes []uint32, self retain.Amount) {
		stack = w.stack(stack[:0], nodes)
		w.b.Sample(stack, []int64{int64(self.Bytes), int64(self.Objects)})
	})
}

// selection writes the objects of a selection.
func (w *profileWriter) selection(s *Selection) {
	h := w.a.Heap
	t, at := w.a.Result.Merge(retain.DominatorPath, s.Vertices, w.a.labels)
	w.locate(t)
	type key struct {
		node   uint32
		bucket int // -1: none
	}
	sums := map[key]*tally{}
	var order []key
	for i, node := range at {
		k := key{node, -1}
		if s.Estimated() {
			k.bucket = h.Samples[s.Samples[i]].Bucket
		}
		if sums[k] == nil {
			sums[k] = &tally{}
			order = append(order, k)
		}
		sums[k].add(w.a.weigh(s, i))
	}
	for _, k := range order {
		var labels []profile.Label
		if k.bucket >= 0 && len(h.Buckets[k.bucket].Stack) > 0 {
			labels = append(labels, w.b.StringLabel(SiteLabel, w.o.Place(h.Buckets[k.bucket].Stack)))
		}
		var nodes []uint32
		for n := k.node; n != 0; n = t.Nodes[n].Parent {
			nodes = append(nodes, n)
		}
		sum := sums[k].amount()
		w.b.Sample(w.stack(nil, nodes), []int64{int64(sum.Bytes), int64(sum.Objects)}, labels...)
	}
}

// stack gives the locations of nodes, the leaf first.
func (w *profileWriter) stack(out []profile.LocationID, nodes []uint32) []profile.LocationID {
	for _, n := range nodes {
		if l := w.at[n]; l != 0 {
			out = append(out, l)
		}
	}
	return out
}

// locate makes a frame for each node; goroutines have none beside their group.
func (w *profileWriter) locate(t *retain.Tree) {
	w.at = make([]profile.LocationID, len(t.Nodes))
	for i := 1; i < len(t.Nodes); i++ {
		n := &t.Nodes[i]
		s := Step{Kind: w.a.Heap.Kind(n.Example), Name: w.a.Heap.Name(n.Example), Repeated: n.Repeated, Vertex: n.Example}
		if s.Kind == goheap.KindObject {
			s.Label = trimLabel(w.a.labels.Name(n.Label))
		}
		if s.Kind == goheap.KindGoroutine && n.Parent != 0 && w.a.Heap.Kind(t.Nodes[n.Parent].Example) == goheap.KindGroup {
			continue
		}
		root := ""
		if s.Kind == goheap.KindObject && n.Parent == 0 {
			root = w.a.Heap.Name(w.a.root(w.a.Result.Path(n.Example)))
		}
		w.at[i] = w.frame(w.o.Frame(&s, root))
	}
}

// frame gives the location of a frame.
func (w *profileWriter) frame(name string) profile.LocationID {
	l, ok := w.frames[name]
	if !ok {
		// Without a system name nobody takes the brackets of types for C++.
		l = w.b.Location(w.mapping, 0, profile.Line{Function: w.b.Function(name, "", "", 0)})
		w.frames[name] = l
	}
	return l
}
