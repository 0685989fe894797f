package goheap

import (
	"fmt"
	"go/version"
	"maps"
	"math/rand/v2"

	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/retain"
)

// leakPaths is how each leak of testdata/leaksvc must be told; # is a number,
// and … anything. Older versions tell some otherwise.
var leakPaths = [...]struct{ leak, path, since string }{
	{"growing map", `*main.cache .byID -> map[string]*main.Session [elem] -> main.Session .History -> []main.Event [].Msg -> string`, ""},
	{"blocked goroutines", `50 goroutines [chan receive] at main.blockedWorker created by main.block -> goroutine # -> main.blockedWorker.req -> main.Request .Body -> []uint8`, ""},
	{"sub-slice", `main.heads -> [][]uint8 [] -> []uint8`, ""},
	{"substring", `main.substr -> []string [] -> string`, ""},
	{"AfterFunc", `timers -> runtime.timeTimer .timer.arg -> func main.startTimers.func1 .big -> []uint8`, "go1.23"},
	{"ticker", `main.tickers -> []*time.Ticker [] -> runtime.timeTimer .c -> chan time.Time`, "go1.23"},
	{"closures", `main.hooks -> []func() int [] -> func main.makeHooks.func1 .buf -> []uint8`, "go1.23"},
	{"closure by reference", `main.hooks -> []func() int [] -> func main.makeHooks.func1 .count -> int`, "go1.23"},
	{"context chain", `main.rootCtx -> context.valueCtx .Context -> context.valueCtx (and # more) .val -> main.Request .Body -> []uint8`, ""},
	{"generics", `*main.genLRU .m -> map[string]*main.lruNode[string,*main.Blob] [elem] -> main.lruNode[string,*main.Blob] .val -> main.Blob`, ""},
	{"interfaces", `main.shapes -> []main.Shape [] -> main.Poly .Pts -> []struct { X float64; Y float64 }`, ""},
	{"any", `main.anys -> []interface {} [] -> main.Event .Src -> main.User`, ""},
	{"map in any", `main.anys -> []interface {} [] -> map[int]int`, ""},
	{"nested maps", `main.nested -> map[string]map[int]string [elem] -> map[int]string [elem] -> string`, ""},
	{"big values", `main.bigVals -> map[int64][40]*main.Tiny [elem] -> [40]*main.Tiny [] -> main.Tiny`, ""},
	{"struct keys", `main.structMap -> map[main.Tiny]main.Event [elem].Msg -> string`, ""},
	{"sync.Map", `main.smap .m.root -> sync.indirect[interface {},interface {}] .children[] -> …sync.entry[interface {},interface {}] .value -> main.User .Name -> string`, "go1.24"},
	{"list", `main.dlist -> list.List .root.next -> list.Element .next -> list.Element (and # more) .Value -> main.Event`, ""},
	{"atomic.Pointer", `main.cfg -> main.Config .Prev -> main.Config (and # more) .Body -> []uint8`, ""},
	{"large structs", `main.wides -> []*main.Wide [] -> main.Wide .P[] -> main.Tiny`, ""},
	{"maps of slices", `main.notify -> map[string][]chan struct {} [elem] -> []chan struct {} [] -> chan struct {}`, ""},
	{"method values", `main.methods -> []func() float64 [] -> func main.(*Circle).Area-fm .R -> main.Circle .Meta -> main.User`, ""},
	{"linked list", `main.deep -> main.ListNode .Next -> main.ListNode (and # more)`, ""},
	{"finalizer", `main.held -> []*main.Res [] -> main.Res .user -> main.User`, ""},
	{"cleanup", `cleanups -> cleanup -> *main.hidden -> main.hidden .buf -> []uint8`, "go1.26"},
	{"weak handle", `main.weaks -> []weak.Pointer[main.User] [].u -> atomic.Uintptr`, "go1.24"},
	{"unsafe.Pointer", `main.hide -> … -> []uint8`, ""},
	{"array of pointers", `main.ring [] -> main.User`, ""},
	{"channel buffer", `main.queue -> chan *main.Request .buf -> []*main.Request [] -> main.Request .Body -> []uint8`, ""},
	{"slice of pointers", `main.ptrTable -> []*main.Tiny [] -> main.Tiny`, ""},
	{"local map", `goroutine 1 [syscall] at main.main -> goroutine 1 -> main.main (stack object) -> … -> []uint8`, ""},
}

