package render

import (
	"fmt"
	"math"
)

// Color is an opaque sRGB colour, 0xRRGGBB.
type Color uint32

// String returns the colour as CSS writes it: "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%06x", uint32(c)&0xffffff) }

// rgb returns the three channels, each 0..255.
func (c Color) rgb() (r, g, b uint8) { return uint8(c >> 16), uint8(c >> 8), uint8(c) }

// Mix returns the colour that lies the fraction t (0..1, clamped) of the way from c to d, channel by channel.
func (c Color) Mix(d Color, t float64) Color {
	t = clamp01(t)
	r0, g0, b0 := c.rgb()
	r1, g1, b1 := d.rgb()
	ch := func(a, b uint8) uint32 { return uint32(math.Round(float64(a) + (float64(b)-float64(a))*t)) }
	return Color(ch(r0, r1)<<16 | ch(g0, g1)<<8 | ch(b0, b1))
}

// Theme says for which background a picture is drawn.
type Theme uint8

// The themes. ThemeAuto follows the reader's system where the format can (SVG, HTML) and is light elsewhere.
const (
	ThemeAuto Theme = iota
	ThemeLight
	ThemeDark
)

// Paint is a colour for both themes and its opacity. The zero Paint paints nothing (or, in a Graph, asks for the default).
type Paint struct {
	Light, Dark Color
	Alpha       float64 // opacity, 0..1; 0 paints nothing
}

// Solid returns an opaque Paint.
func Solid(light, dark Color) Paint { return Paint{light, dark, 1} }

// visible reports whether the paint leaves any mark.
func (p Paint) visible() bool { return p.Alpha > 0 }

// at returns the colour for the theme; ThemeAuto counts as light.
func (p Paint) at(t Theme) Color {
	if t == ThemeDark {
		return p.Dark
	}
	return p.Light
}

// mix blends two paints theme by theme and keeps the opacity of p.
func (p Paint) mix(q Paint, t float64) Paint {
	return Paint{p.Light.Mix(q.Light, t), p.Dark.Mix(q.Dark, t), p.Alpha}
}

// Category says whose code a box or frame is. It decides the colour of a flame frame and of the left edge of a graph box.
type Category uint8

// The categories, in the order in which a legend lists them.
const (
	CategoryNone Category = iota
	CategoryOwn
	CategoryDependency
	CategoryStd
	CategoryCgo
	CategoryRuntime
	categoryCount
)

// String returns the word the legend uses.
func (c Category) String() string {
	switch c {
	case CategoryOwn:
		return "your code"
	case CategoryDependency:
		return "dependency"
	case CategoryStd:
		return "std"
	case CategoryCgo:
		return "cgo/other"
	case CategoryRuntime:
		return "runtime"
	}
	return "other"
}

// Paint returns the fill of a flame frame of this category. Text on it uses one dark ink in both themes; the contrast is at
// least 4.6 and the fills stay apart under the three common kinds of colour blindness.
func (c Category) Paint() Paint {
	switch c {
	case CategoryOwn:
		return Solid(0xb6813d, 0xce9155)
	case CategoryDependency:
		return Solid(0x69df9e, 0x86de9e)
	case CategoryStd:
		return Solid(0x4387d1, 0x6095e6)
	case CategoryCgo:
		return Solid(0xf49ef3, 0xd1b5e9)
	case CategoryRuntime:
		return Solid(0x999fa6, 0x7e848a)
	}
	return Solid(0xc3cad2, 0x97a1ad)
}

// The tokens of the style guide: one pair a role.
func paintPage() Paint   { return Solid(0xf6f8fa, 0x0d1117) }
func paintCard() Paint   { return Solid(0xffffff, 0x141a22) }
func paintLine() Paint   { return Solid(0xd5dce4, 0x2b3644) }
func paintText1() Paint  { return Solid(0x15202c, 0xe8edf4) }
func paintText2() Paint  { return Solid(0x44525f, 0xa9b5c5) }
func paintText3() Paint  { return Solid(0x5d6b7a, 0x8290a3) }
func paintHeat() Paint   { return Solid(0xb83a0e, 0xff8a65) }
func paintGrow() Paint   { return Solid(0xa34a06, 0xf2a14a) }
func paintShrink() Paint { return Solid(0x1769aa, 0x5aa9e6) }
func paintEdge() Paint   { return Solid(0x97a5b4, 0x4b5a6d) }
func paintInk() Paint    { return Solid(0x10151c, 0x10151c) } // text on a category or change fill, both themes

// HeatTint returns fill and border of a graph box by its share of the whole (0..1): plain at 0, warm at 1. The fill stays
// soft enough for the theme's own text colours.
func HeatTint(share float64) (fill, stroke Paint) {
	s := math.Sqrt(clamp01(share))
	return paintCard().mix(paintHeat(), 0.20*s), paintLine().mix(paintHeat(), 0.9*s)
}

// ChangeTint returns fill and border of a graph box by its change (-1 shrank wholly .. 0 same .. +1 grew wholly).
func ChangeTint(change float64) (fill, stroke Paint) {
	to, s := paintGrow(), math.Sqrt(clamp01(math.Abs(change)))
	if change < 0 {
		to = paintShrink()
	}
	return paintCard().mix(to, 0.24*s), paintLine().mix(to, 0.9*s)
}

// changeFrame returns the fill of a flame frame by its change (-1..+1), for dark ink in both themes.
func changeFrame(change float64) Paint {
	to, s := Solid(0xf0953c, 0xf2a14a), math.Sqrt(clamp01(math.Abs(change)))
	if change < 0 {
		to = Solid(0x58a5e4, 0x5aa9e6)
	}
	return Solid(0xdde3ea, 0x8f98a3).mix(to, s)
}

// clamp01 forces v into 0..1; NaN becomes 0.
func clamp01(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}
