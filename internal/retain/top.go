package retain

import (
	"cmp"
	"slices"
)

// Ranked is a vertex and what it retains.
type Ranked struct {
	Vertex   uint32
	Retained Amount
}

// Top are the n vertices that retain most and that keep lets pass (nil: all),
// the largest first.
func (r *Result) Top(n int, keep func(v uint32) bool) []Ranked {
	b := best[Ranked]{n: n, less: func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Retained.Bytes, a.Retained.Bytes), cmp.Compare(a.Vertex, b.Vertex))
	}}
	for i, v := range r.vertex {
		if r.bytes(uint32(i)) >= b.least && (keep == nil || keep(v)) {
			b.add(Ranked{v, r.retained(uint32(i))}, func(x Ranked) uint64 { return x.Retained.Bytes })
		}
	}
	return b.list()
}

// best keeps the first n of what is added, by order of less.
type best[T any] struct {
	n     int
	less  func(a, b T) int
	least uint64 // what has fewer bytes need not be added
	kept  []T
}

func (b *best[T]) add(x T, bytes func(T) uint64) {
	b.kept = append(b.kept, x)
	if len(b.kept) >= 2*b.n+64 {
		b.list()
		if b.n > 0 {
			b.least = bytes(b.kept[b.n-1])
		}
	}
}

func (b *best[T]) list() []T {
	slices.SortFunc(b.kept, b.less)
	b.kept = b.kept[:min(b.n, len(b.kept))]
	return b.kept
}

// Group are dominator children of one vertex that are of one kind.
type Group struct {
	Kind     uint32
	Members  int
	Retained Amount // together
	Largest  Ranked
}

// Groups are the dominator children of v by kind, the largest first. Children
// of kind 0 are each a group of their own.
func (r *Result) Groups(v uint32, kind func(v uint32) uint32) []Group {
	if !r.Reachable(v) {
		return nil
	}
	var groups []Group
	index := map[uint32]int{}
	for n := range r.children(r.at(v)) {
		child := Ranked{r.vertex[n], r.retained(n)}
		k := kind(child.Vertex)
		i, ok := index[k]
		if !ok || k == 0 {
			i = len(groups)
			index[k] = i
			groups = append(groups, Group{Kind: k, Largest: child})
		}
		g := &groups[i]
		g.Members++
		g.Retained = g.Retained.Add(child.Retained)
		if child.Retained.Bytes > g.Largest.Retained.Bytes {
			g.Largest = child
		}
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(b.Retained.Bytes, a.Retained.Bytes) })
	return groups
}

// KindRow is what the vertices of one kind take.
type KindRow struct {
	Kind     uint32
	Self     Amount // the vertices themselves
	Retained Amount // they and what they dominate; what lies below two of them counts once
}

// Kinds adds up all reachable vertices by kind, the largest retained first.
func (r *Result) Kinds(kind func(v uint32) uint32) []KindRow {
	type open struct{ row, end uint32 } // end: where the subtree ends in order
	var (
		rows  []KindRow
		depth []uint32 // by row: vertices of that kind above
		above []open
		index = map[uint32]uint32{}
	)
	for p, n := range r.order {
		for len(above) > 0 && int(above[len(above)-1].end) <= p {
			depth[above[len(above)-1].row]--
			above = above[:len(above)-1]
		}
		k := kind(r.vertex[n])
		i, ok := index[k]
		if !ok {
			i = uint32(len(rows))
			index[k] = i
			rows, depth = append(rows, KindRow{Kind: k}), append(depth, 0)
		}
		row := &rows[i]
		row.Self = row.Self.Add(r.selfAt(n, uint32(p)))
		if depth[i] == 0 {
			row.Retained = row.Retained.Add(r.retained(n))
		}
		if r.count[n] > 1 {
			depth[i]++
			above = append(above, open{i, uint32(p) + r.count[n]})
		}
	}
	slices.SortStableFunc(rows, func(a, b KindRow) int { return cmp.Compare(b.Retained.Bytes, a.Retained.Bytes) })
	return rows
}

// Accumulation descends from v to the dominator child that keeps at least
// share of what its parent retains, as long as there is one, and returns where
// that ends: the point where memory piles up. 0.8 is a good share.
func (r *Result) Accumulation(v uint32, share float64) uint32 {
	n := r.at(v)
	for n != none {
		child := r.largestChild(n)
		if child == 0 || float64(r.bytes(child)) < share*float64(r.bytes(n)) {
			return r.vertex[n]
		}
		n = child
	}
	return v
}

// largestChild is the dominator child that retains most, 0 if there is none.
func (r *Result) largestChild(n uint32) (largest uint32) {
	most := uint64(0)
	for c := range r.children(n) {
		if b := r.bytes(c); largest == 0 || b > most {
			largest, most = c, b
		}
	}
	return largest
}

// Drop is a vertex that retains more than its largest child does.
type Drop struct {
	Vertex   uint32
	Retained Amount
	Child    uint32 // the dominator child that retains most; 0: there is none
	Bytes    uint64 // Retained less what Child retains
}

// Drops are the n biggest drops among the vertices that keep lets pass (nil:
// all), the biggest first: where memory fans out.
func (r *Result) Drops(n int, keep func(v uint32) bool) []Drop {
	b := best[Drop]{n: n, less: func(a, b Drop) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Vertex, b.Vertex))
	}}
	for i, v := range r.vertex {
		n := uint32(i)
		bytes := r.bytes(n)
		if bytes < b.least {
			continue
		}
		child := r.largestChild(n)
		if child != 0 {
			bytes -= r.bytes(child)
		}
		if bytes >= b.least && (keep == nil || keep(v)) {
			b.add(Drop{v, r.retained(n), r.vertex[child], bytes}, func(x Drop) uint64 { return x.Bytes })
		}
	}
	return b.list()
}
