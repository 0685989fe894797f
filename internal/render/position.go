package render

import (
	"cmp"
	"math"
	"slices"
)

// positioner finds the x of each vertex in three steps.
//
//  1. Sweeps over the layers: each vertex wishes for the weighted mean of its neighbours in the layer before, and the wishes
//     of a layer are met as well as its order allows by isotonic regression (pool adjacent violators).
//  2. Vertices that should stand exactly under each other (the inner part of a long arc, the heaviest path) become a block
//     with one x. As in Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment", GD 2001, chosen alignments do
//     not cross, so the separations between blocks have no cycle. Blocks that now overlap are pushed apart once to the
//     right and once to the left; the mean of both keeps every separation, because both do. (Repeating this push instead
//     of step 1 was tried: it lets crowded parts drift away from loose ones.)
//  3. Single blocks move to the weighted median of their neighbours as far as their free room goes.
type positioner struct {
	*component
	gap   float64
	block []int32 // per vertex
	n     int     // number of blocks

	links  []pull    // arc segments between vertices: a is the upper one
	above  adjacency // indices into links by lower vertex
	below  adjacency // indices into links by upper vertex
	wishes []wish    // scratch of the sweeps

	seps  []separation // sorted by from
	first []int32      // seps of block b: seps[first[b]:first[b+1]]
	back  adjacency    // indices into seps by target block
	order []int32      // blocks, topologically

	pulls []pull // links between different blocks, as block numbers
	touch adjacency
	at    []float64 // x of each block
}

// separation says that the axis of block to is at least dist px right of that of from.
type separation struct {
	from, to int32
	dist     float64
}

// pull is an arc segment between two vertices or blocks and how strongly it wants to be vertical. An end pulls the other no
// harder than something else holds it: a source or leaf that hangs on this one segment follows instead of pulling, so a
// heavy part that is tied to the rest by one light arc can move there.
type pull struct {
	a, b     int32
	onA, onB float64 // how hard each end is pulled
}

// assignX gives each vertex of the component its x and shifts the component to start at 0.
func (c *component) assignX(gap float64) {
	p := &positioner{component: c, gap: gap}
	p.collectLinks()
	p.sweepLayers()
	p.align()
	p.separate()
	p.joinBlocks()
	p.settle()
	low, high := math.Inf(1), math.Inf(-1)
	for v := range c.x {
		c.x[v] = p.at[p.block[v]]
		low, high = min(low, c.x[v]-c.left[v]), max(high, c.x[v]+c.right[v])
	}
	for v := range c.x {
		c.x[v] -= low
	}
	c.width = high - low
}

func (c *component) isDummy(v int32) bool { return int(v) >= len(c.nodes) }

// Ends further apart than this after the sweeps (px) are not forced under each other: straightness that pushes everything
// else aside costs more than a bend. The heaviest path may push more.
const (
	nearStraight = 45.0
	nearSpine    = 90.0
)

// alignment is an arc segment that could be made vertical.
type alignment struct {
	up, down int32
	weight   float64
}

// align chooses for each pair of layers the heaviest set of segments that do not cross and joins their ends to blocks.
func (p *positioner) align() {
	total := len(p.layer)
	p.block = make([]int32, total)
	above := make([]int32, total) // aligned vertex in the layer above, or -1
	for v := range above {
		above[v] = -1
	}
	wanted := make([][]alignment, len(p.layers))
	spine := p.spine()
	for i, ch := range p.chains {
		for j := 1; j < len(ch); j++ {
			w := 0.0
			if p.isDummy(ch[j-1]) && p.isDummy(ch[j]) {
				w = 1 + p.arcs[i].weight
			}
			if spine[i] {
				w += 4 + 1000*p.arcs[i].weight
			}
			reach := nearStraight
			if spine[i] {
				reach = nearSpine
			}
			if w > 0 && math.Abs(p.x[ch[j-1]]-p.x[ch[j]]) <= reach {
				k := p.layer[ch[j-1]]
				wanted[k] = append(wanted[k], alignment{ch[j-1], ch[j], w})
			}
		}
	}
	for k, list := range wanted {
		if len(list) > 0 {
			for _, a := range p.heaviestChain(list, len(p.layers[k+1])) {
				above[a.down] = a.up
			}
		}
	}
	var lo, hi []float64 // x range of each block's vertices after the sweeps
	for _, l := range p.layers {
		for _, v := range l {
			if u := above[v]; u >= 0 {
				b := p.block[u]
				if max(hi[b], p.x[v])-min(lo[b], p.x[v]) <= 2*nearSpine {
					p.block[v] = b
					lo[b], hi[b] = min(lo[b], p.x[v]), max(hi[b], p.x[v])
					continue
				}
			}
			p.block[v] = int32(p.n)
			p.n++
			lo, hi = append(lo, p.x[v]), append(hi, p.x[v])
		}
	}
}

