package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// Way is one way in which memory is held.
type Way struct {
	Sentence string `json:"sentence"`
	// Type is what is held, Site where it was allocated; "" if not known.
	Type string          `json:"type,omitempty"`
	Site *RetentionSite  `json:"site,omitempty"`
	Path []RetentionStep `json:"path"`
	Memory
	// Below tells that Bytes are with what the objects hold.
	Below     bool `json:"below,omitempty"`
	Estimated bool `json:"estimated,omitempty"`
	// Cut is the number of the step that is best removed, -1 without one;
	// Frees goes then.
	Cut   int    `json:"cut"`
	Frees Memory `json:"frees"`
	// Also is another way, where no single one holds it; Both goes without
	// the roots of both.
	Also   []RetentionStep `json:"also,omitempty"`
	Both   *Memory         `json:"both,omitempty"`
	Stacks uint64          `json:"stacks,omitempty"`
	Sites  []RetentionSite `json:"sites,omitempty"`
	// Address is one of the objects.
	Address string `json:"address,omitempty"`
}

// RetentionStep is a step of a path.
type RetentionStep struct {
	Label    string         `json:"label,omitempty"`
	Name     string         `json:"name"`
	Kind     string         `json:"kind,omitempty"` // of a root
	Category categoryNumber `json:"category"`
	Repeated bool           `json:"repeated,omitempty"`
	// Keeps is what goes free with it, or with all objects at this place of
	// the path; 0 if others keep that too. Objects is how many they are.
	Keeps   uint64 `json:"keeps,omitempty"`
	Objects uint64 `json:"objects,omitempty"`
	// Without names the reference for without?name=, "" if it has no name.
	Without string `json:"without,omitempty"`
}

// RetentionSite is a place that allocated.
type RetentionSite struct {
	Function string  `json:"function"`
	Place    string  `json:"place"`
	Type     string  `json:"type,omitempty"`
	Bytes    float64 `json:"bytes"`
	Objects  float64 `json:"objects"`
	Samples  int     `json:"samples"`
	// Before is what it had in the earlier heap, bytes.
	Before *uint64 `json:"before,omitempty"`
}

// HeapObject is all about one object.
type HeapObject struct {
	Address  string `json:"address"`
	Type     string `json:"type"`
	Size     uint64 `json:"size"`
	Retained Memory `json:"retained"`
	// AllPaths says that there are no other paths than the ways.
	AllPaths bool `json:"allPaths"`
	// Holders point to it, Holds are the types of what it retains.
	Holders []RetentionRow `json:"holders"`
	Holds   []RetentionRow `json:"holds"`
}

// paths answers by=path.
func (r *retentionQuestion) paths(q *Query, out *Retention) error {
	sums, err := r.outline("all", r.Select(why.Filter{}))
	if err != nil {
		return err
	}
	if at := q.Own("at"); at != "" {
		return r.object(at, out, sums)
	}
	list := r.holdings()
	for i := range list {
		out.Ways = append(out.Ways, r.way(&list[i], sums))
	}
	out.Sentence = "Nothing is held here."
	if len(list) > 0 {
		out.Sentence = headline(&list[0])
	}
	return r.addTiles(out)
}

// headline is reason.Sentence in short, where one reference holds it all.
func headline(h *why.Holding) string {
	if h.Cut == 0 || h.Type == "" || h.Cut == 1 && h.Path[0].Kind == goheap.KindGroup {
		return reason.Sentence(h) + "."
	}
	about, typ, are := "", h.Type, "are"
	if h.Site != nil {
		about = "About "
	}
	if h.Pointed {
		typ = "*" + typ
	}
	if h.Amount.Objects == 1 {
		are = "is"
	}
	return fmt.Sprintf("%s%s in %s %s held by %s; without it %s go free.", about, reason.Size(float64(h.Amount.Bytes)), countOf(h.Amount.Objects, typ), are, reason.CutName(h), reason.Size(float64(h.Frees.Bytes)))
}

// pathsOfObject is how many paths to one object are shown.
const pathsOfObject = 6

