package main

import (
	"fmt"
	"math"
	"runtime"
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

// Beyond what will be in use the collector gets one part in boundSlack, which
// is what it keeps free by itself, and boundBase, for answers; where these need
// lists of all objects, memoryBase and memoryPerList an object.
const (
	boundSlack    = 32
	boundBase     = 8 << 20
	memoryPerList = 12
)

// mayCopy tells whether there is memory for a copy and for reading it. It is
// asked before anything is copied.
func (r *heapReader) mayCopy(n goheap.Need) error {
	r.line.copying(n.Copied)
	read := memoryBase + memoryPerObject*n.Objects
	return enough(n, n.Copied+read, `take a copy with "profound snapshot" and read it on a machine with more, or give this one more`)
}

// mayRead tells whether there is memory to read what is at hand, and lets the
// collector take no more than that, until bound knows better.
func (r *heapReader) mayRead(n goheap.Need) error {
	read := memoryBase + memoryPerObject*n.Objects
	if err := enough(n, read, "read it on a machine with more, or give this one more"); err != nil {
		return err
	}
	r.limit(inUse() + read)
	return nil
}

// bound gives back what reading a heap has left over, and lets the collector
// take no more than what is there and what the analysis will take: without a
// bound, half of all memory could be garbage.
func (r *heapReader) bound(h *goheap.Heap) {
	runtime.GC()
	need := inUse() + h.Graph.Room()
	need += need/boundSlack + boundBase
	if r.o.lists {
		need += memoryBase + memoryPerList*uint64(h.Graph.Vertices())
	}
	r.limit(need)
}

// limit bounds the memory of this process, unless the user has.
func (r *heapReader) limit(bytes uint64) {
	if r.e.getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(int64(bytes))
	r.reset = func() { debug.SetMemoryLimit(math.MaxInt64) }
}

// inUse is what a memory limit counts, without what is free: objects, and what
// the runtime needs for itself.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.Sys - m.HeapSys
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
