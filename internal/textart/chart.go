package textart

import (
	"math"
	"strconv"
	"strings"
)

// Series is one line of a LineChart. X and Y have one entry a point, X ascending; where X is nil the points are numbered.
type Series struct {
	Name string
	X    []float64 // in the caller's unit, for example Unix seconds
	Y    []float64 // NaN breaks the line
}

// ChartOptions tunes LineChart.
type ChartOptions struct {
	FormatY  func(float64) string // labels of the y axis; nil: plain digits
	FormatX  func(float64) string // labels of the x axis; nil: none are drawn
	ASCII    bool                 // use only ASCII characters, a different one a series
	FromZero bool                 // include zero in the y axis
}

// LineChart draws series as lines in braille dots (or ASCII characters) with a labelled y axis and, with FormatX, labels
// under the x axis. The text is at most width columns wide and height lines high, axes included; the smallest picture is
// 20 x 4. Several series get a line with their names; a letter at the end of each line (in ASCII the character it is drawn
// with) says which is which.
func LineChart(series []Series, width, height int, o ChartOptions) string {
	width, height = max(width, 20), max(height, 4)
	if o.FormatY == nil {
		o.FormatY = func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
	}
	c := &chart{series: series, o: o}
	if !c.scale() {
		return "no data\n"
	}
	c.rows = height
	if o.FormatX != nil {
		c.rows--
	}
	if len(series) > 1 {
		c.rows--
	}
	c.rows = max(c.rows, 2)
	labels := c.yLabels()
	margin := 0
	for _, s := range labels {
		margin = max(margin, TextWidth(s))
	}
	margin = min(margin, width/2)
	c.cols = width - margin - 2
	c.draw()
	return c.print(labels, margin)
}

// chart is a LineChart under construction.
type chart struct {
	series         []Series
	o              ChartOptions
	x0, x1, y0, y1 float64
	cols, rows     int      // cells of the plot
	dots           []uint8  // braille dots of each cell
	marks          [][]rune // ASCII picture; in braille only the letters at the ends of lines
}

// at returns point i of a series and whether it can be drawn.
func (c *chart) at(s Series, i int) (x, y float64, ok bool) {
	x, y = float64(i), s.Y[i]
	if s.X != nil {
		if i >= len(s.X) {
			return 0, 0, false
		}
		x = s.X[i]
	}
	return x, y, isFinite(x) && isFinite(y)
}

// scale finds the ranges of both axes and reports whether there is any point.
func (c *chart) scale() bool {
	c.x0, c.x1, c.y0, c.y1 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for i := range s.Y {
			if x, y, ok := c.at(s, i); ok {
				c.x0, c.x1 = min(c.x0, x), max(c.x1, x)
				c.y0, c.y1 = min(c.y0, y), max(c.y1, y)
			}
		}
	}
	if c.x0 > c.x1 {
		return false
	}
	if c.o.FromZero {
		c.y0, c.y1 = min(c.y0, 0), max(c.y1, 0)
	}
	if c.y0 == c.y1 { // a flat line runs through the middle
		d := max(math.Abs(c.y0)*0.1, 1)
		c.y0, c.y1 = c.y0-d, c.y1+d
	}
	if c.x0 == c.x1 {
		c.x0, c.x1 = c.x0-1, c.x1+1
	}
	return true
}

// yLabels returns the label of each row; most are empty.
func (c *chart) yLabels() []string {
	out := make([]string, c.rows)
	n := 2
	if c.rows >= 5 {
		n = 3
	}
	if c.rows >= 9 {
		n = 5
	}
	for k := range n {
		row := int(math.Round(float64(k) * float64(c.rows-1) / float64(n-1)))
		out[row] = c.o.FormatY(c.y1 + (c.y0-c.y1)*float64(row)/float64(c.rows-1))
	}
	return out
}

