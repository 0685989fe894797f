package format

import (
	"io"
	"runtime"
	"runtime/metrics"
)

// guard bounds the memory of the text decoders, which build tables of unknown
// size from what they read: a short line can name a new function, location and
// stack. It looks at the heap of the program every guardStep bytes of text and
// ends the input when the heap grew by more than the limit.
type guard struct {
	r      io.Reader
	limit  int64
	base   int64 // heap when reading began
	unseen int   // bytes read since the last look
}

// guardStep keeps what happens between two looks small beside any limit.
const guardStep = 1 << 20

func newGuard(r io.Reader, limit int64) *guard {
	return &guard{r: r, limit: limit, base: heapBytes()}
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if g.unseen += n; g.unseen >= guardStep {
		g.unseen = 0
		if g.over(g.limit) {
			runtime.GC() // some of it is garbage, but how much?
			if g.over(g.limit / 4 * 3) {
				return n, tooLarge(g.limit)
			}
		}
	}
	return n, err
}

func (g *guard) over(limit int64) bool { return heapBytes()-g.base > limit }

// heapBytes is what objects on the heap take, garbage included.
func heapBytes() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
