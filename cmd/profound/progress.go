package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/unit"
)

// progressDelay is how long a step may take before it shows progress.
const progressDelay = 300 * time.Millisecond

// progress draws one line about running fetches on a terminal's standard
// error, and nothing anywhere else.
type progress struct {
	mu      sync.Mutex
	e       *env
	start   time.Time
	drawn   time.Time
	sources map[int]source.Event
	shown   bool
}

func newProgress(e *env) *progress {
	return &progress{e: e, start: e.now(), sources: map[int]source.Event{}}
}

func (p *progress) event(ev source.Event) {
	if !p.e.stderrTTY {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sources[ev.Index] = ev
	now := p.e.now()
	if now.Sub(p.start) < progressDelay || now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn, p.shown = now, true
	fmt.Fprintf(p.e.stderr, "\r\x1b[K%s", p.line(now))
}

func (p *progress) line(now time.Time) string {
	var done int
	var bytes int64
	var wait time.Duration
	for _, ev := range p.sources {
		if ev.Done {
			done++
		}
		bytes += ev.Bytes
		wait = max(wait, ev.Wait)
	}
	parts := []string{
		fmt.Sprintf("fetching %d/%d profiles", done, len(p.sources)),
		unit.Label(bytes, "bytes"),
		now.Sub(p.start).Round(time.Second).String(),
	}
	if wait > 0 {
		parts = append(parts, "ready in "+wait.Round(time.Second).String())
	}
	return strings.Join(parts, "  ")
}

// done clears the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.e.stderr, "\r\x1b[K")
		p.shown = false
	}
}
