package web

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/profoundhq/profound/internal/view"
)

// flameShare is the share of the whole under which a path is folded in a large
// tree, unless the question says otherwise: a quarter of a pixel on a wide
// screen.
const flameShare = 1.0 / 20000

// flameView is the tree of call paths, top-down, bottom-up or around a
// function.
func flameView() View {
	return View{
		Name: "flame",
		Help: "Call paths as a tree, in columns (schema flame/1)",
		Params: []Param{
			{"dir", "down | up | around", "From the roots to the leaves, from the leaves to their callers, or both from sel=f:FUNCTION"},
			{"min", "0.00005", "Fold paths below this share of the whole; 0 folds nothing that a million nodes can hold. Unless it is said, nothing is when a tenth of the whole would be"},
			{"z", "KEYS", "Only below the node at the end of a path: the keys of its frames, six hex digits each, from the root"},
			{"mode", "absolute | share", "How a change is drawn; for the page"},
			{"color", "origin | change", "What colours say; for the page"},
		},
		Answer: answerFlame,
	}
}

// flameMeta is what a flame graph says besides its columns.
type flameMeta struct {
	Head
	Dir string `json:"dir"`
	// Min is the share below which paths were folded; Dropped says how many
	// there were and what they weigh.
	Min float64 `json:"min"`
	// Zoom is how many of the first nodes are the path of z. It is less than z
	// names when the path leads nowhere.
	Zoom int `json:"zoom"`
	// Focus is the entry a flame graph with dir=around is around.
	Focus string `json:"focus,omitempty"`
}

func answerFlame(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	dir, err := q.OwnChoice("dir", "down", "up", "around")
	if err != nil {
		return nil, err
	}
	least, err := q.OwnFloat("min", flameShare, 0, 1)
	if err != nil {
		return nil, err
	}
	enough := smallFlame
	if q.Own("min") != "" {
		enough = 0
	}
	path, err := parseZoom(q.Own("z"))
	if err != nil {
		return nil, err
	}
	if dir == "around" && q.Sel.Sort != 'f' {
		return nil, badRequest("Select a function: sel=f:NAME.", "there is nothing selected to look around")
	}
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	meta := flameMeta{Head: d.Head(), Dir: dir, Min: least}
	c := newFlameColumns(d)
	var folds Dropped
	switch dir {
	case "down", "up":
		build := d.View.FlameBelow
		if dir == "up" {
			build = d.View.FlameUp
		}
		t := build(flameBounds(least, enough, path))
		meta.Min = t.MinShare
		meta.Zoom = c.addTree("", t, &folds, len(path))
	case "around":
		callees, callers := d.View.FlameAround(q.Sel.Name, flameBounds(least, enough, path), flameBounds(least, enough, nil))
		meta.Focus = q.Sel.Name
		meta.Zoom = c.addTree("", callees, &folds, len(path))
		c.addTree("up_", callers, &folds, 0)
	}
	if folds.Nodes > 0 {
		meta.Dropped = &folds
	}
	c.columns.Schema, c.columns.Meta = "flame/1", meta
	return &Answer{Columns: c.finish()}, nil
}

// zoomDigits is how many hex digits the key of a frame has.
const zoomDigits = 6

// frameKey names a frame within its siblings in addresses: 24 bits of FNV-1a
// over its printed name.
func frameKey(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h & 0xffffff
}

func parseZoom(z string) ([]uint32, error) {
	if len(z)%zoomDigits != 0 {
		return nil, badRequest("Take z out of the address.", "z=%s is not a path", z)
	}
	var path []uint32
	for i := 0; i < len(z); i += zoomDigits {
		key, err := strconv.ParseUint(z[i:i+zoomDigits], 16, 32)
		if err != nil {
			return nil, badRequest("Take z out of the address.", "z=%s is not a path", z)
		}
		path = append(path, uint32(key))
	}
	return path, nil
}

// maxFlameNodes is how many nodes are sent: as many as a browser draws without
// effort.
const maxFlameNodes = 1_000_000

// smallFlame is how many nodes are sent rather than folded if these are much of
// the whole.
const smallFlame = 1 << 19

func flameBounds(least float64, enough int, path []uint32) view.FlameOptions {
	return view.FlameOptions{MinShare: least, MaxNodes: maxFlameNodes, Enough: enough, Levels: len(path), Step: func(level int, f *view.Frame) bool {
		return frameKey(f.String()) == path[level]
	}}
}

