package leak

import "github.com/profoundhq/profound/internal/profile"

// elemID names one step of a path: a function, or a line of the function
// before it. Functions and lines alternate, so that growth at several lines
// of one function has a node of its own.
type elemID uint32

// elem is what an elemID stands for. Function elements have line 0.
type elem struct {
	function, file string
	line           int64
	own            bool
	isLine         bool
}

// nodeID is a node of the tree of all stacks seen, 0 the root.
type nodeID uint32

// node is one prefix of stacks, root first.
type node struct {
	parent nodeID
	elem   elemID
	kids   []nodeID
}

// forest is the tree of the stacks of one resource.
type forest struct {
	nodes []node
	index map[edge]nodeID
	known map[uint64]nodeID // by hash of all elements of a stack
}

type edge struct {
	parent nodeID
	elem   elemID
}

func newForest() *forest {
	return &forest{nodes: make([]node, 1), index: map[edge]nodeID{}, known: map[uint64]nodeID{}}
}

// leaf is the node of a stack given root first.
func (f *forest) leaf(path []elemID) nodeID {
	h := uint64(len(path))
	for _, e := range path {
		h = (h ^ uint64(e)) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	if id, ok := f.known[h]; ok {
		return id
	}
	at := nodeID(0)
	for _, e := range path {
		next, ok := f.index[edge{at, e}]
		if !ok {
			next = nodeID(len(f.nodes))
			f.nodes = append(f.nodes, node{parent: at, elem: e})
			f.nodes[at].kids = append(f.nodes[at].kids, next)
			f.index[edge{at, e}] = next
		}
		at = next
	}
	f.known[h] = at
	return at
}

// elements interns functions and lines of all profiles.
type elements struct {
	all       []elem
	functions map[functionKey]elemID
	lines     map[lineKey]elemID
}

type functionKey struct{ name, file string }

type lineKey struct {
	function elemID
	line     int64
}

func newElements() *elements {
	return &elements{all: make([]elem, 1), functions: map[functionKey]elemID{}, lines: map[lineKey]elemID{}}
}

func (es *elements) function(name, file string) elemID {
	id, ok := es.functions[functionKey{name, file}]
	if !ok {
		id = elemID(len(es.all))
		es.all = append(es.all, elem{function: name, file: file, own: isOwn(name, file)})
		es.functions[functionKey{name, file}] = id
	}
	return id
}

func (es *elements) line(function elemID, line int64) elemID {
	id, ok := es.lines[lineKey{function, line}]
	if !ok {
		id = elemID(len(es.all))
		e := es.all[function]
		e.line, e.isLine = line, true
		es.all = append(es.all, e)
		es.lines[lineKey{function, line}] = id
	}
	return id
}

// stacks reads the stacks of one profile as paths of elements.
type stacks struct {
	p         *profile.Profile
	es        *elements
	functions []elemID // by function of the profile, 0: not yet seen
	// The elements of location l, outermost first, are
	// flat[start[l]-1:end[l]]; a start of 0: not yet seen.
	flat       []elemID
	start, end []uint32
	path       []elemID
}

func newStacks(p *profile.Profile, es *elements) *stacks {
	n := p.Locations.Len()
	return &stacks{
		p: p, es: es, functions: make([]elemID, p.Functions.Len()),
		flat: make([]elemID, 0, 2*len(p.Locations.Lines)), start: make([]uint32, n), end: make([]uint32, n),
	}
}

// of is the path of a stack, root first, valid until the next call.
func (s *stacks) of(id profile.StackID) []elemID {
	s.path = s.path[:0]
	frames := s.p.Stacks.Of(id)
	for i := len(frames) - 1; i >= 0; i-- {
		l := frames[i]
		if s.start[l] == 0 {
			s.location(l)
		}
		s.path = append(s.path, s.flat[s.start[l]-1:s.end[l]]...)
	}
	return s.path
}

func (s *stacks) location(id profile.LocationID) {
	s.start[id] = uint32(len(s.flat)) + 1
	lines := s.p.Locations.LinesOf(id)
	for i := len(lines) - 1; i >= 0; i-- {
		f := lines[i].Function
		if s.functions[f] == 0 {
			s.functions[f] = s.es.function(s.p.FunctionName(f), s.p.FunctionFile(f))
		}
		e := s.functions[f]
		if s.es.all[e].function == "runtime.goexit" {
			continue
		}
		s.flat = append(s.flat, e, s.es.line(e, lines[i].Line))
	}
	if len(lines) == 0 {
		e := s.es.function("?", "")
		s.flat = append(s.flat, e, s.es.line(e, 0))
	}
	s.end[id] = uint32(len(s.flat))
}
