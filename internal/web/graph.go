package web

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/view"
)

// graphView is the call graph, placed by package render.
func graphView() View {
	return View{
		Name: "graph",
		Help: "The call graph: boxes and arrows with their places, and what was left out (schema graph/1)",
		Params: []Param{
			{"by", "package | function", "What a box stands for; by itself packages, if the profile has some"},
			{"open", "PACKAGE PACKAGE... | -", "Packages whose functions are shown; by itself that of the selected function"},
			{"as", "data | svg", "svg is the picture as a file"},
			{"color", "origin | change", "What colours say; for the page"},
		},
		Answer: answerGraph,
	}
}

// Graph is the answer of graphView. Places are in CSS pixels.
type Graph struct {
	Schema string `json:"schema"`
	Head
	By string `json:"by"`
	// Open are the packages shown as functions.
	Open   []string    `json:"open"`
	Width  float64     `json:"width"`
	Height float64     `json:"height"`
	Nodes  []GraphNode `json:"nodes"`
	// Edges are in order of painting, the lightest first.
	Edges  []GraphEdge `json:"edges"`
	Hidden GraphHidden `json:"hidden"`
}

// GraphNode is a box.
type GraphNode struct {
	// Name is the function or package. Functions counts those of a package,
	// 0 for a function; Package is that of a function.
	Name      string          `json:"name"`
	Package   string          `json:"package,omitempty"`
	Functions int             `json:"functions,omitempty"`
	Category  render.Category `json:"category"`
	Values
	X    float64     `json:"x"`
	Y    float64     `json:"y"`
	W    float64     `json:"w"`
	H    float64     `json:"h"`
	Text []GraphText `json:"text"`
}

