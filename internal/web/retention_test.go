package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/why"
)

// TestRetentionPaths compares with what the analysis says, and the reference
// each way is best cut at with what the what-if counts without it.
func TestRetentionPaths(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	r := getJSON[Retention](t, srv, "retention?most=50")
	want := a.Holders(50, 0.01)
	if len(r.Ways) != len(want) || len(want) < 3 {
		t.Fatalf("%d ways, want %d", len(r.Ways), len(want))
	}
	if r.Total != memory(a.Total()) || r.Goroutines != len(a.Analysis.Heap.Goroutines) || r.Start != nil {
		t.Errorf("%+v", r.Total)
	}
	checked := 0
	for i, w := range r.Ways {
		if w.Bytes != want[i].Amount.Bytes || len(w.Path) != len(want[i].Path) || w.Frees.Bytes != want[i].Frees.Bytes || w.Path[0].Kind == "" {
			t.Errorf("way %d: %+v, want %+v", i, w, want[i])
		}
		if w.Cut < 0 || w.Path[w.Cut].Without == "" || w.Path[0].Kind != "package variable" {
			continue
		}
		name := w.Path[w.Cut].Without
		x := getJSON[Without](t, srv, "without?name="+url.QueryEscape(name))
		if !strings.Contains(x.Report, "Without "+name) {
			t.Errorf("without %s: the report is %q", name, x.Report)
		}
		if x.Frees.Bytes < w.Frees.Bytes || x.References+x.Variables == 0 || len(x.Types) == 0 || x.Of != r.Total {
			t.Errorf("without %s: %+v, the way says %+v", name, x.Frees, w.Frees)
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("only %d references could be checked", checked)
	}
}

// TestRetentionTree opens every row: what a row keeps is its own and that of
// the rows below, and the rows are those of the outline.
func TestRetentionTree(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	rows, deepest := 0, 0
	var open func(list []RetentionRow, depth int) uint64
	open = func(list []RetentionRow, depth int) (sum uint64) {
		deepest = max(deepest, depth)
		for _, r := range list {
			rows++
			sum += r.Keeps
			below := uint64(0)
			if r.Children > 0 {
				x := getJSON[Retention](t, srv, fmt.Sprintf("retention?by=dominators&node=%d", r.ID))
				if len(x.Rows) != r.Children {
					t.Errorf("%s: %d rows below, want %d", r.Name, len(x.Rows), r.Children)
				}
				below = open(x.Rows, depth+1)
			}
			if r.Keeps != r.Own+below {
				t.Errorf("%s %s keeps %d, own %d, below %d", r.Label, r.Name, r.Keeps, r.Own, below)
			}
		}
		return sum
	}
	top := getJSON[Retention](t, srv, "retention?by=dominators")
	sum := open(top.Rows, 1)
	if want := len(a.Outline(a.Select(why.Filter{}), outlineShare)); rows != want || deepest < 4 {
		t.Errorf("%d rows, %d deep, want %d", rows, deepest, want)
	}
	if sum > top.Total.Bytes || sum < top.Total.Bytes*9/10 {
		t.Errorf("rows have %d of %d bytes", sum, top.Total.Bytes)
	}
	wantFailure(t, srv, "retention?by=dominators&node=99999999", 404, "begin at the top")
}

// TestRetentionTiles add up to what was asked about.
func TestRetentionTiles(t *testing.T) {
	srv := leakyServer(t)
	for _, q := range []string{"retention", "retention?by=dominators", "retention?sel=t:main.Session", "retention?sel=f:main.newSession"} {
		r := getJSON[Retention](t, srv, q)
		want := r.Total.Bytes
		if r.Start != nil {
			want = r.Start.Bytes
		}
		var sum uint64
		for i, x := range r.Tiles {
			sum += x.Bytes
			if x.Name == "" || i > tilesMost*2 {
				t.Errorf("%s: tile %+v", q, x)
			}
		}
		if d := int64(sum) - int64(want); d > 64 || d < -64 || len(r.Tiles) == 0 { // of estimates
			t.Errorf("%s: %d tiles have %d bytes, want %d", q, len(r.Tiles), sum, want)
		}
	}
}

func TestRetentionSelections(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	byType := getJSON[Retention](t, srv, "retention?sel="+url.QueryEscape("t:*main.Session"))
	if byType.Start == nil || byType.Start.Objects == 0 || byType.Start.Estimated || byType.Start.Retained.Bytes <= byType.Start.Bytes {
		t.Fatalf("a type: %+v", byType.Start)
	}
	var held uint64
	for _, w := range byType.Ways {
		held += w.Objects
	}
	if held != byType.Start.Objects {
		t.Errorf("the ways have %d of %d objects", held, byType.Start.Objects)
	}
	site := getJSON[Retention](t, srv, "retention?sel=f:main.newSession")
	if site.Start == nil || !site.Start.Estimated || site.Start.Words != "what main.newSession allocated" || site.Ways[0].Site == nil || !strings.HasPrefix(site.Sentence, "About ") {
		t.Errorf("a function: %+v, %q", site.Start, site.Sentence)
	}
	miss := getJSON[Retention](t, srv, "retention?sel=f:main.nobody")
	if miss.Start != nil || miss.Miss == "" || miss.Total != memory(a.Total()) {
		t.Errorf("nothing there: %+v %q", miss.Start, miss.Miss)
	}
	at := byType.Ways[0].Address
	one := getJSON[Retention](t, srv, "retention?at="+at)
	if one.Object == nil || one.Object.Address != at || len(one.Ways) == 0 || len(one.Object.Holders) == 0 || one.Object.Retained.Bytes < one.Object.Size {
		t.Errorf("the object at %s: %+v", at, one.Object)
	}
	wantFailure(t, srv, "retention?at=here", 400, "0xc000123450")
	wantFailure(t, srv, "retention?at=0x10", 404, "another copy")
	wantFailure(t, srv, "without", 400, "main.cache.m")
	wantFailure(t, srv, "without?name=main.nobody", 404, "main.nobody")
}

func TestRetentionTables(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	types := getJSON[Retention](t, srv, "retention?by=types")
	want := a.Types(a.Select(why.Filter{}))
	if len(types.Rows)+types.More != len(want) || types.Rows[0].Name != want[0].Name || types.Rows[0].Keeps != want[0].Retained.Bytes {
		t.Errorf("types: %d and %d more, want %d", len(types.Rows), types.More, len(want))
	}
	var sum uint64
	roots := getJSON[Retention](t, srv, "retention?by=roots")
	for _, p := range roots.Rows {
		var below uint64
		for _, r := range p.Rows {
			below += r.Own
		}
		if below != p.Own {
			t.Errorf("package %s has %d, its roots %d", p.Name, p.Own, below)
		}
		sum += p.Own
	}
	if sum != roots.Total.Bytes {
		t.Errorf("roots have %d of %d", sum, roots.Total.Bytes)
	}
	whole := a.Select(why.Filter{})
	waste := getJSON[Retention](t, srv, "retention?by=waste")
	if len(waste.Rows) != len(a.Waste(whole)) || waste.Rows[0].Address == "" {
		t.Errorf("waste: %+v", waste.Rows)
	}
	drops := getJSON[Retention](t, srv, "retention?by=drops")
	wantDrops := a.Drops(whole, dropsMost)
	if len(drops.Rows) != len(wantDrops) || drops.Rows[0].Keeps != wantDrops[0].Bytes || drops.Rows[0].Own != wantDrops[0].Retained.Bytes || drops.Rows[0].Objects != uint64(wantDrops[0].Children) {
		t.Errorf("drops: %+v", drops.Rows)
	}
	queues := getJSON[Retention](t, srv, "retention?by=queues")
	var frees, wantFrees uint64
	for _, q := range a.Queues() {
		for _, r := range q.Rows {
			wantFrees += r.Frees.Bytes
		}
	}
	for _, r := range queues.Rows {
		frees += r.Keeps
	}
	if frees != wantFrees || frees == 0 || !strings.Contains(queues.Sentence, "timers") {
		t.Errorf("queues: %q free %d, want %d", queues.Sentence, frees, wantFrees)
	}
	for _, by := range retentionTabs()[1:] {
		if by == "growth" {
			wantFailure(t, srv, "retention?by=growth", 404, "profound snapshot")
			continue
		}
		x := getJSON[Retention](t, srv, "retention?by="+by)
		if len(x.Table.Columns) < 3 || x.Table.Title == "" || x.Table.Hint == "" || x.Table.Sort == "" && x.Rows[0].Children == 0 {
			t.Errorf("%s: %+v", by, x.Table)
		}
		for _, r := range x.Rows {
			if r.Before != nil {
				t.Errorf("%s: %s was %d, and nothing was before", by, r.Name, *r.Before)
			}
		}
	}
	for by, note := range map[string]string{"waste": "whole heap", "drops": "whole heap", "queues": "whole program"} {
		x := getJSON[Retention](t, srv, "retention?sel=f:main.newSession&by="+by)
		if x.Start != nil || !strings.Contains(strings.Join(x.Notes, " "), note) {
			t.Errorf("%s of a function: %+v %q", by, x.Start, x.Notes)
		}
	}
}

// TestRetentionAsk compares what an address asks for with what profound why
// understands by it.
func TestRetentionAsk(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	for q, ask := range map[string]why.Ask{
		"type=Session$":             {Type: "Session$"},
		"site=main.newSession":      {At: "main.newSession"},
		"goroutine=blockedWorker":   {Goroutine: "blockedWorker"},
		"type=uint8&goroutine=chan": {Type: "uint8", Goroutine: "chan"},
	} {
		f, err := ask.Filter()
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []string{"path", "types"} {
			r := getJSON[Retention](t, srv, "retention?by="+by+"&"+q)
			if by == "types" && (r.Table.Of < r.Start.Bytes || r.Table.Of < r.Rows[0].Keeps) {
				t.Errorf("%s: shares are of %d, %d are asked about and %d kept", q, r.Table.Of, r.Start.Bytes, r.Rows[0].Keeps)
			}
			if r.Start == nil || r.Start.Words != ask.What() || r.Start.Memory != memory(a.Amount(a.Select(f))) || r.Start.Bytes == 0 {
				t.Errorf("%s: %+v, want %q %v", q, r.Start, ask.What(), a.Amount(a.Select(f)))
			}
		}
	}
	r := getJSON[Retention](t, srv, "retention?by=types&type=Order|Session&sel=t:main.Session")
	if r.Start == nil || len(r.Rows) != 1 || r.Start.Words != `all main.Session in objects of types like "Order|Session"` {
		t.Errorf("%+v %+v", r.Start, r.Rows)
	}
	if r := getJSON[Retention](t, srv, "retention?type=NoSuchType"); r.Start != nil || !strings.Contains(r.Miss, "NoSuchType") {
		t.Errorf("%+v %q", r.Start, r.Miss)
	}
	wantFailure(t, srv, "retention?type=(", 400, "regular expression")
}

// TestRetentionEarlier compares a heap with itself: nothing has changed, and
// only the whole is compared.
func TestRetentionEarlier(t *testing.T) {
	h := *leaky(t)
	h.Earlier = h.Analysis.Earlier(why.Program{Path: "/bin/another"}, began())
	s, err := NewSession(Input{Sources: []string{"a", "b"}, Heap: func(context.Context) (*Heap, error) { return &h, nil }})
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	for _, by := range []string{"dominators", "types", "roots"} {
		r := getJSON[Retention](t, srv, "retention?by="+by)
		if c := r.Table.Columns; c[len(c)-1].ID != "change" || !strings.Contains(strings.Join(r.Notes, " "), "/bin/another") {
			t.Errorf("%s: %+v %q", by, c, r.Notes)
		}
		same := 0
		for _, row := range r.Rows {
			now := row.Keeps
			if r.Table.Main == "own" {
				now = row.Own
			}
			if row.Before == nil {
				t.Fatalf("%s: %s has nothing to compare with", by, row.Name)
			}
			if *row.Before == now {
				same++
			}
		}
		if same < len(r.Rows)*9/10 || same == 0 {
			t.Errorf("%s: %d of %d rows are the same", by, same, len(r.Rows))
		}
		r = getJSON[Retention](t, srv, "retention?sel=t:main.Session&by="+by)
		if r.Rows[0].Before != nil || !strings.Contains(strings.Join(r.Notes, " "), "whole heap only") {
			t.Errorf("%s of a type: %+v %q", by, r.Rows[0], r.Notes)
		}
	}
	if r := getJSON[Retention](t, srv, "retention?by=growth"); len(r.Rows) > 0 || r.Sentence != "No path holds more than before." {
		t.Errorf("growth: %q %+v", r.Sentence, r.Rows)
	}
	if st := getJSON[HeapState](t, srv, "heap"); st.Earlier == nil || st.Earlier.Memory != memory(h.Total()) || len(st.Warnings) == 0 {
		t.Errorf("%+v", st)
	}
}
