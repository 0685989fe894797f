package render

import (
	"cmp"
	"math"
	"slices"
)

// assignY stacks the layers. A gap over which arcs run far sideways becomes higher, so that they do not lie flat.
func (c *component) assignY(heights []float64, gap float64) {
	n := len(c.layers)
	c.layerY, c.layerH = make([]float64, n), make([]float64, n)
	for v, h := range heights {
		k := c.rank[v]
		c.layerH[k] = max(c.layerH[k], h)
	}
	flat := make([]float64, n) // mean sideways run of the arcs below each layer
	count := make([]float64, n)
	for _, ch := range c.chains {
		for j := 1; j < len(ch); j++ {
			if dx := math.Abs(c.x[ch[j-1]] - c.x[ch[j]]); dx > 1 {
				flat[c.layer[ch[j-1]]] += dx
				count[c.layer[ch[j-1]]]++
			}
		}
	}
	y := 0.0
	for k := range n {
		c.layerY[k] = y
		y += c.layerH[k] + gap
		if count[k] > 0 {
			y += min(flat[k]/count[k]*0.10+count[k]*0.35, gap*1.3)
		}
	}
	c.height = c.layerY[n-1] + c.layerH[n-1]
}

// arrow returns length and half width of the arrowhead on a line of the given width.
func arrow(lineWidth float64) (length, half float64) { return 6 + 1.1*lineWidth, 2.6 + 0.9*lineWidth }

// lineWidth returns the width in px of an edge of weight w (0..1).
func lineWidth(w float64) float64 { return 1.1 + 4.6*math.Pow(clamp01(w), 0.62) }

// ports holds for each arc where it leaves its upper node and where it enters its lower one (x, px).
type ports struct{ out, in []float64 }

// assignPorts spreads the arcs of a node over its lower and its upper border, in the order of their other ends. An arc whose
// ends can be joined by a vertical line gets one; the arc aligned with the node's axis keeps the axis.
func (c *component) assignPorts() ports {
	p := ports{make([]float64, len(c.arcs)), make([]float64, len(c.arcs))}
	byTail := newAdjacency(len(c.nodes), len(c.arcs), func(i int) (int32, int32) { return c.arcs[i].tail, int32(i) })
	byHead := newAdjacency(len(c.nodes), len(c.arcs), func(i int) (int32, int32) { return c.arcs[i].head, int32(i) })
	for v := range int32(len(c.nodes)) {
		c.spread(v, byTail.of(v), p.out, func(i int32) int32 { return c.chains[i][1] })
		c.spread(v, byHead.of(v), p.in, func(i int32) int32 { ch := c.chains[i]; return ch[len(ch)-2] })
	}
	return p
}

// spread places the arcs that meet one border of v; next is the vertex an arc goes to from there.
func (c *component) spread(v int32, arcs []int32, port []float64, next func(i int32) int32) {
	if len(arcs) == 0 {
		return
	}
	slices.SortStableFunc(arcs, func(a, b int32) int { return cmp.Compare(c.pos[next(a)], c.pos[next(b)]) })
	const margin = 9
	boxHalf := min(c.left[v], c.right[v])
	half := max(boxHalf-margin, 0)
	step := min(11, 2*half/float64(max(len(arcs)-1, 1)))
	right, left := make([]float64, len(arcs)), make([]float64, len(arcs))
	fixed := -1
	for k, i := range arcs {
		u := next(i)
		d := c.x[u] - c.x[v]
		want := min(max(d*0.25, -half*0.75), half*0.75)
		uHalf := 0.0
		if !c.isDummy(u) {
			uHalf = max(min(c.left[u], c.right[u])-margin, 0)
		}
		if math.Abs(d) <= half+uHalf { // both borders share this stretch: meet in its middle, axis first
			lo, hi := max(-half, d-uHalf), min(half, d+uHalf)
			want = min(max(d*half/max(half+uHalf, 1e-9), lo), hi)
		}
		if math.Abs(d) < 0.5 && (fixed < 0 || c.arcs[i].weight > c.arcs[arcs[fixed]].weight) {
			fixed = k
			want = 0
		}
		right[k], left[k] = want, want
	}
	for k := 1; k < len(arcs); k++ {
		right[k] = max(right[k], right[k-1]+step)
		j := len(arcs) - 1 - k
		left[j] = min(left[j], left[j+1]-step)
	}
	for k, i := range arcs {
		at := (right[k] + left[k]) / 2
		if fixed >= 0 && k < fixed {
			at = min(at, -step*float64(fixed-k))
		}
		if fixed >= 0 && k > fixed {
			at = max(at, step*float64(k-fixed))
		}
		if k == fixed {
			at = 0
		}
		port[i] = c.x[v] + min(max(at, -half), half)
	}
}

