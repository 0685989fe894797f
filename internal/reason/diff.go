package reason

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// Differ says that two heaps are not of one program, "" if they are.
func Differ(before, after why.Program) string {
	switch {
	case before.BuildID != "" && before.BuildID == after.BuildID, before == after:
		return ""
	case before.Path == after.Path && before.BuildID != "" && after.BuildID != "":
		return fmt.Sprintf("these are two builds of %s (build id %s, and %s): paths are compared by their names, and what was renamed is new", after.Path, before.BuildID, after.BuildID)
	case before.Path == after.Path:
		return ""
	case before.BuildID == "" || after.BuildID == "":
		return fmt.Sprintf("these may be different programs: %s, and %s; the build id is not known of both", before.Path, after.Path)
	}
	return fmt.Sprintf("these are different programs: %s (build id %s), and %s (build id %s): only what has the same names is compared", before.Path, before.BuildID, after.Path, after.BuildID)
}

// DiffSummary says in a sentence how a heap has changed.
func DiffSummary(before, after *why.Sums) string {
	s := fmt.Sprintf("%s in %s live objects before, %s in %s now; %s goroutines, %s now",
		size(before.Total.Bytes), Count(before.Total.Objects), size(after.Total.Bytes), Count(after.Total.Objects),
		Count(uint64(before.Goroutines)), Count(uint64(after.Goroutines)))
	if d := after.Taken.Sub(before.Taken); !before.Taken.IsZero() && d > 0 {
		s += "; " + verdict.Duration(d) + " between them"
	}
	return s
}

// GrowthSentence says what one growth is.
func GrowthSentence(g *why.Growth) string {
	h := &g.Holding
	var b strings.Builder
	fmt.Fprintf(&b, "%s more are held by %s: %s before, %s now", size(g.Bytes()), PathString(h.Path), Amount(g.Before), Amount(g.After))
	switch {
	case g.Goroutines:
		fmt.Fprintf(&b, "; %s goroutines before, %s now", Count(g.CountBefore), Count(g.CountAfter))
	case g.CountAfter > 1 && g.CountAfter != g.CountBefore && g.Type != "":
		fmt.Fprintf(&b, "; of %s there were %s, now %s", typeName(g), Count(g.CountBefore), Count(g.CountAfter))
	}
	switch {
	case h.Cut > 0 && h.Frees.Bytes > 0:
		fmt.Fprintf(&b, "; without %s %s go free", cutWords(h), size(h.Frees.Bytes))
	case len(h.Joint) > 0 && !h.Many:
		b.WriteString("; it is held in several ways, " + jointFrees(h))
	}
	return b.String()
}

func typeName(g *why.Growth) string {
	if g.Pointed {
		return "*" + g.Type
	}
	return g.Type
}

