package retain

// bitset is a set of numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(n uint32) bool { return b[n/64]>>(n%64)&1 != 0 }

func (b bitset) set(n uint32) { b[n/64] |= 1 << (n % 64) }

// pageSize is how many numbers a page of a sparse table has.
const pageSize = 1 << 8

type page [pageSize]uint32

// sparse is a table from numbers to numbers that takes room only for the
// neighbourhoods that are used.
type sparse struct{ pages []*page }

// newSparse makes an empty table for numbers below n.
func newSparse(n int) *sparse { return &sparse{make([]*page, n/pageSize+1)} }

func (s *sparse) get(n uint32) (uint32, bool) {
	p := s.pages[n/pageSize]
	if p == nil || p[n%pageSize] == 0 {
		return 0, false
	}
	return p[n%pageSize] - 1, true
}

func (s *sparse) set(n, value uint32) {
	p := &s.pages[n/pageSize]
	if *p == nil {
		*p = new(page)
	}
	(*p)[n%pageSize] = value + 1
}
