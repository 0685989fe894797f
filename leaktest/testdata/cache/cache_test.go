package cache

import (
	"fmt"
	"testing"

	"github.com/profoundhq/profound/leaktest"
)

func TestCacheDoesNotGrow(t *testing.T) {
	c := New()
	leaktest.NoGrowth(t, func(round int) {
		for i := range 100 {
			c.Put(fmt.Sprintf("request %d/%d", round, i), make([]byte, 100))
		}
	})
}

func TestCacheStops(t *testing.T) {
	leaktest.NoGoroutines(t)
	c := New()
	c.Put("key", []byte("value"))
}
