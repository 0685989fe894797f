package render

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"
)

// roundRect returns the outline of a rectangle with rounded corners.
func roundRect(r Rect, radius float64) []Segment {
	radius = max(min(radius, r.W/2, r.H/2), 0)
	x0, y0, x1, y1 := r.X, r.Y, r.X+r.W, r.Y+r.H
	const k = 0.5523 // control point of a quarter circle
	c := radius * (1 - k)
	line := func(x, y float64) Segment { return Segment{Op: LineTo, P: [3]Point{{x, y}}} }
	curve := func(a, b, d Point) Segment { return Segment{Op: CubicTo, P: [3]Point{a, b, d}} }
	if radius == 0 {
		return []Segment{{Op: MoveTo, P: [3]Point{{x0, y0}}}, line(x1, y0), line(x1, y1), line(x0, y1), {Op: ClosePath}}
	}
	return []Segment{
		{Op: MoveTo, P: [3]Point{{x0 + radius, y0}}},
		line(x1-radius, y0), curve(Point{x1 - c, y0}, Point{x1, y0 + c}, Point{x1, y0 + radius}),
		line(x1, y1-radius), curve(Point{x1, y1 - c}, Point{x1 - c, y1}, Point{x1 - radius, y1}),
		line(x0+radius, y1), curve(Point{x0 + c, y1}, Point{x0, y1 - c}, Point{x0, y1 - radius}),
		line(x0, y0+radius), curve(Point{x0, y0 + c}, Point{x0 + c, y0}, Point{x0 + radius, y0}),
		{Op: ClosePath},
	}
}

// dash cuts a polyline into pieces of on px with gaps of off px; on 0 keeps it whole.
func dash(line []Point, on, off float64) [][]Point {
	if !(on > 0) || !(off > 0) {
		return [][]Point{line}
	}
	var out [][]Point
	cur := []Point{line[0]}
	drawing, left := true, on
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		long := math.Hypot(b.X-a.X, b.Y-a.Y)
		for long > left {
			t := left / long
			a = Point{a.X + (b.X-a.X)*t, a.Y + (b.Y-a.Y)*t}
			long -= left
			if drawing {
				out = append(out, append(cur, a))
				cur = nil
				left = off
			} else {
				cur = []Point{a}
				left = on
			}
			drawing = !drawing
		}
		left -= long
		if drawing {
			cur = append(cur, b)
		}
	}
	if drawing && len(cur) > 1 {
		out = append(out, cur)
	}
	return out
}

// shortRuns cuts an open polyline where its bounds become large, because painting costs the area of the bounds and a long
// diagonal would cost the whole image. The runs share one stretch, so no seam shows. A closed line stays whole.
func shortRuns(line []Point) [][]Point {
	const maxArea = 40_000
	n := len(line)
	if n < 4 || line[0] == line[n-1] {
		return [][]Point{line}
	}
	var out [][]Point
	start := 0
	lo, hi := line[0], line[0]
	for i := 1; i < n; i++ {
		p := line[i]
		lo, hi = Point{min(lo.X, p.X), min(lo.Y, p.Y)}, Point{max(hi.X, p.X), max(hi.Y, p.Y)}
		if (hi.X-lo.X)*(hi.Y-lo.Y) > maxArea && i-start >= 3 && i+1 < n {
			out = append(out, line[start:i+1])
			start = i - 1
			lo = Point{min(line[start].X, p.X), min(line[start].Y, p.Y)}
			hi = Point{max(line[start].X, p.X), max(line[start].Y, p.Y)}
		}
	}
	return append(out, line[start:])
}

// strokeOutline returns polygons that cover a polyline with a pen of half px on either side. An open line gives one polygon,
// a closed one an outer and an inner ring of opposite direction. Joins are mitred and cut off at sharp turns, which the
// smooth curves of a drawing do not have.
func strokeOutline(line []Point, half float64) [][]Point {
	line = dropRepeats(line)
	n := len(line)
	if n < 2 {
		return nil
	}
	closed := n > 3 && line[0] == line[n-1]
	var left, right []Point
	normal := func(a, b Point) Point {
		l := math.Hypot(b.X-a.X, b.Y-a.Y)
		return Point{-(b.Y - a.Y) / l, (b.X - a.X) / l}
	}
	for i, p := range line {
		var m Point
		switch {
		case i == 0 && closed, i == n-1 && closed:
			m = mitre(normal(line[n-2], line[n-1]), normal(line[0], line[1]))
		case i == 0:
			m = normal(line[0], line[1])
		case i == n-1:
			m = normal(line[n-2], line[n-1])
		default:
			m = mitre(normal(line[i-1], p), normal(p, line[i+1]))
		}
		left = append(left, Point{p.X + m.X*half, p.Y + m.Y*half})
		right = append(right, Point{p.X - m.X*half, p.Y - m.Y*half})
	}
	for i, j := 0, len(right)-1; i < j; i, j = i+1, j-1 {
		right[i], right[j] = right[j], right[i]
	}
	if closed {
		return [][]Point{left, right}
	}
	return [][]Point{append(left, right...)}
}

// mitre returns the offset of a join between two unit normals, at most 2.5 long.
func mitre(a, b Point) Point {
	m := Point{a.X + b.X, a.Y + b.Y}
	d := m.X*m.X + m.Y*m.Y
	if d < 0.32 {
		return b
	}
	return Point{m.X * 2 / d, m.Y * 2 / d}
}

// dropRepeats removes points that repeat the one before.
func dropRepeats(line []Point) []Point {
	out := line[:0:0]
	for _, p := range line {
		if len(out) == 0 || math.Abs(p.X-out[len(out)-1].X)+math.Abs(p.Y-out[len(out)-1].Y) > 1e-6 {
			out = append(out, p)
		}
	}
	if len(out) > 2 && line[0] == line[len(line)-1] {
		out[len(out)-1] = out[0]
	}
	return out
}

// reduceColors maps an image to the 256 colours it uses most, compared at five bits a channel.
func reduceColors(src *image.RGBA) *image.Paletted {
	const bins = 1 << 15
	key := func(r, g, b uint8) int { return int(r>>3)<<10 | int(g>>3)<<5 | int(b>>3) }
	count := make([]int, bins)
	first := make([]color.RGBA, bins)
	for i := 0; i+3 < len(src.Pix); i += 4 {
		k := key(src.Pix[i], src.Pix[i+1], src.Pix[i+2])
		if count[k] == 0 {
			first[k] = color.RGBA{src.Pix[i], src.Pix[i+1], src.Pix[i+2], 255}
		}
		count[k]++
	}
	palette := mostUsed(count, first)
	nearest := make([]int16, bins)
	for k := range nearest {
		nearest[k] = -1
	}
	out := image.NewPaletted(src.Bounds(), palette)
	for i := range out.Pix {
		p := src.Pix[4*i:]
		k := key(p[0], p[1], p[2])
		if nearest[k] < 0 {
			nearest[k] = int16(palette.Index(first[k]))
		}
		out.Pix[i] = uint8(nearest[k])
	}
	return out
}

// mostUsed picks at most 256 colours: those of the fullest bins, lower bins first among equals.
func mostUsed(count []int, first []color.RGBA) color.Palette {
	var used []int
	for k, n := range count {
		if n > 0 {
			used = append(used, k)
		}
	}
	slices.SortStableFunc(used, func(a, b int) int { return cmp.Compare(count[b], count[a]) })
	var out color.Palette
	for _, k := range used[:min(len(used), 256)] {
		out = append(out, first[k])
	}
	return out
}
