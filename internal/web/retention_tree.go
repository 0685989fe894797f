package web

import (
	"cmp"
	"slices"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// outlineShare is the smallest part of what is asked about that is a row of
// its own in the dominator tree.
const outlineShare = 1.0 / 5000

// outline is a dominator tree with the rows below each row.
type outline struct {
	rows   []why.OutlineRow
	parent []int   // -1 for those at the top
	kids   [][]int // of row i-1; kids[0] are those at the top
	byPath map[string]int
	before []uint64 // by row, nil where there is nothing to compare with
}

// outline makes the dominator tree of a selection once.
func (r *retentionQuestion) outline(key string, s *why.Selection) (*outline, error) {
	return cached(r.ctx, r.session.data, "outline|"+key, func() (*outline, int, error) {
		o := newOutline(r.Outline(s, outlineShare))
		if s.Whole && r.Earlier != nil {
			o.before = r.Earlier.Outline(o.rows)
		}
		return o, 300 * len(o.rows), nil
	})
}

func newOutline(rows []why.OutlineRow) *outline {
	o := &outline{rows: rows, parent: make([]int, len(rows)), kids: make([][]int, len(rows)+1), byPath: map[string]int{}}
	keys := make([]string, len(rows))
	var open []int // the row at each depth
	for i := range rows {
		open = open[:rows[i].Depth]
		up, above := -1, ""
		if len(open) > 0 {
			up = open[len(open)-1]
			above = keys[up]
		}
		keys[i] = stepKey(above, &rows[i].Step)
		o.byPath[keys[i]] = i
		o.parent[i] = up
		o.kids[up+1] = append(o.kids[up+1], i)
		open = append(open, i)
	}
	return o
}

// dominators are the rows at the top, or below one.
func (r *retentionQuestion) dominators(out *Retention) error {
	o, err := r.outline(r.key, r.sel)
	if err != nil {
		return err
	}
	if r.node >= len(o.rows) {
		return notFound("It is of another question; begin at the top again.", "there is no row %d in this tree", r.node)
	}
	for _, k := range o.kids[r.node+1] {
		out.Rows = append(out.Rows, r.outlineRow(o, k))
	}
	if r.node >= 0 {
		return nil
	}
	if len(out.Rows) > 0 {
		top := o.rows[o.kids[0][0]]
		out.Sentence = reason.PathString([]why.Step{top.Step}) + " keeps " + reason.Amount(top.Amount) + " of " + r.what() + "."
	}
	return r.addTiles(out)
}

func (r *retentionQuestion) outlineRow(o *outline, i int) RetentionRow {
	w := &o.rows[i]
	row := RetentionRow{
		ID: i, Name: w.Name, Label: w.Label, Category: r.origins.ofStep(&w.Step), Objects: w.Count, Own: w.Own.Bytes, Keeps: w.Amount.Bytes,
		Repeated: w.Repeated, Children: len(o.kids[i+1]), Without: o.without(i),
	}
	if w.Kind != goheap.KindObject {
		row.Kind = reason.RootWord(w.Kind)
	} else {
		row.Type = w.Name
	}
	if o.before != nil {
		row.Before = &o.before[i]
	}
	if v := r.Analysis.Heap.Vertex(w.Vertex); v.Addr != 0 && w.Kind == goheap.KindObject {
		row.Address = address(v.Addr)
	}
	return row
}

// path are the steps from the top to a row.
func (o *outline) path(i int) []why.Step {
	var steps []why.Step
	for ; i >= 0; i = o.parent[i] {
		steps = append(steps, o.rows[i].Step)
	}
	slices.Reverse(steps)
	return steps
}

// without names the reference to a row, "" if it has no name.
func (o *outline) without(i int) string {
	path := o.path(i)
	switch path[0].Kind {
	case goheap.KindGlobal, goheap.KindGroup, goheap.KindGoroutine, goheap.KindLocal:
	default:
		return "" // several roots hold it, or the runtime does
	}
	for _, s := range path {
		if s.Repeated {
			return ""
		}
	}
	return reason.CutName(&why.Holding{Path: path, Cut: len(path)})
}

// HeapTile is a part of the heap that one owner keeps. Tiles add up to what is
// asked about.
type HeapTile struct {
	// ID is the row of the dominator tree, -1 for the rest.
	ID   int    `json:"id"`
	Name string `json:"name"`
	// Type is what it is, "" for roots. Rest tells that larger parts of it
	// are tiles of their own.
	Type     string         `json:"type,omitempty"`
	Rest     bool           `json:"rest,omitempty"`
	Category categoryNumber `json:"category"`
	Memory
	Without string `json:"without,omitempty"`
}

// The treemap: at most so many tiles, none smaller than a part of all.
const (
	tilesMost  = 28
	tileShare  = 0.008
	splitShare = 0.05
)

// addTiles splits the dominator tree into tiles: again and again the largest
// one is replaced by those below it, as long as these are most of it.
func (r *retentionQuestion) addTiles(out *Retention) error {
	o, err := r.outline(r.key, r.sel)
	if err != nil {
		return err
	}
	total := r.Amount(r.sel)
	list := make([]HeapTile, 0, tilesMost)
	rest := HeapTile{ID: -1, Name: "others", Memory: memory(total)}
	add := func(i int) {
		t := HeapTile{ID: i, Name: tileName(o.path(i)), Category: r.origins.ofStep(&o.path(i)[0]), Memory: memory(o.rows[i].Amount), Without: o.without(i)}
		if o.rows[i].Kind == goheap.KindObject {
			t.Type = o.rows[i].Name
		}
		list = append(list, t)
	}
	least := uint64(tileShare * float64(total.Bytes))
	for _, k := range o.kids[0] {
		if o.rows[k].Amount.Bytes > least {
			add(k)
			rest.Bytes -= min(rest.Bytes, o.rows[k].Amount.Bytes)
			rest.Objects -= min(rest.Objects, o.rows[k].Amount.Objects)
		}
	}
	for len(list) < tilesMost {
		best := -1
		for i, t := range list {
			if !t.Rest && t.Bytes > uint64(splitShare*float64(total.Bytes)) && (best < 0 || t.Bytes > list[best].Bytes) && len(o.large(t.ID, least)) > 0 {
				best = i
			}
		}
		if best < 0 {
			break
		}
		id := list[best].ID
		left := &list[best]
		left.Rest = true
		for _, k := range o.large(id, least) {
			left.Bytes -= min(left.Bytes, o.rows[k].Amount.Bytes)
			left.Objects -= min(left.Objects, o.rows[k].Amount.Objects)
			add(k)
			left = &list[best]
		}
		if left.Bytes <= least { // too little to be seen
			rest.Bytes, rest.Objects = rest.Bytes+left.Bytes, rest.Objects+left.Objects
			list = slices.Delete(list, best, best+1)
		}
	}
	slices.SortStableFunc(list, func(a, b HeapTile) int { return cmp.Compare(b.Bytes, a.Bytes) })
	if rest.Bytes > 0 {
		list = append(list, rest)
	}
	out.Tiles = list
	return nil
}

// large are the rows below one that are tiles, if together they are most of it.
func (o *outline) large(i int, least uint64) []int {
	var out []int
	var sum uint64
	for _, k := range o.kids[i+1] {
		if n := o.rows[k].Amount.Bytes; n > least {
			out, sum = append(out, k), sum+n
		}
	}
	if sum < o.rows[i].Amount.Bytes/2 {
		return nil
	}
	return out
}

// tileName writes a path without types: main.cache.m[elem].Last.
func tileName(path []why.Step) string {
	return cmp.Or(reason.CutName(&why.Holding{Path: path, Cut: len(path)}), path[len(path)-1].Name)
}
