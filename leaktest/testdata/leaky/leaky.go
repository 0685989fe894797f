// Package leaky leaks in all the ways the tests of leaktest look for.
package leaky

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// Store keeps whatever it is given: it never evicts.
type Store struct {
	mu   sync.Mutex
	byID map[string][]byte
	log  []int64
}

// NewStore is empty.
func NewStore() *Store { return &Store{byID: map[string][]byte{}} }

// Put adds 128 bytes under a new key.
func (s *Store) Put(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id] = make([]byte, 128)
}

// Log appends to a slice that grows by doubling.
func (s *Store) Log(v int64) { s.log = append(s.log, v) }

// Name keeps a short part of a long text, and with it the whole.
func (s *Store) Name(n int) {
	text := strings.Repeat(fmt.Sprintf("%08d,", n), 100)
	s.byID[text[:8]] = nil
}

// Subscribe starts a goroutine that waits for ever.
func Subscribe(events chan int) {
	go listen(events)
}

func listen(events chan int) {
	for range events {
	}
}

// Stuck sends to a channel nobody reads any more.
func Stuck() {
	result := make(chan int)
	go func() { result <- 1 }()
}

// Open opens a file and forgets it, keeping it from being finalized.
func (s *Store) Open(keep *[]*os.File) error {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	*keep = append(*keep, f)
	return nil
}

// Node is 64 bytes.
type Node struct {
	next *Node
	_    [56]byte
}

// List is a chain of nodes that only gets longer.
type List struct{ head *Node }

// Push adds one node.
func (l *List) Push() { l.head = &Node{next: l.head} }
