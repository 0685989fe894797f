package leak

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// LeastPile is how many goroutines make a pile: they have waited long at one
// place, which is a leak even if it no longer grows. After Uber's LeakProf,
// which looks at thousands; the wait keeps out pools that are busy.
const LeastPile = 1000

const (
	pileTimes   = 20 // the median over all places
	pileMinutes = 10
)

// piles adds a finding for each pile in the dump of waiting goroutines that
// no other finding has.
func (j *judge) piles() {
	p := j.o.Clues.Waiting
	if p == nil || len(p.Samples.Values) == 0 {
		return
	}
	long := waitedLong(j)
	type place struct {
		path    []Frame
		n, all  int64
		biggest int64
	}
	places := map[Frame]*place{}
	for i := range p.Samples.Len() {
		frames := framesOf(p, p.Samples.Stack[i])
		path := untilRuntime(frames)
		if len(path) == 0 {
			continue
		}
		at := path[len(path)-1]
		if len(path) > 1 {
			at = path[len(path)-2] // who calls the runtime's wait
		}
		pl := places[at]
		if pl == nil {
			pl = &place{}
			places[at] = pl
		}
		n := p.Samples.Values[0][i]
		pl.all += n
		if long[p.Samples.Labels[i]] {
			pl.n += n
			if n > pl.biggest {
				pl.biggest, pl.path = n, path
			}
		}
	}
	var counts []float64
	for _, pl := range places {
		counts = append(counts, float64(pl.all))
	}
	if len(counts) == 0 {
		return
	}
	least := max(LeastPile, pileTimes*median(counts))
	var found []*place
	for _, pl := range places {
		if float64(pl.n) >= least {
			found = append(found, pl)
		}
	}
	slices.SortFunc(found, func(a, b *place) int {
		switch {
		case a.n != b.n:
			return int(b.n - a.n)
		case before(a.path, b.path):
			return -1
		}
		return 1
	})
	for _, pl := range found {
		j.pile(pl.path, float64(pl.n))
	}
}

// waitedLong tells for each label set of the dump whether its goroutines have
// waited for longer than a busy pool would.
func waitedLong(j *judge) []bool {
	p := j.o.Clues.Waiting
	long := make([]bool, p.LabelSets.Len())
	for i := range long {
		for _, l := range p.LabelSets.Of(profile.LabelSetID(i)) {
			if p.Str(l.Key) == "wait" && l.Str == 0 && l.Num > pileMinutes {
				long[i] = true
			}
		}
	}
	return long
}

// pile adds the finding for one pile, unless a leak of the same goroutines
// was found already.
func (j *judge) pile(path []Frame, n float64) {
	var by *Frame
	if strings.HasPrefix(path[0].Function, createdName) {
		path[0].Function = strings.TrimPrefix(path[0].Function, createdName)
		by, path = &path[0], path[1:]
	}
	if len(path) == 0 {
		return
	}
	for i := range j.v.Findings {
		if f := &j.v.Findings[i]; f.Resource == Goroutines && f.Class == Leak && len(f.Path) > 0 && f.Path[0].Function == path[0].Function {
			return
		}
	}
	none := nothing()
	f := Finding{
		Resource: Goroutines, Class: Leak, Reason: Reason{Code: Piled}, Level: Inferred, Path: path,
		Blame: blame(path), BlameLevel: Certain, Before: unknown(), After: Estimate{n, n, n},
		Slope: none.slope, Keeps: none.keeps, Samples: int(n), P: 1, Plateau: none.plateau, Cause: -1,
	}
	if f.Blame < 0 && by != nil {
		by.Own = isOwn(by.Function, by.File)
		f.Origin = []Frame{*by}
	}
	j.v.Findings = append(j.v.Findings, f)
}
