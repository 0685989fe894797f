package render

import (
	"cmp"
	"slices"
)

// maxDummies bounds the vertices that long arcs of one component are cut into, and with them time and memory.
const maxDummies = 300_000

// expand cuts arcs that span several layers into chains of dummies and builds the layers. The arcs that would take the
// number of dummies over maxDummies, longest first, are left out and listed in hidden.
func (c *component) expand(left, right []float64, lineWidth func(w float64) float64) {
	c.dropLongest()
	n := len(c.nodes)
	c.layer = slices.Clone(c.rank)
	c.left, c.right = slices.Clone(left), slices.Clone(right)
	c.chains = make([][]int32, len(c.arcs))
	for i, a := range c.arcs {
		chain := make([]int32, 0, c.rank[a.head]-c.rank[a.tail]+1)
		chain = append(chain, a.tail)
		for k := c.rank[a.tail] + 1; k < c.rank[a.head]; k++ {
			chain = append(chain, int32(len(c.layer)))
			half := lineWidth(a.weight) / 2
			c.layer = append(c.layer, k)
			c.left, c.right = append(c.left, half), append(c.right, half)
		}
		c.chains[i] = append(chain, a.head)
	}
	depth := int32(0)
	for _, k := range c.rank {
		depth = max(depth, k)
	}
	type link struct{ up, down int32 }
	var links []link
	for _, ch := range c.chains {
		for j := 1; j < len(ch); j++ {
			links = append(links, link{ch[j-1], ch[j]})
		}
	}
	total := len(c.layer)
	c.down = newAdjacency(total, len(links), func(i int) (int32, int32) { return links[i].up, links[i].down })
	c.up = newAdjacency(total, len(links), func(i int) (int32, int32) { return links[i].down, links[i].up })
	c.layers = make([][]int32, depth+1)
	c.pos = make([]int32, total)
	c.firstOrder(n, true)
}

// dropLongest keeps the number of dummies under maxDummies.
func (c *component) dropLongest() {
	span := func(a arc) int { return int(c.rank[a.head] - c.rank[a.tail]) }
	dummies := 0
	for _, a := range c.arcs {
		dummies += span(a) - 1
	}
	if dummies <= maxDummies {
		return
	}
	byLength := make([]int, len(c.arcs))
	for i := range byLength {
		byLength[i] = i
	}
	slices.SortStableFunc(byLength, func(i, j int) int { return cmp.Compare(span(c.arcs[j]), span(c.arcs[i])) })
	drop := make([]bool, len(c.arcs))
	for _, i := range byLength {
		if dummies <= maxDummies {
			break
		}
		dummies -= span(c.arcs[i]) - 1
		drop[i] = true
	}
	kept := c.arcs[:0:0]
	for i, a := range c.arcs {
		if drop[i] {
			c.hidden = append(c.hidden, a.edge)
		} else {
			kept = append(kept, a)
		}
	}
	c.arcs = kept
}

// firstOrder fills the layers in the order of a depth-first walk from the top, so that a subtree starts as one block. With
// outside set, long arcs of a node go around its short ones: a fan of leaves in several layers then fills the space under
// the first of them.
func (c *component) firstOrder(n int, outside bool) {
	for k := range c.layers {
		c.layers[k] = nil
	}
	seen := make([]bool, len(c.layer))
	reach := slices.Clone(c.layer) // where the arc through a dummy ends
	for _, ch := range c.chains {
		if len(ch) > 2 {
			reach[ch[1]] = c.layer[ch[len(ch)-1]]
		}
	}
	var kids []int32
	starts := make([]int32, n)
	for i := range starts {
		starts[i] = int32(i)
	}
	slices.SortStableFunc(starts, func(a, b int32) int { return cmp.Compare(c.rank[a], c.rank[b]) })
	var stack []int32
	for _, s := range starts {
		if seen[s] {
			continue
		}
		seen[s] = true
		stack = append(stack[:0], s)
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			k := c.layer[v]
			c.pos[v] = int32(len(c.layers[k]))
			c.layers[k] = append(c.layers[k], v)
			kids = append(kids[:0], c.down.of(v)...)
			if outside {
				longOutside(kids, reach)
			}
			for _, u := range kids {
				if !seen[u] {
					seen[u] = true
					stack = append(stack, u)
				}
			}
		}
	}
}

// longOutside reorders vertices in place so that reach rises from the middle to both ends.
func longOutside(list, reach []int32) {
	slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(reach[b], reach[a]) })
	sorted := slices.Clone(list)
	for i, v := range sorted {
		if i%2 == 0 {
			list[i/2] = v
		} else {
			list[len(list)-1-i/2] = v
		}
	}
}

// orderer reduces crossings by sweeps of barycentres and by swapping neighbours, and keeps the best order it met.
//
// Source: Gansner et al. 1993, section 3; crossings are counted with a Fenwick tree after Barth, Jünger and Mutzel,
// "Simple and Efficient Bilayer Cross Counting", GD 2002.
type orderer struct {
	*component
	tree []int32 // Fenwick tree of the counting
	keys []orderKey
	near [2][]int32
}

// orderKey is a vertex and the place it would like in its layer; tie orders equals.
type orderKey struct {
	at     float64
	v, tie int32
}

// maxTwoStarts is the number of links up to which two first orders are tried.
const maxTwoStarts = 8_000

