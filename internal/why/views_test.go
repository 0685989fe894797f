package why

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// selections are some, by name.
func selections(a *Analysis) map[string]*Selection {
	through := func(name string) func([]goheap.Frame) bool {
		return func(stack []goheap.Frame) bool {
			return slices.ContainsFunc(stack, func(f goheap.Frame) bool { return strings.HasPrefix(f.Func, name) })
		}
	}
	blocked := func(g *goheap.Goroutine) bool { return through("main.blockedWorker")(g.Stack) }
	return map[string]*Selection{
		"whole":          a.Select(Filter{}),
		"type":           a.Select(Filter{Type: regexp.MustCompile("User|Session").MatchString}),
		"goroutine":      a.Select(Filter{Goroutine: blocked}),
		"goroutine type": a.Select(Filter{Goroutine: blocked, Type: regexp.MustCompile("uint8").MatchString}),
		"site":           a.Select(Filter{Site: through("main.")}),
		"site type":      a.Select(Filter{Site: through("main.newSession"), Type: regexp.MustCompile("Event").MatchString}),
		"sampled":        a.Sampled(a.Select(Filter{Type: regexp.MustCompile("User").MatchString})),
	}
}

// TestViewsAddUp: whatever is asked about, every view of it has the same sum.
func TestViewsAddUp(t *testing.T) {
	a := leaky(t)
	if got := a.Amount(a.Select(Filter{})); got != a.Total() {
		t.Errorf("the whole heap has %v, its objects %v", a.Total(), got)
	}
	for name, s := range selections(a) {
		want := a.Amount(s)
		if want.Bytes == 0 {
			t.Errorf("%s: nothing selected", name)
		}
		check := func(view string, rows int, sum retain.Amount) {
			if near(sum.Bytes, want.Bytes, rows, s) && near(sum.Objects, want.Objects, rows, s) {
				return
			}
			t.Errorf("%s by %s: %v in %d rows, want %v", name, view, sum, rows, want)
		}
		var sum retain.Amount
		roots := a.Roots(s)
		for _, r := range roots {
			sum = sum.Add(r.Amount)
		}
		check("root", len(roots), sum)
		sum = retain.Amount{}
		packages := a.Packages(s)
		for _, r := range packages {
			sum = sum.Add(r.Amount)
		}
		check("package", len(roots), sum)
		sum = retain.Amount{}
		types := a.Types(s)
		for _, r := range types {
			sum = sum.Add(r.Amount)
		}
		check("type", len(types), sum)
		sum = retain.Amount{}
		ways := a.Ways(s, -1)
		for _, r := range ways {
			sum = sum.Add(r.Amount)
		}
		check("way", len(ways), sum)
		sum = retain.Amount{}
		depths := a.Depths(s)
		for _, r := range depths {
			sum = sum.Add(r.Amount)
		}
		check("depth", len(depths), sum)
		for _, share := range []float64{0, 0.01} {
			checkOutline(t, name, a.Outline(s, share), want, s, share)
		}
	}
}

// near tells whether sums of rows are equal, or, of estimates, that far apart
// as rounding of each may bring them.
func near(x, y uint64, rows int, s *Selection) bool {
	off := max(x, y) - min(x, y)
	return off == 0 || s.Estimated() && off <= uint64(rows)
}

// checkOutline: rows of the first level have it all, but what is too small to
// be a row, and every row has its own and the rows one level below.
func checkOutline(t *testing.T, name string, rows []OutlineRow, want retain.Amount, s *Selection, share float64) {
	t.Helper()
	var top, own retain.Amount
	for i, r := range rows {
		own = own.Add(r.Own)
		if r.Depth == 0 {
			top = top.Add(r.Amount)
		}
		sum := r.Own
		for _, x := range rows[i+1:] {
			if x.Depth <= r.Depth {
				break
			}
			if x.Depth == r.Depth+1 {
				sum = sum.Add(x.Amount)
			}
		}
		if !near(sum.Bytes, r.Amount.Bytes, len(rows), s) {
			t.Errorf("%s: outline row %d: %v, with rows below %v", name, i, r.Amount, sum)
		}
	}
	if !near(top.Bytes, own.Bytes, len(rows), s) {
		t.Errorf("%s: outline: rows have %v of their own, the first level has %v", name, own, top)
	}
	if share == 0 && !near(top.Bytes, want.Bytes, len(rows), s) || top.Bytes > want.Bytes+uint64(len(rows)) {
		t.Errorf("%s: outline has %v, want %v", name, top, want)
	}
}

