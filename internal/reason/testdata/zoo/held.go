package main

import (
	"fmt"
	"runtime"
)

// doc is held in several ways.
type doc struct {
	id   int
	body []byte
	next *doc
}

var (
	byID   = map[int]*doc{}
	recent []*doc
	index  struct {
		byName map[string]*doc
		hits   int
	}
)

const docs = 2000

// ways holds each doc by a map, a slice, and a map in a struct.
func ways() {
	index.byName = map[string]*doc{}
	for i := range docs {
		d := newDoc(i)
		byID[i] = d
		recent = append(recent, d)
		index.byName[fmt.Sprint("doc ", i)] = d
	}
}

func newDoc(i int) *doc { return &doc{id: i, body: make([]byte, 1024)} }

// server has a lot, and docs in two of its fields.
type server struct {
	byID     map[int]*doc
	recent   []*doc
	sessions map[int]*[4096]byte
}

var srv *server

// fields holds docs by two fields of a large struct.
func fields() {
	srv = &server{byID: map[int]*doc{}, sessions: map[int]*[4096]byte{}}
	for i := range docs {
		d := newDoc(i)
		srv.byID[i] = d
		srv.recent = append(srv.recent, d)
		srv.sessions[i] = new([4096]byte)
	}
}

type node struct {
	left, right *node
	key         int
	val         *doc
}

func (n *node) insert(key int) *node {
	switch {
	case n == nil:
		return &node{key: key, val: newDoc(key)}
	case key < n.key:
		n.left = n.left.insert(key)
	default:
		n.right = n.right.insert(key)
	}
	return n
}

type table struct {
	name string
	root *node
}

var zones = map[string]*table{}

// tree holds docs by the nodes of a binary tree.
func tree() {
	t := &table{name: "example.org"}
	for i := range 2 * docs {
		t.root = t.root.insert((i*2654435761 + 50000) % 100003)
	}
	zones[t.name] = t
}

type worker struct {
	in   chan *doc
	stop chan struct{}
}

func (w *worker) run() {
	slow := make(chan struct{})
	<-w.stop
	for {
		select {
		case d := <-w.in:
			sink += d.id
		case <-slow:
		case <-w.stop:
			return
		}
	}
}

// queue holds docs in the buffer of a channel that nobody empties: its worker
// waits for something else.
func queue() {
	stuck := make(chan struct{})
	feed := make(chan *doc, docs)
	go func() {
		in := feed
		for {
			select {
			case <-stuck:
				d := <-in
				sink += d.id
			case in <- newDoc(1):
			}
		}
	}()
	for len(feed) < docs {
		runtime.Gosched()
	}
}

type customer struct {
	name   string
	latest *order
}

type order struct {
	id         int
	customer   *customer
	document   []byte
	next, prev *order
}

type store struct {
	orders      map[int]*order
	customers   []*customer
	first, last *order
}

var open = &store{orders: map[int]*order{}}

// shop holds orders by a map, and some of them by customers; all of them are a
// list.
func shop() {
	s := open
	for i := range 4 * docs {
		if i%8 == 0 {
			s.customers = append(s.customers, &customer{name: fmt.Sprint("customer ", i)})
		}
		o := &order{id: i, customer: s.customers[len(s.customers)-1], document: make([]byte, 512), prev: s.last}
		o.customer.latest = o
		if s.last == nil {
			s.first = o
		} else {
			s.last.next = o
		}
		s.last = o
		s.orders[i] = o
	}
}

// names holds docs by a map in a slice in a map, one level by generics.
func names() {
	byTenant := cache[string, []map[string]*doc]{m: map[string][]map[string]*doc{}}
	for i := range 20 {
		m := map[string]*doc{}
		for k := range docs / 20 {
			m[fmt.Sprint(k)] = newDoc(k)
		}
		byTenant.put(fmt.Sprint("tenant ", i), []map[string]*doc{m})
	}
	tenants = &byTenant
}

type cache[K comparable, V any] struct{ m map[K]V }

func (c *cache[K, V]) put(k K, v V) { c.m[k] = v }

var tenants *cache[string, []map[string]*doc]
