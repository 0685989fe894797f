package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

type job struct {
	id      int
	payload []byte
}

type dispatcher struct {
	mu   sync.Mutex
	jobs chan job
	acks chan int
	done chan struct{}
}

// drain waits for acks before it takes the next job.
func (d *dispatcher) drain(ctx context.Context) {
	for {
		select {
		case <-d.acks:
			j := <-d.jobs
			sink += len(j.payload)
		case <-ctx.Done():
			return
		case <-d.done:
			return
		}
	}
}

// backlog fills the queue of a dispatcher that only its goroutines know.
func backlog() {
	d := &dispatcher{jobs: make(chan job, docs), acks: make(chan int), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Hour, cancel)
	for range 3 {
		go d.drain(ctx)
	}
	for i := range docs {
		d.jobs <- job{i, make([]byte, 512)}
	}
	settle(4)
}

// selects has a channel that only the select statement of a goroutine knows.
func selects() {
	for range 20 {
		go func() {
			full := make(chan *doc, 100)
			for i := range 100 {
				full <- newDoc(i)
			}
			select {
			case full <- newDoc(1):
			case <-make(chan int):
			}
		}()
	}
	settle(21)
	runtime.GC()
}
