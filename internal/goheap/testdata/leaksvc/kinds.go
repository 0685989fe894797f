package main

import (
	"container/list"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

type Blob struct {
	data [4096]byte
	next *Blob
}

type lruNode[K comparable, V any] struct {
	key        K
	val        V
	prev, next *lruNode[K, V]
}

type LRU[K comparable, V any] struct {
	m          map[K]*lruNode[K, V]
	head, tail *lruNode[K, V]
}

func (l *LRU[K, V]) Put(k K, v V) {
	n := &lruNode[K, V]{key: k, val: v, next: l.head}
	if l.head != nil {
		l.head.prev = n
	} else {
		l.tail = n
	}
	l.head = n
	l.m[k] = n
}

var genLRU = &LRU[string, *Blob]{m: map[string]*lruNode[string, *Blob]{}}

//go:noinline
func generic(n int) {
	for i := range n {
		genLRU.Put(fmt.Sprintf("k%d", i), &Blob{})
	}
}

type Shape interface{ Area() float64 }

type Circle struct {
	R    float64
	Meta *User
}
type Poly struct{ Pts []struct{ X, Y float64 } }
type Tiny struct{ V int64 }

func (c *Circle) Area() float64 { return c.R }
func (p Poly) Area() float64    { return float64(len(p.Pts)) }
func (t Tiny) Area() float64    { return float64(t.V) }

type Config struct {
	Ver  int
	Prev *Config
	Body []byte
}

// Wide is larger than 512 bytes, so that the runtime notes its type.
type Wide struct {
	Name string
	P    [96]*Tiny
	Buf  []byte
}

var (
	shapes    []Shape
	anys      []any
	bigVals   = map[int64][40]*Tiny{}
	nested    = map[string]map[int]string{}
	structMap = map[Tiny]Event{}
	smap      sync.Map
	pool      = sync.Pool{New: func() any { return new([8192]byte) }}
	dlist     = list.New()
	cfg       atomic.Pointer[Config]
	wides     []*Wide
	notify    = map[string][]chan struct{}{}
	methods   []func() float64
)

//go:noinline
func mix(n int) {
	for i := range n {
		shapes = append(shapes, &Circle{R: 1, Meta: &User{Name: "meta"}}, Poly{Pts: make([]struct{ X, Y float64 }, 16)}, Tiny{int64(i) + 1000})
		anys = append(anys, fmt.Sprintf("any string %d", i), []int{i, 2, 3}, map[int]int{i: i}, &Event{Msg: "e"}, Event{Msg: "v", Src: &User{}})
		var a [40]*Tiny
		for j := range a {
			a[j] = &Tiny{int64(j)}
		}
		bigVals[int64(i)] = a
		in := map[int]string{}
		for j := range 20 {
			in[j] = fmt.Sprintf("nested-%d-%d", i, j)
		}
		nested[fmt.Sprintf("n%d", i)] = in
		smap.Store(i, &User{Name: fmt.Sprintf("smap%d", i)})
		dlist.PushBack(&Event{Msg: fmt.Sprintf("dl%d", i)})
		w := &Wide{Name: "wide", Buf: make([]byte, 256)}
		for j := range w.P {
			w.P[j] = &Tiny{int64(j)}
		}
		wides = append(wides, w)
		cfg.Store(&Config{Ver: i, Prev: cfg.Load(), Body: make([]byte, 1024)})
		structMap[Tiny{int64(i)}] = Event{Msg: fmt.Sprintf("sm%d", i)}
		notify[fmt.Sprint(i)] = append(notify[fmt.Sprint(i)], make(chan struct{}, 1))
		c := &Circle{R: float64(i), Meta: &User{Name: "method"}}
		methods = append(methods, c.Area)
	}
	for range 20 {
		pool.Put(new([8192]byte))
	}
}

type ListNode struct {
	Next *ListNode
	V    int64
}

var deep *ListNode

//go:noinline
func linked(n int) {
	for i := range n {
		deep = &ListNode{Next: deep, V: int64(i)}
	}
}

type Res struct {
	self *Res
	buf  []byte
	user *User
}

type hidden struct {
	a, b *User
	buf  []byte
}

var (
	hide unsafe.Pointer
	ring [64]*User
	held []*Res
)

//go:noinline
func specials(n int) {
	for i := range n {
		r := &Res{buf: make([]byte, 4096), user: &User{Name: "of a finalizer"}}
		runtime.SetFinalizer(r, func(r *Res) { sink++ })
		held = append(held, r)
		c := &User{Name: "cleanup"}
		cleanup(c, &hidden{buf: make([]byte, 1024)})
		weakly(c)
		ring[i%64] = c
	}
	hide = unsafe.Pointer(&hidden{a: &User{Name: "hiddenA"}, buf: make([]byte, 1<<20)})
}

var (
	queue    chan *Request
	ptrTable []*Tiny
)

//go:noinline
func buffers(n int) {
	queue = make(chan *Request, 1024)
	for i := range min(n, 1000) {
		queue <- &Request{ID: i, Body: make([]byte, 1024)}
	}
	ptrTable = make([]*Tiny, 20*n)
	for i := range ptrTable {
		ptrTable[i] = &Tiny{int64(i)}
	}
}

var (
	roomy   []*Tiny
	emptied = map[int]*Tiny{}
	same    []string
)

// waste keeps a slice with much room, a map after its entries were deleted,
// and one text many times.
//
//go:noinline
func waste() {
	roomy = append(make([]*Tiny, 0, 10000), &Tiny{1})
	for i := range 10000 {
		emptied[i] = &Tiny{int64(i)}
	}
	for i := range 9990 {
		delete(emptied, i)
	}
	for range 100 {
		same = append(same, strings.Repeat("again and ", 30))
	}
}
