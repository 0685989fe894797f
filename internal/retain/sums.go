package retain

import "sort"

// sums are running totals of sizes, in bytes, along the dominator tree: what a
// subtree takes is the difference of two. They are kept modulo 4 GiB, one
// entry a vertex; carries tell the places where the rest of them changes, a
// few for each 4 GiB.
type sums struct {
	low     []uint32 // low[p] is the total of what comes before place p
	carries []carry  // by place
}

// carry says that from a place on the high half of totals is high.
type carry struct{ from, high uint32 }

// newSums makes room for the totals of n sizes.
func newSums(n int) sums { return sums{low: make([]uint32, 1, n+1)} }

// add appends a size; total is that of all before, and what it returns is
// with it.
func (s *sums) add(total, size uint64) uint64 {
	sum := total + size
	if sum>>32 != total>>32 {
		s.carries = append(s.carries, carry{uint32(len(s.low)), uint32(sum >> 32)})
	}
	s.low = append(s.low, uint32(sum))
	return sum
}

// of is the sum of n sizes from place p on.
func (s *sums) of(p, n uint32) uint64 {
	if len(s.carries) == 0 {
		return uint64(s.low[p+n] - s.low[p])
	}
	return s.before(p+n) - s.before(p)
}

// before is the total of what comes before place p.
func (s *sums) before(p uint32) uint64 {
	i := sort.Search(len(s.carries), func(i int) bool { return s.carries[i].from > p })
	if i == 0 {
		return uint64(s.low[p])
	}
	return uint64(s.carries[i-1].high)<<32 | uint64(s.low[p])
}
