package web

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// table answers all but by=path: rows of one shape, whatever they are of.
func (r *retentionQuestion) table(by string, out *Retention) error {
	fill := map[string]func(*Retention) error{
		"dominators": r.dominators, "types": r.types, "roots": r.roots, "growth": r.growth, "waste": r.waste, "queues": r.queues, "drops": r.drops,
	}[by]
	whole := map[string]string{
		"growth": "Heaps are compared as a whole: this is not of what was asked about.",
		"queues": "The runtime keeps this for the whole program: this is not of what was asked about.",
	}[by]
	if r.sel.Estimated() && (by == "waste" || by == "drops") {
		whole = "This is of whole objects, not of samples: it is the whole heap."
	}
	if whole != "" && out.Start != nil {
		out.Notes = append(out.Notes, whole)
		r.key, r.sel, out.Start = "all", r.Select(why.Filter{}), nil
	}
	if err := fill(out); err != nil {
		return err
	}
	out.Table = r.heads(by)
	out.Table.Of = out.Total.Bytes
	if start := out.Start; start != nil {
		out.Table.Of = start.Bytes
		if start.Retained != nil && (by == "types" || by == "drops") { // which tell what is kept, of all types
			out.Table.Of = max(start.Bytes, start.Retained.Bytes)
		}
	}
	if slices.ContainsFunc(out.Rows, func(row RetentionRow) bool { return row.Before != nil }) {
		out.Notes = append(out.Notes, r.remarks()...)
	} else if r.Earlier != nil && !r.sel.Whole && by != "waste" && by != "drops" {
		out.Notes = append(out.Notes, "Changes are known of the whole heap only: start from everything.")
	}
	if n := len(out.Rows); n > rowsMost {
		for _, row := range out.Rows[rowsMost:] {
			out.More++
			out.MoreBytes += float64(cmp.Or(row.Keeps, row.Own))
		}
		out.Rows = out.Rows[:rowsMost]
	}
	return nil
}

// heads says what the columns of a table are.
func (r *retentionQuestion) heads(by string) *RetentionTable {
	tree := "→ opens a row, ← closes it, Enter shows what goes free without it."
	t := &RetentionTable{Main: "keeps", Title: map[string]string{
		"dominators": "Dominator tree", "types": "Types", "roots": "Roots by package", "growth": "Paths that grew", "waste": "Waste", "queues": "Queues of the runtime", "drops": "Where memory piles up",
	}[by]}
	name := func(title string) RetentionColumn { return RetentionColumn{"name", title, ""} }
	objects := RetentionColumn{"objects", "Objects", ""}
	change := "Since the earlier heap, of what it keeps alive"
	switch by {
	case "dominators":
		t.Columns = []RetentionColumn{name("Object"), objects, {"own", "Own", "Itself, and what below it is too small for a row"}, {"keeps", "Keeps alive", "What goes free with it"}}
		t.Hint = tree
	case "types":
		t.Columns = []RetentionColumn{name("Type"), objects, {"own", "Own", "The objects of this type alone"}, {"keeps", "Keep alive", "They and all that only they hold"}}
		t.Sort, t.Hint = "-keeps", "Enter or a double click: who holds this type."
		if r.sel.Estimated() {
			t.Columns = []RetentionColumn{name("Type"), objects, {"own", "About", "Estimated from samples"}}
			t.Main, t.Sort = "own", "-own"
		}
	case "roots":
		t.Columns = []RetentionColumn{name("Root"), objects, {"own", "Nearest", "Objects count to the root with the shortest path; rows add up to all"}, {"keeps", "Keeps alive", "What goes free without this root"}}
		t.Main, t.Hint, change = "own", tree, "Since the earlier heap, of what is nearest to it"
	case "growth":
		t.Columns = []RetentionColumn{name("Held by"), objects, {"before", "Before", "In the earlier heap"}, {"keeps", "Now", ""}}
		t.Sort, t.Hint, change = "-change", "Enter or a double click: what goes free without it.", ""
	case "waste":
		t.Columns = []RetentionColumn{name("What, and who holds it"), objects, {"own", "Of", "The objects"}, {"keeps", "Wasted", "What no reference can see"}}
		t.Sort, t.Hint = "-keeps", "Enter or a double click: one of these objects, with all its paths."
	case "queues":
		t.Columns = []RetentionColumn{name("What the runtime keeps for later"), {"objects", "Count", ""}, {"keeps", "Frees", "What goes free without these entries"}}
		t.Sort, t.Hint = "-keeps", "Timers, finalizers, cleanups and weak handles that keep something alive."
	case "drops":
		t.Columns = []RetentionColumn{name("Where memory fans out"), {"objects", "Parts", "What it keeps directly"}, {"own", "Keeps alive", "What goes free with it"}, {"keeps", "Piles up", "What it keeps alive, without its largest part"}}
		t.Sort, t.Hint = "-keeps", "Enter or a double click: one of these objects, with all its paths."
	}
	if r.Earlier != nil && r.sel.Whole && slices.Contains([]string{"dominators", "types", "roots", "growth"}, by) {
		t.Columns = append(t.Columns, RetentionColumn{"change", "Change", change})
	}
	return t
}

