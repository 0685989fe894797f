package render

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/vector"
)

const (
	// MaxImagePixels bounds the area of a raster image: 40 million pixels, 160 MB while it is being drawn.
	MaxImagePixels = 40_000_000
	// MaxImageSide bounds width and height of a raster image, px; many viewers refuse larger ones.
	MaxImageSide = 16_384
)

// ImageOptions tunes WritePNG, WriteGIF and Rasterize.
type ImageOptions struct {
	Theme Theme   // ThemeAuto is light
	Scale float64 // image pixels per px of the drawing; 0: 2. Lowered where the image would exceed the limits
}

// WritePNG writes the drawing as a PNG image no larger than MaxImagePixels and MaxImageSide.
func WritePNG(w io.Writer, d *Drawing, o ImageOptions) error {
	enc := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := enc.Encode(w, Rasterize(d, o)); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}

// WriteGIF writes the drawing as a GIF image with the 256 colours the picture uses most.
func WriteGIF(w io.Writer, d *Drawing, o ImageOptions) error {
	if err := gif.Encode(w, reduceColors(Rasterize(d, o)), &gif.Options{NumColors: 256}); err != nil {
		return fmt.Errorf("write GIF: %w", err)
	}
	return nil
}

// ImageScale returns the scale that Rasterize uses for a drawing: the wanted one or the largest the limits allow.
func ImageScale(d *Drawing, want float64) float64 {
	if !(want > 0) || math.IsInf(want, 0) {
		want = 2
	}
	w, h := max(d.Width, 1), max(d.Height, 1)
	return min(want, (MaxImageSide-1)/w, (MaxImageSide-1)/h, math.Sqrt(MaxImagePixels/(w*h))*0.999)
}

// Rasterize draws the display list into an image.
func Rasterize(d *Drawing, o ImageOptions) *image.RGBA {
	scale := ImageScale(d, o.Scale)
	w, h := max(int(math.Ceil(d.Width*scale)), 1), max(int(math.Ceil(d.Height*scale)), 1)
	r := &rasterizer{img: image.NewRGBA(image.Rect(0, 0, w, h)), scale: scale, theme: o.Theme, faces: typefaces(), glyphs: map[glyphKey]*glyphMask{}}
	draw.Draw(r.img, r.img.Bounds(), image.NewUniform(rgba(paintPage(), o.Theme)), image.Point{}, draw.Src)
	for _, it := range d.Items {
		for _, sh := range it.Shapes {
			r.shape(sh)
		}
	}
	return r.img
}

// rgba converts a paint to a premultiplied colour.
func rgba(p Paint, t Theme) color.RGBA {
	r, g, b := p.at(t).rgb()
	a := clamp01(p.Alpha)
	return color.RGBA{uint8(float64(r)*a + 0.5), uint8(float64(g)*a + 0.5), uint8(float64(b)*a + 0.5), uint8(255*a + 0.5)}
}

// rasterizer paints shapes with anti-aliasing.
type rasterizer struct {
	img    *image.RGBA
	scale  float64
	theme  Theme
	faces  [3]*typeface
	vec    vector.Rasterizer
	glyphs map[glyphKey]*glyphMask
}

// glyphKey names one rendered glyph: sub is its horizontal place within a pixel, in quarters.
type glyphKey struct {
	font  Font
	glyph int
	size  float64
	sub   int
}

// glyphMask is the coverage of a glyph; at is its upper left corner relative to the pen, in pixels.
type glyphMask struct {
	mask *image.Alpha
	at   image.Point
}

func (r *rasterizer) shape(sh Shape) {
	switch sh.Kind {
	case ShapeText:
		r.text(sh)
		return
	case ShapeRect:
		sh.Path = roundRect(sh.Rect, sh.Radius)
	}
	lines := r.flatten(sh.Path)
	if sh.Fill.visible() {
		r.fill(lines, sh.Fill)
	}
	if sh.Stroke.visible() && sh.StrokeWidth > 0 {
		half := max(sh.StrokeWidth*r.scale, 0.4) / 2
		for _, l := range lines {
			for _, part := range dash(l, sh.Dash[0]*r.scale, sh.Dash[1]*r.scale) {
				for _, run := range shortRuns(part) {
					r.fill(strokeOutline(run, half), sh.Stroke)
				}
			}
		}
	}
}

// flatten turns a path into polylines in image pixels; a closed one ends where it starts.
func (r *rasterizer) flatten(path []Segment) [][]Point {
	var out [][]Point
	var line []Point
	var at Point
	px := func(p Point) Point { return Point{p.X * r.scale, p.Y * r.scale} }
	for _, s := range path {
		switch s.Op {
		case MoveTo:
			if len(line) > 1 {
				out = append(out, line)
			}
			at = s.P[0]
			line = []Point{px(at)}
		case LineTo:
			at = s.P[0]
			line = append(line, px(at))
		case CubicTo:
			long := math.Hypot(s.P[0].X-at.X, s.P[0].Y-at.Y) + math.Hypot(s.P[1].X-s.P[0].X, s.P[1].Y-s.P[0].Y) +
				math.Hypot(s.P[2].X-s.P[1].X, s.P[2].Y-s.P[1].Y)
			n := min(max(int(math.Sqrt(long*r.scale)*1.6), 4), 96)
			for i := 1; i <= n; i++ {
				line = append(line, px(bezierAt(at, s.P[0], s.P[1], s.P[2], float64(i)/float64(n))))
			}
			at = s.P[2]
		case ClosePath:
			if len(line) > 0 {
				line = append(line, line[0])
			}
		}
	}
	if len(line) > 1 {
		out = append(out, line)
	}
	return out
}