// spine marks the arcs that are the heaviest at both of their ends.
func (p *positioner) spine() []bool {
	n := len(p.nodes)
	bestOut, bestIn := make([]int, n), make([]int, n)
	for v := range n {
		bestOut[v], bestIn[v] = -1, -1
	}
	for i, a := range p.arcs {
		if a.reversed {
			continue
		}
		if b := bestOut[a.tail]; b < 0 || p.arcs[b].weight < a.weight {
			bestOut[a.tail] = i
		}
		if b := bestIn[a.head]; b < 0 || p.arcs[b].weight < a.weight {
			bestIn[a.head] = i
		}
	}
	out := make([]bool, len(p.arcs))
	for i, a := range p.arcs {
		out[i] = !a.reversed && bestOut[a.tail] == i && bestIn[a.head] == i
	}
	return out
}

// heaviestChain returns the subset of greatest weight in which both ends strictly increase from left to right: a heaviest
// increasing subsequence, found with a Fenwick tree of prefix maxima over the lower layer of the given width.
func (p *positioner) heaviestChain(list []alignment, width int) []alignment {
	slices.SortFunc(list, func(a, b alignment) int {
		if d := cmp.Compare(p.pos[a.up], p.pos[b.up]); d != 0 {
			return d
		}
		return cmp.Compare(p.pos[b.down], p.pos[a.down])
	})
	best := make([]float64, len(list))
	prev := make([]int, len(list))
	tree := make([]int, width+1) // index+1 of the best alignment that ends in the range
	last := -1
	for i, a := range list {
		from := -1
		for k := p.pos[a.down]; k > 0; k -= k & -k {
			if t := tree[k] - 1; t >= 0 && (from < 0 || best[t] > best[from]) {
				from = t
			}
		}
		best[i], prev[i] = a.weight, from
		if from >= 0 {
			best[i] += best[from]
		}
		for k := int(p.pos[a.down]) + 1; k <= width; k += k & -k {
			if t := tree[k] - 1; t < 0 || best[t] < best[i] {
				tree[k] = i + 1
			}
		}
		if last < 0 || best[i] > best[last] {
			last = i
		}
	}
	var out []alignment
	for i := last; i >= 0; i = prev[i] {
		out = append(out, list[i])
	}
	return out
}

// separate lists the least distances between blocks and sorts the blocks topologically.
func (p *positioner) separate() {
	for _, l := range p.layers {
		for i := 1; i < len(l); i++ {
			a, b := l[i-1], l[i]
			p.seps = append(p.seps, separation{p.block[a], p.block[b], p.apart(a, b)})
		}
	}
	slices.SortFunc(p.seps, func(a, b separation) int {
		if d := cmp.Compare(a.from, b.from); d != 0 {
			return d
		}
		if d := cmp.Compare(a.to, b.to); d != 0 {
			return d
		}
		return cmp.Compare(b.dist, a.dist)
	})
	p.seps = slices.CompactFunc(p.seps, func(a, b separation) bool { return a.from == b.from && a.to == b.to })
	p.first = make([]int32, p.n+1)
	for _, s := range p.seps {
		p.first[s.from+1]++
	}
	for b := range p.n {
		p.first[b+1] += p.first[b]
	}
	p.back = newAdjacency(p.n, len(p.seps), func(i int) (int32, int32) { return p.seps[i].to, int32(i) })
	in := make([]int32, p.n)
	for b := range p.n {
		in[b] = int32(len(p.back.of(int32(b))))
		if in[b] == 0 {
			p.order = append(p.order, int32(b))
		}
	}
	for i := 0; i < len(p.order); i++ {
		b := p.order[i]
		for _, s := range p.seps[p.first[b]:p.first[b+1]] {
			if in[s.to]--; in[s.to] == 0 {
				p.order = append(p.order, s.to)
			}
		}
	}
	if len(p.order) != p.n {
		panic("render: separations of aligned blocks form a cycle")
	}
}