func TestLeakPaths(t *testing.T) {
	t.Run("installed toolchain", func(t *testing.T) { checkLeakPaths(t, leaksvc(t)) })
	for _, v := range olderVersions {
		t.Run(v, func(t *testing.T) {
			needToolchain(t, v)
			checkLeakPaths(t, build(t, "leaksvc", v))
		})
	}
}

func checkLeakPaths(t *testing.T, exe string) {
	p := openExe(t, exe, nil)
	h, err := Read(p, start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
	have := map[string]bool{}
	for v := h.FirstObject; v < uint32(r.Vertices()); v++ {
		if r.Depth(v) < 300 || r.Depth(v)%1000 == 0 {
			have[pathString(h.Hops(r.Path(v)))] = true
		}
	}
	all := ""
	for _, p := range slices.Sorted(maps.Keys(have)) {
		all += p + "\n"
	}

	for _, c := range leakPaths {
		if version.Compare(p.GoVersion, c.since) < 0 {
			continue
		}
		rx := regexp.MustCompile(`(?m)^` + strings.NewReplacer("#", `\d+`, "…", ".*").Replace(regexp.QuoteMeta(c.path)) + `$`)
		if !rx.MatchString(all) {
			t.Errorf("%s: no path %s", c.leak, c.path)
			first, _, _ := strings.Cut(c.path, " ->")
			for line := range strings.Lines(all) {
				if strings.HasPrefix(line, first) && strings.Count(line, "->") < 5 {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
	}
}

// TestRetainedByRemoval takes objects out of the graph and marks again: what
// is not reached any more must be what they retain.
func TestRetainedByRemoval(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := uint32(h.Graph.Vertices())
	sizes, targets := make([]uint64, n), make([][]uint32, n)
	for v := range n {
		sizes[v], targets[v] = h.Graph.Size(v), slices.Clone(h.Graph.Targets(v))
	}
	r := retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
	// without adds up what is reached without a vertex.
	without := func(gone uint32) (bytes uint64) {
		seen := make([]bool, n)
		seen[0], seen[gone] = true, true
		for todo := []uint32{0}; len(todo) > 0; {
			v := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			bytes += sizes[v]
			for _, to := range targets[v] {
				if !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
		return bytes
	}
	all := without(n-1) + r.Retained(n-1).Bytes
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		v := 1 + rng.Uint32N(n-1)
		for i%2 == 0 && r.Retained(v).Bytes < 4096 { // go up to something large
			d, ok := r.Dominator(v)
			if !ok || d == 0 {
				break
			}
			v = d
		}
		if got, want := r.Retained(v).Bytes, all-without(v); got != want {
			t.Errorf("%s retains %d bytes; removing it frees %d", h.Name(v), got, want)
		}
	}
	if all != h.Stats.Bytes+stackBytes(h) {
		t.Errorf("%d bytes are reached; there are %d of objects and %d of stacks", all, h.Stats.Bytes, stackBytes(h))
	}
}

// TestFinalizerHolder wants an object with a finalizer to retain what it
// refers to, as long as somebody else keeps the object.
func TestFinalizerHolder(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
	n := 0
	for v := h.FirstObject; v < uint32(r.Vertices()); v++ {
		if h.Name(v) == "main.Res" {
			if n++; r.Retained(v).Bytes < 4096 {
				t.Errorf("main.Res at %#x retains only %d bytes", h.Vertex(v).Addr, r.Retained(v).Bytes)
			}
		}
	}
	if n != 50 {
		t.Errorf("%d objects of main.Res, want 50", n)
	}
}

func stackBytes(h *Heap) (sum uint64) {
	for _, g := range h.Groups {
		sum += g.StackBytes
	}
	return sum
}

// pathString writes hops on one line, as in
//
//	main.cache .byID -> map[string]*main.Session [elem] -> main.Session .Last
func pathString(hops []Hop) string {
	var b strings.Builder
	for i, hop := range hops {
		if i > 0 {
			if hop.Label != "" {
				b.WriteString(" " + hop.Label)
			}
			b.WriteString(" -> ")
		}
		b.WriteString(hop.Name)
		if hop.Repeat > 0 {
			fmt.Fprintf(&b, " (and %d more)", hop.Repeat)
		}
	}
	return b.String()
}
