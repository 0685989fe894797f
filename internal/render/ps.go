package render

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// WritePS writes the drawing as an Encapsulated PostScript file of one page that is as large as the drawing. PostScript has
// no opacity: paints cover fully.
func WritePS(w io.Writer, d *Drawing, o PDFOptions) error {
	var b bytes.Buffer
	width, height := max(d.Width, 1)*pxToPt, max(d.Height, 1)*pxToPt
	fmt.Fprintf(&b, "%%!PS-Adobe-3.0 EPSF-3.0\n%%%%BoundingBox: 0 0 %d %d\n%%%%LanguageLevel: 2\n%%%%Pages: 1\n%%%%EndComments\n",
		int(math.Ceil(width)), int(math.Ceil(height)))
	for i, name := range [3]string{"Helvetica", "Helvetica-Bold", "Courier"} {
		fmt.Fprintf(&b, "/%s findfont dup length dict begin {1 index /FID ne {def} {pop pop} ifelse} forall /Encoding ISOLatin1Encoding def currentdict end /F%d exch definefont pop\n", name, i)
	}
	b.WriteString("/T { gsave 4 2 roll moveto 1 -1 scale exch selectfont show grestore } bind def\n") // (text) x y size font T
	b.WriteString("%%Page: 1 1\ngsave\n")
	fmt.Fprintf(&b, "%s %s scale 0 %s translate 1 -1 scale\n", fixed(pxToPt), fixed(pxToPt), num(max(d.Height, 1)))
	psShape(&b, rectShape(Rect{0, 0, d.Width, d.Height}, 0, paintPage(), Paint{}, 0), o.Theme)
	for _, it := range d.Items {
		for _, sh := range it.Shapes {
			psShape(&b, sh, o.Theme)
		}
	}
	b.WriteString("grestore\nshowpage\n%%EOF\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write PostScript: %w", err)
	}
	return nil
}

func psShape(b *bytes.Buffer, sh Shape, t Theme) {
	if sh.Kind == ShapeText {
		if sh.Fill.visible() {
			fmt.Fprintf(b, "%s setrgbcolor (%s) %s %s %s /F%d T\n", rgbOperands(sh.Fill.at(t)), psEscape(latin1(sh.Text)), num(sh.Rect.X), num(sh.Rect.Y), num(sh.Size), sh.Font)
		}
		return
	}
	path := sh.Path
	if sh.Kind == ShapeRect {
		path = roundRect(sh.Rect, sh.Radius)
	}
	if sh.Fill.visible() {
		b.WriteString("newpath\n")
		writePath(b, path, "moveto", "lineto", "curveto", "closepath")
		fmt.Fprintf(b, "%s setrgbcolor fill\n", rgbOperands(sh.Fill.at(t)))
	}
	if sh.Stroke.visible() && sh.StrokeWidth > 0 {
		dash := "[]"
		if sh.Dash[0] > 0 {
			dash = "[" + num(sh.Dash[0]) + " " + num(sh.Dash[1]) + "]"
		}
		b.WriteString("newpath\n")
		writePath(b, path, "moveto", "lineto", "curveto", "closepath")
		fmt.Fprintf(b, "%s setrgbcolor %s setlinewidth %s 0 setdash stroke\n", rgbOperands(sh.Stroke.at(t)), num(sh.StrokeWidth), dash)
	}
}

// latin1 encodes text in ISO 8859-1; what it lacks is spelt out or becomes "?".
func latin1(s string) []byte {
	var out []byte
	for _, r := range s {
		switch {
		case r < 0x20:
			out = append(out, ' ')
		case r < 0x7f, r >= 0xa0 && r <= 0xff:
			out = append(out, byte(r))
		default:
			out = append(out, spellOut(r)...)
		}
	}
	return out
}
