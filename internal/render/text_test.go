package render

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/textart"
)

func TestWrap(t *testing.T) {
	m := newMeasurer()
	for _, c := range []struct {
		in    string
		limit float64
		lines int
		want  []string
	}{
		{"main.main", 200, 2, []string{"main.main"}},
		{"encoding/json.(*Encoder).Encode", 140, 2, []string{"encoding/json.", "(*Encoder).Encode"}},
		{"std::vector::push_back", 90, 3, []string{"std::vector::", "push_back"}},
		{"", 50, 2, []string{""}},
	} {
		if got := m.wrap(c.in, FontSans, 12, c.limit, c.lines); !slices.Equal(got, c.want) {
			t.Errorf("wrap %q: %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzWrap checks that no text overflows its box and that nothing invalid is drawn.
func FuzzWrap(f *testing.F) {
	f.Add("github.com/a/b.(*T[go.shape.int]).Method", 80.0, 2)
	f.Add("\xff\x00日本語👍\u202e", 30.0, 3)
	f.Add(strings.Repeat("x", 10_000), 60.0, 1)
	f.Add("a.b.c/d::e,f g", 14.0, 4)
	m := newMeasurer()
	f.Fuzz(func(t *testing.T, s string, limit float64, lines int) {
		if !(limit >= 30 && limit < 1000) || lines < 0 || lines > 20 {
			return
		}
		clean := textart.Clean(s)
		if !utf8.ValidString(clean) || strings.ContainsAny(clean, "\x00\x1b\n\u202e") {
			t.Errorf("textart.Clean(%q) = %q", s, clean)
		}
		got := m.wrap(clean, FontBold, 12, limit, lines)
		if len(got) == 0 || len(got) > max(lines, 1) {
			t.Errorf("%q became %d lines, want 1 to %d", clean, len(got), lines)
		}
		for _, l := range got {
			if w := m.width(l, FontBold, 12); w > limit+0.001 {
				t.Errorf("%q is %v px wide, limit %v", l, w, limit)
			}
		}
	})
}

// TestFontsHaveGlyphs guards the TrueType reader against the embedded fonts.
func TestFontsHaveGlyphs(t *testing.T) {
	for i, face := range typefaces() {
		for _, r := range "ABCXYZabcxyz0189.,:;/()[]{}*<>_…▲▼·×éüñ€" {
			g := face.glyph(r)
			if g == 0 {
				t.Errorf("font %d has no %q", i, r)
				continue
			}
			if a := face.advance(g); a < 0.1 || a > 1.3 {
				t.Errorf("font %d: advance of %q is %v em", i, r, a)
			}
			if len(face.outline(g)) == 0 {
				t.Errorf("font %d: %q has no outline", i, r)
			}
		}
		if face.glyph('日') != 0 || face.glyph(0x1f44d) != 0 {
			t.Errorf("font %d claims a glyph it lacks", i)
		}
	}
	if a, b := typefaces()[FontSans].outline(typefaces()[FontSans].glyph('é')), typefaces()[FontSans].outline(typefaces()[FontSans].glyph('e')); len(a) <= len(b) {
		t.Error("é has no more contours than e")
	}
	if got := pdfWidth(helveticaBoldWidths, '~'); got != 0.584 {
		t.Errorf("width of ~ is %v: the table is out of step", got)
	}
	if got := pdfWidth(helveticaWidths, 'W'); got != 0.944 {
		t.Errorf("width of W is %v: the table is out of step", got)
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(c Color) float64 {
	r, g, b := c.rgb()
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.03928 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}

func contrast(a, b Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast checks every text colour on every surface it is drawn on: 4.5 is the bar of WCAG AA.
func TestContrast(t *testing.T) {
	check := func(name string, text, ground Paint) {
		for _, th := range []Theme{ThemeLight, ThemeDark} {
			if c := contrast(text.at(th), ground.at(th)); c < 4.5 {
				t.Errorf("%s, theme %d: contrast %.2f of %v on %v", name, th, c, text.at(th), ground.at(th))
			}
		}
	}
	for c := range categoryCount {
		check(c.String(), paintInk(), c.Paint())
	}
	for v := -1.0; v <= 1; v += 0.1 {
		check("change frame", paintInk(), changeFrame(v))
		fill, _ := ChangeTint(v)
		check("change box", paintText1(), fill)
		check("change box, muted", paintText2(), fill)
		fill, _ = HeatTint(v)
		check("heat box", paintText1(), fill)
		check("heat box, muted", paintText2(), fill)
	}
	check("legend", paintText2(), paintPage())
	check("note", paintText3(), paintPage())
}
