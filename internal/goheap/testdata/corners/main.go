// Corners holds, each in its own way, memory that is easily taken for
// something else. Its argument says which.
package main

import (
	"os"
	"reflect"
	"runtime"
	_ "runtime/pprof"
	"sync"
	"sync/atomic"
)

// big is held by nothing but the argument of a function that runs: the compiler
// has put that where the caller makes room for it.
type big struct {
	p *int
	b [1 << 20]byte
}

var count atomic.Int64

//go:noinline
func step() { count.Add(1) }

//go:noinline
func use(p *big) {
	if p.b[5] == 9 {
		step()
	}
}

//go:noinline
func spin(p *big) {
	for sum := 0; ; use(p) {
		step()
		for i := range 3_000_000_000 {
			sum += i ^ sum
		}
		count.Add(int64(sum & 1))
	}
}

// made is of a type that exists only while the program runs, and has its only
// pointer behind what the allocator notes in a bitmap.
var made any

func reflected() {
	t := reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeOf([120]int64{})},
		{Name: "P", Type: reflect.TypeOf((*[1 << 20]byte)(nil))},
	})
	v := reflect.New(t)
	v.Elem().Field(1).Set(reflect.ValueOf(new([1 << 20]byte)))
	made = v.Interface()
}

// pooled are buffers that were made empty, to be filled again.
var (
	pool = sync.Pool{New: func() any { b := make([]byte, 0, 1<<20); return &b }}
	buf  = make([]byte, 0, 4<<20)
)

// table has more pointers than are listed of one type.
var table [40000]*item

// signatures are types that exist only while the program runs.
var signatures []reflect.Type

type item struct {
	next *item
	pad  [3]int
}

var static = [20000]struct{ list []*item }{19999: {[]*item{nil}}}

func main() {
	switch os.Args[1] {
	case "spill":
		go spin(&big{p: new(int)})
		for count.Load() == 0 {
			runtime.Gosched()
		}
	case "reflected":
		reflected()
	case "pooled":
		pool.Put(pool.Get())
	case "queued":
		for range 100 {
			pool.Put(new(item))
		}
	case "signatures":
		n := reflect.TypeOf(0)
		for i := range 20 {
			signatures = append(signatures, reflect.FuncOf([]reflect.Type{reflect.ArrayOf(1000+i, n), n}, []reflect.Type{n}, false))
		}
	case "table":
		for i := range table {
			table[i] = new(item)
		}
		static[19999].list[0] = new(item)
	}
	if os.Args[1] != "spill" {
		runtime.GC()
	}
	os.Stdout.WriteString("ready\n")
	os.Stdin.Read(make([]byte, 1))
	runtime.KeepAlive(buf)
}
