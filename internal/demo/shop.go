package demo

import (
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// shop is the healthy work of the service: a fixed catalog, a bounded cache
// of orders, and requests it makes to itself, each a round of JSON.
type shop struct {
	url     string
	catalog []product
	cache   *orderCache
}

type product struct {
	SKU         string  `json:"sku"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Price       float64 `json:"price"`
}

type order struct {
	ID       int       `json:"id"`
	Customer string    `json:"customer"`
	Items    []product `json:"items"`
	Note     string    `json:"note"`
}

const (
	catalogSize = 20_000
	cacheSize   = 1_000
	orderIDs    = 20_000
	requestGap  = 20 * time.Millisecond
)

func newShop(url string) *shop {
	s := &shop{url: url, catalog: make([]product, catalogSize), cache: newOrderCache(cacheSize)}
	for i := range s.catalog {
		s.catalog[i] = product{
			SKU:         fmt.Sprintf("SKU-%06d", i),
			Name:        fmt.Sprintf("Product %d", i),
			Description: fmt.Sprintf("The well-known product number %d, in stock in all %d warehouses since the first day.", i, i%12),
			Price:       float64(i%9000) / 100,
		}
	}
	// Full from the start: its filling is no part of the story.
	for id := range cacheSize {
		s.cache.put(id, s.load(id))
	}
	return s
}

// load makes an order as a database would return it.
func (s *shop) load(id int) *order {
	o := &order{ID: id, Customer: fmt.Sprintf("customer-%05d", id), Note: fmt.Sprintf("leave order %d at the door", id)}
	for i := range 1 + id%5 {
		o.Items = append(o.Items, s.catalog[(id*31+i*977)%len(s.catalog)])
	}
	return o
}

func (s *shop) serveOrder(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.Error(w, "an order id is a number", http.StatusBadRequest)
		return
	}
	o := s.cache.get(id)
	if o == nil {
		o = s.load(id)
		s.cache.put(id, o)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(o) // the client is gone: nobody to tell
}

// run asks the service itself for orders, some more often than others.
func (s *shop) run(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	rnd := rand.New(rand.NewPCG(1, 2))
	popular := rand.NewZipf(rnd, 1.2, 20, orderIDs-1)
	ticks := time.NewTicker(requestGap)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		// A lost request is one order less; the load goes on.
		_ = s.request(ctx, client, int(popular.Uint64()))
	}
}

func (s *shop) request(ctx context.Context, client *http.Client, id int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/orders/"+strconv.Itoa(id), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var o order
	if err := json.NewDecoder(resp.Body).Decode(&o); err != nil {
		return err
	}
	// To the end, or the connection cannot be used again.
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// orderCache keeps the orders used last, at most size of them.
type orderCache struct {
	mu      sync.Mutex
	size    int
	entries map[int]*list.Element
	used    *list.List // of *order, last used first
}

func newOrderCache(size int) *orderCache {
	return &orderCache{size: size, entries: make(map[int]*list.Element, size), used: list.New()}
}

// get returns the order, nil if it is not there.
func (c *orderCache) get(id int) *order {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[id]
	if !ok {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*order)
}

func (c *orderCache) put(id int, o *order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[id]; ok {
		e.Value = o
		c.used.MoveToFront(e)
		return
	}
	c.entries[id] = c.used.PushFront(o)
	if c.used.Len() > c.size {
		oldest := c.used.Remove(c.used.Back()).(*order)
		delete(c.entries, oldest.ID)
	}
}

func (c *orderCache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

const (
	batchGap   = 3 * time.Second
	batchHold  = 200 * time.Millisecond
	batchBytes = 16 << 20
	chunkBytes = 64 << 10
)

// runBatches is the batch work of the decoy: memory that comes and goes.
func runBatches(ctx context.Context) {
	ticks := time.NewTicker(batchGap)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			buildReport(ctx)
		}
	}
}

// buildReport holds a report in memory for as long as sending it would take.
//
// Not inlined so that the peak has a name of its own in profiles.
//
//go:noinline
func buildReport(ctx context.Context) {
	report := make([][]byte, 0, batchBytes/chunkBytes)
	for range cap(report) {
		report = append(report, make([]byte, chunkBytes))
	}
	select {
	case <-ctx.Done():
	case <-time.After(batchHold):
	}
	runtime.KeepAlive(report)
}
