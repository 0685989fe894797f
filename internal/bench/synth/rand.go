package synth

import "math/bits"

// source is SplitMix64 (Steele, Lea, Flood 2014). Ten lines of our own rather
// than math/rand because the same seed must give the same bytes under every
// Go release.
type source struct{ state uint64 }

func (s *source) next() uint64 {
	s.state += 0x9E3779B97F4A7C15
	return mix(s.state)
}

// mix is the finalizer of SplitMix64: a bijection that scatters its input.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below is a number in [0, n), by the multiply-shift method; its bias of
// n/2^64 is of no interest here.
func (s *source) below(n int) int {
	hi, _ := bits.Mul64(s.next(), uint64(n))
	return int(hi)
}

// skewed is a number in [0, n) that prefers small ones: the smaller of two.
func (s *source) skewed(n int) int { return min(s.below(n), s.below(n)) }