// draw plots all series: two by four dots a cell in braille, one a cell in ASCII.
func (c *chart) draw() {
	c.dots = make([]uint8, c.cols*c.rows)
	c.marks = make([][]rune, c.rows)
	for r := range c.marks {
		c.marks[r] = []rune(strings.Repeat(" ", c.cols))
	}
	w, h := c.cols*2, c.rows*4
	if c.o.ASCII {
		w, h = c.cols, c.rows
	}
	for n, s := range c.series {
		px, py, joined := 0, 0, false
		for i := range s.Y {
			x, y, ok := c.at(s, i)
			if !ok {
				joined = false
				continue
			}
			// Divide first: the difference of two huge values may overflow, their scaled parts do not.
			fx := (x/2 - c.x0/2) / (c.x1/2 - c.x0/2)
			fy := (c.y1/2 - y/2) / (c.y1/2 - c.y0/2)
			qx, qy := int(math.Round(min(max(fx, 0), 1)*float64(w-1))), int(math.Round(min(max(fy, 0), 1)*float64(h-1)))
			if !joined {
				px, py = qx, qy
			}
			c.line(px, py, qx, qy, c.mark(n))
			px, py, joined = qx, qy, true
		}
		if !c.o.ASCII && len(c.series) > 1 && joined {
			c.marks[py/4][px/2] = c.mark(n)
		}
	}
}

// line sets the dots from one point to another, both included (Bresenham).
func (c *chart) line(x0, y0, x1, y1 int, mark rune) {
	dx, dy := abs(x1-x0), -abs(y1-y0)
	sx, sy := 1, 1
	if x1 < x0 {
		sx = -1
	}
	if y1 < y0 {
		sy = -1
	}
	e := dx + dy
	for {
		c.set(x0, y0, mark)
		if x0 == x1 && y0 == y1 {
			return
		}
		if e2 := 2 * e; e2 >= dy && x0 != x1 {
			e += dy
			x0 += sx
		} else {
			e += dx
			y0 += sy
		}
	}
}

// set marks one dot.
func (c *chart) set(x, y int, mark rune) {
	if c.o.ASCII {
		c.marks[y][x] = mark
		return
	}
	// Dots of a braille cell by row and column, as bits over U+2800.
	bits := [4][2]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	c.dots[y/4*c.cols+x/2] |= bits[y%4][x%2]
}

// mark returns the character that stands for series n.
func (c *chart) mark(n int) rune {
	if c.o.ASCII {
		return rune("*o+x@%"[n%6])
	}
	return rune('a' + n%26)
}

// print puts labels, axes and plot together.
func (c *chart) print(labels []string, margin int) string {
	bar, corner, dash := "│", "└", "─"
	if c.o.ASCII {
		bar, corner, dash = "|", "+", "-"
	}
	to := TextOptions{ASCII: c.o.ASCII}
	var b strings.Builder
	for r := range c.rows {
		s := CutText(labels[r], margin, to)
		b.WriteString(strings.Repeat(" ", margin-TextWidth(s)) + s + " ")
		b.WriteString(bar)
		var row strings.Builder
		for x := range c.cols {
			switch d := c.dots[r*c.cols+x]; {
			case c.o.ASCII || c.marks[r][x] != ' ':
				row.WriteRune(c.marks[r][x])
			case d == 0:
				row.WriteByte(' ')
			default:
				row.WriteRune(0x2800 + rune(d))
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	if c.o.FormatX != nil {
		left, right := c.o.FormatX(c.x0), c.o.FormatX(c.x1)
		room := c.cols - TextWidth(left) - TextWidth(right) - 1
		line := left + " " + strings.Repeat(dash, max(room-1, 1)) + " " + right
		if room < 3 {
			line = CutText(left+" "+right, c.cols, to)
		}
		b.WriteString(strings.Repeat(" ", margin+1) + corner + line + "\n")
	}
	if len(c.series) > 1 {
		b.WriteString(strings.Repeat(" ", margin+2) + CutText(c.names(), c.cols, to) + "\n")
	}
	return b.String()
}

// names lists the series with their marks.
func (c *chart) names() string {
	var out []string
	for n, s := range c.series {
		out = append(out, string(c.mark(n))+" "+Clean(s.Name))
	}
	return strings.Join(out, "   ")
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
