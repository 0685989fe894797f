package reason

import (
	"encoding/json"
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
	Sentence  string     `json:"sentence"`
	Amount    jsonAmount `json:"amount"`
	Estimated bool       `json:"estimated,omitempty"`
	Type      string     `json:"type,omitempty"`
	Root      string     `json:"root"`
	Path      []jsonStep `json:"path"`
	Cut       string     `json:"cut,omitempty"`
	Frees     jsonAmount `json:"frees"`
	Site      *jsonSite  `json:"site,omitempty"`
	Sites     []jsonSite `json:"sites,omitempty"`
}

type jsonWhy struct {
	Schema     string        `json:"schema"`
	Total      jsonAmount    `json:"total"`
	Goroutines int           `json:"goroutines"`
	Typed      uint64        `json:"typed_objects"`
	Rate       int64         `json:"profile_rate"`
	Holdings   []jsonHolding `json:"holdings"`
	Warnings   []string      `json:"warnings,omitempty"`
}

// WriteJSON prints holdings as JSON of schema why/1. Sizes are bytes.
func WriteJSON(w io.Writer, a *why.Analysis, list []why.Holding) error {
	j := jsonWhy{
		Schema: "why/1", Total: jsonAmount{a.Heap.Stats.Bytes, a.Heap.Stats.Objects}, Goroutines: len(a.Heap.Goroutines),
		Typed: a.Heap.Stats.Typed, Rate: a.Heap.ProfileRate, Holdings: []jsonHolding{},
	}
	for i := range list {
		j.Holdings = append(j.Holdings, holdingJSON(&list[i]))
	}
	for _, err := range a.Heap.Warnings {
		j.Warnings = append(j.Warnings, err.Error())
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(j)
}

func holdingJSON(h *why.Holding) jsonHolding {
	j := jsonHolding{
		Sentence: Sentence(h), Amount: amountJSON(h.Amount), Estimated: h.Site != nil, Type: h.Type,
		Root: RootWord(h.Root), Frees: amountJSON(h.Frees), Path: []jsonStep{},
	}
	for _, s := range h.Path {
		j.Path = append(j.Path, jsonStep{Label: s.Label, Name: s.Name, Object: s.Kind == goheap.KindObject, Repeated: s.Repeated})
	}
	if h.Cut > 0 {
		j.Cut = CutName(h)
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

func siteJSON(s why.Site) jsonSite {
	j := jsonSite{Type: s.Type, Bytes: s.Bytes, Objects: s.Objects, Samples: s.Samples, Stack: []jsonFrame{}}
	for _, f := range s.Stack {
		j.Stack = append(j.Stack, jsonFrame{f.Func, f.File, f.Line})
	}
	return j
}
