package leaktest_test

import (
	"container/list"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/profoundhq/profound/leaktest"
)

// lru is a bounded cache.
type lru struct {
	order *list.List
	byKey map[string]*list.Element
	size  int
}

func (c *lru) put(key string) {
	c.byKey[key] = c.order.PushFront([]byte(key + key))
	if c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		for k, e := range c.byKey {
			if e == last {
				delete(c.byKey, k)
			}
		}
	}
}

// TestSteady runs what grows at first, or looks like it, and does not leak.
func TestSteady(t *testing.T) {
	for name, steady := range map[string]func(*testing.T){
		"nothing": func(t *testing.T) { leaktest.NoGrowth(t, func(int) {}) },
		"garbage": func(t *testing.T) {
			leaktest.NoGrowth(t, func(round int) { _ = fmt.Sprint(make([]string, 1000), round) })
		},
		"built on first use": func(t *testing.T) {
			var table map[int]string
			leaktest.NoGrowth(t, func(int) {
				if table == nil {
					table = map[int]string{}
					for i := range 10_000 {
						table[i] = fmt.Sprint(i)
					}
				}
			})
		},
		"pool": func(t *testing.T) {
			pool := sync.Pool{New: func() any { return new([4096]byte) }}
			leaktest.NoGrowth(t, func(int) {
				var taken []any
				for range 50 {
					taken = append(taken, pool.Get())
				}
				for _, b := range taken {
					pool.Put(b)
				}
			})
		},
		"bounded cache": func(t *testing.T) {
			c := &lru{list.New(), map[string]*list.Element{}, 100}
			leaktest.NoGrowth(t, func(round int) {
				for i := range 60 {
					c.put(fmt.Sprint(round, "/", i))
				}
			})
		},
		"cache filled before": func(t *testing.T) {
			c := &lru{list.New(), map[string]*list.Element{}, 2000}
			for i := range 2000 {
				c.put(fmt.Sprint("old", i))
			}
			leaktest.NoGrowth(t, func(round int) {
				for i := range 20 {
					c.put(fmt.Sprint(round, "/", i))
				}
			})
		},
		"ring buffer": func(t *testing.T) {
			ring := make([][]byte, 64)
			leaktest.NoGrowth(t, func(round int) {
				for i := range 10 {
					ring[(round*10+i)%len(ring)] = make([]byte, 1000)
				}
			})
		},
		"ticker never stopped": func(t *testing.T) {
			leaktest.NoGrowth(t, func(int) { time.NewTicker(time.Hour) })
		},
		"goroutines that end soon": func(t *testing.T) {
			leaktest.NoGrowth(t, func(int) {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
				go func() {
					<-ctx.Done()
					cancel()
				}()
			})
		},
		"files closed by finalizers": func(t *testing.T) {
			leaktest.NoGrowth(t, func(int) {
				if _, err := os.Open(os.DevNull); err != nil {
					t.Fatal(err)
				}
			})
		},
		"server and client": func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
			defer srv.Close()
			leaktest.NoGrowth(t, func(int) {
				for range 10 {
					resp, err := http.Get(srv.URL)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
				}
			})
			http.DefaultClient.CloseIdleConnections()
		},
		"log and subtests": func(t *testing.T) {
			leaktest.NoGrowth(t, func(round int) {
				t.Logf("round %d", round)
				t.Run("sub", func(t *testing.T) { t.Log("below it") })
				t.Cleanup(func() {})
			})
		},
		"allowed": func(t *testing.T) {
			var kept [][]byte
			leaktest.NoGrowth(t, func(int) { kept = append(kept, make([]byte, 1000)) }, leaktest.MaxGrowth(5000))
		},
		"ignored": func(t *testing.T) {
			var kept [][]byte
			leaktest.NoGrowth(t, func(int) { kept = keep(kept) }, leaktest.Ignore(`leaktest_test\.keep$`), leaktest.Ignore(`TestSteady.*func`))
		},
	} {
		t.Run(name, steady)
	}
}

func keep(kept [][]byte) [][]byte { return append(kept, make([]byte, 1000)) }

// TestNoise checks two steady tests next to one that grows until they are
// done, all in parallel.
func TestNoise(t *testing.T) {
	var steady sync.WaitGroup
	done := make(chan bool)
	steady.Add(2)
	go func() {
		steady.Wait()
		close(done)
	}()
	t.Run("noise", func(t *testing.T) {
		t.Parallel()
		stop := make(chan bool)
		defer close(stop)
		var kept [][]byte
		for pace := time.NewTicker(time.Millisecond); ; {
			select {
			case <-done:
				return
			case <-pace.C:
			}
			kept = append(kept, make([]byte, 10_000))
			runtime.KeepAlive(kept)
			go wait(stop)
			if f, err := os.Open(os.DevNull); err == nil {
				defer f.Close()
			}
		}
	})
	for i := range 2 {
		t.Run(fmt.Sprint("steady", i), func(t *testing.T) {
			t.Parallel()
			defer steady.Done()
			leaktest.NoGoroutines(t)
			leaktest.NoGrowth(t, func(int) {
				done := make(chan []byte)
				go func() { done <- make([]byte, 1000) }()
				<-done
			})
		})
	}
}

func wait(stop chan bool) { <-stop }

// TestNoGoroutines runs what starts goroutines and ends them.
func TestNoGoroutines(t *testing.T) {
	for name, clean := range map[string]func(*testing.T){
		"none": func(*testing.T) {},
		"ends in time": func(*testing.T) {
			stop := make(chan bool)
			for range 10 {
				go wait(stop)
			}
			close(stop)
		},
		"ended by cleanup": func(t *testing.T) {
			stop := make(chan bool)
			go wait(stop)
			t.Cleanup(func() { close(stop) })
		},
		"server": func(t *testing.T) {
			srv := httptest.NewServer(http.NotFoundHandler())
			defer srv.Close()
			resp, err := srv.Client().Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		},
		"ticker": func(*testing.T) { time.NewTicker(time.Hour) },
		"subtest": func(t *testing.T) {
			t.Run("sub", func(t *testing.T) { leaktest.NoGoroutines(t) })
		},
		"then growth": func(t *testing.T) {
			leaktest.NoGrowth(t, func(int) { go func() {}() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.NoGoroutines(t)
			clean(t)
		})
	}
	t.Run("ignored", func(t *testing.T) {
		stop := make(chan bool)
		t.Cleanup(func() { close(stop) })
		leaktest.NoGoroutines(t, leaktest.Ignore(`leaktest_test\.wait$`))
		go wait(stop)
	})
}
