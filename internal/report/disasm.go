package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"strconv"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/view"
)

// Objects opens object files by path and keeps them open.
type Objects interface {
	Open(path string) (*symbol.Object, error)
}

// Instruction is one line of annotated assembly.
type Instruction struct {
	Addr       uint64
	Text       string
	Func, File string // File is a base name
	Line       int
	Flat, Cum  int64

	// sampled is the function by the samples here: the text has no other, as
	// go tool pprof's.
	sampled string
}

// AsmRoutine is the code of one symbol.
type AsmRoutine struct {
	Names        []string
	Flat, Cum    int64
	Instructions []Instruction
}

// Disasm is annotated assembly of the symbols that match, or hold the
// address the expression names.
type Disasm struct {
	Routines []AsmRoutine
	// Warnings tell which binaries could not be read.
	Warnings []error
	r        *Report
}

// codeSample is a node of the address graph at its place in the object.
type codeSample struct {
	addr uint64
	node *view.Node
}

// symbolCode is a symbol with the samples inside it.
type symbolCode struct {
	sym     symbol.Symbol
	obj     *symbol.Object
	samples []codeSample
}

// NewDisasm finds the symbols, disassembles them and joins the samples.
func NewDisasm(r *Report) (*Disasm, error) {
	r.View.ObjNames = true
	g := r.View.WholeNodes()
	d := &Disasm{r: r}
	address, isAddress := parseAddress(r.Symbol.String())
	codes, found := d.find(g, address, isAddress)
	if len(codes) == 0 {
		switch {
		case !isAddress && len(d.Warnings) > 0:
			return d, fmt.Errorf("no matches found for regexp %s: %w", r.Symbol, d.Warnings[0])
		case !isAddress:
			return d, fmt.Errorf("no matches found for regexp %s", r.Symbol)
		case !found:
			return d, fmt.Errorf("no matches found for address 0x%x", address)
		}
		return d, fmt.Errorf("address 0x%x found in binary, but the corresponding symbols do not have samples in the profile", address)
	}
	sort.SliceStable(codes, func(i, j int) bool {
		a, b := codes[i].sym, codes[j].sym
		if a.Names[0] != b.Names[0] {
			return a.Names[0] < b.Names[0]
		}
		return a.Start < b.Start
	})
	syntax := symbol.SyntaxGo
	if r.View.Options.IntelSyntax {
		syntax = symbol.SyntaxIntel
	}
	for _, c := range codes {
		insts, err := c.obj.Disasm(c.sym.Start, c.sym.End, syntax)
		if err != nil {
			return d, err
		}
		rt := AsmRoutine{Names: c.sym.Names, Instructions: annotate(insts, c.samples)}
		for _, s := range c.samples {
			rt.Flat += s.node.Flat
			rt.Cum += s.node.Cum
		}
		d.Routines = append(d.Routines, rt)
	}
	return d, nil
}

func parseAddress(s string) (uint64, bool) {
	a, err := strconv.ParseUint(s, 0, 64)
	return a, err == nil
}

// find lists the symbols with samples; found tells whether any symbol matched
// at all.
func (d *Disasm) find(g *view.Graph, address uint64, isAddress bool) (codes []*symbolCode, found bool) {
	r := d.r
	wanted := map[string]bool{}
	for _, i := range g.Order {
		if n := &g.Nodes[i]; n.Object != "" && r.Symbol.MatchString(g.Name(i)) {
			wanted[n.Object] = true
		}
	}
	for i := range r.View.Profile.Mappings {
		m := &r.View.Profile.Mappings[i]
		if i == 0 || !wanted[m.File] && !(isAddress && m.Start <= address && address <= m.Limit) {
			continue
		}
		obj, err := r.Objects.Open(m.File)
		if err != nil {
			d.Warnings = append(d.Warnings, err)
			continue
		}
		base := toolBase(obj, m)
		match, at := r.Symbol.MatchString, uint64(0)
		if isAddress {
			match, at = nil, address-base
		}
		symbols, err := obj.Symbols(match, at)
		if err != nil {
			d.Warnings = append(d.Warnings, err)
			continue
		}
		found = found || len(symbols) > 0
		samples := samplesByAddress(g, base)
		for _, s := range symbols {
			from := sort.Search(len(samples), func(i int) bool { return samples[i].addr >= s.Start })
			to := sort.Search(len(samples), func(i int) bool { return samples[i].addr >= s.End })
			if from < to {
				codes = append(codes, &symbolCode{sym: s, obj: obj, samples: samples[from:to]})
			}
		}
	}
	return codes, found
}

// samplesByAddress lists all nodes by their address in an object at base.
func samplesByAddress(g *view.Graph, base uint64) []codeSample {
	samples := make([]codeSample, len(g.Order))
	for i, n := range g.Order {
		samples[i] = codeSample{g.Nodes[n].Address - base, &g.Nodes[n]}
	}
	sort.SliceStable(samples, func(i, j int) bool { return samples[i].addr < samples[j].addr })
	return samples
}

