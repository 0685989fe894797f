package render

import "encoding/binary"

// trueType reads glyph widths and outlines from one of the embedded Go fonts. It knows just what those files use: a format 4
// character map, glyf outlines, no hinting. It is read-only after parseTrueType and trusts its input, which is compiled in.
// x/image/font/opentype reads any font, but brings golang.org/x/text and its tables along for it.
//
// Format: https://learn.microsoft.com/typography/opentype/spec/otff
type trueType struct {
	glyf, loca, hmtx, cmap []byte
	unitsPerEm             float64
	longLoca               bool
	hMetrics               int // entries of hmtx that carry an advance
}

// glyphPoint is one point of a contour in em, y upwards.
type glyphPoint struct {
	x, y float64
	on   bool // on the curve; otherwise the control point of a quadratic
}

// parseTrueType finds the tables of a font file.
func parseTrueType(b []byte) *trueType {
	t := &trueType{}
	var head, hhea []byte
	u32 := binary.BigEndian.Uint32
	for i := range int(binary.BigEndian.Uint16(b[4:])) {
		rec := b[12+16*i:]
		data := b[u32(rec[8:]):][:u32(rec[12:])]
		switch string(rec[:4]) {
		case "glyf":
			t.glyf = data
		case "loca":
			t.loca = data
		case "hmtx":
			t.hmtx = data
		case "head":
			head = data
		case "hhea":
			hhea = data
		case "cmap":
			t.cmap = charMap(data)
		}
	}
	t.unitsPerEm = float64(binary.BigEndian.Uint16(head[18:]))
	t.longLoca = binary.BigEndian.Uint16(head[50:]) != 0
	t.hMetrics = int(binary.BigEndian.Uint16(hhea[34:]))
	return t
}

// charMap returns the format 4 subtable of a cmap table (Windows, Unicode BMP), or nil.
func charMap(b []byte) []byte {
	for i := range int(binary.BigEndian.Uint16(b[2:])) {
		rec := b[4+8*i:]
		sub := b[binary.BigEndian.Uint32(rec[4:]):]
		if binary.BigEndian.Uint16(rec) == 3 && binary.BigEndian.Uint16(sub) == 4 {
			return sub
		}
	}
	return nil
}

