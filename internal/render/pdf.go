package render

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
)

// pxToPt converts CSS pixels to the points of PDF and PostScript.
const pxToPt = 0.75

// maxPDFSide is the largest page side that readers accept (200 inch), pt. A larger drawing is scaled down to it.
const maxPDFSide = 14_400.0

// PDFOptions tunes WritePDF and WritePS.
type PDFOptions struct {
	Theme Theme // ThemeAuto is light
}

// WritePDF writes the drawing as a PDF 1.4 document of one page that is as large as the drawing. Text is real text in the
// standard fonts Helvetica and Courier, so it can be selected and searched; characters outside Windows-1252 are replaced
// (arrows by "->" and so on, the rest by "?").
//
// File: header, catalog (1), page tree (2), page (3), contents (4, deflated), fonts (5-7), opacities (8..), info, xref.
func WritePDF(w io.Writer, d *Drawing, o PDFOptions) error {
	c := &pdfContent{theme: o.Theme, alphas: map[int]int{}}
	scale := min(pxToPt, maxPDFSide/max(d.Width, 1), maxPDFSide/max(d.Height, 1))
	width, height := max(d.Width, 1)*scale, max(d.Height, 1)*scale
	fmt.Fprintf(&c.b, "%s 0 0 %s 0 %s cm\n", fixed(scale), fixed(-scale), fixed(height)) // y grows downwards from here on
	c.shape(rectShape(Rect{0, 0, d.Width, d.Height}, 0, paintPage(), Paint{}, 0))
	for _, it := range d.Items {
		for _, sh := range it.Shapes {
			c.shape(sh)
		}
	}
	f := &pdfFile{}
	f.b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	f.object("<< /Type /Catalog /Pages 2 0 R >>")
	f.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	gs := ""
	for i := range c.alphaBy {
		gs += fmt.Sprintf(" /A%d %d 0 R", i, 8+i)
	}
	f.object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %s %s] /Contents 4 0 R /Resources << /Font << /F0 5 0 R /F1 6 0 R /F2 7 0 R >> /ExtGState <<%s >> >> >>",
		num(width), num(height), gs))
	f.stream(c.b.Bytes())
	for _, name := range [3]string{"Helvetica", "Helvetica-Bold", "Courier"} {
		f.object("<< /Type /Font /Subtype /Type1 /BaseFont /" + name + " /Encoding /WinAnsiEncoding >>")
	}
	for _, a := range c.alphaBy {
		f.object(fmt.Sprintf("<< /Type /ExtGState /ca %s /CA %s >>", fixed(a), fixed(a)))
	}
	info := f.object("<< /Title " + pdfTextString(d.Title) + " /Producer (Profound) >>")
	f.trailer(info)
	if _, err := w.Write(f.b.Bytes()); err != nil {
		return fmt.Errorf("write PDF: %w", err)
	}
	return nil
}

// pdfFile collects numbered objects and their offsets.
type pdfFile struct {
	b       bytes.Buffer
	offsets []int
}

// object appends one object and returns its number, counted from 1.
func (f *pdfFile) object(body string) int {
	f.offsets = append(f.offsets, f.b.Len())
	fmt.Fprintf(&f.b, "%d 0 obj\n%s\nendobj\n", len(f.offsets), body)
	return len(f.offsets)
}