// TestRoots adds up by the root of each object's path, one by one.
func TestRoots(t *testing.T) {
	a := leaky(t)
	s := a.Select(Filter{Type: regexp.MustCompile(`main\.(User|Session|Tiny|Blob|Request|Res)$`).MatchString})
	want := map[string]retain.Amount{}
	for _, v := range s.Vertices {
		root := uint32(0)
		for _, x := range a.Result.Path(v) {
			switch a.Heap.Kind(x) {
			case goheap.KindRoot, goheap.KindPackage:
				continue
			}
			root = x
			break
		}
		name := a.Heap.Name(root)
		want[name] = want[name].Add(retain.Amount{Bytes: a.Result.Size(v), Objects: 1})
	}
	rows := a.Roots(s)
	for _, r := range rows {
		if r.Amount != want[r.Name] {
			t.Errorf("%s: %v, want %v", r.Name, r.Amount, want[r.Name])
		}
		if free := a.Result.WhatIf(nil, r.vertices); free.Bytes != r.Frees.Bytes+r.Stacks {
			t.Errorf("%s frees %v, without it %v go", r.Name, r.Frees, free.Amount)
		}
	}
	if len(rows) != len(want) || len(rows) < 8 {
		t.Errorf("%d roots, want %d", len(rows), len(want))
	}
	for i := range rows[1:] {
		if rows[i].Kind == goheap.KindRuntime && rows[i+1].Kind != goheap.KindRuntime {
			t.Errorf("%s comes before %s", rows[i].Name, rows[i+1].Name)
		}
	}
}

// TestTypes counts objects by the name of their type, one by one.
func TestTypes(t *testing.T) {
	a := leaky(t)
	want := map[string]retain.Amount{}
	for _, v := range a.Select(Filter{}).Vertices {
		name := unknownType
		if a.labels.Kind(v) != 0 {
			name = a.Heap.Name(v)
		}
		want[name] = want[name].Add(retain.Amount{Bytes: a.Result.Size(v), Objects: 1})
	}
	got := map[string]retain.Amount{}
	for _, r := range a.Types(a.Select(Filter{})) {
		got[r.Name] = got[r.Name].Add(r.Amount)
		if r.Retained.Bytes < r.Amount.Bytes {
			t.Errorf("%s: retains %v, less than its own %v", r.Name, r.Retained, r.Amount)
		}
	}
	for name, x := range want {
		if got[name] != x {
			t.Errorf("%s: %v, want %v", name, got[name], x)
		}
	}
}

// TestGroups: variables add up to what a group holds, and that is what goes
// without it.
func TestGroups(t *testing.T) {
	a := leaky(t)
	for _, g := range a.Groups(func(*goheap.Goroutine) bool { return true }) {
		var sum retain.Amount
		for _, v := range g.Vars {
			sum = sum.Add(v.Amount)
		}
		if sum != g.Holds {
			t.Errorf("%s: variables %v, holds %v", g.Name, sum, g.Holds)
		}
		for i := range a.Heap.Groups {
			if v := a.Heap.Groups[i].Vertex; a.Heap.Name(v) == g.Name {
				if free := a.Result.WhatIf(nil, []uint32{v}); free.Bytes != g.Holds.Bytes+g.Stacks {
					t.Errorf("%s: holds %v and stacks %d, without it %v go", g.Name, g.Holds, g.Stacks, free.Amount)
				}
			}
		}
	}
	one := a.Heap.Goroutines[len(a.Heap.Goroutines)-1].ID
	if list := a.Groups(func(g *goheap.Goroutine) bool { return g.ID == one }); len(list) != 1 || list[0].Count != 1 || list[0].IDs[0] != one {
		t.Errorf("one goroutine: %+v", list)
	}
	blocked := a.Groups(func(g *goheap.Goroutine) bool { return g.Wait == "chan receive" })
	if len(blocked) != 1 || blocked[0].Count != 50 || blocked[0].Vars[0].Name != "main.blockedWorker.req" || blocked[0].Vars[0].Type != "main.Request" {
		t.Errorf("blocked goroutines: %+v", blocked)
	}
}

