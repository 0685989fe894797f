package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/watch"
)

// judgeShare is the part of the time the live view may judge; with long
// histories it judges more rarely.
const judgeShare = 0.05

// lineEvery is how often a line is printed where no view can be drawn.
const lineEvery = 10 * time.Second

// liveView shows a run while it goes on: on a terminal a block that rewrites
// itself, elsewhere a line now and then.
type liveView struct {
	e        *env
	o        *leakOptions
	names    string
	history  *leak.History
	warnings []error
	began    time.Time
	moving   bool

	mu      sync.Mutex
	drawn   int // lines on the terminal
	looks   int
	told    time.Time // of the last line
	judged  time.Time
	cost    time.Duration // of the last judgement
	last    *leak.Verdict
	notes   []string // said while the block is on the terminal
	message string
}

func newLiveView(e *env, o *leakOptions, targets []*watch.Target) *liveView {
	var names []string
	for _, t := range targets {
		names = append(names, t.Name())
	}
	return &liveView{
		e: e, o: o, names: strings.Join(names, ", "), history: leak.NewHistory(), began: e.now(),
		moving: e.stderrTTY && e.stdoutTTY && !o.plain && e.getenv("TERM") != "dumb",
	}
}

func (l *liveView) start() {
	pace := "at a pace of its own"
	if l.o.every > 0 {
		pace = "every " + verdict.Duration(time.Duration(l.o.every))
	}
	l.status(fmt.Sprintf("Watching %s for %s, %s; ctrl-C ends it.", l.names, verdict.Duration(time.Duration(l.o.during)), pace))
}

// status prints a line that is no part of the answer: to standard output for
// people, to standard error beside JSON.
func (l *liveView) status(s string) {
	s = textart.Clean(s)
	if l.o.json {
		l.e.say(s)
		return
	}
	fmt.Fprintln(l.e.stdout, s)
}

// look takes one look in.
func (l *liveView) look(s *watch.Seen) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks++
	l.warnings = append(l.warnings, l.history.Add(s.Look)...)
	now := l.e.now()
	if now.Sub(l.judged) < time.Duration(float64(l.cost)/judgeShare) {
		return nil
	}
	if !l.moving && now.Sub(l.told) < lineEvery && !l.told.IsZero() {
		return nil
	}
	l.last = leak.Judge(l.history, leak.Options{Limit: float64(l.o.limit)})
	l.judged = l.e.now()
	l.cost = l.judged.Sub(now)
	if l.moving {
		l.draw(s.At)
		return nil
	}
	l.told = now
	l.status(l.line(now))
	return nil
}

// line is one line of the plain view.
func (l *liveView) line(now time.Time) string {
	parts := []string{fmt.Sprintf("  %7s", verdict.Duration(now.Sub(l.began).Round(time.Second))), fmt.Sprintf("%3d looks", l.looks)}
	for i := range l.last.Totals {
		f := &l.last.Totals[i]
		if n := len(f.Values); n > 0 {
			parts = append(parts, verdict.ResourceWord(f.Resource)+" "+verdict.Amount(f.Resource, f.Values[n-1]))
		}
	}
	return strings.Join(parts, "  ")
}

// draw replaces the block on the terminal.
func (l *liveView) draw(at time.Time) {
	width := l.e.width()
	if width <= 0 {
		width = 80
	}
	width = max(width-1, 20)
	text := textart.TextOptions{ASCII: l.o.ascii}
	lines := []string{fmt.Sprintf("%s of %s  %d looks", verdict.Duration(l.e.now().Sub(l.began).Round(time.Second)), verdict.Duration(time.Duration(l.o.during)), l.looks)}
	vo := l.o.verdictOptions(l.e, at)
	vo.Width = width
	lines = append(lines, strings.Split(strings.TrimRight(verdict.Totals(l.last, vo), "\n"), "\n")...)
	lines = append(lines, verdict.Wrap("now: "+verdict.Headline(l.last, vo), width)...)
	if l.message != "" {
		lines = append(lines, l.message)
	}
	lines = append(lines, l.notes...)
	var b strings.Builder
	l.clear(&b)
	for _, s := range lines { // names are of others: nothing in them may steer the terminal
		b.WriteString(textart.CutText(textart.Clean(s), width, text) + "\n")
	}
	l.drawn = len(lines)
	fmt.Fprint(l.e.stderr, b.String())
}

// clear removes the block.
func (l *liveView) clear(b *strings.Builder) {
	for range l.drawn {
		b.WriteString("\x1b[A\x1b[2K")
	}
	b.WriteString("\r")
	l.drawn = 0
}

// warn takes what went wrong: shown at once, and again with the verdict.
func (l *liveView) warn(w watch.Warning) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warnings = append(l.warnings, w)
	if l.moving {
		if l.notes = append(l.notes, w.Error()); len(l.notes) > 4 {
			l.notes = l.notes[len(l.notes)-4:]
		}
		return
	}
	l.e.say(textart.Clean(w.Error()))
}

// say shows what is being done after the run.
func (l *liveView) say(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moving && l.last != nil {
		l.message = s
		l.draw(l.e.now())
		return
	}
	l.status("  " + s)
}

// end removes the block; the verdict follows.
func (l *liveView) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moving {
		var b strings.Builder
		l.clear(&b)
		fmt.Fprint(l.e.stderr, b.String())
		return
	}
	if !l.o.json {
		fmt.Fprintln(l.e.stdout)
	}
}
