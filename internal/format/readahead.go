package format

import "io"

// readAhead decompresses in a goroutine of its own while the content is being
// decoded: on a large profile each takes about half of the time.
type readAhead struct {
	full chan block    // read, in order
	free chan []byte   // buffers to fill
	stop chan struct{} // closed by close
	done chan struct{} // closed when the goroutine is gone
	cur  block
	rest []byte
}

type block struct {
	data []byte
	err  error
}

const (
	aheadBlock  = 256 << 10
	aheadBlocks = 4
	// aheadLeast is the size from which a second goroutine pays.
	aheadLeast = 4 << 20
)

func newReadAhead(r io.Reader) *readAhead {
	a := &readAhead{
		full: make(chan block, aheadBlocks), free: make(chan []byte, aheadBlocks),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	for range aheadBlocks {
		a.free <- make([]byte, aheadBlock)
	}
	go a.run(r)
	return a
}

func (a *readAhead) run(r io.Reader) {
	defer close(a.done)
	for {
		var buf []byte
		select {
		case <-a.stop:
			return
		case buf = <-a.free:
		}
		n, err := fill(r, buf)
		select {
		case <-a.stop:
			return
		case a.full <- block{buf[:n], err}:
		}
		if err != nil {
			return
		}
	}
}

// fill reads until buf is full or r ends; unlike io.ReadFull it passes the
// error of r on as it is.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var k int
		k, err = r.Read(buf[n:])
		n += k
	}
	return n, err
}

// Read implements io.Reader.
func (a *readAhead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		if a.cur.data != nil {
			a.free <- a.cur.data[:cap(a.cur.data)]
		}
		a.cur = <-a.full
		a.rest = a.cur.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close ends the goroutine and waits for it.
func (a *readAhead) close() {
	close(a.stop)
	<-a.done
}