// space returns the free gap wanted between two neighbours in a layer.
func (p *positioner) space(a, b int32) float64 {
	switch {
	case p.isDummy(a) && p.isDummy(b):
		return p.gap * 0.38
	case p.isDummy(a) || p.isDummy(b):
		return p.gap * 0.55
	}
	return p.gap
}

// collectLinks lists the arc segments. Those next to a dummy pull harder, to keep long arcs smooth.
func (p *positioner) collectLinks() {
	spine := p.spine()
	for i, ch := range p.chains {
		w := 0.3 + 8*p.arcs[i].weight
		if spine[i] {
			w *= 4
		}
		for j := 1; j < len(ch); j++ {
			k := 1.0
			switch a, b := p.isDummy(ch[j-1]), p.isDummy(ch[j]); {
			case a && b:
				k = 8
			case a || b:
				k = 2
			}
			p.links = append(p.links, pull{ch[j-1], ch[j], w * k, w * k})
		}
	}
	total := make([]float64, len(p.layer))
	for _, q := range p.links {
		total[q.a] += q.onB
		total[q.b] += q.onA
	}
	for i, q := range p.links {
		const loose = 0.02
		p.links[i].onB = min(q.onB, total[q.a]-q.onB+loose)
		p.links[i].onA = min(q.onA, total[q.b]-q.onA+loose)
	}
	p.above = newAdjacency(len(p.layer), len(p.links), func(i int) (int32, int32) { return p.links[i].b, int32(i) })
	p.below = newAdjacency(len(p.layer), len(p.links), func(i int) (int32, int32) { return p.links[i].a, int32(i) })
}

// wish is a place wanted by a vertex, or by a pool of vertices that touch: at is relative to the vertices' least offsets.
type wish struct {
	at, weight float64
	n          int // vertices in the pool
}

// sweepLayers places the vertices layer by layer, downwards and upwards in turn and at last looking both ways.
func (p *positioner) sweepLayers() {
	p.x = make([]float64, len(p.layer))
	for _, l := range p.layers {
		off := 0.0
		for i := 1; i < len(l); i++ {
			off += p.apart(l[i-1], l[i])
			p.x[l[i]] = off
		}
		for _, v := range l {
			p.x[v] -= off / 2
		}
	}
	rounds := min(max(6_000_000/(len(p.links)+len(p.layer)+1), 6), 24)
	n := len(p.layers)
	for i := range rounds {
		both := i >= rounds-4
		for k := range n {
			if i%2 == 0 {
				p.placeLayer(p.layers[k], true, both)
			} else {
				p.placeLayer(p.layers[n-1-k], both, true)
			}
		}
	}
}

// apart returns the least distance between the axes of two neighbours in a layer.
func (p *positioner) apart(a, b int32) float64 { return p.right[a] + p.left[b] + p.space(a, b) }

// placeLayer moves the vertices of one layer to the best places that keep its order.
func (p *positioner) placeLayer(l []int32, up, down bool) {
	pools := p.wishes[:0]
	off := 0.0
	for i, v := range l {
		if i > 0 {
			off += p.apart(l[i-1], v)
		}
		sum, weight := 0.0, 0.0
		if up {
			for _, q := range p.above.of(v) {
				sum += p.links[q].onB * p.x[p.links[q].a]
				weight += p.links[q].onB
			}
		}
		if down {
			for _, q := range p.below.of(v) {
				sum += p.links[q].onA * p.x[p.links[q].b]
				weight += p.links[q].onA
			}
		}
		if weight == 0 {
			sum, weight = p.x[v]*0.01, 0.01
		}
		w := wish{sum/weight - off, weight, 1}
		for len(pools) > 0 && pools[len(pools)-1].at > w.at { // pool adjacent violators
			last := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			total := last.weight + w.weight
			w = wish{(last.at*last.weight + w.at*w.weight) / total, total, last.n + w.n}
		}
		pools = append(pools, w)
	}
	off = 0
	i := 0
	for _, w := range pools {
		for range w.n {
			if i > 0 {
				off += p.apart(l[i-1], l[i])
			}
			p.x[l[i]] = w.at + off
			i++
		}
	}
	p.wishes = pools
}