// GraphText is a piece of text; X and Y are its left end and baseline.
type GraphText struct {
	Text  string  `json:"text"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Size  float64 `json:"size"`
	Muted bool    `json:"muted,omitempty"`
}

// GraphEdge is an arrow. Value is what was sampled through it, of a comparison
// the change.
type GraphEdge struct {
	From  int     `json:"from"`
	To    int     `json:"to"`
	Value float64 `json:"value"`
	// Hidden tells that something between the ends is not shown.
	Hidden bool `json:"hidden,omitempty"`
	Inline bool `json:"inline,omitempty"`
	// Path is the line and Head its arrowhead, as in SVG.
	Path  string     `json:"path"`
	Head  string     `json:"head"`
	Width float64    `json:"width"`
	Label *GraphText `json:"label,omitempty"`
}

// GraphHidden says what is not in the picture.
type GraphHidden struct {
	// Small are nodes below the least share, Over those beyond the number asked
	// for, Edges the arrows below theirs. Labels found no room.
	Small  int     `json:"small"`
	Over   int     `json:"over"`
	Edges  int     `json:"edges"`
	Labels int     `json:"labels"`
	Share  float64 `json:"share"` // the least share of a node
	// Roots tells that frames of the runtime above the first of another package
	// are left out.
	Roots bool `json:"roots,omitempty"`
}

// maxGraphNodes is how many boxes a picture has at most.
const maxGraphNodes = 500

// graphAsk are the parameters of a graph.
type graphAsk struct {
	by    string
	open  []string
	nodes int
	edges float64
	svg   bool
}

func answerGraph(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	d, err := s.at(ctx, q, "functions")
	if err != nil {
		return nil, err
	}
	ask, err := readGraphAsk(d, q)
	if err != nil {
		return nil, err
	}
	b, err := newGraphBuilder(d, q, ask)
	if err != nil {
		return nil, err
	}
	if ask.svg {
		b.g.Title = s.Title
		b.g.Legend = b.legend()
		var out bytes.Buffer
		if err := render.WriteSVG(&out, render.Layout(b.g, render.Options{}), render.SVGOptions{Interactive: true}); err != nil {
			return nil, err
		}
		return &Answer{Body: out.Bytes(), Type: "image/svg+xml", FileName: s.Title + "-graph.svg"}, nil
	}
	return &Answer{JSON: b.answer(render.Layout(b.g, render.Options{LayerGap: 46}))}, nil
}

func readGraphAsk(d *Data, q *Query) (ask graphAsk, err error) {
	first := "package"
	if !hasPackages(d) {
		first = "function"
	}
	if ask.by, err = q.OwnChoice("by", first, "package", "function"); err != nil {
		return ask, err
	}
	ask.nodes, ask.edges = q.Options.NodeCount, q.Options.EdgeFraction
	reports := view.Defaults()
	switch {
	case ask.nodes == reports.NodeCount:
		ask.nodes = 40
	case ask.nodes == 0: // all
		ask.nodes = maxGraphNodes
	}
	ask.nodes = min(max(ask.nodes, 2), maxGraphNodes)
	if ask.edges == reports.EdgeFraction {
		ask.edges = 0.005
	}
	as, err := q.OwnChoice("as", "data", "svg")
	ask.svg = as == "svg"
	if ask.by == "package" {
		switch open := q.Own("open"); {
		case open == "-":
		case open != "":
			ask.open = packageList(open)
		case q.Sel.Sort == 'f':
			if d.Names.Of(q.Sel.Name).Package != q.Sel.Name { // it is no package itself
				ask.open = []string{view.PackageName(q.Sel.Name)}
			}
		}
	}
	return ask, err
}

// packageList splits a list of packages; "(no package)" has a space in it.
func packageList(s string) []string {
	none := view.PackageName("")
	rest := strings.ReplaceAll(s, none, " ")
	list := strings.Fields(rest)
	if rest != s {
		list = append(list, none)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// hasPackages tells whether at least two packages were sampled.
func hasPackages(d *Data) bool {
	first := ""
	nodes := d.View.WholeNodes().Nodes
	for i := range nodes {
		switch info := d.Names.Of(nodes[i].Name); {
		case info.Package == "":
		case first == "":
			first = info.Package
		case first != info.Package:
			return true
		}
	}
	return false
}

// graphBuilder makes the boxes and arrows of a trimmed graph.
type graphBuilder struct {
	d        *Data
	ask      graphAsk
	t        *view.Trimmed
	changes  []view.Change
	packages map[string]int // functions by package
	g        render.Graph
	box      map[int32]int // by node of t
	nodes    []GraphNode
	edges    []GraphEdge
	least    float64
	rootless bool // the runtime was cut from the roots
}

func newGraphBuilder(d *Data, q *Query, ask graphAsk) (*graphBuilder, error) {
	b := &graphBuilder{d: d, ask: ask, packages: map[string]int{}, box: map[int32]int{}}
	p := d.Filtered
	if ask.by == "package" {
		open := map[string]bool{}
		for _, name := range ask.open {
			open[name] = true
		}
		whole := d.View.WholeNodes()
		for _, i := range whole.Order {
			b.packages[view.PackageName(whole.Nodes[i].Name)]++
		}
		p = view.FoldPackages(b.cutRoots(p, open), open)
	}
	o := q.options()
	o.SampleIndex, o.Granularity = d.View.Options.SampleIndex, "functions"
	o.NodeCount, o.EdgeFraction = ask.nodes, ask.edges
	if !o.Trim {
		o.NodeFraction = 0
	}
	b.least = o.NodeFraction
	v, err := view.Prepare(p, o, func(string) {})
	if err != nil {
		return nil, badRequest("", "%v", err)
	}
	v.Total = d.View.Total
	b.t = v.Trim(view.ForPicture)
	b.changes = v.Changes(b.t.Graph)
	b.addNodes()
	b.addEdges()
	return b, nil
}

// cutRoots takes the runtime away from above the program, where it would make
// everything its own callee, unless a part of it is open.
func (b *graphBuilder) cutRoots(p *profile.Profile, open map[string]bool) *profile.Profile {
	is := make([]bool, p.Functions.Len())
	for i := range is {
		name := p.FunctionName(profile.FunctionID(i))
		if is[i] = b.d.Names.Of(name).Category == render.CategoryRuntime; is[i] && open[view.PackageName(name)] {
			return p
		}
	}
	cut := view.CutRoots(p, is)
	b.rootless = cut.Stacks.Len() != p.Stacks.Len() || len(cut.Stacks.Frames) != len(p.Stacks.Frames)
	return cut
}

func (b *graphBuilder) amount(n int32) view.Amount {
	if b.changes != nil {
		c := &b.changes[n]
		return view.Amount{Flat: c.FlatCurrent, Cum: c.CumCurrent, FlatBase: c.FlatBase, CumBase: c.CumBase}
	}
	node := &b.t.Nodes[n]
	return view.Amount{Flat: node.FlatValue(), Cum: node.CumValue()}
}

func (b *graphBuilder) addNodes() {
	var most int64
	for _, n := range b.t.Order {
		a := b.amount(n)
		most = max(most, abs64(a.Flat), abs64(a.FlatBase))
	}
	for _, n := range b.t.Order {
		name, a := b.t.Nodes[n].Name, b.amount(n)
		if name == "" {
			name = b.t.Name(n)
		}
		info := b.d.Names.Of(name)
		node := GraphNode{Name: name, Package: info.Package, Category: info.Category, Values: b.d.values(a)}
		if b.ask.by == "package" && !slices.Contains(b.ask.open, view.PackageName(name)) || b.packages[name] > 0 {
			node.Functions, node.Package = max(1, b.packages[name]), ""
		}
		own := 0.0
		if most > 0 {
			own = float64(abs64(a.Flat)) / float64(most)
		}
		b.box[n] = len(b.nodes)
		b.nodes = append(b.nodes, node)
		b.g.Nodes = append(b.g.Nodes, b.boxOf(&node, a, own))
	}
}

func (b *graphBuilder) addEdges() {
	for _, n := range b.t.Order {
		for _, e := range b.t.SortedOut(n) {
			to, ok := b.box[e.Dst]
			if !ok {
				continue
			}
			factor, _ := b.d.scale()
			edge := GraphEdge{From: b.box[n], To: to, Value: float64(e.Value()) * factor, Hidden: e.Residual, Inline: e.Inline}
			b.edges = append(b.edges, edge)
			label := b.format(e.Value())
			if b.changes != nil {
				label = b.change(e.Value())
			}
			b.g.Edges = append(b.g.Edges, render.Edge{
				From: edge.From, To: to, Weight: b.share(e.Value()), Label: label, Dotted: e.Residual,
				Tooltip: fmt.Sprintf("%s → %s\n%s", b.nodes[edge.From].Name, b.nodes[to].Name, label),
			})
		}
	}
}

// share is a value as a part of all, 0 to 1; of a comparison of the larger
// total.
func (b *graphBuilder) share(v int64) float64 {
	total := max(abs64(b.d.View.Total), abs64(b.d.BaseTotal))
	if total == 0 {
		return 0
	}
	return min(float64(abs64(v))/float64(total), 1)
}

// answer joins what is drawn with where it is.
func (b *graphBuilder) answer(drawing *render.Drawing) *Graph {
	a := &Graph{
		Schema: "graph/1", Head: b.d.Head(), By: b.ask.by, Open: append([]string{}, b.ask.open...), Nodes: b.nodes, Edges: []GraphEdge{},
		Width: round1(drawing.Width), Height: round1(drawing.Height),
		Hidden: GraphHidden{Small: b.t.DroppedNodes, Over: max(0, b.t.OrigCount-len(b.t.Order)), Edges: b.t.DroppedEdges, Labels: drawing.HiddenLabels, Share: b.least, Roots: b.rootless},
	}
	if a.Nodes == nil {
		a.Nodes = []GraphNode{}
	}
	a.Head.Granularity = "functions"
	at := map[int]int{} // edges by their number in b.edges
	for _, it := range drawing.Items {
		switch it.Kind {
		case render.ItemNode:
			n, r := &a.Nodes[it.Ref], drawing.Nodes[it.Ref]
			n.X, n.Y, n.W, n.H, n.Text = round1(r.X), round1(r.Y), round1(r.W), round1(r.H), textsOf(it)
		case render.ItemEdge:
			e := b.edges[it.Ref]
			e.Path, e.Head, e.Width = svgPath(it.Shapes[0].Path), svgPath(it.Shapes[1].Path), round1(it.Shapes[0].StrokeWidth)
			at[it.Ref] = len(a.Edges)
			a.Edges = append(a.Edges, e)
		case render.ItemLabel:
			if i, ok := at[it.Ref]; ok {
				a.Edges[i].Label = &textsOf(it)[0]
			}
		}
	}
	return a
}

const rootsNote = "the runtime above the program is left out"

// legend says in the file what the page says around the picture.
func (b *graphBuilder) legend() []string {
	head := b.d.Head()
	list := []string{fmt.Sprintf("%s %s of %s: %s", head.Kind, head.Value, strings.Join(head.Cur, ", "), b.format(b.d.View.Total))}
	if len(head.Base) > 0 {
		list = append(list, "compared with "+strings.Join(head.Base, ", ")+": "+b.format(b.d.BaseTotal))
	}
	list = append(list, head.Filters...)
	if b.rootless {
		list = append(list, rootsNote)
	}
	if n := b.t.DroppedNodes + max(0, b.t.OrigCount-len(b.t.Order)); n > 0 {
		list = append(list, fmt.Sprintf("%d boxes and %d arrows are left out", n, b.t.DroppedEdges))
	}
	return list
}
