package leak

import "math"

// stairs is growth in jumps that get larger as they get rarer: a slice, a map
// or a buffer that is copied to a larger one when it is full. The points just
// before each jump, when it was full, lie on the line of what it really holds.
type stairs struct {
	trend
	p       float64 // of so straight a line by chance
	stopped bool    // the next jump is long overdue
}

// minStairs is the number of jumps that make stairs.
const minStairs = 3

// findStairs is nil when s is something else.
func findStairs(s *series) *stairs {
	n := s.len()
	total := s.y[n-1] - s.y[0]
	if total <= 0 || n < minLooks {
		return nil
	}
	var at, full []float64
	up, down := 0.0, 0.0
	for i := 1; i < n; i++ {
		d := s.y[i] - s.y[i-1]
		down += max(0, -d)
		if d > 0.01*total {
			up += d
			at, full = append(at, s.t[i]), append(full, s.y[i-1])
		}
	}
	m := len(at)
	if m < minStairs || m > n/4 || up < 0.9*total || down > 0.1*total || !rarer(at) {
		return nil
	}
	res := make([]float64, m)
	l := fit(at, full, res)
	spread := 0.0
	for _, v := range full {
		spread += (v - mean(full)) * (v - mean(full))
	}
	if l.slope <= 0 || l.sse > 0.05*spread {
		return nil
	}
	st := &stairs{p: math.Exp2(-float64(m))}
	se := math.Sqrt(l.sse / float64(max(1, m-2)) / l.sxx)
	// The last stair: full at the earliest now, so what it holds is between
	// the last two levels.
	st.trend = trend{l.slope / max(se, l.slope*1e-3), l.slope, max(se, l.slope*0.05)}
	due := (s.y[n-1] - l.at) / l.slope
	st.stopped = s.t[n-1] > at[m-1]+2*(due-at[m-1])
	if m > 3 {
		// The correlation by Fisher's z, which is normal.
		r := min(0.9999, math.Sqrt(1-l.sse/spread))
		st.p *= normalTail(math.Atanh(r) * math.Sqrt(float64(m-3)))
	}
	return st
}

// rarer tells that the waits between jumps do not shrink.
func rarer(at []float64) bool {
	for i := 2; i < len(at); i++ {
		if at[i]-at[i-1] < 0.8*(at[i-1]-at[i-2]) {
			return false
		}
	}
	return true
}
