package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/profoundhq/profound/internal/reason"
)

// progressLine draws what is being done as one line on a terminal's standard
// error, and nothing anywhere else.
//
// What is done is only remembered by who does it, and drawn by a goroutine of
// its own: a process may be standing still meanwhile, and must not wait for a
// terminal that somebody has stopped.
type progressLine struct {
	out  io.Writer // nil: nothing is drawn
	now  func() time.Time
	what atomic.Pointer[doing]
	size atomic.Uint64 // bytes that are being copied

	mu    sync.Mutex // of out
	shown bool
	stop  func() // ends the goroutine
}

// doing is a step of the work.
type doing struct {
	text  string
	since time.Time
}

// progressEvery is the pace of the line.
const progressEvery = 100 * time.Millisecond

func newProgressLine(e *env, plain bool) *progressLine {
	p := &progressLine{now: e.now}
	if !e.stderrTTY || plain {
		return p
	}
	p.out = e.stderr
	over := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		ticks := time.NewTicker(progressEvery)
		defer ticks.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticks.C:
				p.draw()
			}
		}
	})
	p.stop = sync.OnceFunc(func() {
		close(over)
		drawing.Wait()
	})
	return p
}

// begin tells what is being done from now on.
func (p *progressLine) begin(text string) { p.what.Store(&doing{text, p.now()}) }

// copying tells how much will be copied, in bytes.
func (p *progressLine) copying(bytes uint64) { p.size.Store(bytes) }

// stage is what goheap.Read reports.
func (p *progressLine) stage(name string, _ float64) { p.begin("reading " + name) }

// draw writes the line, once the step has taken a while.
func (p *progressLine) draw() {
	d := p.what.Load()
	if d == nil {
		return
	}
	took := p.now().Sub(d.since)
	p.mu.Lock()
	defer p.mu.Unlock()
	if took < progressDelay && !p.shown {
		return
	}
	p.shown = true
	fmt.Fprintf(p.out, "\r\x1b[K%s", p.text(d, took))
}

// doing is what is being done now, for those who show it themselves.
func (p *progressLine) doing() string {
	d := p.what.Load()
	if d == nil {
		return ""
	}
	return d.text
}

func (p *progressLine) text(d *doing, took time.Duration) string {
	s := d.text
	if n := p.size.Load(); n > 0 && s == "copying" {
		s += " " + reason.Size(float64(n))
	}
	return fmt.Sprintf("%s  %s", s, took.Round(time.Second))
}

// past is the surroundings with a standard error that takes the line away
// before it writes.
func (p *progressLine) past(e *env) *env {
	if p.out == nil {
		return e
	}
	c := *e
	c.stderr = p
	return &c
}

// Write writes past the line.
func (p *progressLine) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.out.Write(b)
}

func (p *progressLine) clear() {
	if p.shown {
		io.WriteString(p.out, "\r\x1b[K")
		p.shown = false
	}
}

// end takes the line away for good. It may be called again.
func (p *progressLine) end() {
	if p.out == nil {
		return
	}
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
