package symbol

import (
	"errors"
	"fmt"
	"sync"
)

// errSetClosed is the answer of a Set that was closed.
var errSetClosed = errors.New("set of objects is closed")

// Set keeps objects open so that many lookups open and parse each file once.
// It may be used from several goroutines. The zero Set is not ready: use NewSet.
type Set struct {
	opts Options

	mu      sync.Mutex
	closed  bool
	entries map[string]*setEntry // by path
}

// setEntry is opened by the first goroutine that asks, outside the Set's lock.
type setEntry struct {
	open func() (*Object, error)
}

// NewSet returns an empty set that opens objects with opts.
func NewSet(opts Options) *Set {
	return &Set{opts: opts, entries: make(map[string]*setEntry)}
}

// Open returns the object at path, opening it at the first call. A failure
// is remembered too. The object belongs to the Set: do not close it.
func (s *Set) Open(path string) (*Object, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, fmt.Errorf("open object %s: %w", path, errSetClosed)
	}
	e := s.entries[path]
	if e == nil {
		e = &setEntry{open: sync.OnceValues(func() (*Object, error) { return Open(path, s.opts) })}
		s.entries[path] = e
	}
	s.mu.Unlock()
	return e.open()
}

// Close closes every object of the set. Objects handed out must not be used
// any more.
func (s *Set) Close() error {
	s.mu.Lock()
	entries := s.entries
	s.entries, s.closed = nil, true
	s.mu.Unlock()
	var errs []error
	for _, e := range entries {
		if o, err := e.open(); err == nil {
			errs = append(errs, o.Close())
		}
	}
	return errors.Join(errs...)
}
