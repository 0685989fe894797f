package render

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/profoundhq/profound/internal/textart"
)

//go:embed assets/page.html assets/page.css assets/page.js assets/flame.js
var pageAssets embed.FS

// UnitKind names a class of values that the page can print without further help.
type UnitKind string

// The unit kinds.
const (
	UnitBytes UnitKind = "bytes" // base unit byte, steps of 1024
	UnitNanos UnitKind = "ns"    // base unit nanosecond
	UnitCount UnitKind = "count" // a plain number
)

// UnitStep is one size a value may be printed in: Factor base units make one Suffix.
type UnitStep struct {
	Factor float64 `json:"f"`
	Suffix string  `json:"s"`
}

// Unit says how the page prints values.
type Unit struct {
	Kind  UnitKind
	Steps []UnitStep // smallest first; nil: the usual ones of Kind
}

// steps returns the steps to print with; an unknown kind counts as UnitCount.
func (u Unit) steps() []UnitStep {
	switch {
	case len(u.Steps) > 0:
		return u.Steps
	case u.Kind == UnitBytes:
		return []UnitStep{{1, "B"}, {1 << 10, "KiB"}, {1 << 20, "MiB"}, {1 << 30, "GiB"}, {1 << 40, "TiB"}, {1 << 50, "PiB"}}
	case u.Kind == UnitNanos:
		return []UnitStep{{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}, {60e9, "min"}, {3600e9, "h"}}
	}
	return []UnitStep{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}}
}

// HeaderLine is one fact about the data, shown at the head of the page: "Type" "cpu".
type HeaderLine struct{ Label, Value string }

// HTMLPage is what WriteHTML shows. Flame or Graph may be nil; its tab is then left out.
type HTMLPage struct {
	Title    string
	Header   []HeaderLine
	Notes    []string // warnings and remarks, shown above the pictures
	Unit     Unit
	Flame    *Flame
	Graph    *Drawing
	MinShare float64 // frames under this share of the whole are left out of the file, and counted; 0: 1/20,000; negative: none
}

// pageData is the JSON the page's script reads. Its field names are the script's.
type pageData struct {
	Unit   pageUnit   `json:"unit"`
	Flame  *pageFlame `json:"flame"`
	Pruned pagePruned `json:"pruned"`
}

type pageUnit struct {
	Kind  UnitKind   `json:"kind"`
	Steps []UnitStep `json:"steps"`
}

type pagePruned struct {
	Frames int     `json:"frames"`
	Share  float64 `json:"share"`
}

type pageFlame struct {
	Names      []string `json:"names"`
	Categories []string `json:"categories"`
	Parent     []int32  `json:"parent"`
	Name       []int32  `json:"name"`
	Self       []int64  `json:"self"`
	Total      []int64  `json:"total"`
	Category   []int    `json:"category"`
	Delta      []int64  `json:"delta,omitempty"`
	Width      []int64  `json:"width,omitempty"`
}

// WriteHTML writes one HTML file that needs nothing else: no network, no fonts, no server. A content security policy in the
// file forbids it to load anything.
func WriteHTML(w io.Writer, p HTMLPage) error {
	data := pageData{Unit: pageUnit{p.Unit.Kind, p.Unit.steps()}}
	if p.Flame != nil {
		if err := p.Flame.Check(); err != nil {
			return fmt.Errorf("write HTML: %w", err)
		}
		data.Flame, data.Pruned = prunedFlame(p.Flame, p.MinShare)
	}
	js, err := json.Marshal(data) // escapes <, >, & and U+2028, so no name can end the script element
	if err != nil {
		return fmt.Errorf("write HTML: encode flame graph: %w", err)
	}
	var graph bytes.Buffer
	if p.Graph != nil {
		if err := WriteSVG(&graph, p.Graph, SVGOptions{Inline: true, Interactive: true, IDPrefix: "g-"}); err != nil {
			return fmt.Errorf("write HTML: %w", err)
		}
	}
	title := textart.Clean(p.Title)
	if title == "" {
		title = "Profile"
	}
	r := strings.NewReplacer( // one pass: what is put in is not searched again
		"{{title}}", escape(title), "{{labels}}", labelsHTML(p.Header), "{{notes}}", notesHTML(p.Notes),
		"{{tokens}}", tokensCSS(), "{{css}}", asset("page.css"), "{{graph}}", graph.String(), "{{data}}", string(js),
		"{{script}}", PageScript())
	if _, err := r.WriteString(w, asset("page.html")); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

// PageScript is the script of the pages that WriteHTML writes, as it stands between its tags: a server can permit it by its hash.
func PageScript() string {
	return "\n" + panZoomJS + "\n" + asset("flame.js") + "\n" + asset("page.js") + "\n"
}

// asset returns an embedded file.
func asset(name string) string {
	b, err := pageAssets.ReadFile("assets/" + name)
	if err != nil {
		panic("render: missing asset " + name)
	}
	return string(b)
}

func labelsHTML(lines []HeaderLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "<div><dt>%s</dt><dd>%s</dd></div>", escape(textart.Clean(l.Label)), escape(textart.Clean(l.Value)))
	}
	return b.String()
}

