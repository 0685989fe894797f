package web

import (
	"context"
	"fmt"
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
			{"by", strings.Join(retentionTabs(), " | "), "What is listed"},
			{"at", "0xc000123450", "Of the object at an address"},
			{"site", "REGEXP", "Of what matching functions or lines allocated, as profound why -at"},
			{"type", "REGEXP", "Of objects of matching types, as profound why -type"},
			{"goroutine", "NUMBER | REGEXP", "Of what goroutines hold, as profound why -goroutine"},
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
	// Ways, Tiles and Rows are what by asked for; Table says what Rows have.
	Ways  []Way           `json:"ways,omitempty"`
	Tiles []HeapTile      `json:"tiles,omitempty"`
	Table *RetentionTable `json:"table,omitempty"`
	Rows  []RetentionRow  `json:"rows,omitempty"`
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

// RetentionTable says what the rows of a table have.
type RetentionTable struct {
	Title string `json:"title"`
	// Columns are some of name objects own keeps before change, in their order.
	Columns []RetentionColumn `json:"columns"`
	// Main is the column that shares and bars are of, own or keeps; Of is what
	// shares are parts of, bytes.
	Main string `json:"main"`
	Of   uint64 `json:"of"`
	// Sort is the order rows come in, "" for rows that open.
	Sort string `json:"sort,omitempty"`
	// Hint says what Enter does.
	Hint string `json:"hint"`
}

// RetentionColumn is a column of a table.
type RetentionColumn struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Help  string `json:"help,omitempty"`
}

// RetentionRow is a row of a table.
type RetentionRow struct {
	// ID opens the row of a dominator tree: node=ID.
	ID       int            `json:"id"`
	Name     string         `json:"name"`
	Label    string         `json:"label,omitempty"`
	Kind     string         `json:"kind,omitempty"`
	Category categoryNumber `json:"category"`
	Objects  uint64         `json:"objects"`
	Own      uint64         `json:"own"`
	Keeps    uint64         `json:"keeps"`
	// Before is what the main column had in the earlier heap, nil if there is
	// none to compare with.
	Before   *uint64 `json:"before,omitempty"`
	Repeated bool    `json:"repeated,omitempty"`
	Children int     `json:"children,omitempty"`
	Without  string  `json:"without,omitempty"`
	Address  string  `json:"address,omitempty"`
	Type     string  `json:"type,omitempty"`
	// Way is how it is held, where the row is about that.
	Way  *Way           `json:"way,omitempty"`
	Rows []RetentionRow `json:"rows,omitempty"`
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
	node    int // of a tree, -1 for its top
	n       int
	origins origins
}

// retentionTabs are the values of by, the first is the default.
func retentionTabs() []string {
	return []string{"path", "dominators", "types", "roots", "growth", "waste", "queues", "drops"}
}

func answerRetention(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	by, err := q.OwnChoice("by", retentionTabs()...)
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
		// What is kept by the session is made to its end: the heap is for one at a time.
		r := &retentionQuestion{Heap: h, ctx: context.WithoutCancel(ctx), session: s, node: node, n: n, origins: h.originsOf()}
		out.Total, out.Goroutines, out.Taken = memory(h.Total()), len(h.Analysis.Heap.Goroutines), millis(h.Taken)
		if err := r.begin(q, out); err != nil {
			return err
		}
		if by == "path" {
			return r.paths(q, out)
		}
		return r.table(by, out)
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
	r.key, r.sel = "all", r.Select(f)
	if words == "" {
		return nil
	}
	if len(r.sel.Vertices) == 0 {
		out.Miss = r.miss(f, words)
		r.sel = r.Select(why.Filter{})
		return nil
	}
	r.key = fmt.Sprintf("%q", []string{q.Own("at"), q.Own("site"), q.Own("type"), q.Own("goroutine"), q.Sel.String()})
	out.Start = &RetentionStart{Words: words, Memory: memory(r.Amount(r.sel)), Estimated: r.sel.Estimated()}
	if !r.sel.Estimated() {
		m := memory(r.Retained(r.sel))
		out.Start.Retained = &m
	}
	return nil
}

// filter is what the address asks about, and how it is called; "" for
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
	ask := why.Ask{At: q.Own("site"), Type: q.Own("type"), Goroutine: q.Own("goroutine")}
	f, err := ask.Filter()
	if err != nil {
		return f, "", badRequest("It is a regular expression, as of profound why.", "%v", err)
	}
	words := ask.What()
	if selected := selectedThing(q.Sel, &f); selected != "" {
		words = strings.TrimSuffix(selected+" in "+words, " in ")
	}
	return f, words, nil
}

// selectedThing adds the selection to a filter, and names it; "" for none.
func selectedThing(sel Selection, f *why.Filter) string {
	name := sel.Name
	switch sel.Sort {
	case 'f':
		f.Site = both(f.Site, func(stack []goheap.Frame) bool {
			return slices.ContainsFunc(stack, func(f goheap.Frame) bool { return sameFunction(f.Func, name) })
		})
		return "what " + origin.ShortName(name) + " allocated"
	case 't':
		want := strings.TrimPrefix(name, "*")
		f.Type = both(f.Type, func(t string) bool { return t == want })
		return "all " + want
	case 'g':
		f.Goroutine = both(f.Goroutine, func(g *goheap.Goroutine) bool { return groupOfGoroutine(g).key() == name })
		return "what " + name + " holds"
	}
	return ""
}

// both is a filter that two must let pass; the first may be nil.
func both[T any](a, b func(T) bool) func(T) bool {
	if a == nil {
		return b
	}
	return func(x T) bool { return a(x) && b(x) }
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
func (r *retentionQuestion) miss(f why.Filter, words string) string {
	h := r.Analysis.Heap
	switch {
	case f.Site != nil && h.ProfileRate == 0:
		return "This program records no allocations (it does not link runtime/pprof or net/http/pprof, or has set runtime.MemProfileRate to 0), so that what a function allocated is not known."
	case f.Site != nil:
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