// toolBase is what go tool pprof subtracts from the addresses of a mapping.
func toolBase(obj *symbol.Object, m *profile.Mapping) uint64 {
	if m.Start == 0 {
		return 0
	}
	return obj.ToolBase(m.Start)
}

// annotate gives each instruction the samples up to the next one; samples are
// sorted by address.
func annotate(insts []symbol.Inst, samples []codeSample) []Instruction {
	out := make([]Instruction, len(insts))
	s := 0
	for i, in := range insts {
		next := ^uint64(0)
		if i+1 < len(insts) {
			next = insts[i+1].Addr
		}
		a := Instruction{Addr: in.Addr, Text: in.Text, Func: in.Func, Line: in.Line}
		if in.File != "" {
			a.File = filepath.Base(in.File)
		}
		var flatDiv, cumDiv int64
		for ; s < len(samples) && samples[s].addr < next; s++ {
			n := samples[s].node
			a.Flat, flatDiv = a.Flat+n.Flat, flatDiv+n.FlatDiv
			a.Cum, cumDiv = a.Cum+n.Cum, cumDiv+n.CumDiv
			if n.File != "" && a.File == "" {
				a.File = filepath.Base(n.File)
			}
			if n.Line != 0 && a.Line == 0 {
				a.Line = n.Line
			}
			if a.sampled == "" {
				a.sampled = n.Name
			}
		}
		if flatDiv != 0 {
			a.Flat /= flatDiv
		}
		if cumDiv != 0 {
			a.Cum /= cumDiv
		}
		if a.Func == "" {
			a.Func = a.sampled
		}
		out[i] = a
	}
	return out
}

// instructionWidth is up to where the place fits behind the instruction.
const instructionWidth = 40

// WriteText writes the listing; the place is printed where it changes.
func (d *Disasm) WriteText(out io.Writer) error {
	r := d.r
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "Total:", r.format(r.View.Total))
	for _, rt := range d.Routines {
		fmt.Fprintf(w, "ROUTINE ======================== %s\n", rt.Names[0])
		for _, n := range rt.Names[1:] {
			fmt.Fprintf(w, "    AKA ======================== %s\n", n)
		}
		fmt.Fprintf(w, "%10s %10s (flat, cum) %s of Total\n", r.format(rt.Flat), r.format(rt.Cum), r.percent(rt.Cum))
		var prev Instruction
		for _, in := range rt.Instructions {
			place := ""
			if in.sampled != prev.sampled || in.File != prev.File || in.Line != prev.Line {
				if in.sampled != "" {
					place = in.sampled + " "
				}
				if in.File != "" {
					place += in.File
					if in.Line != 0 {
						place += fmt.Sprintf(":%d", in.Line)
					}
				}
			}
			prev = in
			line := fmt.Sprintf("%10s %10s %10x: ", r.formatOrDot(in.Flat), r.formatOrDot(in.Cum), in.Addr)
			switch {
			case place == "":
				fmt.Fprintf(w, "%s%s\n", line, in.Text)
			case len(in.Text) < instructionWidth:
				fmt.Fprintf(w, "%s%-40s;%s\n", line, in.Text, place)
			default:
				fmt.Fprintf(w, "%74s;%s\n%s%s\n", "", place, line, in.Text)
			}
		}
	}
	return w.Flush()
}

type jsonInstruction struct {
	Address  uint64  `json:"address"`
	Text     string  `json:"text"`
	Function string  `json:"function,omitempty"`
	File     string  `json:"file,omitempty"`
	Line     int     `json:"line,omitempty"`
	Flat     float64 `json:"flat"`
	Cum      float64 `json:"cum"`
}

type jsonAsmRoutine struct {
	Names        []string          `json:"names"`
	Flat         float64           `json:"flat"`
	Cum          float64           `json:"cum"`
	Instructions []jsonInstruction `json:"instructions"`
}

// JSON is {"schema":"disasm/1", ..., "routines":[{names, instructions}]}.
func (d *Disasm) JSON() any {
	routines := make([]jsonAsmRoutine, len(d.Routines))
	for i, rt := range d.Routines {
		jr := jsonAsmRoutine{Names: rt.Names, Flat: d.r.base(rt.Flat), Cum: d.r.base(rt.Cum)}
		for _, in := range rt.Instructions {
			jr.Instructions = append(jr.Instructions, jsonInstruction{in.Addr, in.Text, in.Func, in.File, in.Line, d.r.base(in.Flat), d.r.base(in.Cum)})
		}
		routines[i] = jr
	}
	return struct {
		jsonHead
		Routines []jsonAsmRoutine `json:"routines"`
	}{d.r.head("disasm/1"), routines}
}
