package render

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/gif"
	"image/png"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		_ = os.WriteFile(path+".got", got, 0o644) // left beside the golden file for a look
		t.Errorf("%s differs, see %s.got (run with -update to accept)", path, path)
	}
}

// smallGraph shows one of everything: heat, categories, a pill, a loop, a dashed edge, a cycle, a label.
func smallGraph() Graph {
	return Graph{
		Title: "demo · CPU", Legend: []string{"Type: cpu", "Total 10 s"},
		Nodes: []Node{
			{ID: "main", Lines: []Line{{Text: "main.main", Bold: true}, {Text: "0 of 10s (100%)", Size: 11, Muted: true}}, Category: CategoryOwn, Heat: 1, Tooltip: "main.main\n10s <&\">"},
			{Lines: []Line{{Text: "encoding/json.(*Encoder).Encode", Bold: true, Wrap: 2}}, Category: CategoryStd, Heat: 0.6},
			{Lines: []Line{{Text: "runtime.mallocgc", Size: 18, Bold: true}}, Category: CategoryRuntime, Heat: 0.3},
			{Lines: []Line{{Text: "16 B", Size: 11}}, Pill: true},
		},
		Edges: []Edge{{From: 0, To: 1, Weight: 0.6, Label: "6s"}, {From: 1, To: 2, Weight: 0.3, Label: "3s", Dashed: true}, {From: 2, To: 3, Dotted: true},
			{From: 2, To: 0, Weight: 0.1, Label: "1s"}, {From: 1, To: 1, Weight: 0.1, Label: "1s"}},
	}
}

// writeAll runs every writer over a drawing and checks that the output parses.
func writeAll(t *testing.T, d *Drawing) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSVG(&b, d, SVGOptions{Interactive: true}); err != nil {
		t.Fatal(err)
	}
	checkSVG(t, b.Bytes())
	b.Reset()
	if err := WritePNG(&b, d, ImageOptions{Scale: 0.5, Theme: ThemeDark}); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&b); err != nil {
		t.Error(err)
	}
	b.Reset()
	if err := WriteGIF(&b, d, ImageOptions{Scale: 0.5}); err != nil {
		t.Fatal(err)
	}
	if _, err := gif.Decode(&b); err != nil {
		t.Error(err)
	}
	b.Reset()
	if err := WritePDF(&b, d, PDFOptions{}); err != nil {
		t.Fatal(err)
	}
	checkPDF(t, b.Bytes())
	b.Reset()
	if err := WritePS(&b, d, PDFOptions{}); err != nil {
		t.Fatal(err)
	}
}

// checkSVG tests that the document is well-formed and its ids are unique.
func checkSVG(t *testing.T, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	seen := map[string]bool{}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("SVG is not well-formed: %v", err)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range el.Attr {
			if a.Name.Local == "id" && seen[a.Value] {
				t.Errorf("id %q is used twice", a.Value)
			} else if a.Name.Local == "id" {
				seen[a.Value] = true
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("attribute %s=%q", a.Name.Local, a.Value)
			}
		}
	}
}

// checkPDF tests that each entry of the cross-reference table points at its object, and returns the page's operators.
func checkPDF(t *testing.T, pdf []byte) string {
	t.Helper()
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(pdf)
	if m == nil {
		t.Fatal("PDF has no startxref")
	}
	at, _ := strconv.Atoi(string(m[1]))
	if !bytes.HasPrefix(pdf[at:], []byte("xref\n0 ")) {
		t.Fatalf("startxref points at %q", pdf[at:at+10])
	}
	for i, off := range regexp.MustCompile(`(\d{10}) 00000 n \n`).FindAllSubmatch(pdf[at:], -1) {
		o, _ := strconv.Atoi(string(off[1]))
		if want := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(pdf[o:], []byte(want)) {
			t.Errorf("object %d: the table points at %q", i+1, pdf[o:o+10])
		}
	}
	_, rest, _ := bytes.Cut(pdf, []byte("stream\n"))
	data, _, _ := bytes.Cut(rest, []byte("\nendstream"))
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	ops, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(ops)
}

