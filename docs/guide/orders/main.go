// Orders is the program behind the examples in the documentation: a shop
// server that remembers every receipt it writes and forgets none. It runs a
// few seconds and writes profiles of itself; those in this folder are its.
//
//	go run -trimpath ./docs/guide/orders docs/guide/orders
//
// The outputs in the documentation come from these files. After writing new
// ones, run go test ./cmd/profound -run Docs -update-docs.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"
)

// shop answers orders.
type shop struct {
	catalog  map[int]string
	receipts map[int][]byte // grows with every order
}

type order struct {
	ID    int
	Items []string
	Note  []byte
}

func newShop() *shop {
	s := &shop{catalog: map[int]string{}, receipts: map[int][]byte{}}
	for i := range 50_000 {
		s.catalog[i] = fmt.Sprintf("item %d in box %d on shelf %d", i, i/10, i/1000)
	}
	return s
}

// handle answers one order.
func (s *shop) handle(id int) int {
	o := order{ID: id, Note: make([]byte, 512)}
	for i := range 20 {
		o.Items = append(o.Items, s.catalog[(id*7919+i*31)%len(s.catalog)])
	}
	receipt := render(o)
	s.keep(id, receipt)
	return len(receipt)
}

func render(o order) []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return bytes.ToUpper(text)
}

// keep remembers the receipt: here is the leak.
func (s *shop) keep(id int, receipt []byte) {
	s.receipts[id] = append([]byte(nil), receipt...)
}

func main() {
	dir := os.Args[1]
	s := newShop()
	serve(s, 0, 5_000)
	for i := range 12 {
		go deliver(make(chan int), i)
	}
	save(dir, "heap-1.pb.gz", "heap", 0)
	cpu := create(dir, "cpu.pb.gz")
	check(pprof.StartCPUProfile(cpu))
	start := time.Now()
	n := 0
	for ; time.Since(start) < 3*time.Second; n++ {
		label := "GET /order"
		if n%4 == 0 {
			label = "POST /order"
		}
		pprof.Do(context.Background(), pprof.Labels("endpoint", label), func(context.Context) {
			for i := range 50 {
				render(order{ID: i, Note: make([]byte, 512), Items: []string{s.catalog[i]}})
			}
		})
	}
	pprof.StopCPUProfile()
	check(cpu.Close())
	serve(s, 5_000, 15_000)
	save(dir, "heap-2.pb.gz", "heap", 0)
	save(dir, "goroutines.txt", "goroutine", 2)
	runtime.KeepAlive(s)
}

func serve(s *shop, from, to int) {
	for id := from; id < to; id++ {
		s.handle(id)
	}
}

// deliver waits for an address nobody sends.
func deliver(addresses chan int, _ int) {
	<-addresses
}

func save(dir, name, profile string, debug int) {
	runtime.GC()
	f := create(dir, name)
	check(pprof.Lookup(profile).WriteTo(f, debug))
	check(f.Close())
}

func create(dir, name string) *os.File {
	f, err := os.Create(filepath.Join(dir, name))
	check(err)
	return f
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}
