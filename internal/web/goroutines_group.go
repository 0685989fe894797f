package web

import (
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
)

// stackGroup are goroutines with one stack. The group they belong to follows
// from the stack alone, so that profiles that tell states, others that do not,
// and the heap of the process agree on it.
type stackGroup struct {
	stack   []GroupFrame // leaf first
	started string       // who has the go statement, "" if not known
	state   string       // as told, "" if it was not
	wait    int64        // nanoseconds, 0 if not known
	minutes bool         // wait was told in whole minutes
	labels  []string
	count   int64
	blind   bool // no frame of the runtime is named, which would tell the state
}

// groupOfGoroutine is the group of a goroutine of a heap.
func groupOfGoroutine(g *goheap.Goroutine) *stackGroup {
	x := &stackGroup{started: g.Create.Func, state: g.Wait, count: 1, stack: []GroupFrame{}}
	if x.state == "" {
		x.state = g.State
	}
	for _, f := range g.Stack {
		x.stack = append(x.stack, GroupFrame{Function: f.Func, File: f.File, Line: f.Line, Category: report.CategoryFrom(origin.OfFrame(f.Func, f.File))})
	}
	return x
}

// label takes what the labels of a sample tell.
func (g *stackGroup) label(key, text string, num int64) {
	switch key {
	case "state":
		g.state = text
	case "created_by":
		g.started = text
	case "wait":
		g.wait, g.minutes = num*60e9, true
	case "locked_to_thread", "synctest_bubble":
	default:
		if text == "" {
			text = fmt.Sprint(num)
		}
		g.labels = append(g.labels, key+"="+text)
	}
}

// waits tells what a goroutine does by the functions of the runtime and of
// the standard library at its leaf; the first that a frame begins with.
func waits() []struct{ function, state string } {
	return []struct{ function, state string }{
		{"runtime.chanrecv", "chan receive"},
		{"runtime.chansend", "chan send"},
		{"runtime.selectgo", "select"},
		{"runtime.selectnbrecv", "chan receive"},
		{"runtime.block", "select, no cases"},
		{"internal/poll.runtime_pollWait", "IO wait"},
		{"runtime.netpollblock", "IO wait"},
		{"time.Sleep", "sleep"},
		{"sync.(*Mutex).Lock", "lock"},
		{"sync.(*Mutex).lockSlow", "lock"},
		{"internal/sync.(*Mutex).lockSlow", "lock"},
		{"sync.(*RWMutex).", "lock"},
		{"sync.(*WaitGroup).Wait", "sync.WaitGroup"},
		{"sync.(*Cond).Wait", "sync.Cond"},
		{"runtime.notetsleepg", "system call"},
		{"os/signal.signal_recv", "system call"},
		{"syscall.", "system call"},
		{"internal/runtime/syscall.", "system call"},
		{"runtime/pprof.", "running"},
	}
}

// stateWord is what the goroutines do: the first frames that are not the
// program's tell, then what was told.
func (g *stackGroup) stateWord() string {
	parked, table := false, waits()
	for _, f := range g.stack {
		if f.Category == render.CategoryOwn || f.Category == render.CategoryDependency {
			break
		}
		for _, w := range table {
			if strings.HasPrefix(f.Function, w.function) {
				return w.state
			}
		}
		parked = parked || f.Function == "runtime.gopark"
	}
	switch {
	case g.state != "" && !parked && g.state != "waiting":
		return strings.TrimSuffix(g.state, " (leaked)")
	case parked:
		return "waiting"
	case g.blind || len(g.stack) > 0 && g.stack[0].Function == hiddenRuntime:
		return stateUntold
	}
	return "running"
}

// stateUntold is the state of goroutines whose profile does not tell it.
const stateUntold = "state not told"

// hiddenRuntime is what package legacy calls the frames of the runtime that the
// text of ?debug=1 leaves out: at the leaf, where a goroutine waits.
const hiddenRuntime = "runtime.[hidden]"

// namesRuntime tells whether stacks of p have frames of the runtime besides
// those that every goroutine has.
func namesRuntime(p *profile.Profile) bool {
	for _, id := range p.Samples.Stack {
		for _, at := range p.Stacks.Of(id) {
			for _, ln := range p.Locations.LinesOf(at) {
				switch name := p.FunctionName(ln.Function); name {
				case hiddenRuntime, "runtime.goexit", "runtime.main":
				default:
					if strings.HasPrefix(name, "runtime.") {
						return true
					}
				}
			}
		}
	}
	return false
}

// place is the innermost frame of the program's own code, else of a
// dependency or the standard library, else the outermost.
func (g *stackGroup) place() GroupFrame {
	best := GroupFrame{Function: "(no stack)"}
	for i, f := range g.stack {
		switch {
		case f.Category == render.CategoryOwn:
			return f
		case i == 0:
			best = f
		case best.Category == render.CategoryRuntime && f.Category != render.CategoryRuntime:
			best = f
		}
	}
	if best.Category == render.CategoryRuntime { // a worker of the runtime: what it began with tells
		for _, f := range g.stack {
			if f.Function != "runtime.goexit" {
				best = f
			}
		}
	}
	return best
}

// began is the function the goroutines began with.
func (g *stackGroup) began() string {
	for i := len(g.stack) - 1; i >= 0; i-- {
		if f := g.stack[i].Function; f != "runtime.goexit" {
			return f
		}
	}
	return ""
}

// key names the group: "chan receive at main.watch", with the function the
// goroutines began with where that is another.
func (g *stackGroup) key() string {
	at, began := g.place().Function, g.began()
	s := g.stateWord() + " at " + at
	if began != at && began != "" {
		s += " from " + began
	}
	return s
}

// text is the stack as one string.
func (g *stackGroup) text() string {
	var b strings.Builder
	for _, f := range g.stack {
		fmt.Fprintf(&b, "%s:%d\n", f.Function, f.Line)
	}
	return b.String()
}

// sentence says how many goroutines there are, which are most, and what grew.
func (a *Goroutines) sentence() string {
	if len(a.Groups) == 0 {
		return "There are no goroutines."
	}
	s := fmt.Sprintf("%s goroutines", reason.Count(uint64(max(0, a.Count))))
	if a.Count == 1 {
		s = "1 goroutine"
	}
	grown := -1
	for i := range a.Groups {
		if g := &a.Groups[i]; g.Base != nil && (grown < 0 || g.Count-*g.Base > a.Groups[grown].Count-*a.Groups[grown].Base) {
			grown = i
		}
	}
	if a.BaseCount != nil {
		s = fmt.Sprintf("%s, %s in the base", s, reason.Count(uint64(max(0, *a.BaseCount))))
	}
	if grown >= 0 {
		g := &a.Groups[grown]
		if more := g.Count - *g.Base; more > 1 && more > a.Count/50 {
			return fmt.Sprintf("%s: %s more %s at %s.", s, reason.Count(uint64(more)), doing(g.State), origin.ShortName(g.At.Function))
		}
	}
	g := &a.Groups[0]
	return fmt.Sprintf("%s: %s of them %s at %s.", s, reason.Count(uint64(max(0, g.Count))), doing(g.State), origin.ShortName(g.At.Function))
}

// doing puts a state into a sentence.
func doing(state string) string {
	switch state {
	case "running", "waiting":
		return state
	case stateUntold:
		return "in a state that is not told,"
	}
	return "in " + state
}
