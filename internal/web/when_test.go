package web

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/verdict"
)

// growing is a program that leaks for two minutes: enough looks and samples
// for a judgement.
func growing(t testing.TB) *Session {
	t.Helper()
	in := Input{Sources: []string{"run"}, Now: began()}
	for i := range 40 {
		at := began().Add(time.Duration(i) * 3 * time.Second)
		n := 20000 + 5000*i
		text := fmt.Sprintf("main.main;main.serve;main.newOrder:7 %d %d %d %d\nmain.main;main.render:20 %d %d 40 40960\nruntime.main 1 50 1 50", n, 1024*n, n, 1024*n, 8000*(i+1), 8192000*(i+1))
		p := makeProfile(t, heapTypes(), text)
		p.PeriodType, p.Period = profile.ValueType{Type: "space", Unit: "bytes"}, 512<<10
		in.Shots = append(in.Shots, Shot{Name: fmt.Sprintf("heap-%d", i), Time: at, Profile: p})
	}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSummaryOfGrowth(t *testing.T) {
	s := growing(t)
	srv := newServer(t, Options{}, s)
	a := getJSON[Summary](t, srv, "summary")
	word, bad := worstWord(s.Verdict)
	if !bad {
		t.Fatalf("the fixture is judged %s", word)
	}
	if a.Headline.Class != word || a.Finding < 0 || a.Call == nil || a.Call.Name != "main.newOrder" {
		t.Errorf("headline %+v of finding %d at %+v, want %s of main.newOrder", a.Headline, a.Finding, a.Call, word)
	}
	if want := verdict.Sentence(s.Verdict, &s.Verdict.Findings[a.Finding], s.words()); a.Headline.Text != want {
		t.Errorf("text %q, want that of the verdict: %q", a.Headline.Text, want)
	}
	if len(a.Headline.Evidence) == 0 || len(a.Picture.Values) != 40 || !a.Growing {
		t.Errorf("evidence %v, picture %d points, growing %t", a.Headline.Evidence, len(a.Picture.Values), a.Growing)
	}
	if !strings.Contains(a.Headline.Title, "main.newOrder holds") {
		t.Errorf("title %q", a.Headline.Title)
	}
	row := a.Rows[0]
	if row.Finding != a.Finding || row.Class != word || row.Rate.Value == nil || math.Abs(*row.Rate.Value/(5000*1024/3.0)-1) > 0.1 {
		t.Errorf("first row %+v, want about %v bytes/s", row, 5000*1024/3.0)
	}
	for _, r := range a.Rows[1:] {
		if r.Name == "main.newOrder" {
			t.Error("main.newOrder is listed twice")
		}
	}
	// alloc_space rose by (5000+8000)*1024 bytes in 3 s.
	i := slices.IndexFunc(a.Tiles, func(t Tile) bool { return t.ID == "alloc" })
	if want := (5000*1024 + 8192000) / 3.0; i < 0 || math.Abs(a.Tiles[i].Value/want-1) > 1e-9 || a.Tiles[i].Name != "main.render" {
		t.Errorf("tiles %+v, want %v bytes/s by main.render", a.Tiles, want)
	}
}

// innermost adds samples up by the innermost function of package main.
func innermost(p *profile.Profile, col int) (sums map[string]float64, nobody float64) {
	sums = map[string]float64{}
	for i, id := range p.Samples.Stack {
		name := ""
		for _, loc := range p.Stacks.Of(id) {
			for _, ln := range p.Locations.LinesOf(loc) {
				if n := p.FunctionName(ln.Function); name == "" && strings.HasPrefix(n, "main.") {
					name = n
				}
			}
		}
		v := float64(p.Samples.Values[col][i])
		if name == "" {
			nobody += v
		} else {
			sums[name] += v
		}
	}
	return sums, nobody
}

func TestContributors(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	for _, c := range []struct {
		ask, kind, shot string
		col             int
	}{{"kind=cpu", "cpu", "p1", 1}, {"kind=cpu&value=samples", "cpu", "p1", 0}} {
		a := getJSON[Summary](t, srv, "summary?"+c.ask)
		p := shotProfile(s, c.kind, c.shot)
		want, nobody := innermost(p, c.col)
		name, v := amounts(want).top()
		if a.Headline.Class != "" || a.Call.Name != name || !strings.Contains(a.Headline.Title, percentOf(v, a.Total)) {
			t.Errorf("%s: %+v at %+v, want %s with %v of %v", c.ask, a.Headline, a.Call, name, v, a.Total)
		}
		if !strings.Contains(a.Headline.Text, percentOf(nobody, a.Total)+" is in no function") {
			t.Errorf("%s: %q, want %v of nobody", c.ask, a.Headline.Text, nobody)
		}
		if !slices.IsSortedFunc(a.Rows, func(x, y SummaryRow) int { return cmp.Compare(*y.Current, *x.Current) }) {
			t.Errorf("%s: rows are not sorted", c.ask)
		}
	}
	a := getJSON[Summary](t, srv, "summary?kind=cpu")
	i := slices.IndexFunc(a.Tiles, func(t Tile) bool { return t.ID == "gc" })
	if i < 0 || a.Tiles[i].Value != 5.0/15 {
		t.Errorf("tiles %+v, want 5 of 15 samples in the collector", a.Tiles)
	}
	if a := getJSON[Summary](t, srv, "summary?kind=cpu&x=focus:nothing"); a.Total != 0 && a.Shown != 0 {
		t.Errorf("a filter that leaves nothing: %+v", a.Headline)
	}
	wantFailure(t, srv, "summary?least=x", http.StatusBadRequest, "least")
}

func TestLeaks(t *testing.T) {
	s := growing(t)
	srv := newServer(t, Options{}, s)
	a := getJSON[Leaks](t, srv, "leaks")
	if a.Headline != verdict.Headline(s.Verdict, s.words()) || len(a.Findings) != len(s.Verdict.Findings) || len(a.Totals) != len(s.Verdict.Totals) || len(a.Next) != len(a.Findings) {
		t.Errorf("%q with %d findings, %d totals, %d next", a.Headline, len(a.Findings), len(a.Totals), len(a.Next))
	}
	for i, f := range a.Findings {
		w := &s.Verdict.Findings[i]
		if f.Class != verdict.ClassWord(w.Class) || len(f.Path) != len(w.Path) || len(f.Values) != len(w.Values) || len(f.Evidence) == 0 {
			t.Errorf("finding %d: %+v, want %+v", i, f, w)
		}
	}
	if !strings.Contains(strings.Join(a.Next[0], "\n"), `-list '^main\.newOrder$' heap-39`) {
		t.Errorf("next %q", a.Next[0])
	}
	wantFailure(t, srv, "held?finding=0", http.StatusNotFound, "profound web PID")
	cpu, err := NewSession(Input{Shots: []Shot{{Name: "cpu", Profile: makeProfile(t, cpuTypes(), cpuText)}}, Now: began()})
	if err != nil {
		t.Fatal(err)
	}
	one := newServer(t, Options{}, cpu)
	wantFailure(t, one, "leaks", http.StatusNotFound, "profound leak -save")
	wantFailure(t, one, "compare", http.StatusNotFound, "nothing to compare")
}

// flats adds samples up by innermost function.
func flats(p *profile.Profile, col int) map[string]float64 {
	sums := map[string]float64{}
	for i, id := range p.Samples.Stack {
		lines := p.Locations.LinesOf(p.Stacks.Of(id)[0])
		sums[p.FunctionName(lines[0].Function)] += float64(p.Samples.Values[col][i])
	}
	return sums
}

func TestCompare(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	for _, c := range []struct{ ask, now, was, sentence string }{
		{"", "p4", "p1", "Heap in use \u00d73.4: 1.42 kB \u2192 4.83 kB"},
		{"cur=p1&base=p4", "p1", "p4", "Heap in use \u221271 %"},
		{"cur=p2&base=p2", "p2", "p2", "is the same"},
		{"cur=p1", "p1", "p2", "Heap in use"},
	} {
		d := getColumns(t, srv, "compare?"+c.ask)
		now, was := flats(shotProfile(s, "heap", c.now), 3), flats(shotProfile(s, "heap", c.was), 3)
		var counts changeCounts
		var net, gross float64
		for i, e := range d.numbers["frame_entry"] {
			name := d.strings["string"][int(e)]
			if d.numbers["flat"][i] != now[name] || d.numbers["base_flat"][i] != was[name] {
				t.Errorf("%s: %s %v from %v, want %v from %v", c.ask, name, d.numbers["flat"][i], d.numbers["base_flat"][i], now[name], was[name])
			}
			r := changeRow{name: name, now: now[name], was: was[name], noise: d.numbers["noise"][i]}
			if r.noise < 0 {
				r.noise = math.NaN()
			}
			counts.add(&r)
			net, gross = net+r.change(), gross+math.Max(0, r.change())
		}
		if got, ok := d.meta["sentence"].(string); !ok || !strings.Contains(got, c.sentence) {
			t.Errorf("%s: %q, want %q", c.ask, got, c.sentence)
		}
		if got := fmt.Sprint(d.meta["counts"]); got != fmt.Sprint(map[string]any{"new": float64(counts.New), "gone": float64(counts.Gone), "up": float64(counts.Up), "down": float64(counts.Down), "same": float64(counts.Same)}) {
			t.Errorf("%s: counts %s, want %+v", c.ask, got, counts)
		}
	}
	wantFailure(t, srv, "compare?per=second", http.StatusBadRequest, "how long")
	wantFailure(t, srv, "compare?per=x", http.StatusBadRequest, "per=x")
}

func TestComparePerSecond(t *testing.T) {
	shots := []Shot{{Name: "a", Profile: makeProfile(t, cpuTypes(), "main.main;main.work 100 1000000000")}, {Name: "b", Profile: makeProfile(t, cpuTypes(), "main.main;main.work 150 1500000000\nmain.main 10 100000000")}}
	for i := range shots {
		shots[i].Time = began().Add(time.Duration(i) * time.Minute)
		shots[i].Profile.DurationNanos, shots[i].Profile.Period = int64(i+1)*1e9, 1e7
	}
	s, err := NewSession(Input{Shots: shots, Now: began()})
	if err != nil {
		t.Fatal(err)
	}
	d := getColumns(t, newServer(t, Options{}, s), "compare")
	if d.meta["per"] != "second" || d.meta["sentence"] != "CPU time \u221220 %: 1 s/s \u2192 800 ms/s" {
		t.Errorf("per %v: %v", d.meta["per"], d.meta["sentence"])
	}
	// Half the interval: both errors, each of a second.
	want := twoSigma * math.Sqrt(100*1e14+150*1e14/4)
	for i, e := range d.numbers["frame_entry"] {
		if d.strings["string"][int(e)] == "main.work" && math.Abs(d.numbers["noise"][i]/want-1) > 1e-6 {
			t.Errorf("noise %v, want %v", d.numbers["noise"][i], want)
		}
	}
}

// TestExplain compares with all subsets: no smaller set of functions explains
// as much.
func TestExplain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rows := make([]changeRow, 7)
		var net, gross float64
		for i := range rows {
			rows[i] = changeRow{name: fmt.Sprint("f", i), now: float64(r.IntN(50)), was: float64(r.IntN(20))}
			net, gross = net+rows[i].change(), gross+math.Max(0, rows[i].change())
		}
		if net < 0 || gross == 0 {
			continue
		}
		_, names := explain(rows, net)
		for set := range 1 << len(rows) {
			n, sum := 0, 0.0
			for i := range rows {
				if set>>i&1 == 1 {
					n, sum = n+1, sum+math.Max(0, rows[i].change())
				}
			}
			if n < len(names) && sum >= explained*gross {
				t.Fatalf("%v: %d functions are enough, not %v", rows, n, names)
			}
		}
	}
}

