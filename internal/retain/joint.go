package retain

import (
	"maps"
	"slices"
)

// JointOptions steer Joint.
type JointOptions struct {
	// Cuts tells at which steps a path from the super root can be cut: i is
	// among them if the reference that leads to path[i] has a name. What leads
	// to a synthetic vertex stands for the vertex as a whole.
	Cuts func(path []uint32) []int
	// Most is how many references may be taken away together.
	Most int
	// Enough is the part of the targets, by their own bytes, that must go.
	Enough float64
	// Budget bounds the work, in vertices that are looked at; 0: no bound.
	Budget int
}

// Way is one of several references that hold something together.
type Way struct {
	// Path leads from the super root to one of the targets, through the
	// reference: Path[Cut-1] refers to Path[Cut].
	Path []uint32
	Cut  int
	// Bytes are those of the targets to which this way was the best, when it
	// was found.
	Bytes uint64
}

// Edge is the reference of a way.
func (w *Way) Edge() Edge { return Edge{w.Path[w.Cut-1], w.Path[w.Cut]} }

// Joint finds a few references that hold the targets together: without all of
// them enough of the targets go, and not without fewer of them. ok is false if
// there are no such references, and ways are then some of those that hold
// them.
//
// One way after the other is taken. The best paths to the targets that are
// left are a tree, and the way follows what most of them share. Its reference
// is the one nearest to the targets that still carries nearly all that comes
// through the first it could be. In the end what is not needed is given back;
// so no set inside the one that is found would do, though there may be a
// smaller other one.
func (r *Result) Joint(targets []uint32, o JointOptions) (ways []Way, ok bool) {
	j := joint{r: r, o: o, targets: newBitset(len(r.vertex)), heads: map[uint32][]uint32{}}
	r.nearest() // which finds the parts, too
	if !j.aim(targets) {
		return nil, false
	}
	for j.budget() {
		switch reached := j.flow(); {
		case j.enough(reached):
			return j.needed()
		case len(j.ways) == o.Most || !j.take():
			return j.ways, false
		}
	}
	return j.ways, false
}

// carries is the part of what comes through a way that its reference must
// carry.
const carries = 0.8

type joint struct {
	r       *Result
	o       JointOptions
	top     uint32 // the nearest that dominates all targets and is none of them
	targets bitset
	all     uint64 // bytes of the targets
	ways    []Way
	heads   map[uint32][]uint32 // of the references taken away, by tail
	spent   int                 // of the budget

	// By position below top in the dominator tree, which may be nearly all
	// there is:
	parent []uint32 // number of the vertex before; none: not reached
	weight []uint32 // of the targets here and after, in units
	order  []uint32 // numbers as they were reached: parents come first
	unit   uint64   // bytes: the least power of two for which weights are below 1<<32
	parts  []uint32 // reached, and to be gone through at once
}

// aim sets the targets and the vertex below which to search.
func (j *joint) aim(targets []uint32) bool {
	r, count := j.r, uint64(0)
	j.top = none
	for _, v := range targets {
		n := r.at(v)
		if n == none || n == 0 || j.targets.has(n) {
			continue
		}
		j.targets.set(n)
		j.all += r.size(n)
		count++
		if j.top == none {
			j.top = r.idom[n]
		}
		for j.top == n || !r.inside(j.top, n) {
			j.top = r.idom[j.top]
		}
	}
	for j.unit = 1; j.all/j.unit+count >= 1<<32; j.unit *= 2 { // each is rounded up
	}
	return j.all > 0
}

// budget takes one more search out of the budget, and tells whether it allows
// for it.
func (j *joint) budget() bool {
	j.spent += int(j.r.count[j.top])
	return j.o.Budget == 0 || j.spent <= j.o.Budget
}

// at is the position of a number below top.
func (j *joint) at(n uint32) uint32 { return j.r.pos[n] - j.r.pos[j.top] }

// enough tells whether so many bytes of the targets may still be reached.
func (j *joint) enough(reached uint64) bool {
	return float64(j.all-reached) >= j.o.Enough*float64(j.all)
}

// flow searches below top without the references taken away, and adds up the
// targets along the paths on which they are reached.
func (j *joint) flow() (reached uint64) {
	j.search()
	for i := len(j.order) - 1; i >= 0; i-- {
		n := j.order[i]
		at := j.at(n)
		if j.targets.has(n) {
			size := j.r.size(n)
			reached += size
			j.weight[at] += uint32((size + j.unit - 1) / j.unit)
		}
		if i > 0 {
			j.weight[j.at(j.parent[at])] += j.weight[at]
		}
	}
	return reached
}

