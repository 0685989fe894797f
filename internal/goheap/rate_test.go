package goheap

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGuessRate samples objects as the runtime does, and finds the rate again.
func TestGuessRate(t *testing.T) {
	for _, rate := range []int64{1, 512, 16 << 10, usualRate, 8 << 20} {
		rnd := rand.New(rand.NewPCG(1, uint64(rate)))
		h := &Heap{Buckets: []Bucket{{Size: 16}, {Size: 208}, {Size: 4096}, {Size: 1 << 20}}}
		for range 400_000 {
			b := min(3, rnd.IntN(1000)/300)
			if rnd.IntN(1000) > 0 {
				b = min(b, 2)
			}
			size := h.Buckets[b].Size
			h.Stats.Bytes += uint64(size)
			if rnd.Float64() < -math.Expm1(-float64(size)/float64(rate)) {
				h.Samples = append(h.Samples, Sample{Bucket: b})
			}
		}
		got := h.guessRate()
		if share := float64(got) / float64(rate); (share < 0.8 || share > 1.25) && !(rate == 1 && got <= 16) {
			t.Errorf("rate %d, guessed %d of %d samples", rate, got, len(h.Samples))
		}
	}
}
