package leak

import "time"

// Level is how much a statement rests on.
type Level uint8

// The levels of evidence.
const (
	Inferred Level = iota // from names and shapes
	Tested                // by a statistical test, with its error rate
	Certain               // by exact counts or by the runtime itself
)

// Estimate is a number with its 95 % interval. All NaN when unknown.
type Estimate struct{ Value, Low, High float64 }

// Frame is one call of a path.
type Frame struct {
	Function, File string
	Line           int64
	Own            bool // code of the program itself
}

// Branch is one of several calls below a finding between which its growth is
// divided; or one of several kinds of goroutine that are started together.
type Branch struct {
	Path  []Frame // below the finding's own path; of a kind of goroutine, from its entry
	Share float64 // of the growth, 0..1
}

// Verdict is the judgement on a run.
type Verdict struct {
	// From and To are the first and the last look; Looks how many there were,
	// Targets how many replicas.
	From, To time.Time
	Looks    int
	Targets  int
	// Findings are leaks first, then what may become one, causes before
	// effects and steeper before flatter; at the end what grew and is none.
	Findings []Finding
	// Totals is one finding for each resource as a whole (the heap, all
	// goroutines ...), with its series; in the order of Resource.
	Totals []Finding
	// Restarts is how often a target began anew: another process, build or
	// sampling rate. What was before is judged as a run of its own.
	Restarts int
	// Forecast is when memory runs out; nil when nothing grows or the limit is
	// unknown.
	Forecast *Forecast
	// Ledger splits resident memory; nil when it is not known.
	Ledger *Ledger
	// Earliest is when a verdict will be possible at all, if it is too early.
	Earliest time.Time
	// Warnings are what was wrong with the looks: restarts, gaps, clocks,
	// builds, other programs' profiles.
	Warnings []error
}

// Worst is the class of the gravest finding, or why there is none, by the
// totals. A total that grows has a finding, unless another one explains it or
// too little was seen: so it does not count by itself.
func (v *Verdict) Worst() Class {
	worst := Unknown
	for i := range v.Findings {
		worst = max(worst, v.Findings[i].Class)
	}
	for i := range v.Totals {
		if c := v.Totals[i].Class; c < Growing {
			worst = max(worst, c)
		}
	}
	return worst
}

// Finding is the judgement on one series: a path of the heap or of the
// goroutines, or a resource as a whole (empty Path).
type Finding struct {
	Resource Resource
	Class    Class
	// Reason says in numbers why the class is what it is.
	Reason Reason
	Level  Level
	// Path leads from the root to where the growth is, outermost first.
	Path []Frame
	// Blame is the index in Path of the innermost frame of the program's own
	// code, -1 if there is none; of package main's caller instead when Path
	// ends in a helper of another package that it calls directly. BlameLevel
	// is Certain when it is on the stack itself; else it is that of Origin.
	Blame      int
	BlameLevel Level
	// Origin is where the program's own code causes the growth when that is
	// not on Path: who starts the goroutine, who calls the system. Outermost
	// first; nil if unknown or on Path.
	Origin []Frame
	// Below are the calls between which the growth is divided. When several
	// kinds of goroutine are started together, they are one finding, that of
	// the kind which says most: Path, Slope and the levels are of that kind
	// alone, and Below has all kinds with their shares of the goroutines.
	Below []Branch
	// Before and After are the level at the start and at the end of what was
	// judged, bytes or count, with sampling error.
	Before, After Estimate
	// Slope is in bytes or count a second.
	Slope Estimate
	// Keeps is the share kept of what is allocated while growing, 0..1; NaN
	// when not known.
	Keeps float64
	// Samples is how many sampled objects (or exact counts) the growth is; of
	// stairs, how many jumps there were.
	Samples int
	// P is the probability of such growth by chance, before correction for
	// how many paths were tested.
	P float64
	// Since is when the growth began, as far as seen.
	Since time.Time
	// Earliest is when a verdict is possible; Growing only.
	Earliest time.Time
	// Plateau is where the series will settle, and Settles when it is within
	// 5 % of it; Filling only.
	Plateau Estimate
	Settles time.Time
	// Cause is the index in Verdict.Findings of the finding that explains this
	// one, -1 if none: the goroutines that keep the heap.
	Cause int
	// Times and Values are the series, for drawing; Errors the standard error
	// of each value.
	Times          []time.Time
	Values, Errors []float64
}

// Reason is why a class was given.
type Reason struct {
	Code Code
	// Share is the number behind it, if it is a share (of growth explained by
	// load, inside one jump ...).
	Share float64
}

// Code is a stable word for a reason.
type Code string

// The codes, by the classes they go with. A leak has none when it is plain
// growth.
const (
	NoGrowth      Code = "no-growth"       // Steady, Churn, Shrinking
	FollowsLoad   Code = "follows-load"    // Load
	OneJump       Code = "one-jump"        // Step
	Stopped       Code = "stopped"         // Step, Filling
	SlowsDown     Code = "slows-down"      // Filling, Growing
	PlateauAhead  Code = "plateau"         // Filling
	NotEveryRound Code = "not-every-round" // Filling, Growing
	TooFewLooks   Code = "too-few-looks"   // Unknown, Growing
	TooFewSamples Code = "too-few-samples" // Growing
	TooShort      Code = "too-short"       // Growing
	Unconfirmed   Code = "unconfirmed"     // Growing: a shorter run would not have said so
	InStairs      Code = "stairs"          // Leak; Share is by how much each is larger than the one before
	Unreachable   Code = "unreachable"     // Leak: the collector says that they never run again
	Piled         Code = "pile"            // Leak: many wait at one place
)

// Forecast is when memory runs out, were everything to go on like this.
type Forecast struct {
	// Limit is in bytes, and LimitName what sets it: memory.max, -limit,
	// machine, descriptors.
	Limit     float64
	LimitName string
	// Used is what counts against it now.
	Used float64
	// Slope is that of resident memory, bytes a second, from the live heap's
	// through GOGC plus stacks and memory outside the heap.
	Slope Estimate
	// Thrash is when the collector starts to eat the CPU because the live heap
	// reaches GOMEMLIMIT, Throttle when memory.high slows the process, OOM
	// when the kernel kills it. Value, earliest, latest; zero: never or
	// unknown.
	Thrash, Throttle, OOM Date
}

// Date is a moment with its 95 % interval; a zero Latest is "perhaps never".
type Date struct{ Value, Earliest, Latest time.Time }

// IsZero tells that there is no date.
func (d Date) IsZero() bool { return d.Value.IsZero() }

// Ledger splits resident memory into its parts, bytes; they add up to
// Resident. NaN parts are unknown and inside Rest.
type Ledger struct {
	Resident      float64
	LiveHeap      float64
	Garbage       float64
	Fragmentation float64
	Stacks        float64
	Runtime       float64
	OffHeap       float64
	Rest          float64
	// Growth is the slope of each of the parts, bytes a second, in the same
	// order; NaN when unknown.
	Growth [8]float64
}