// TestVariances samples objects as the runtime does, many times: the variance
// that one profile states is, on average, that of the estimates.
func TestVariances(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const size, objects, period, trials = 4096.0, 3000, 65536.0, 3000
	chance := -math.Expm1(-size / period)
	var sum, squares, stated float64
	for range trials {
		k := 0
		for range objects {
			if r.Float64() < chance {
				k++
			}
		}
		c := int64(math.Round(float64(k) / chance))
		p := makeProfile(t, heapTypes(), fmt.Sprintf("main.main %d %d %d %d", c, c*size, c, c*size))
		p.Period = period
		v := float64(c) * size
		sum, squares = sum+v, squares+v*v
		stated += variances(p, 3)(0)
	}
	seen := squares/trials - (sum/trials)*(sum/trials)
	if got := stated / trials / seen; math.Abs(got-1) > 0.1 {
		t.Errorf("stated variance is %v of the one seen", got)
	}
}

func TestTimeline(t *testing.T) {
	s := shop(t)
	srv := newServer(t, Options{}, s)
	a := getJSON[Timeline](t, srv, "timeline?sel=f:main.newOrder")
	if len(a.Shots) != 4 || a.Untimed != 0 {
		t.Errorf("shots %+v", a.Shots)
	}
	found := map[string]Track{}
	for _, x := range a.Tracks {
		found[x.ID] = x
	}
	for i, want := range []float64{1450, 2350, 3550, 4950} {
		if got := found["heap.inuse_space"].Series[0].Values[i]; *got != want {
			t.Errorf("heap at %d is %v, want %v", i, *got, want)
		}
		if got := found["goroutine.goroutine"].Series[0].Values[i]; *got != float64(8+i) {
			t.Errorf("goroutines at %d are %v, want %v", i, *got, 8+i)
		}
		p := shotProfile(s, "heap", fmt.Sprint("p", i+1))
		if got := found["selected"].Series[1].Values[i]; *got != flats(p, 3)["main.newOrder"] {
			t.Errorf("flat of main.newOrder at %d is %v", i, *got)
		}
	}
	wantFailure(t, srv, "timeline?label=none", http.StatusBadRequest, "no label")
}

