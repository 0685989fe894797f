package view

import (
	"runtime"
	"sync"
)

// stacksPerWorker is how many stacks are worth a goroutine.
const stacksPerWorker = 1 << 14

// inParts calls f for parts of n stacks, on several processors when there are
// many.
func inParts(n int, f func(from, to int)) {
	parts := max(1, min(runtime.GOMAXPROCS(0), n/stacksPerWorker))
	var wg sync.WaitGroup
	for k := range parts {
		wg.Go(func() { f(k*n/parts, (k+1)*n/parts) })
	}
	wg.Wait()
}
