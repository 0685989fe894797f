package reason

import (
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/why"
)

// Question is what is asked of a heap: which objects, and how many rows.
type Question struct {
	A *why.Analysis
	S *why.Selection
	// What names the selection: "what main.newOrder allocated"; empty for the
	// whole heap.
	What string
	// N bounds the rows; what is left out is added up in a last one.
	N int
}

// subject is the selection with its amount.
func (q *Question) subject() string {
	switch {
	case q.S.Whole && !q.S.Estimated():
		return "the heap (" + Amount(q.A.Total()) + ")"
	case q.S.Estimated():
		return q.what() + " (about " + Amount(q.A.Amount(q.S)) + ")"
	}
	return q.what() + " (" + Amount(q.A.Amount(q.S)) + ")"
}

func (q *Question) what() string {
	if q.What == "" {
		return "the heap"
	}
	return q.What
}

// bytes heads the column of bytes: it says when they are estimates.
func (q *Question) bytes() string {
	if q.S.Estimated() {
		return "about"
	}
	return "bytes"
}

func (q *Question) empty() string { return "Nothing is alive of " + q.what() + "." }

// more is the last row of a table: what it has left out.
func more(n int, what string) string {
	if n == 1 {
		word, tail, _ := strings.Cut(what, " ")
		what = strings.TrimSpace(strings.TrimSuffix(word, "s") + " " + tail)
	}
	return fmt.Sprintf("(%d %s more)", n, what)
}

// cut splits n rows from the others.
func cut[T any](rows []T, n int) (shown, left []T) {
	n = min(n, len(rows))
	return rows[:n], rows[n:]
}

// Roots is the view by root.
func Roots(q *Question) *Answer {
	x := &Answer{View: "root", heads: []string{q.bytes(), "objects", "frees", "root"}, left: 3, Empty: q.empty(),
		Heading: fmt.Sprintf("How %s is reached, by root. An object counts at the root of its best path; \"frees\" is what goes without that root, whatever it is.", q.subject())}
	shown, left := cut(q.A.Roots(q.S), q.N)
	for i := range shown {
		r := &shown[i]
		name := r.Name
		if r.Kind == goheap.KindGlobal {
			name += " (" + RootWord(r.Kind) + ")"
		}
		x.add(rootJSON(r), size(r.Amount.Bytes), Count(r.Amount.Objects), size(r.Frees.Bytes), name+stacksToo(r.Stacks))
	}
	if len(left) > 0 {
		var sum retain.Amount
		for i := range left {
			sum = sum.Add(left[i].Amount)
		}
		x.rest(sum, more(len(left), "roots"), "")
	}
	return x
}

func stacksToo(bytes uint64) string {
	if bytes == 0 {
		return ""
	}
	return ", and " + size(bytes) + " of stacks"
}

// rest adds the row for what is left out; blanks are for columns without sums.
func (x *Answer) rest(sum retain.Amount, text string, blanks ...string) {
	cells := append([]string{size(sum.Bytes), Count(sum.Objects)}, blanks...)
	x.add(jsonRow{Rest: true, Name: text, Amount: amountOf(sum)}, append(cells, text)...)
}

// Packages is the view by package.
func Packages(q *Question) *Answer {
	x := &Answer{View: "package", heads: []string{q.bytes(), "objects", "frees", "package, and what of it reaches most"}, left: 3, Empty: q.empty(),
		Heading: fmt.Sprintf("How %s is reached, by the package of the variable, or of the function a goroutine began with. \"frees\" is what goes without all of them.", q.subject())}
	shown, left := cut(q.A.Packages(q.S), q.N)
	for i := range shown {
		p := &shown[i]
		text := p.Name
		if len(p.Roots) > 1 || p.Roots[0].Name != p.Name {
			text += ": " + p.Roots[0].Name
		}
		if n := len(p.Roots) - 1; n > 0 {
			text += " " + more(n, "roots")
		}
		row := rootJSON(&p.RootRow)
		for j := range p.Roots {
			row.Roots = append(row.Roots, rootJSON(&p.Roots[j]))
		}
		x.add(row, size(p.Amount.Bytes), Count(p.Amount.Objects), size(p.Frees.Bytes), text)
	}
	if len(left) > 0 {
		var sum retain.Amount
		for i := range left {
			sum = sum.Add(left[i].Amount)
		}
		x.rest(sum, more(len(left), "packages"), "")
	}
	return x
}

// Types is the view by type.
func Types(q *Question) *Answer {
	x := &Answer{View: "type", heads: []string{q.bytes(), "objects", "retained", "type"}, left: 3, Empty: q.empty(),
		Heading: fmt.Sprintf("The types of %s: the objects themselves; \"retained\" is with all that only they hold.", q.subject())}
	if q.S.Estimated() {
		x.heads, x.left = []string{q.bytes(), "objects", "type"}, 2
		x.Heading = fmt.Sprintf("The types of %s, by samples.", q.subject())
	}
	shown, left := cut(q.A.Types(q.S), q.N)
	for _, r := range shown {
		row, cells := jsonRow{Name: r.Name, Amount: amountOf(r.Amount)}, []string{size(r.Amount.Bytes), Count(r.Amount.Objects)}
		if !q.S.Estimated() {
			row.Retained, cells = amountOf(r.Retained), append(cells, size(r.Retained.Bytes))
		}
		x.add(row, append(cells, r.Name)...)
	}
	if len(left) > 0 {
		var sum retain.Amount
		for _, r := range left {
			sum = sum.Add(r.Amount)
		}
		x.rest(sum, more(len(left), "types"), make([]string, len(x.heads)-3)...)
	}
	return x
}

