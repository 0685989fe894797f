package report

import (
	"regexp"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Every JSON report has these fields first. Quantities are integers in base
// units: bytes, nanoseconds, or what the profile counts. Percentages are left
// to the reader, who has the total.
type jsonHead struct {
	// Schema names the shape and its version: "top/1".
	Schema  string      `json:"schema"`
	Value   jsonValue   `json:"value"`
	Total   float64     `json:"total"`
	Filters []string    `json:"filters,omitempty"`
	Source  *jsonSource `json:"profile,omitempty"`
}

type jsonValue struct {
	Type string `json:"type"`
	Unit string `json:"unit"`
}

// jsonSource describes the profile.
type jsonSource struct {
	File          string   `json:"file,omitempty"`
	BuildID       string   `json:"build_id,omitempty"`
	TimeNanos     int64    `json:"time_nanos,omitempty"`
	DurationNanos int64    `json:"duration_nanos,omitempty"`
	SampleTypes   []string `json:"sample_types,omitempty"`
	Comments      []string `json:"comments,omitempty"`
}

// Hidden says what a report left out, so that nothing is cut silently.
type Hidden struct {
	// BelowCutoff counts nodes dropped for their small share, OverCount those
	// beyond the node count, Edges the edges dropped for their small share.
	BelowCutoff int `json:"nodes_below_cutoff"`
	OverCount   int `json:"nodes_over_count"`
	Edges       int `json:"edges_below_cutoff"`
}

func hiddenOf(t *view.Trimmed) Hidden {
	return Hidden{BelowCutoff: t.DroppedNodes, OverCount: t.OrigCount - len(t.Order), Edges: t.DroppedEdges}
}

// JSONFrame is a place in the program.
type JSONFrame struct {
	Function string `json:"function,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Address  uint64 `json:"address,omitempty"`
	Object   string `json:"object,omitempty"`
}

func jsonFrame(f *view.Frame) *JSONFrame {
	return &JSONFrame{Function: f.Name, File: f.File, Line: f.Line, Column: f.Column, Address: f.Address, Object: f.Object}
}

func (r *Report) head(schema string) jsonHead {
	p := r.View.Profile
	_, u := unit.Base(r.View.Unit)
	src := &jsonSource{TimeNanos: p.TimeNanos, DurationNanos: p.DurationNanos, SampleTypes: p.TypeNames(), Comments: p.Comments}
	if len(p.Mappings) > 1 {
		src.File, src.BuildID = p.Mappings[1].File, p.Mappings[1].BuildID
	}
	return jsonHead{
		Schema: schema, Value: jsonValue{r.View.Type, u}, Total: r.base(r.View.Total),
		Filters: r.View.Filters, Source: src,
	}
}

// base is a value in base units, divided as the view says. Whole numbers stay
// whole: the encoder prints them without a fraction.
func (r *Report) base(v int64) float64 {
	factor, _ := unit.Base(r.View.Unit)
	return float64(r.scaled(v)) * factor
}

// Change is a node's value in the base of a diff and now.
type Change = view.Change

type changeList []view.Change

func (r *Report) changes(g *view.Graph) changeList { return r.View.Changes(g) }

func (c changeList) of(n int32) *Change {
	if c == nil {
		return nil
	}
	return &c[n]
}

// jsonChange reads x -> y (+d).
type jsonChange struct {
	Base    float64 `json:"base"`
	Current float64 `json:"current"`
	Delta   float64 `json:"delta"`
}

func (r *Report) change(base, current int64) *jsonChange {
	return &jsonChange{r.base(base), r.base(current), r.base(current - base)}
}

type jsonTopRow struct {
	Name       string      `json:"name"`
	Frame      *JSONFrame  `json:"frame"`
	Inline     string      `json:"inline,omitempty"`
	Flat       float64     `json:"flat"`
	Cum        float64     `json:"cum"`
	FlatChange *jsonChange `json:"flat_change,omitempty"`
	CumChange  *jsonChange `json:"cum_change,omitempty"`
}

// JSON is {"schema":"top/1", ..., "rows":[{name, flat, cum}]}.
func (t *Top) JSON() any {
	rows := make([]jsonTopRow, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = jsonTopRow{Name: row.Name, Frame: row.Frame, Inline: strings.Trim(row.Inline, "()"), Flat: t.r.base(row.Flat), Cum: t.r.base(row.Cum)}
		if c := row.Base; c != nil {
			rows[i].FlatChange = t.r.change(c.FlatBase, c.FlatCurrent)
			rows[i].CumChange = t.r.change(c.CumBase, c.CumCurrent)
		}
	}
	return struct {
		jsonHead
		Hidden Hidden       `json:"hidden"`
		Rows   []jsonTopRow `json:"rows"`
	}{t.r.head("top/1"), t.hidden, rows}
}

type jsonEdge struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
	Inline bool    `json:"inline,omitempty"`
}

type jsonTreeRow struct {
	Name    string     `json:"name"`
	Frame   *JSONFrame `json:"frame"`
	Flat    float64    `json:"flat"`
	Cum     float64    `json:"cum"`
	Callers []jsonEdge `json:"callers"`
	Callees []jsonEdge `json:"callees"`
}

// JSON is {"schema":"tree/1" or "peek/1", ..., "rows":[{name, flat, cum, callers, callees}]}.
func (t *Tree) JSON() any {
	edges := func(list []TreeEdge) []jsonEdge {
		out := make([]jsonEdge, len(list))
		for i, e := range list {
			out[i] = jsonEdge{e.Name, t.r.base(e.Weight), e.Inline}
		}
		return out
	}
	rows := make([]jsonTreeRow, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = jsonTreeRow{row.Name, row.Frame, t.r.base(row.Flat), t.r.base(row.Cum), edges(row.In), edges(row.Out)}
	}
	return struct {
		jsonHead
		Hidden Hidden        `json:"hidden"`
		Rows   []jsonTreeRow `json:"rows"`
	}{t.r.head(t.name + "/1"), t.hidden, rows}
}

type jsonLabel struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
	Unit  string `json:"unit,omitempty"`
}

func jsonLabels(p *profile.Profile, set []profile.Label) []jsonLabel {
	var out []jsonLabel
	for _, l := range set {
		if l.Str != 0 {
			out = append(out, jsonLabel{Key: p.Strings[l.Key], Value: p.Strings[l.Str]})
		} else {
			out = append(out, jsonLabel{Key: p.Strings[l.Key], Value: l.Num, Unit: p.Strings[l.Unit]})
		}
	}
	return out
}

type jsonTrace struct {
	Value  float64         `json:"value"`
	Labels []jsonLabel     `json:"labels,omitempty"`
	Stack  []jsonTraceItem `json:"stack"`
}

type jsonTraceItem struct {
	JSONFrame
	Inline bool `json:"inline,omitempty"`
}

// JSON is {"schema":"traces/1", ..., "samples":[{value, labels, stack}]}, stacks leaf first.
func (t *Traces) JSON() any {
	v, p := t.r.View, t.r.View.Profile
	samples := make([]jsonTrace, 0, p.Samples.Len())
	for i, id := range p.Samples.Stack {
		st := v.StackFrames(id)
		tr := jsonTrace{Value: t.r.base(v.SampleValue(i)), Labels: jsonLabels(p, p.LabelSets.Of(p.Samples.Labels[i])), Stack: make([]jsonTraceItem, len(st.Frames))}
		for j, f := range st.Frames {
			tr.Stack[j] = jsonTraceItem{*jsonFrame(f), st.Inline[j]}
		}
		samples = append(samples, tr)
	}
	return struct {
		jsonHead
		Samples []jsonTrace `json:"samples"`
	}{t.r.head("traces/1"), samples}
}

type jsonTagValue struct {
	Value string  `json:"value"`
	Total float64 `json:"total"`
}

type jsonTagKey struct {
	Key    string         `json:"key"`
	Total  float64        `json:"total"`
	Values []jsonTagValue `json:"values"`
}

// JSON is {"schema":"tags/1", ..., "keys":[{key, total, values}]}.
func (t *Tags) JSON() any {
	keys := make([]jsonTagKey, len(t.Keys))
	for i, k := range t.Keys {
		keys[i] = jsonTagKey{Key: k.Key, Total: t.r.base(k.Total)}
		for _, v := range k.Values {
			keys[i].Values = append(keys[i].Values, jsonTagValue{v.Name, t.r.base(v.Flat)})
		}
	}
	return struct {
		jsonHead
		Keys []jsonTagKey `json:"keys"`
	}{t.r.head("tags/1"), keys}
}

// JSON is {"schema":"comments/1","comments":[...]}.
func (c *Comments) JSON() any {
	return struct {
		Schema   string   `json:"schema"`
		Comments []string `json:"comments"`
	}{"comments/1", append([]string{}, c.Lines...)}
}

type jsonGraphNode struct {
	ID    int32      `json:"id"`
	Name  string     `json:"name"`
	Frame *JSONFrame `json:"frame"`
	Flat  float64    `json:"flat"`
	Cum   float64    `json:"cum"`
}

type jsonGraphEdge struct {
	From     int32   `json:"from"`
	To       int32   `json:"to"`
	Weight   float64 `json:"weight"`
	Inline   bool    `json:"inline,omitempty"`
	Residual bool    `json:"residual,omitempty"`
}

// graphJSON is {"schema":"graph/1", ..., "nodes":[...], "edges":[...]}.
func graphJSON(r *Report, t *view.Trimmed) any {
	nodes := make([]jsonGraphNode, 0, len(t.Order))
	edges := []jsonGraphEdge{}
	for _, i := range t.Order {
		n := &t.Nodes[i]
		nodes = append(nodes, jsonGraphNode{i, t.Name(i), jsonFrame(n.Frame), r.base(n.FlatValue()), r.base(n.CumValue())})
		for _, e := range t.SortedOut(i) {
			edges = append(edges, jsonGraphEdge{e.Src, e.Dst, r.base(e.Value()), e.Inline, e.Residual})
		}
	}
	return struct {
		jsonHead
		Hidden Hidden          `json:"hidden"`
		Nodes  []jsonGraphNode `json:"nodes"`
		Edges  []jsonGraphEdge `json:"edges"`
	}{r.head("graph/1"), hiddenOf(t), nodes, edges}
}

// JSON is the graph; see graphJSON.
func (d *Dot) JSON() any { return graphJSON(d.r, d.t) }

// JSON is the graph; see graphJSON.
func (c *Callgrind) JSON() any { return graphJSON(c.r, c.t) }

func noMatch(rx *regexp.Regexp) error {
	return &NoMatchError{rx}
}

// NoMatchError is returned when the symbol expression of a report matches no
// function.
type NoMatchError struct{ Expr *regexp.Regexp }

func (e *NoMatchError) Error() string {
	return "no matches found for regexp: " + e.Expr.String()
}
