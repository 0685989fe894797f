package render

import (
	"strings"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/profoundhq/profound/internal/textart"
)

// MinTextSize is the smallest text in any drawing, px at natural size.
const MinTextSize = 11.0

const (
	// safety is what measured text is widened by: the reader's own sans serif may be wider than the fonts measured here.
	safety = 1.06
	// maxNameRunes bounds the work on one absurd name; what lies between its two halves is cut away before measuring.
	maxNameRunes = 2048
	ellipsis     = "…"
)

// typeface is one parsed font with the widths of its Latin-1 characters in em. It is read-only after loading.
type typeface struct {
	*trueType
	adv [256]float64
}

// typefaces parses the three embedded fonts once; the result is indexed by Font.
var typefaces = sync.OnceValue(func() [3]*typeface {
	return [3]*typeface{
		FontSans: loadFace(goregular.TTF, helveticaWidths),
		FontBold: loadFace(gobold.TTF, helveticaBoldWidths),
		FontMono: loadFace(gomono.TTF, ""),
	}
})

// loadFace parses an embedded font and notes for each Latin-1 character the wider of its own width and the PDF font's.
func loadFace(ttf []byte, pdfWidths string) *typeface {
	t := &typeface{trueType: parseTrueType(ttf)}
	for r := range t.adv {
		t.adv[r] = max(t.advanceOf(rune(r)), pdfWidth(pdfWidths, rune(r)))
	}
	return t
}

// advanceOf returns the advance of r in em, or that of an average letter where the font has no glyph.
func (t *typeface) advanceOf(r rune) float64 {
	if g := t.glyph(r); g != 0 {
		return t.advance(g)
	}
	if textart.Wide(r) {
		return 1
	}
	return 0.7
}

// measurer measures text with the embedded fonts. It is safe for concurrent use.
type measurer struct{ faces [3]*typeface }

func newMeasurer() measurer { return measurer{typefaces()} }

// width returns how many px s needs at size px, with the safety margin.
func (m measurer) width(s string, f Font, size float64) float64 {
	t := m.faces[f]
	em := 0.0
	for _, r := range s {
		if r >= 0 && r < 256 {
			em += t.adv[r]
		} else {
			em += t.advanceOf(r)
		}
	}
	return em * size * safety
}

// cleanLines is cleanText for text of several lines: line feeds stay.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = textart.Clean(l)
	}
	return strings.Join(lines, "\n")
}

// capRunes cuts the middle out of a name longer than maxNameRunes.
func capRunes(s string) string {
	if len(s) <= maxNameRunes {
		return s
	}
	r := []rune(s)
	if len(r) <= maxNameRunes {
		return s
	}
	return string(r[:maxNameRunes/2]) + ellipsis + string(r[len(r)-maxNameRunes/2:])
}

// shorten returns s, or s with its middle replaced by an ellipsis so that it is at most limit px wide. The tail keeps a
// little more than the head: the end of a function's name says more than the start of its path.
func (m measurer) shorten(s string, f Font, size, limit float64) string {
	s = capRunes(s)
	if m.width(s, f, size) <= limit {
		return s
	}
	r := []rune(s)
	cut := func(keep int) string {
		head := keep * 2 / 5
		return string(r[:head]) + ellipsis + string(r[len(r)-(keep-head):])
	}
	lo, hi := 0, len(r)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if m.width(cut(mid), f, size) <= limit {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return cut(lo)
}

// wrap breaks s into at most lines lines of at most limit px, after '.', '/', '::', ',' and ' ' and before '(' and '['.
// What does not fit is shortened in the middle.
func (m measurer) wrap(s string, f Font, size, limit float64, lines int) []string {
	s = capRunes(s)
	if m.width(s, f, size) <= limit {
		return []string{s}
	}
	if lines <= 1 {
		return []string{m.shorten(s, f, size, limit)}
	}
	budget := limit * float64(lines)
	for range 6 {
		out := m.fill(s, f, size, limit)
		if len(out) <= lines {
			return out
		}
		budget *= 0.88
		s = m.shorten(s, f, size, budget)
	}
	return []string{m.shorten(s, f, size, limit)}
}

// fill breaks s greedily into lines of at most limit px; a piece wider than a line is shortened.
func (m measurer) fill(s string, f Font, size, limit float64) []string {
	var out []string
	line := ""
	for _, p := range pieces(s) {
		if line != "" && m.width(line+p, f, size) > limit {
			out = append(out, strings.TrimRight(line, " "))
			line = ""
		}
		line += p
		if m.width(line, f, size) > limit {
			line = m.shorten(line, f, size, limit)
		}
	}
	if line != "" || len(out) == 0 {
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}

// pieces cuts a name where it may be broken; joined they give the name again.
func pieces(s string) []string {
	var out []string
	start := 0
	for i := 1; i < len(s); i++ {
		prev, next := s[i-1], s[i]
		after := prev == '/' || prev == ',' || prev == ' ' || prev == '.' && next != '.' && next != '(' ||
			prev == ':' && i >= 2 && s[i-2] == ':'
		before := next == '(' || next == '['
		if (after || before) && i-start > 1 {
			out = append(out, s[start:i])
			start = i
		}
	}
	return append(out, s[start:])
}