func (r *retentionQuestion) types(out *Retention) error {
	list := r.Types(r.sel)
	for i, t := range list {
		row := RetentionRow{ID: i, Name: t.Name, Type: t.Name, Category: r.origins.ofType(t.Name), Objects: t.Amount.Objects, Own: t.Amount.Bytes, Keeps: t.Retained.Bytes}
		if r.comparable() {
			row.Before = pointer(r.Earlier.Type(t.Name))
		}
		out.Rows = append(out.Rows, row)
	}
	if len(list) > 0 {
		out.Sentence = reason.Size(float64(list[0].Amount.Bytes)) + " of " + r.what() + " are " + countOf(list[0].Amount.Objects, list[0].Name) + "."
	}
	return nil
}

// comparable tells whether an earlier heap knows what is asked about.
func (r *retentionQuestion) comparable() bool { return r.Earlier != nil && r.sel.Whole }

func pointer(n uint64) *uint64 { return &n }

func (r *retentionQuestion) roots(out *Retention) error {
	for i, p := range r.Packages(r.sel) {
		row := r.rootRow(i, &p.RootRow)
		row.Kind, row.Category, row.Without = "package", r.origins.ofPackage(p.Name), ""
		if r.comparable() {
			row.Before = pointer(r.Earlier.Package(p.Name))
		}
		for k := range p.Roots {
			root := r.rootRow(k, &p.Roots[k])
			if r.comparable() {
				root.Before = pointer(r.Earlier.Root(p.Roots[k].Kind, p.Roots[k].Name))
			}
			row.Rows = append(row.Rows, root)
		}
		row.Children = len(row.Rows)
		out.Rows = append(out.Rows, row)
	}
	if len(out.Rows) > 0 {
		top := out.Rows[0]
		if len(top.Rows) > 0 {
			top = top.Rows[0]
		}
		out.Sentence = reason.Size(float64(top.Own)) + " of " + r.what() + " are nearest to " + top.Name + "."
	}
	return nil
}

func (r *retentionQuestion) rootRow(i int, w *why.RootRow) RetentionRow {
	row := RetentionRow{ID: i, Name: w.Name, Kind: reason.RootWord(w.Kind), Category: r.origins.of(w.Name), Objects: w.Amount.Objects, Own: w.Amount.Bytes, Keeps: w.Frees.Bytes}
	if w.Kind == goheap.KindGlobal {
		row.Without = w.Name
	}
	return row
}

// growthsMost is how many paths that grew are told.
const growthsMost = 50

// growth are the paths by which more is held than in the earlier heap.
func (r *retentionQuestion) growth(out *Retention) error {
	e := r.Earlier
	if e == nil {
		return notFound("Copy the memory twice, some time apart, and open both: profound snapshot -o before.snapshot PID, later profound snapshot -o after.snapshot PID, then profound web before.snapshot after.snapshot.",
			"what grows is seen beside an earlier heap of the program, and none was opened")
	}
	list, err := cached(r.ctx, r.session.data, "growth", func() ([]why.Growth, int, error) {
		list := r.Growths(e.Sums, r.Sums(r.Program, r.Taken), growthsMost)
		return list, 4096 * len(list), nil
	})
	if err != nil {
		return err
	}
	sums, err := r.outline("all", r.Select(why.Filter{}))
	if err != nil {
		return err
	}
	for i := range list {
		g := &list[i]
		h := &g.Holding
		way := r.way(h, sums)
		way.Sentence, way.Sites = reason.GrowthSentence(g), nil
		for k := range g.Sites {
			way.Sites = append(way.Sites, siteGrown(&g.Sites[k]))
		}
		row := RetentionRow{
			ID: i, Name: reason.PathString(h.Path), Category: r.origins.ofStep(&h.Path[0]), Objects: g.CountAfter,
			Keeps: g.After.Bytes, Before: pointer(g.Before.Bytes), Way: &way, Address: way.Address, Type: g.Type,
		}
		if h.Cut > 0 { // the way itself is told beside the table
			row.Without = reason.CutName(h)
			row.Name, row.Kind = row.Without, g.Type
		}
		out.Rows = append(out.Rows, row)
	}
	out.Sentence = "No path holds more than before."
	if len(list) > 0 {
		out.Sentence = grown(&list[0], e, r.Heap)
	}
	return nil
}

// grown says in short what grew most.
func grown(g *why.Growth, e *why.Earlier, now *Heap) string {
	who := reason.CutName(&g.Holding)
	if who == "" {
		who = reason.PathString(g.Holding.Path[:1])
	}
	s := fmt.Sprintf("%s more are held by %s", reason.Size(float64(g.Bytes())), who)
	if d := now.Taken.Sub(e.Taken); !e.Taken.IsZero() && d > 0 {
		s += " than " + verdict.Duration(d) + " before"
	}
	what := g.Type
	if g.Goroutines {
		what = "goroutines"
	}
	if what != "" && g.CountAfter > g.CountBefore {
		s += fmt.Sprintf(": %s then, %s now", countOf(g.CountBefore, what), reason.Count(g.CountAfter))
	}
	return s + "."
}