// Sites is the view by allocation site and path.
func Sites(q *Question) *Answer {
	s := q.A.Sampled(q.S)
	p := *q
	p.S = s
	x := &Answer{View: "site", heads: []string{"about", "objects", "allocation site, and who holds what it allocated"}, left: 2, Empty: p.empty(),
		Heading: fmt.Sprintf("Where %s was allocated and who holds it, by samples: about one in %s.", p.subject(), size(uint64(q.A.Heap.ProfileRate)))}
	shown, left := cut(q.A.Ways(s, -1), q.N)
	for i := range shown {
		h := &shown[i]
		x.add(jsonRow{Holding: holdingOf(h)}, size(h.Amount.Bytes), Count(h.Amount.Objects),
			fmt.Sprintf("%s at %s\n  %s", h.Type, sitePlace(h.Site), HeldBy(h)))
	}
	if len(left) > 0 {
		var sum retain.Amount
		for i := range left {
			sum = sum.Add(left[i].Amount)
		}
		x.rest(sum, more(len(left), "ways"))
	}
	return x
}

func sitePlace(s *why.Site) string {
	if s == nil || len(s.Stack) == 0 {
		return "?"
	}
	return Place(caller(s.Stack))
}

// treeShare is the smallest part of a selection with a row of its own in the
// tree.
const treeShare = 0.01

// Tree is the dominator tree.
func Tree(q *Question) *Answer {
	x := &Answer{View: "tree", heads: []string{"share", q.bytes(), "objects", "held by; without a line goes what is below it"}, left: 3, Empty: q.empty(),
		Heading: fmt.Sprintf("What holds %s as a tree of dominators: every path to what is below a line leads through that line. Parts below %g %% are in the line above.", q.subject(), 100*treeShare)}
	rows := q.A.Outline(q.S, treeShare)
	total := q.A.Amount(q.S).Bytes
	for _, r := range rows {
		text := r.Name
		if r.Label != "" {
			text = r.Label + "  " + text
		}
		if r.Count > 1 && !strings.HasPrefix(r.Name, "map[") { // maps are several vertices each
			text += "  x " + Count(r.Count)
		}
		if r.Repeated {
			text += "  (again and again)"
		}
		row := jsonRow{Name: r.Name, Label: r.Label, Kind: kindOf(r.Kind), Depth: &r.Depth, Amount: amountOf(r.Amount), Own: amountOf(r.Own), Count: int(r.Count), Repeated: r.Repeated}
		x.add(row, percent(r.Amount.Bytes, total), size(r.Amount.Bytes), Count(r.Amount.Objects), strings.Repeat("  ", r.Depth)+text)
	}
	return x
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

// Drops is the view of accumulation points.
func Drops(q *Question) *Answer {
	x := &Answer{View: "drops", heads: []string{"retained", "drop", "parts", "where memory fans out"}, left: 3, Empty: "Nothing there holds more than one thing.",
		Heading: fmt.Sprintf("Where %s piles up: what retains much more than its largest part does. The drop is the difference.", q.subject())}
	for _, d := range q.A.Drops(q.S, q.N) {
		text := PathString(d.Path)
		if d.Alike > 1 {
			text += ", the largest of several"
		}
		x.add(jsonRow{Path: stepsJSON(d.Path), Retained: amountOf(d.Retained), Drop: d.Bytes, Count: d.Children, Alike: d.Alike},
			size(d.Retained.Bytes), size(d.Bytes), Count(uint64(d.Children)), text)
	}
	return x
}

// Depths is the histogram of distances from the roots.
func Depths(q *Question) *Answer {
	x := &Answer{View: "depth", heads: []string{"steps", q.bytes(), "objects", ""}, left: 3, Empty: q.empty(),
		Heading: fmt.Sprintf("How many steps %s is from its root, on the best path. Much memory far out is a list or a deep tree.", q.subject())}
	total := q.A.Amount(q.S).Bytes
	for _, r := range q.A.Depths(q.S) {
		steps := fmt.Sprint(r.From)
		if r.To > r.From {
			steps = fmt.Sprintf("%d-%d", r.From, r.To)
		}
		part := 0.0
		if total > 0 {
			part = float64(r.Bytes) / float64(total)
		}
		x.add(jsonRow{From: &r.From, To: &r.To, Amount: amountOf(r.Amount)}, steps, size(r.Bytes), Count(r.Objects),
			strings.TrimRight(textart.Bar(part, 24, textart.TextOptions{}), " "))
	}
	return x
}
