// Command workload works for a moment and writes every profile the Go runtime
// makes into the directory it is given: the real inputs of the parity test.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

type order struct {
	id    int
	items []string
	note  string
}

type shop struct {
	mu     sync.Mutex
	orders []*order
	index  map[string][]*order
}

func (s *shop) add(id int) *order {
	o := &order{id: id, note: strings.Repeat("n", 200+id%100)}
	for i := range 20 {
		o.items = append(o.items, fmt.Sprintf("item-%d-%d", id, i))
	}
	s.mu.Lock()
	s.orders = append(s.orders, o)
	for _, it := range o.items {
		s.index[it] = append(s.index[it], o)
	}
	s.mu.Unlock()
	return o
}

// sum is small enough to be inlined.
func sum(xs []int) (n int) {
	for _, x := range xs {
		n += x
	}
	return n
}

// fib recurses.
func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

//go:noinline
func burn(d time.Duration) (n int) {
	xs := make([]int, 4096)
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := range xs {
			xs[i] = i * n % 7
		}
		n += sum(xs) + fib(15)
		sort.Ints(xs)
	}
	return n
}

func contend() {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				mu.Lock()
				time.Sleep(100 * time.Microsecond)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func park(stop chan struct{}) {
	for i := range 12 {
		go pprof.Do(context.Background(), pprof.Labels("queue", fmt.Sprint("q", i%3), "worker", "parked"), func(context.Context) {
			<-stop
		})
	}
	go func() { time.Sleep(time.Hour) }()
}

func write(dir, name string, p *pprof.Profile) {
	f, err := os.Create(filepath.Join(dir, name+".pb.gz"))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if err := p.WriteTo(f, 0); err != nil {
		panic(err)
	}
}

func main() {
	dir := os.Args[1]
	runtime.MemProfileRate = 4096
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	cpu, err := os.Create(filepath.Join(dir, "cpu.pb.gz"))
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	s := &shop{index: map[string][]*order{}}
	handles := pprof.NewProfile("open_handles")
	for i, path := range []string{"/cart", "/login", "/cart/pay"} {
		pprof.Do(context.Background(), pprof.Labels("endpoint", path, "tenant", fmt.Sprint(i)), func(context.Context) {
			for j := range 300 {
				o := s.add(i*1000 + j)
				if j%50 == 0 {
					handles.Add(o, 0)
				}
			}
			burn(150 * time.Millisecond)
		})
	}
	contend()
	pprof.StopCPUProfile()
	cpu.Close()

	stop := make(chan struct{})
	park(stop)
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	write(dir, "heap1", pprof.Lookup("heap"))
	for i := range 500 {
		s.add(10_000 + i)
	}
	s.orders, s.index = s.orders[:100], map[string][]*order{}
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "goroutine", "block", "mutex", "threadcreate", "open_handles"} {
		write(dir, name, pprof.Lookup(name))
	}
	close(stop)
	runtime.KeepAlive(s)
}
