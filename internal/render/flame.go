package render

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/textart"
)

// Flame is a tree of frames in columns. Frame i hangs under Parent[i], which must be smaller than i, or is a root where
// Parent[i] is negative. All columns have one entry a frame; Delta and Width may be nil. The writers do not change it.
type Flame struct {
	Names    []string // names, each once; Name points here
	Parent   []int32
	Name     []int32    // index in Names
	Self     []int64    // own value in base units
	Total    []int64    // value with all frames below
	Category []Category // nil: all CategoryNone
	Delta    []int64    // change against a base; nil: no comparison
	Width    []int64    // what a frame's width stands for; nil: Total. In a comparison usually the larger of old and new

	ids map[string]int32 // interned names of Add
}

// Add appends a frame under parent (negative: a root) and returns its number. It is a convenience for building the columns.
func (f *Flame) Add(parent int, name string, c Category, self, total int64) int {
	if f.ids == nil {
		f.ids = make(map[string]int32)
		for i, s := range f.Names {
			f.ids[s] = int32(i)
		}
	}
	id, ok := f.ids[name]
	if !ok {
		id = int32(len(f.Names))
		f.ids[name] = id
		f.Names = append(f.Names, name)
	}
	f.Parent = append(f.Parent, int32(max(parent, -1)))
	f.Name = append(f.Name, id)
	f.Self = append(f.Self, self)
	f.Total = append(f.Total, total)
	f.Category = append(f.Category, c)
	return len(f.Parent) - 1
}

// Check reports the first way in which the columns do not fit together.
func (f *Flame) Check() error {
	n := len(f.Parent)
	if len(f.Name) != n || len(f.Self) != n || len(f.Total) != n || f.Category != nil && len(f.Category) != n ||
		f.Delta != nil && len(f.Delta) != n || f.Width != nil && len(f.Width) != n {
		return fmt.Errorf("check flame: columns differ in length: parent %d, name %d, self %d, total %d, category %d, delta %d, width %d",
			n, len(f.Name), len(f.Self), len(f.Total), len(f.Category), len(f.Delta), len(f.Width))
	}
	for i, p := range f.Parent {
		if int(p) >= i {
			return fmt.Errorf("check flame: frame %d: parent %d does not come before it", i, p)
		}
		if f.Name[i] < 0 || int(f.Name[i]) >= len(f.Names) {
			return fmt.Errorf("check flame: frame %d: name %d of %d", i, f.Name[i], len(f.Names))
		}
	}
	return nil
}

// category returns the category of frame i.
func (f *Flame) category(i int32) Category {
	if f.Category == nil {
		return CategoryNone
	}
	return f.Category[i]
}

// widths returns what each frame's width stands for: never negative, and never less than its children need.
func (f *Flame) widths() []float64 {
	out := make([]float64, len(f.Parent))
	below := make([]float64, len(f.Parent))
	for i := len(f.Parent) - 1; i >= 0; i-- {
		v := f.Total[i]
		if f.Width != nil {
			v = f.Width[i]
		}
		out[i] = max(float64(v), below[i], 0)
		if p := f.Parent[i]; p >= 0 {
			below[p] += out[i]
		}
	}
	return out
}

// change returns the relative change of frame i, -1..+1: the difference as a share of the larger of old and new.
func (f *Flame) change(i int32) float64 {
	now, delta := float64(f.Total[i]), float64(f.Delta[i])
	base := max(math.Abs(now), math.Abs(now-delta))
	if base == 0 {
		return 0
	}
	return min(max(delta/base, -1), 1)
}

// FlameOptions tunes LayoutFlame. The zero value is good.
type FlameOptions struct {
	Title    string
	Header   []string           // lines under the title
	Width    float64            // of the picture, px; 0: 1200
	Row      float64            // height of a frame, px; 0: 20
	MinWidth float64            // narrower frames are folded, px; 0: 0.5
	MaxDepth int                // deeper frames are folded; 0: 160
	Format   func(int64) string // prints a value with its unit; nil: plain digits
	Keep     bool               // keep the input's order of siblings; otherwise the widest comes first
}

// FlameDrawing is a placed flame graph. What is folded is also said at the foot of the picture.
type FlameDrawing struct {
	*Drawing
	Frames      int     // frames drawn
	Folded      int     // frames not drawn because they are too narrow or too deep
	FoldedShare float64 // width of the topmost folded frames as a share of the whole, 0..1
	TooDeep     int     // those of Folded that lie deeper than MaxDepth
}

const flameText = 12.0

// LayoutFlame places a flame graph: root on top, callees below.
func LayoutFlame(f *Flame, o FlameOptions) (*FlameDrawing, error) {
	if err := f.Check(); err != nil {
		return nil, fmt.Errorf("lay out flame graph: %w", err)
	}
	l := newFlameLayouter(f, o)
	l.head()
	l.frames()
	l.foot()
	return l.out, nil
}