// joinBlocks gives each block the mean place of its vertices, pushes blocks apart and lists the links between blocks.
func (p *positioner) joinBlocks() {
	p.at = make([]float64, p.n)
	count := make([]float64, p.n)
	for v, b := range p.block {
		w := 1.0
		if !p.isDummy(int32(v)) {
			w = 6
		}
		p.at[b] += p.x[v] * w
		count[b] += w
	}
	for b := range p.at {
		p.at[b] /= count[b]
	}
	p.project()
	for _, q := range p.links {
		if a, b := p.block[q.a], p.block[q.b]; a != b {
			p.pulls = append(p.pulls, pull{a, b, q.onA, q.onB})
		}
	}
	m := len(p.pulls)
	p.touch = newAdjacency(p.n, 2*m, func(i int) (int32, int32) {
		if i < m {
			return p.pulls[i].a, int32(i)
		}
		return p.pulls[i-m].b, int32(i - m)
	})
}

// project moves the blocks so that all separations hold and little else changes.
func (p *positioner) project() {
	right, left := slices.Clone(p.at), slices.Clone(p.at)
	for _, b := range p.order {
		for _, s := range p.seps[p.first[b]:p.first[b+1]] {
			right[s.to] = max(right[s.to], right[b]+s.dist)
		}
	}
	for i := len(p.order) - 1; i >= 0; i-- {
		b := p.order[i]
		for _, s := range p.seps[p.first[b]:p.first[b+1]] {
			left[b] = min(left[b], left[s.to]-s.dist)
		}
	}
	for b := range p.at {
		p.at[b] = (right[b] + left[b]) / 2
	}
}

// settle moves single blocks to the weighted median of their neighbours as far as their free room goes, which makes as many
// segments as possible exactly vertical.
func (p *positioner) settle() {
	var near []pullTo
	rounds := min(max(8_000_000/(len(p.seps)*2+len(p.pulls)*4+1), 2), 12)
	for round := range rounds {
		for i := range p.order {
			b := p.order[i]
			if round%2 == 1 {
				b = p.order[len(p.order)-1-i]
			}
			near = near[:0]
			for _, q := range p.touch.of(b) {
				if pl := p.pulls[q]; pl.a == b {
					near = append(near, pullTo{p.at[pl.b], pl.onA})
				} else {
					near = append(near, pullTo{p.at[pl.a], pl.onB})
				}
			}
			if len(near) == 0 {
				continue
			}
			lo, hi := math.Inf(-1), math.Inf(1)
			for _, s := range p.back.of(b) {
				lo = max(lo, p.at[p.seps[s].from]+p.seps[s].dist)
			}
			for _, s := range p.seps[p.first[b]:p.first[b+1]] {
				hi = min(hi, p.at[s.to]-s.dist)
			}
			if lo <= hi {
				p.at[b] = min(max(median(near, p.at[b]), lo), hi)
			}
		}
	}
}

// pullTo is a wished place and its weight.
type pullTo struct{ at, weight float64 }

// median returns the weighted median of near, or now where a whole interval is equally good and holds it.
func median(near []pullTo, now float64) float64 {
	slices.SortFunc(near, func(a, b pullTo) int { return cmp.Compare(a.at, b.at) })
	total := 0.0
	for _, q := range near {
		total += q.weight
	}
	sum := 0.0
	for i, q := range near {
		sum += q.weight
		if sum*2 == total && i+1 < len(near) {
			return min(max(now, q.at), near[i+1].at)
		}
		if sum*2 > total {
			return q.at
		}
	}
	return now
}
