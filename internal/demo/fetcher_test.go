package demo

import (
	"context"
	"math"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const answer = `# HELP container_memory_working_set_bytes Current working set.
container_memory_working_set_bytes{container="checkout",id="/kubepods/pod1/ab",image="shop/checkout:1.4",namespace="shop",pod="checkout-1"} 1.5e+08 1732000000123
container_memory_working_set_bytes{container="broken
container_memory_working_set_bytes{container="broken"} many 1732000000123
container_cpu_usage_seconds_total{container="search",id="/kubepods/pod2/cd",image="shop/search:2.0",namespace="shop",pod="search-1"} 42 1732000000123
`
	for _, shared := range []bool{false, true} {
		got := parseContainerMetricsResponse([]byte(answer), shared)
		if len(got) != 2 {
			t.Fatalf("shared %v: %d samples, want 2", shared, len(got))
		}
		want := containerSample{"container_memory_working_set_bytes", "checkout", "/kubepods/pod1/ab",
			"shop/checkout:1.4", "shop", "checkout-1", 1.5e8, time.UnixMilli(1732000000123)}
		if *got[0] != want {
			t.Errorf("shared %v: got %+v, want %+v", shared, *got[0], want)
		}
		if got[1].pod != "search-1" || got[1].value != 42 {
			t.Errorf("shared %v: second sample is %+v", shared, *got[1])
		}
	}
}

func TestKubeletIsParsed(t *testing.T) {
	body := newKubelet(100).render(time.UnixMilli(1732000000123))
	samples := parseContainerMetricsResponse(body, false)
	if len(samples) != 100 {
		t.Fatalf("%d samples of 100 lines", len(samples))
	}
	series := map[string]bool{}
	for _, s := range samples {
		if s.metric == "" || s.container == "" || s.id == "" || s.image == "" || s.namespace == "" || s.pod == "" || s.value == 0 || s.at.IsZero() {
			t.Fatalf("incomplete sample %+v", *s)
		}
		series[s.metric+s.id] = true
	}
	if len(series) != 100 {
		t.Errorf("%d series in 100 lines", len(series))
	}
	if guess := len(body) / 100; guess > lineBytes || guess < lineBytes/2 {
		t.Errorf("a line has %d bytes, lineBytes is %d", guess, lineBytes)
	}
}

// fetching runs a fetcher whose ticks come from the test.
type fetching struct {
	*MetricsFetcher
	ticks chan time.Time
}

func startFetcher(t *testing.T, opt ServiceOptions) fetching {
	t.Helper()
	opt, err := opt.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	node := httptest.NewServer(newKubelet(linesPerResponse(opt)))
	f := fetching{newMetricsFetcher(node.URL, opt), make(chan time.Time)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		f.start(ctx, f.ticks)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		node.Close()
	})
	return f
}

// tick makes n fetches and returns when they are done.
func (f fetching) tick(t *testing.T, n int) {
	t.Helper()
	want := f.fetches.Load() + int64(n)
	for range n {
		f.ticks <- time.Time{}
	}
	waitFor(t, "the last fetch", func() bool { return f.fetches.Load() == want })
	if n := f.failures.Load(); n > 0 {
		t.Fatalf("%d fetches failed", n)
	}
}

// waitFor polls until ok, yielding in between.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	late := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// liveHeap is the bytes that survive collections: as many as it takes until
// what only pools, finalizers and ending goroutines held is gone.
func liveHeap() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	live := int64(math.MaxInt64)
	for range 10 {
		runtime.GC()
		metrics.Read(s)
		before := live
		live = int64(s[0].Value.Uint64())
		if live > before-mib/16 {
			break
		}
	}
	return live
}

const mib = 1 << 20

