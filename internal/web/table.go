package web

import (
	"context"
	"math"
	"slices"

	"github.com/profoundhq/profound/internal/view"
)

// tableView is every entry with its numbers. Sorting and filtering as one
// types are the page's.
func tableView() View {
	return View{
		Name: "table",
		Help: "Every entry with its values, largest flat value first, in columns (schema table/1)",
		Params: []Param{
			{"trend", "24", "Also the flat value in so many of the profiles of this kind, from the first to the last"},
			{"order", "COLUMN", "Which column sorts the table, with a leading - downwards; for the page"},
			{"cols", "NAMES", "Which columns are shown; for the page"},
		},
		Answer: answerTable,
	}
}

// maxTrend is how many points a trend in a table has at most.
const maxTrend = 120

// tableMeta is what a table says besides its columns.
type tableMeta struct {
	Head
	Rows int `json:"rows"`
	// Trend are the profiles the column trend is of: row by row, as many values
	// each.
	Trend []string `json:"shots,omitempty"`
}

func answerTable(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	points, err := q.OwnInt("trend", 0, 0, maxTrend)
	if err != nil {
		return nil, err
	}
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := newTableRows(d)
	meta := tableMeta{Head: d.Head(), Rows: len(rows.frames)}
	c := rows.columns(d)
	if shots := d.Kind.trendShots(d.View.Type, points); points > 1 && len(shots) > 1 {
		trend, err := s.trend(ctx, q, shots, rows)
		if err != nil {
			return nil, err
		}
		meta.Trend = shotIDs(shots)
		c.Add("trend", trend)
	}
	c.Schema, c.Meta = "table/1", meta
	return &Answer{Columns: c}, nil
}

// tableRows are the entries of a view, largest flat value first; of a
// comparison, largest of now and base.
type tableRows struct {
	frames []*view.Frame
	of     []view.Amount
}

func newTableRows(d *Data) *tableRows {
	g := d.View.WholeNodes()
	changes := d.View.Changes(g)
	g.SortFlat()
	r := &tableRows{}
	add := func(i int32) {
		n := &g.Nodes[i]
		a := view.Amount{Flat: n.FlatValue(), Cum: n.CumValue()}
		if changes != nil {
			c := &changes[i]
			a = view.Amount{Flat: c.FlatCurrent, Cum: c.CumCurrent, FlatBase: c.FlatBase, CumBase: c.CumBase}
		}
		r.frames = append(r.frames, n.Frame)
		r.of = append(r.of, a)
	}
	listed := make([]bool, len(g.Nodes))
	for _, i := range g.Order {
		listed[i] = true
		add(i)
	}
	for i := range changes { // what is the same in both has no value in a diff
		if !listed[i] && changes[i] != (view.Change{}) && !d.View.Options.DropNegative {
			add(int32(i))
		}
	}
	return r
}

func (r *tableRows) columns(d *Data) *Columns {
	factor, _ := d.scale()
	frames := newFrameColumns(d.Names)
	for _, f := range r.frames {
		frames.number(f)
	}
	pick := func(of func(*view.Amount) int64) any {
		col := make([]int64, len(r.of))
		for i := range r.of {
			col[i] = of(&r.of[i])
		}
		return scaled(col, factor)
	}
	c := &Columns{}
	c.Add("flat", pick(func(a *view.Amount) int64 { return a.Flat }))
	c.Add("cum", pick(func(a *view.Amount) int64 { return a.Cum }))
	if len(d.Base) > 0 {
		c.Add("base_flat", pick(func(a *view.Amount) int64 { return a.FlatBase }))
		c.Add("base_cum", pick(func(a *view.Amount) int64 { return a.CumBase }))
	}
	frames.addTo(c)
	return c
}

// trend is the flat value of each row in each of the shots, row by row; NaN
// never occurs, what is not there is 0.
func (s *Session) trend(ctx context.Context, q *Query, shots []*Shot, rows *tableRows) ([]float32, error) {
	row := make(map[view.Frame]int, len(rows.frames))
	for i, f := range rows.frames {
		row[*f] = i
	}
	out := make([]float32, len(rows.frames)*len(shots))
	for k, shot := range shots {
		err := s.one(ctx, q, shot, func(d *Data) {
			factor, _ := d.scale()
			g := d.View.WholeNodes()
			for _, i := range g.Order {
				if at, ok := row[*g.Nodes[i].Frame]; ok {
					out[at*len(shots)+k] = float32(math.Max(0, float64(g.Nodes[i].FlatValue())*factor))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// one looks at a single profile through the transforms of a query, without a
// base.
func (s *Session) one(ctx context.Context, q *Query, shot *Shot, look func(*Data)) error {
	c := *q
	c.Cur, _ = ParseSpan(shot.ID)
	c.Base = Span{None: true}
	d, err := s.Data(ctx, &c)
	if err != nil {
		return err
	}
	look(d)
	return nil
}

// trendBytes bounds how large the profiles of a trend may be together.
const trendBytes = 256 << 20

// trendShots picks at most n profiles with a value for its trend, fewer when
// they are large.
func (k *Kind) trendShots(value string, n int) []*Shot {
	shots := spread(k.shotsWith(value), n)
	bytes := 0
	for _, shot := range shots {
		bytes += shot.Bytes
	}
	if bytes > trendBytes {
		shots = spread(shots, max(2, len(shots)*(trendBytes>>20)/(bytes>>20)))
	}
	return shots
}

// shotsWith are the profiles that have a value.
func (k *Kind) shotsWith(value string) []*Shot {
	return slices.DeleteFunc(slices.Clone(k.Shots), func(s *Shot) bool { return !s.has(value) })
}

// spread picks n of the shots, the first and the last among them.
func spread(shots []*Shot, n int) []*Shot {
	if len(shots) <= n {
		return shots
	}
	out := make([]*Shot, n)
	for i := range out {
		out[i] = shots[i*(len(shots)-1)/(n-1)]
	}
	return out
}