// TestTimelineOfLabels: the series of a label add up to the whole.
func TestTimelineOfLabels(t *testing.T) {
	in := Input{Now: began()}
	for i := range 3 {
		var parts []*profile.Profile
		for j := range 9 {
			p := makeProfile(t, heapTypes(), fmt.Sprintf("main.main;main.work%d 1 1 1 %d", j, 100*(i+1)+j))
			if j > 0 {
				p = p.WithStringLabel("tenant", fmt.Sprint("t", j))
			}
			parts = append(parts, p)
		}
		p, err := profile.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		in.Shots = append(in.Shots, Shot{Name: fmt.Sprint("heap", i), Time: began().Add(time.Duration(i) * time.Minute), Profile: p})
	}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	a := getJSON[Timeline](t, srv, "timeline?label=tenant")
	if !slices.Equal(a.Labels, []string{"tenant"}) || a.Tracks[0].ID != "label" || len(a.Tracks[0].Series) != labelSeries+1 {
		t.Fatalf("labels %v, first track %+v", a.Labels, a.Tracks[0])
	}
	for i := range 3 {
		var sum float64
		for _, x := range a.Tracks[0].Series {
			sum += *x.Values[i]
		}
		if want := *a.Tracks[1].Series[0].Values[i]; sum != want {
			t.Errorf("series of the label add up to %v at %d, want %v", sum, i, want)
		}
	}
}

