package web

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/why"
)

// retentionView says which references keep memory alive: of everything, or of
// what is selected.
func retentionView() View {
	return View{
		Name: "retention",
		Help: "Who keeps memory alive, of all or of sel=f:FUNCTION (what it allocated), t:TYPE, g:GROUP (schema retention/1)",
		Params: []Param{
			{"by", "path | dominators | types | roots | waste", "What is listed"},
			{"at", "0xc000123450", "Of the object at an address"},
			{"node", "NUMBER", "Only the rows below one of the dominator tree"},
			{"most", "12", "At most so many ways; rows are more"},
		},
		Answer: answerRetention,
	}
}

// Retention is the answer of retentionView.
type Retention struct {
	Schema string `json:"schema"`
	By     string `json:"by"`
	// Start is what is asked about, nil for everything. Miss says why nothing
	// of it is there; the answer is about everything then.
	Start *RetentionStart `json:"start,omitempty"`
	Miss  string          `json:"miss,omitempty"`
	// Sentence says the most important thing.
	Sentence string `json:"sentence"`
	// Total is the heap. Taken is when, in ms since 1970, 0 if unknown.
	Total      Memory `json:"total"`
	Goroutines int    `json:"goroutines"`
	Taken      int64  `json:"taken,omitempty"`
	// Ways, Tiles and Rows are what by asked for.
	Ways  []Way          `json:"ways,omitempty"`
	Tiles []HeapTile     `json:"tiles,omitempty"`
	Rows  []RetentionRow `json:"rows,omitempty"`
	// More is how many rows were left out, MoreBytes what they have.
	More      int         `json:"more,omitempty"`
	MoreBytes float64     `json:"moreBytes,omitempty"`
	Object    *HeapObject `json:"object,omitempty"`
	Notes     []string    `json:"notes"`
}

// Memory is bytes and objects.
type Memory struct {
	Bytes   uint64 `json:"bytes"`
	Objects uint64 `json:"objects"`
}

func memory(a retain.Amount) Memory { return Memory{a.Bytes, a.Objects} }

// RetentionStart is what is asked about.
type RetentionStart struct {
	// Words name it in a sentence: "what main.newOrder allocated".
	Words string `json:"words"`
	Memory
	// Estimated tells that amounts come from samples.
	Estimated bool `json:"estimated,omitempty"`
	// Retained goes free with all of it; absent where it is estimated.
	Retained *Memory `json:"retained,omitempty"`
}

// RetentionRow is a row of a table.
type RetentionRow struct {
	// ID opens the row of a dominator tree: node=ID.
	ID       int             `json:"id"`
	Name     string          `json:"name"`
	Label    string          `json:"label,omitempty"`
	Kind     string          `json:"kind,omitempty"`
	Category categoryNumber  `json:"category"`
	Objects  uint64          `json:"objects"`
	Own      uint64          `json:"own"`
	Keeps    uint64          `json:"keeps"`
	Repeated bool            `json:"repeated,omitempty"`
	Children int             `json:"children,omitempty"`
	Without  string          `json:"without,omitempty"`
	Address  string          `json:"address,omitempty"`
	Type     string          `json:"type,omitempty"`
	Path     []RetentionStep `json:"path,omitempty"`
	Rows     []RetentionRow  `json:"rows,omitempty"`
}

// rowsMost is how many rows of a table are sent.
const rowsMost = 500

// retentionQuestion is a question to a heap with all it takes to answer.
type retentionQuestion struct {
	*Heap
	ctx     context.Context
	session *Session
	key     string // of what is asked about, for the cache
	sel     *why.Selection
	n       int
	origins origins
}

