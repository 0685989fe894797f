package retain

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// paths are all paths from the super root to each vertex without a vertex
// twice, the best first; nil if there are more than most.
func (p *plain) paths(v uint32, most int) [][]uint32 {
	var all [][]uint32
	var path []uint32
	tries := 0
	var walk func(u uint32)
	walk = func(u uint32) {
		tries++
		if slices.Contains(path, u) || tries > most {
			return
		}
		path = append(path, u)
		if u == v {
			all = append(all, slices.Clone(path))
		} else {
			next := slices.Clone(p.edges[u])
			slices.Sort(next)
			for _, to := range slices.Compact(next) {
				walk(to)
			}
		}
		path = path[:len(path)-1]
	}
	walk(0)
	if tries > most {
		return nil
	}
	slices.SortStableFunc(all, p.compare)
	return all
}

// compare orders paths by ranks, then by length.
func (p *plain) compare(a, b []uint32) int {
	return cmp.Or(cmp.Compare(p.bad(a), p.bad(b)), cmp.Compare(p.steps(a), p.steps(b)))
}

func (p *plain) bad(path []uint32) int {
	bad := 0
	for _, v := range path {
		bad += int(p.ranks[v])
	}
	return bad
}

func checkPaths(t *testing.T, p *plain) {
	r := p.compute(t)
	total := Amount{}
	for _, row := range r.Depths() {
		total = total.Add(row.Amount)
	}
	if total != r.Total() {
		t.Errorf("depths add up to %v, want %v", total, r.Total())
	}
	for v := range uint32(len(p.sizes)) {
		all := p.paths(v, 20_000)
		if !r.Reachable(v) {
			if r.Path(v) != nil || r.Depth(v) != -1 {
				t.Errorf("garbage %d has the path %v", v, r.Path(v))
			}
			continue
		}
		if all == nil {
			continue // too many to try
		}
		if got := r.Path(v); p.compare(got, all[0]) != 0 || !slices.ContainsFunc(all, func(w []uint32) bool { return slices.Equal(got, w) }) {
			t.Errorf("path to %d is %v, want %v", v, got, all[0])
		}
		if got := r.Depth(v); got != p.steps(all[0]) {
			t.Errorf("depth of %d is %d, want %d", v, got, p.steps(all[0]))
		}
		for _, k := range []int{0, 1, 3, 50} {
			checkBest(t, p, r, v, k, all)
		}
	}
}

// checkBest compares the best k paths with all there are: the same ones, but
// for the order of equally good ones.
func checkBest(t *testing.T, p *plain, r *Result, v uint32, k int, all [][]uint32) {
	got, complete := r.Paths(v, k, 300_000)
	if want := min(k, len(all)); len(got) > want || len(got) < want && complete {
		t.Fatalf("%d paths to %d, complete %v; there are %d", len(got), v, complete, len(all))
	}
	for i, path := range got {
		if p.compare(path, all[i]) != 0 {
			t.Errorf("path %d to %d is %v, want %v", i, v, path, all[i])
		}
		same := func(w []uint32) bool { return slices.Equal(w, path) }
		if !slices.ContainsFunc(all, same) {
			t.Errorf("path %d to %d is %v, which is no path", i, v, path)
		}
		if slices.ContainsFunc(got[:i], same) {
			t.Errorf("path %d to %d comes twice: %v", i, v, path)
		}
	}
}

func TestPathsAgainstAll(t *testing.T) {
	eachGraph(t, 2000, func(t *testing.T, p *plain, _ *rand.Rand) {
		checkPaths(t, p)
		p.parts = true
		checkPaths(t, p)
	})
}

