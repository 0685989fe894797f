package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// retainedLeaks keep more than they seem to, or by something that does not
// look like a container.
func retainedLeaks() []service {
	return []service{
		{"leak-substring", 24, nil, true, &podNames{map[string]int{}}},
		{"leak-subslice", 40, nil, false, &headers{}},
		{"leak-callbacks", 900, nil, true, &hooked{}},
		{"leak-listeners", 600, nil, false, &bus{listeners: map[string][]func(string){}}},
		{"leak-finalizer-blocked", 250, nil, false, &blockedFinalizer{make(chan int)}},
		{"leak-finalizer-cycle", 200, nil, true, &finalizedCycle{}},
		{"leak-timer-far", 700, nil, true, &reminders{}},
		{"leak-defer-loop", 400, nil, false, &deferring{requests: make(chan int)}},
		{"leak-linked-errors", 2000, nil, false, &lastError{}},
	}
}

// podNames leaks: a name of twelve bytes is part of the text it was cut from,
// and keeps 64 KiB of it.
type podNames struct{ seen map[string]int }

func (p *podNames) work(i int) { p.parse(p.fetch(i)) }

func (p *podNames) fetch(i int) string {
	var body strings.Builder
	body.Grow(64 << 10)
	fmt.Fprintf(&body, "pod-%08d ", i)
	body.Write(fill(make([]byte, 63<<10), i))
	return body.String()
}

func (p *podNames) parse(body string) {
	name, _, _ := strings.Cut(body, " ")
	p.seen[name]++
}

// headers leaks: sixteen bytes of a packet keep the array of all of it.
type headers struct{ kept [][]byte }

func (h *headers) work(i int) {
	packet := fill(make([]byte, 16<<10), i)
	h.kept = append(h.kept, packet[:16])
}

// registry is global: it lives as long as the program.
var registry = sync.OnceValue(func() *callbacks { return &callbacks{} })

type callbacks struct{ atExit []func() int }

func (c *callbacks) register(f func() int) { c.atExit = append(c.atExit, f) }

// hooked leaks: each request registers what is to be done at the end of the
// program, and the closure holds the request.
type hooked struct{}

func (h *hooked) work(i int) {
	request := fill(make([]byte, 1000), i)
	registry().register(func() int { return len(request) })
}

// bus leaks: components subscribe when they come and do not unsubscribe when
// they go.
type bus struct{ listeners map[string][]func(string) }

func (b *bus) subscribe(topic string, f func(string)) {
	b.listeners[topic] = append(b.listeners[topic], f)
}

type component struct {
	state [160]uint64
	last  string
}

func (b *bus) work(i int) {
	c := &component{}
	b.subscribe(fmt.Sprint("topic-", i%7), func(message string) { c.last, c.state[0] = message, 1 })
}

// blockedFinalizer leaks: finalizers run one after the other, the first never
// ends, and what waits for its finalizer cannot be freed.
type blockedFinalizer struct{ never chan int }

type handle struct {
	data  [4000]byte
	never chan int
}

func (b *blockedFinalizer) work(i int) {
	h := &handle{never: b.never}
	runtime.SetFinalizer(h, func(h *handle) { <-h.never })
}

// finalizedCycle leaks: objects with finalizers that point at each other are
// never freed, because none may be finalized before the other.
type finalizedCycle struct{}

type peer struct {
	other *peer
	data  [4 << 10]byte
}

func (f *finalizedCycle) work(i int) {
	a, b := &peer{data: [4 << 10]byte{1}}, &peer{}
	a.other, b.other = b, a
	runtime.SetFinalizer(a, func(*peer) {})
	runtime.SetFinalizer(b, func(*peer) {})
}

// reminders leaks: a timer for tomorrow holds its closure until tomorrow.
type reminders struct{}

func (r *reminders) work(i int) {
	order := fill(make([]byte, 600), i)
	time.AfterFunc(24*time.Hour, func() { fill(order, 0) })
}

// deferring leaks: what a function defers in its loop is done when it returns,
// and this one never does.
type deferring struct{ requests chan int }

func (d *deferring) open(*site) error {
	go d.loop()
	return nil
}

func (d *deferring) loop() {
	for i := range d.requests {
		buffer := fill(make([]byte, 1500), i)
		//lint:ignore SA9001 it is the leak
		defer func() { clear(buffer) }()
	}
}

func (d *deferring) work(i int) { d.requests <- i }

// lastError leaks: each error has the one before it for a cause.
type lastError struct{ err error }

type caused struct {
	cause error
	text  string
}

func (c *caused) Error() string { return c.text }
func (c *caused) Unwrap() error { return c.cause }

func (l *lastError) work(i int) {
	l.err = &caused{l.err, string(fill(make([]byte, 220), i))}
}
