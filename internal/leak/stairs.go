package leak

import (
	"math"
	"slices"
)

// stairs is growth in jumps that get larger as they get rarer: a slice, a map
// or a buffer that is copied to a larger one when it is full. What it really
// holds is full just before each jump, and has just begun to fill the room
// behind it: so the levels before and behind the jumps are two lines, and what
// is held lies between them.
type stairs struct {
	// slope is from the line of what is held to that of the room it is given;
	// its value is their geometric mean, which is the mean over a stair.
	slope   Estimate
	n       int     // how many
	factor  float64 // by which each is larger than the one before it
	p       float64 // of stairs so regular by chance
	stopped bool    // the next jump is long overdue
}

// The bounds of what is a stair. A slice grows by a quarter at least, so a
// jump is a fifth of what there is behind it; half of that leaves room for
// other memory of the same path.
const (
	minStairs   = 3
	stairRise   = 0.1
	stairFactor = 1.1  // on average from one jump to the next
	stairBend   = 0.03 // of the variance that the line of the full ones may leave
)

// jump is one stair.
type jump struct {
	i          int
	at         float64
	full, room float64 // before and behind
}

func (u *jump) height() float64 { return u.room - u.full }

// findStairs is nil when s is something else.
func findStairs(s *series) *stairs {
	n := s.len()
	total := s.y[n-1] - s.y[0]
	if total <= 0 || n < minLooks {
		return nil
	}
	all := rising(s.jumps(total))
	m := len(all)
	if m < minStairs || m > n/3 || !s.climbs(all, total) {
		return nil
	}
	at, full, room := make([]float64, m), make([]float64, m), make([]float64, m)
	for k, u := range all {
		at[k], full[k], room[k] = u.at, u.full, u.room
	}
	st := &stairs{n: m, factor: math.Pow(all[m-1].height()/all[0].height(), 1/float64(m-1))}
	between := s.span() / float64(n-1)
	held, given := fit(at, full, nil), fit(at, room, nil)
	spread := held.sse + held.slope*held.slope*held.sxx
	if st.factor < stairFactor || !rarer(at, between) || held.slope <= 0 || held.sse > stairBend*spread {
		return nil
	}
	se := max(math.Sqrt(held.sse/float64(max(1, m-2))/held.sxx), 0.05*held.slope)
	st.slope = Estimate{math.Sqrt(held.slope * given.slope), held.slope - 1.96*se, given.slope + 1.96*se}
	// The last stair is full when the line comes to its level.
	due := (s.y[n-1] - held.at) / held.slope
	st.stopped = s.t[n-1] > at[m-1]+2*(due-at[m-1])
	off := max(math.Sqrt(held.sse/float64(m))/held.slope, between/2)
	st.p = regular(m, off/(at[m-1]-at[0]))
	return st
}

// jumps are the rises that are a part of all there is behind them.
func (s *series) jumps(total float64) []jump {
	base := slices.Min(s.y)
	var out []jump
	for i := 1; i < s.len(); i++ {
		if d := s.y[i] - s.y[i-1]; d > 0.01*total && d > stairRise*(s.y[i]-base) {
			out = append(out, jump{i, (s.t[i-1] + s.t[i]) / 2, s.y[i-1], s.y[i]})
		}
	}
	return out
}

// rising is the end of a list of jumps of which each is higher than the one
// before it: what is small is sampled by chance.
func rising(all []jump) []jump {
	for k := len(all) - 1; k > 0; k-- {
		if all[k].height() < 0.95*all[k-1].height() {
			return all[k:]
		}
	}
	return all
}

// climbs tells whether the growth is that of the stairs, and never falls far:
// neither between them nor before, to begin anew.
func (s *series) climbs(all []jump, total float64) bool {
	first := all[0].i
	up, fall, top := 0.0, 0.0, s.y[first]
	for _, u := range all {
		up += u.height()
	}
	for _, v := range s.y[first:] {
		top = max(top, v)
		fall = max(fall, top-v)
	}
	return up >= 0.8*total && fall <= 0.1*total && slices.Max(s.y[:first]) <= all[0].room
}

// rarer tells that the waits between jumps do not shrink, by more than the
// time between two looks, which is not seen.
func rarer(at []float64, unseen float64) bool {
	for i := 2; i < len(at); i++ {
		if at[i]-at[i-1] < 0.8*(at[i-1]-at[i-2])-unseen {
			return false
		}
	}
	return true
}

// regular is the probability that m jumps come in the order of their heights,
// one in m!, and all but the outer two within off (a part of the time between
// those) of where the line has them: (m-2)! orders of uniform times.
func regular(m int, off float64) float64 {
	order, _ := math.Lgamma(float64(m) + 1)
	inner, _ := math.Lgamma(float64(m) - 1)
	return math.Exp(min(0, inner+float64(m-2)*math.Log(2*off)) - order)
}
