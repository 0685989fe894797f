package render

import (
	"bufio"
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

//go:embed assets/panzoom.js
var panZoomJS string

// SVGOptions tunes WriteSVG. The zero value writes a still picture that follows the reader's light or dark setting.
type SVGOptions struct {
	Theme       Theme
	Interactive bool   // add a script: drag to pan, wheel or + and - to zoom, hover to light up a box's edges
	Inline      bool   // for use inside an HTML page: no XML header, no background, no script
	IDPrefix    string // put before every id, to keep several pictures of one page apart
}

// WriteSVG writes the drawing as one stand-alone SVG 1.1 document. Boxes, edges and frames carry an id and a <title>.
func WriteSVG(w io.Writer, d *Drawing, o SVGOptions) error {
	s := &svgWriter{w: bufio.NewWriter(w), o: o, fills: map[Paint]int{}, strokes: map[Paint]int{}, ids: map[string]int{}}
	s.collect(d)
	s.open(d)
	s.style()
	if !o.Inline {
		s.printf("<rect class=\"%s\" width=\"%s\" height=\"%s\"/>\n", s.fill(paintPage()), num(d.Width), num(d.Height))
	}
	s.printf("<g class=\"pf-view\">\n")
	for _, it := range d.Items {
		s.item(it)
	}
	s.printf("</g>\n")
	if o.Interactive && !o.Inline {
		s.printf("<script><![CDATA[%s]]></script>\n", SVGScript())
	}
	s.printf("</svg>\n")
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}

// SVGScript is the script of interactive pictures, as it stands between its tags: a server can permit it by its hash.
func SVGScript() string {
	return "\n" + strings.ReplaceAll(panZoomJS, "]]>", "]] >") + "\nprofoundPanZoom(document.documentElement);\n"
}

// svgWriter prints a display list. Write errors stick to the buffer and are reported by Flush.
type svgWriter struct {
	w       *bufio.Writer
	o       SVGOptions
	fills   map[Paint]int
	strokes map[Paint]int
	fillBy  []Paint
	strokBy []Paint
	ids     map[string]int
}

func (s *svgWriter) printf(format string, args ...any) { fmt.Fprintf(s.w, format, args...) }

// collect gives each paint in use a class number, in order of first use.
func (s *svgWriter) collect(d *Drawing) {
	s.fill(paintPage())
	for _, it := range d.Items {
		for _, sh := range it.Shapes {
			s.fill(sh.Fill)
			s.stroke(sh.Stroke)
		}
	}
}

// fill returns the class of a fill; none has no class and needs an attribute.
func (s *svgWriter) fill(p Paint) string {
	if !p.visible() {
		return "pfn"
	}
	i, ok := s.fills[p]
	if !ok {
		i = len(s.fillBy)
		s.fills[p] = i
		s.fillBy = append(s.fillBy, p)
	}
	return "pf" + strconv.Itoa(i)
}

func (s *svgWriter) stroke(p Paint) string {
	if !p.visible() {
		return ""
	}
	i, ok := s.strokes[p]
	if !ok {
		i = len(s.strokBy)
		s.strokes[p] = i
		s.strokBy = append(s.strokBy, p)
	}
	return "ps" + strconv.Itoa(i)
}

func (s *svgWriter) open(d *Drawing) {
	if !s.o.Inline {
		s.printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	}
	class := "pf-svg"
	if s.o.Interactive {
		class += " pf-live"
	}
	s.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"%s\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\" role=\"img\"",
		class, num(d.Width), num(d.Height), num(d.Width), num(d.Height))
	if d.Title != "" {
		s.printf(" aria-label=\"%s\"", escape(d.Title))
	}
	s.printf(">\n")
	if d.Title != "" && !s.o.Inline {
		s.printf("<title>%s</title>\n", escape(d.Title))
	}
}

// style writes the classes: light colours first, then the dark ones under the conditions of the theme.
func (s *svgWriter) style() {
	s.printf("<style>\n.pf-svg text{white-space:pre}.pf-svg .pfn{fill:none}\n")
	s.printf(".pf-svg .t0,.pf-svg .t1{font-family:Inter,Helvetica,Arial,\"Liberation Sans\",sans-serif}.pf-svg .t1{font-weight:700}\n")
	s.printf(".pf-svg .t2{font-family:\"JetBrains Mono\",ui-monospace,Menlo,Consolas,\"Liberation Mono\",monospace}\n")
	if s.o.Interactive {
		s.printf(".pf-svg.pf-live{cursor:grab;touch-action:none}.pf-hit{fill:none;stroke:#000;stroke-opacity:0;pointer-events:stroke}\n" +
			".pf-dim .pf-edge,.pf-dim .pf-label,.pf-dim .pf-node{opacity:.22}.pf-dim .pf-hot{opacity:1}\n" +
			"@media(prefers-reduced-motion:no-preference){.pf-edge,.pf-node,.pf-label{transition:opacity .12s}}\n")
	}
	if s.o.Theme == ThemeDark {
		s.paints("", ThemeDark)
	} else {
		s.paints("", ThemeLight)
	}
	if s.o.Theme == ThemeAuto {
		s.printf("@media(prefers-color-scheme:dark){\n")
		s.paints(":root:not([data-theme=light]) ", ThemeDark)
		s.printf("}\n")
		if s.o.Inline {
			s.paints(":root[data-theme=dark] ", ThemeDark)
		}
	}
	s.printf("</style>\n")
}

