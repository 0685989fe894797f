package main

// loadLeaks are plain leaks under conditions that make them harder to see.
func loadLeaks() []service {
	return []service{
		{"leak-load-sine", 300, sine(25, 0.9), true, &forgetful{keep: 1, size: 2 << 10}},
		{"leak-load-bursts", 20, bursts(5), false, &forgetful{keep: 1, size: 64 << 10}},
		{"leak-slow-in-churn", 4000, nil, true, &forgetful{keep: 40, size: 2 << 10}},
		{"leak-large-objects", 0.8, nil, true, &forgetful{keep: 1, size: 1 << 20}},
		{"leak-fast", 3000, nil, true, &forgetful{keep: 1, size: 1 << 10}},
		{"leak-behind-cache", 500, nil, false, &warming{cache: map[int][]byte{}}},
		{"leak-many-paths", 700, nil, false, &manyPaths{}},
	}
}

// forgetful leaks: it keeps every keep-th of the buffers it works with.
type forgetful struct {
	keep, size int
	kept       [][]byte
}

func (f *forgetful) work(i int) {
	b := fill(make([]byte, f.size), i)
	if i%f.keep == 0 {
		f.kept = append(f.kept, b)
	}
}

// warming leaks behind a cache that fills at the same time and is bounded.
type warming struct {
	cache map[int][]byte
	seen  [][]byte
}

func (w *warming) work(i int) {
	w.lookup(i % 8000)
	w.remember(i)
}

func (w *warming) lookup(key int) {
	if w.cache[key] == nil {
		w.cache[key] = fill(make([]byte, 1500), key)
	}
}

func (w *warming) remember(i int) { w.seen = append(w.seen, fill(make([]byte, 900), i)) }

// manyPaths leaks a little on each of many ways to one store.
type manyPaths struct{ stored [][]byte }

func (m *manyPaths) work(i int) { m.route(i, i%64) }

// route calls itself as often as there are bits, so that each of 64 requests
// comes to the store by a stack of its own.
func (m *manyPaths) route(i, way int) {
	switch {
	case way == 0:
		m.store(i)
	case way&1 == 1:
		m.left(i, way>>1)
	default:
		m.right(i, way>>1)
	}
}

func (m *manyPaths) left(i, way int)  { m.route(i, way) }
func (m *manyPaths) right(i, way int) { m.route(i, way) }

func (m *manyPaths) store(i int) { m.stored = append(m.stored, fill(make([]byte, 1000), i)) }