// WriteFlameSVG lays out a flame graph and writes it as a stand-alone SVG.
func WriteFlameSVG(w io.Writer, f *Flame, o FlameOptions, s SVGOptions) error {
	d, err := LayoutFlame(f, o)
	if err != nil {
		return err
	}
	return WriteSVG(w, d.Drawing, s)
}

// flameLayouter holds what the steps of one LayoutFlame share.
type flameLayouter struct {
	f     *Flame
	o     FlameOptions
	m     measurer
	out   *FlameDrawing
	width []float64
	kids  adjacency // children of frame i at i+1, the roots at 0
	whole float64   // width of all roots
	sum   int64     // their total
	used  [categoryCount]bool
}

func newFlameLayouter(f *Flame, o FlameOptions) *flameLayouter {
	if !(o.Width >= 200) {
		o.Width = 1200
	}
	if !(o.Row >= 16) {
		o.Row = 20
	}
	if !(o.MinWidth > 0) {
		o.MinWidth = 0.5
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = 160
	}
	if o.Format == nil {
		o.Format = func(v int64) string { return strconv.FormatInt(v, 10) }
	}
	l := &flameLayouter{f: f, o: o, m: newMeasurer(), width: f.widths()}
	l.out = &FlameDrawing{Drawing: &Drawing{Title: textart.Clean(o.Title), Width: o.Width}}
	n := len(f.Parent)
	l.kids = newAdjacency(n+1, n, func(i int) (int32, int32) { return max(f.Parent[i], -1) + 1, int32(i) })
	if !o.Keep {
		for i := range n + 1 {
			slices.SortStableFunc(l.kids.of(int32(i)), func(a, b int32) int {
				if d := cmp.Compare(l.width[b], l.width[a]); d != 0 {
					return d
				}
				return strings.Compare(f.Names[f.Name[a]], f.Names[f.Name[b]])
			})
		}
	}
	for _, i := range l.kids.of(0) {
		l.whole += l.width[i]
		l.sum += f.Total[i]
	}
	return l
}

// head draws title and header lines.
func (l *flameLayouter) head() {
	var shapes []Shape
	y := pageMargin
	limit := l.o.Width - 2*pageMargin
	if l.out.Title != "" {
		s := l.m.shorten(l.out.Title, FontBold, titleSize, limit)
		shapes = append(shapes, textShape(pageMargin, y+titleSize*0.85, s, titleSize, FontBold, paintText1()))
		y += titleSize * 1.6
	}
	for _, s := range l.o.Header {
		s = l.m.shorten(textart.Clean(s), FontSans, legendSize, limit)
		if s != "" {
			shapes = append(shapes, textShape(pageMargin, y+legendSize*0.9, s, legendSize, FontSans, paintText2()))
		}
		y += legendSize * 1.45
	}
	if len(shapes) > 0 {
		l.out.Items = append(l.out.Items, Item{Kind: ItemDecor, Ref: -1, ID: "head", Shapes: shapes})
		y += 10
	}
	l.out.Height = y
}

// flameSpan is a frame on the stack of the walk: its left end in px and its depth.
type flameSpan struct {
	i     int32
	x     float64
	depth int
}

// frames walks the tree from the top and draws each frame that is wide enough; others are counted with all below them.
func (l *flameLayouter) frames() {
	y0 := l.out.Height
	if !(l.whole > 0) {
		return
	}
	scale := (l.o.Width - 2*pageMargin) / l.whole
	deepest := -1
	var stack []flameSpan
	push := func(kids []int32, x float64, depth int) {
		at := len(stack)
		for _, k := range kids {
			stack = append(stack, flameSpan{k, x, depth})
			x += l.width[k] * scale
		}
		slices.Reverse(stack[at:])
	}
	push(l.kids.of(0), pageMargin, 0)
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		w := l.width[s.i] * scale
		if w < l.o.MinWidth || s.depth >= l.o.MaxDepth {
			n := l.countBelow(s.i)
			l.out.Folded += n
			l.out.FoldedShare += l.width[s.i] / l.whole
			if w >= l.o.MinWidth {
				l.out.TooDeep += n
			}
			continue
		}
		deepest = max(deepest, s.depth)
		l.frame(s.i, Rect{s.x, y0 + float64(s.depth)*(l.o.Row+1), w, l.o.Row})
		push(l.kids.of(s.i+1), s.x, s.depth+1)
	}
	l.out.Height = y0 + float64(deepest+1)*(l.o.Row+1)
}

// countBelow counts frame i and all frames under it.
func (l *flameLayouter) countBelow(i int32) int {
	n := 0
	stack := []int32{i}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n++
		stack = append(stack, l.kids.of(v+1)...)
	}
	return n
}