func answerRetention(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	by, err := q.OwnChoice("by", "path", "dominators", "types", "roots", "waste")
	if err != nil {
		return nil, err
	}
	n, err := q.OwnInt("most", 12, 1, 200)
	if err != nil {
		return nil, err
	}
	node, err := q.OwnInt("node", -1, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	out := &Retention{Schema: "retention/1", By: by, Notes: []string{}}
	err = s.Heap(ctx, func(h *Heap) error {
		r := &retentionQuestion{Heap: h, ctx: ctx, session: s, n: n, origins: h.originsOf()}
		out.Total, out.Goroutines, out.Taken = memory(h.Total()), len(h.Analysis.Heap.Goroutines), millis(h.Taken)
		if err := r.begin(q, out); err != nil {
			return err
		}
		switch by {
		case "path":
			return r.paths(q, out)
		case "dominators":
			return r.dominators(node, out)
		case "types":
			r.types(out)
		case "roots":
			r.roots(out)
		case "waste":
			return r.waste(out)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Answer{JSON: out}, nil
}

// begin selects what is asked about, everything if there is nothing of it.
func (r *retentionQuestion) begin(q *Query, out *Retention) error {
	f, words, err := r.filter(q)
	if err != nil {
		return err
	}
	if words == "" {
		r.key, r.sel = "all", r.Select(why.Filter{})
		return nil
	}
	r.key, r.sel = q.Own("at")+" "+q.Sel.String(), r.Select(f)
	if len(r.sel.Vertices) == 0 {
		out.Miss = r.miss(q, words)
		r.key, r.sel = "all", r.Select(why.Filter{})
		return nil
	}
	out.Start = &RetentionStart{Words: words, Memory: memory(r.Amount(r.sel)), Estimated: r.sel.Estimated()}
	if !r.sel.Estimated() {
		m := memory(r.Retained(r.sel))
		out.Start.Retained = &m
	}
	return nil
}

// filter is what the selection asks about, and how it is called; "" for
// everything.
func (r *retentionQuestion) filter(q *Query) (why.Filter, string, error) {
	if at := q.Own("at"); at != "" {
		addr, err := strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 64)
		if err != nil {
			return why.Filter{}, "", badRequest("It is written 0xc000123450.", "at=%s is no address", at)
		}
		v, err := r.At(addr)
		if err != nil {
			return why.Filter{}, "", notFound("Addresses are of this copy of the memory; another copy has others.", "%v", err)
		}
		return why.Filter{Objects: []uint32{v}}, "the object at " + at, nil
	}
	name := q.Sel.Name
	switch q.Sel.Sort {
	case 'f':
		return why.Filter{Site: func(stack []goheap.Frame) bool {
			return slices.ContainsFunc(stack, func(f goheap.Frame) bool { return sameFunction(f.Func, name) })
		}}, "what " + origin.ShortName(name) + " allocated", nil
	case 't':
		want := strings.TrimPrefix(name, "*")
		return why.Filter{Type: func(t string) bool { return t == want }}, "all " + want, nil
	case 'g':
		return why.Filter{Goroutine: func(g *goheap.Goroutine) bool { return groupOfGoroutine(g).key() == name }}, "what " + name + " holds", nil
	}
	return why.Filter{}, "", nil
}

// sameFunction compares a name of the runtime with one of a profile, which
// may leave type arguments out.
func sameFunction(a, b string) bool {
	if a == b {
		return true
	}
	i, j := strings.IndexByte(a, '['), strings.IndexByte(b, '[')
	return i >= 0 && i == j && origin.FoldTypeArgs(a) == origin.FoldTypeArgs(b)
}

// miss says why nothing is there of what is asked about.
func (r *retentionQuestion) miss(q *Query, words string) string {
	h := r.Analysis.Heap
	switch {
	case q.Sel.Sort == 'f' && h.ProfileRate == 0:
		return "This program records no allocations (it does not link runtime/pprof or net/http/pprof, or has set runtime.MemProfileRate to 0), so that what a function allocated is not known."
	case q.Sel.Sort == 'f':
		return "No live object was sampled of " + words + "; about one allocation in " + reason.Size(float64(h.ProfileRate)) + " is."
	}
	return "Nothing is alive of " + words + "."
}

// holdings are the ways in which what is asked about is held.
func (r *retentionQuestion) holdings() []why.Holding {
	const share = 0.01
	if r.sel.Whole {
		return r.Holders(r.n, share)
	}
	return r.Ways(r.sel, r.n)
}

func (r *retentionQuestion) types(out *Retention) {
	list := r.Types(r.sel)
	for i, t := range list {
		if i >= rowsMost {
			out.More++
			out.MoreBytes += float64(t.Amount.Bytes)
			continue
		}
		out.Rows = append(out.Rows, RetentionRow{ID: i, Name: t.Name, Type: t.Name, Category: r.origins.ofType(t.Name), Objects: t.Amount.Objects, Own: t.Amount.Bytes, Keeps: t.Retained.Bytes})
	}
	if len(list) > 0 {
		out.Sentence = reason.Size(float64(list[0].Amount.Bytes)) + " of " + r.what() + " are " + countOf(list[0].Amount.Objects, list[0].Name) + "."
	}
}

func (r *retentionQuestion) roots(out *Retention) {
	for i, p := range r.Packages(r.sel) {
		row := r.rootRow(i, &p.RootRow)
		row.Kind, row.Category = "package", r.origins.ofPackage(p.Name)
		for k := range p.Roots {
			row.Rows = append(row.Rows, r.rootRow(k, &p.Roots[k]))
		}
		row.Children = len(row.Rows)
		out.Rows = append(out.Rows, row)
	}
	if len(out.Rows) > 0 {
		top := out.Rows[0]
		name := top.Name
		if len(top.Rows) > 0 {
			name = top.Rows[0].Name
			top = top.Rows[0]
		}
		out.Sentence = reason.Size(float64(top.Own)) + " of " + r.what() + " are nearest to " + name + "."
	}
}

func (r *retentionQuestion) rootRow(i int, w *why.RootRow) RetentionRow {
	row := RetentionRow{ID: i, Name: w.Name, Kind: reason.RootWord(w.Kind), Category: r.origins.of(w.Name), Objects: w.Amount.Objects, Own: w.Amount.Bytes, Keeps: w.Frees.Bytes}
	if w.Kind == goheap.KindGlobal {
		row.Without = w.Name
	}
	return row
}

func (r *retentionQuestion) waste(out *Retention) error {
	if r.sel.Estimated() {
		out.Notes = append(out.Notes, "Waste is of whole objects, not of samples: this is the whole heap.")
		r.sel, out.Start = r.Select(why.Filter{}), nil
	}
	var wasted uint64
	for i, w := range r.Waste(r.sel) {
		wasted += w.Wasted()
		if i >= rowsMost {
			out.More++
			out.MoreBytes += float64(w.Wasted())
			continue
		}
		row := RetentionRow{ID: i, Name: reason.WasteText(w.Kind), Kind: reason.PathString(w.Path), Objects: w.Count, Own: w.Bytes, Keeps: w.Wasted(), Path: r.steps(w.Path, nil)}
		if v := r.Analysis.Heap.Vertex(w.Example); v.Addr != 0 {
			row.Address = address(v.Addr)
		}
		out.Rows = append(out.Rows, row)
	}
	out.Sentence = "No object of 1 kB or more wastes three quarters of itself."
	if len(out.Rows) > 0 {
		out.Sentence = reason.Size(float64(wasted)) + " of " + r.what() + " are kept and cannot be seen by any reference."
	}
	return nil
}

// what names what is asked about in a sentence.
func (r *retentionQuestion) what() string {
	if r.sel.Whole {
		return "the heap"
	}
	if r.sel.Estimated() {
		return "about " + reason.Size(float64(r.Amount(r.sel).Bytes))
	}
	return reason.Size(float64(r.Amount(r.sel).Bytes))
}

// countOf is a number of objects of a type.
func countOf(n uint64, typ string) string {
	if typ == "string" && n != 1 {
		typ = "strings"
	}
	return reason.Count(n) + " " + typ
}

func address(a uint64) string { return "0x" + strconv.FormatUint(a, 16) }
