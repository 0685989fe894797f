package leaktest

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// waiter is the runtime's function that allocates the record of a goroutine
// that waits at a channel (sudog). The records are used again, by any
// goroutine: one that was allocated in a round lives on when somebody else
// waits with it for long. They say nothing beyond the count of goroutines, and
// a heap profile does not tell them from what the program allocates in the
// same line, since it leaves out the runtime's own frames.
const waiter = "runtime.acquireSudog"

// allocationAt names what is allocated at one line in one size.
func allocationAt(function string, line int64, size int64) string {
	return fmt.Sprintf("%s:%d:%d", function, line, size)
}

// waiters lists where records of waiting goroutines were allocated.
func waiters() map[string]bool {
	found := map[string]bool{}
	records := make([]runtime.MemProfileRecord, 1000)
	n, ok := runtime.MemProfile(records, true)
	for !ok {
		records = make([]runtime.MemProfileRecord, n+n/8)
		n, ok = runtime.MemProfile(records, true)
	}
	for i := range records[:n] {
		r := &records[i]
		if stack := r.Stack(); r.AllocObjects > 0 && throughWaiter(stack) {
			if f, ok := firstOfProgram(stack); ok {
				found[allocationAt(f.Function, int64(f.Line), r.AllocBytes/r.AllocObjects)] = true
			}
		}
	}
	return found
}

// throughWaiter tells whether waiter is among the runtime's frames that end a
// stack.
func throughWaiter(stack []uintptr) bool {
	for _, pc := range stack {
		f := runtime.FuncForPC(pc - 1)
		if f == nil || !strings.HasPrefix(f.Name(), "runtime.") {
			return false
		}
		if f.Name() == waiter {
			return true
		}
	}
	return false
}

// firstOfProgram is the innermost frame that is not the runtime's.
func firstOfProgram(stack []uintptr) (runtime.Frame, bool) {
	frames := runtime.CallersFrames(stack)
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			return f, true
		}
		if !more {
			return f, false
		}
	}
}

// isWaiter tells whether sample i of a heap profile is such a record.
func (s *scope) isWaiter(p *profile.Profile, i int) bool {
	if len(s.waiters) == 0 {
		return false
	}
	for _, loc := range p.Stacks.Of(p.Samples.Stack[i]) {
		for _, line := range p.Locations.LinesOf(loc) {
			return s.waiters[allocationAt(p.FunctionName(line.Function), line.Line, sizeOf(p, i))]
		}
	}
	return false
}

// sizeOf is the size of the objects of sample i of a heap profile, bytes.
func sizeOf(p *profile.Profile, i int) int64 {
	for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
		if p.Str(l.Key) == "bytes" {
			return l.Num
		}
	}
	return 0
}
