// Package leaktest fails a test whose code keeps growing: memory, goroutines,
// open files.
//
//	func TestCacheDoesNotGrow(t *testing.T) {
//		c := cache.New()
//		leaktest.NoGrowth(t, func(round int) {
//			for i := range 100 {
//				c.Put(fmt.Sprint(round, i), make([]byte, 128))
//			}
//		})
//	}
//
//	func TestServerStops(t *testing.T) {
//		leaktest.NoGoroutines(t)
//		s := server.Start()
//		defer s.Stop()
//	}
//
// NoGrowth drives equal rounds of the test's own work, looks at the heap, the
// goroutines and the descriptors after each, and lets the detector of
// profound (package internal/leak) judge what grows from round to round. One
// that grows and stops, as a cache that fills or a pool that warms up, is no
// leak. NoGoroutines wants every goroutine gone that was started during the
// test.
//
//	round ──► collect garbage, let goroutines end ──► look (heap profile, goroutine profile, descriptors)
//	  ▲                                                  │
//	  └────────── more rounds while in doubt ◄── judge ◄─┘
//
// # What counts
//
// While no other test runs, everything in the process counts but for the
// test framework and the runtime. While other tests run in parallel, only
// what is certainly of this test counts: memory allocated in calls from the
// round function, in goroutines it started (they inherit a profiler label
// from it) and in function literals inside it; goroutines it started; no
// descriptors. The test's log says so then.
//
// # The sampling rate
//
// The heap profile is a sample. For the time of the check runtime.MemProfileRate
// is set so fine that a round gives some thousand samples; a round of fewer
// allocations is recorded without gaps, and the verdict is then exact. The
// rate is 0 between the rounds and restored afterwards. Objects born before,
// at the rate of then, are wrongly scaled in profiles taken meanwhile, so only
// births since count, and growth that only replaces older objects is told by
// the exact size of the heap. A profile written by go test -memprofile is
// distorted by the check.
//
// The rate belongs to the process: checks of tests that run in parallel wait
// for each other.
package leaktest
