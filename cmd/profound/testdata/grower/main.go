// Grower keeps memory in several ways and keeps more of it for each line it
// reads. The tests of profound why -diff know how much.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	_ "runtime/pprof" // the memory profile is recorded
)

type session struct {
	id   int
	user *[25]int64
}

type entry struct{ text *[8]int64 }

type request struct{ body *[100]int64 }

// server is held by a goroutine only.
type server struct {
	log    []*entry
	stable []*entry
	tables [4]*table
}

type table struct {
	name string
	rows map[int]*entry
}

var (
	cache  = map[int]*session{}
	stable = make([]*session, 0, 3000)
)

//go:noinline
func newSession(id int) *session { return &session{id, new([25]int64)} }

//go:noinline
func newEntry() *entry { return &entry{new([8]int64)} }

//go:noinline
func wait(r *request, never chan struct{}) {
	<-never
	r.body[0]++
}

// grow keeps more: 2,000 sessions, 2,000 lines of the log, 1,000 rows, and 20
// goroutines.
func (s *server) grow() {
	for range 2000 {
		cache[len(cache)] = newSession(len(cache))
		s.log = append(s.log, newEntry())
	}
	for i := range 1000 {
		t := s.tables[i%len(s.tables)]
		t.rows[len(t.rows)] = newEntry()
	}
	for range 20 {
		go wait(&request{new([100]int64)}, make(chan struct{}))
	}
}

//go:noinline
func (s *server) serve(work, done chan struct{}) {
	for range work {
		s.grow()
		runtime.GC()
		done <- struct{}{}
	}
}

func main() {
	runtime.MemProfileRate = 512
	s := &server{}
	for i := range s.tables {
		s.tables[i] = &table{"table", map[int]*entry{}}
	}
	for i := range 3000 {
		stable = append(stable, newSession(i))
		s.stable = append(s.stable, newEntry())
	}
	work, done := make(chan struct{}), make(chan struct{})
	go s.serve(work, done)
	in := bufio.NewScanner(os.Stdin)
	for {
		work <- struct{}{}
		<-done
		fmt.Println("ready")
		if !in.Scan() {
			return
		}
	}
}
