// Small has a little of everything that is read, for tests that read it often.
package main

import (
	"os"
	"runtime"
	_ "runtime/pprof"
	"sync"
	"time"
)

type node struct {
	next *node
	name string
	any  any
}

var (
	list *node
	m    = map[string]*node{}
	fn   func() int
	pool sync.Pool
	mu   sync.Mutex
)

//go:noinline
func wait(n *node) {
	mu.Lock()
	defer mu.Unlock()
	m[n.name] = n
}

func main() {
	runtime.MemProfileRate = 1
	for i := range 20 {
		list = &node{list, string(rune('a' + i)), i + 1000}
		m[list.name] = list
	}
	m["large"] = &node{any: new([2000]*node)}
	m["header"] = &node{any: new([100]*node)}
	x := len(m)
	fn = func() int { x++; return x }
	runtime.SetFinalizer(&node{name: "f"}, func(*node) {})
	time.AfterFunc(time.Hour, func() { x++ })
	mu.Lock()
	for range 3 {
		go wait(&node{name: "w"})
	}
	pool.Put(&node{})
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	buf := make([]byte, 16)
	os.Stdout.WriteString("ready\n")
	for {
		if n, _ := os.Stdin.Read(buf); n <= 0 {
			break
		}
	}
	runtime.KeepAlive(list)
}
