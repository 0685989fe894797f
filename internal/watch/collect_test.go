package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	for _, tt := range []struct{ run, want time.Duration }{
		{10 * time.Second, time.Second}, {time.Minute, time.Second}, {5 * time.Minute, 5 * time.Second},
		{time.Hour, time.Minute}, {6 * time.Hour, time.Minute}, {24 * time.Hour, time.Minute}, {7 * 24 * time.Hour, 5 * time.Minute},
	} {
		if got := Pace(tt.run); got != tt.want {
			t.Errorf("Pace(%v) = %v, want %v", tt.run, got, tt.want)
		}
	}
}

// simulate runs a pacer: each look takes took and costs cost. It returns when
// the looks began, in seconds, and how many forced a collection.
func simulate(p Plan, took, cost time.Duration) (begun []float64, forced int, c *pacer) {
	start := time.Unix(1000, 0)
	now := start
	c = newPacer(&p, now)
	for len(begun) < 10_000 {
		begun = append(begun, now.Sub(start).Seconds())
		last := c.isLast(now)
		ask := c.ask(now)
		s := &Seen{Cost: cost}
		if ask.GC {
			s.Forced = 1
			forced++
		}
		now = now.Add(took)
		c.done(s, now)
		if last {
			return begun, forced, c
		}
		now = now.Add(max(0, c.next(now).Sub(now)))
	}
	return begun, forced, c
}

func TestPacerGrid(t *testing.T) {
	minute := Plan{For: time.Minute}
	for _, tt := range []struct {
		name       string
		plan       Plan
		took, cost time.Duration
		looks      int
		forced     int
		second     float64 // when the second look begins
	}{
		{"a minute", minute, 100 * time.Millisecond, 5 * time.Millisecond, 61, 61, 1},
		{"slower than the pace", minute, 2500 * time.Millisecond, 0, 21, 21, 3},
		{"dear: less often", minute, 100 * time.Millisecond, 40 * time.Millisecond, 31, 31, 2},
		{"dearer: less often and without collections", minute, 500 * time.Millisecond, 400 * time.Millisecond, 21, 5, 3},
		{"dear, but always", Plan{For: time.Minute, GC: GCAlways}, 500 * time.Millisecond, 400 * time.Millisecond, 21, 21, 3},
		{"never", Plan{For: time.Minute, GC: GCNever}, 0, 0, 61, 0, 1},
		{"the user's pace stays", Plan{For: time.Minute, Every: 2 * time.Second}, 0, 500 * time.Millisecond, 31, 5, 2},
		{"an end off the grid", Plan{For: 10 * time.Second, Every: 4 * time.Second}, 0, 0, 4, 4, 4},
		{"too long for collections", Plan{For: 2 * time.Hour}, 0, 0, 121, 0, 60},
		{"shorter than the pace", Plan{For: time.Second, Every: time.Minute}, 0, 0, 2, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun, forced, _ := simulate(tt.plan, tt.took, tt.cost)
			if len(begun) != tt.looks || forced != tt.forced || begun[1] != tt.second {
				t.Errorf("%d looks, %d forced, the second at %v; want %d, %d, %v", len(begun), forced, begun[1], tt.looks, tt.forced, tt.second)
			}
			end := tt.plan.For.Seconds()
			if last := begun[len(begun)-1]; begun[0] != 0 || last < end || last > end+3 {
				t.Errorf("first at %v, last at %v, want 0 and %v", begun[0], last, end)
			}
			if tt.plan.Every == 0 && tt.took < 2*time.Second && tt.cost == 0 {
				for _, at := range begun {
					if at != math.Trunc(at) {
						t.Errorf("off the grid: %v", at)
					}
				}
			}
		})
	}
}

// TestPacerOpenEnd runs without an end: the pace gets slower.
func TestPacerOpenEnd(t *testing.T) {
	begun, forced, c := simulate(Plan{}, 0, 0)
	for i, at := range begun {
		if at > 600 {
			if forced < i || forced > i+1 {
				t.Errorf("%d forced in the %d looks of ten minutes", forced, i)
			}
			break
		}
	}
	if c.every != 5*time.Minute || begun[60] != 60 {
		t.Errorf("pace %v at the end; look 60 at %v", c.every, begun[60])
	}
}

func TestPacerAsk(t *testing.T) {
	start := time.Unix(1000, 0)
	c := newPacer(&Plan{For: 3 * time.Hour}, start)
	var leaked, stats []int
	for minute := 0; minute <= 180; minute++ {
		now := start.Add(time.Duration(minute) * time.Minute)
		a := c.ask(now)
		if a.Leaked {
			leaked = append(leaked, minute)
		}
		if a.MemStats {
			stats = append(stats, minute)
		}
		c.done(&Seen{}, now)
	}
	if fmt.Sprint(leaked) != "[0 60 120 180]" || len(stats) != 19 {
		t.Errorf("goroutineleak at %v, memstats %d times", leaked, len(stats))
	}
}

