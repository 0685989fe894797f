package why

import (
	"reflect"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// folded is a tree of merged paths in which a structure that refers to values
// of its own type, a list or a binary tree, say, is one node: that of the
// value it begins with. Of a list with two ends, whose inner values can be
// reached from both, it is one of those below the value that has the ends.
type folded struct {
	*retain.Tree
	of []uint32 // node of the tree it was made of -> node here
	// again is, by node that took others in, the field that led to them: of a
	// list; several if there is more than one. It is 0 for other nodes.
	again []uint32
}

// several is no field.
const several = ^uint32(0)

// fold takes steps from a type to itself together. The types that go on by
// several fields are noted, so that paths are told alike.
func (a *Analysis) fold(t *retain.Tree) *folded {
	type step struct{ parent, label, kind uint32 }
	index := map[step]uint32{}
	loose := a.loose(t)
	f := &folded{&retain.Tree{Nodes: []retain.Node{t.Nodes[0]}}, make([]uint32, len(t.Nodes)), []uint32{0}}
	for i := 1; i < len(t.Nodes); i++ {
		n := t.Nodes[i]
		k := f.of[n.Parent]
		if up := &f.Nodes[k]; up.Kind == n.Kind && a.isStruct(n.Example) {
			if f.again[k] != 0 && f.again[k] != n.Label {
				f.again[k] = several
				a.branches[n.Kind] = true
			} else {
				f.again[k] = n.Label
			}
			up.Repeated = true
		} else {
			s := step{k, n.Label, n.Kind}
			if loose[[2]uint32{n.Parent, n.Kind}] {
				s.label = 0
			}
			var ok bool
			if k, ok = index[s]; !ok {
				k = uint32(len(f.Nodes))
				index[s] = k
				f.Nodes = append(f.Nodes, retain.Node{Parent: s.parent, Label: n.Label, Kind: n.Kind, Example: n.Example, Repeated: n.Repeated})
				f.again = append(f.again, 0)
			}
		}
		f.of[i] = k
		x := &f.Nodes[k]
		x.Self = x.Self.Add(n.Self)
		if a.Result.Retained(n.Example).Bytes > a.Result.Retained(x.Example).Bytes {
			x.Example = n.Example
		}
	}
	for i := range f.Nodes {
		f.Nodes[i].Sum = f.Nodes[i].Self
	}
	for i := len(f.Nodes) - 1; i > 0; i-- {
		up := &f.Nodes[f.Nodes[i].Parent]
		up.Sum = up.Sum.Add(f.Nodes[i].Sum)
	}
	return f
}

// loose are the parents and kinds of which some values are not referred to by
// the parent itself, but on several ways below it.
func (a *Analysis) loose(t *retain.Tree) map[[2]uint32]bool {
	out := map[[2]uint32]bool{}
	for i := 1; i < len(t.Nodes); i++ {
		if n := &t.Nodes[i]; trimLabel(a.labels.Name(n.Label)) == "" && a.isStruct(n.Example) {
			out[[2]uint32{n.Parent, n.Kind}] = n.Parent != 0
		}
	}
	return out
}

// isStruct tells single structs: of other types, a slice and its array have
// one name.
func (a *Analysis) isStruct(v uint32) bool {
	t := a.Heap.Type(v)
	return t != nil && a.Heap.IsObject(v) && t.Kind == reflect.Struct && a.Heap.Vertex(v).Count == 1
}

// foldedTree is the dominator tree, folded.
func (a *Analysis) foldedTree() *folded {
	if a.folded == nil {
		a.folded = a.fold(a.dominatorTree())
	}
	return a.folded
}

// told is a way as an answer tells it: through a structure that branches it is
// one step.
func (a *Analysis) told(path []uint32) []Step {
	steps := a.way(path)
	if len(a.branches) == 0 {
		return steps
	}
	out := steps[:0]
	for _, s := range steps {
		if n := len(out); n > 0 && s.Label != "" && a.branches[a.labels.Kind(s.Vertex)] && a.labels.Kind(s.Vertex) == a.labels.Kind(out[n-1].Vertex) {
			out[n-1].Repeated, out[n-1].Vertex = true, s.Vertex
			continue
		}
		out = append(out, s)
	}
	return out
}

// goOn marks in a path to an example at a node of a folded tree the structures
// that were taken together, where the example is in the first value of one.
func (a *Analysis) goOn(path []Step, f *folded, node uint32) []Step {
	for k := node; k != 0; k = f.Nodes[k].Parent {
		n := &f.Nodes[k]
		if f.again[k] == 0 {
			continue
		}
		is := func(s Step) bool { return s.Kind == goheap.KindObject && a.labels.Kind(s.Vertex) == n.Kind }
		i := slices.IndexFunc(path, is)
		if i < 0 || slices.ContainsFunc(path, func(s Step) bool { return is(s) && s.Repeated }) {
			continue
		}
		s := path[i]
		s.Repeated = true
		switch {
		case f.again[k] == several:
			path[i].Repeated = true
		case i+1 < len(path) && is(path[i+1]):
			path[i+1].Repeated = true
		default:
			s.Label = trimLabel(a.labels.Name(f.again[k]))
			path = slices.Insert(path, i+1, s)
		}
	}
	if f.Nodes[node].Repeated {
		path[len(path)-1].Repeated = true
	}
	return path
}
