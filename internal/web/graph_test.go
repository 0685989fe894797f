package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/view"
)

// naiveGraph adds up boxes and arrows, each once a sample.
func naiveGraph(p *profile.Profile, value string, name func(string) string) []string {
	col, _ := p.SampleIndex(value)
	flat, cum := map[string]int64{}, map[string]int64{}
	for i, id := range p.Samples.Stack {
		v, seen := p.Samples.Values[col][i], map[string]bool{}
		callee := ""
		for _, loc := range p.Stacks.Of(id) {
			for _, ln := range p.Locations.LinesOf(loc) {
				n := name(p.FunctionName(ln.Function))
				if callee == "" {
					flat[n] += v
				}
				edge := n + " > " + callee
				if !seen[n] {
					cum[n] += v
				}
				if callee != "" && callee != n && !seen[edge] {
					cum[edge] += v
				}
				seen[n], seen[edge] = true, true
				callee = n
			}
		}
	}
	var out []string
	for key, v := range cum {
		out = append(out, fmt.Sprintf("%s %d %d", key, flat[key], v))
	}
	slices.Sort(out)
	return out
}

func graphRows(a *Graph) []string {
	var out []string
	for _, n := range a.Nodes {
		out = append(out, fmt.Sprintf("%s %.0f %.0f", n.Name, n.Flat, n.Cum))
	}
	for _, e := range a.Edges {
		if e.From != e.To {
			out = append(out, fmt.Sprintf("%s > %s 0 %.0f", a.Nodes[e.From].Name, a.Nodes[e.To].Name, e.Value))
		}
	}
	slices.Sort(out)
	return out
}

func TestGraph(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	same := func(n string) string { return n }
	for _, c := range []struct {
		ask, kind, shot, value string
		name                   func(string) string
	}{
		{"graph?kind=cpu&by=function&n=500&ef=0&nf=0", "cpu", "p1", "cpu", same},
		{"graph?kind=cpu&n=500&ef=0&nf=0", "cpu", "p1", "cpu", view.PackageName}, // no runtime above the program here
		{"graph?kind=cpu&n=500&ef=0&nf=0&open=main", "cpu", "p1", "cpu", func(n string) string {
			if view.PackageName(n) == "main" {
				return n
			}
			return view.PackageName(n)
		}},
		{"graph?n=500&ef=0&nf=0&value=alloc_space&cur=p2&by=function", "heap", "p2", "alloc_space", same},
	} {
		a := getJSON[Graph](t, srv, c.ask)
		if got, want := graphRows(&a), naiveGraph(shotProfile(s, c.kind, c.shot), c.value, c.name); !slices.Equal(got, want) {
			t.Errorf("%s\n%s\nwant\n%s", c.ask, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, n := range a.Nodes {
			if n.W <= 0 || n.X < 0 || n.X+n.W > a.Width || n.Y+n.H > a.Height || len(n.Text) < 2 {
				t.Errorf("%s: %s is at %v %v %v %v with %v", c.ask, n.Name, n.X, n.Y, n.W, n.H, n.Text)
			}
		}
	}
}

func TestGraphOpensTheSelection(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	a := getJSON[Graph](t, srv, "graph?sel=f:main.newOrder")
	if !slices.Equal(a.Open, []string{"main"}) || !slices.ContainsFunc(a.Nodes, func(n GraphNode) bool { return n.Name == "main.newOrder" && n.Package == "main" }) {
		t.Errorf("open %v", a.Open)
	}
	a = getJSON[Graph](t, srv, "graph?sel=f:main.newOrder&open=-")
	i := slices.IndexFunc(a.Nodes, func(n GraphNode) bool { return n.Name == "main" })
	if len(a.Open) > 0 || i < 0 || a.Nodes[i].Functions != 5 {
		t.Errorf("closed: %v %+v", a.Open, a.Nodes)
	}
	if got := packageList("net/http (no package) main main"); !slices.Equal(got, []string{"(no package)", "main", "net/http"}) {
		t.Errorf("a list with (no package) in the middle: %q", got)
	}
}

func TestGraphChange(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	a := getJSON[Graph](t, srv, "graph?by=function&base=p1")
	i := slices.IndexFunc(a.Nodes, func(n GraphNode) bool { return n.Name == "main.newOrder" })
	if n := a.Nodes[i]; n.Cum != 4500 || *n.CumBase != 1000 || !strings.HasPrefix(n.Text[1].Text, "▲") {
		t.Errorf("%+v", n)
	}
}

func TestGraphSVG(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	r := request(t, srv.Handler(), "GET", "/api/"+srv.Sessions()[0].ID+"/graph?as=svg")
	if r.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(r.Header.Get("Content-Disposition"), ".svg") {
		t.Errorf("%v", r.Header)
	}
	if few, all := getJSON[Graph](t, srv, "graph?kind=cpu&by=function&n=2"), getJSON[Graph](t, srv, "graph?kind=cpu&by=function&n=0&ef=0&nf=0.9&trim=false"); len(few.Nodes) != 2 || len(all.Nodes) != 10 || all.Hidden.Small != 0 {
		t.Errorf("%d boxes for 2, %d for all", len(few.Nodes), len(all.Nodes))
	}
	wantFailure(t, srv, "graph?n=-2", 400, "from 0 on")
	wantFailure(t, srv, "graph?ef=NaN", 400, "from 0 to 1")
	wantFailure(t, srv, "graph?nf=2", 400, "from 0 to 1")
	wantFailure(t, srv, "graph?by=colour", 400, "package, function")
}
