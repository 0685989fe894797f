package web

import (
	"context"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/verdict"
)

// sessionView says what is loaded and what is shown first.
func sessionView() View {
	return View{Name: "session", Help: "What is loaded: kinds, values, profiles, and what is shown first (schema session/1)", Plain: true, Answer: answerSession}
}

// About is the answer of sessionView.
type About struct {
	Schema  string      `json:"schema"`
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Sources []string    `json:"sources"`
	Kind    string      `json:"kind"` // shown first
	Kinds   []AboutKind `json:"kinds"`
	Shots   []AboutShot `json:"shots"`
	// Views are the names of the views there is something to show in.
	Views []string `json:"views"`
	// Badges are numbers beside views: findings, goroutines.
	Badges map[string]int `json:"badges"`
	// Heap tells that the objects of the process can be asked for.
	Heap bool `json:"heap"`
	// Own is an expression that matches the program's own functions, "" if it
	// has none; Editor is Code.Editor.
	Own    string `json:"own,omitempty"`
	Editor string `json:"editor,omitempty"`
	// Headline is the verdict in a sentence, "" without one.
	Headline string   `json:"headline,omitempty"`
	Warnings []string `json:"warnings"`
}

// AboutKind is one kind of profile.
type AboutKind struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	// Values are the sample types; Value is shown first, Why says why.
	Values []AboutValue `json:"values"`
	Value  string       `json:"value"`
	Why    string       `json:"why"`
	// Cur and Base are shown first, as they stand in addresses.
	Cur  string `json:"cur"`
	Base string `json:"base,omitempty"`
}

// AboutValue is one sample type.
type AboutValue struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Title string `json:"title"`
}

// AboutShot is one profile. Time is in milliseconds since 1970, 0 if unknown.
type AboutShot struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Target  string `json:"target,omitempty"`
	Time    int64  `json:"time"`
	Bytes   int    `json:"bytes"`
	Samples int    `json:"samples"`
}

func answerSession(_ context.Context, s *Session, _ *Query) (*Answer, error) {
	a := &About{
		Schema: "session/1", ID: s.ID, Title: s.Title, Sources: append([]string{}, s.Sources...), Kinds: []AboutKind{}, Shots: []AboutShot{},
		Views: viewsOf(s), Badges: badgesOf(s), Heap: s.HasHeap(), Own: ownPattern(s), Editor: s.Code.Editor, Warnings: append([]string{}, s.Warnings...),
	}
	for i := range s.kinds {
		a.Kinds = append(a.Kinds, aboutKind(&s.kinds[i]))
	}
	if len(a.Kinds) > 0 {
		a.Kind = a.Kinds[0].Kind
	}
	for _, shot := range s.Shots {
		a.Shots = append(a.Shots, AboutShot{shot.ID, shot.Name, shot.Kind, shot.Target, millis(shot.Time), shot.Bytes, shot.Profile.Samples.Len()})
	}
	if s.Verdict != nil {
		a.Headline = verdict.Headline(s.Verdict, s.words())
	}
	return &Answer{JSON: a}, nil
}

func aboutKind(k *Kind) AboutKind {
	about := AboutKind{Kind: k.Name, Title: kindTitle(k.Name), Values: []AboutValue{}, Value: k.Value, Why: k.Why, Cur: k.Cur.String(), Base: k.Base.String()}
	list := append(append([]*Shot(nil), k.Shots...), k.Bases...)
	for _, t := range list[len(list)-1].Profile.SampleTypes {
		_, name := unit.Base(t.Unit)
		about.Values = append(about.Values, AboutValue{t.Type, name, valueTitle(t.Type)})
	}
	return about
}

func kindTitle(kind string) string {
	switch kind {
	case "cpu":
		return "CPU"
	case "allocs":
		return "Allocations"
	case "goroutine":
		return "Goroutines"
	case "goroutineleak":
		return "Leaked goroutines"
	case "threadcreate":
		return "Threads"
	}
	return title(kind)
}

func valueTitle(t string) string {
	switch t {
	case "inuse_space":
		return "In use, bytes"
	case "inuse_objects":
		return "In use, objects"
	case "alloc_space":
		return "Allocated, bytes"
	case "alloc_objects":
		return "Allocated, objects"
	case "cpu":
		return "CPU time"
	case "goroutine", "object", "sample", "thread", "contention":
		return title(t) + "s" // what is counted is many
	}
	return title(strings.ReplaceAll(t, "_", " "))
}

func title(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// viewsOf are the views of the page that have something to show.
func viewsOf(s *Session) []string {
	var list []string
	if len(s.Shots) > 0 {
		list = append(list, "summary", "flame", "graph", "table", "source")
	}
	for i := range s.kinds {
		if k := &s.kinds[i]; len(k.Shots) > 0 && len(k.Shots)+len(k.Bases) > 1 {
			if hasTime(s) {
				list = append(list, "timeline")
			}
			list = append(list, "compare")
			break
		}
	}
	if s.Verdict != nil {
		list = append(list, "leaks")
	}
	if _, err := s.Kind("heap"); err == nil || s.HasHeap() { // without a heap it says how to get one
		list = append(list, "retention")
	}
	if k, err := s.Kind("goroutine"); err == nil && len(k.Shots) > 0 || s.HasHeap() {
		list = append(list, "goroutines")
	}
	return list
}

// hasTime tells that something was seen at two moments.
func hasTime(s *Session) bool {
	if len(s.Moments) > 1 {
		return true
	}
	for i := range s.kinds {
		timed := 0
		for _, shot := range s.kinds[i].Shots {
			if !shot.Time.IsZero() {
				timed++
			}
		}
		if timed > 1 {
			return true
		}
	}
	return false
}

func badgesOf(s *Session) map[string]int {
	badges := map[string]int{}
	if s.Verdict != nil {
		n := 0
		for i := range s.Verdict.Findings {
			if c := s.Verdict.Findings[i].Class; c == leak.Leak || c == leak.Growing {
				n++
			}
		}
		badges["leaks"] = n
	}
	if k, err := s.Kind("goroutine"); err == nil && len(k.Shots) > 0 {
		var n int64
		for _, v := range k.Shots[len(k.Shots)-1].Profile.Samples.Values[0] {
			n += v
		}
		badges["goroutines"] = int(n)
	}
	return badges
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
