package textart

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func TestSparkline(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		in    []float64
		width int
		ascii bool
		want  string
	}{
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, false, "▁▂▃▄▅▆▇█"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 4, false, "▁▃▆█"},
		{[]float64{1, 2}, 10, true, "_#"},
		{[]float64{5, 5, 5}, 3, false, "▁▁▁"},
		{[]float64{1, nan, 3}, 3, false, "▁ █"},
		{[]float64{nan, math.Inf(1)}, 3, false, "  "},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 2, false, "▁█"},
		{nil, 5, false, ""},
		{[]float64{1}, 0, false, ""},
	} {
		if got := Sparkline(c.in, c.width, TextOptions{ASCII: c.ascii}); got != c.want {
			t.Errorf("Sparkline(%v, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		f     float64
		ascii bool
		want  string
	}{{0, false, "    "}, {0.001, false, "▏   "}, {0.5, false, "██  "}, {0.59, false, "██▍ "}, {1, false, "████"}, {7, false, "████"}, {math.NaN(), false, "    "},
		{0.001, true, "#   "}, {0.5, true, "##  "}} {
		if got := Bar(c.f, 4, TextOptions{ASCII: c.ascii}); got != c.want {
			t.Errorf("Bar(%v) = %q, want %q", c.f, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	got := Table{Header: []string{"flat", "name"}, Align: []Align{AlignRight}, Rows: [][]string{{"1.2 s", "日本.F"}, {"12 ms", "main.main", "x"}, {}}}.String()
	if want := " flat  name\n1.2 s  日本.F\n12 ms  main.main  x\n\n"; got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestCutText(t *testing.T) {
	for _, s := range []string{"", "short", "github.com/org/module.(*Type).Method", "日本語日本語日本語", "e\u0301e\u0301e\u0301e\u0301"} {
		for width := range 20 {
			for _, o := range []TextOptions{{}, {ASCII: true}} {
				if got := CutText(s, width, o); TextWidth(got) > width {
					t.Errorf("CutText(%q, %d) = %q, %d columns", s, width, got, TextWidth(got))
				}
			}
		}
	}
	if got, want := CutText("github.com/org/module.Method", 12, TextOptions{}), "gith….Method"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// chartSeries grows with a wave on it.
func chartSeries() Series {
	s := Series{Name: "heap"}
	for i := range 60 {
		s.X = append(s.X, float64(i*60))
		s.Y = append(s.Y, 40+float64(i)+6*math.Sin(float64(i)/3))
	}
	return s
}

var update = flag.Bool("update", false, "rewrite the golden file")

func TestLineChartGolden(t *testing.T) {
	fy := func(v float64) string { return fmt.Sprintf("%.1f MB", v) }
	fx := func(v float64) string { return fmt.Sprintf("%02.0f:%02.0f", math.Floor(v/60), math.Mod(v, 60)) }
	s := chartSeries()
	half := Series{Name: "live", X: s.X, Y: s.Y[:30]}
	out := LineChart([]Series{s}, 60, 10, ChartOptions{FormatY: fy, FormatX: fx}) +
		LineChart([]Series{s, half}, 60, 9, ChartOptions{FormatY: fy, FormatX: fx, FromZero: true}) +
		LineChart([]Series{s, half}, 60, 8, ChartOptions{FormatY: fy, FormatX: fx, ASCII: true})
	if *update {
		if err := os.WriteFile("testdata/chart.txt", []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/chart.txt")
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("testdata/chart.txt differs (run with -update to accept):\n%s", out)
	}
}

// TestLineChartFits checks that no chart is larger than asked, whatever the input.
func TestLineChartFits(t *testing.T) {
	inf := math.Inf(1)
	for name, in := range map[string][]Series{
		"none": nil, "empty": {{}}, "one": {{Y: []float64{3}}}, "flat": {{Y: []float64{2, 2, 2}}}, "odd": {{Y: []float64{math.NaN(), 1, inf, 2}}},
		"huge": {{Y: []float64{-math.MaxFloat64, math.MaxFloat64}}}, "short x": {{X: []float64{1}, Y: []float64{1, 2, 3}}}, "wave": {chartSeries(), chartSeries()},
	} {
		for _, size := range [][2]int{{0, 0}, {20, 4}, {40, 7}, {200, 30}} {
			for _, ascii := range []bool{false, true} {
				got := LineChart(in, size[0], size[1], ChartOptions{ASCII: ascii, FormatX: func(v float64) string { return fmt.Sprintf("%g", v) }})
				lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
				if len(lines) > max(size[1], 4) {
					t.Errorf("%s %v: %d lines", name, size, len(lines))
				}
				for _, l := range lines {
					if TextWidth(l) > max(size[0], 20) {
						t.Errorf("%s %v: line %q has %d columns", name, size, l, TextWidth(l))
					}
					if ascii && strings.ContainsFunc(l, func(r rune) bool { return r > 126 }) {
						t.Errorf("%s: %q is not ASCII", name, l)
					}
				}
			}
		}
	}
}
