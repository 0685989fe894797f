package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/profoundhq/profound/internal/reason"
)

// The states of a heap.
const (
	heapNone    = "none"    // the session has none
	heapIdle    = "idle"    // it was not read yet
	heapReading = "reading" // it is being read
	heapReady   = "ready"
	heapFailed  = "failed"
)

// lazyHeap reads a heap once, in the background. A failure is tried again when
// it is asked for again.
type lazyHeap struct {
	open func(context.Context) (*Heap, error)
	// doing says what is being done to read it; plan what reading does to
	// others. Both may be nil; see Input.
	doing func() string
	plan  func(context.Context) (string, error)

	using  sync.Mutex // held by the one who looks at the heap
	mu     sync.Mutex // of what follows
	run    *heapRun   // nil before the first one
	closed bool       // it is not read again
}

// heapRun is one attempt to read a heap. heap and err are set when done is
// closed.
type heapRun struct {
	done   chan struct{}
	cancel context.CancelFunc
	heap   *Heap
	err    error
}

func (r *heapRun) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// start reads the heap unless it is being read or was.
func (l *lazyHeap) start() *heapRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run != nil && (!l.run.over() || l.run.err == nil) {
		return l.run
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &heapRun{done: make(chan struct{}), cancel: cancel}
	if l.closed { // by whom still asks a session that is not open any more
		r.err = errClosed()
		close(r.done)
		return r
	}
	l.run = r
	go func() {
		defer close(r.done)
		defer func() {
			if p := recover(); p != nil {
				r.err = newPanic(p)
			}
		}()
		if r.heap, r.err = l.open(ctx); r.err != nil {
			r.err = fmt.Errorf("read the heap: %w", r.err)
		}
	}()
	return r
}

// started is the attempt there is, nil without one.
func (l *lazyHeap) started() *heapRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.run
}

// state is one of the constants.
func (l *lazyHeap) state() string {
	r := l.started()
	switch {
	case l.open == nil:
		return heapNone
	case r == nil:
		return heapIdle
	case !r.over():
		return heapReading
	case r.err != nil:
		return heapFailed
	}
	return heapReady
}

func (l *lazyHeap) with(ctx context.Context, use func(*Heap) error) error {
	r := l.started()
	if l.plan == nil {
		r = l.start()
	}
	if r == nil {
		return &Error{http.StatusConflict, "the memory of the process was not copied yet", "The view Retention says what copying does to the process, and has the button."}
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	l.using.Lock()
	defer l.using.Unlock()
	if l.started() != r {
		return errClosed()
	}
	return use(r.heap)
}

func errClosed() error {
	return &Error{http.StatusGone, "this session was closed, its heap with it", "Load the page again."}
}

// close gives the heap back, when nobody looks at it any more.
func (l *lazyHeap) close() {
	l.mu.Lock()
	r := l.run
	l.closed = true
	l.mu.Unlock()
	if r == nil {
		return
	}
	if !r.over() {
		r.cancel()
	}
	<-r.done
	defer r.cancel() // a heap can be closed only while its context lasts
	l.using.Lock()
	defer l.using.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.heap != nil && r.heap.Close != nil {
		r.heap.Close()
	}
	l.run = nil
}

// heapView tells how far the heap of a session is.
func heapView() View {
	return View{Name: "heap", Help: "Whether the objects of the process were read: none idle reading ready failed (schema heap/1)", Plain: true, Answer: answerHeap}
}

// HeapState is the answer of heapView.
type HeapState struct {
	Schema string `json:"schema"`
	State  string `json:"state"`
	// Plan says what reading will do to the process; it is read only when
	// asked for by POST. "" for files, which can be read by anybody.
	Plan string `json:"plan,omitempty"`
	// Doing is what is being done.
	Doing string `json:"doing,omitempty"`
	// Error says why it could not be read.
	Error string `json:"error,omitempty"`
	// Summary says what the heap is made of, Taken when (ms since 1970).
	Summary string `json:"summary,omitempty"`
	Objects uint64 `json:"objects,omitempty"`
	Bytes   uint64 `json:"bytes,omitempty"`
	Taken   int64  `json:"taken,omitempty"`
	Program string `json:"program,omitempty"`
	// Earlier is the heap it is compared with, nil without one.
	Earlier  *EarlierHeap `json:"earlier,omitempty"`
	Warnings []string     `json:"warnings"`
}

// EarlierHeap is an earlier heap of the program. Taken is in ms since 1970, 0
// if unknown.
type EarlierHeap struct {
	Taken int64 `json:"taken,omitempty"`
	Memory
}

func answerHeap(ctx context.Context, s *Session, _ *Query) (*Answer, error) {
	l := &s.heap
	a := &HeapState{Schema: "heap/1", State: l.state(), Warnings: []string{}}
	switch a.State {
	case heapIdle, heapFailed:
		if r := l.started(); r != nil {
			a.Error = r.err.Error()
		}
		if l.plan != nil {
			plan, err := l.plan(ctx)
			if err != nil {
				a.State, a.Error = heapFailed, err.Error()
			}
			a.Plan = plan
		}
	case heapReading:
		a.Doing = "reading"
		if l.doing != nil {
			if text := l.doing(); text != "" {
				a.Doing = text
			}
		}
	case heapReady:
		err := s.Heap(ctx, func(h *Heap) error {
			t := h.Total()
			a.Summary, a.Objects, a.Bytes, a.Taken, a.Program = reason.Summary(h.Analysis), t.Objects, t.Bytes, millis(h.Taken), h.Program.Path
			if e := h.Earlier; e != nil {
				a.Earlier = &EarlierHeap{millis(e.Taken), memory(e.Total)}
			}
			a.Warnings = append(a.Warnings, h.remarks()...)
			for _, w := range h.Analysis.Heap.Warnings {
				a.Warnings = append(a.Warnings, w.Error())
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &Answer{JSON: a, Fresh: true}, nil
}

// remarks are about the earlier heap.
func (h *Heap) remarks() []string {
	switch {
	case h.Remark != "":
		return []string{h.Remark}
	case h.Earlier != nil:
		if text := reason.Differ(h.Earlier.Program, h.Program); text != "" {
			return []string{text}
		}
	}
	return nil
}

// readHeap starts to read a heap. It answers at once.
func (s *Server) readHeap(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r.PathValue("session"))
	if err != nil {
		return err
	}
	if !session.HasHeap() {
		return noHeap()
	}
	session.heap.start()
	a, err := answerHeap(r.Context(), session, nil)
	if err != nil {
		return err
	}
	body, kind, err := a.encode(false)
	if err != nil {
		return err
	}
	send(w, r, body, kind)
	return nil
}

func noHeap() error {
	return notFound("Open the process, a core or a snapshot too: profound web PID, or profound snapshot PID and profound web FILE.",
		"profiles do not say which references keep memory alive")
}