// siteGrown is a place that allocated more; its amounts are those now.
func siteGrown(g *why.SiteGrowth) RetentionSite {
	x := siteOf(&g.After)
	x.Before = pointer(uint64(math.Round(g.Before.Bytes)))
	return x
}

func (r *retentionQuestion) waste(out *Retention) error {
	var wasted uint64
	for i, w := range r.Waste(r.sel) {
		wasted += w.Wasted()
		row := RetentionRow{ID: i, Name: reason.WasteText(w.Kind), Kind: reason.PathString(w.Path), Objects: w.Count, Own: w.Bytes, Keeps: w.Wasted(), Address: r.addressOf(w.Example)}
		out.Rows = append(out.Rows, row)
	}
	out.Sentence = "No object of 1 kB or more wastes three quarters of itself."
	if len(out.Rows) > 0 {
		out.Sentence = reason.Size(float64(wasted)) + " of " + r.what() + " are kept and cannot be seen by any reference."
	}
	return r.duplicates(out)
}

// duplicatesMost is how many texts are looked for, duplicateLeast what one must
// waste to be told, duplicateShown how much of it is shown.
const (
	duplicatesMost = 1000
	duplicateLeast = 1 << 10
	duplicateShown = 60
)

// duplicates adds texts that are there several times, where the copy has the
// contents of strings.
func (r *retentionQuestion) duplicates(out *Retention) error {
	if !r.sel.Whole {
		return nil
	}
	list, err := cached(r.ctx, r.session.data, "duplicates", func() ([]why.DuplicateRow, int, error) {
		list, err := r.Duplicates(duplicatesMost)
		return list, 1024 * len(list), err
	})
	switch {
	case errors.Is(err, goheap.ErrMemory):
		out.Notes = append(out.Notes, "Equal strings are not looked for: the contents of strings are not in this copy; take it with profound snapshot -contents.")
		return nil
	case err != nil:
		return err
	}
	for _, d := range list {
		if d.Wasted() < duplicateLeast {
			continue
		}
		text := d.Text
		if len(text) > duplicateShown {
			text = text[:duplicateShown] + "…"
		}
		out.Rows = append(out.Rows, RetentionRow{
			ID: len(out.Rows), Name: fmt.Sprintf("the same string: %q", text), Kind: "one by " + reason.PathString(d.Path),
			Objects: uint64(d.Count), Own: uint64(d.Count) * uint64(d.Length), Keeps: d.Wasted(), Address: r.addressOf(d.Vertex),
		})
	}
	return nil
}

// addressOf is where a vertex is, "" for what is no object.
func (r *retentionQuestion) addressOf(v uint32) string {
	if !r.Analysis.Heap.IsObject(v) {
		return ""
	}
	return address(r.Analysis.Heap.Vertex(v).Addr)
}

// queues are timers, finalizers, cleanups: what the runtime keeps to do later.
func (r *retentionQuestion) queues(out *Retention) error {
	var counts []string
	for _, q := range r.Queues() {
		if q.Count > 0 {
			counts = append(counts, reason.Count(uint64(q.Count))+" "+q.Name)
		}
		for _, w := range q.Rows {
			row := RetentionRow{ID: len(out.Rows), Name: w.Name, Objects: uint64(w.Count), Keeps: w.Frees.Bytes, Type: w.About}
			if w.About != "" {
				row.Kind = "of " + w.About
			}
			if w.Func != "" {
				row.Category = r.origins.of(w.Func)
				row.Kind = strings.TrimSpace(row.Kind + " that calls " + origin.ShortName(w.Func))
			}
			out.Rows = append(out.Rows, row)
		}
	}
	slices.SortStableFunc(out.Rows, func(a, b RetentionRow) int { return cmp.Compare(b.Keeps, a.Keeps) })
	out.Sentence = "The runtime keeps nothing for later: no timers, finalizers or cleanups."
	if len(counts) > 0 {
		out.Sentence = "The runtime keeps for later: " + joinWords(counts) + "."
	}
	return nil
}

// drops are accumulation points: what keeps much more than its largest part.
func (r *retentionQuestion) drops(out *Retention) error {
	for i, d := range r.Drops(r.sel, dropsMost) {
		row := RetentionRow{ID: i, Name: reason.PathString(d.Path), Category: r.origins.ofStep(&d.Path[0]), Objects: uint64(d.Children), Own: d.Retained.Bytes, Keeps: d.Bytes, Address: r.addressOf(d.Vertex)}
		if d.Alike > 1 {
			row.Kind = "the largest of several"
		}
		if row.Address == "" {
			row.Without = d.Path[0].Name
		}
		out.Rows = append(out.Rows, row)
	}
	out.Sentence = "Nothing there holds more than one thing."
	if len(out.Rows) > 0 {
		out.Sentence = reason.Size(float64(out.Rows[0].Keeps)) + " of " + r.what() + " pile up at " + out.Rows[0].Name + "."
	}
	return nil
}

// dropsMost is how many accumulation points are told.
const dropsMost = 100
