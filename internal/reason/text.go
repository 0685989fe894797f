// Package reason puts what package why found into words: one sentence a
// holding, the path below it, the sites that allocated it, and the same as
// JSON.
package reason

import (
	"fmt"
	"io"
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
	// Width is the number of columns; 0 is 100.
	Width int
	// Bold marks what is most telling; nil leaves it.
	Bold func(string) string
}

func (o *Options) width() int {
	if o.Width <= 0 {
		return 100
	}
	return o.Width
}

// Size prints bytes: "61.2 MB".
func Size(bytes float64) string { return verdict.Amount(leak.Heap, bytes) }

// Count prints a number with thousands apart: 23,912.
func Count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
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
	var b strings.Builder
	about := ""
	if h.Site != nil {
		about = "about "
	}
	fmt.Fprintf(&b, "%s%s in %s", about, Size(float64(h.Amount.Bytes)), objects(h.Amount.Objects, h.Type))
	if h.Site != nil && len(h.Site.Stack) > 0 {
		fmt.Fprintf(&b, " allocated at %s", Place(h.Site.Stack[0]))
	}
	verb := "are"
	if h.Amount.Objects == 1 {
		verb = "is"
	}
	fmt.Fprintf(&b, " %s held by %s", verb, PathString(h.Path, h.Root))
	if h.Cut == 0 {
		b.WriteString("; no single reference holds it")
	} else if h.Frees.Bytes > 0 {
		fmt.Fprintf(&b, "; without %s %s go free", CutName(h), Size(float64(h.Frees.Bytes)))
	}
	return b.String()
}

// HeldBy says who holds what is already named: the second half of Sentence.
func HeldBy(h *why.Holding) string {
	s := PathString(h.Path, h.Root)
	if h.Cut == 0 {
		return s + "; no single reference holds it"
	}
	return s + fmt.Sprintf("; without %s %s go free", CutName(h), Size(float64(h.Frees.Bytes)))
}

// HeldByGroup says how goroutines wait and what they hold.
func HeldByGroup(g *why.GroupHolding) string {
	s := fmt.Sprintf("%s, with stacks of %s", g.Name, Size(float64(g.Stacks)))
	if g.Holds.Bytes > 0 {
		s += ", hold " + Amount(g.Holds)
	}
	return s
}

func objects(n uint64, typ string) string {
	if n == 1 {
		if typ != "" {
			return "1 " + typ
		}
		return "1 object"
	}
	if typ == "" {
		return Count(n) + " objects"
	}
	return Count(n) + " objects, " + typ
}

// Place prints a frame: main.newOrder main.go:63.
func Place(f goheap.Frame) string {
	s := origin.ShortName(f.Func)
	if f.File != "" {
		s += fmt.Sprintf(" %s:%d", filepath.Base(f.File), f.Line)
	}
	return s
}

// PathString prints a path on one line: the root with its kind, then fields
// and types.
func PathString(path []why.Step, root goheap.Kind) string {
	var b strings.Builder
	for i, s := range path {
		switch {
		case i == 0:
			b.WriteString(s.Name)
			if root == goheap.KindGlobal {
				b.WriteString(" (" + RootWord(root) + ")")
			}
			continue
		case s.Kind != goheap.KindObject:
			b.WriteString(" -> " + s.Name)
		default:
			b.WriteString(label(s) + " " + s.Name)
		}
		if s.Repeated {
			b.WriteString(" (again and again)")
		}
	}
	return b.String()
}

func label(s why.Step) string {
	if l := strings.TrimSpace(s.Label); l != "" {
		return " " + l
	}
	return " ->"
}

// CutName names the reference that is best removed by the variable it begins
// with: main.cache.m.
func CutName(h *why.Holding) string {
	var b strings.Builder
	for i, s := range h.Path[:min(h.Cut, len(h.Path))] {
		switch {
		case s.Kind == goheap.KindLocal, i == 0:
			b.Reset() // its name has the function's, and the goroutine's are too many
			b.WriteString(s.Name)
		case s.Kind != goheap.KindObject:
			b.WriteString(" -> " + s.Name)
		default:
			b.WriteString(strings.TrimSpace(s.Label))
		}
	}
	return b.String()
}

// Write prints holdings: a sentence each, the path, the sites.
func Write(w io.Writer, list []why.Holding, o Options) error {
	var b strings.Builder
	for i := range list {
		h := &list[i]
		for j, l := range verdict.Wrap(Sentence(h), o.width()-2) {
			if j > 0 {
				l = "  " + l
			}
			if o.Bold != nil {
				l = o.Bold(l)
			}
			b.WriteString(l + "\n")
		}
		b.WriteString("\n" + pathLines(h))
		if h.Site != nil && len(h.Site.Stack) > 1 {
			b.WriteString(stackLines(h.Site.Stack))
		}
		b.WriteString(siteLines(h.Sites))
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pathLines(h *why.Holding) string {
	var b strings.Builder
	for i, s := range h.Path {
		l := strings.Repeat("  ", i+1)
		if i > 0 && s.Kind == goheap.KindObject {
			if f := strings.TrimSpace(s.Label); f != "" {
				l += f + "  "
			}
		}
		l += s.Name
		if s.Repeated {
			l += "  (again and again)"
		}
		if i == 0 {
			l += "  " + RootWord(h.Root)
		}
		if i+1 == h.Cut && h.Frees.Bytes > 0 {
			l += "  <- frees " + Size(float64(h.Frees.Bytes))
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// maxStack is how many frames of an allocation stack are printed.
const maxStack = 6

func stackLines(stack []goheap.Frame) string {
	var b strings.Builder
	b.WriteString("  allocated by\n")
	for i, f := range stack {
		if i == maxStack {
			fmt.Fprintf(&b, "      and %d frames more\n", len(stack)-i)
			break
		}
		b.WriteString("      " + Place(f) + "\n")
	}
	return b.String()
}

func siteLines(sites []why.Site) string {
	if len(sites) == 0 {
		return ""
	}
	t := textart.Table{Align: []textart.Align{textart.AlignRight, textart.AlignRight}}
	for _, s := range sites {
		at := "?"
		if len(s.Stack) > 0 {
			at = Place(caller(s.Stack))
		}
		t.Rows = append(t.Rows, []string{"    " + Size(s.Bytes), Count(uint64(s.Objects + 0.5)), s.Type, "at " + at})
	}
	return "  allocated (about)\n" + t.String()
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

// Summary is what a heap is made of, in a sentence.
func Summary(a *why.Analysis) string {
	s := &a.Heap.Stats
	return fmt.Sprintf("%s in %s live objects, %s of them of a known type; %s goroutines",
		Size(float64(a.Result.Total().Bytes-synthetic(a))), Count(s.Objects), share(s.Typed, s.Objects), Count(uint64(len(a.Heap.Goroutines))))
}

// synthetic is what the total has that is not heap: stacks.
func synthetic(a *why.Analysis) uint64 {
	total, heap := a.Result.Total().Bytes, a.Heap.Stats.Bytes
	if heap > total {
		return 0
	}
	return total - heap
}

func share(part, whole uint64) string {
	if whole == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// Amount prints bytes and objects.
func Amount(a retain.Amount) string {
	return Size(float64(a.Bytes)) + " in " + Count(a.Objects) + " objects"
}
