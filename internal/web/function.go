package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/view"
)

// functionView is all about the selected function: what the inspector shows,
// and the sandwich of callers and callees beside the table.
func functionView() View {
	return View{
		Name: "function",
		Help: "The selected function (sel=f:NAME): numbers, lines, callers, callees, trend (schema function/1)",
		Params: []Param{
			{"most", "100", "At most so many callers and callees"},
		},
		Answer: answerFunction,
	}
}

// Function is the answer of functionView. Values are in base units; Base
// fields are absent when nothing is compared.
type Function struct {
	Schema string `json:"schema"`
	Head
	// Name is how the function is selected.
	Name     string          `json:"name"`
	Package  string          `json:"package,omitempty"`
	Category render.Category `json:"category"`
	File     string          `json:"file,omitempty"`
	Line     int             `json:"line,omitempty"`
	Values
	// Others are the other sample types of the profile.
	Others []OtherValue `json:"others"`
	// Lines are those with values, by file and number; Source is where their
	// text was found, SourceMissing why it was not.
	Lines         []FunctionLine `json:"lines"`
	Source        string         `json:"source,omitempty"`
	SourceMissing string         `json:"sourceMissing,omitempty"`
	Callers       []Caller       `json:"callers"`
	Callees       []Caller       `json:"callees"`
	// MoreCallers and MoreCallees are how many were left out.
	MoreCallers int `json:"moreCallers,omitempty"`
	MoreCallees int `json:"moreCallees,omitempty"`
	// Trend has the values in each profile of the kind, nil if there is one.
	Trend *Trend `json:"trend,omitempty"`
}

// Values are what was sampled in something and below it, and in the base.
type Values struct {
	Flat     float64  `json:"flat"`
	Cum      float64  `json:"cum"`
	FlatBase *float64 `json:"flatBase,omitempty"`
	CumBase  *float64 `json:"cumBase,omitempty"`
}

// OtherValue are the values of another sample type.
type OtherValue struct {
	Value string `json:"value"`
	Unit  string `json:"unit"`
	Values
}

// FunctionLine is one line of a function.
type FunctionLine struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
	// Marks colour the text, see highlight.
	Marks []int `json:"marks,omitempty"`
	Values
}

// Caller is who calls the function or is called by it.
type Caller struct {
	Name string `json:"name"`
	// Entry is how it is selected, "" when that is Name.
	Entry    string          `json:"entry,omitempty"`
	Category render.Category `json:"category"`
	Value    float64         `json:"value"`
	Base     *float64        `json:"base,omitempty"`
}

// Trend is a series over profiles; Times are in milliseconds since 1970.
type Trend struct {
	Shots []string  `json:"shots"`
	Times []int64   `json:"times"`
	Flat  []float64 `json:"flat"`
	Cum   []float64 `json:"cum"`
}

// trendPoints is how many profiles the trend of a function looks at.
const trendPoints = 60

func answerFunction(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	most, err := q.OwnInt("most", 100, 1, 10000)
	if err != nil {
		return nil, err
	}
	if q.Sel.Sort != 'f' {
		return nil, badRequest("Select a function: sel=f:NAME.", "no function is selected")
	}
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	sand := d.View.Sandwich(q.Sel.Name)
	if len(sand.Frames) == 0 {
		return nil, notFound("It may be in another profile of the session, or taken out by a filter.", "%s is not in this profile", q.Sel.Name)
	}
	info := d.Names.OfFrame(sand.Frames[0])
	f := &Function{
		Schema: "function/1", Head: d.Head(), Name: q.Sel.Name, Package: info.Package, Category: info.Category, File: info.File, Line: info.Line,
		Values: d.values(sand.Amount), Others: []OtherValue{}, Lines: []FunctionLine{},
		Callers: d.callers(sand.Callers, most), Callees: d.callers(sand.Callees, most),
		MoreCallers: max(0, len(sand.Callers)-most), MoreCallees: max(0, len(sand.Callees)-most),
	}
	if err := f.addOthers(ctx, s, q, d); err != nil {
		return nil, err
	}
	if err := f.addLines(ctx, s, q); err != nil {
		return nil, err
	}
	if err := f.addTrend(ctx, s, q, d); err != nil {
		return nil, err
	}
	return &Answer{JSON: f, Fresh: true}, nil // files change
}