// WriteGrowths prints growths: a sentence each, the path, the sites.
func WriteGrowths(w io.Writer, list []why.Growth, o Options) error {
	var b strings.Builder
	for i := range list {
		g := &list[i]
		for j, l := range wrapWords(GrowthSentence(g), o.width()) {
			if j > 0 {
				l = "  " + l
			}
			if o.Bold != nil {
				l = o.Bold(l)
			}
			b.WriteString(l + "\n")
		}
		b.WriteString(holdingLines(&g.Holding, o) + growthSites(g.Sites, o) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// growthSites lists places that allocated what grew.
func growthSites(sites []why.SiteGrowth, o Options) string {
	if len(sites) == 0 {
		return ""
	}
	x := &Answer{heads: []string{"before", "now", "samples", "type and place"}, left: 3}
	for i := range sites {
		s := &sites[i]
		at := "?"
		if len(s.After.Stack) > 0 {
			at = Place(caller(s.After.Stack))
		}
		x.add(jsonRow{}, Size(s.Before.Bytes), Size(s.After.Bytes), fmt.Sprint(s.After.Samples), s.After.Type+" at "+at)
	}
	return "  allocated, by samples, about: before, now, samples now\n" + indented(x.body(o.width()-4), "    ")
}

type jsonSums struct {
	Program    string     `json:"program"`
	BuildID    string     `json:"build_id,omitempty"`
	Taken      string     `json:"taken,omitempty"`
	Heap       jsonAmount `json:"heap"`
	Goroutines int        `json:"goroutines"`
	Rate       int64      `json:"profile_rate"`
}

type jsonGrowth struct {
	Sentence    string           `json:"sentence"`
	Before      jsonAmount       `json:"before"`
	After       jsonAmount       `json:"after"`
	Type        string           `json:"type,omitempty"`
	CountBefore uint64           `json:"count_before"`
	CountAfter  uint64           `json:"count_after"`
	Goroutines  bool             `json:"goroutines,omitempty"`
	Root        string           `json:"root"`
	Path        []jsonStep       `json:"path"`
	Cut         string           `json:"cut,omitempty"`
	Frees       jsonAmount       `json:"frees"`
	Sites       []jsonSiteGrowth `json:"sites"`
}

// jsonSiteGrowth is an allocation stack; amounts are estimates.
type jsonSiteGrowth struct {
	Stack  []jsonFrame  `json:"stack"`
	Type   string       `json:"type"`
	Before jsonEstimate `json:"before"`
	After  jsonEstimate `json:"after"`
}

type jsonEstimate struct {
	Bytes   float64 `json:"bytes"`
	Objects float64 `json:"objects"`
	Samples int     `json:"samples"`
}

type jsonDiff struct {
	Schema   string       `json:"schema"`
	Before   jsonSums     `json:"before"`
	After    jsonSums     `json:"after"`
	Growths  []jsonGrowth `json:"growths"`
	Warnings []string     `json:"warnings,omitempty"`
}

// WriteGrowthsJSON prints growths as JSON of schema why-diff/1. Sizes are
// bytes; those of sites are estimated, all others exact.
func WriteGrowthsJSON(w io.Writer, before, after *why.Sums, list []why.Growth) error {
	j := jsonDiff{Schema: "why-diff/1", Before: sumsJSON(before), After: sumsJSON(after), Growths: []jsonGrowth{}}
	if d := Differ(before.Program, after.Program); d != "" {
		j.Warnings = append(j.Warnings, d)
	}
	for i := range list {
		j.Growths = append(j.Growths, growthJSON(&list[i]))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(j)
}

func sumsJSON(s *why.Sums) jsonSums {
	j := jsonSums{Program: s.Program.Path, BuildID: s.Program.BuildID, Heap: amountJSON(s.Total), Goroutines: s.Goroutines, Rate: s.ProfileRate}
	if !s.Taken.IsZero() {
		j.Taken = s.Taken.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return j
}

func growthJSON(g *why.Growth) jsonGrowth {
	h := &g.Holding
	j := jsonGrowth{
		Sentence: GrowthSentence(g), Before: amountJSON(g.Before), After: amountJSON(g.After), Type: typeName(g),
		CountBefore: g.CountBefore, CountAfter: g.CountAfter, Goroutines: g.Goroutines,
		Root: RootWord(h.Root), Path: []jsonStep{}, Frees: amountJSON(h.Frees), Sites: []jsonSiteGrowth{},
	}
	for _, s := range h.Path {
		j.Path = append(j.Path, jsonStep{Label: s.Label, Name: s.Name, Object: s.Kind == goheap.KindObject, Repeated: s.Repeated})
	}
	if h.Cut > 0 {
		j.Cut = CutName(h)
	}
	for i := range g.Sites {
		s := &g.Sites[i]
		x := jsonSiteGrowth{Stack: []jsonFrame{}, Type: s.After.Type, Before: estimateJSON(&s.Before), After: estimateJSON(&s.After)}
		for _, f := range s.After.Stack {
			x.Stack = append(x.Stack, jsonFrame{f.Func, f.File, f.Line})
		}
		j.Sites = append(j.Sites, x)
	}
	return j
}

func estimateJSON(s *why.Site) jsonEstimate { return jsonEstimate{s.Bytes, s.Objects, s.Samples} }
