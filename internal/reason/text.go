// Package reason puts what package why found into words: one sentence a
// holding, the path below it, the sites that allocated it; tables for the
// views; and all of it as JSON.
package reason

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// Options say how to print.
type Options struct {
	// Width is the number of columns; 0 is 80.
	Width int
	// Bold marks what is most telling; nil leaves it.
	Bold func(string) string
}

func (o *Options) width() int {
	if o.Width <= 0 {
		return 80
	}
	return o.Width
}

// Size prints bytes: "61.2 MB".
func Size(bytes float64) string { return verdict.Amount(leak.Heap, bytes) }

// size prints bytes.
func size(bytes uint64) string { return Size(float64(bytes)) }

// Count prints a number with thousands apart: 23,912.
func Count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Amount prints bytes and objects.
func Amount(a retain.Amount) string { return size(a.Bytes) + " in " + objects(a.Objects, "") }

func objects(n uint64, typ string) string {
	switch {
	case typ == "string" && n != 1:
		return Count(n) + " strings"
	case typ != "":
		return Count(n) + " " + typ
	case n == 1:
		return "1 object"
	}
	return Count(n) + " objects"
}

// RootWord says what kind of root holds something.
func RootWord(k goheap.Kind) string {
	switch k {
	case goheap.KindGlobal:
		return "package variable"
	case goheap.KindGroup, goheap.KindGoroutine:
		return "goroutines"
	case goheap.KindLocal:
		return "variable of a goroutine"
	case goheap.KindSpecial:
		return "runtime: timers, finalizers, cleanups"
	case goheap.KindRuntime:
		return "runtime"
	}
	return "root"
}

// Sentence says what one holding is.
func Sentence(h *why.Holding) string {
	if h.Type == "" {
		return holds(h)
	}
	typ := h.Type
	if h.Pointed {
		typ = "*" + typ
	}
	s := size(h.Amount.Bytes) + " in " + objects(h.Amount.Objects, typ)
	one := h.Amount.Objects == 1
	site := h.Site
	if site != nil {
		s = "about " + s
	} else {
		site = siteOf(h)
	}
	if site != nil && len(site.Stack) > 0 {
		s += " allocated at " + Place(caller(site.Stack))
	}
	if h.Below {
		s += plural(one, ", with what it holds,", ", with what they hold,")
	}
	return s + plural(one, " is held ", " are held ") + waysWord(h) + "by " + HeldBy(h)
}

// holds is the sentence for a root that holds many different things.
func holds(h *why.Holding) string {
	many := h.Root == goheap.KindGroup && !strings.HasPrefix(h.Path[0].Name, "goroutine ")
	s := rootName(h.Path, h.Root) + plural(many, " hold ", " holds ") + Amount(h.Amount)
	if len(h.Path) > 1 {
		s = pathString(h.Path, false) + " holds " + Amount(h.Amount)
	}
	if h.Stacks > 0 && len(h.Joint) == 0 {
		s += ", and stacks of " + size(h.Stacks)
	}
	if len(h.Joint) > 0 {
		return s + ", which are held " + waysWord(h) + "by " + jointly(h, "")
	}
	if h.Cut == 0 {
		return s + "; no single reference holds them"
	}
	if h.Root == goheap.KindGroup && h.Cut == 1 {
		return s
	}
	return s + "; without " + cutWords(h) + " " + size(h.Frees.Bytes) + " go free"
}