func TestVariantsGrow(t *testing.T) {
	const perTick, ticks = mib / 4, 40
	for _, leak := range []string{LeakAppend, LeakMap, LeakSubstring, LeakGoroutine} {
		t.Run(leak, func(t *testing.T) {
			f := startFetcher(t, ServiceOptions{Leak: leak, Rate: perTick * int64(time.Second/tickEvery)})
			f.tick(t, 1)
			heap, held, goroutines := liveHeap(), f.held.Load(), runtime.NumGoroutine()
			f.tick(t, ticks)
			grown, counted := liveHeap()-heap, f.held.Load()-held
			if want := int64(perTick * ticks); counted < want*9/10 || counted > want*11/10 {
				t.Errorf("%d bytes held after %d ticks, want about %d", counted, ticks, want)
			}
			if grown < counted*3/4 || grown > counted*3/2 {
				t.Errorf("the heap grew by %d bytes, the count of the fetcher by %d", grown, counted)
			}
			more := runtime.NumGoroutine() - goroutines
			if want := leak == LeakGoroutine; (more >= ticks) != want || !want && more > 5 {
				t.Errorf("%d goroutines more after %d ticks", more, ticks)
			}
			runtime.KeepAlive(f)
		})
	}
}

func TestDecoyDoesNotGrow(t *testing.T) {
	const perTick = mib / 4
	f := startFetcher(t, ServiceOptions{Leak: LeakNone, Rate: perTick * int64(time.Second/tickEvery)})
	full := len(f.recent)
	if full != recentBytes/perTick {
		t.Fatalf("the ring has %d places, want %d", full, recentBytes/perTick)
	}
	f.tick(t, full)
	heap := liveHeap()
	if held := f.held.Load(); held < recentBytes*9/10 || held > recentBytes*11/10 {
		t.Errorf("the full ring holds %d bytes, want about %d", held, recentBytes)
	}
	f.tick(t, full+7)
	if grown := liveHeap() - heap; grown > mib {
		t.Errorf("the heap grew by %d bytes after the ring was full", grown)
	}
	runtime.KeepAlive(f)
}

func TestCapHolds(t *testing.T) {
	const limit = 2 * mib
	for _, leak := range Leaks() {
		t.Run(leak, func(t *testing.T) {
			f := startFetcher(t, ServiceOptions{Leak: leak, Cap: limit, Rate: 5 * mib})
			f.tick(t, 1)
			heap, goroutines := liveHeap(), runtime.NumGoroutine()
			f.tick(t, 12) // half a MiB each
			if held := f.held.Load(); held > limit*11/10 || leak != LeakNone && held > limit || held < limit/2 {
				t.Errorf("%d bytes held, the cap is %d", held, limit)
			}
			if grown := liveHeap() - heap; grown > 2*limit {
				t.Errorf("the heap grew by %d bytes, the cap is %d", grown, limit)
			}
			if more := runtime.NumGoroutine() - goroutines; more > 9 {
				t.Errorf("%d goroutines more under the cap", more)
			}
			runtime.KeepAlive(f)
		})
	}
}

func TestFetchFailureIsCounted(t *testing.T) {
	opt, err := ServiceOptions{Leak: LeakAppend}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	node := httptest.NewServer(nil) // answers 404
	defer node.Close()
	f := newMetricsFetcher(node.URL, opt)
	ticks := make(chan time.Time, 2)
	ticks <- time.Time{}
	ticks <- time.Time{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		f.start(ctx, ticks)
		close(ended)
	}()
	waitFor(t, "two failures", func() bool { return f.failures.Load() == 2 })
	cancel()
	<-ended
	if f.held.Load() != 0 || len(f.history) != 0 {
		t.Error("a failed fetch was kept")
	}
}

func TestOrderCacheIsBounded(t *testing.T) {
	c := newOrderCache(3)
	for id := range 5 {
		c.put(id, &order{ID: id})
		c.get(0) // used all the time, so it stays
	}
	var have []int
	for id := range 5 {
		if c.get(id) != nil {
			have = append(have, id)
		}
	}
	if !slices.Equal(have, []int{0, 3, 4}) || c.len() != 3 {
		t.Errorf("cache has %v, %d entries; want 0, 3 and 4", have, c.len())
	}
}

func TestOptionErrors(t *testing.T) {
	for _, test := range []struct {
		opt  ServiceOptions
		want string
	}{
		{ServiceOptions{Leak: "pipe"}, `unknown leak "pipe", want one of append, map, substring, goroutine, none`},
		{ServiceOptions{Leak: LeakMap, Rate: -1}, "must not be negative"},
		{ServiceOptions{Leak: LeakMap, Addr: "0.0.0.0:0"}, "not a loopback address"},
	} {
		err := Serve(t.Context(), test.opt)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want %q in it", test.opt, err, test.want)
		}
	}
}