// flameColumns turns trees into columns. Frames are numbered as they are met
// and listed once.
type flameColumns struct {
	d       *Data
	factor  float64
	columns *Columns
	frames  frameColumns
}

func newFlameColumns(d *Data) *flameColumns {
	factor, _ := d.scale()
	return &flameColumns{d: d, factor: factor, columns: &Columns{}, frames: newFrameColumns(d.Names)}
}

// addTree adds the columns of a tree under names that begin with prefix:
// parent, frame, self, total, and base and weight where they tell something.
// It returns how many of the levels of a path the tree has.
func (c *flameColumns) addTree(prefix string, t *view.FlameTree, folds *Dropped, levels int) (zoom int) {
	frame := make([]uint32, len(t.Frame))
	weighs := t.Base != nil
	for i, f := range t.Frame {
		frame[i] = c.frames.number(f)
		weighs = weighs || t.Weight[i] != t.Total[i]
	}
	c.columns.Add(prefix+"parent", t.Parent)
	c.columns.Add(prefix+"frame", frame)
	c.columns.Add(prefix+"self", scaled(t.Self, c.factor))
	c.columns.Add(prefix+"total", scaled(t.Total, c.factor))
	if t.Base != nil {
		c.columns.Add(prefix+"base", scaled(t.Base, c.factor))
	}
	if weighs {
		c.columns.Add(prefix+"weight", scaled(t.Weight, c.factor))
	}
	folds.Nodes += t.Folded
	folds.Weight += float64(t.FoldedWeight) * c.factor
	for zoom < levels && zoom < len(t.Parent) && t.Parent[zoom] == int32(zoom)-1 {
		zoom++
	}
	return zoom
}

func (c *flameColumns) finish() *Columns {
	c.frames.addTo(c.columns)
	return c.columns
}

// scaled is a column of values in base units: whole numbers of 32 bits where
// that is exact, which is half the size.
func scaled(values []int64, factor float64) any {
	small := !slices.ContainsFunc(values, func(v int64) bool {
		x := float64(v) * factor
		return x < 0 || x > math.MaxUint32 || x != math.Trunc(x)
	})
	if small {
		out := make([]uint32, len(values))
		for i, v := range values {
			out[i] = uint32(float64(v) * factor)
		}
		return out
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v) * factor
	}
	return out
}

// frameColumns lists frames and what is known of them, each file and package
// once.
type frameColumns struct {
	names    *Names
	known    map[*view.Frame]uint32
	name     []string
	entry    []uint32 // index in strings: what the frame is selected by
	category []uint8
	pkg      []uint32
	file     []uint32
	line     []uint32
	key      []uint32
	strings  stringTable
}

func newFrameColumns(n *Names) frameColumns {
	return frameColumns{names: n, known: map[*view.Frame]uint32{}, strings: newStringTable()}
}

// number is the row of a frame.
func (c *frameColumns) number(f *view.Frame) uint32 {
	if n, ok := c.known[f]; ok {
		return n
	}
	n := uint32(len(c.name))
	c.known[f] = n
	info := c.names.OfFrame(f)
	name := f.String()
	c.name = append(c.name, name)
	c.entry = append(c.entry, c.strings.number(entryName(f)))
	c.category = append(c.category, uint8(info.Category))
	c.pkg = append(c.pkg, c.strings.number(info.Package))
	c.file = append(c.file, c.strings.number(info.File))
	c.line = append(c.line, uint32(max(0, info.Line)))
	c.key = append(c.key, frameKey(name))
	return n
}

func (c *frameColumns) addTo(to *Columns) {
	to.Add("frame_name", c.name)
	to.Add("frame_entry", c.entry)
	to.Add("frame_category", c.category)
	to.Add("frame_package", c.pkg)
	to.Add("frame_file", c.file)
	to.Add("frame_line", c.line)
	to.Add("frame_key", c.key)
	to.Add("string", c.strings.list)
}

// stringTable numbers strings; 0 is "".
type stringTable struct {
	known map[string]uint32
	list  []string
}

func newStringTable() stringTable {
	return stringTable{known: map[string]uint32{"": 0}, list: []string{""}}
}

func (t *stringTable) number(s string) uint32 {
	n, ok := t.known[s]
	if !ok {
		n = uint32(len(t.list))
		t.known[s] = n
		t.list = append(t.list, s)
	}
	return n
}
