package watch

import "github.com/profoundhq/profound/internal/profile"

// kind is what a profile of a look is about.
type kind int

// The kinds, in the order in which they are asked for.
const (
	heap kind = iota
	goroutine
	leaked
	kinds
)

// kindNames are the names in net/http/pprof, which begin the names of files
// too.
var kindNames = [kinds]string{heapProfile, goroutineProfile, leakedProfile}

// kindOf tells the kind by the sample types.
func kindOf(p *profile.Profile) (k kind, ok bool) {
	inuse, alloc := false, false
	for _, t := range p.SampleTypes {
		switch t.Type {
		case "inuse_space":
			inuse = true
		case "alloc_space":
			alloc = true
		case goroutineProfile:
			return goroutine, true
		case leakedProfile:
			return leaked, true
		}
	}
	return heap, inuse && alloc
}
