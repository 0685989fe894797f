// Leaksvc keeps memory in every way a Go program can, so that the tests know
// what must be found. It prints one line when all is in place and collected,
// and ends when its standard input does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	_ "runtime/pprof"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// scale is how much of everything is kept.
var scale = flag.Int("n", 1, "how much to keep")

func main() {
	busy := flag.Bool("busy", false, "allocate until the end")
	garbage := flag.Bool("litter", false, "leave garbage that refers to what is kept")
	rate := flag.Int("rate", 16<<10, "runtime.MemProfileRate")
	flag.Parse()
	runtime.MemProfileRate = *rate
	cacheSessions(2000 * *scale)
	block(50 * *scale)
	cutPieces(50 * *scale)
	startTimers(200 * *scale)
	makeHooks(500 * *scale)
	chainContexts(200 * *scale)
	generic(300 * *scale)
	mix(300 * *scale)
	linked(20000 * *scale)
	specials(50 * *scale)
	buffers(500 * *scale)
	waste()
	local := map[string]*Session{"local": newSession(7, 1<<20)}
	onStack := [3]*Tiny{{1}, {2}, {3}}
	keepAlive(&onStack)
	ready, buf := []byte("ready\n"), make([]byte, 16)
	settle()
	if *garbage {
		litter()
	}
	// From here on nothing is allocated, so that the last collection is true.
	os.Stdout.Write(ready)
	if *busy {
		go churn()
	}
	for {
		if n, _ := os.Stdin.Read(buf); n <= 0 {
			break
		}
	}
	runtime.KeepAlive(ready)
	runtime.KeepAlive(local)
	keepAlive(&onStack)
}

//go:noinline
func keepAlive(a *[3]*Tiny) int64 { return a[0].V }

// settle collects until finalizers and cleanups have nothing more to do, and
// all goroutines are parked.
func settle() {
	for range 4 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	runtime.GC()
	runtime.GC()
}

// churn allocates and forgets.
func churn() {
	var ring [64]*Session
	for i := 0; ; i++ {
		ring[i%len(ring)] = newSession(i, 512)
	}
}

type User struct {
	Name, Email string
	Age         int
	Friends     []*User
}

type Event struct {
	At  int64
	Msg string
	Src *User
}

type Session struct {
	ID      string
	User    *User
	Attrs   map[string]string
	History []Event
	Tags    []string
	Payload []byte
	Last    time.Time
}

type Cache struct {
	mu   sync.RWMutex
	byID map[string]*Session
	hits int
}

var cache = &Cache{byID: map[string]*Session{}}

//go:noinline
func newSession(i, payload int) *Session {
	u := &User{Name: fmt.Sprintf("user-name-%012d", i), Email: fmt.Sprintf("u%d@example.org", i), Age: i}
	s := &Session{ID: fmt.Sprintf("session-%016d", i), User: u, Attrs: map[string]string{}, Payload: make([]byte, payload)}
	s.Attrs["lang"] = "en"
	s.Attrs["agent"] = fmt.Sprintf("agent/%d.%d", i%7, i%11)
	for j := range 4 {
		s.History = append(s.History, Event{At: int64(j), Msg: fmt.Sprintf("event %d for the session with number %d", j, i), Src: u})
	}
	for j := range 3 {
		s.Tags = append(s.Tags, fmt.Sprintf("tag-%d-%d", i%100, j))
	}
	return s
}

//go:noinline
func cacheSessions(n int) {
	for i := range n {
		s := newSession(i, 1024)
		cache.mu.Lock()
		cache.byID[s.ID] = s
		cache.mu.Unlock()
	}
}

type Request struct {
	ID   int
	Body []byte
	Ctx  context.Context
}

type ctxKey string

var (
	blockCh = make(chan *Request)
	sink    int
)

//go:noinline
func blockedWorker(req *Request, ready *sync.WaitGroup) {
	scratch := make([]byte, 32<<10)
	scratch[0] = 1
	ready.Done()
	r := <-blockCh
	sink += len(scratch) + len(req.Body)
	_ = r
}

//go:noinline
func block(n int) {
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		req := &Request{ID: i, Body: make([]byte, 16<<10), Ctx: context.WithValue(context.Background(), ctxKey("rid"), &User{Name: "req"})}
		go blockedWorker(req, &wg)
	}
	wg.Wait()
}

var (
	heads  [][]byte
	substr []string
)

// cutPieces keeps 16 bytes of 64 KB, and 10 of 8 KB.
//
//go:noinline
func cutPieces(n int) {
	for range n {
		b := make([]byte, 64<<10)
		heads = append(heads, b[100:116])
		l := strings.Repeat("x", 8<<10)
		substr = append(substr, l[10:20])
	}
}

// litter makes and forgets a list of whole arrays of which the service shows
// pieces only, and leaves their addresses behind values that are smaller than
// their slots, as allocations before do.
//
//go:noinline
func litter() {
	all := make([][]byte, 0, 100)
	for _, b := range heads {
		all = append(all, unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&b[0]), -100)), 64<<10))
	}
	for n, i := genLRU.head, 0; n != nil && i < len(all); n, i = n.next, i+1 {
		const size = unsafe.Sizeof(*n)
		if size != 40 { // the slot has 48
			panic(size)
		}
		*(*uintptr)(unsafe.Add(unsafe.Pointer(n), size)) = uintptr(unsafe.Pointer(&all[i][0]))
	}
	sink += len(all[len(all)-1])
	escape = all
	escape = nil
}

var escape [][]byte

var tickers []*time.Ticker

//go:noinline
func startTimers(n int) {
	for range n {
		big := make([]byte, 8<<10)
		time.AfterFunc(24*time.Hour, func() { sink += len(big) + int(big[0]) })
		tickers = append(tickers, time.NewTicker(24*time.Hour))
	}
}

var hooks []func() int

//go:noinline
func makeHooks(n int) {
	for i := range n {
		buf := make([]byte, 2<<10)
		count := i
		u := &User{Name: "closure"}
		hooks = append(hooks, func() int { count++; return count + int(buf[count]) + u.Age })
	}
}

var rootCtx = context.Background()

//go:noinline
func chainContexts(n int) {
	for i := range n {
		rootCtx = context.WithValue(rootCtx, ctxKey(fmt.Sprint(i)), &Request{ID: i, Body: make([]byte, 512)})
	}
}
