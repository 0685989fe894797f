package main

import (
	"container/list"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
)

// keptLeaks are containers that are put into and never taken from.
func keptLeaks() []service {
	return []service{
		{"leak-map", 800, sine(20, 0.5), true, &sessions{map[string]*session{}}},
		{"leak-map-nan", 12000, nil, false, &scores{map[float64]*[24]byte{}}},
		{"leak-map-emptied", 30, nil, false, &tenants{map[int]map[int]int64{}}},
		{"leak-map-sync", 1000, nil, false, &visitors{}},
		{"leak-append-pointers", 2500, nil, true, &audit{}},
		{"leak-append-values", 9000, nil, false, &points{}},
		{"leak-list", 1500, nil, false, &history{list.New()}},
		{"leak-intern", 5000, nil, true, &interner{map[string]string{}}},
		{"leak-labels", 900, nil, true, &metrics{map[string]*histogram{}}},
		{"leak-log-buffer", 4000, nil, false, &logBuffer{}},
		{"leak-user-cache", 120, nil, false, &userPages{pages: map[string][]byte{}}},
		{"leak-lru-index", 600, nil, true, &lruIndex{list.New(), map[int]*list.Element{}}},
		{"leak-ttl-unread", 1200, nil, false, &expiring{map[int]expiry{}}},
		{"leak-retry-queue", 400, nil, true, &retries{}},
		{"leak-free-list", 25, nil, false, &freeList{}},
	}
}

// sessions leaks: every login adds an entry, and there is no logout.
type sessions struct{ byToken map[string]*session }

type session struct {
	user int
	data []byte
}

func (s *sessions) work(i int) {
	s.byToken[fmt.Sprintf("token-%d", i)] = &session{i, fill(make([]byte, 900), i)}
}

// scores leaks: not a number is no key that could be found again, so delete
// does nothing and each insertion is an entry of its own.
type scores struct{ of map[float64]*[24]byte }

func (s *scores) work(i int) {
	ratio := math.NaN() // of nothing to nothing
	s.of[ratio] = new([24]byte)
	delete(s.of, ratio)
}

// tenants leaks: the map of a tenant is emptied when he goes, but an empty map
// keeps the room it once needed, and nobody drops the map.
type tenants struct{ quota map[int]map[int]int64 }

func (t *tenants) work(i int) {
	used := map[int]int64{}
	for n := range 800 {
		used[n] = int64(i)
	}
	t.quota[i] = used
	clear(used)
}

// visitors leaks: a sync.Map is filled by address and port, and the port is
// new each time.
type visitors struct{ seen sync.Map }

func (v *visitors) work(i int) {
	v.seen.Store(fmt.Sprintf("10.0.%d.%d:%d", i>>8&255, i&255, i), fill(make([]byte, 256), i))
}

// audit leaks: a slice of pointers to what happened, kept for a report that is
// never written.
type audit struct{ events []*event }

type event struct {
	who, what string
	at        int
}

func (a *audit) work(i int) {
	a.events = append(a.events, &event{fmt.Sprint("user-", i), string(fill(make([]byte, 180), i)), i})
}

// points leaks: a slice of values; its array is copied into a larger one every
// so often, so that the heap goes up in stairs.
type points struct{ all []point }

type point struct{ at, value [3]float64 }

func (p *points) work(i int) {
	p.all = append(p.all, point{at: [3]float64{float64(i)}, value: [3]float64{1, 2, 3}})
}

// history leaks: a linked list that gets a tail and never drops its head.
type history struct{ states *list.List }

func (h *history) work(i int) { h.states.PushBack(fill(make([]byte, 320), i)) }

// interner leaks: it saves memory by keeping each text once, for ever, and the
// texts are request ids.
type interner struct{ known map[string]string }

func (n *interner) work(i int) { n.intern(fmt.Sprintf("request-%032d", i)) }

func (n *interner) intern(s string) string {
	if kept, ok := n.known[s]; ok {
		return kept
	}
	kept := strings.Clone(s)
	n.known[kept] = kept
	return kept
}

// metrics leaks: the path is a label, and paths have ids in them.
type metrics struct{ series map[string]*histogram }

type histogram struct {
	buckets [40]uint64
	labels  map[string]string
}

func (m *metrics) work(i int) { m.observe(fmt.Sprintf("/orders/%d", i), i%40) }

func (m *metrics) observe(path string, bucket int) {
	h := m.series[path]
	if h == nil {
		h = &histogram{labels: map[string]string{"path": path, "method": "GET"}}
		m.series[path] = h
	}
	h.buckets[bucket]++
}

// logBuffer leaks: lines are kept to be sent together, and sending is off.
type logBuffer struct{ unsent strings.Builder }

func (l *logBuffer) work(i int) {
	fmt.Fprintf(&l.unsent, "level=info request=%d message=%q\n", i, "the request was served and nobody reads about it")
}

// userPages leaks: a handler that keeps a rendered page for each user and
// query, over a real connection.
type userPages struct {
	mu    sync.Mutex
	pages map[string][]byte
	url   string
}

func (u *userPages) open(s *site) error {
	u.url = s.url
	s.mux.HandleFunc("/page", u.page)
	return nil
}

func (u *userPages) page(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := r.URL.RawQuery
	if u.pages[key] == nil {
		u.pages[key] = fill(make([]byte, 6000), len(u.pages))
	}
	w.Write(u.pages[key])
}

func (u *userPages) work(i int) {
	resp, err := http.Get(fmt.Sprintf("%s/page?user=%d&at=%d", u.url, i%50, i))
	if err == nil {
		resp.Body.Close()
	}
}

// lruIndex leaks: the list drops its oldest, the index beside it does not.
type lruIndex struct {
	recent *list.List
	index  map[int]*list.Element
}

func (l *lruIndex) work(i int) {
	l.index[i] = l.recent.PushFront(fill(make([]byte, 700), i))
	if l.recent.Len() > 1000 {
		l.recent.Remove(l.recent.Back()) // and not delete(l.index, ...)
	}
}

// expiring leaks: an entry that is too old goes when it is read, but the keys
// that are read are not those that were written.
type expiring struct{ entries map[int]expiry }

type expiry struct {
	until int
	value []byte
}

func (e *expiring) work(i int) {
	if old, ok := e.entries[-i]; ok && old.until < i {
		delete(e.entries, -i)
	}
	e.entries[i] = expiry{i + 100, fill(make([]byte, 420), i)}
}

// retries leaks: a job that fails goes to the end of the queue, each second
// new ones come, and one kind always fails.
type retries struct{ queue [][]byte }

func (r *retries) work(i int) {
	r.queue = append(r.queue, fill(make([]byte, 2000), i))
	job := r.queue[0]
	r.queue = r.queue[1:]
	if job[0] != 'a' { // only every 26th is done
		r.queue = append(r.queue, job)
	}
}

// freeList leaks: buffers are given back to be used again, by two owners each,
// and asked for by one; the list only gets longer.
type freeList struct{ free [][]byte }

func (f *freeList) work(i int) {
	b := f.get()
	f.free = append(f.free, fill(b, i), fill(make([]byte, len(b)), i))
}

func (f *freeList) get() []byte {
	if n := len(f.free); n > 0 {
		b := f.free[n-1]
		f.free = f.free[:n-1]
		return b
	}
	return make([]byte, 32<<10)
}
