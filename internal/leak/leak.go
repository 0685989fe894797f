// Package leak judges whether what a program holds grows without end: a
// time-ordered run of looks goes in, findings come out. One detector serves
// every resource: bytes of the live heap by allocation stack, goroutines by
// what they run, file descriptors, resident memory, memory outside the heap.
//
//	Look, Look, ... ──► History (columns by stack) ──► Judge ──► Verdict
//	                                                               Findings: what, class, how sure, path, slope
//	                                                               Forecast: when memory runs out
//	                                                               Ledger:   what resident memory is made of
//
// How a series is judged is in classify.go and shape.go, which path is named
// in attribute.go, and who is behind it in causes.go. The statistics are in
// stats.go.
//
// It is pure: no I/O and no clock; times are the collector's. Package watch
// collects looks, package verdict puts a Verdict into words.
//
// What a heap profile contains decides the statistics. Each object of size s
// is sampled with probability p = 1-exp(-s/R), R being the period; the
// profile carries k/p for k sampled objects, so k comes back exactly. The
// same sampled objects are in one profile after the other, so the noise of
// the estimate is not independent over time: a leak of g bytes a second is
// known to sqrt(R*g/T) after T seconds however often one looks.
package leak

import (
	"math"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// Look is what one visit to a target brought. Profiles that were not
// collected are nil.
type Look struct {
	// At is the collector's clock, or the time the profiles themselves state.
	At time.Time
	// Target tells replicas of one program apart: host:port, pid. Looks of one
	// target must come in the order of time.
	Target string
	// Heap is a heap profile with alloc_objects, alloc_space, inuse_objects,
	// inuse_space and the label bytes (the size of an object).
	Heap *profile.Profile
	// Fresh is true when the heap profile is current (gc=1); else it is that
	// of the last finished collection cycle but one at worst.
	Fresh bool
	// Goroutine is a goroutine profile: one count for each stack.
	Goroutine *profile.Profile
	// Leaked is a goroutineleak profile: goroutines that can never run again.
	Leaked *profile.Profile
	// Gauges are what the process and its surroundings tell of themselves.
	Gauges Gauges
}

// Clues are what was asked for once, when there was something to explain.
type Clues struct {
	// Waiting is a goroutine profile with the labels state, created_by and
	// wait (debug=2), or nil.
	Waiting *profile.Profile
	// Trace has, from an execution trace, the stacks that started goroutines
	// (goroutines_created/count) and called the system (syscalls/count), or nil.
	Trace *profile.Profile
}

// Gauge names one number a process tells of itself. Bytes unless said
// otherwise.
type Gauge uint8

// The gauges. The heap's own are those of runtime.MemStats.
const (
	StartTime       Gauge = iota // of the process, seconds since 1970
	StartTicks                   // the same in clock ticks since the boot: the clock may be set, this stays
	ProcessID                    // number of the process
	Resident                     // resident set size
	ResidentPeak                 // largest resident set size so far
	ResidentAnon                 // resident anonymous memory: not files
	Descriptors                  // open file descriptors, count
	DescriptorLimit              // count
	Threads                      // count
	GoroutineCount               // count
	HeapAlloc                    // live objects and garbage not yet swept
	HeapLive                     // marked live by the last collection (runtime/metrics /gc/heap/live:bytes)
	HeapInuse                    // spans in use
	HeapIdle                     // spans not in use
	HeapReleased                 // part of HeapIdle given back to the system
	StackInuse                   // stacks of goroutines
	RuntimeOther                 // Sys without heap and stacks: span structures, GC, buckets of profiles
	Sys                          // all the runtime got from the system
	TotalAlloc                   // allocated since the start, cumulative
	NextGC                       // heap size that starts the next cycle
	NumGC                        // cycles finished, count
	LastGC                       // end of the last cycle, seconds since 1970
	GCCPUFraction                // part of the CPU the collector took since the start, 0..1
	GOGC                         // percent; negative is off
	MemoryLimit                  // GOMEMLIMIT; math.MaxInt64 is none
	GroupMax                     // smallest memory.max up the cgroup tree
	GroupHigh                    // smallest memory.high up the cgroup tree
	GroupCurrent                 // memory.current of the group that has GroupMax
	GroupCache                   // part of GroupCurrent that is files and can be dropped
	NodeMemory                   // memory of the machine
	NodeAvailable                // memory of the machine that is available
	numGauges
)

// Gauges holds one value for each Gauge, NaN when it is not known.
type Gauges [numGauges]float64

// NoGauges knows nothing.
func NoGauges() Gauges {
	var g Gauges
	for i := range g {
		g[i] = math.NaN()
	}
	return g
}

// Has tells whether the value of a gauge is known.
func (g *Gauges) Has(i Gauge) bool { return !math.IsNaN(g[i]) }

// Resource is what can leak.
type Resource uint8

// The resources, causes before effects: a goroutine keeps its descriptor and
// its heap alive.
const (
	Goroutines Resource = iota
	FileDescriptors
	Heap
	OffHeap
	ResidentMemory
)

// Class is the judgement on one series.
type Class uint8

// The classes. Steady to Filling are why something is no leak.
const (
	Unknown   Class = iota // too little seen to say anything
	Steady                 // does not grow
	Churn                  // allocates much, keeps nothing
	Shrinking              // goes down
	Load                   // grows with the load
	Step                   // jumped and stayed
	Filling                // grows towards a plateau
	Growing                // grows, too early to call it a leak
	Leak                   // grows without end
	classCount
)
