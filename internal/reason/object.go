package reason

import (
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/why"
)

// object prints all about one object; n bounds the rows of each part.
func object(b *strings.Builder, o *why.Object, n int, opt Options) {
	head := fmt.Sprintf("%#x is %s, %s", o.Asked, o.Vertex.Name, size(o.Size))
	if o.Count > 1 {
		head = fmt.Sprintf("%#x is %s with room for %s, %s", o.Asked, o.Vertex.Name, Count(uint64(o.Count)), size(o.Size))
	}
	if o.Asked != o.Addr {
		head = fmt.Sprintf("%#x is %d bytes into %#x, %s", o.Asked, o.Asked-o.Addr, o.Addr, strings.TrimPrefix(head, fmt.Sprintf("%#x is ", o.Asked)))
	}
	paragraph(b, head+"; without it "+Amount(o.Retained)+" go free.", opt)
	b.WriteString("\n")
	paragraph(b, "It is held "+waysWord(&o.Holding)+"by "+HeldBy(&o.Holding)+".", opt)
	b.WriteString("\n" + holdingLines(&o.Holding, opt))
	if len(o.Ways) > 1 {
		b.WriteString(pathList(o.Ways, o.AllWays, opt))
	}
	if len(o.Sites) > 0 {
		b.WriteString(stackLines("allocated by", o.Sites[0].Stack))
	} else {
		b.WriteString("  where it was allocated is not known: it was not sampled\n")
	}
	for _, part := range []*Answer{dominators(o), pointers(o, n), below(o, n)} {
		if len(part.cells) > 0 {
			b.WriteString("\n")
			paragraph(b, part.Heading, opt)
			b.WriteString(indented(part.body(opt.width()-2), "  "))
		}
	}
	b.WriteString("\n")
}

// pathList prints several paths, numbered.
func pathList(ways [][]why.Step, all bool, o Options) string {
	x := &Answer{heads: []string{"", ""}, left: 1}
	for i, p := range ways {
		x.add(jsonRow{}, fmt.Sprint(i+1), PathLine(p))
	}
	title := fmt.Sprintf("  the best %d paths\n", len(ways))
	if all {
		title = fmt.Sprintf("  all %d paths\n", len(ways))
		if len(ways) == 1 {
			title = "  the only path\n"
		}
	}
	return title + indented(x.body(o.width()-4), "    ")
}

func dominators(o *why.Object) *Answer {
	x := &Answer{Heading: "Every path to it leads through these; what each retains:", heads: []string{"", ""}, left: 1}
	for _, d := range o.Dominators[:max(0, len(o.Dominators)-1)] {
		x.add(jsonRow{}, size(d.Retained.Bytes), d.Name)
	}
	return x
}

func pointers(o *why.Object, n int) *Answer {
	x := &Answer{Heading: "These point to it:", heads: []string{"", ""}, left: 1}
	shown, left := cut(o.Holders, n)
	for _, h := range shown {
		text := h.Name
		if h.Label != "" {
			text += " " + h.Label
		}
		if h.Kind == goheap.KindObject {
			text += fmt.Sprintf(", %#x", h.Addr)
			if h.Count > 1 {
				text += " for one"
			}
		}
		x.add(jsonRow{}, Count(uint64(h.Count)), text)
	}
	if len(left) > 0 {
		x.add(jsonRow{}, "", more(len(left), "kinds"))
	}
	return x
}

func below(o *why.Object, n int) *Answer {
	x := &Answer{Heading: "What goes free with it, by type:", heads: []string{"", "", ""}, left: 2}
	shown, left := cut(o.Holds, n)
	for _, t := range shown {
		x.add(jsonRow{}, size(t.Amount.Bytes), Count(t.Amount.Objects), t.Name)
	}
	if len(left) > 0 {
		x.add(jsonRow{}, "", "", more(len(left), "types"))
	}
	return x
}
