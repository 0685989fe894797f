// Package cache is the example of docs/guide/leaktest.md: a cache that forgets
// to evict, and a worker that is never stopped.
package cache

// Cache keeps values by key.
type Cache struct {
	entries map[string][]byte
	expired chan string
}

// New makes an empty cache and starts the goroutine that evicts.
func New() *Cache {
	c := &Cache{entries: map[string][]byte{}, expired: make(chan string)}
	go c.evict()
	return c
}

// Put stores a copy of value under key.
func (c *Cache) Put(key string, value []byte) {
	c.entries[key] = append([]byte(nil), value...)
}

// evict waits for keys that nobody sends.
func (c *Cache) evict() {
	for key := range c.expired {
		delete(c.entries, key)
	}
}
