package main

import (
	"net"
	"os"
	"sync"
	"time"
)

// pools are decoys of goroutines, descriptors and reused buffers.
func pools() []service {
	return []service{
		{"ok-goroutine-pool", 3, nil, true, &elastic{queue: make(chan int)}},
		{"ok-goroutines-short", 100, nil, false, &shortLived{time.Second}},
		{"ok-goroutine-bursts", 20, bursts(10), false, &shortLived{5 * time.Second}},
		{"ok-connection-pool", 2, nil, true, &connections{}},
		{"ok-files-closed", 200, nil, false, &closing{}},
		{"ok-sync-pool", 300, nil, true, &pooled{sync.Pool{New: func() any { return new([64 << 10]byte) }}}},
	}
}

// elastic is a pool of workers that grows by three a second up to 48.
type elastic struct {
	queue   chan int
	workers int
}

func (e *elastic) work(i int) {
	if e.workers < 48 {
		e.workers++
		go e.worker()
	}
	e.queue <- i
}

func (e *elastic) worker() (done int) {
	for i := range e.queue {
		done += i
	}
	return done
}

// shortLived starts a goroutine for each request, and each ends.
type shortLived struct{ takes time.Duration }

func (s *shortLived) work(i int) { go time.Sleep(s.takes) }

// connections opens two connections a second until it has 24, and uses them in
// turn.
type connections struct {
	listener        net.Listener
	dialed, entered []net.Conn
}

func (c *connections) open(*site) (err error) {
	c.listener, err = net.Listen("tcp", "127.0.0.1:0")
	return err
}

func (c *connections) work(i int) {
	if len(c.dialed) < 24 {
		dialed, err := net.Dial("tcp", c.listener.Addr().String())
		if err != nil {
			return
		}
		c.dialed = append(c.dialed, dialed)
		if entered, err := c.listener.Accept(); err == nil {
			c.entered = append(c.entered, entered)
		}
	}
	at := i % len(c.dialed)
	if at >= len(c.entered) {
		return
	}
	if _, err := c.dialed[at].Write([]byte{1}); err == nil {
		c.entered[at].Read(make([]byte, 1))
	}
}

// closing opens files and closes them.
type closing struct{}

func (closing) work(i int) {
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
	}
}

// pooled takes buffers of 64 KiB from a pool, eight at a time.
type pooled struct{ pool sync.Pool }

func (p *pooled) work(i int) {
	var taken [8]*[64 << 10]byte
	for n := range taken {
		taken[n] = p.pool.Get().(*[64 << 10]byte)
		taken[n][0] = byte(i)
	}
	for _, b := range taken {
		p.pool.Put(b)
	}
}