// frame draws one frame. In a comparison the fill says the change and the category moves to the left edge.
func (l *flameLayouter) frame(i int32, r Rect) {
	c := l.f.category(i)
	if c < categoryCount {
		l.used[c] = true
	}
	box := r
	if r.W > 3 {
		box.W -= 1 // a gap between neighbours
	}
	fill := c.Paint()
	if l.f.Delta != nil {
		fill = changeFrame(l.f.change(i))
	}
	shapes := []Shape{rectShape(box, min(2, box.W/3), fill, Paint{}, 0)}
	pad := 4.0
	if l.f.Delta != nil && c != CategoryNone && box.W > 10 {
		shapes = append(shapes, rectShape(Rect{box.X, box.Y, 3, box.H}, 1, c.Paint(), Paint{}, 0))
		pad = 7
	}
	if room := box.W - pad - 3; room >= 20 {
		if s := l.label(i, room); s != "" {
			shapes = append(shapes, textShape(box.X+pad, box.Y+box.H/2+flameText*0.35, s, flameText, FontMono, paintInk()))
		}
	}
	l.out.Frames++
	l.out.Items = append(l.out.Items, Item{Kind: ItemFrame, Ref: int(i), ID: "f" + strconv.Itoa(int(i)), Tooltip: l.tooltip(i), Shapes: shapes})
}

// label returns the best text for room px: name and value, the name, its end after the last slash, or that cut short.
func (l *flameLayouter) label(i int32, room float64) string {
	name := capRunes(textart.Clean(l.f.Names[l.f.Name[i]]))
	short := name[strings.LastIndexByte(name, '/')+1:]
	value := l.o.Format(l.f.Total[i])
	if l.f.Delta != nil && l.f.Delta[i] != 0 {
		value += " " + signed(l.f.Delta[i], l.o.Format)
	}
	for _, s := range [4]string{name + "  " + value, short + "  " + value, name, short} {
		if l.m.width(s, FontMono, flameText) <= room {
			return s
		}
	}
	if short == "" {
		short = name
	}
	s := []rune(short)
	for len(s) > 1 && l.m.width(string(s)+ellipsis, FontMono, flameText) > room {
		s = s[:len(s)-1]
	}
	if len(s) < 2 {
		return ""
	}
	return string(s) + ellipsis
}

// signed prints a change with arrow and sign.
func signed(v int64, format func(int64) string) string {
	switch {
	case v > 0:
		return "▲ +" + format(v)
	case v < 0:
		return "▼ " + format(v)
	}
	return "no change"
}

func (l *flameLayouter) tooltip(i int32) string {
	share := func(v int64) string {
		if l.sum == 0 {
			return ""
		}
		return fmt.Sprintf(" (%.2f%%)", float64(v)/float64(l.sum)*100)
	}
	f := l.f
	s := fmt.Sprintf("%s\n%s%s, self %s%s", textart.Clean(f.Names[f.Name[i]]), l.o.Format(f.Total[i]), share(f.Total[i]), l.o.Format(f.Self[i]), share(f.Self[i]))
	if f.Delta != nil {
		s += "\nchange " + signed(f.Delta[i], l.o.Format)
	}
	return s
}

// foot draws the key and says what is folded.
func (l *flameLayouter) foot() {
	var cats []Category
	for c, ok := range l.used {
		if ok && Category(c) != CategoryNone {
			cats = append(cats, Category(c))
		}
	}
	y := l.out.Height + 22
	var shapes []Shape
	x := pageMargin
	if l.f.Delta != nil {
		for _, k := range []struct {
			fill Paint
			word string
		}{{changeFrame(-1), "▼ less"}, {changeFrame(0), "same"}, {changeFrame(1), "▲ more"}} {
			shapes = append(shapes, rectShape(Rect{x, y - 10, 11, 11}, 2.5, k.fill, Paint{}, 0), textShape(x+16, y, k.word, legendSize, FontSans, paintText2()))
			x += 32 + l.m.width(k.word, FontSans, legendSize)
		}
	}
	shapes = append(shapes, keyShapes(l.m, cats, x, y)...)
	if len(shapes) > 0 {
		y += 20
	}
	shapes = append(shapes, textShape(pageMargin, y, l.foldedNote(), legendSize, FontSans, paintText3()))
	l.out.Items = append(l.out.Items, Item{Kind: ItemDecor, Ref: -1, ID: "foot", Shapes: shapes})
	l.out.Height = math.Ceil(y + 16)
}

func (l *flameLayouter) foldedNote() string {
	switch {
	case !(l.whole > 0):
		return "Nothing to draw: all values are zero."
	case l.out.Folded == 0:
		return fmt.Sprintf("All %d frames are drawn.", l.out.Frames)
	}
	s := fmt.Sprintf("%d frames drawn; %d narrower than %s px are folded (%.2g%% of the total).",
		l.out.Frames, l.out.Folded-l.out.TooDeep, num(l.o.MinWidth), l.out.FoldedShare*100)
	if l.out.TooDeep > 0 {
		s = fmt.Sprintf("%d frames drawn; %d folded (%.2g%% of the total): narrower than %s px, or, %d of them, deeper than %d levels.",
			l.out.Frames, l.out.Folded, l.out.FoldedShare*100, num(l.o.MinWidth), l.out.TooDeep, l.o.MaxDepth)
	}
	return s
}