func TestThin(t *testing.T) {
	var s Series
	for i := range 3*timelinePoints + 7 {
		v := float64(i % 100)
		if i == 4321 {
			v = 1e6
		}
		s.Times, s.Values = append(s.Times, int64(i)), append(s.Values, known(v))
	}
	s.thin()
	if len(s.Times) != timelinePoints || len(s.Values) != timelinePoints || !slices.IsSorted(s.Times) {
		t.Errorf("%d times, %d values", len(s.Times), len(s.Values))
	}
	if !slices.ContainsFunc(s.Values, func(v *float64) bool { return *v == 1e6 }) {
		t.Error("the peak is gone")
	}
}

// TestSummaryOfChange: without a leak the table has what changed, counted for
// the program's own functions, and the heap and the goroutines of one moment
// are one look.
func TestSummaryOfChange(t *testing.T) {
	s := shop(t)
	if s.Verdict.Looks != 4 {
		t.Errorf("%d looks, want 4; %v", s.Verdict.Looks, s.Warnings)
	}
	srv := newServer(t, Options{}, s)
	a := getJSON[Summary](t, srv, "summary?least=0")
	if !a.Growing || !a.Attributed || a.Finding >= 0 {
		t.Errorf("growing %t, attributed %t, finding %d", a.Growing, a.Attributed, a.Finding)
	}
	now, _ := innermost(shotProfile(s, "heap", "p4"), 3)
	was, _ := innermost(shotProfile(s, "heap", "p1"), 3)
	seen := 0
	for _, r := range a.Rows {
		if r.Finding >= 0 {
			continue
		}
		seen++
		if *r.Current != now[r.Name] || *r.Base != was[r.Name] || len(r.Trend) != 4 || *r.Trend[3] != now[r.Name] || *r.Trend[0] != was[r.Name] {
			t.Errorf("%s: %v from %v, trend of %d, want %v from %v", r.Name, *r.Current, *r.Base, len(r.Trend), now[r.Name], was[r.Name])
		}
	}
	if seen < 2 {
		t.Errorf("rows %+v", a.Rows)
	}
}