func notesHTML(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<ul class="notes">`)
	for _, n := range notes {
		fmt.Fprintf(&b, "<li>%s</li>", escape(textart.Clean(n)))
	}
	b.WriteString("</ul>")
	return b.String()
}

// tokensCSS writes the colours of both themes as custom properties, from the same paints the drawings use.
func tokensCSS() string {
	tokens := []struct {
		name  string
		paint Paint
	}{
		{"page", paintPage()}, {"card", paintCard()}, {"inset", Solid(0xeef2f6, 0x1c2430)}, {"line", paintLine()},
		{"text1", paintText1()}, {"text2", paintText2()}, {"text3", paintText3()},
		{"accent", Solid(0x1a5fd0, 0x6aa8ff)}, {"accentbg", Solid(0xe3edfc, 0x1a2c47)},
		{"grow", paintGrow()}, {"shrink", paintShrink()},
		{"less", changeFrame(-1)}, {"same", changeFrame(0)}, {"more", changeFrame(1)},
	}
	list := func(t Theme) string {
		var b strings.Builder
		for _, k := range tokens {
			fmt.Fprintf(&b, "--%s:%s;", k.name, k.paint.at(t))
		}
		for c := range categoryCount {
			fmt.Fprintf(&b, "--cat%d:%s;", c, c.Paint().at(t))
		}
		return b.String()
	}
	light, dark := list(ThemeLight), list(ThemeDark)
	return ":root{color-scheme:light;" + light + "}\n@media(prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;" + dark +
		"}}\n:root[data-theme=dark]{color-scheme:dark;" + dark + "}"
}

// prunedFlame copies the columns without the frames under minShare of the whole and says how many those are and what
// share of the whole they make up.
func prunedFlame(f *Flame, minShare float64) (*pageFlame, pagePruned) {
	if minShare == 0 {
		minShare = 1.0 / 20_000
	}
	width := f.widths()
	whole := 0.0
	for i, p := range f.Parent {
		if p < 0 {
			whole += width[i]
		}
	}
	out := &pageFlame{Names: []string{}, Parent: []int32{}, Name: []int32{}, Self: []int64{}, Total: []int64{}, Category: []int{}}
	for c := range categoryCount {
		out.Categories = append(out.Categories, c.String())
	}
	var pruned pagePruned
	number := make([]int32, len(f.Parent)) // place in out, -1 for a pruned frame
	names := make([]int32, len(f.Names))   // place in out.Names + 1, 0 for a name not used yet
	for i, p := range f.Parent {
		top := p < 0 || number[p] >= 0
		if !top || width[i] < minShare*whole {
			number[i] = -1
			pruned.Frames++
			if top && whole > 0 {
				pruned.Share += width[i] / whole
			}
			continue
		}
		number[i] = int32(len(out.Parent))
		up := int32(-1)
		if p >= 0 {
			up = number[p]
		}
		out.Parent = append(out.Parent, up)
		name := &names[f.Name[i]]
		if *name == 0 {
			out.Names = append(out.Names, textart.Clean(f.Names[f.Name[i]]))
			*name = int32(len(out.Names))
		}
		out.Name = append(out.Name, *name-1)
		out.Self = append(out.Self, f.Self[i])
		out.Total = append(out.Total, f.Total[i])
		c := f.category(int32(i))
		if c >= categoryCount {
			c = CategoryNone
		}
		out.Category = append(out.Category, int(c))
		if f.Delta != nil {
			out.Delta = append(out.Delta, f.Delta[i])
		}
		if f.Width != nil {
			out.Width = append(out.Width, f.Width[i])
		}
	}
	return out, pruned
}
