package retain

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// TestSums compares with sums of 64 bits, of sizes that pass 4 GiB never,
// rarely, with each or by many times.
func TestSums(t *testing.T) {
	for _, most := range []uint64{1, 1 << 20, 1 << 31, 1 << 32, 1<<32 + 1, 1 << 45} {
		rnd := rand.New(rand.NewPCG(most, 7))
		const n = 300
		s, wide, total := newSums(n), []uint64{0}, uint64(0)
		for range n {
			size := rnd.Uint64N(most + 1)
			total = s.add(total, size)
			wide = append(wide, wide[len(wide)-1]+size)
		}
		for from := range wide {
			for to := from; to < len(wide); to++ {
				if got, want := s.of(uint32(from), uint32(to-from)), wide[to]-wide[from]; got != want {
					t.Fatalf("sizes up to %d: %d from %d on are %d, want %d", most, to-from, from, got, want)
				}
			}
		}
	}
}

// alive is the memory in use, in bytes.
func alive() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory holds the result to what its documentation promises, and
// Graph.Room to the truth.
func TestMemory(t *testing.T) {
	const n = 300_000
	large, _ := heapLike(n)
	before := alive()
	g := clone(large)
	edges, graph := g.Edges(), alive()
	room := g.Room()
	check := func(what string, perVertex int) {
		t.Helper()
		const other = 64 << 10 // what else runs in a test
		now := alive()
		if most := before + uint64(perVertex*n+8*edges) + other; now > most {
			t.Errorf("%s: %d bytes, want at most %d a vertex and 8 an edge: %d", what, now-before, perVertex, most-before)
		}
		if now > graph+room+other {
			t.Errorf("%s: %d bytes more than the graph, which says %d", what, now-graph, room)
		}
	}
	r := Compute(g, Options{})
	check("dominators", 40)
	r.Path(0)
	check("shortest paths", 44)
	runtime.KeepAlive(r)
	runtime.KeepAlive(large)
}