// glyph returns the glyph number of r, 0 where the font has none.
func (t *trueType) glyph(r rune) int {
	if r > 0xffff || t.cmap == nil {
		return 0
	}
	u16 := func(off int) int { return int(binary.BigEndian.Uint16(t.cmap[off:])) }
	segX2 := u16(6)
	lo, hi := 0, segX2/2-1
	for lo < hi { // first segment whose end is >= r
		if mid := (lo + hi) / 2; u16(14+2*mid) < int(r) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	end, start := 14+2*lo, 16+segX2+2*lo
	if u16(end) < int(r) || u16(start) > int(r) {
		return 0
	}
	delta, rangeOff := start+segX2, start+2*segX2
	if u16(rangeOff) == 0 {
		return (int(r) + u16(delta)) & 0xffff
	}
	g := u16(rangeOff + u16(rangeOff) + 2*(int(r)-u16(start)))
	if g == 0 {
		return 0
	}
	return (g + u16(delta)) & 0xffff
}

// advance returns the advance width of a glyph in em.
func (t *trueType) advance(g int) float64 {
	g = min(g, t.hMetrics-1)
	return float64(binary.BigEndian.Uint16(t.hmtx[4*g:])) / t.unitsPerEm
}

// outline returns the closed contours of a glyph.
func (t *trueType) outline(g int) [][]glyphPoint { return t.contours(g, 0) }

// data returns the glyf entry of a glyph, empty for a blank.
func (t *trueType) data(g int) []byte {
	if t.longLoca {
		return t.glyf[binary.BigEndian.Uint32(t.loca[4*g:]):binary.BigEndian.Uint32(t.loca[4*g+4:])]
	}
	return t.glyf[2*int(binary.BigEndian.Uint16(t.loca[2*g:])) : 2*int(binary.BigEndian.Uint16(t.loca[2*g+2:]))]
}

// contours reads a simple glyph, or the parts of a composite one (an accented letter).
func (t *trueType) contours(g, depth int) [][]glyphPoint {
	b := t.data(g)
	if len(b) == 0 || depth > 4 {
		return nil
	}
	if n := int(int16(binary.BigEndian.Uint16(b))); n >= 0 {
		return t.simple(b[10:], n)
	}
	return t.composite(b[10:], depth)
}

// The flags of a point in a simple glyph and of a part in a composite one.
const (
	pointOn     = 1
	pointShortX = 2
	pointShortY = 4
	pointRepeat = 8
	pointSameX  = 16
	pointSameY  = 32

	partWords  = 1
	partXY     = 2
	partScale  = 8
	partMore   = 32
	partScales = 64
	partMatrix = 128
)

// simple decodes n contours: end indices, instructions (skipped), run-length coded flags, x deltas, y deltas.
func (t *trueType) simple(b []byte, n int) [][]glyphPoint {
	if n == 0 {
		return nil
	}
	ends := b[:2*n]
	b = b[2*n:]
	b = b[2+int(binary.BigEndian.Uint16(b)):]
	total := int(binary.BigEndian.Uint16(ends[2*n-2:])) + 1
	flags := make([]byte, 0, total)
	for len(flags) < total {
		f := b[0]
		b = b[1:]
		flags = append(flags, f)
		if f&pointRepeat != 0 {
			for range b[0] {
				flags = append(flags, f)
			}
			b = b[1:]
		}
	}
	coords := func(short, same byte) []float64 {
		out, v := make([]float64, total), 0
		for i, f := range flags[:total] {
			switch {
			case f&short != 0 && f&same != 0:
				v, b = v+int(b[0]), b[1:]
			case f&short != 0:
				v, b = v-int(b[0]), b[1:]
			case f&same == 0:
				v, b = v+int(int16(binary.BigEndian.Uint16(b))), b[2:]
			}
			out[i] = float64(v) / t.unitsPerEm
		}
		return out
	}
	xs := coords(pointShortX, pointSameX)
	ys := coords(pointShortY, pointSameY)
	out, start := make([][]glyphPoint, n), 0
	for c := range out {
		end := int(binary.BigEndian.Uint16(ends[2*c:])) + 1
		for i := start; i < end; i++ {
			out[c] = append(out[c], glyphPoint{xs[i], ys[i], flags[i]&pointOn != 0})
		}
		start = end
	}
	return out
}

// composite decodes the parts of a glyph; only moves are applied, the Go fonts scale no part.
func (t *trueType) composite(b []byte, depth int) [][]glyphPoint {
	var out [][]glyphPoint
	for {
		flags := binary.BigEndian.Uint16(b)
		part := t.contours(int(binary.BigEndian.Uint16(b[2:])), depth+1)
		b = b[4:]
		var dx, dy int
		if flags&partWords != 0 {
			dx, dy = int(int16(binary.BigEndian.Uint16(b))), int(int16(binary.BigEndian.Uint16(b[2:])))
			b = b[4:]
		} else {
			dx, dy = int(int8(b[0])), int(int8(b[1]))
			b = b[2:]
		}
		if flags&partXY == 0 {
			dx, dy = 0, 0
		}
		switch {
		case flags&partScale != 0:
			b = b[2:]
		case flags&partScales != 0:
			b = b[4:]
		case flags&partMatrix != 0:
			b = b[8:]
		}
		for _, c := range part {
			for i := range c {
				c[i].x += float64(dx) / t.unitsPerEm
				c[i].y += float64(dy) / t.unitsPerEm
			}
			out = append(out, c)
		}
		if flags&partMore == 0 {
			return out
		}
	}
}