// fill paints polygons, non-zero, within their own bounds.
func (r *rasterizer) fill(polys [][]Point, p Paint) {
	if len(polys) == 0 {
		return
	}
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, poly := range polys {
		for _, q := range poly {
			lo, hi = Point{min(lo.X, q.X), min(lo.Y, q.Y)}, Point{max(hi.X, q.X), max(hi.Y, q.Y)}
		}
	}
	b := image.Rect(int(math.Floor(lo.X)), int(math.Floor(lo.Y)), int(math.Ceil(hi.X)), int(math.Ceil(hi.Y))).Intersect(r.img.Bounds())
	if b.Empty() {
		return
	}
	src := image.NewUniform(rgba(p, r.theme))
	r.vec.Reset(b.Dx(), b.Dy())
	for _, poly := range polys {
		for i, q := range poly {
			x, y := float32(q.X)-float32(b.Min.X), float32(q.Y)-float32(b.Min.Y)
			if i == 0 {
				r.vec.MoveTo(x, y)
			} else {
				r.vec.LineTo(x, y)
			}
		}
		r.vec.ClosePath()
	}
	r.vec.Draw(r.img, b, src, image.Point{})
}

// text paints a line of text with the embedded fonts.
func (r *rasterizer) text(sh Shape) {
	face := r.faces[sh.Font]
	size := sh.Size * r.scale
	x, y := sh.Rect.X*r.scale, int(math.Round(sh.Rect.Y*r.scale))
	src := image.NewUniform(rgba(sh.Fill, r.theme))
	for _, c := range sh.Text {
		g := face.glyph(c)
		if g == 0 && c != ' ' {
			g = face.glyph('\u25a1') // a hollow square stands for what the font lacks
		}
		pen := math.Floor(x)
		m := r.glyph(face, glyphKey{sh.Font, g, size, int((x - pen) * 4)})
		if m.mask != nil {
			at := image.Pt(int(pen), y).Add(m.at)
			draw.DrawMask(r.img, m.mask.Bounds().Add(at), src, image.Point{}, m.mask, image.Point{}, draw.Over)
		}
		x += face.advance(g) * size
	}
}

// glyph renders a glyph once.
func (r *rasterizer) glyph(face *typeface, k glyphKey) *glyphMask {
	if m := r.glyphs[k]; m != nil {
		return m
	}
	m := &glyphMask{}
	r.glyphs[k] = m
	contours := face.outline(k.glyph)
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	shift := float64(k.sub) / 4
	at := func(p glyphPoint) Point { return Point{p.x*k.size + shift, -p.y * k.size} }
	for _, c := range contours {
		for _, p := range c {
			q := at(p)
			lo, hi = Point{min(lo.X, q.X), min(lo.Y, q.Y)}, Point{max(hi.X, q.X), max(hi.Y, q.Y)}
		}
	}
	if !(hi.X > lo.X) {
		return m
	}
	m.at = image.Pt(int(math.Floor(lo.X)), int(math.Floor(lo.Y)))
	w, h := int(math.Ceil(hi.X))-m.at.X+1, int(math.Ceil(hi.Y))-m.at.Y+1
	var vec vector.Rasterizer
	vec.Reset(w, h)
	for _, c := range contours {
		traceContour(&vec, c, func(p glyphPoint) (float32, float32) {
			q := at(p)
			return float32(q.X - float64(m.at.X)), float32(q.Y - float64(m.at.Y))
		})
	}
	m.mask = image.NewAlpha(image.Rect(0, 0, w, h))
	vec.Draw(m.mask, m.mask.Bounds(), image.Opaque, image.Point{})
	return m
}

// traceContour feeds a TrueType contour to the rasterizer: between two control points lies an implied point on the curve.
func traceContour(vec *vector.Rasterizer, c []glyphPoint, at func(glyphPoint) (float32, float32)) {
	if len(c) < 2 {
		return
	}
	mid := func(a, b glyphPoint) glyphPoint { return glyphPoint{(a.x + b.x) / 2, (a.y + b.y) / 2, true} }
	start := c[0]
	if !start.on {
		start = mid(c[len(c)-1], c[0])
	}
	vec.MoveTo(at(start))
	for i := range c {
		p, next := c[i], c[(i+1)%len(c)]
		switch {
		case p.on && i > 0:
			if c[i-1].on {
				vec.LineTo(at(p))
			}
		case !p.on:
			end := next
			if !next.on {
				end = mid(p, next)
			}
			cx, cy := at(p)
			ex, ey := at(end)
			vec.QuadTo(cx, cy, ex, ey)
		}
	}
	vec.ClosePath()
}
