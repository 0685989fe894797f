package why

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// left marks what is reached without some references and vertices, as plainly
// as can be.
func left(a *Analysis, edges []retain.Edge, vertices []uint32) map[uint32]bool {
	gone := map[retain.Edge]bool{}
	for _, e := range edges {
		gone[e] = true
	}
	reached := map[uint32]bool{0: true}
	for _, v := range vertices {
		reached[v] = false
	}
	work := []uint32{0}
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		for to := range a.Result.Targets(v) {
			if _, known := reached[to]; !known && !gone[retain.Edge{From: v, To: to}] {
				reached[to] = true
				work = append(work, to)
			}
		}
	}
	return reached
}

// TestWithout compares with what marking without the references leaves.
func TestWithout(t *testing.T) {
	a := leaky(t)
	for _, tt := range []struct {
		names             string
		roots, references int
		mostly            string
	}{
		{"main.cache.byID", 0, 1, "[]uint8"},
		{"*main.cache", 1, 0, "[]uint8"},
		{"main.cache", 1, 0, "[]uint8"},
		{"main.cache.byID[elem].Payload", 0, 2000, "[]uint8"},
		{"main.cache.byID[elem].Attrs", 0, 2000, "map[string]string (buckets)"},
		{"main.deep.Next", 0, 1, "main.ListNode"},
		{"main.wides[]", 0, 300, "main.Wide"},
		{"main.wides[].Buf", 0, 300, "[]uint8"},
		{"main.shapes[].Meta", 0, 300, "main.User"},
		{"main.cfg.Prev.Body", 0, 299, "[]uint8"},
		{"main.blockedWorker.req", 50, 0, "[]uint8"},
		{"main.blockedWorker.req.Body", 0, 50, "[]uint8"},
		{"main.cache.byID main.heads timers", 2, 1, "[]uint8"},
	} {
		names := strings.Fields(tt.names)
		w, err := a.Without(names)
		if err != nil {
			t.Errorf("%s: %v", tt.names, err)
			continue
		}
		if w.Variables != tt.roots || w.References != tt.references {
			t.Errorf("%s: %d roots and %d references, want %d and %d", tt.names, w.Variables, w.References, tt.roots, tt.references)
		}
		var edges []retain.Edge
		var vertices []uint32
		for _, n := range names {
			e, v, _ := a.resolve(n)
			edges, vertices = append(edges, e...), append(vertices, v...)
		}
		var want retain.Amount
		kept := left(a, edges, vertices)
		for v := a.Heap.FirstObject; int(v) < a.Result.Vertices(); v++ {
			if a.Result.Reachable(v) && !kept[v] {
				want = want.Add(retain.Amount{Bytes: a.Result.Size(v), Objects: 1})
			}
		}
		if w.Frees != want || want.Bytes == 0 {
			t.Errorf("%s: %v go free, marking without it says %v", tt.names, w.Frees, want)
		}
		var sum retain.Amount
		for _, r := range w.Types {
			sum = sum.Add(r.Amount)
		}
		if sum != want || w.Types[0].Name != tt.mostly {
			t.Errorf("%s: types %v, first %s, want %v and %s", tt.names, sum, w.Types[0].Name, want, tt.mostly)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	a := leaky(t)
	for _, tt := range []struct{ name, known, near string }{
		{"main.cach", "", "main.cache"},
		{"main.cach.byID", "", "main.cache"},
		{"main.cache.byid", "main.cache", ".byID"},
		{"main.cache.byID[elem].History.Msg", "main.cache.byID[elem].History", "[].Msg"},
		{"nothing at all", "", ""},
	} {
		_, err := a.Without([]string{tt.name})
		var u *UnknownName
		if !errors.As(err, &u) || u.Known != tt.known || tt.near != "" && (len(u.Near) == 0 || u.Near[0] != tt.near && !strings.Contains(err.Error(), tt.near)) {
			t.Errorf("%s: %v (%+v)", tt.name, err, u)
		}
	}
}

// TestDistance compares with the plain recursion.
func TestDistance(t *testing.T) {
	var plain func(a, b string) int
	plain = func(a, b string) int {
		switch {
		case a == "" || b == "":
			return len(a) + len(b)
		case a[0] == b[0]:
			return plain(a[1:], b[1:])
		}
		return 1 + min(plain(a[1:], b[1:]), plain(a[1:], b), plain(a, b[1:]))
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, random.IntN(7))
		for i := range b {
			b[i] = "abc"[random.IntN(3)]
		}
		return string(b)
	}
	for range 500 {
		x, y := word(), word()
		if got, want := distance(x, y), plain(x, y); got != want {
			t.Errorf("%q and %q: %d, want %d", x, y, got, want)
		}
		if got := distance(x+".field[]", y); x != "" && got > plain(x, y) {
			t.Errorf("%q with a field and %q: %d, want at most %d", x, y, got, plain(x, y))
		}
	}
}

// TestSingle: an object is held by a single reference if without one of the
// references to it it goes, with all it retains.
func TestSingle(t *testing.T) {
	a := leaky(t)
	random := rand.New(rand.NewPCG(3, 4))
	yes := 0
	for range 3000 {
		v := a.Heap.FirstObject + uint32(random.IntN(a.Result.Vertices()-int(a.Heap.FirstObject)))
		d, ok := a.Result.Dominator(v)
		if !ok || a.Heap.IsObject(d) && a.labels.Label(d, v) == 0 {
			if a.single(v) {
				t.Errorf("%s is part of a map", a.Heap.Name(v))
			}
			continue
		}
		want := false
		for from := range a.Result.Holders(v) {
			f := a.Result.WhatIf([]retain.Edge{{From: from, To: v}}, nil)
			want = want || f.Amount == a.Result.Retained(v)
		}
		if got := a.single(v); got != want {
			t.Errorf("%s, held by %s: single is %v, want %v", a.Heap.Name(v), a.Heap.Name(d), got, want)
		}
		if want {
			yes++
		}
	}
	if yes < 100 {
		t.Errorf("only %d objects of a single reference", yes)
	}
}

// TestHoldings: what is said to go free without the cut goes, for the holders
// of everything and for the ways in which selections are held.
func TestHoldings(t *testing.T) {
	a := leaky(t)
	lists := map[string][]Holding{"holders": a.Holders(100, 0.001)}
	for name, s := range selections(a) {
		if !s.Whole {
			lists[name] = a.Ways(s, 40)
		}
	}
	for name, list := range lists {
		cuts := 0
		for i := range list {
			h := &list[i]
			if len(h.Path) == 0 || h.Cut > len(h.Path) {
				t.Fatalf("%s %d: path %v, cut %d", name, i, h.Path, h.Cut)
			}
			if h.Cut == 0 {
				continue
			}
			cuts++
			v := h.Path[h.Cut-1].First
			free := a.Result.WhatIf(nil, []uint32{v})
			if free.Bytes != h.Frees.Bytes+h.Stacks {
				t.Errorf("%s %d: without %s %v go free, it says %v and stacks of %d", name, i, h.Path[h.Cut-1].Name, free.Amount, h.Frees, h.Stacks)
			}
			if a.Heap.IsObject(v) && !a.single(v) {
				t.Errorf("%s %d: %s is held by several references", name, i, h.Path[h.Cut-1].Name)
			}
		}
		if cuts == 0 {
			t.Errorf("%s: no cut at all in %d holdings", name, len(list))
		}
	}
	h := lists["holders"][0]
	if h.Path[0].Name != "*main.cache" || h.Type != "main.Session" || h.Amount.Objects != 2000 || !h.Below || !h.Pointed {
		t.Errorf("the first holder is %+v", h)
	}
	for i := range lists["holders"][1:] {
		if x, y := &lists["holders"][i], &lists["holders"][i+1]; x.Root == goheap.KindRuntime && y.Root != goheap.KindRuntime {
			t.Errorf("%s comes before %s", x.Path[0].Name, y.Path[0].Name)
		}
	}
}

// TestPaths: the first is the one every answer shows, all are different and go
// from a root to the object, and as many are found as there are.
func TestPaths(t *testing.T) {
	a := leaky(t)
	for _, s := range []string{"main.User", "main.Session", "main.ListNode", "main.lruNode[string,*main.Blob]"} {
		list := a.Select(Filter{Type: func(name string) bool { return name == s }})
		v := list.Vertices[len(list.Vertices)/2]
		ways, _ := a.Paths(v, 5)
		if len(ways) == 0 || fmt.Sprint(ways[0]) != fmt.Sprint(a.way(a.Result.Path(v))) {
			t.Errorf("%s: %v is not the first path", s, ways)
		}
		if one, all := a.Paths(v, 1); len(one) != 1 || all && len(ways) > 1 {
			t.Errorf("%s: %d paths, all of them: %v; there are %d", s, len(one), all, len(ways))
		}
		seen := map[string]bool{}
		for _, w := range ways {
			key := ""
			for _, x := range w {
				key += x.Label + x.Name + "\n"
			}
			if seen[key] {
				t.Errorf("%s: twice\n%s", s, key)
			}
			seen[key] = true
			if w[len(w)-1].Vertex != v || a.Heap.IsObject(w[0].Vertex) {
				t.Errorf("%s: a path from %s to %s", s, w[0].Name, w[len(w)-1].Name)
			}
		}
	}
}

// TestWay: lists, trees and maps are folded.
func TestWay(t *testing.T) {
	a := leaky(t)
	list := a.Select(Filter{Type: func(name string) bool { return name == "main.ListNode" }})
	longest := list.Vertices[0]
	for _, v := range list.Vertices {
		if a.Result.Depth(v) > a.Result.Depth(longest) {
			longest = v
		}
	}
	var words []string
	for _, s := range a.way(a.Result.Path(longest)) {
		words = append(words, fmt.Sprintf("%s %s %v", s.Label, s.Name, s.Repeated))
	}
	if got, want := strings.Join(words, ", "), " main.deep false,  main.ListNode false, .Next main.ListNode true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestFold: a list is one answer, told by the field it goes on by.
func TestFold(t *testing.T) {
	a := leaky(t)
	for name, want := range map[string]string{
		"main.ListNode": "main.deep main.ListNode .Next main.ListNode again",
		"main.Config":   "main.cfg main.Config .Prev main.Config again",
	} {
		s := a.Select(Filter{Type: func(typ string) bool { return typ == name }})
		ways := a.Ways(s, -1)
		if len(ways) != 1 || ways[0].Amount != a.Amount(s) {
			t.Errorf("%s is told in %d ways: %+v", name, len(ways), ways)
			continue
		}
		var words []string
		for _, x := range ways[0].Path {
			words = append(words, strings.TrimSpace(x.Label+" "+x.Name))
			if x.Repeated {
				words = append(words, "again")
			}
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	a := leaky(t)
	s := a.Select(Filter{Type: func(name string) bool { return name == "main.Session" }})
	v := s.Vertices[7]
	x := a.Heap.Vertex(v)
	o, err := a.Object(x.Addr+8, 3)
	if err != nil {
		t.Fatal(err)
	}
	if o.Addr != x.Addr || o.Name != "main.Session" || o.Retained != a.Result.Retained(v) || !o.AllWays || len(o.Ways) != 1 {
		t.Errorf("%+v", o)
	}
	var sum retain.Amount
	for _, r := range o.Holds {
		sum = sum.Add(r.Amount)
	}
	if sum != o.Retained {
		t.Errorf("types add up to %v, it retains %v", sum, o.Retained)
	}
	if n := len(o.Dominators); o.Dominators[0].Name != "*main.cache" || o.Dominators[n-1].Vertex != v {
		t.Errorf("dominators %+v", o.Dominators)
	}
	if len(o.Holders) != 1 || o.Holders[0].Label != "[elem]" {
		t.Errorf("holders %+v", o.Holders)
	}
	g := &a.Heap.Goroutines[0]
	for addr, want := range map[uint64]string{
		0x10:     "no live object",
		g.Lo + 8: fmt.Sprintf("on the stack of goroutine %d", g.ID),
	} {
		if _, err := a.Object(addr, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%#x: %v, want %q", addr, err, want)
		}
	}
	for v := uint32(1); v < a.Heap.FirstObject; v++ {
		if a.Heap.Name(v) == "main.heads" {
			if _, err := a.Object(a.Heap.Vertex(v).Addr, 1); err == nil || !strings.Contains(err.Error(), "in the variable main.heads") {
				t.Errorf("the address of main.heads: %v", err)
			}
		}
	}
}

func TestGoroutinesOfStack(t *testing.T) {
	a := leaky(t)
	list := a.Goroutines(func(stack []goheap.Frame) bool { return len(stack) > 0 })
	for i := range list[1:] {
		if list[i].Count < list[i+1].Count {
			t.Errorf("%s comes before %s", list[i].Name, list[i+1].Name)
		}
	}
}
