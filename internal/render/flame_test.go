package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/textart"
)

// smallFlame is main -> work (60: 10 self, json 50) and gc (40).
func smallFlame() *Flame {
	f := &Flame{}
	root := f.Add(-1, "root", CategoryNone, 0, 100)
	work := f.Add(root, "main.work", CategoryOwn, 10, 60)
	f.Add(root, "runtime.gcBgMarkWorker", CategoryRuntime, 40, 40)
	f.Add(work, "encoding/json.Marshal", CategoryStd, 50, 50)
	return f
}

// randomFlame makes a tree of n frames whose totals add up.
func randomFlame(seed uint64, n int) *Flame {
	r := rand.New(rand.NewPCG(seed, 3))
	f := &Flame{}
	for i := range n {
		parent := i - 1 - r.IntN(min(i, 40)+1)
		f.Add(parent, fmt.Sprintf("github.com/org/pkg%d.(*T).Func%d", i%50, i%997), Category(r.IntN(int(categoryCount))), r.Int64N(1000), 0)
	}
	for i := n - 1; i >= 0; i-- {
		f.Total[i] += f.Self[i]
		if p := f.Parent[i]; p >= 0 {
			f.Total[p] += f.Total[i]
		}
	}
	return f
}

func TestFlameLayout(t *testing.T) {
	format := func(v int64) string { return fmt.Sprintf("%d ms", v) }
	for name, f := range map[string]*Flame{"small": smallFlame(), "empty": {}, "random": randomFlame(1, 5000)} {
		t.Run(name, func(t *testing.T) {
			d, err := LayoutFlame(f, FlameOptions{Title: "t", Header: []string{"h"}, Format: format})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Frames + d.Folded; got != len(f.Parent) {
				t.Errorf("%d drawn and %d folded, have %d frames", d.Frames, d.Folded, len(f.Parent))
			}
			if d.FoldedShare < 0 || d.FoldedShare > 1.0001 {
				t.Errorf("folded share %v", d.FoldedShare)
			}
			rows := map[float64][]Rect{}
			for _, it := range d.Items {
				if it.Kind == ItemFrame {
					r := it.Shapes[0].Rect
					rows[r.Y] = append(rows[r.Y], r)
				}
			}
			for _, row := range rows { // the walk draws a row from left to right
				for i := 1; i < len(row); i++ {
					if row[i].X < row[i-1].X+row[i-1].W-1e-6 {
						t.Fatalf("frames overlap: %v, %v", row[i-1], row[i])
					}
				}
			}
			checkText(t, d.Drawing)
			writeAll(t, d.Drawing)
		})
	}
}

func TestFlameSaysWhatIsFolded(t *testing.T) {
	f := &Flame{}
	root := f.Add(-1, "root", CategoryNone, 0, 100_000)
	f.Add(root, "big", CategoryOwn, 99_990, 99_990)
	small := f.Add(root, "small", CategoryOwn, 0, 10)
	f.Add(small, "below small", CategoryOwn, 10, 10)
	at := root
	for range 300 {
		at = f.Add(at, "deep", CategoryOwn, 0, 0)
	}
	f.Width = make([]int64, len(f.Total))
	copy(f.Width, f.Total)
	d, err := LayoutFlame(f, FlameOptions{})
	if err != nil {
		t.Fatal(err)
	}
	foot := d.Items[len(d.Items)-1].Shapes
	if got, want := foot[len(foot)-1].Text, "2 frames drawn; 302 narrower than 0.5 px are folded (0.01% of the total)."; got != want {
		t.Errorf("foot %q, want %q", got, want)
	}
	for i := range f.Total[4:] {
		f.Total[4+i], f.Width[4+i] = 50_000, 50_000
	}
	if d, err = LayoutFlame(f, FlameOptions{MaxDepth: 20}); err != nil {
		t.Fatal(err)
	}
	if d.TooDeep != 300-19 {
		t.Errorf("%d frames too deep, want %d", d.TooDeep, 300-19)
	}
}

