package leak

import (
	"fmt"
	"time"
)

// maxGaps bounds how many gaps are listed, gapTimes is how much longer than
// usual a wait is one.
const (
	maxGaps  = 3
	gapTimes = 5
)

// remarks says what the judgement leaves out, and where nobody looked.
func (j *judge) remarks() {
	tr := j.trees[heapStream]
	if tr == nil {
		tr = j.trees[goroutineStream]
	}
	if tr == nil || j.h.rounds {
		return
	}
	warn := func(format string, args ...any) {
		j.v.Warnings = append(j.v.Warnings, fmt.Errorf(format, args...))
	}
	builds := map[string]bool{}
	for _, t := range j.h.targets {
		for _, s := range t.segs {
			builds[s.build] = true
		}
	}
	first, last := j.h.moment(tr.p.t[0]), j.h.moment(tr.p.t[len(tr.p.t)-1])
	if n := len(builds); n > 1 {
		warn("of %d builds one is judged, seen from %s to %s; judge the others by their own profiles", n, first.Format(time.DateTime), last.Format(time.DateTime))
	}
	gaps := 0
	for _, t := range j.h.targets {
		if t.anew > 1 {
			warn("%s: began anew %d times, in %d looks%s", t.label(), t.anew, t.looks(), t.balanced())
		}
		for _, s := range t.segs {
			for _, i := range s.gaps() {
				if gaps++; gaps <= maxGaps {
					warn("%s: no look between %s and %s; what grew meanwhile is seen, its shape is not", t.label(),
						j.h.moment(s.looks[i]).Format(time.DateTime), j.h.moment(s.looks[i+1]).Format(time.DateTime))
				}
			}
		}
	}
}

// gaps are the looks after which there was none for much longer than usual.
func (s *segment) gaps() []int {
	n := len(s.looks)
	if n < minLooks {
		return nil
	}
	waits := make([]float64, n-1)
	for i := range waits {
		waits[i] = s.looks[i+1] - s.looks[i]
	}
	usual := median(waits)
	var out []int
	for i, w := range waits {
		if w > gapTimes*usual {
			out = append(out, i)
		}
	}
	return out
}

// looks is how many there were in the segments that are left.
func (t *target) looks() (n int) {
	for _, s := range t.segs {
		n += len(s.looks)
	}
	return n
}

// balanced says what it may be when a target begins anew at every few looks.
func (t *target) balanced() string {
	const few = 4
	if len(t.segs) < few || t.looks() > few*len(t.segs) {
		return ""
	}
	return ": if it did not, the address is that of a load balancer; name the replicas behind it one by one"
}
