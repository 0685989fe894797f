package reason

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/why"
)

// maxVars is how many variables of a group of goroutines are listed.
const maxVars = 5

// Goroutines is the view of groups of goroutines with what they hold; with
// stacks, where they wait is printed in full.
func Goroutines(groups []why.GroupHolding, n int, stacks bool) *Answer {
	x := &Answer{View: "goroutines", heads: []string{"count", "heap", "stacks", "goroutines, and what holds it"}, left: 3, Empty: "No goroutine matches.",
		Heading: "What goroutines that wait at one place hold, and only they: heap, and their own stacks."}
	shown, left := cut(groups, n)
	for i := range shown {
		g := &shown[i]
		text := []string{groupName(g)}
		for j, v := range g.Vars {
			if j == maxVars {
				text = append(text, "  "+more(len(g.Vars)-j, "variables"))
				break
			}
			if v.Amount.Bytes*100 > g.Holds.Bytes {
				text = append(text, fmt.Sprintf("  %s %s, %s", varName(&v), Amount(v.Amount), v.Type))
			}
		}
		if stacks {
			text = append(text, "  waits at")
			for _, f := range g.Stack {
				text = append(text, "    "+Place(f))
			}
		}
		x.add(groupJSON(g), Count(uint64(g.Count)), size(g.Holds.Bytes), size(g.Stacks), strings.Join(text, "\n"))
	}
	if len(left) > 0 {
		var sum why.GroupHolding
		for i := range left {
			sum.Count += left[i].Count
			sum.Holds = sum.Holds.Add(left[i].Holds)
			sum.Stacks += left[i].Stacks
		}
		row := groupJSON(&sum)
		row.Rest = true
		x.add(row, Count(uint64(sum.Count)), size(sum.Holds.Bytes), size(sum.Stacks), more(len(left), "groups"))
	}
	return x
}

// groupName is the name of a group without its number, which has a column.
func groupName(g *why.GroupHolding) string {
	if _, rest, ok := strings.Cut(g.Name, " goroutines "); ok {
		return rest
	}
	return g.Name
}

func varName(v *why.VarHolding) string {
	switch {
	case v.Name != "":
		return v.Name
	case strings.HasPrefix(v.Type, "runtime."):
		return "the runtime's record of them"
	}
	return "several variables"
}

// maxDuplicates is how many texts are looked for.
const maxDuplicates = 1000

// Waste is the view of memory that is kept and cannot be seen.
func Waste(q *Question) *Answer {
	x := &Answer{View: "waste", heads: []string{"wasted", "of", "objects", "what, and who holds it"}, left: 3, Empty: "No object of 1 kB or more wastes three quarters of itself.",
		Heading: fmt.Sprintf("What of %s is kept but no reference can see, of objects of 1 kB and more that waste three quarters of themselves.", q.subject())}
	shown, left := cut(q.A.Waste(q.S), q.N)
	for i := range shown {
		w := &shown[i]
		x.add(jsonRow{Kind: wasteWord(w.Kind), Wasted: w.Wasted(), Of: w.Bytes, Count: int(w.Count), Path: stepsJSON(w.Path)},
			size(w.Wasted()), size(w.Bytes), Count(w.Count), WasteText(w.Kind)+"\n  "+PathString(w.Path))
	}
	if len(left) > 0 {
		var sum why.WasteRow
		for i := range left {
			sum.Bytes, sum.Used, sum.Count = sum.Bytes+left[i].Bytes, sum.Used+left[i].Used, sum.Count+left[i].Count
		}
		text := more(len(left), "ways")
		x.add(jsonRow{Rest: true, Name: text, Wasted: sum.Wasted(), Of: sum.Bytes, Count: int(sum.Count)}, size(sum.Wasted()), size(sum.Bytes), Count(sum.Count), text)
	}
	if !q.S.Whole {
		x.Notes = append(x.Notes, "Duplicate strings are only looked for in the whole heap.")
		return x
	}
	duplicates(x, q)
	return x
}

// duplicates adds texts that are there several times.
func duplicates(x *Answer, q *Question) {
	list, err := q.A.Duplicates(maxDuplicates)
	if errors.Is(err, goheap.ErrMemory) {
		x.Notes = append(x.Notes, "Duplicate strings: the contents of strings are not in this copy; take it with profound snapshot -contents.")
		return
	}
	if err != nil {
		x.Notes = append(x.Notes, "Duplicate strings: "+err.Error())
		return
	}
	wasted := uint64(0)
	for i := range list {
		wasted += list[i].Wasted()
	}
	n := len(list)
	if n == 0 {
		x.Notes = append(x.Notes, "No duplicate strings.")
		return
	}
	list = slices.DeleteFunc(list, func(d why.DuplicateRow) bool { return d.Wasted() < duplicateFrom })
	shown, _ := cut(list, q.N)
	for i := range shown {
		d := &shown[i]
		x.add(jsonRow{Kind: "duplicate", Wasted: d.Wasted(), Of: uint64(d.Count) * uint64(d.Length), Count: d.Count, Name: d.Text, Path: stepsJSON(d.Path)},
			size(d.Wasted()), size(uint64(d.Count)*uint64(d.Length)), Count(uint64(d.Count)),
			fmt.Sprintf("the same string: %s\n  one by %s", quoted(d.Text), PathString(d.Path)))
	}
	x.Notes = append(x.Notes, fmt.Sprintf("Duplicate strings: %s waste %s; shown are those that waste %s or more.", texts(n), size(wasted), size(duplicateFrom)))
}

