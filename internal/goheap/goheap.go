// Package goheap reads the Go runtime inside the memory of a process: which
// objects are alive, of which type, who refers to whom, and what the roots
// are. The result is a [Heap]: a retain.Graph, and names for its vertices and
// edges.
//
//	executable ── OpenProgram ──► Program ─┐
//	                                       ├─ Plan ──► ranges to copy
//	memory of the process ── proc.Image ───┤
//	                                       └─ Read ──► Heap: Graph, types, roots, goroutines, samples
//
// Nothing about the runtime's layout is known by heart but what its own DWARF
// says: every field is looked up by name when the program is opened, and one
// that is missing is an error that names it. What changed between Go 1.22 and
// 1.26 is decided by looking at these fields, not by the version number.
//
// The collector's own state is not trusted: objects are marked again, from the
// same roots the collector has (data and bss by their pointer masks, stacks by
// their stack maps, specials, queues). So the set of vertices is what a
// collection at that moment would keep.
//
// Below it is internal/proc, which knows processes and cores and nothing of
// Go, and internal/retain, which knows graphs and nothing of processes.
package goheap

import (
	"errors"

	"github.com/profoundhq/profound/internal/retain"
)

// Errors a caller decides by. Each comes wrapped in one that says more.
var (
	// ErrNotGo says that the executable is no Go program.
	ErrNotGo = errors.New("not a Go program")
	// ErrVersion says that the runtime is older than Go 1.22, or has another
	// shape than any known.
	ErrVersion = errors.New("unsupported Go runtime")
	// ErrProgram says that the process runs another program than the one that
	// was opened.
	ErrProgram = errors.New("not the program of the process")
	// ErrStripped says that the executable has no DWARF, and that OpenProgram
	// needs another program of the same Go that has.
	ErrStripped = errors.New("it has no DWARF")
	// ErrMemory says that memory the analysis cannot do without is not there.
	ErrMemory = errors.New("memory is missing")
)

// Options control Read and Plan. The zero value is fine.
type Options struct {
	// Workers is how many goroutines may work at once; 0 means 2.
	Workers int
	// Contents asks for the bytes of objects without pointers too (strings,
	// buffers). They are needed for duplicate strings only.
	Contents bool
	// SelfContained asks Plan for the read-only parts of the program as well,
	// so that the executable is not needed to read the copy.
	SelfContained bool
	// Progress, if not nil, is told what is being done: a stage such as
	// "types", and how far it is, from 0 to 1.
	Progress func(stage string, share float64)
	// Need, if not nil, is asked by Plan before anything is copied and by Read
	// before anything is marked; its error ends them. It must be quick: while a
	// plan runs, copies of pages pile up.
	Need func(Need) error
}

// Kind tells what a vertex of the graph is.
type Kind uint8

// The kinds of vertices. Those before KindObject are not memory of the heap.
const (
	KindRoot      Kind = iota // the super root, vertex 0
	KindPackage               // all variables of one package
	KindGlobal                // a package variable, or a static value behind one
	KindGroup                 // goroutines in the same state with the same stack
	KindGoroutine             // one goroutine
	KindLocal                 // a variable of a frame, a stack object, registers
	KindSpecial               // finalizers, cleanups, weak handles, queues
	KindRuntime               // the runtime's own variables; rank it last
	KindObject                // an object of the heap
)

// Vertex describes one vertex of the graph.
type Vertex struct {
	Kind Kind
	// Name is what a root is called: "main.cache", "goroutine 12",
	// "main.worker.req"; for an object it is the name of its type, or
	// "48 bytes with pointers" where the type is not known.
	Name string
	// Addr is the address of an object or a global variable, 0 if it has none.
	Addr uint64
	// Size is the number of bytes: of an object its slot, of a goroutine its
	// stack, else 0.
	Size uint64
	// Type is the type of the first element, nil if unknown; Count is how many
	// fit into the object.
	Type  *Type
	Count int
	// Goroutine is the index into Heap.Goroutines of goroutines and locals, or -1.
	Goroutine int
}

// Goroutine is one goroutine that is not dead.
type Goroutine struct {
	ID     uint64
	State  string // "waiting", "running", "runnable", "syscall", "preempted"
	Wait   string // why it waits, in the runtime's words: "chan receive"
	Since  int64  // since when it waits, in the runtime's nanoseconds; 0 if not known
	Stack  []Frame
	Create Frame // the go statement
	// Lo and Hi bound its stack. It is not part of the heap.
	Lo, Hi uint64
	Vertex uint32 // in the graph
	Group  int    // index into Heap.Groups
}

// Frame is one call, inlined ones included.
type Frame struct {
	Func string
	File string
	Line int
}

// Group is a set of goroutines that wait at the same place.
type Group struct {
	Goroutines []int // indexes into Heap.Goroutines
	State      string
	Vertex     uint32
	StackBytes uint64
}

// Sample is an object that the memory profile has recorded and that is alive.
type Sample struct {
	Vertex uint32
	Bucket int // index into Heap.Buckets
}

// Bucket is an allocation site of the memory profile: a stack and a size.
type Bucket struct {
	Stack []Frame // leaf first
	Size  int64   // bytes of an allocation
	// Weight is how many allocations one sample stands for:
	// 1/(1-exp(-size/rate)).
	Weight float64
	// Type is the type allocated there, if the instructions before the call
	// tell; nil otherwise.
	Type *Type
}

// Stats counts what was read; docs/accuracy-of-why.md tells what is normal.
type Stats struct {
	Objects, Bytes           uint64 // reachable
	Allocated                uint64 // slots the allocator has given out, reachable or not
	Missed, MissedBytes      uint64 // given out and not reachable: garbage
	Free                     uint64 // reachable and not given out: an error of ours
	Typed, TypedBytes        uint64
	MaskAgree, MaskDisagree  uint64 // small objects whose type fits their pointer bitmap, and those it was refused for
	Spans                    int
	Frames, Conservative     int // frames, and those searched word by word
	Slots, NamedSlots        int // live pointer slots of frames, and those with a variable
	UnnamedGlobals           int
	Finalizers, Cleanups     int
	WeakHandles, QueuedFuncs int
}

// Heap is what was read out of a process. It is read-only and may be used by
// several goroutines at once, apart from the methods that say otherwise.
type Heap struct {
	// Graph has the vertices: 0 is the super root, then roots, then objects in
	// the order of their addresses.
	Graph *retain.Graph
	// FirstObject is the number of the first vertex that is an object.
	FirstObject uint32
	Goroutines  []Goroutine
	Groups      []Group
	Samples     []Sample
	Buckets     []Bucket
	// Clock is the latest time the runtime has noted, by its own clock, in
	// nanoseconds: it was not earlier when the memory was taken. See
	// Goroutine.Since.
	Clock int64
	// ProfileRate is runtime.MemProfileRate; 0 means that the program does no
	// memory profiling, as those do that never refer to runtime.MemProfile.
	ProfileRate int64
	Stats       Stats
	// Warnings tell what is weaker than it could be, and why.
	Warnings []error

	*reading
}