func TestFlameGolden(t *testing.T) {
	f := smallFlame()
	var b bytes.Buffer
	if err := WriteFlameSVG(&b, f, FlameOptions{Title: "demo", Width: 600}, SVGOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "flame.svg", b.Bytes())
	f.Delta = []int64{10, 30, -20, 30}
	b.Reset()
	if err := WriteFlameSVG(&b, f, FlameOptions{Title: "demo", Width: 600}, SVGOptions{Theme: ThemeLight}); err != nil {
		t.Fatal(err)
	}
	golden(t, "flame-diff.svg", b.Bytes())
}

func TestFlameCheck(t *testing.T) {
	for name, spoil := range map[string]func(*Flame){
		"length": func(f *Flame) { f.Self = f.Self[1:] },
		"delta":  func(f *Flame) { f.Delta = []int64{1} },
		"parent": func(f *Flame) { f.Parent[1] = 3 },
		"self":   func(f *Flame) { f.Parent[2] = 2 },
		"name":   func(f *Flame) { f.Name[0] = 99 },
	} {
		f := smallFlame()
		spoil(f)
		if _, err := LayoutFlame(f, FlameOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := WriteHTML(&bytes.Buffer{}, HTMLPage{Flame: f}); err == nil {
			t.Errorf("%s: no error from WriteHTML", name)
		}
	}
}

// pageJSON returns the data of a page.
func pageJSON(t *testing.T, page string) pageData {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("page has no data")
	}
	var d pageData
	if err := json.Unmarshal([]byte(m[1]), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHTML(t *testing.T) {
	f := smallFlame()
	nasty := "</script><script>alert(1)</script>\u2028<!-- {{js}} \xff"
	f.Add(0, nasty, CategoryOwn, 5, 5)
	var b bytes.Buffer
	err := WriteHTML(&b, HTMLPage{Title: nasty, Header: []HeaderLine{{"a" + nasty, nasty}}, Notes: []string{nasty}, Unit: Unit{Kind: UnitNanos},
		Flame: f, Graph: Layout(Graph{Title: nasty, Nodes: []Node{{ID: nasty, Tooltip: nasty, Lines: []Line{{Text: nasty}}}}}, Options{})})
	if err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "alert(1)</script>") || strings.Contains(page, "<script>alert") || strings.Contains(page, "\u2028") {
		t.Error("a name broke out of its place")
	}
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d script elements, want 2", n)
	}
	for _, m := range regexp.MustCompile(`https?://[^"' ]*`).FindAllString(page, -1) {
		if m != "http://www.w3.org/2000/svg" {
			t.Errorf("the page names %s", m)
		}
	}
	d := pageJSON(t, page)
	if got := d.Flame.Names[d.Flame.Name[4]]; got != textart.Clean(nasty) {
		t.Errorf("name %q, want %q", got, textart.Clean(nasty))
	}
	if len(d.Unit.Steps) == 0 || d.Unit.Steps[0].Suffix != "ns" {
		t.Errorf("unit %v", d.Unit)
	}
}

func TestHTMLPrunes(t *testing.T) {
	f := &Flame{}
	root := f.Add(-1, "root", CategoryNone, 0, 1_000_000)
	f.Add(root, "big", CategoryOwn, 999_990, 999_990)
	small := f.Add(root, "small", CategoryOwn, 4, 10)
	f.Add(small, "below", CategoryOwn, 6, 6)
	for _, c := range []struct {
		min    float64
		frames int
		share  float64
	}{{0, 2, 1e-5}, {-1, 0, 0}, {8e-6, 1, 6e-6}} {
		var b bytes.Buffer
		if err := WriteHTML(&b, HTMLPage{Flame: f, MinShare: c.min}); err != nil {
			t.Fatal(err)
		}
		d := pageJSON(t, b.String())
		if d.Pruned.Frames != c.frames || math.Abs(d.Pruned.Share-c.share) > 1e-12 {
			t.Errorf("min %v: pruned %+v, want %d frames, %v", c.min, d.Pruned, c.frames, c.share)
		}
		if got := len(d.Flame.Parent); got != 4-c.frames {
			t.Errorf("min %v: %d frames left", c.min, got)
		}
	}
}

func BenchmarkHTML100k(b *testing.B) {
	f := randomFlame(1, 100_000)
	for b.Loop() {
		var w bytes.Buffer
		if err := WriteHTML(&w, HTMLPage{Flame: f, MinShare: -1}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(w.Len()))
	}
}
