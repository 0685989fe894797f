package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// goroutineLeaks start goroutines that do not end.
func goroutineLeaks() []service {
	return []service{
		{"leak-goroutine-send", 5, nil, true, &results{}},
		{"leak-goroutine-receive", 20, nil, false, &answers{}},
		{"leak-goroutine-timeout", 2, nil, true, &impatient{}},
		{"leak-goroutine-range", 1, nil, false, &consumers{}},
		{"leak-goroutine-select", 10, sine(20, 0.8), false, &watchers{}},
		{"leak-goroutine-mutex", 50, nil, false, &accounts{}},
		{"leak-goroutine-waitgroup", 3, nil, true, &fanOut{}},
		{"leak-goroutine-cond", 15, nil, false, &waiters{cond: sync.NewCond(&sync.Mutex{})}},
		{"leak-goroutine-sleep", 8, nil, true, &pollers{}},
		{"leak-goroutine-ticker", 4, nil, false, &heartbeats{}},
		{"leak-goroutine-heavy", 12, nil, true, &uploads{}},
		{"leak-goroutine-reload", 0.5, nil, true, &workerPools{}},
		{"leak-http-body", 3, nil, true, &fetcher{}},
	}
}

// results leaks: the sender waits for a receiver that returned early.
type results struct{}

func (r *results) work(i int) {
	result := make(chan int)
	go r.compute(result, i)
}

func (r *results) compute(result chan<- int, i int) { result <- i * i }

// answers leaks: the receiver waits for an answer that nobody sends.
type answers struct{}

func (a *answers) work(i int) {
	answer := make(chan string)
	go a.await(answer)
}

func (a *answers) await(answer <-chan string) string { return <-answer }

// impatient leaks: after a timeout nobody takes the result any more, and the
// channel has no room for it.
type impatient struct{}

func (m *impatient) work(i int) { m.query(i) }

func (m *impatient) query(i int) string {
	result := make(chan string)
	go func() {
		time.Sleep(20 * time.Millisecond)
		result <- fmt.Sprint("row ", i)
	}()
	select {
	case r := <-result:
		return r
	case <-time.After(time.Millisecond):
		return "too late"
	}
}

// consumers leaks: a range over a channel ends when it is closed, and it is
// not.
type consumers struct{}

func (c *consumers) work(i int) {
	lines := make(chan string, 4)
	go c.consume(lines)
	lines <- "the only line"
}

func (c *consumers) consume(lines <-chan string) (n int) {
	for line := range lines {
		n += len(line)
	}
	return n
}

// watchers leaks: a loop over events that has no case for the end.
type watchers struct{}

func (w *watchers) work(i int) {
	events, errs := make(chan int), make(chan error)
	go w.watch(events, errs)
}

func (w *watchers) watch(events <-chan int, errs <-chan error) {
	for n := 0; ; {
		select {
		case e := <-events:
			n += e
		case <-errs:
			n = 0
		}
	}
}

// accounts leaks: one way out of a function forgets to unlock, and everybody
// after it waits.
type accounts struct {
	mu      sync.Mutex
	balance int
}

func (a *accounts) work(i int) { go a.transfer(i) }

func (a *accounts) transfer(amount int) bool {
	a.mu.Lock()
	if amount == 20 {
		return false // a bad amount, and still locked
	}
	a.balance += amount
	a.mu.Unlock()
	return true
}

// fanOut leaks: a wait for two parts, of which one fails and does not say so.
type fanOut struct{}

func (f *fanOut) work(i int) { go f.gather(i) }

func (f *fanOut) gather(i int) {
	var parts sync.WaitGroup
	parts.Add(2)
	for part := range 2 {
		go func() {
			if part == 1 {
				return // an error, and no Done
			}
			parts.Done()
		}()
	}
	parts.Wait()
}

// waiters leaks: nobody signals the condition.
type waiters struct {
	cond  *sync.Cond
	ready bool
}

func (w *waiters) work(i int) { go w.wait() }

func (w *waiters) wait() {
	w.cond.L.Lock()
	defer w.cond.L.Unlock()
	for !w.ready {
		w.cond.Wait()
	}
}

// pollers leaks: each device gets a loop that sleeps and polls, and keeps it
// when the device is gone.
type pollers struct{}

func (p *pollers) work(i int) { go p.poll(i) }

func (p *pollers) poll(device int) {
	for n := 0; n >= 0; n++ {
		time.Sleep(time.Second)
	}
}

// heartbeats leaks: the ticker would be collected since Go 1.23; the
// goroutine that listens to it is not.
type heartbeats struct{}

func (h *heartbeats) work(i int) {
	go func() {
		beats := 0
		for range time.NewTicker(time.Second).C {
			beats++
		}
	}()
}

// uploads leaks: the goroutine that waits holds what it wants to send, so that
// the heap grows with the goroutines.
type uploads struct{}

func (u *uploads) work(i int) {
	file := fill(make([]byte, 64<<10), i)
	done := make(chan []byte)
	go u.send(file, done)
}

func (u *uploads) send(file []byte, done chan<- []byte) { done <- file }

// workerPools leaks: each reload starts new workers and forgets the queue of
// the old ones without closing it.
type workerPools struct{ queue chan func() }

func (w *workerPools) work(i int) {
	w.queue = make(chan func())
	for range 8 {
		go w.worker(w.queue)
	}
}

func (w *workerPools) worker(queue <-chan func()) {
	for f := range queue {
		f()
	}
}

// fetcher leaks: an answer whose body is neither read to its end nor closed
// keeps its connection, and the connection its goroutines and descriptors.
type fetcher struct{ url string }

func (f *fetcher) open(s *site) error {
	f.url = s.url + "/upstream"
	return nil
}

func (f *fetcher) work(i int) { f.fetch() }

func (f *fetcher) fetch() int {
	resp, err := http.Get(f.url)
	if err != nil {
		return 0
	}
	return resp.StatusCode
}