func FuzzPaths(f *testing.F) {
	for seed := range 20 {
		f.Add(randomBytes(rand.New(rand.NewPCG(uint64(seed), 3))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 150 {
			return // more edges have more paths than can be tried
		}
		p := decode(data)
		p.parts = len(data)%2 == 0
		checkPaths(t, p)
	})
}

func TestPathPrefersGoodRoots(t *testing.T) {
	// 0 -> 1 (runtime) -> 5; 0 -> 2 -> 3 -> 4 -> 5: longer, but not the runtime's.
	p := &plain{
		synthetic: 3, sizes: make([]uint64, 6), ranks: []uint8{0, 9, 0},
		edges: [][]uint32{{1, 2}, {5}, {3}, {4}, {5}, nil},
	}
	r := p.compute(t)
	if got, want := r.Path(5), []uint32{0, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("path is %v, want %v", got, want)
	}
	paths, complete := r.Paths(5, 10, 0)
	if len(paths) != 2 || !complete || !slices.Equal(paths[1], []uint32{0, 1, 5}) {
		t.Errorf("paths are %v, %v", paths, complete)
	}
	if got := len(slices.Collect(r.Holders(5))); got != 2 {
		t.Errorf("%d holders", got)
	}
}

// TestPathsAlongList has a doubly linked list that is held at both ends. From
// the middle of it, ways back along the list run into themselves.
func TestPathsAlongList(t *testing.T) {
	const n = 5001
	p := &plain{synthetic: 1, sizes: make([]uint64, n), edges: make([][]uint32, n), ranks: make([]uint8, n)}
	p.edges[0] = []uint32{1, 1000, n - 1}
	for v := uint32(1); v < n; v++ {
		if v+1 < n {
			p.edges[v] = append(p.edges[v], v+1)
		}
		if v > 1 {
			p.edges[v] = append(p.edges[v], v-1)
		}
	}
	r := p.compute(t)
	paths, complete := r.Paths(2500, 10, 100_000)
	if len(paths) != 3 || !complete || len(paths[0]) != 1502 || len(paths[1]) != 2501 || len(paths[2]) != 2502 {
		t.Errorf("%d paths, complete %v", len(paths), complete)
	}
}

func TestPathsGiveUp(t *testing.T) {
	// A ladder: 2^20 paths.
	p := &plain{synthetic: 1}
	for range 20 {
		v := uint32(len(p.edges))
		p.edges = append(p.edges, []uint32{v + 1, v + 2}, []uint32{v + 3}, []uint32{v + 3})
	}
	p.edges = append(p.edges, nil)
	p.sizes, p.ranks = make([]uint64, len(p.edges)), make([]uint8, len(p.edges))
	r := p.compute(t)
	paths, complete := r.Paths(60, 1<<20, 1000)
	if complete || len(paths) == 0 {
		t.Errorf("%d paths, complete %v", len(paths), complete)
	}
}

// TestQueriesAtOnce is for the race detector: the first queries make tables.
func TestQueriesAtOnce(t *testing.T) {
	g, _ := heapLike(2000)
	r := Compute(g, Options{})
	var wg sync.WaitGroup
	for i := range uint32(4) {
		wg.Go(func() {
			for v := i; v < 2000; v += 4 {
				r.Path(v)
				r.Dominators(v)
				r.WhatIf(nil, []uint32{v})
			}
		})
	}
	wg.Wait()
}

// TestDepthOverRanks has roots whose turn comes at the same time, at different
// depths: the shallower must not be overtaken.
func TestDepthOverRanks(t *testing.T) {
	for _, c := range []struct {
		name  string
		edges [][]uint32
		ranks []uint8
		v     uint32
		want  []uint32
	}{
		{"the deeper was seen first", [][]uint32{{1, 4}, {2}, {3}, {6}, {5}, {6}, nil}, []uint8{0, 0, 0, 2, 1, 1}, 6, []uint32{0, 4, 5, 6}},
		{"the deeper joins later", [][]uint32{{2, 1}, {5}, {3}, {4}, {6}, {6}, nil}, []uint8{0, 1, 0, 0, 1}, 6, []uint32{0, 1, 5, 6}},
		{"the super root has a rank", [][]uint32{{1, 2}, {3}, {3}, nil}, []uint8{3, 4, 0}, 3, []uint32{0, 2, 3}},
	} {
		n := len(c.edges)
		p := &plain{synthetic: len(c.ranks), sizes: make([]uint64, n), edges: c.edges, ranks: append(c.ranks, make([]uint8, n)...)}
		r := p.compute(t)
		if got := r.Path(c.v); !slices.Equal(got, c.want) || r.Depth(c.v) != len(c.want)-1 {
			t.Errorf("%s: path is %v, depth %d, want %v", c.name, got, r.Depth(c.v), c.want)
		}
		checkPaths(t, p)
	}
}
