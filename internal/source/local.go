package source

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// readBuffer is the size of one read, bytes.
const readBuffer = 64 << 10

// file is a regular file.
type file struct {
	path string
}

func (f *file) load(ctx context.Context, s *session, t *tracker, r *Result) error {
	h, err := os.Open(f.path)
	if err != nil {
		return explainFile(err)
	}
	defer h.Close()
	size := int64(0)
	if info, err := h.Stat(); err == nil {
		size = info.Size()
		t.expect(size)
	}
	m := &meter{ctx: ctx, in: h, track: t}
	in, _ := s.readers.Get().(*bufio.Reader)
	if in == nil {
		in = bufio.NewReaderSize(nil, readBuffer)
	}
	defer s.readers.Put(in)
	in.Reset(m)
	head, _ := in.Peek(int(min(max(size, int64(len(perfMagic))), readBuffer)))
	if bytes.HasPrefix(head, []byte(perfMagic)) {
		return s.loadPerf(ctx, f.path, r)
	}
	return s.decode(m, in, r, unpackedSize(h, head, size))
}

// unpackedSize is how large a file of size bytes is once a gzip wrapper is
// off: its trailer says so, modulo 4 GiB. 0 when that cannot be true. head is
// the beginning of the file.
func unpackedSize(h io.ReaderAt, head []byte, size int64) int64 {
	if size < 18 || !bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return size
	}
	var trailer [4]byte
	if int64(len(head)) == size {
		copy(trailer[:], head[size-4:])
	} else if _, err := h.ReadAt(trailer[:], size-4); err != nil {
		return 0
	}
	const maxRatio = 20 // profiles shrink to a fifth or so; more is suspicious
	n := int64(binary.LittleEndian.Uint32(trailer[:]))
	if n < size/2 || n > size*maxRatio {
		return 0
	}
	return n
}

// stream is a named pipe, a /dev/fd/N or a device.
type stream struct {
	path string
}

func (f *stream) load(ctx context.Context, s *session, t *tracker, r *Result) error {
	h, err := openStream(ctx, f.path)
	if err != nil {
		return explainFile(err)
	}
	defer h.Close()
	return s.loadStream(ctx, h, t, r)
}

// stdin is Options.Stdin.
type stdin struct {
	in io.Reader
}

func (f *stdin) load(ctx context.Context, s *session, t *tracker, r *Result) error {
	if h, ok := f.in.(*os.File); ok {
		if info, err := h.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 && info.Mode()&fs.ModeDevice != 0 {
			s.say("Reading a profile from the terminal; end it with the end-of-file key")
		}
	}
	return s.loadStream(ctx, f.in, t, r)
}

func (s *session) loadStream(ctx context.Context, in io.Reader, t *tracker, r *Result) error {
	in, release := interruptible(ctx, in)
	defer release()
	m := &meter{ctx: ctx, in: in, track: t}
	return s.decode(m, bufio.NewReaderSize(m, readBuffer), r, 0)
}

// openStream opens path for reading. Opening a named pipe blocks until somebody
// opens it for writing; when ctx ends first, openStream is that somebody.
func openStream(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	ch := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		ch <- opened{f, err}
	}()
	select {
	case o := <-ch:
		return o.f, o.err
	case <-ctx.Done():
	}
	retry := time.NewTicker(time.Millisecond)
	defer retry.Stop()
	for {
		w, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			w.Close()
		}
		// ENXIO: the reader is not in open yet, or no longer.
		blocked := err != nil && !errors.Is(err, syscall.ENXIO)
		select {
		case o := <-ch:
			if o.f != nil {
				o.f.Close()
			}
			return nil, ctx.Err()
		case <-retry.C:
			if blocked {
				return nil, ctx.Err() // nothing we may do lets it go
			}
		}
	}
}

// interruptible wraps r so that reads end when ctx does. release must be called
// when reading is over. What can be waited for with a deadline (pipes, sockets)
// gets one; what never waits (files, buffers) is left alone; the rest, such as
// a terminal, is read in a goroutine of its own, which after a cancellation
// stays in its read until that returns.
func interruptible(ctx context.Context, r io.Reader) (in io.Reader, release func()) {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return r, func() {}
		}
	}
	if _, ok := r.(interface{ Len() int }); ok {
		return r, func() {}
	}
	if d, ok := r.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Time{}) == nil {
		fired := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(fired)
			_ = d.SetReadDeadline(time.Unix(1, 0))
		})
		return r, func() {
			if !stop() {
				<-fired
				_ = d.SetReadDeadline(time.Time{})
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &pump{ctx: ctx, asked: make(chan int), got: make(chan pumped)}
	go p.run(r)
	return p, cancel
}

// pump reads in a goroutine, one read at a time and only when asked, so it
// takes no byte that nobody wants.
type pump struct {
	ctx   context.Context
	asked chan int // how many bytes
	got   chan pumped
}

type pumped struct {
	data []byte // valid until the next request
	err  error
}

func (p *pump) run(r io.Reader) {
	buf := make([]byte, readBuffer)
	for {
		select {
		case n := <-p.asked:
			n, err := r.Read(buf[:min(n, len(buf))])
			select {
			case p.got <- pumped{buf[:n], err}:
			case <-p.ctx.Done():
				return
			}
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *pump) Read(b []byte) (int, error) {
	select {
	case p.asked <- len(b):
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
	select {
	case g := <-p.got:
		return copy(b, g.data), g.err
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

// isHTML tells whether head begins a web page.
func isHTML(head []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if bytes.HasPrefix(start, []byte(tag)) {
			return true
		}
	}
	return false
}
