package main

import (
	"container/list"
	"math/rand/v2"
	"runtime"
	"sync"
	"weak"
)

// caches are decoys: they fill, and then they are full.
func caches() []service {
	return []service{
		{"ok-lru-fills", 1000, nil, true, &lru{list.New(), map[int]*list.Element{}}},
		{"ok-cache-exponential", 1000, nil, false, &randomKeys{map[int][]byte{}, rand.New(rand.NewPCG(3, 4))}},
		{"ok-ring", 400, nil, true, &ring{}},
		{"ok-ttl", 500, nil, false, &ttl{}},
		{"ok-ttl-sine", 500, sine(20, 0.6), true, &ttl{}},
		{"ok-cache-weak", 400, nil, true, &weakCache{pages: map[int]weak.Pointer[page]{}}},
		{"ok-queue-walk", 400, nil, true, &backlog{rng: rand.New(rand.NewPCG(5, 6))}},
	}
}

// lru is full after 20 seconds, with about 10 MB.
type lru struct {
	recent *list.List
	index  map[int]*list.Element
}

type lruEntry struct {
	key   int
	value []byte
}

func (l *lru) work(i int) {
	l.index[i] = l.recent.PushFront(&lruEntry{i, fill(make([]byte, 400), i)})
	if l.recent.Len() > 20_000 {
		last := l.recent.Remove(l.recent.Back()).(*lruEntry)
		delete(l.index, last.key)
	}
}

// randomKeys is a cache of all keys there are; every 20 seconds a 2.7th of
// those that are missing is left.
type randomKeys struct {
	values map[int][]byte
	rng    *rand.Rand
}

func (r *randomKeys) work(i int) {
	if key := r.rng.IntN(20_000); r.values[key] == nil {
		r.values[key] = fill(make([]byte, 600), key)
	}
}

// ring keeps the last 4,096 answers, 8 MB after ten seconds.
type ring struct{ slots [4096][]byte }

func (r *ring) work(i int) { r.slots[i%len(r.slots)] = fill(make([]byte, 2000), i) }

// ttl keeps an entry for as long as 7,500 requests take, 15 seconds at an even
// load.
type ttl struct{ entries [][]byte }

func (t *ttl) work(i int) {
	t.entries = append(t.entries, fill(make([]byte, 1000), i))
	if len(t.entries) > 7500 {
		t.entries[0] = nil
		t.entries = t.entries[1:]
	}
}

// weakCache holds pages for as long as somebody else does, which the last 500
// readers do.
type weakCache struct {
	mu      sync.Mutex
	pages   map[int]weak.Pointer[page]
	readers [500]*page
}

type page struct{ text [4000]byte }

func (w *weakCache) work(i int) {
	p := &page{}
	fill(p.text[:], i)
	w.readers[i%len(w.readers)] = p
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[i] = weak.Make(p)
	runtime.AddCleanup(p, w.drop, i)
}

func (w *weakCache) drop(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pages, i)
}

// backlog is a queue whose length walks at random, between nothing and a
// thousand jobs of 16 KiB.
type backlog struct {
	rng  *rand.Rand
	jobs [][]byte
}

func (b *backlog) work(i int) {
	const most, start = 1000, 300
	n := len(b.jobs)
	if n < most && (i < start || b.rng.IntN(2) == 0) {
		b.jobs = append(b.jobs, fill(make([]byte, 16<<10), i))
	} else if n > 0 {
		b.jobs[0] = nil
		b.jobs = b.jobs[1:]
	}
}
