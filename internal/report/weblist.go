package report

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/profoundhq/profound/internal/symbol"
)

//go:embed assets/weblist.html
var weblistPage string

// WebList is annotated source in which each line unfolds into the machine
// instructions made from it.
type WebList struct {
	List *List
	// Code lists the instructions of each line, by routine and line number.
	Code []map[int][]LineInstruction
	// Warnings tell which binaries could not be read.
	Warnings []error
	r        *Report
}

// LineInstruction is an instruction shown under a source line.
type LineInstruction struct {
	Addr      uint64
	Text      string
	Flat, Cum int64
	// Calls are the inlined calls between the line and the instruction,
	// outermost first.
	Calls []string
	// Gap is set when the instruction does not follow the one before.
	Gap bool
	// Symbol is the name of the symbol it lies in: another function where the
	// line was inlined.
	Symbol string
}

// maxWebRanges bounds how many symbols are disassembled, hottest first.
const maxWebRanges = 100

// NewWebList joins the listing with the code of the sampled symbols.
func NewWebList(r *Report) (*WebList, error) {
	lines, err := r.View.Regranulate("lines", false)
	if err != nil {
		return nil, err
	}
	byLine := *r
	byLine.View = lines
	list, err := NewList(&byLine)
	if err != nil {
		return nil, err
	}
	w := &WebList{List: list, r: r, Code: make([]map[int][]LineInstruction, len(list.Routines))}
	for i := range w.Code {
		w.Code[i] = map[int][]LineInstruction{}
	}
	codes, err := w.symbols()
	if err != nil {
		return nil, err
	}
	wanted := map[[2]string]int{}
	for i, rt := range list.Routines {
		wanted[[2]string{rt.Name, rt.File}] = i
	}
	for _, c := range codes {
		w.place(c, wanted)
	}
	return w, nil
}

// symbols finds the sampled symbols that hold code of the listed functions.
func (w *WebList) symbols() ([]*symbolCode, error) {
	byAddress, err := w.r.View.Regranulate("addresses", true)
	if err != nil {
		return nil, err
	}
	r := *w.r
	r.View = byAddress
	r.View.ObjNames = true
	g := r.View.WholeNodes()
	d := &Disasm{r: &r}
	bySymbol := map[string]*symbolCode{}
	for i := range r.View.Profile.Mappings[1:] {
		m := &r.View.Profile.Mappings[i+1]
		obj, err := r.Objects.Open(m.File)
		if err != nil {
			d.Warnings = append(d.Warnings, err)
			continue
		}
		base := toolBase(obj, m)
		symbols, err := obj.Symbols(nil, 0)
		if err != nil || len(symbols) == 0 {
			d.Warnings = append(d.Warnings, errors.Join(err, fmt.Errorf("%s has no symbols", m.File)))
			continue
		}
		sort.SliceStable(symbols, func(i, j int) bool { return symbols[i].Start < symbols[j].Start })
		for _, n := range g.Order {
			node := &g.Nodes[n]
			if node.Object != m.File || node.Address == 0 {
				continue
			}
			a := node.Address - base
			at := sort.Search(len(symbols), func(i int) bool { return symbols[i].Start > a }) - 1
			if at < 0 || a > symbols[at].End {
				continue
			}
			key := fmt.Sprintf("%s %x", m.File, symbols[at].Start)
			c := bySymbol[key]
			if c == nil {
				c = &symbolCode{sym: symbols[at], obj: obj}
				bySymbol[key] = c
			}
			c.samples = append(c.samples, codeSample{a, node})
		}
	}
	w.Warnings = d.Warnings
	codes := make([]*symbolCode, 0, len(bySymbol))
	for _, c := range bySymbol {
		sort.SliceStable(c.samples, func(i, j int) bool { return c.samples[i].addr < c.samples[j].addr })
		codes = append(codes, c)
	}
	sort.Slice(codes, func(i, j int) bool {
		if hi, hj := codes[i].heat(), codes[j].heat(); hi != hj {
			return hi > hj
		}
		return codes[i].sym.Start < codes[j].sym.Start
	})
	return w.foremost(codes), nil
}

// foremost keeps the symbols that are asked for by name, and of the others the
// first, up to maxWebRanges in all.
func (w *WebList) foremost(codes []*symbolCode) []*symbolCode {
	left := maxWebRanges
	named := make([]bool, len(codes))
	for i, c := range codes {
		if named[i] = slices.ContainsFunc(c.sym.Names, w.r.Symbol.MatchString); named[i] && left > 0 {
			left--
		}
	}
	kept, all := codes[:0:0], maxWebRanges
	for i, c := range codes {
		if !named[i] {
			if left == 0 {
				continue
			}
			left--
		}
		if all--; all < 0 {
			break
		}
		kept = append(kept, c)
	}
	return kept
}

