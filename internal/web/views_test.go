package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// tree writes the nodes of a flame graph as PATH SELF TOTAL, and BASE.
func tree(d *decoded, prefix string) []string {
	var paths, out []string
	parent := d.numbers[prefix+"parent"]
	for i := range parent {
		name := d.strings["frame_name"][int(d.numbers[prefix+"frame"][i])]
		if p := int(parent[i]); p >= 0 {
			name = paths[p] + ";" + name
		}
		paths = append(paths, name)
		line := fmt.Sprintf("%s %v %v", name, d.numbers[prefix+"self"][i], d.numbers[prefix+"total"][i])
		if base := d.numbers[prefix+"base"]; base != nil {
			line += fmt.Sprintf(" %v", base[i])
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

// naiveTree adds samples up by path, one map entry a node. It knows only
// locations with one line.
func naiveTree(ps map[bool]*profile.Profile, value string, path func([]string) []string) []string {
	type node struct{ self, total, base float64 }
	nodes := map[string]*node{}
	for isBase, p := range ps {
		col, _ := p.SampleIndex(value)
		for i, id := range p.Samples.Stack {
			var names []string
			for _, loc := range p.Stacks.Of(id) {
				for _, ln := range p.Locations.LinesOf(loc) {
					names = append([]string{p.FunctionName(ln.Function)}, names...)
				}
			}
			if names = path(names); len(names) == 0 {
				continue
			}
			v := float64(p.Samples.Values[col][i])
			for n := range names {
				key := strings.Join(names[:n+1], ";")
				if nodes[key] == nil {
					nodes[key] = &node{}
				}
				if isBase {
					nodes[key].base += v
					continue
				}
				nodes[key].total += v
				if n == len(names)-1 {
					nodes[key].self += v
				}
			}
		}
	}
	var out []string
	for key, n := range nodes {
		line := fmt.Sprintf("%s %v %v", key, n.self, n.total)
		if ps[true] != nil {
			line += fmt.Sprintf(" %v", n.base)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func shotProfile(s *Session, kind, id string) *profile.Profile {
	for _, x := range s.Shots {
		if x.Kind == kind && x.ID == id {
			return x.Profile
		}
	}
	return nil
}

func TestFlame(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	cpu, now, was := shotProfile(s, "cpu", "p1"), shotProfile(s, "heap", "p4"), shotProfile(s, "heap", "p1")
	same := func(p []string) []string { return p }
	up := func(p []string) []string { p = slices.Clone(p); slices.Reverse(p); return p }
	below := func(name string) func([]string) []string {
		return func(p []string) []string { return p[max(0, slices.Index(append(p, name), name)):] }
	}
	above := func(name string) func([]string) []string {
		return func(p []string) []string { return up(p[:(slices.Index(p, name) + 1)]) }
	}
	for _, c := range []struct {
		ask, prefix, value string
		of                 map[bool]*profile.Profile
		path               func([]string) []string
	}{
		{"flame?kind=cpu&min=0", "", "cpu", map[bool]*profile.Profile{false: cpu}, same},
		{"flame?kind=cpu&min=0&dir=up&value=samples", "", "samples", map[bool]*profile.Profile{false: cpu}, up},
		{"flame?kind=cpu&min=0&dir=around&sel=f:main.parse", "", "cpu", map[bool]*profile.Profile{false: cpu}, below("main.parse")},
		{"flame?kind=cpu&min=0&dir=around&sel=f:main.parse", "up_", "cpu", map[bool]*profile.Profile{false: cpu}, above("main.parse")},
		{"flame?min=0&base=p1", "", "inuse_space", map[bool]*profile.Profile{false: now, true: was}, same},
		{"flame?min=0&base=p1&dir=up&value=alloc_objects", "", "alloc_objects", map[bool]*profile.Profile{false: now, true: was}, up},
		{"flame?min=0&cur=p1&base=p4", "", "inuse_space", map[bool]*profile.Profile{false: was, true: now}, same},
		{"flame?kind=cpu&min=0&x=root:main.parse", "", "cpu", map[bool]*profile.Profile{false: cpu}, below("main.parse")},
		{"flame?kind=cpu&min=0&x=collapse:*", "", "cpu", map[bool]*profile.Profile{false: cpu}, slices.Compact[[]string]},
		{"flame?kind=cpu&min=0&x=merge:main.parse", "", "cpu", map[bool]*profile.Profile{false: cpu},
			func(p []string) []string {
				return slices.DeleteFunc(p, func(n string) bool { return n == "main.parse" })
			}},
		{"flame?kind=cpu&min=0&x=drop:main.parse", "", "cpu", map[bool]*profile.Profile{false: cpu},
			func(p []string) []string {
				if slices.Contains(p, "main.parse") {
					return nil
				}
				return p
			}},
		{"flame?kind=cpu&min=0&x=hide:conn&x=focus:serve", "", "cpu", map[bool]*profile.Profile{false: cpu},
			func(p []string) []string {
				p = slices.DeleteFunc(p, func(n string) bool { return strings.Contains(n, "conn") })
				if !slices.ContainsFunc(p, func(n string) bool { return strings.Contains(n, "serve") }) {
					return nil
				}
				return p
			}},
	} {
		got := tree(getColumns(t, srv, c.ask), c.prefix)
		if want := naiveTree(c.of, c.value, c.path); !slices.Equal(got, want) {
			t.Errorf("%s %s\n%s\nwant\n%s", c.ask, c.prefix, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	wantFailure(t, srv, "flame?dir=around", 400, "sel=f:NAME")
	wantFailure(t, srv, "flame?dir=sideways", 400, "down, up, around")
	wantFailure(t, srv, "flame?min=2", 400, "from 0 to 1")
	wantFailure(t, srv, "flame?z=12", 400, "not a path")
}

// TestFlameFolds says what is left out, and gives it when asked below.
func TestFlameFolds(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	d := getColumns(t, srv, "flame?kind=cpu&min=0.25")
	dropped := d.meta["dropped"].(map[string]any)
	if dropped["nodes"] != 3.0 || dropped["weight"] != 60e6 {
		t.Errorf("dropped %v, %q", dropped, tree(d, ""))
	}
	key := func(names ...string) (z string) {
		for _, n := range names {
			z += fmt.Sprintf("%06x", frameKey(n))
		}
		return z
	}
	z := key("main.main", "main.serve", "main.parse")
	d = getColumns(t, srv, "flame?kind=cpu&min=0.25&z="+z)
	if d.meta["zoom"] != 3.0 || !slices.Contains(tree(d, ""), "main.main;main.serve;main.parse;main.walk;main.parse;main.token 2e+07 2e+07") {
		t.Errorf("zoomed: %v %q", d.meta["zoom"], tree(d, ""))
	}
	for i, k := range []string{"main.main", "main.serve", "main.parse"} {
		if f := int(d.numbers["frame"][i]); d.strings["frame_name"][f] != k || d.numbers["frame_key"][f] != float64(frameKey(k)) {
			t.Errorf("node %d is %s", i, d.strings["frame_name"][f])
		}
	}
	if d = getColumns(t, srv, "flame?kind=cpu&z="+key("main.main", "no.where")); d.meta["zoom"] != 1.0 {
		t.Errorf("a path that leads nowhere: %v", d.meta["zoom"])
	}
}

// TestTable compares with the report top of the same data.
func TestTable(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	for _, ask := range []string{"kind=cpu", "kind=cpu&x=gran:lines", "kind=cpu&x=focus:parse&x=noinlines", "", "base=p1", "base=p1&value=inuse_objects", "kind=goroutine&cur=all", "kind=cpu&x=gran:packages"} {
		q := mustQuery(t, ask)
		d, err := s.Data(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		o := q.options()
		o.SampleIndex, o.Trim = d.View.Options.SampleIndex, false
		v, err := view.Prepare(d.Filtered, o, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][4]float64{}
		for _, row := range report.NewTop(report.New(v)).Rows {
			x := [4]float64{float64(row.Flat), float64(row.Cum)}
			if row.Base != nil {
				x = [4]float64{float64(row.Base.FlatCurrent), float64(row.Base.CumCurrent), float64(row.Base.FlatBase), float64(row.Base.CumBase)}
			}
			want[row.Name] = x
		}
		got := getColumns(t, srv, "table?"+ask)
		if got.meta["rows"] != float64(len(got.numbers["flat"])) {
			t.Errorf("%s: %v rows", ask, got.meta["rows"])
		}
		found := 0
		for i, name := range got.strings["frame_name"] {
			x := [4]float64{got.numbers["flat"][i], got.numbers["cum"][i]}
			if got.numbers["base_flat"] != nil {
				x[2], x[3] = got.numbers["base_flat"][i], got.numbers["base_cum"][i]
			}
			if w, ok := want[name]; ok {
				found++
				if x != w {
					t.Errorf("%s: %s is %v, want %v", ask, name, x, w)
				}
			} else if got.numbers["base_flat"] == nil || x[0] != x[2] || x[1] != x[3] {
				t.Errorf("%s: %s %v is not in the report", ask, name, x)
			}
		}
		if found != len(want) {
			t.Errorf("%s: %d of %d rows", ask, found, len(want))
		}
	}
}

// TestTableUnchanged has the rows that are the same now and in the base,
// which a diff does not show.
func TestTableUnchanged(t *testing.T) {
	d := getColumns(t, newServer(t, Options{}, shop(t)), "table?base=p1")
	i := slices.Index(d.strings["frame_name"], "runtime.main")
	if i < 0 || d.numbers["flat"][i] != 50 || d.numbers["base_flat"][i] != 50 {
		t.Errorf("runtime.main is row %d", i)
	}
}

func TestTableTrend(t *testing.T) {
	d := getColumns(t, newServer(t, Options{}, shop(t)), "table?trend=10")
	if fmt.Sprint(d.meta["shots"]) != "[p1 p2 p3 p4]" {
		t.Errorf("shots %v", d.meta["shots"])
	}
	i := slices.Index(d.strings["frame_name"], "main.newOrder")
	if got := d.numbers["trend"][4*i : 4*i+4]; !slices.Equal(got, []float64{1000, 2000, 3000, 4000}) {
		t.Errorf("trend %v", got)
	}
	i = slices.Index(d.strings["frame_name"], "main.copyOrder")
	if got := d.numbers["trend"][4*i : 4*i+4]; !slices.Equal(got, []float64{0, 0, 0, 500}) {
		t.Errorf("trend %v", got)
	}
}

func TestFunction(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	f := getJSON[Function](t, srv, "function?sel=f:main.newOrder&base=p1")
	if f.Flat != 4000 || f.Cum != 4500 || *f.FlatBase != 1000 || *f.CumBase != 1000 || f.Total != 4950 || *f.BaseTotal != 1450 {
		t.Errorf("%+v", f.Values)
	}
	if f.Package != "main" || f.Category != 1 || f.File != "/src/main/x.go" || len(f.Others) != 3 || f.Others[2].Value != "inuse_objects" || f.Others[2].Cum != 45 {
		t.Errorf("%+v", f)
	}
	if len(f.Callers) != 1 || f.Callers[0].Name != "main.serve" || f.Callers[0].Value != 4500 || *f.Callers[0].Base != 1000 {
		t.Errorf("callers %+v", f.Callers)
	}
	if len(f.Callees) != 1 || f.Callees[0].Name != "main.copyOrder" || f.Callees[0].Value != 500 {
		t.Errorf("callees %+v", f.Callees)
	}
	if len(f.Lines) != 2 || f.Lines[0].Line != 7 || f.Lines[0].Flat != 4000 || f.Lines[1].Line != 9 || f.Lines[1].Flat != 0 || f.Lines[1].Cum != 500 {
		t.Errorf("lines %+v", f.Lines)
	}
	if f.Trend == nil || !slices.Equal(f.Trend.Cum, []float64{1000, 2000, 3000, 4500}) || f.Trend.Times[1] != began().UnixMilli()+60_000 {
		t.Errorf("trend %+v", f.Trend)
	}
	if f = getJSON[Function](t, srv, "function?sel=f:main.parse&kind=cpu"); f.Cum != 60e6 || f.Flat != 0 || f.Trend != nil || f.FlatBase != nil {
		t.Errorf("recursion: %+v", f)
	}
	wantFailure(t, srv, "function", 400, "sel=f:NAME")
	wantFailure(t, srv, "function?sel=t:int", 400, "sel=f:NAME")
	wantFailure(t, srv, "function?sel=f:main.gone", 404, "main.gone")
}

// TestReports has every report of the command line, and the text of top as
// the command prints it.
func TestReports(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	for _, k := range report.Kinds() {
		ask := "report/" + k.Name + "?kind=cpu"
		switch k.Name {
		case "disasm": // there is no binary
			wantFailure(t, srv, ask, 404, "no matches")
		case "comments", "tags": // there are none
			get(t, srv, ask)
		default:
			if len(get(t, srv, ask)) == 0 {
				t.Errorf("%s is empty", k.Name)
			}
		}
	}
	o := view.Defaults()
	o.SampleIndex, o.Focus, o.NodeCount = "cpu", "parse", 3
	v, err := view.Prepare(shotProfile(s, "cpu", "p1"), report.KindByName(report.Kinds(), "top").Options(o), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := report.NewTop(report.New(v)).WriteText(&want); err != nil {
		t.Fatal(err)
	}
	if got := get(t, srv, "report/top?kind=cpu&x=focus:parse&n=3"); string(got) != want.String() {
		t.Errorf("%s\nwant\n%s", got, want.String())
	}
	var j struct{ Schema string }
	if err := json.Unmarshal(get(t, srv, "report/top?kind=cpu&format=json"), &j); err != nil || j.Schema != "top/1" {
		t.Errorf("JSON: %v %v", j, err)
	}
	wantFailure(t, srv, "report/summary", 404, "top")
	wantFailure(t, srv, "report/peek?of=(", 400, "regular expression")
	wantFailure(t, srv, "report/peek?of=nobody", 404, "nobody")
}

func TestDownload(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/download?kind=cpu&x=focus:parse", "Accept-Encoding", "gzip")
	if r.Header.Get("Content-Encoding") != "" || !strings.Contains(r.Header.Get("Content-Disposition"), "profile.pb.gz") || r.Header.Get("Content-Type") != profileType {
		t.Errorf("%v", r.Header)
	}
	raw := get(t, srv, "download?kind=cpu&x=focus:parse")
	zipped, err := unzip(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pprof.Decode(bytes.NewReader(zipped), pprof.Options{})
	if err != nil || p.Samples.Len() != shotProfile(s, "cpu", "p1").Samples.Len() {
		t.Errorf("%v %v", p, err)
	}
}

func TestCommand(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	c := getJSON[Command](t, srv, "command?report=top&cur=p2&base=p1&x=focus:a%20b&x=collapse:*")
	want := "profound -top '-focus=a b' -diff_base=heap-0 heap-1"
	if c.Command != want || !slices.Equal(c.Without, []string{"collapse:*"}) {
		t.Errorf("%q without %q, want %q", c.Command, c.Without, want)
	}
}

// TestColumnsAsJSON gives the same numbers with format=json.
func TestColumnsAsJSON(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	d := getColumns(t, srv, "table?kind=cpu")
	j := getJSON[struct {
		Schema  string
		Meta    map[string]any
		Columns map[string]json.RawMessage
	}](t, srv, "table?kind=cpu&format=json")
	var flat []float64
	if err := json.Unmarshal(j.Columns["flat"], &flat); err != nil || !slices.Equal(flat, d.numbers["flat"]) || j.Schema != d.schema {
		t.Errorf("%v %v, want %v", flat, err, d.numbers["flat"])
	}
	var category []float64
	if err := json.Unmarshal(j.Columns["frame_category"], &category); err != nil || !slices.Equal(category, d.numbers["frame_category"]) {
		t.Errorf("%v %v", category, err)
	}
}

// TestHostile puts names no one expects through everything.
func TestHostile(t *testing.T) {
	names := []string{"<script>alert(1)</script>", "main.\u202eevil", strings.Repeat("main.F[go.shape.int]", 500), "世界.🎉", "a\"b'c\\d", "bad\xffutf8", "q?x=1&y=%00", " "}
	b := profile.NewBuilder(cpuTypes()...)
	for i, n := range names {
		b.Sample([]profile.LocationID{b.Location(0, 0, profile.Line{Function: b.Function(n, n, n, 0), Line: 1})}, []int64{1, int64(i + 1)})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(Input{Shots: []Shot{{Name: "x", Profile: p}}, Title: "<b>\r\nX: y", Now: began()})
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	d := getColumns(t, srv, "flame")
	if len(d.numbers["parent"]) != len(names) {
		t.Errorf("%d nodes", len(d.numbers["parent"]))
	}
	for _, n := range names[:5] {
		q := mustQuery(t, "")
		q.Sel = Selection{Sort: 'f', Name: n}
		if f := getJSON[Function](t, srv, "function?"+q.String()); f.Name != n {
			t.Errorf("%q is answered as %q", n, f.Name)
		}
	}
	if page := getPath(t, srv, "/api"); bytes.Contains(page, []byte("<b>\r\n")) {
		t.Error("a title became markup")
	}
	r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/report/png")
	if r.StatusCode != http.StatusOK || strings.ContainsAny(r.Header.Get("Content-Disposition"), "<\r\n") {
		t.Errorf("%s %q", r.Status, r.Header)
	}
}

// TestUnits sends base units, and shares of the right total.
func TestUnits(t *testing.T) {
	p := makeProfile(t, []profile.ValueType{{Type: "wait", Unit: "milliseconds"}}, "main.f 1500")
	s, err := NewSession(Input{Shots: []Shot{{Name: "x", Profile: p}}, Now: began()})
	if err != nil {
		t.Fatal(err)
	}
	d := getColumns(t, newServer(t, Options{}, s), "flame")
	if d.meta["unit"] != "nanoseconds" || d.meta["total"] != 1.5e9 || d.numbers["total"][0] != 1.5e9 {
		t.Errorf("%v %v", d.meta, d.numbers["total"])
	}
	if d := getColumns(t, newServer(t, Options{}, shop(t)), "flame?kind=cpu&x=focus:parse"); d.meta["total"] != 150e6 || d.meta["shown"] != 60e6 {
		t.Errorf("total %v shown %v", d.meta["total"], d.meta["shown"])
	}
	if math.IsNaN(d.meta["total"].(float64)) {
		t.Error("NaN")
	}
}
