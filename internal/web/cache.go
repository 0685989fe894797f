package web

import (
	"container/list"
	"context"
	"sync"
)

// defaultCacheBytes bounds what is kept prepared when nobody says.
const defaultCacheBytes = 512 << 20

// Cache keeps what sessions have prepared under keys, and throws away what was
// not used for longest when all of it together is too large. What is being
// made is waited for, not made again. Sessions may share one.
type Cache struct {
	most int

	mu      sync.Mutex
	entries map[cacheKey]*cacheEntry
	order   *list.List // of *cacheEntry, the last used first
	bytes   int
}

// dataCache is the part of a cache that belongs to one session.
type dataCache struct{ *Cache }

type cacheKey struct {
	of   *dataCache
	name string
}

type cacheEntry struct {
	key   cacheKey
	ready chan struct{} // closed when value and err are set
	value any
	err   error
	bytes int
	place *list.Element
}

// NewCache makes a cache that keeps at most so many bytes, of all who share it
// together; 0 is 512 MiB.
func NewCache(most int) *Cache {
	if most <= 0 {
		most = defaultCacheBytes
	}
	return &Cache{most: most, entries: map[cacheKey]*cacheEntry{}, order: list.New()}
}

// newDataCache is a part of c, of a cache of its own when c is nil.
func newDataCache(c *Cache) *dataCache {
	if c == nil {
		c = NewCache(0)
	}
	return &dataCache{c}
}

// clear throws away what belongs to this part.
func (c *dataCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.entries {
		if key.of == c {
			c.remove(e)
		}
	}
}

// cached is what is kept under name, made by build when it is not there. build
// returns about how many bytes the value takes. It runs to its end even if ctx
// ends; errors are not kept.
func cached[T any](ctx context.Context, c *dataCache, name string, build func() (T, int, error)) (T, error) {
	key := cacheKey{c, name}
	c.mu.Lock()
	e, known := c.entries[key]
	if known {
		c.order.MoveToFront(e.place)
	} else {
		e = &cacheEntry{key: key, ready: make(chan struct{})}
		e.place = c.order.PushFront(e)
		c.entries[key] = e
	}
	c.mu.Unlock()
	if !known {
		go c.fill(e, func() (any, int, error) { return build() })
	}
	var none T
	select {
	case <-e.ready:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if e.err != nil {
		return none, e.err
	}
	return e.value.(T), nil
}

// fill makes the value of an entry. A panic becomes its error, so that those
// who wait are not left waiting.
func (c *Cache) fill(e *cacheEntry, build func() (any, int, error)) {
	bytes := 0
	defer func() {
		if r := recover(); r != nil {
			e.err = newPanic(r)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		defer close(e.ready)
		switch {
		case c.entries[e.key] != e:
			return // thrown away while it was made
		case e.err != nil:
			c.remove(e)
			return
		}
		e.bytes = bytes
		c.bytes += bytes
		for c.bytes > c.most && c.order.Len() > 1 {
			c.remove(c.order.Back().Value.(*cacheEntry))
		}
	}()
	e.value, bytes, e.err = build()
}

func (c *Cache) remove(e *cacheEntry) {
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
		c.order.Remove(e.place)
		c.bytes -= e.bytes
	}
}