// stream appends a deflated stream object.
func (f *pdfFile) stream(data []byte) {
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	_, _ = zw.Write(data) // a bytes.Buffer does not fail
	_ = zw.Close()
	f.object(fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", z.Len(), z.String()))
}

// trailer writes the cross-reference table, whose entries are exactly 20 bytes long.
func (f *pdfFile) trailer(info int) {
	at := f.b.Len()
	fmt.Fprintf(&f.b, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, off := range f.offsets {
		fmt.Fprintf(&f.b, "%010d 00000 n \n", off)
	}
	fmt.Fprintf(&f.b, "trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets)+1, info, at)
}

// pdfContent writes shapes as page operators.
type pdfContent struct {
	b       bytes.Buffer
	theme   Theme
	alphas  map[int]int // opacity in percent -> index in alphaBy
	alphaBy []float64
	fillNow string
	lineNow string
	gsNow   int // 1 + index of the opacity in force
}

// color returns "r g b" with components 0..1.
func (c *pdfContent) color(p Paint) string { return rgbOperands(p.at(c.theme)) }

func rgbOperands(c Color) string {
	r, g, b := c.rgb()
	return fixed(float64(r)/255) + " " + fixed(float64(g)/255) + " " + fixed(float64(b)/255)
}

// opacity switches to the opacity of p.
func (c *pdfContent) opacity(p Paint) {
	percent := int(clamp01(p.Alpha)*100 + 0.5)
	i, ok := c.alphas[percent]
	if !ok {
		i = len(c.alphaBy)
		c.alphas[percent] = i
		c.alphaBy = append(c.alphaBy, float64(percent)/100)
	}
	if c.gsNow != i+1 {
		c.gsNow = i + 1
		fmt.Fprintf(&c.b, "/A%d gs\n", i)
	}
}

func (c *pdfContent) setFill(p Paint) {
	c.opacity(p)
	if s := c.color(p); s != c.fillNow {
		c.fillNow = s
		c.b.WriteString(s + " rg\n")
	}
}

func (c *pdfContent) setStroke(p Paint, width float64, dash [2]float64) {
	c.opacity(p)
	s := c.color(p) + " RG " + num(width) + " w "
	if dash[0] > 0 {
		s += "[" + num(dash[0]) + " " + num(dash[1]) + "] 0 d\n"
	} else {
		s += "[] 0 d\n"
	}
	if s != c.lineNow {
		c.lineNow = s
		c.b.WriteString(s)
	}
}

func (c *pdfContent) shape(sh Shape) {
	if sh.Kind == ShapeText {
		if !sh.Fill.visible() {
			return
		}
		c.setFill(sh.Fill)
		fmt.Fprintf(&c.b, "BT /F%d %s Tf 1 0 0 -1 %s %s Tm (%s) Tj ET\n", sh.Font, num(sh.Size), num(sh.Rect.X), num(sh.Rect.Y), psEscape(winAnsi(sh.Text)))
		return
	}
	path := sh.Path
	if sh.Kind == ShapeRect {
		path = roundRect(sh.Rect, sh.Radius)
	}
	if sh.Fill.visible() {
		c.setFill(sh.Fill)
		c.path(path)
		c.b.WriteString("f\n")
	}
	if sh.Stroke.visible() && sh.StrokeWidth > 0 {
		c.setStroke(sh.Stroke, sh.StrokeWidth, sh.Dash)
		c.path(path)
		c.b.WriteString("S\n")
	}
}

func (c *pdfContent) path(path []Segment) { writePath(&c.b, path, "m", "l", "c", "h") }

// writePath prints a path with the operator names of PDF or PostScript.
func writePath(b *bytes.Buffer, path []Segment, move, line, curve, shut string) {
	pt := func(p Point) { b.WriteString(num(p.X) + " " + num(p.Y) + " ") }
	for _, s := range path {
		switch s.Op {
		case MoveTo:
			pt(s.P[0])
			b.WriteString(move + "\n")
		case LineTo:
			pt(s.P[0])
			b.WriteString(line + "\n")
		case CubicTo:
			pt(s.P[0])
			pt(s.P[1])
			pt(s.P[2])
			b.WriteString(curve + "\n")
		case ClosePath:
			b.WriteString(shut + "\n")
		}
	}
}

// fixed prints a small number with up to four decimals, never in exponent form.
func fixed(v float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.4f", v), "0"), ".")
}

// pdfTextString writes a document text string, UTF-16 with a byte order mark, as PDF wants it for non-Latin titles.
func pdfTextString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, r := range s {
		if r > 0xffff {
			r = '?'
		}
		fmt.Fprintf(&b, "%04X", r)
	}
	b.WriteString(">")
	return b.String()
}

// psEscape escapes what ends or nests a string of PDF and PostScript.
func psEscape(b []byte) []byte {
	var out []byte
	for _, c := range b {
		if c == '(' || c == ')' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return out
}

// winAnsi encodes text in Windows-1252; what it lacks is spelt out or becomes "?".
func winAnsi(s string) []byte {
	var out []byte
	for _, r := range s {
		switch {
		case r < 0x20:
			out = append(out, ' ')
		case r < 0x7f, r >= 0xa0 && r <= 0xff:
			out = append(out, byte(r))
		case r == '…':
			out = append(out, 0x85)
		default:
			out = append(out, spellOut(r)...)
		}
	}
	return out
}

// spellOut replaces a character by ASCII that reads the same.
func spellOut(r rune) string {
	switch r {
	case '…':
		return "..."
	case '→':
		return "->"
	case '←':
		return "<-"
	case '▲', '↑':
		return "^"
	case '▼', '↓':
		return "v"
	case '≤':
		return "<="
	case '≥':
		return ">="
	case '−', '–', '—', '‐', '‑':
		return "-"
	case '‘', '’':
		return "'"
	case '“', '”':
		return "\""
	case 'μ':
		return "\xb5"
	case '•', '∙':
		return "\xb7"
	}
	return "?"
}
