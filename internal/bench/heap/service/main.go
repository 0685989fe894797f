// Service is what internal/bench/heap looks at: a program with as many live
// objects as asked for, which notices when it stands still.
//
//	service -objects 12000000
//
// It says "ready" when the heap is built. For each line it then reads from
// standard input it answers with the longest time between two ticks since the
// last answer, in nanoseconds; it ends with its input.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	_ "net/http/pprof" // a service has it; it turns the memory profile on
)

// order, with its lines, note and document, is four objects and about 600
// bytes, a third of which hold pointers: the proportions of the heap of a
// service.
type order struct {
	id         uint64
	customer   *customer
	lines      []line
	note       string
	document   []byte
	next, prev *order
}

type line struct {
	article *article
	count   int
	price   int64
}

type article struct{ name string }

// customer is two objects, one for eight orders.
type customer struct {
	name   string
	latest *order
}

// shop is a map, a list through all of it, which is hard on dominators that
// are found step by step, and articles that everything shares.
type shop struct {
	orders      map[uint64]*order
	customers   []*customer
	articles    []*article
	first, last *order
}

// objectsPerOrder is 4 of its own and a share of customers and maps.
const objectsPerOrder = 4.3

func (s *shop) fill(objects int) {
	n := int(float64(objects) / objectsPerOrder)
	s.orders = make(map[uint64]*order)
	for i := range 1000 {
		s.articles = append(s.articles, &article{fmt.Sprint("article ", i)})
	}
	for i := range n {
		if i%8 == 0 {
			s.customers = append(s.customers, &customer{name: fmt.Sprint("customer ", i)})
		}
		o := &order{id: uint64(i) * 2654435761, customer: s.customers[len(s.customers)-1], lines: make([]line, 4),
			note: strings.Repeat("n", 20+i%40), document: make([]byte, 300+i%200), prev: s.last}
		for k := range o.lines {
			o.lines[k] = line{s.articles[(i+k*7)%len(s.articles)], k, int64(i)}
		}
		o.customer.latest = o
		if s.last == nil {
			s.first = o
		} else {
			s.last.next = o
		}
		s.last = o
		s.orders[o.id] = o
	}
}

// tick is how often the service looks at the clock.
const tick = 200 * time.Microsecond

// watch keeps the longest time between two ticks.
func watch(longest *atomic.Int64) {
	runtime.LockOSThread()
	for last := time.Now(); ; {
		time.Sleep(tick)
		now := time.Now()
		if gap := int64(now.Sub(last)); gap > longest.Load() {
			longest.Store(gap)
		}
		last = now
	}
}

func main() {
	objects := flag.Int("objects", 1_000_000, "live objects, about")
	flag.Parse()
	debug.SetGCPercent(25)
	open := &shop{}
	open.fill(*objects)
	debug.FreeOSMemory() // collects first
	var longest atomic.Int64
	go watch(&longest)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(longest.Swap(0))
	}
	runtime.KeepAlive(open)
}
