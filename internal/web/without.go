package web

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// withoutView says what would go free without a reference.
func withoutView() View {
	return View{
		Name: "without", Help: "What goes free without a reference (schema without/1)", Plain: true,
		Params: []Param{{"name", "main.cache.m", "The reference: a variable, and fields behind it"}},
		Answer: answerWithout,
	}
}

// Without is the answer of withoutView.
type Without struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Variables and References are how many were taken away.
	Variables  int    `json:"variables"`
	References int    `json:"references"`
	Frees      Memory `json:"frees"`
	Of         Memory `json:"of"` // the heap
	// Stacks are bytes of the stacks of goroutines that were taken away.
	Stacks uint64          `json:"stacks,omitempty"`
	Types  []RetentionRow  `json:"types"`
	Sites  []RetentionSite `json:"sites"`
	// MoreTypes and MoreSites are how many were left out.
	MoreTypes int `json:"moreTypes,omitempty"`
	MoreSites int `json:"moreSites,omitempty"`
	// Report is all of it as text, to be copied.
	Report string `json:"report"`
}

// withoutMost is how many types and sites are told.
const withoutMost = 12

func answerWithout(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	name := q.Own("name")
	if name == "" {
		return nil, badRequest("Name a variable, and fields behind it: name=main.cache.m.", "no reference is named")
	}
	a := &Without{Schema: "without/1", Name: name, Types: []RetentionRow{}, Sites: []RetentionSite{}}
	err := s.Heap(ctx, func(h *Heap) error {
		w, err := h.Without([]string{name})
		if err != nil {
			return withoutError(err)
		}
		origins := h.originsOf()
		a.Variables, a.References, a.Frees, a.Of, a.Stacks = w.Variables, w.References, memory(w.Frees), memory(h.Total()), w.Stacks
		for i, t := range w.Types {
			if i == withoutMost {
				a.MoreTypes = len(w.Types) - i
				break
			}
			a.Types = append(a.Types, RetentionRow{ID: i, Name: t.Name, Type: t.Name, Category: origins.ofType(t.Name), Objects: t.Amount.Objects, Own: t.Amount.Bytes, Keeps: t.Retained.Bytes})
		}
		for i := range w.Sites {
			if i == withoutMost {
				a.MoreSites = len(w.Sites) - i
				break
			}
			a.Sites = append(a.Sites, siteOf(&w.Sites[i]))
		}
		a.Report, err = withoutReport(h, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Answer{JSON: a}, nil
}

// withoutReport is what profound why -without prints.
func withoutReport(h *Heap, w *why.WhatIf) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", h.Program.Path)
	if !h.Taken.IsZero() {
		fmt.Fprintf(&b, "%s\n", h.Taken.Format("2006-01-02 15:04:05 MST"))
	}
	err := reason.Write(&b, &reason.Document{Question: &reason.Question{A: h.Analysis}, Answers: reason.Without(w)}, reason.Options{Width: 100})
	return b.String(), err
}

func withoutError(err error) error {
	var unknown *why.UnknownName
	if errors.As(err, &unknown) {
		return notFound("Names are written as the paths show them: a variable, and fields behind it.", "%v", err)
	}
	return err
}
