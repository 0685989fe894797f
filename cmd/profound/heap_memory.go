package main

import (
	"fmt"
	"math"
	"runtime/debug"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/reason"
)

// What it takes to read a heap, bytes: docs/benchmarks.md has what was
// measured. An object has 1.3 references on average.
const (
	memoryBase      = 128 << 20 // program, types, roots
	memoryPerObject = 60 + 2*8
)

// mayCopy tells whether there is memory for a copy and for reading it. It is
// asked before anything is copied.
func (r *heapReader) mayCopy(n goheap.Need) error {
	r.line.copying(n.Copied)
	read := memoryBase + memoryPerObject*n.Objects
	return enough(n, n.Copied+read, `take a copy with "profound snapshot" and read it on a machine with more, or give this one more`)
}

// mayRead tells whether there is memory to read what is at hand, and lets the
// collector take no more than that.
func (r *heapReader) mayRead(n goheap.Need) error {
	read := memoryBase + memoryPerObject*n.Objects
	if err := enough(n, read, "read it on a machine with more, or give this one more"); err != nil {
		return err
	}
	if old := debug.SetMemoryLimit(-1); old == math.MaxInt64 { // else the user has set one
		debug.SetMemoryLimit(int64(read))
		r.reset = func() { debug.SetMemoryLimit(old) }
	}
	return nil
}

// mayWrite tells whether there is memory for a copy that is only written down.
func (r *heapReader) mayWrite(n goheap.Need) error {
	r.line.copying(n.Copied)
	return enough(n, n.Copied, "give it more")
}

// enough compares what is needed with what there is.
func enough(n goheap.Need, need uint64, hint string) error {
	room := proc.Available()
	if need <= room {
		return nil
	}
	what := reason.Count(n.Objects) + " objects"
	if n.Copied > 0 {
		what += ", " + reason.Size(float64(n.Copied)) + " to copy"
	}
	return fmt.Errorf("too little memory: about %s are needed (%s) and %s are left, on the machine or to the cgroup; %s",
		reason.Size(float64(need)), what, reason.Size(float64(room)), hint)
}
