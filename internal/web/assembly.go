package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/view"
)

// assemblyView is the machine code of the function that sourceView shows.
func assemblyView() View {
	return View{
		Name:   "assembly",
		Help:   "The machine code of the selected function, or of the one at the selected line, with the line each instruction comes from (schema assembly/1)",
		Answer: answerAssembly,
	}
}

// Assembly is the answer of assemblyView. It has also the code of calls that
// were inlined into the function, and that of the function where it was
// inlined into others.
type Assembly struct {
	Schema string `json:"schema"`
	Head
	Function string `json:"function"`
	File     string `json:"file"`
	// Symbols are the pieces, that of the function itself first.
	Symbols []AssemblySymbol `json:"symbols"`
	// More counts the instructions that were left out.
	More    int      `json:"more,omitempty"`
	Missing *Missing `json:"missing,omitempty"`
}

// AssemblySymbol is the code in one symbol, in order of addresses.
type AssemblySymbol struct {
	Name         string        `json:"name"`
	Flat         float64       `json:"flat"`
	Instructions []Instruction `json:"instructions"`
}

// Instruction is one machine instruction with the line of the function it
// comes from.
type Instruction struct {
	Addr string `json:"addr"`
	Text string `json:"text"`
	Line int    `json:"line"`
	// Calls are the inlined calls between the line and the instruction,
	// outermost first.
	Calls []string `json:"calls,omitempty"`
	// Gap tells that code of something else lies before it.
	Gap bool `json:"gap,omitempty"`
	Values
}

// maxInstructions is how many instructions are sent.
const maxInstructions = 8000

func answerAssembly(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	lines, err := s.byLine(ctx, q)
	if err != nil {
		return nil, err
	}
	at := lines.locate(q.Sel)
	a := &Assembly{Schema: "assembly/1", Head: lines.Head(), File: at.file, Function: at.function, Symbols: []AssemblySymbol{}}
	if a.Function == "" && at.file != "" {
		sums := lines.sumFile(at.file)
		of := &Source{}
		of.addSums(lines, sums)
		a.Function = of.functionAt(cmp.Or(at.line, sums.hottest("")))
	}
	if a.Function == "" {
		a.Missing = cmp.Or(lines.nothingLeft(), &Missing{Text: "No function is selected.", Tried: []string{}, Hint: "Choose one at the left."})
		return &Answer{JSON: a, Fresh: true}, nil
	}
	now, err := s.code(ctx, q, a.Function, q.Cur)
	if err != nil {
		return nil, err
	}
	was := &listing{}
	if len(lines.Base) > 0 {
		base := q.Base
		if base.IsDefault() {
			base = lines.Kind.Base
		}
		if was, err = s.code(ctx, q, a.Function, base); err != nil {
			return nil, err
		}
	}
	a.take(lines, now, was)
	if len(a.Symbols) == 0 {
		a.Missing = now.missing(a.Function)
	}
	return &Answer{JSON: a, Fresh: true}, nil
}

// listing is the code of one function, each instruction once, by symbol.
type listing struct {
	rows     map[string][]codeRow
	warnings []error
}

type codeRow struct {
	report.LineInstruction
	line int
}

// code disassembles a function with the values of some profiles.
func (s *Session) code(ctx context.Context, q *Query, function string, span Span) (*listing, error) {
	l := &listing{rows: map[string][]codeRow{}}
	if s.Code.Objects == nil {
		return l, nil
	}
	c := *q
	c.Cur, c.Base, c.own = span, Span{None: true}, maps.Clone(q.own)
	c.own["of"] = exactly(function)
	// Other samples have nothing in its code; without them fewer symbols are read.
	c.Transforms = append(slices.Clone(q.Transforms), Transform{"focus", exactly(function)})
	d, err := s.Data(ctx, &c)
	if err != nil {
		return nil, err
	}
	r, err := s.report(d, &c, report.KindByName(report.Kinds(), "weblist"))
	if err != nil {
		return nil, err
	}
	w, err := report.NewWebList(r)
	if err != nil {
		l.warnings = append(l.warnings, err)
		return l, nil
	}
	l.warnings = w.Warnings
	for i := range w.List.Routines {
		if w.List.Routines[i].Name == function {
			l.add(w.Code[i])
		}
	}
	for name := range l.rows {
		slices.SortStableFunc(l.rows[name], func(a, b codeRow) int { return cmp.Compare(a.Addr, b.Addr) })
		l.rows[name] = slices.CompactFunc(l.rows[name], func(a, b codeRow) bool { return a.Addr == b.Addr })
	}
	return l, nil
}

func (l *listing) add(code map[int][]report.LineInstruction) {
	for line, list := range code {
		for _, in := range list {
			l.rows[in.Symbol] = append(l.rows[in.Symbol], codeRow{in, line})
		}
	}
}

// take puts a listing into the answer, with the values of the base at the same
// instructions.
func (a *Assembly) take(d *Data, now, was *listing) {
	before := map[string]report.LineInstruction{}
	key := func(in *report.LineInstruction) string { return strconv.FormatUint(in.Addr, 16) + in.Text }
	for _, rows := range was.rows {
		for i := range rows {
			before[key(&rows[i].LineInstruction)] = rows[i].LineInstruction
		}
	}
	for _, name := range sortedKeys(now.rows) {
		sym := AssemblySymbol{Name: symbol.GoName(name), Instructions: []Instruction{}}
		var last codeRow
		for i, row := range now.rows[name] {
			old := before[key(&row.LineInstruction)]
			v := d.values(amountOf(&row.LineInstruction, &old))
			sym.Flat += v.Flat
			// Instructions have at most 15 bytes (amd64).
			gap := i > 0 && row.Addr > last.Addr+15
			last = row
			sym.Instructions = append(sym.Instructions, Instruction{
				Addr: strconv.FormatUint(row.Addr, 16), Text: row.Text, Line: row.line, Calls: row.Calls, Gap: gap || i > 0 && row.Gap, Values: v,
			})
		}
		a.Symbols = append(a.Symbols, sym)
	}
	slices.SortStableFunc(a.Symbols, func(x, y AssemblySymbol) int {
		switch a.Function {
		case x.Name:
			return -1
		case y.Name:
			return 1
		}
		return cmp.Compare(y.Flat, x.Flat)
	})
	left := maxInstructions
	for i := range a.Symbols {
		sym := &a.Symbols[i]
		n := min(left, len(sym.Instructions))
		a.More += len(sym.Instructions) - n
		sym.Instructions = sym.Instructions[:n]
		left -= n
	}
	a.Symbols = slices.DeleteFunc(a.Symbols, func(s AssemblySymbol) bool { return len(s.Instructions) == 0 })
}

func amountOf(now, was *report.LineInstruction) view.Amount {
	return view.Amount{Flat: now.Flat, Cum: now.Cum, FlatBase: was.Flat, CumBase: was.Cum}
}

// missing is a sentence about code that cannot be shown.
func (l *listing) missing(function string) *Missing {
	m := &Missing{
		Text: fmt.Sprintf("There is no machine code of %s to show.", function), Tried: []string{},
		Hint: "Name the binary that was profiled before the profile, profound web BINARY PROFILE, or the folder it lies in with PPROF_BINARY_PATH.",
	}
	for _, w := range l.warnings {
		m.Tried = append(m.Tried, w.Error())
	}
	return m
}