func TestWriters(t *testing.T) {
	d := Layout(smallGraph(), Options{})
	checkDrawing(t, smallGraph(), d)
	writeAll(t, d)
	var b bytes.Buffer
	for _, c := range []struct {
		file string
		opt  SVGOptions
	}{{"small.svg", SVGOptions{}}, {"small-dark.svg", SVGOptions{Theme: ThemeDark, IDPrefix: "x-"}}} {
		b.Reset()
		if err := WriteSVG(&b, d, c.opt); err != nil {
			t.Fatal(err)
		}
		golden(t, c.file, b.Bytes())
	}
}

func TestPDFText(t *testing.T) {
	d := &Drawing{Width: 100, Height: 50, Title: "ü→日", Items: []Item{{Shapes: []Shape{
		textShape(1, 20, `a(b)\c ▲ é → 日本 …`, 12, FontBold, paintText1()),
		rectShape(Rect{0, 0, 9, 9}, 0, Paint{0xff0000, 0, 0.5}, Paint{}, 0)}}}}
	var b bytes.Buffer
	if err := WritePDF(&b, d, PDFOptions{}); err != nil {
		t.Fatal(err)
	}
	ops := checkPDF(t, b.Bytes())
	if want := "(a\\(b\\)\\\\c ^ \xe9 -> ?? \x85) Tj"; !strings.Contains(ops, want) {
		t.Errorf("text %q is missing in\n%s", want, ops)
	}
	if !strings.Contains(b.String(), "/MediaBox [0 0 75 37.5]") || !strings.Contains(b.String(), "<FEFF00FC219265E5>") || !strings.Contains(b.String(), "/ca 0.5") {
		t.Errorf("page size, title or opacity are wrong:\n%s", b.String())
	}
}

func TestImageScale(t *testing.T) {
	for _, c := range []struct{ w, h, want, least float64 }{{100, 100, 0, 2}, {100, 100, 3, 3}, {1e6, 10, 1, 0.016}, {20_000, 20_000, 4, 0.3}, {0, 0, 1, 1}} {
		d := &Drawing{Width: c.w, Height: c.h}
		s := ImageScale(d, c.want)
		if w, h := c.w*s, c.h*s; w > MaxImageSide || h > MaxImageSide || w*h > MaxImagePixels {
			t.Errorf("%v x %v at scale %v is %v x %v", c.w, c.h, s, w, h)
		}
		if s < c.least {
			t.Errorf("%v x %v: scale %v, want at least %v", c.w, c.h, s, c.least)
		}
	}
}

// TestRasterInk checks that fills, strokes and text leave their colours where they should.
func TestRasterInk(t *testing.T) {
	red, blue := Solid(0xff0000, 0xff0000), Solid(0x0000ff, 0x0000ff)
	d := &Drawing{Width: 60, Height: 40, Items: []Item{{Shapes: []Shape{
		rectShape(Rect{10, 10, 20, 20}, 4, red, blue, 4), textShape(40, 30, "M", 20, FontBold, blue)}}}}
	img := Rasterize(d, ImageOptions{Scale: 1})
	for _, c := range []struct {
		x, y int
		want Color
	}{{20, 20, 0xff0000}, {10, 20, 0x0000ff}, {20, 30, 0x0000ff}, {8, 8, paintPage().Light}, {2, 2, paintPage().Light}} {
		p := img.RGBAAt(c.x, c.y)
		if got := Color(uint32(p.R)<<16 | uint32(p.G)<<8 | uint32(p.B)); got != c.want {
			t.Errorf("pixel %d,%d is %v, want %v", c.x, c.y, got, c.want)
		}
	}
	ink := 0
	for x := 40; x < 60; x++ {
		for y := 10; y < 32; y++ {
			if p := img.RGBAAt(x, y); p.B == 255 && p.R < 40 {
				ink++
			}
		}
	}
	if ink < 40 {
		t.Errorf("the letter left %d dark pixels", ink)
	}
}

// failing is a writer that fails.
type failing struct{}

var errDisk = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errDisk }

func TestWriteErrors(t *testing.T) {
	d := Layout(smallGraph(), Options{})
	for name, err := range map[string]error{
		"svg": WriteSVG(failing{}, d, SVGOptions{}), "png": WritePNG(failing{}, d, ImageOptions{}), "gif": WriteGIF(failing{}, d, ImageOptions{}),
		"pdf": WritePDF(failing{}, d, PDFOptions{}), "ps": WritePS(failing{}, d, PDFOptions{}), "html": WriteHTML(failing{}, HTMLPage{Graph: d}),
	} {
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: error %v, want it to wrap the writer's", name, err)
		}
	}
}
