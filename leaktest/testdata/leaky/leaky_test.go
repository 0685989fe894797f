package leaky

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/profoundhq/profound/leaktest"
)

// soon keeps failing tests short.
func soon() leaktest.Option { return leaktest.Settle(50 * time.Millisecond) }

func TestMap(t *testing.T) {
	s := NewStore()
	leaktest.NoGrowth(t, func(round int) {
		for i := range 100 {
			s.Put(fmt.Sprint(round, "/", i))
		}
	}, soon())
}

func TestAppend(t *testing.T) {
	s := NewStore()
	leaktest.NoGrowth(t, func(round int) {
		for i := range 1000 {
			s.Log(int64(i))
		}
	}, soon())
}

func TestSubstring(t *testing.T) {
	s := NewStore()
	leaktest.NoGrowth(t, func(round int) {
		for i := range 20 {
			s.Name(1000*round + i)
		}
	}, soon())
}

func TestGoroutine(t *testing.T) {
	events := make(chan int)
	leaktest.NoGrowth(t, func(int) { Subscribe(events) }, soon())
}

func TestDescriptor(t *testing.T) {
	s := NewStore()
	var files []*os.File
	leaktest.NoGrowth(t, func(int) {
		if err := s.Open(&files); err != nil {
			t.Fatal(err)
		}
	}, soon())
}

// TestTiny leaks one object of 64 bytes a round.
func TestTiny(t *testing.T) {
	var l List
	leaktest.NoGrowth(t, func(int) { l.Push() }, soon())
}

// TestTinyInNoise leaks 6400 bytes in rounds that allocate two megabytes.
func TestTinyInNoise(t *testing.T) {
	var l List
	leaktest.NoGrowth(t, func(int) {
		for range 100 {
			l.Push()
		}
		for range 20_000 {
			sink = make([]byte, 100)
		}
	}, soon())
}

var sink []byte

// TestServer leaks in the handlers of a server started before the check.
func TestServer(t *testing.T) {
	s := NewStore()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		s.Put(fmt.Sprint(n))
	}))
	defer srv.Close()
	leaktest.NoGrowth(t, func(int) {
		for range 10 {
			resp, err := http.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}, soon())
}

func TestRoundFails(t *testing.T) {
	leaktest.NoGrowth(t, func(round int) {
		if round == 3 {
			t.Errorf("round %d went wrong", round)
		}
	})
}

func TestNested(t *testing.T) {
	leaktest.NoGrowth(t, func(int) { leaktest.NoGrowth(t, func(int) {}) })
}

func TestBadOption(t *testing.T) {
	leaktest.NoGrowth(t, func(int) {}, leaktest.Rounds(2), leaktest.Ignore("("))
}

func TestLeftBehind(t *testing.T) {
	leaktest.NoGoroutines(t, soon())
	events := make(chan int)
	for range 3 {
		Subscribe(events)
	}
	Stuck()
	time.AfterFunc(time.Microsecond, func() { <-events })
}

// TestLeftByChild leaves a goroutine whose creator has ended.
func TestLeftByChild(t *testing.T) {
	leaktest.NoGoroutines(t, soon())
	done := make(chan bool)
	go func() {
		Subscribe(make(chan int))
		close(done)
	}()
	<-done
}

func TestParallel(t *testing.T) {
	t.Run("leaves", func(t *testing.T) {
		t.Parallel()
		leaktest.NoGoroutines(t, soon())
		Subscribe(make(chan int))
	})
	t.Run("leaks", func(t *testing.T) {
		t.Parallel()
		s := NewStore()
		leaktest.NoGrowth(t, func(round int) {
			for i := range 100 {
				s.Put(fmt.Sprint(round, "/", i))
			}
		}, soon())
	})
	t.Run("leaks too", func(t *testing.T) {
		t.Parallel()
		var l List
		leaktest.NoGrowth(t, func(round int) {
			done := make(chan bool)
			go func() {
				for range 100 {
					l.Push()
				}
				close(done)
			}()
			<-done
		}, soon())
	})
	t.Run("noise", func(t *testing.T) {
		t.Parallel()
		pace := time.NewTicker(time.Millisecond)
		events := make(chan int)
		defer close(events)
		for i := range 300 {
			<-pace.C
			Subscribe(events)
			sink = make([]byte, 1000*i)
		}
	})
}

// TestEveryThird leaks now and then: a goroutine and a large buffer.
func TestEveryThird(t *testing.T) {
	events := make(chan int)
	var kept [][]byte
	leaktest.NoGrowth(t, func(round int) {
		if round%3 == 0 {
			Subscribe(events)
			kept = append(kept, make([]byte, 1<<20))
		}
	}, soon())
}

// TestRarely grows too rarely to say whether that goes on.
func TestRarely(t *testing.T) {
	var kept [][]byte
	leaktest.NoGrowth(t, func(round int) {
		if round%7 == 0 {
			for range 4 {
				kept = append(kept, make([]byte, 1<<20))
			}
		}
	}, soon())
}