func (c *symbolCode) heat() int64 {
	var sum int64
	for _, s := range c.samples {
		sum += abs(s.node.Flat)
	}
	return sum
}

// place hangs the instructions of a symbol under the lines they come from.
func (w *WebList) place(c *symbolCode, wanted map[[2]string]int) {
	syntax := symbol.SyntaxGo
	if w.r.View.Options.IntelSyntax {
		syntax = symbol.SyntaxIntel
	}
	insts, err := c.obj.Disasm(c.sym.Start, c.sym.End+1, syntax)
	if err != nil {
		w.Warnings = append(w.Warnings, err)
		return
	}
	rows := annotate(insts, c.samples)
	last := map[[2]int]int{}
	for i, in := range rows {
		frames := c.obj.Frames(in.Addr)
		for f := range frames {
			at, ok := wanted[[2]string{symbol.GoName(frames[f].Func), filepath.Clean(frames[f].File)}]
			if !ok {
				continue
			}
			li := LineInstruction{Addr: in.Addr, Text: in.Text, Flat: in.Flat, Cum: in.Cum, Symbol: c.sym.Names[0]}
			for k := f - 1; k >= 0; k-- {
				li.Calls = append(li.Calls, fmt.Sprintf("%s %s:%d", frames[k].Func, filepath.Base(frames[k].File), frames[k].Line))
			}
			key := [2]int{at, frames[f].Line}
			prev, seen := last[key]
			li.Gap = seen && prev != i-1
			last[key] = i
			w.Code[at][frames[f].Line] = append(w.Code[at][frames[f].Line], li)
		}
	}
}

type webLine struct {
	Flat, Cum, Text string
	Number          int
	Live            bool
	Asm             []webInst
}

type webInst struct {
	Flat, Cum, Addr, Text string
	Calls                 []string
	Gap                   bool
}

type webRoutine struct {
	Name, File, Flat, Cum, Percent, Err string
	Lines                               []webLine
}

// WriteText writes the page.
func (w *WebList) WriteText(out io.Writer) error {
	r := w.r
	t, err := template.New("weblist").Parse(weblistPage)
	if err != nil {
		return err
	}
	title := r.Title()
	if title == "" {
		title = "profile"
	}
	data := struct {
		Title, Total string
		Labels       []string
		Routines     []webRoutine
	}{Title: title, Total: r.format(r.View.Total), Labels: r.ProfileLabels()}
	for i, rt := range w.List.Routines {
		wr := webRoutine{Name: rt.Name, File: rt.File, Flat: r.format(rt.Flat), Cum: r.format(rt.Cum), Percent: strings.TrimSpace(r.percent(rt.Cum))}
		if rt.Err != nil {
			wr.Err = "source not found: " + rt.Err.Error()
		}
		for _, ln := range w.lines(i) {
			wr.Lines = append(wr.Lines, w.webLine(ln, w.Code[i][ln.Number]))
		}
		data.Routines = append(data.Routines, wr)
	}
	return t.Execute(out, data)
}

// lines are those of the listing, or the bare numbers with code when there is
// no source.
func (w *WebList) lines(i int) []SourceLine {
	rt := &w.List.Routines[i]
	if rt.Err == nil {
		return rt.Lines
	}
	var out []SourceLine
	for n, code := range w.Code[i] {
		ln := SourceLine{Number: n, Text: "???"}
		for _, in := range code {
			ln.Flat += in.Flat
			ln.Cum += in.Cum
		}
		out = append(out, ln)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Number < out[b].Number })
	return out
}

func (w *WebList) webLine(ln SourceLine, code []LineInstruction) webLine {
	r := w.r
	out := webLine{Flat: r.formatOrDot(ln.Flat), Cum: r.formatOrDot(ln.Cum), Text: ln.Text, Number: ln.Number, Live: ln.Cum != 0}
	var calls []string
	for _, in := range code {
		wi := webInst{Flat: r.formatOrDot(in.Flat), Cum: r.formatOrDot(in.Cum), Addr: fmt.Sprintf("%x", in.Addr), Text: in.Text, Gap: in.Gap}
		for i, c := range in.Calls {
			if i >= len(calls) || calls[i] != c {
				wi.Calls = append(wi.Calls, strings.Repeat("  ", i)+c)
			}
		}
		calls = in.Calls
		out.Asm = append(out.Asm, wi)
	}
	return out
}

// JSON is the listing; see List.
func (w *WebList) JSON() any { return w.List.JSON() }