func plural(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// siteOf is where most of the objects a holding is about were allocated, nil if
// no sample says.
func siteOf(h *why.Holding) *why.Site {
	for i := range h.Sites {
		if h.Sites[i].Type == h.Type {
			return &h.Sites[i]
		}
	}
	return nil
}

// HeldBy says who holds what is already named: the second half of Sentence,
// which follows "held by".
func HeldBy(h *why.Holding) string {
	if len(h.Joint) > 0 {
		return jointly(h, h.Type)
	}
	s := pathTo(h.Path, h.Type)
	switch {
	case h.Cut == 0:
		return s + "; no single reference holds " + plural(h.Amount.Objects == 1, "it", "them")
	case h.Frees.Bytes == 0:
		return s
	}
	return s + "; without " + cutWords(h) + " " + size(h.Frees.Bytes) + " go free"
}

// pathTo prints a path on one line; the type it ends with is left out, where
// the sentence has named it.
func pathTo(path []why.Step, typ string) string {
	n := len(path)
	switch {
	case n == 1:
		return rootName(path, path[0].Kind)
	case path[n-1].Name == typ && !path[n-1].Repeated:
		path = append(path[:n-1:n-1], why.Step{Label: path[n-1].Label, Kind: path[n-1].Kind})
	}
	return pathString(path, false)
}

// cutWords names the cut in a sentence that has named the goroutines.
func cutWords(h *why.Holding) string { return wayWords(h.Path, h.Cut) }

func wayWords(path []why.Step, cut int) string {
	if cut == 1 && path[0].Kind == goheap.KindGroup {
		return plural(strings.HasPrefix(path[0].Name, "goroutine "), "this goroutine", "these goroutines")
	}
	name := cutName(path, cut)
	elements := strings.Contains(name, "[]") || strings.Contains(name, "[elem]") || strings.Contains(name, "[key]")
	if elements || path[0].Kind == goheap.KindGroup && !strings.HasPrefix(path[0].Name, "goroutine ") {
		return "this one " + name
	}
	return name
}

// HeldByGroup says how goroutines wait and what they hold.
func HeldByGroup(g *why.GroupHolding) string {
	s := fmt.Sprintf("%s, with stacks of %s", g.Name, size(g.Stacks))
	if g.Holds.Bytes > 0 {
		s += ", hold " + Amount(g.Holds)
	}
	return s
}

// Place prints a frame: main.newOrder main.go:63.
func Place(f goheap.Frame) string {
	s := origin.ShortName(f.Func)
	if f.File != "" {
		s += fmt.Sprintf(" %s:%d", filepath.Base(f.File), f.Line)
	}
	return s
}

// caller is the innermost frame of the program's own code, else the leaf.
func caller(stack []goheap.Frame) goheap.Frame {
	for _, f := range stack {
		if origin.OfFrame(f.Func, f.File) == origin.Own {
			return f
		}
	}
	return stack[0]
}

// PathString prints a path on one line: the root with its kind, then fields,
// and the types that say more than the field does: maps, slices, functions.
func PathString(path []why.Step) string { return pathString(path, false) }

func pathString(path []why.Step, types bool) string {
	var b strings.Builder
	field := false // a field was written last, and its type left out
	for i, s := range path {
		switch {
		case i == 0:
			b.WriteString(rootName(path, s.Kind))
		case s.Kind != goheap.KindObject:
			b.WriteString(" -> " + s.Name)
			field = false
		default:
			if s.Label != "" && !field {
				b.WriteString(" ")
			}
			b.WriteString(s.Label)
			field = field || s.Label != ""
			if types || container(s.Name) || i == len(path)-1 {
				b.WriteString(" " + s.Name)
				field = false
			}
		}
		if s.Repeated {
			b.WriteString(" (again and again)")
			field = false
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// container tells types that a reader wants to see on the way.
func container(name string) bool {
	for _, p := range []string{"map[", "[]", "func ", "chan "} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// rootName is the name of the root of a path, with its kind if the name does
// not say it.
func rootName(path []why.Step, kind goheap.Kind) string {
	if kind == goheap.KindGlobal {
		return path[0].Name + " (" + RootWord(kind) + ")"
	}
	return path[0].Name
}

// CutName names the reference that is best removed by the variable it begins
// with: main.cache.m. Option -without understands it.
func CutName(h *why.Holding) string { return cutName(h.Path, h.Cut) }

func cutName(path []why.Step, cut int) string {
	var b strings.Builder
	for i, s := range path[:min(cut, len(path))] {
		switch {
		case i == 0 || s.Kind != goheap.KindObject:
			b.Reset() // the name of a local variable has its function's
			b.WriteString(s.Name)
		default:
			b.WriteString(s.Label)
		}
	}
	return b.String()
}

// finding prints a holding: a sentence, the path, the sites.
func finding(b *strings.Builder, h *why.Holding, o Options) {
	for j, l := range wrapWords(Sentence(h), o.width()) {
		if j > 0 {
			l = "  " + l
		}
		if o.Bold != nil {
			l = o.Bold(l)
		}
		b.WriteString(l + "\n")
	}
	b.WriteString(holdingLines(h, o))
	if h.Site != nil && len(h.Site.Stack) > 1 {
		b.WriteString(stackLines("allocated by", h.Site.Stack))
	}
	b.WriteString(siteLines(h.Sites, o))
	if h.Address != 0 && h.Type != "" {
		fmt.Fprintf(b, "  one of them: %#x\n", h.Address)
	}
}

// holdingLines prints the path of a holding, or its ways, with what its cut
// frees beside it.
func holdingLines(h *why.Holding, o Options) string {
	if len(h.Joint) == 0 {
		note := ""
		if h.Cut > 0 && h.Frees.Bytes > 0 {
			note = "<- frees " + size(h.Frees.Bytes)
		}
		return pathLines(h.Path, h.Cut, note, o)
	}
	var b strings.Builder
	for i, w := range h.Joint {
		note := ""
		if !h.Many {
			note = fmt.Sprintf("<- %d of %d", i+1, len(h.Joint))
		}
		b.WriteString(pathLines(w.Path, w.Cut, note, o))
	}
	return b.String()
}

// pathLines prints a path, a line a step, with a note behind the step that cut
// leads to.
func pathLines(path []why.Step, cut int, note string, o Options) string {
	var b strings.Builder
	for i, s := range path {
		indent := strings.Repeat("  ", min(i+1, o.width()/5))
		l := s.Name
		if i > 0 && s.Kind == goheap.KindObject && s.Label != "" {
			l = s.Label + "  " + l
		}
		if s.Repeated {
			l += "  (again and again)"
		}
		if i == 0 && s.Kind != goheap.KindGroup {
			l += "  " + RootWord(s.Kind)
		}
		if i+1 == cut && note != "" {
			l += "  " + note
		}
		l = textart.Clean(l)
		if textart.TextWidth(indent+l) > o.width() {
			for j, part := range wrapWords(l, o.width()-len(indent)) {
				if j > 0 {
					part = "  " + part
				}
				b.WriteString(indent + part + "\n")
			}
			continue
		}
		b.WriteString(indent + l + "\n")
	}
	return b.String()
}

// maxStack is how many frames of a stack are printed.
const maxStack = 6

func stackLines(title string, stack []goheap.Frame) string {
	var b strings.Builder
	b.WriteString("  " + title + "\n")
	for i, f := range stack {
		if i == maxStack {
			fmt.Fprintf(&b, "      and %d frames more\n", len(stack)-i)
			break
		}
		b.WriteString("      " + textart.Clean(Place(f)) + "\n")
	}
	return b.String()
}

func siteLines(sites []why.Site, o Options) string {
	if len(sites) == 0 {
		return ""
	}
	x := siteTable(sites)
	return "  allocated, by samples, about\n" + indented(x.body(o.width()-4), "    ")
}

// siteTable is a table of allocation sites.
func siteTable(sites []why.Site) *Answer {
	x := &Answer{heads: []string{"bytes", "objects", "type and place"}, left: 2}
	for i := range sites {
		s := &sites[i]
		at := "?"
		if len(s.Stack) > 0 {
			at = Place(caller(s.Stack))
		}
		x.add(jsonRow{}, Size(s.Bytes), Count(uint64(s.Objects+0.5)), s.Type+" at "+at)
	}
	return x
}

// body is the table without its header.
func (x *Answer) body(width int) string {
	_, rows, _ := strings.Cut(x.table(width), "\n")
	return rows
}

func indented(text, by string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		b.WriteString(by + l)
	}
	return b.String()
}

// Summary is what a heap is made of, in a sentence.
func Summary(a *why.Analysis) string {
	s := &a.Heap.Stats
	return fmt.Sprintf("%s in %s live objects, %s of them of a known type; %s goroutines",
		size(s.Bytes), Count(s.Objects), share(s.Typed, s.Objects), Count(uint64(len(a.Heap.Goroutines))))
}

func share(part, whole uint64) string {
	if whole == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}
