package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/leak"
)

// TestSummaryOfADifference looks at profiles that were saved as the difference
// of two: what is below zero is no error, and a net of zero is not nothing.
func TestSummaryOfADifference(t *testing.T) {
	for _, c := range []struct{ name, text, title, says string }{
		{"less", "main.main;main.a 1 10000000000\nmain.main;main.b -3 -30000000000", "main.b takes 30 s less, 75 % of all that changed", "is a difference: \u221220 s net of CPU time, 10 s up and 30 s down"},
		{"nothing net", "main.main;main.a 3 30000000000\nmain.main;main.b -3 -30000000000", "main.a takes 30 s more, 50 % of all that changed", "0 ns net of CPU time, 30 s up and 30 s down"},
		{"in one function", "main.main;main.a:1 3 30000000000\nmain.main;main.a:2 -3 -30000000000", "Net, no function changed its CPU time", "30 s up and 30 s down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := NewSession(Input{Now: began(), Shots: []Shot{{Name: "diff", Profile: makeProfile(t, cpuTypes(), c.text)}}})
			if err != nil {
				t.Fatal(err)
			}
			a := getJSON[Summary](t, newServer(t, Options{}, s), "summary?least=0")
			if a.Headline.Title != c.title || !strings.Contains(a.Headline.Text, c.says) {
				t.Errorf("%q, %q; want %q, %q", a.Headline.Title, a.Headline.Text, c.title, c.says)
			}
			if want := strings.Count(c.title, "of all") * 2; len(a.Rows) != want {
				t.Errorf("%d rows, want %d", len(a.Rows), want)
			}
		})
	}
	for _, c := range []struct {
		part, whole float64
		want        string
	}{{-30, 40, "\u221275 %"}, {-3, -4, "75 %"}, {-0.01, 40, "\u2212<0.1 %"}, {0.01, 40, "<0.1 %"}} {
		if got := percentOf(c.part, c.whole); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

// TestSummaryOfAPart: what is chosen shows in every figure, and the judgement,
// which is of the whole, says that it is.
func TestSummaryOfAPart(t *testing.T) {
	srv := newServer(t, Options{}, growing(t))
	row := func(a *Summary, name string) *SummaryRow {
		for i := range a.Rows {
			if a.Rows[i].Name == name {
				return &a.Rows[i]
			}
		}
		return nil
	}
	says := func(a *Summary) bool {
		return slices.ContainsFunc(a.Headline.Evidence, func(c Clause) bool { return c.Text == wholeFinding })
	}
	whole := getJSON[Summary](t, srv, "summary")
	if says(&whole) || whole.Rows[0].Finding != 0 {
		t.Errorf("the whole: %+v, first row %+v", whole.Headline.Evidence, whole.Rows[0])
	}
	part := getJSON[Summary](t, srv, "summary?cur=p2&least=0")
	if r := row(&part, "main.newOrder"); !says(&part) || r == nil || *r.Current != 25000*1024 || *r.Base != 20000*1024 {
		t.Errorf("cur=p2: row %+v; %+v", r, part.Headline.Evidence)
	}
	without := getJSON[Summary](t, srv, "summary?x=ignore:newOrder&least=0")
	if r := row(&without, "main.newOrder"); !says(&without) || r != nil {
		t.Errorf("without newOrder: row %+v; %+v", r, without.Headline.Evidence)
	}
}

func TestTimelineIsFiltered(t *testing.T) {
	srv := newServer(t, Options{}, growing(t))
	last := func(ask string) float64 {
		a := getJSON[Timeline](t, srv, "timeline"+ask)
		for _, track := range a.Tracks {
			if track.ID == "heap.inuse_space" {
				v := track.Series[0].Values
				return *v[len(v)-1]
			}
		}
		t.Fatalf("%s: no track of the heap", ask)
		return 0
	}
	if all, left := last(""), last("?x=ignore:newOrder"); all != 215000*1024+40960+50 || left != 40960+50 {
		t.Errorf("%v, without newOrder %v", all, left)
	}
}

// TestCommandsNameWhatThereIs: a command can be run as it stands, or says what
// is missing.
func TestCommandsNameWhatThereIs(t *testing.T) {
	heap := makeProfile(t, heapTypes(), "main.main;main.newOrder:7 10 1000 10 1000")
	for _, c := range []struct {
		in         Input
		want, note string
	}{
		{Input{Sources: []string{"4711"}, Looks: []leak.Look{{At: began(), Heap: heap, Gauges: leak.NoGauges()}}}, "profound -http=localhost:0 4711", ""},
		{Input{Sources: []string{"drop.pb.gz"}, Sent: true, Shots: []Shot{{Name: "drop.pb.gz", Profile: heap}}}, "profound -top drop.pb.gz", "download"},
		{Input{Sources: []string{"a.pb.gz"}, Shots: []Shot{{Name: "a.pb.gz", Profile: heap}}}, "profound -top a.pb.gz", ""},
	} {
		c.in.Now = began()
		s, err := NewSession(c.in)
		if err != nil {
			t.Fatal(err)
		}
		a := getJSON[Command](t, newServer(t, Options{}, s), "command?report=top")
		if a.Command != c.want || !strings.Contains(a.Note, c.note) || (c.note == "") != (a.Note == "") {
			t.Errorf("%v: %q, note %q; want %q", c.in.Sources, a.Command, a.Note, c.want)
		}
	}
	in := Input{Sources: []string{"run.zip"}, Now: began(), Sent: true}
	for _, shot := range growing(t).Shots {
		in.Shots = append(in.Shots, *shot)
	}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range getJSON[Leaks](t, newServer(t, Options{}, s), "leaks").Next {
		for _, command := range list {
			if strings.Contains(command, "heap-39") {
				t.Errorf("%q names a file that is not here", command)
			}
		}
	}
}

// TestNeighboursByLine: what a row is called and how it is selected are two
// things when rows are lines.
func TestNeighboursByLine(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	f := getJSON[Function](t, srv, "function?kind=cpu&x=gran:lines&sel=f:main.skip")
	if len(f.Callers) != 1 || f.Callers[0].Entry != "main.parse" || f.Callers[0].Name == "main.parse" {
		t.Fatalf("callers %+v", f.Callers)
	}
	if next := getJSON[Function](t, srv, "function?kind=cpu&x=gran:lines&sel=f:"+f.Callers[0].Entry); next.Cum == 0 {
		t.Errorf("%+v", next)
	}
}

// TestQuantityIsThePages has the cases of web/test/unit/format.test.ts: a
// sentence and the table below it print one figure.
func TestQuantityIsThePages(t *testing.T) {
	for _, c := range []struct {
		v          float64
		unit, want string
	}{
		{0, "bytes", "0 B"}, {999, "bytes", "999 B"}, {1023, "bytes", "1 kB"}, {1536, "bytes", "1.5 kB"}, {48171581, "bytes", "45.94 MB"},
		{143654912, "bytes", "137 MB"}, {-3 << 20, "bytes", "\u22123 MB"}, {950e6, "nanoseconds", "950 ms"}, {118.2e9, "nanoseconds", "118.2 s"},
		{1200e9, "nanoseconds", "20 min"}, {1500, "nanoseconds", "1.5 \u00b5s"}, {13.61 * 3600e9, "nanoseconds", "13.61 h"},
		{23912, "count", "23,912"}, {1404, "count", "1404"}, {12, "widgets", "12 widgets"}, {0.001, "bytes", "<0.01 B"},
	} {
		if got := quantity(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

// TestHintsEndOnce: how a parameter is written may itself end in dots.
func TestHintsEndOnce(t *testing.T) {
	for form, want := range map[string]string{"a | b": "It is written a | b.", "a | ...": "It is written a | ..."} {
		if got := (&Param{Form: form}).written(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
