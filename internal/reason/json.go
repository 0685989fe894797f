package reason

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/why"
)

type jsonAmount struct {
	Bytes   uint64 `json:"bytes"`
	Objects uint64 `json:"objects"`
}

func amountJSON(a retain.Amount) jsonAmount { return jsonAmount{a.Bytes, a.Objects} }

func amountOf(a retain.Amount) *jsonAmount { return &jsonAmount{a.Bytes, a.Objects} }

type jsonFrame struct {
	Function string `json:"function"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

type jsonStep struct {
	Label    string `json:"label,omitempty"`
	Name     string `json:"name"`
	Object   bool   `json:"object,omitempty"`
	Repeated bool   `json:"repeated,omitempty"`
}

// jsonSite is an allocation site; bytes and objects are estimates.
type jsonSite struct {
	Stack   []jsonFrame `json:"stack"`
	Type    string      `json:"type,omitempty"`
	Bytes   float64     `json:"bytes"`
	Objects float64     `json:"objects"`
	Samples int         `json:"samples"`
}

type jsonHolding struct {
	Sentence  string       `json:"sentence"`
	Amount    jsonAmount   `json:"amount"`
	Estimated bool         `json:"estimated,omitempty"`
	Below     bool         `json:"below,omitempty"`
	Type      string       `json:"type,omitempty"`
	Root      string       `json:"root"`
	Path      []jsonStep   `json:"path"`
	Cut       string       `json:"cut,omitempty"`
	Frees     jsonAmount   `json:"frees"`
	Also      []jsonStep   `json:"also,omitempty"`
	Ways      []jsonWay    `json:"ways,omitempty"`
	Many      bool         `json:"many,omitempty"`
	Stacks    uint64       `json:"stacks,omitempty"`
	Example   string       `json:"example,omitempty"`
	Site      *jsonSite    `json:"site,omitempty"`
	Sites     []jsonSite   `json:"sites,omitempty"`
	Paths     [][]jsonStep `json:"paths,omitempty"`
}

// jsonWay is one of several ways in which something is held.
type jsonWay struct {
	Path []jsonStep `json:"path"`
	Cut  string     `json:"cut"`
}

// jsonRow is a row of a view; docs/guide/scripts-and-json.md says which fields
// a view has.
type jsonRow struct {
	Name     string       `json:"name,omitempty"`
	Label    string       `json:"label,omitempty"`
	Kind     string       `json:"kind,omitempty"`
	Type     string       `json:"type,omitempty"`
	Func     string       `json:"func,omitempty"`
	Depth    *int         `json:"depth,omitempty"`
	From     *int         `json:"from,omitempty"`
	To       *int         `json:"to,omitempty"`
	Amount   *jsonAmount  `json:"amount,omitempty"`
	Own      *jsonAmount  `json:"own,omitempty"`
	Retained *jsonAmount  `json:"retained,omitempty"`
	Frees    *jsonAmount  `json:"frees,omitempty"`
	Drop     uint64       `json:"drop,omitempty"`
	Wasted   uint64       `json:"wasted,omitempty"`
	Of       uint64       `json:"of,omitempty"`
	Stacks   uint64       `json:"stacks,omitempty"`
	Count    int          `json:"count,omitempty"`
	Alike    int          `json:"alike,omitempty"`
	Repeated bool         `json:"repeated,omitempty"`
	Path     []jsonStep   `json:"path,omitempty"`
	Roots    []jsonRow    `json:"roots,omitempty"`
	Vars     []jsonRow    `json:"variables,omitempty"`
	IDs      []uint64     `json:"ids,omitempty"`
	Stack    []jsonFrame  `json:"stack,omitempty"`
	Site     *jsonSite    `json:"site,omitempty"`
	Holding  *jsonHolding `json:"holding,omitempty"`
	// Rest says that the row adds up what -n has left out.
	Rest bool `json:"rest,omitempty"`
}

type jsonSelection struct {
	What      string     `json:"what"`
	Amount    jsonAmount `json:"amount"`
	Estimated bool       `json:"estimated,omitempty"`
	// Retained goes free with all of it; only where holdings were asked for.
	Retained *jsonAmount `json:"retained,omitempty"`
}

type jsonObject struct {
	Address    string       `json:"address"`
	Start      string       `json:"start"`
	Type       string       `json:"type"`
	Size       uint64       `json:"size"`
	Retained   jsonAmount   `json:"retained"`
	Holding    *jsonHolding `json:"holding"`
	Paths      [][]jsonStep `json:"paths"`
	AllPaths   bool         `json:"all_paths"`
	Dominators []jsonRow    `json:"dominators"`
	Holders    []jsonRow    `json:"holders"`
	Holds      []jsonRow    `json:"holds"`
}

type jsonWhy struct {
	Schema     string         `json:"schema"`
	Total      jsonAmount     `json:"total"`
	Goroutines int            `json:"goroutines"`
	Typed      uint64         `json:"typed_objects"`
	Rate       int64          `json:"profile_rate"`
	Selection  *jsonSelection `json:"selection,omitempty"`
	View       string         `json:"view,omitempty"`
	Heading    string         `json:"heading,omitempty"`
	Frees      *jsonAmount    `json:"frees,omitempty"`
	Holdings   []jsonHolding  `json:"holdings,omitzero"`
	Rows       []jsonRow      `json:"rows,omitzero"`
	Notes      []string       `json:"notes,omitempty"`
	Objects    []jsonObject   `json:"objects,omitempty"`
	Warnings   []string       `json:"warnings,omitempty"`
}

// WriteJSON prints a document as JSON of schema why/1.
func WriteJSON(w io.Writer, d *Document) error {
	a := d.Question.A
	j := jsonWhy{
		Schema: "why/1", Total: *amountOf(a.Total()), Goroutines: len(a.Heap.Goroutines),
		Typed: a.Heap.Stats.Typed, Rate: a.Heap.ProfileRate,
	}
	if q := d.Question; q.S != nil && !q.S.Whole {
		j.Selection = &jsonSelection{What: q.What, Amount: *amountOf(a.Amount(q.S)), Estimated: q.S.Estimated()}
		if d.Retained != nil {
			j.Selection.Retained = amountOf(*d.Retained)
		}
	}
	if d.Findings {
		j.Holdings = []jsonHolding{}
	}
	for i := range d.Holdings {
		h := holdingOf(&d.Holdings[i])
		if d.Paths != nil {
			h.Paths = pathsJSON(d.Paths[i].List)
		}
		j.Holdings = append(j.Holdings, *h)
	}
	for i, x := range d.Answers {
		if i == 0 {
			j.View, j.Heading, j.Frees, j.Rows = x.View, x.Heading, x.frees, []jsonRow{}
		}
		j.Rows, j.Notes = append(j.Rows, x.rows...), append(j.Notes, x.Notes...)
	}
	for _, o := range d.Objects {
		j.Objects = append(j.Objects, objectJSON(o))
	}
	for _, err := range a.Heap.Warnings {
		j.Warnings = append(j.Warnings, err.Error())
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(j)
}

func holdingOf(h *why.Holding) *jsonHolding {
	j := &jsonHolding{
		Sentence: Sentence(h), Amount: *amountOf(h.Amount), Estimated: h.Site != nil, Below: h.Below, Type: h.Type,
		Root: RootWord(h.Root), Frees: *amountOf(h.Frees), Path: stepsJSON(h.Path), Also: stepsJSON(h.Also), Stacks: h.Stacks,
	}
	if h.Cut > 0 {
		j.Cut = CutName(h)
	}
	for _, w := range h.Joint {
		j.Ways = append(j.Ways, jsonWay{stepsJSON(w.Path), cutName(w.Path, w.Cut)})
	}
	j.Many = h.Many
	if h.Address != 0 {
		j.Example = fmt.Sprintf("%#x", h.Address)
	}
	if h.Site != nil {
		s := siteJSON(*h.Site)
		j.Site = &s
	}
	for _, s := range h.Sites {
		j.Sites = append(j.Sites, siteJSON(s))
	}
	return j
}

func stepsJSON(path []why.Step) []jsonStep {
	var out []jsonStep
	for _, s := range path {
		out = append(out, jsonStep{Label: s.Label, Name: s.Name, Object: s.Kind == goheap.KindObject, Repeated: s.Repeated})
	}
	return out
}

func pathsJSON(paths [][]why.Step) [][]jsonStep {
	out := [][]jsonStep{}
	for _, p := range paths {
		out = append(out, stepsJSON(p))
	}
	return out
}

func siteJSON(s why.Site) jsonSite {
	return jsonSite{Type: s.Type, Bytes: s.Bytes, Objects: s.Objects, Samples: s.Samples, Stack: framesJSON(s.Stack)}
}

func framesJSON(stack []goheap.Frame) []jsonFrame {
	out := []jsonFrame{}
	for _, f := range stack {
		out = append(out, jsonFrame{f.Func, f.File, f.Line})
	}
	return out
}

// kindOf is RootWord for rows: objects have none.
func kindOf(k goheap.Kind) string {
	if k == goheap.KindObject {
		return ""
	}
	return RootWord(k)
}

func rootJSON(r *why.RootRow) jsonRow {
	return jsonRow{Name: r.Name, Kind: kindOf(r.Kind), Amount: amountOf(r.Amount), Frees: amountOf(r.Frees), Stacks: r.Stacks}
}

func groupJSON(g *why.GroupHolding) jsonRow {
	row := jsonRow{Name: g.Name, Count: g.Count, Retained: amountOf(g.Holds), Stacks: g.Stacks, IDs: g.IDs}
	if g.Stack != nil {
		row.Stack = framesJSON(g.Stack)
	}
	for _, v := range g.Vars {
		row.Vars = append(row.Vars, jsonRow{Name: v.Name, Type: v.Type, Retained: amountOf(v.Amount)})
	}
	return row
}

func objectJSON(o *why.Object) jsonObject {
	j := jsonObject{
		Address: fmt.Sprintf("%#x", o.Asked), Start: fmt.Sprintf("%#x", o.Addr), Type: o.Vertex.Name, Size: o.Size,
		Retained: *amountOf(o.Retained), Holding: holdingOf(&o.Holding), Paths: pathsJSON(o.Ways), AllPaths: o.AllWays,
		Dominators: []jsonRow{}, Holders: []jsonRow{}, Holds: []jsonRow{},
	}
	for _, d := range o.Dominators {
		j.Dominators = append(j.Dominators, jsonRow{Name: d.Name, Kind: kindOf(d.Kind), Retained: amountOf(d.Retained)})
	}
	for _, h := range o.Holders {
		j.Holders = append(j.Holders, jsonRow{Name: h.Name, Label: h.Label, Kind: kindOf(h.Kind), Count: h.Count})
	}
	for _, t := range o.Holds {
		j.Holds = append(j.Holds, jsonRow{Name: t.Name, Amount: amountOf(t.Amount), Retained: amountOf(t.Retained)})
	}
	return j
}
