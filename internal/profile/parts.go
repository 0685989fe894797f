package profile

import (
	"runtime"
	"sync"
)

// RowsPerPart is how many rows of a table are worth a goroutine.
const RowsPerPart = 1 << 14

// Parts is in how many parts n rows are worth dividing: one for each processor
// when there are many. It may change while the program runs.
func Parts(n int) int { return max(1, min(runtime.GOMAXPROCS(0), n/RowsPerPart)) }

// InParts divides n rows and calls f for each part at the same time: for part k
// of parts, the rows from one to another.
func InParts(n, parts int, f func(k, from, to int)) {
	if parts == 1 {
		f(0, 0, n)
		return
	}
	var wg sync.WaitGroup
	for k := range parts {
		wg.Go(func() { f(k, k*n/parts, (k+1)*n/parts) })
	}
	wg.Wait()
}
