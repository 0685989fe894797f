package goheap

// usualRate is what runtime.MemProfileRate is if nobody sets it, in bytes.
const usualRate = 512 << 10

// guessRate finds out how often a program records allocations that does not
// tell, as it is stripped: with the right rate the samples stand for about as
// many bytes as the heap has. It is the usual one unless that is off by more
// than twice.
func (h *Heap) guessRate() int64 {
	stand := func(rate int64) float64 {
		sum := 0.0
		for i := range h.Samples {
			size := h.Buckets[h.Samples[i].Bucket].Size
			sum += weight(size, rate) * float64(size)
		}
		return sum
	}
	have := float64(h.Stats.Bytes)
	if s := stand(usualRate); s > have/2 && s < have*2 {
		return usualRate
	}
	lo, hi := int64(1), int64(1)<<40
	for lo < hi { // what samples stand for grows with the rate
		if mid := (lo + hi) / 2; stand(mid) < have {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