func TestWaste(t *testing.T) {
	a := leaky(t)
	got := map[string]WasteRow{}
	for _, w := range a.Waste(a.Select(Filter{})) {
		got[w.Path[0].Name] = w
	}
	for root, want := range map[string]struct {
		kind        goheap.WasteKind
		count       uint64
		bytes, used uint64
	}{
		"main.heads":   {goheap.WasteWindow, 50, 50 * 64 << 10, 50 * 16},
		"main.substr":  {goheap.WasteWindow, 50, 50 * 8 << 10, 50 * 10},
		"main.emptied": {goheap.WasteMap, 1, 0, 0},
		"main.roomy":   {goheap.WasteCapacity, 1, 0, 8},
	} {
		w, ok := got[root]
		if !ok || w.Kind != want.kind || w.Count != want.count || want.bytes != 0 && w.Bytes != want.bytes || want.used != 0 && w.Used != want.used {
			t.Errorf("%s: %+v, want %+v", root, w, want)
		}
	}
	if some := a.Waste(a.Select(Filter{Type: regexp.MustCompile("^string$").MatchString})); len(some) != 1 || some[0].Path[0].Name != "main.substr" {
		t.Errorf("waste of strings: %+v", some)
	}
	texts, err := a.Duplicates(3)
	if err != nil || len(texts) == 0 || texts[0].Count != 100 || texts[0].Path[0].Name != "main.same" {
		t.Errorf("duplicates %+v, %v", texts, err)
	}
}

func TestQueues(t *testing.T) {
	a := leaky(t)
	got := map[string]Queue{}
	for _, q := range a.Queues() {
		got[q.Name] = q
		for _, r := range q.Rows {
			if r.Count != len(r.vertices) || r.Count > q.Count {
				t.Errorf("%s: %+v", q.Name, r)
			}
		}
	}
	timers := got["timers"]
	if len(timers.Rows) == 0 || timers.Rows[0].Func != "main.startTimers.func1" || timers.Rows[0].Count != 200 || timers.Rows[0].Frees.Bytes < 200*8<<10 {
		t.Errorf("timers: %+v", timers)
	}
	if q := got["finalizers"]; q.Count < 50 {
		t.Errorf("finalizers: %+v", q)
	}
	if q := got["weak handles"]; a.Heap.Stats.WeakHandles != q.Count {
		t.Errorf("weak handles: %+v", q)
	}
}

func TestDrops(t *testing.T) {
	a := leaky(t)
	rows := a.Drops(a.Select(Filter{}), 20)
	seen := map[string]bool{}
	for i, r := range rows {
		if i > 0 && r.Bytes > rows[i-1].Bytes {
			t.Errorf("row %d is larger than the one before", i)
		}
		if r.Retained.Bytes-r.Largest.Bytes != r.Bytes || r.Bytes == 0 {
			t.Errorf("%+v", r)
		}
		seen[r.Path[0].Name] = true
	}
	for _, name := range []string{"*main.cache", "main.heads", "main.wides"} {
		if !seen[name] {
			t.Errorf("%s is not among the drops", name)
		}
	}
	for _, r := range a.Drops(a.Select(Filter{Type: regexp.MustCompile("main.Wide").MatchString}), 5) {
		if !strings.Contains(a.Heap.Name(r.Vertex), "main.Wide") {
			t.Errorf("a drop of another type: %s", a.Heap.Name(r.Vertex))
		}
	}
}