// paints writes one rule a paint; in the root svg itself ":root .x" matches as well, because the marks are its descendants.
func (s *svgWriter) paints(scope string, t Theme) {
	rule := func(prefix, prop string, i int, p Paint) {
		s.printf("%s.%s%d{%s:%s", scope, prefix, i, prop, p.at(t))
		if p.Alpha < 1 {
			s.printf(";%s-opacity:%s", prop, num(p.Alpha))
		}
		s.printf("}")
	}
	for i, p := range s.fillBy {
		rule("pf", "fill", i, p)
	}
	for i, p := range s.strokBy {
		rule("ps", "stroke", i, p)
	}
	s.printf("\n")
}

// item writes one group.
func (s *svgWriter) item(it Item) {
	class := [...]string{ItemDecor: "pf-decor", ItemNode: "pf-node", ItemEdge: "pf-edge", ItemLabel: "pf-label", ItemFrame: "pf-frame"}[it.Kind]
	s.printf("<g class=\"%s\" id=\"%s\"", class, s.id(it.ID))
	switch it.Kind {
	case ItemNode:
		s.printf(" data-n=\"%d\"", it.Ref)
	case ItemEdge, ItemLabel:
		s.printf(" data-from=\"%d\" data-to=\"%d\"", it.From, it.To)
	}
	s.printf(">")
	if it.Tooltip != "" {
		s.printf("<title>%s</title>", escape(it.Tooltip))
	}
	for i, sh := range it.Shapes {
		if it.Kind == ItemEdge && i == 0 && s.o.Interactive {
			s.printf("<path class=\"pf-hit\" stroke-width=\"%s\" d=\"%s\"/>", num(max(sh.StrokeWidth+6, 10)), pathData(sh.Path))
		}
		s.shape(sh)
	}
	s.printf("</g>\n")
}

// id returns a unique id without white space.
func (s *svgWriter) id(want string) string {
	id := s.o.IDPrefix + strings.Map(func(r rune) rune {
		if r <= ' ' {
			return '_'
		}
		return r
	}, want)
	s.ids[id]++
	if n := s.ids[id]; n > 1 {
		id += "~" + strconv.Itoa(n)
	}
	return escape(id)
}

func (s *svgWriter) shape(sh Shape) {
	class := s.fill(sh.Fill)
	if st := s.stroke(sh.Stroke); st != "" {
		class += " " + st
	}
	switch sh.Kind {
	case ShapeRect:
		s.printf("<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"", class, num(sh.Rect.X), num(sh.Rect.Y), num(sh.Rect.W), num(sh.Rect.H))
		if sh.Radius > 0 {
			s.printf(" rx=\"%s\"", num(sh.Radius))
		}
	case ShapePath:
		s.printf("<path class=\"%s\" d=\"%s\"", class, pathData(sh.Path))
	case ShapeText:
		s.printf("<text class=\"%s t%d\" x=\"%s\" y=\"%s\" font-size=\"%s\">%s</text>", class, sh.Font, num(sh.Rect.X), num(sh.Rect.Y), num(sh.Size), escape(sh.Text))
		return
	}
	if sh.Stroke.visible() {
		s.printf(" stroke-width=\"%s\"", num(sh.StrokeWidth))
		if sh.Dash[0] > 0 {
			s.printf(" stroke-dasharray=\"%s %s\"", num(sh.Dash[0]), num(sh.Dash[1]))
		}
	}
	s.printf("/>")
}

// pathData writes a path as SVG path data.
func pathData(path []Segment) string {
	var b []byte
	pt := func(p Point) {
		b = append(b, ' ')
		b = append(b, num(p.X)...)
		b = append(b, ' ')
		b = append(b, num(p.Y)...)
	}
	for _, s := range path {
		switch s.Op {
		case MoveTo:
			b = append(b, 'M')
			pt(s.P[0])
		case LineTo:
			b = append(b, 'L')
			pt(s.P[0])
		case CubicTo:
			b = append(b, 'C')
			pt(s.P[0])
			pt(s.P[1])
			pt(s.P[2])
		case ClosePath:
			b = append(b, 'Z')
		}
	}
	return string(b)
}

// num prints a length with at most two decimals and no trailing zeros.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64)
}

// escape makes text safe in XML and HTML content and attributes.
func escape(s string) string {
	if !strings.ContainsAny(s, "<>&\"'\t\n\r") {
		return s
	}
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