// reduceCrossings orders the vertices of each layer and counts the crossings that are left. The outcome depends on the
// first order by chance, so the better of two is taken where that is cheap.
func (c *component) reduceCrossings() {
	o := &orderer{component: c}
	widest := 0
	for _, l := range c.layers {
		widest = max(widest, len(l))
	}
	o.tree = make([]int32, widest+2)
	best, count := o.improve()
	if count > 0 && len(c.down.list) <= maxTwoStarts {
		c.firstOrder(len(c.nodes), false)
		if other, n := o.improve(); n < count {
			best, count = other, n
		}
	}
	c.restore(best)
	c.crossings = count
}

// improve sweeps from the present order and returns the best order met and its crossings.
func (o *orderer) improve() ([][]int32, int) {
	links := len(o.down.list)
	sweeps := min(max(2_400_000/(links+1), 5), 32)
	swaps := 3
	if links > 60_000 {
		swaps = 1
	}
	best, bestCount := o.snapshot(), o.countAll()
	for i, idle := 0, 0; i < sweeps && idle < 8 && bestCount > 0; i++ {
		o.sweep(i%2 == 0, i%4 >= 2)
		for range swaps {
			if !o.transpose() {
				break
			}
		}
		if n := o.countAll(); n < bestCount {
			best, bestCount, idle = o.snapshot(), n, 0
		} else {
			idle++
		}
	}
	return best, bestCount
}

// snapshot copies the order of all layers.
func (c *component) snapshot() [][]int32 {
	out := make([][]int32, len(c.layers))
	for i, l := range c.layers {
		out[i] = slices.Clone(l)
	}
	return out
}

// restore takes an order back.
func (c *component) restore(layers [][]int32) {
	c.layers = layers
	for _, l := range layers {
		for i, v := range l {
			c.pos[v] = int32(i)
		}
	}
}

// sweep orders each layer by the mean place of the neighbours in the layer before it, downwards or upwards. Vertices
// without such neighbours keep their place. flip puts equals in the opposite order.
func (o *orderer) sweep(downwards, flip bool) {
	n := len(o.layers)
	for i := 1; i < n; i++ {
		k, near := i, o.up
		if !downwards {
			k, near = n-1-i, o.down
		}
		l := o.layers[k]
		o.keys = o.keys[:0]
		for _, v := range l {
			nb := near.of(v)
			if len(nb) == 0 {
				continue
			}
			sum := 0
			for _, u := range nb {
				sum += int(o.pos[u])
			}
			tie := int32(len(o.keys))
			if flip {
				tie = -tie
			}
			o.keys = append(o.keys, orderKey{float64(sum) / float64(len(nb)), v, tie})
		}
		slices.SortFunc(o.keys, func(a, b orderKey) int {
			switch {
			case a.at < b.at:
				return -1
			case a.at > b.at:
				return 1
			}
			return int(a.tie - b.tie)
		})
		next := 0
		for j, v := range l {
			if len(near.of(v)) == 0 {
				continue
			}
			l[j] = o.keys[next].v
			next++
		}
		for j, v := range l {
			o.pos[v] = int32(j)
		}
	}
}

// transpose swaps neighbours in a layer where that saves crossings and reports whether it did.
func (o *orderer) transpose() bool {
	better := false
	for _, l := range o.layers {
		for i := 0; i+1 < len(l); i++ {
			v, w := l[i], l[i+1]
			if o.gain(v, w, o.up)+o.gain(v, w, o.down) > 0 {
				l[i], l[i+1] = w, v
				o.pos[v], o.pos[w] = int32(i+1), int32(i)
				better = true
			}
		}
	}
	return better
}

// gain returns the crossings saved between arcs of v and arcs of w, its right neighbour, if the two change places.
func (o *orderer) gain(v, w int32, near adjacency) int {
	nv, nw := near.of(v), near.of(w)
	if len(nv) == 0 || len(nw) == 0 {
		return 0
	}
	if len(nv) == 1 && len(nw) == 1 { // two dummies, mostly
		return cmp.Compare(o.pos[nv[0]], o.pos[nw[0]])
	}
	a, b := o.places(nv, 0), o.places(nw, 1)
	gain, lo, le := 0, 0, 0
	for _, p := range a { // b[:lo] < p, b[:le] <= p
		for lo < len(b) && b[lo] < p {
			lo++
		}
		for le < len(b) && b[le] <= p {
			le++
		}
		gain += lo - (len(b) - le)
	}
	return gain
}

// places returns the sorted places of neighbours in scratch space number slot.
func (o *orderer) places(nb []int32, slot int) []int32 {
	s := o.near[slot][:0]
	for _, u := range nb {
		s = append(s, o.pos[u])
	}
	if len(s) > 1 {
		slices.Sort(s)
	}
	o.near[slot] = s
	return s
}

// countAll counts the crossings between all neighbouring layers.
func (o *orderer) countAll() int {
	total := 0
	for k := 0; k+1 < len(o.layers); k++ {
		width := int32(len(o.layers[k+1]))
		tree := o.tree[:width+1]
		clear(tree)
		seen := 0
		for _, v := range o.layers[k] {
			nb := o.places(o.down.of(v), 0)
			for _, p := range nb { // crossings with earlier arcs that end further right
				left := 0
				for i := p + 1; i > 0; i -= i & -i {
					left += int(tree[i])
				}
				total += seen - left
			}
			for _, p := range nb {
				for i := p + 1; i <= width; i += i & -i {
					tree[i]++
				}
			}
			seen += len(nb)
		}
	}
	return total
}