func TestPacerRetry(t *testing.T) {
	start := time.Unix(1000, 0)
	c := newPacer(&Plan{For: time.Hour, Every: 2 * time.Second}, start)
	var waits []time.Duration
	for n := 1; n < 9; n++ {
		waits = append(waits, c.retry(start, n).Sub(start))
	}
	if got := fmt.Sprint(waits); got != "[2s 4s 8s 16s 30s 30s 30s 30s]" {
		t.Errorf("waits %s", got)
	}
	if at := c.retry(start.Add(time.Hour-time.Second), 5); !at.Equal(start.Add(time.Hour)) {
		t.Errorf("beyond the end: %v", at)
	}
	// In a short run it is not given up for a large part of it.
	c = newPacer(&Plan{For: time.Minute}, start)
	if at := c.retry(start, 9); at.Sub(start) != 3*time.Second {
		t.Errorf("short run: %v", at.Sub(start))
	}
}

// TestCollectFailing takes a service through everything that can befall it.
func TestCollectFailing(t *testing.T) {
	c := newClock()
	s := &service{leaked: true}
	target := connect(t, s.start(t, c).URL, options(t, c))
	start := c.Now()
	c.slept = func(now time.Time) {
		switch at := now.Sub(start); {
		case at < 10*time.Second:
			s.answer(nil)
		case at < 20*time.Second:
			s.answer(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", 500) })
		case at < 30*time.Second:
			s.answer(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>login</html>") })
		case at < 40*time.Second:
			s.answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		case at < 45*time.Second:
			s.answer(func(http.ResponseWriter, *http.Request) {})
		default:
			s.answer(nil)
		}
	}
	var ats []time.Duration
	var warned []string
	sum, err := Collect(t.Context(), []*Target{target}, Plan{
		For:  time.Minute,
		Look: func(s *Seen) error { ats = append(ats, s.At.Sub(start)); return nil },
		Warn: func(w Warning) { warned = append(warned, w.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"out of order", "HTML page", "closed the connection", "the answer is empty", "answers again, after 3"} {
		if i >= len(warned) || !strings.Contains(warned[i], want) {
			t.Errorf("warning %d: want %q in %q", i, want, warned)
		}
	}
	if len(warned) != 5 {
		t.Errorf("%d warnings: %q", len(warned), warned)
	}
	if sum.Looks != len(ats) || sum.Looks < 20 || sum.Failed < 10 || len(sum.Gone) != 0 || sum.Interrupted || ats[0] != 0 || ats[len(ats)-1] != time.Minute {
		t.Errorf("%+v, looks at %v", sum, ats)
	}
	if sum.Forced < sum.Looks || sum.GCStopped {
		t.Errorf("%+v", sum)
	}
}

func TestCollectGone(t *testing.T) {
	c := newClock()
	s := &service{}
	server := s.start(t, c)
	target := connect(t, server.URL, options(t, c))
	n := 0
	c.slept = func(time.Time) {
		if n++; n == 3 {
			server.CloseClientConnections()
			server.Close()
		}
	}
	sum, err := Collect(t.Context(), []*Target{target}, Plan{For: time.Minute})
	if err != nil || sum.Looks != 3 || len(sum.Gone) != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	// And now from the beginning.
	sum, err = Collect(t.Context(), []*Target{target}, Plan{For: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "nothing listens on") || sum.Looks != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// TestCollectReplicas watches two targets, each with a clock of its own, so
// that they need not wait for each other.
func TestCollectReplicas(t *testing.T) {
	var targets []*Target
	for range 2 {
		c := newClock()
		s := &service{busy: 0}
		targets = append(targets, connect(t, s.start(t, c).URL, options(t, c)))
	}
	looks := map[string]int{}
	before := map[string]time.Time{}
	sum, err := Collect(t.Context(), targets, Plan{For: 20 * time.Second, Look: func(s *Seen) error {
		looks[s.Target]++
		if !s.At.After(before[s.Target]) {
			t.Errorf("%s: %v after %v", s.Target, s.At, before[s.Target])
		}
		before[s.Target] = s.At
		return nil
	}})
	if err != nil || sum.Looks != 42 || looks[targets[0].Name()] != 21 || looks[targets[1].Name()] != 21 {
		t.Errorf("%+v, %v, %v", sum, err, looks)
	}
}

// TestCollectSlow has a service that takes longer than the pace.
func TestCollectSlow(t *testing.T) {
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	s.busy = 1500 * time.Millisecond
	sum, err := Collect(t.Context(), []*Target{target}, Plan{For: time.Minute, Every: 2 * time.Second})
	if err != nil || sum.Looks < 13 || sum.Looks > 17 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestCollectEnds(t *testing.T) {
	c := newClock()
	s := &service{}
	target := connect(t, s.start(t, c).URL, options(t, c))
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	count := func(*Seen) error {
		if n++; n == 5 {
			cancel()
		}
		return nil
	}
	sum, err := Collect(ctx, []*Target{target}, Plan{Look: count})
	if err != nil || !sum.Interrupted || sum.Looks != 5 {
		t.Errorf("interrupted: %+v, %v", sum, err)
	}
	if sum, err := Collect(ctx, []*Target{target}, Plan{}); !errors.Is(err, context.Canceled) {
		t.Errorf("from the start: %+v, %v", sum, err)
	}
	full := errors.New("enough")
	sum, err = Collect(t.Context(), []*Target{target}, Plan{For: time.Minute, Look: func(*Seen) error { return full }})
	if !errors.Is(err, full) || sum.Looks != 1 || sum.Interrupted {
		t.Errorf("refused: %+v, %v", sum, err)
	}
	if _, err := Collect(t.Context(), nil, Plan{}); err == nil {
		t.Error("no target")
	}
}
