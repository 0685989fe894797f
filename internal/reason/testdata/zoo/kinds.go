package main

import (
	"bufio"
	"container/list"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"
)

var seen sync.Map

// syncMap never deletes.
func syncMap() {
	for i := range docs {
		seen.Store(fmt.Sprint("key ", i), newDoc(i))
	}
}

type lruCache[K comparable, V any] struct {
	mu    sync.Mutex
	max   int
	items map[K]*list.Element
	order *list.List
}

type lruEntry[K comparable, V any] struct {
	key K
	val V
}

func (c *lruCache[K, V]) add(k K, v V) { c.items[k] = c.order.PushFront(&lruEntry[K, V]{k, v}) }

var pages = &lruCache[string, *doc]{items: map[string]*list.Element{}, order: list.New()}

// lru is a map and a list, and evicts nothing.
func lru() {
	for i := range docs {
		pages.add(fmt.Sprint("page ", i), newDoc(i))
	}
}

type ctxKey struct{ i int }

var base context.Context = context.Background()

// contexts makes each context from the one before.
func contexts() {
	for i := range docs {
		base = context.WithValue(base, ctxKey{i}, newDoc(i))
	}
}

// timers captures a doc in each of many functions that are to be called later.
func timers() {
	for i := range docs {
		d := newDoc(i)
		time.AfterFunc(time.Hour+time.Duration(i)*time.Second, func() { sink += d.id })
	}
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// pool gives back buffers that have grown.
func pool() {
	var all []*[]byte
	for range 50 {
		b := buffers.Get().(*[]byte)
		*b = append(*b, make([]byte, 64<<10)...)
		all = append(all, b)
	}
	for _, b := range all {
		buffers.Put(b)
	}
}

type conn struct {
	nc net.Conn
	r  *bufio.Reader
	w  *bufio.Writer
}

func (c *conn) serve() {
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		c.w.WriteString(line)
		c.w.Flush()
	}
}

// conns has connections that say nothing.
func conns() {
	for range 200 {
		a, b := net.Pipe()
		held = append(held, a)
		c := &conn{b, bufio.NewReaderSize(b, 16<<10), bufio.NewWriterSize(b, 16<<10)}
		go c.serve()
	}
	settle(200)
}

var held []net.Conn

// settle waits until so many goroutines more wait for good.
func settle(n int) {
	for runtime.NumGoroutine() < n {
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched()
	}
}

type result struct {
	doc *doc
	err error
}

func fetch(ctx context.Context, i int, out chan<- result) {
	d := newDoc(i)
	d.body = make([]byte, 8<<10)
	out <- result{doc: d}
}

// group starts goroutines whose results nobody wants any more.
func group() {
	for i := range 100 {
		out := make(chan result)
		for k := range 3 {
			go fetch(context.Background(), i*3+k, out)
		}
		<-out
	}
	settle(200)
}

type series struct {
	labels map[string]string
	value  float64
	past   []float64
}

type registry struct {
	mu     sync.Mutex
	series map[string]map[string]*series
}

var metrics = &registry{series: map[string]map[string]*series{}}

// labels makes a series for each user.
func labels() {
	m := map[string]*series{}
	for i := range docs {
		l := map[string]string{"path": "/cart", "user": fmt.Sprint("user-", i)}
		m[fmt.Sprint(l)] = &series{labels: l, past: make([]float64, 16)}
	}
	metrics.series["requests_total"] = m
}

type event struct{ topic string }

type eventBus struct {
	subs map[string][]func(event)
}

func (b *eventBus) on(topic string, f func(event)) { b.subs[topic] = append(b.subs[topic], f) }

var theBus = &eventBus{subs: map[string][]func(event){}}

type view struct {
	title string
	cells []byte
}

func (v *view) update(e event) { v.title = e.topic }

// bus has a subscription for each view that was ever open.
func bus() {
	for i := range docs {
		v := &view{title: strings.Repeat("v", i%10), cells: make([]byte, 1024)}
		theBus.on("changed", v.update)
		theBus.on("closed", func(e event) { v.cells = append(v.cells, e.topic...) })
	}
}

type poller struct {
	tick *time.Ticker
	last []byte
}

func (p *poller) run() {
	for range p.tick.C {
		sink += len(p.last)
	}
}

// tickers are never stopped.
func tickers() {
	for range 200 {
		p := &poller{time.NewTicker(time.Hour), make([]byte, 4096)}
		go p.run()
	}
	settle(200)
}

type handle struct {
	fd  int
	buf []byte
}

var zombies []*handle

// finalizers brings objects back.
func finalizers() {
	back := make(chan struct{})
	for i := range 200 {
		h := &handle{i, make([]byte, 4096)}
		runtime.SetFinalizer(h, func(h *handle) {
			zombies = append(zombies, h)
			if len(zombies) == 200 {
				close(back)
			}
		})
	}
	for range 100 {
		runtime.GC()
	}
	<-back
}

type shard struct {
	mu sync.RWMutex
	m  map[string]*doc
}

var sharded [16]*shard

// shards is a map in parts, and the docs of it in a list as well.
func shards() {
	for i := range sharded {
		sharded[i] = &shard{m: map[string]*doc{}}
	}
	var last *doc
	for i := range docs {
		d := newDoc(i)
		d.next, last = last, d
		sharded[i%len(sharded)].m[fmt.Sprint(i)] = d
	}
	newest = last
}

var newest *doc