// heaviest is the vertex after n through which most targets are reached, none
// if there is none.
func (j *joint) heaviest(n uint32) uint32 {
	r, most := j.r, uint32(none)
	for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
		if t == j.top || !r.inside(j.top, t) || j.parent[j.at(t)] != n {
			continue
		}
		if most == none || j.weight[j.at(t)] >= j.weight[j.at(most)] {
			most = t
		}
	}
	return most
}

// search goes breadth first, those behind the worse roots last.
func (j *joint) search() {
	n := j.r.count[j.top]
	if j.parent == nil {
		j.parent, j.weight, j.order = make([]uint32, n), make([]uint32, n), make([]uint32, 0, n)
	}
	for i := range j.parent {
		j.parent[i], j.weight[i] = none, 0
	}
	j.order = append(j.order[:0], j.top)
	j.parent[0] = j.top
	worse := map[int][]Edge{} // by rank
	for head := 0; ; head++ {
		for head == len(j.order) {
			if len(worse) == 0 {
				return
			}
			rank := slices.Min(slices.Collect(maps.Keys(worse)))
			list := worse[rank]
			delete(worse, rank)
			for _, e := range list {
				j.reach(e.From, e.To)
			}
		}
		if n := j.order[head]; head == 0 || !j.r.isPart(n) { // parts were gone through
			j.spread(n, worse)
		}
		for len(j.parts) > 0 {
			n := j.parts[len(j.parts)-1]
			j.parts = j.parts[:len(j.parts)-1]
			j.spread(n, worse)
		}
	}
}

// spread reaches what a vertex refers to.
func (j *joint) spread(n uint32, worse map[int][]Edge) {
	r := j.r
	gone := j.heads[n]
	for _, t := range r.out[r.outAt[n]:r.outAt[n+1]] {
		if !r.inside(j.top, t) || j.parent[j.at(t)] != none || gone != nil && slices.Contains(gone, t) {
			continue
		}
		if rank := r.rank(t); rank > 0 {
			worse[rank] = append(worse[rank], Edge{n, t})
			continue
		}
		j.reach(n, t)
		if r.isPart(t) {
			j.parts = append(j.parts, t)
		}
	}
}

func (j *joint) reach(from, to uint32) {
	if at := j.at(to); j.parent[at] == none {
		j.parent[at] = from
		j.order = append(j.order, to)
	}
}

// take adds the way on which most of the targets are reached.
func (j *joint) take() bool {
	r := j.r
	path := r.Path(r.vertex[j.top])
	above := len(path)
	var through []uint64 // bytes of targets, by step below top
	for n := j.top; !j.targets.has(n); {
		if n = j.heaviest(n); n == none {
			break
		}
		path, through = append(path, r.vertex[n]), append(through, uint64(j.weight[j.at(n)])*j.unit)
	}
	cut, first := 0, uint64(0)
	for _, i := range j.o.Cuts(path) {
		if i < above {
			continue
		}
		if b := through[i-above]; cut == 0 || float64(b) >= carries*float64(first) {
			if cut == 0 {
				first = b
			}
			cut = i
		}
	}
	if cut == 0 || first == 0 {
		return false
	}
	w := Way{Path: path, Cut: cut, Bytes: first}
	j.ways = append(j.ways, w)
	j.remove(&w)
	return true
}

// remove takes the reference of a way away.
func (j *joint) remove(w *Way) {
	from, to := j.r.at(w.Path[w.Cut-1]), j.r.at(w.Path[w.Cut])
	j.heads[from] = append(j.heads[from], to)
}

// needed leaves out ways without which enough of the targets go as well, the
// smallest first.
func (j *joint) needed() (ways []Way, ok bool) {
	for i := len(j.ways) - 1; i >= 0 && len(j.ways) > 1 && j.budget(); i-- {
		all := j.ways
		j.ways = slices.Delete(slices.Clone(all), i, i+1)
		clear(j.heads)
		for k := range j.ways {
			j.remove(&j.ways[k])
		}
		if !j.enough(j.flow()) {
			j.ways = all
		}
	}
	return j.ways, len(j.ways) > 0
}