// route draws all arcs of the component: vertical through the layers, curved between them. Nothing but a node or a dummy's
// reserved slot lies in the way of a vertical part, and the gaps between layers hold no nodes, so no edge cuts a box.
func (c *component) route(heights []float64, routes []Route) {
	p := c.assignPorts()
	for i, a := range c.arcs {
		ch := c.chains[i]
		length, _ := arrow(lineWidth(a.weight))
		start := Point{p.out[i], c.nodeBottom(a.tail, heights)}
		end := Point{p.in[i], c.nodeTop(a.head, heights)}
		b := pathBuilder{}
		from, to := start, end
		if a.reversed {
			from.Y += length
		} else {
			to.Y -= length
		}
		b.move(from)
		b.line(Point{from.X, max(from.Y, c.layerY[c.rank[a.tail]]+c.layerH[c.rank[a.tail]])})
		for _, v := range ch[1 : len(ch)-1] {
			k := c.layer[v]
			b.curve(Point{c.x[v], c.layerY[k]})
			b.line(Point{c.x[v], c.layerY[k] + c.layerH[k]})
		}
		b.curve(Point{to.X, min(to.Y, c.layerY[c.rank[a.head]])})
		b.line(to)
		r := Route{Start: start, End: end, Path: b.path, Reversed: a.reversed}
		if a.reversed {
			r.Start, r.End = end, start
			r.Path = reversePath(b.path)
		}
		routes[a.edge] = r
	}
}

func (c *component) nodeTop(v int32, heights []float64) float64 {
	k := c.rank[v]
	return c.layerY[k] + (c.layerH[k]-heights[v])/2
}

func (c *component) nodeBottom(v int32, heights []float64) float64 {
	return c.nodeTop(v, heights) + heights[v]
}

// pathBuilder makes a path of vertical lines and of curves that start and end vertically.
type pathBuilder struct {
	path []Segment
	at   Point
}

func (b *pathBuilder) move(p Point) {
	b.path = append(b.path, Segment{Op: MoveTo, P: [3]Point{p}})
	b.at = p
}

// line goes straight down to p and joins with a straight part before it.
func (b *pathBuilder) line(p Point) {
	if math.Abs(p.Y-b.at.Y) < 0.01 {
		return
	}
	if last := len(b.path) - 1; b.path[last].Op == LineTo {
		b.path[last].P[0] = p
	} else {
		b.path = append(b.path, Segment{Op: LineTo, P: [3]Point{p}})
	}
	b.at = p
}

// curve goes to p in one S with vertical ends, or straight where p is right below.
func (b *pathBuilder) curve(p Point) {
	if math.Abs(p.X-b.at.X) < 0.3 {
		b.line(p)
		return
	}
	h := (p.Y - b.at.Y) * 0.55
	b.path = append(b.path, Segment{Op: CubicTo, P: [3]Point{{b.at.X, b.at.Y + h}, {p.X, p.Y - h}, p}})
	b.at = p
}

// reversePath returns the path walked from its end to its start.
func reversePath(path []Segment) []Segment {
	end := func(i int) Point {
		if path[i].Op == CubicTo {
			return path[i].P[2]
		}
		return path[i].P[0]
	}
	out := []Segment{{Op: MoveTo, P: [3]Point{end(len(path) - 1)}}}
	for i := len(path) - 1; i > 0; i-- {
		s := Segment{Op: path[i].Op, P: [3]Point{end(i - 1)}}
		if s.Op == CubicTo {
			s.P = [3]Point{path[i].P[1], path[i].P[0], end(i - 1)}
		}
		out = append(out, s)
	}
	return out
}

// loopRoute draws self loop number nth (from 0) of a box on its right side.
func loopRoute(box Rect, nth int, width float64) Route {
	length, _ := arrow(width)
	mid := box.Y + box.H/2
	spread := min(box.H/2-3, 9)
	x := box.X + box.W
	start, end := Point{x, mid - spread}, Point{x, mid + spread}
	out := x + loopReach(nth)*1.2 // a cubic reaches three quarters of the way to its control points
	path := []Segment{
		{Op: MoveTo, P: [3]Point{start}},
		{Op: CubicTo, P: [3]Point{{out, start.Y - 4}, {out, end.Y + 4}, {x + length, end.Y}}},
	}
	return Route{Start: start, End: end, Path: path}
}

// loopReach is how far self loop number nth goes out of its box, px.
func loopReach(nth int) float64 { return 24 + 9*float64(min(nth, 6)) }

// translate moves a route.
func (r *Route) translate(dx, dy float64) {
	move := func(p *Point) { p.X += dx; p.Y += dy }
	move(&r.Start)
	move(&r.End)
	for i := range r.Path {
		for j := range r.Path[i].P {
			move(&r.Path[i].P[j])
		}
	}
}
