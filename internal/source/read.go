package source

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/format"
)

// decode turns what in still has into the profile of r. m is the meter under
// in: what it met is the reason of a failure, whatever the decoder made of it.
func (s *session) decode(m *meter, in io.Reader, r *Result, size int64) error {
	scratch, _ := s.scratch.Get().(*format.Scratch)
	if scratch == nil {
		scratch = &format.Scratch{}
	}
	defer s.scratch.Put(scratch)
	p, kind, err := format.Decode(in, "", format.Options{MaxBytes: s.opt.MaxBytes, SizeHint: size, Scratch: scratch, Lend: s.lend, Discreet: s.opt.Discreet})
	if err != nil {
		if m.err != nil {
			return m.err
		}
		return err
	}
	r.Profile, r.Kind = p, kind
	return nil
}

// meter is the lowest reader of every source: it ends with ctx, counts, and
// remembers what went wrong below the decoder.
type meter struct {
	ctx    context.Context
	in     io.Reader
	track  *tracker
	onRead func(n int) // may be nil
	err    error       // the first error that is not io.EOF
}

func (m *meter) Read(p []byte) (int, error) {
	if err := context.Cause(m.ctx); err != nil {
		return 0, m.fail(err)
	}
	n, err := m.in.Read(p)
	if n > 0 {
		m.track.add(n)
		if m.onRead != nil {
			m.onRead(n)
		}
	}
	if err != nil && err != io.EOF {
		if cause := context.Cause(m.ctx); cause != nil {
			err = cause
		}
		err = m.fail(err)
	}
	return n, err
}

func (m *meter) fail(err error) error {
	if m.err == nil {
		m.err = err
	}
	return err
}

// eventBytes is how much is read between two progress events of one source.
const eventBytes = 256 << 10

// tracker reports one source as Events.
type tracker struct {
	s        *session
	mu       sync.Mutex
	event    Event
	reported int64
}

// silent is a tracker nobody listens to, for what is read besides the source.
func silent() *tracker { return &tracker{s: &session{}} }

// expect notes how many bytes there will be.
func (t *tracker) expect(total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.event.Total = total
}

func (t *tracker) add(n int) {
	t.update(func(e *Event) bool {
		e.Bytes += int64(n)
		e.Wait = 0
		if e.Bytes-t.reported < eventBytes {
			return false
		}
		t.reported = e.Bytes
		return true
	})
}

func (t *tracker) done() {
	t.update(func(e *Event) bool {
		e.Wait, e.Done = 0, true
		return true
	})
}

// update changes the event and tells it if change says so. Nothing is told
// after Done. The event goes out under the lock, so events cannot overtake one
// another.
func (t *tracker) update(change func(*Event) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.event.Done && change(&t.event) {
		t.s.tell(t.event)
	}
}

// bytes is how many were read so far.
func (t *tracker) bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.event.Bytes
}

// countdown tells every second how much of wait is left, until it is over or
// stop is called. It needs a clock and somebody who listens.
func (t *tracker) countdown(wait time.Duration) (stop func()) {
	opt := &t.s.opt
	if wait <= 0 || opt.Now == nil || opt.Progress == nil {
		return func() {}
	}
	var mu sync.Mutex // orders tick and stop; held around the timer only
	stopped := false
	var stopTimer func() bool
	begin := opt.Now()
	var tick func()
	tick = func() {
		left := max(0, wait-opt.Now().Sub(begin))
		mu.Lock()
		if stopped {
			mu.Unlock()
			return
		}
		if left > 0 {
			stopTimer = opt.AfterFunc(min(left, time.Second), tick)
		}
		mu.Unlock()
		t.update(func(e *Event) bool {
			e.Wait = left
			return e.Bytes == 0
		})
	}
	tick()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if stopTimer != nil {
			stopTimer()
		}
	}
}

// grace is what pprof adds to every timeout.
const grace = 5 * time.Second

// slowest is the transfer rate, bytes a second, at which an answer may go on
// beyond its timeout.
const slowest = 16 << 10

// errSlow is the cancellation cause of a watchdog.
var errSlow = errors.New("timeout")

// watchdog cancels a request that takes too long. pprof bounds either the wait
// for the answer only (go tool pprof), which never ends an endless answer, or
// the whole transfer (the upstream tool), which cuts off a large profile over a
// slow line. Here the answer must begin within the limit, and end within the
// same time again plus a second for every slowest bytes: whoever sends with
// reasonable speed is left alone, whoever dribbles is not.
type watchdog struct {
	limit     time.Duration
	cancel    context.CancelCauseFunc
	afterFunc func(time.Duration, func()) func() bool

	mu      sync.Mutex
	stop    func() bool
	granted time.Duration // in this phase
	got     int64         // bytes of the answer
	phase   int
}

func watch(opt *Options, limit time.Duration, cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{limit: limit, cancel: cancel, afterFunc: opt.AfterFunc}
	w.next()
	return w
}

// next begins a phase: the wait for the answer, then the answer.
func (w *watchdog) next() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		w.stop()
	}
	w.phase++
	w.granted = 0
	w.arm(w.limit)
}

func (w *watchdog) arm(d time.Duration) {
	w.granted += d
	phase := w.phase
	w.stop = w.afterFunc(d, func() { w.fire(phase) })
}

func (w *watchdog) fire(phase int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if phase != w.phase {
		return
	}
	if allowed := w.limit + time.Duration(w.got/slowest)*time.Second; allowed > w.granted {
		w.arm(allowed - w.granted)
		return
	}
	w.cancel(errSlow)
}

// read notes n bytes of the answer.
func (w *watchdog) read(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got += int64(n)
}

// end stops the watch.
func (w *watchdog) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase = -1
	w.stop()
}
