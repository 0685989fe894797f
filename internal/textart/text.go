// Package textart makes aligned text and pictures of characters: tables,
// sparklines, bars, line charts. It looks at neither the terminal nor the
// environment; the caller says how wide a picture may be and whether only
// ASCII is allowed.
package textart

import (
	"math"
	"strings"
	"unicode"
)

// eighths are the block characters that fill one to eight eighths of a cell from below; sparkASCII stands in for them.
const (
	eighths    = "▁▂▃▄▅▆▇█"
	sparkASCII = "_.-~=+*#"
	barEighths = "▏▎▍▌▋▊▉█"
)

// TextOptions tunes the small text pictures. The zero value uses block characters.
type TextOptions struct {
	ASCII bool // use only ASCII characters
}

// Sparkline draws values as one line of at most width columns, scaled between the least and the greatest. More values than
// columns are averaged by column; fewer use one column each. NaN leaves a blank. A flat series is drawn low.
func Sparkline(values []float64, width int, o TextOptions) string {
	if width <= 0 || len(values) == 0 {
		return ""
	}
	cols := columnMeans(values, min(width, len(values)))
	lo, hi := valueRange(cols)
	ramp := []rune(eighths)
	if o.ASCII {
		ramp = []rune(sparkASCII)
	}
	var b strings.Builder
	for _, v := range cols {
		switch {
		case !isFinite(v):
			b.WriteByte(' ')
		case hi <= lo:
			b.WriteRune(ramp[0])
		default:
			f := (v/2 - lo/2) / (hi/2 - lo/2) // halves, because the whole difference may overflow
			b.WriteRune(ramp[min(int(f*float64(len(ramp))), len(ramp)-1)])
		}
	}
	return b.String()
}

// columnMeans averages values into n columns; a column without finite values is NaN.
func columnMeans(values []float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		from, to := i*len(values)/n, (i+1)*len(values)/n
		sum, count := 0.0, 0.0
		for _, v := range values[from:to] {
			if isFinite(v) {
				count++
				sum += (v - sum) / count // running mean: no overflow
			}
		}
		out[i] = sum
		if count == 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// valueRange returns the least and the greatest finite value; 0, 0 when there is none.
func valueRange(values []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if isFinite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Bar draws a horizontal bar of fraction (0..1, clamped) of width columns, padded with blanks to exactly width columns. A
// fraction above zero always leaves a mark.
func Bar(fraction float64, width int, o TextOptions) string {
	if width <= 0 {
		return ""
	}
	f := min(max(fraction, 0), 1)
	if math.IsNaN(f) {
		f = 0
	}
	if o.ASCII {
		n := int(math.Round(f * float64(width)))
		if f > 0 {
			n = max(n, 1)
		}
		return strings.Repeat("#", n) + strings.Repeat(" ", width-n)
	}
	n := int(math.Round(f * float64(width) * 8))
	if f > 0 {
		n = max(n, 1)
	}
	s := strings.Repeat("█", n/8)
	used := n / 8
	if n%8 > 0 {
		s += string([]rune(barEighths)[n%8-1])
		used++
	}
	return s + strings.Repeat(" ", width-used)
}

// TextWidth returns how many terminal columns s takes: two for East Asian wide characters and emoji, none for marks that
// combine with the character before.
func TextWidth(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case Wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// CutText returns s, or s with its middle replaced by an ellipsis ("..." in ASCII), so that it takes at most width columns.
func CutText(s string, width int, o TextOptions) string {
	if TextWidth(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	dots := ellipsis
	if o.ASCII {
		dots = "..."
	}
	room := width - TextWidth(dots)
	if room < 2 {
		return takeColumns([]rune(s), width)
	}
	r := []rune(s)
	head := takeColumns(r, room*2/5)
	tailRoom := room - TextWidth(head)
	from, used := len(r), 0
	for from > 0 && used+TextWidth(string(r[from-1])) <= tailRoom {
		from--
		used += TextWidth(string(r[from]))
	}
	return head + dots + string(r[from:])
}

// takeColumns returns the longest prefix of r that takes at most width columns.
func takeColumns(r []rune, width int) string {
	used := 0
	for i, c := range r {
		used += TextWidth(string(c))
		if used > width {
			return string(r[:i])
		}
	}
	return string(r)
}

// Align says on which side a column of a Table is padded.
type Align uint8

// The alignments. Numbers read best aligned right.
const (
	AlignLeft Align = iota
	AlignRight
)

// Table lays rows out in aligned columns.
type Table struct {
	Header []string // printed over the columns; may be nil
	Align  []Align  // per column; missing ones are AlignLeft
	Rows   [][]string
	Gap    int // blanks between columns; 0: 2
}

// String prints the table, one line a row, each ended by a line feed and without trailing blanks.
func (t Table) String() string {
	var widths []int
	measure := func(row []string) {
		for i, s := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], TextWidth(s))
		}
	}
	measure(t.Header)
	for _, r := range t.Rows {
		measure(r)
	}
	gap := t.Gap
	if gap <= 0 {
		gap = 2
	}
	var b strings.Builder
	write := func(row []string) {
		var line strings.Builder
		for i, s := range row {
			if i > 0 {
				line.WriteString(strings.Repeat(" ", gap))
			}
			pad := strings.Repeat(" ", widths[i]-TextWidth(s))
			if i < len(t.Align) && t.Align[i] == AlignRight {
				line.WriteString(pad + s)
			} else {
				line.WriteString(s + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	if t.Header != nil {
		write(t.Header)
	}
	for _, r := range t.Rows {
		write(r)
	}
	return b.String()
}