// duplicateFrom is what a text must waste to be shown.
const duplicateFrom = 1 << 10

// texts counts duplicates, of which no more than maxDuplicates are looked at.
func texts(n int) string {
	switch n {
	case 1:
		return "1 text"
	case maxDuplicates:
		return "the worst " + Count(maxDuplicates) + " texts"
	}
	return Count(uint64(n)) + " texts"
}

// quotedLen is how much of a text is shown.
const quotedLen = 40

func quoted(text string) string {
	if len(text) > quotedLen {
		return fmt.Sprintf("%q...", text[:quotedLen])
	}
	return fmt.Sprintf("%q", text)
}

func wasteWord(k goheap.WasteKind) string {
	switch k {
	case goheap.WasteWindow:
		return "window"
	case goheap.WasteCapacity:
		return "capacity"
	}
	return "map"
}

// WasteText says how memory of a kind is wasted.
func WasteText(k goheap.WasteKind) string {
	switch k {
	case goheap.WasteWindow:
		return "sub-slices or substrings keep whole arrays"
	case goheap.WasteCapacity:
		return "arrays with room that is not used"
	}
	return "maps with many more slots than entries"
}

// Queues is the view of what the runtime keeps to do later.
func Queues(queues []why.Queue, n int) *Answer {
	x := &Answer{View: "queues", heads: []string{"frees", "count", "what"}, left: 2, Empty: "None of them keeps anything alive.",
		Heading: "What the runtime keeps for later: "}
	var counts []string
	for i := range queues {
		q := &queues[i]
		if q.Count == 0 {
			counts = append(counts, "no "+q.Name)
			continue
		}
		name := q.Name
		if q.Count == 1 {
			name = strings.TrimSuffix(name, "s")
		}
		counts = append(counts, Count(uint64(q.Count))+" "+name)
		shown, left := cut(q.Rows, n)
		for j := range shown {
			r := &shown[j]
			text := r.Name
			if r.About != "" {
				text += " of " + r.About
			}
			if r.Func != "" {
				text += " that calls " + r.Func
			}
			x.add(jsonRow{Kind: q.Name, Name: r.Name, Type: r.About, Func: r.Func, Count: r.Count, Frees: amountOf(r.Frees)},
				size(r.Frees.Bytes), Count(uint64(r.Count)), text)
		}
		if len(left) > 0 {
			x.add(jsonRow{Rest: true, Kind: q.Name, Count: len(left)}, "", "", more(len(left), "kinds of "+q.Name))
		}
	}
	x.Heading += strings.Join(counts, ", ") + ". \"frees\" is what goes without them."
	return x
}

// maxFreed is how many types and sites of what goes free are listed.
const maxFreed = 10

// Without is what goes free without references.
func Without(w *why.WhatIf) []*Answer {
	var parts []string
	if w.References > 0 {
		parts = append(parts, fmt.Sprintf("%s %s", Count(uint64(w.References)), plural(w.References == 1, "reference", "references")))
	}
	if w.Variables > 0 {
		parts = append(parts, fmt.Sprintf("%s %s", Count(uint64(w.Variables)), plural(w.Variables == 1, "root", "roots")))
	}
	n := strings.Join(parts, ", ")
	s := fmt.Sprintf("Without %s (%s) %s go free", strings.Join(w.Names, " and "), n, Amount(w.Frees))
	if w.Stacks > 0 {
		s += ", and stacks of " + size(w.Stacks)
	}
	if w.Frees.Objects == 0 {
		s = fmt.Sprintf("Without %s (%s) nothing goes free: all of it is held otherwise too", strings.Join(w.Names, " and "), n)
	}
	types := &Answer{View: "without", Heading: s + ".", heads: []string{"bytes", "objects", "type"}, left: 2, frees: amountOf(w.Frees)}
	for i, r := range w.Types {
		if i < maxFreed {
			types.add(jsonRow{Kind: "type", Name: r.Name, Amount: amountOf(r.Amount)}, size(r.Amount.Bytes), Count(r.Amount.Objects), r.Name)
		}
	}
	if len(w.Sites) == 0 {
		return []*Answer{types}
	}
	sites := siteTable(w.Sites[:min(len(w.Sites), maxFreed)])
	sites.View, sites.Heading = "without", "Where it was allocated, by samples, about:"
	for i := range sites.rows {
		s := siteJSON(w.Sites[i])
		sites.rows[i] = jsonRow{Kind: "site", Site: &s}
	}
	return []*Answer{types, sites}
}
