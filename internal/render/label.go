package render

import "math"

// cellSize is the edge of one cell of the label placer's grids, px.
const cellSize = 7

// labeler finds places for edge labels: never on a box, never on another label, and on as few lines as possible. It keeps
// a raster of what is taken instead of comparing all pairs.
type labeler struct {
	w, h  int
	solid []bool   // boxes and placed labels
	lines []uint16 // edges that pass through the cell

	points []Point // scratch of place
}

// maxCells bounds the raster; on a larger drawing labels are left to the tooltips.
const maxCells = 12_000_000

func newLabeler(width, height float64) *labeler {
	l := &labeler{w: int(width/cellSize) + 2, h: int(height/cellSize) + 2}
	if l.w*l.h > maxCells || l.w <= 0 || l.h <= 0 {
		return nil
	}
	l.solid, l.lines = make([]bool, l.w*l.h), make([]uint16, l.w*l.h)
	return l
}

// cells calls f with the index of each cell that r touches until f says false; cells outside count as solid (-1).
func (l *labeler) cells(r Rect, f func(i int) bool) {
	x0, x1 := int(math.Floor(r.X/cellSize)), int(math.Floor((r.X+r.W)/cellSize))
	y0, y1 := int(math.Floor(r.Y/cellSize)), int(math.Floor((r.Y+r.H)/cellSize))
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			i := -1
			if x >= 0 && y >= 0 && x < l.w && y < l.h {
				i = y*l.w + x
			}
			if !f(i) {
				return
			}
		}
	}
}

// block marks a rectangle as taken.
func (l *labeler) block(r Rect) {
	l.cells(r, func(i int) bool {
		if i >= 0 {
			l.solid[i] = true
		}
		return true
	})
}

// addEdge counts an edge in each cell it passes.
func (l *labeler) addEdge(path []Segment) {
	last := -1
	walkPath(path, cellSize*0.8, func(p Point) {
		x, y := int(p.X/cellSize), int(p.Y/cellSize)
		if x < 0 || y < 0 || x >= l.w || y >= l.h {
			return
		}
		if i := y*l.w + x; i != last {
			last = i
			l.lines[i]++
		}
	})
}

// place returns where the label of an edge with this course goes (w x h px), or false when there is no room.
func (l *labeler) place(path []Segment, w, h, lineWidth float64) (Rect, bool) {
	const tries = 50
	long := pathLength(path)
	step := max(long/tries, 8)
	l.points = l.points[:0]
	walkPath(path, step, func(p Point) { l.points = append(l.points, p) })
	pts := l.points
	best, bestCost := Rect{}, math.Inf(1)
	for i := 1; i < len(pts)-1; i++ {
		t := float64(i) / float64(len(pts)-1)
		p := pts[i]
		bias := 10*math.Abs(t-0.5) + 0.04*step*float64(min(i, len(pts)-i)) // the middle, but near an end on a long edge
		off := lineWidth/2 + 3
		for side, r := range [3]Rect{{p.X + off, p.Y - h/2, w, h}, {p.X - off - w, p.Y - h/2, w, h}, {p.X - w/2, p.Y - h/2, w, h}} {
			cost := bias + float64(side)*1.2
			free := true
			l.cells(r, func(c int) bool {
				if c < 0 || l.solid[c] {
					free = false
					return false
				}
				cost += 1.5 * float64(l.lines[c])
				return cost < bestCost
			})
			if free && cost < bestCost {
				best, bestCost = r, cost
			}
		}
	}
	if math.IsInf(bestCost, 1) {
		return Rect{}, false
	}
	l.block(best)
	return best, true
}

// pathLength returns about how long a path is, px.
func pathLength(path []Segment) float64 {
	long := 0.0
	var at Point
	for _, s := range path {
		end := s.P[0]
		if s.Op == CubicTo {
			end = s.P[2]
		}
		if s.Op == LineTo || s.Op == CubicTo {
			long += math.Abs(end.X-at.X) + math.Abs(end.Y-at.Y)
		}
		at = end
	}
	return long
}

// walkPath calls f with points along the path, at most step px apart, from its start to its end.
func walkPath(path []Segment, step float64, f func(p Point)) {
	var at Point
	for _, s := range path {
		switch s.Op {
		case MoveTo:
			at = s.P[0]
			f(at)
		case LineTo:
			n := int(math.Hypot(s.P[0].X-at.X, s.P[0].Y-at.Y)/step) + 1
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				f(Point{at.X + (s.P[0].X-at.X)*t, at.Y + (s.P[0].Y-at.Y)*t})
			}
			at = s.P[0]
		case CubicTo:
			long := math.Hypot(s.P[0].X-at.X, s.P[0].Y-at.Y) + math.Hypot(s.P[1].X-s.P[0].X, s.P[1].Y-s.P[0].Y) +
				math.Hypot(s.P[2].X-s.P[1].X, s.P[2].Y-s.P[1].Y)
			n := int(long/step) + 1
			for i := 1; i <= n; i++ {
				f(bezierAt(at, s.P[0], s.P[1], s.P[2], float64(i)/float64(n)))
			}
			at = s.P[2]
		}
	}
}
