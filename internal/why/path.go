package why

import (
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
)

// Step is one step of a path: through the field Label of the one before to
// what is called Name. Repeated steps go round a list or a tree.
type Step struct {
	Label    string
	Name     string
	Kind     goheap.Kind
	Repeated bool
	// First and Vertex are the first and the last vertex of a repeated step,
	// the same else.
	First, Vertex uint32
}

// way describes a path of vertices, such as retain.Result.Path gives: the
// super root and packages are left out, a goroutine stands for its group, the
// parts of maps are one step, and steps from a type to the same type are one.
func (a *Analysis) way(path []uint32) []Step {
	h := a.Heap
	var out []Step
	for i, v := range path {
		s := Step{Kind: h.Kind(v), Name: h.Name(v), First: v, Vertex: v}
		switch s.Kind {
		case goheap.KindRoot, goheap.KindPackage:
			continue
		case goheap.KindGoroutine:
			if i > 0 && h.Kind(path[i-1]) == goheap.KindGroup {
				continue // the group says it all
			}
		case goheap.KindObject:
			if i > 0 {
				id := a.labels.Label(path[i-1], v)
				if id == 0 {
					continue // inside a map
				}
				s.Label = trimLabel(a.labels.Name(id))
			}
		}
		if n := len(out); n > 0 && again(out, s) {
			out[n-1].Repeated, out[n-1].Vertex = true, v
			continue
		}
		out = append(out, s)
	}
	return out
}

// again tells whether a step goes on round a list (the same field to the same
// type) or a tree (from a type to itself, the second time).
func again(path []Step, s Step) bool {
	last := &path[len(path)-1]
	if s.Kind != goheap.KindObject || last.Kind != goheap.KindObject || s.Name != last.Name {
		return false
	}
	return s.Label == last.Label || last.Repeated || len(path) > 1 && path[len(path)-2].Name == s.Name
}

// trimLabel takes the space off that goheap.Labels puts before fields.
func trimLabel(s string) string {
	if s != "" && s[0] == ' ' {
		return s[1:]
	}
	return s
}

// root is the root of a way: its first vertex that is no group of roots; 0 for
// a path that has none.
func (a *Analysis) root(path []uint32) uint32 {
	for _, v := range path {
		switch a.Heap.Kind(v) {
		case goheap.KindRoot, goheap.KindPackage:
			continue
		}
		return v
	}
	return 0
}

// single tells whether one reference, or one variable, keeps a vertex: all
// other references to it are its own, from what it retains.
func (a *Analysis) single(v uint32) bool {
	switch a.Heap.Kind(v) {
	case goheap.KindRoot, goheap.KindPackage:
		return false
	case goheap.KindObject:
	default:
		return true
	}
	d, ok := a.Result.Dominator(v)
	if !ok || a.Heap.IsObject(d) && a.labels.Label(d, v) == 0 {
		return false // part of a map
	}
	direct := false
	for from := range a.Result.Holders(v) {
		if from == d {
			direct = true
		} else if !a.Result.Dominates(v, from) {
			return false
		}
	}
	return direct
}

// cut finds the reference that is best removed to free what top dominates: the
// nearest at or above top that is a single one and that a name can tell. Where
// there is none, or only one that holds much else, it finds several that hold
// targets together. It fills in Cut, Frees, and Stacks, or Joint; h.Path is the
// way to an object below top, which goes through it.
func (a *Analysis) cut(h *Holding, top uint32, targets func() []uint32) {
	step := map[uint32]int{}
	for i, s := range h.Path {
		if i == 0 || !s.Repeated || h.Path[i-1].Name != s.Name { // a list is cut where it begins
			step[s.First] = i + 1
		}
	}
	for top != 0 && (step[top] == 0 || !a.single(top)) {
		top, _ = a.Result.Dominator(top)
	}
	if top == 0 {
		a.joint(h, targets(), maxJoint)
		return
	}
	h.Cut, h.Frees, h.Stacks = step[top], a.heapOf(top), a.stacks(top)
	if h.Frees.Bytes > broad*h.Amount.Bytes {
		a.joint(h, targets(), fewJoint)
	}
}

// pathBudget bounds the search for paths, in steps: about a tenth of a second.
const pathBudget = 1_000_000

// Paths are the k best paths to an object that differ in more than indexes and
// in how often they go round a list; complete says that there are no others.
func (a *Analysis) Paths(v uint32, k int) (ways [][]Step, complete bool) {
	paths, complete := a.Result.Paths(v, 16*k, pathBudget)
	seen := map[string]bool{}
	for _, p := range paths {
		w := a.way(p)
		key := shape(w)
		if seen[key] {
			continue
		}
		if len(ways) == k {
			return ways, false
		}
		seen[key] = true
		ways = append(ways, w)
	}
	return ways, complete && len(paths) < 16*k
}

// shape is the same for paths that differ in nothing but indexes.
func shape(path []Step) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteString(s.Label + " " + s.Name + "\n")
	}
	return b.String()
}