func (r *retentionQuestion) object(at string, out *Retention, sums *outline) error {
	addr, _ := strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 64)
	o, err := r.Object(addr, pathsOfObject)
	if err != nil {
		return notFound("Addresses are of this copy of the memory; another copy has others.", "%v", err)
	}
	x := &HeapObject{Address: address(o.Addr), Type: o.Vertex.Name, Size: o.Size, Retained: memory(o.Retained), AllPaths: o.AllWays, Holders: []RetentionRow{}, Holds: []RetentionRow{}}
	for i, w := range o.Ways {
		h := o.Holding
		if i > 0 { // the others are paths only
			h = why.Holding{Path: w, Root: w[0].Kind, Amount: o.Amount, Type: o.Holding.Type, Pointed: o.Pointed}
		}
		out.Ways = append(out.Ways, r.way(&h, sums))
	}
	for i, h := range o.Holders {
		row := RetentionRow{ID: i, Name: h.Name, Label: h.Label, Objects: uint64(h.Count), Category: r.origins.ofStep(&h.Step)}
		if h.Addr != 0 {
			row.Address = address(h.Addr)
		}
		x.Holders = append(x.Holders, row)
	}
	for i, t := range o.Holds {
		x.Holds = append(x.Holds, RetentionRow{ID: i, Name: t.Name, Type: t.Name, Objects: t.Amount.Objects, Own: t.Amount.Bytes, Keeps: t.Retained.Bytes})
	}
	out.Object, out.Sentence = x, reason.Sentence(&o.Holding)+"."
	return nil
}

func (r *retentionQuestion) way(h *why.Holding, sums *outline) Way {
	w := Way{
		Sentence: reason.Sentence(h), Type: h.Type, Path: r.steps(h.Path, sums), Memory: memory(h.Amount), Below: h.Below, Estimated: h.Site != nil,
		Cut: h.Cut - 1, Frees: memory(h.Frees), Stacks: h.Stacks,
	}
	if h.Pointed {
		w.Type = "*" + h.Type
	}
	if h.Site != nil {
		site := siteOf(h.Site)
		w.Site = &site
	}
	for i := range h.Sites {
		w.Sites = append(w.Sites, siteOf(&h.Sites[i]))
	}
	if h.Also != nil {
		both := memory(h.Both)
		w.Also, w.Both = r.steps(h.Also, nil), &both
	}
	if h.Address != 0 {
		w.Address = address(h.Address)
	}
	if w.Cut >= 0 {
		w.Path[w.Cut].Keeps = h.Frees.Bytes
		if h.Amount.Objects == 1 && strings.Contains(w.Path[w.Cut].Without, "[") {
			w.Path[w.Cut].Without = "" // the name stands for all elements, this is one
		}
	}
	return w
}

func siteOf(s *why.Site) RetentionSite {
	x := RetentionSite{Type: s.Type, Bytes: s.Bytes, Objects: s.Objects, Samples: s.Samples}
	if len(s.Stack) > 0 {
		f := ownFrame(s.Stack)
		x.Function, x.Place = f.Func, reason.Place(f)
	}
	return x
}

// steps describes a path; sums tells what its steps keep.
func (r *retentionQuestion) steps(path []why.Step, sums *outline) []RetentionStep {
	out := make([]RetentionStep, len(path))
	key := ""
	for i := range path {
		s := &path[i]
		x := RetentionStep{Label: s.Label, Name: s.Name, Category: r.origins.ofStep(s), Repeated: s.Repeated}
		if s.Kind != goheap.KindObject {
			x.Kind = reason.RootWord(s.Kind)
		}
		if sums != nil {
			var row int
			if key, row = sums.find(key, s); row >= 0 {
				x.Keeps, x.Objects = sums.rows[row].Amount.Bytes, sums.rows[row].Count
			} else if s.Kind == goheap.KindObject && !strings.Contains(s.Label, "[") && !s.Repeated {
				x.Keeps = r.Result.Retained(s.First).Bytes
			}
			x.Without = reason.CutName(&why.Holding{Path: path, Cut: i + 1})
			if s.Repeated || s.Kind == goheap.KindRuntime || s.Kind == goheap.KindSpecial {
				x.Without = ""
			}
		}
		out[i] = x
	}
	return out
}

// find is the row of a step below a row, or, where several roots hold it, at
// the top; -1 if there is none.
func (o *outline) find(above string, s *why.Step) (key string, row int) {
	for _, k := range [...]string{stepKey(above, s), stepKey("", s), stepKey("", &why.Step{Name: s.Name})} {
		if row, ok := o.byPath[k]; ok {
			return k, row
		}
	}
	return above, -1
}

// stepKey names a path by its labels and names.
func stepKey(above string, s *why.Step) string { return above + "\n" + s.Label + " " + s.Name }