// values are amounts of the view in base units.
func (d *Data) values(a view.Amount) Values {
	factor, _ := d.scale()
	v := Values{Flat: float64(a.Flat) * factor, Cum: float64(a.Cum) * factor}
	if len(d.Base) > 0 {
		flat, cum := float64(a.FlatBase)*factor, float64(a.CumBase)*factor
		v.FlatBase, v.CumBase = &flat, &cum
	}
	return v
}

func (d *Data) callers(list []view.Neighbour, most int) []Caller {
	factor, _ := d.scale()
	out := make([]Caller, 0, min(most, len(list)))
	for _, n := range list[:min(most, len(list))] {
		c := Caller{Name: n.Frame.String(), Category: d.Names.OfFrame(n.Frame).Category, Value: float64(n.Current) * factor}
		if d.View.Options.Granularity == "" || d.View.Options.Granularity == "functions" {
			c.Name = entryName(n.Frame)
		} else if e := entryName(n.Frame); e != c.Name {
			c.Entry = e
		}
		if len(d.Base) > 0 {
			b := float64(n.Base) * factor
			c.Base = &b
		}
		out = append(out, c)
	}
	return out
}

// addOthers asks for the same function in the other values of the profile.
func (f *Function) addOthers(ctx context.Context, s *Session, q *Query, d *Data) error {
	for _, t := range d.Filtered.SampleTypes {
		if t.Type == d.View.Type {
			continue
		}
		c := *q
		c.Value = t.Type
		o, err := s.Data(ctx, &c)
		if err != nil {
			return err
		}
		_, unit := o.scale()
		f.Others = append(f.Others, OtherValue{t.Type, unit, o.values(o.View.Sandwich(q.Sel.Name).Amount)})
	}
	return nil
}

// addLines splits the function into its lines and reads their text.
func (f *Function) addLines(ctx context.Context, s *Session, q *Query) error {
	c := *q
	c.Transforms = append(slices.Clone(q.Transforms), Transform{"gran", "lines"})
	d, err := s.Data(ctx, &c)
	if err != nil {
		return err
	}
	sand := d.View.Sandwich(q.Sel.Name)
	for i, fr := range sand.Frames {
		if fr.Line > 0 && fr.Name != "" {
			f.Lines = append(f.Lines, FunctionLine{File: fr.File, Line: fr.Line, Values: d.values(sand.Of[i])})
		}
	}
	slices.SortFunc(f.Lines, func(a, b FunctionLine) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	if len(f.Lines) == 0 {
		return nil
	}
	text, found, err := s.Code.Sources.Lines(f.Lines[0].File)
	if err != nil {
		m := missingSource(f.Lines[0].File, err)
		f.SourceMissing = m.Text + " " + m.Hint
		return nil
	}
	f.Source = found.Path
	marks := highlight(found.Path, text)
	for i := range f.Lines {
		if l := &f.Lines[i]; l.File == f.Lines[0].File && l.Line <= len(text) {
			l.Text = text[l.Line-1]
			if marks != nil {
				l.Marks = marks[l.Line-1]
			}
		}
	}
	return nil
}

// addTrend follows the function through the profiles of the kind.
func (f *Function) addTrend(ctx context.Context, s *Session, q *Query, d *Data) error {
	shots := d.Kind.trendShots(d.View.Type, trendPoints)
	if len(shots) < 2 {
		return nil
	}
	f.Trend = &Trend{Shots: shotIDs(shots)}
	for _, shot := range shots {
		err := s.one(ctx, q, shot, func(d *Data) {
			v := d.values(d.View.Sandwich(q.Sel.Name).Amount)
			f.Trend.Flat, f.Trend.Cum = append(f.Trend.Flat, v.Flat), append(f.Trend.Cum, v.Cum)
			f.Trend.Times = append(f.Trend.Times, millis(shot.Time))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
