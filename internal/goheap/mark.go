package goheap

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// marks is a bit for each slot that can be reached.
type marks struct {
	bits []uint64
	// before is, for each word of bits, how many bits are set before it.
	before []uint32
	count  uint32
	// pointers is, by chunk, how many pointers into the heap the marked objects
	// have: as many edges as there can be. See chunkOf.
	pointers [chunks]uint64
	// near is, for every nearStep-th number, the word of its slot.
	near []uint32
}

// nearStep is how many numbers share an entry of marks.near.
const nearStep = 256

// mark finds all slots that can be reached from the roots. The work is a
// stack for each worker; one that has much gives half of it away when others
// have none. The marks have no numbers yet, see rank.
func (h *heap) mark(list []root, hidden map[uint32]bool, workers int) *marks {
	m := &marks{bits: make([]uint64, len(h.alloc))}
	mk := h.newMarker(m, hidden, workers)
	for i := range list {
		mk.seed(list[i].refs)
	}
	mk.run()
	return m
}

// markFinalized adds those of the late roots whose object is not reached any
// other way, and marks on from them.
func (h *heap) markFinalized(rs *roots, m *marks) {
	for _, late := range rs.late {
		if m.has(late.object - 1) {
			continue
		}
		rs.addUnder(rs.finalizers, late)
		mk := h.newMarker(m, rs.hidden, 1)
		mk.seed(late.refs)
		mk.run()
	}
}

func (h *heap) newMarker(m *marks, hidden map[uint32]bool, workers int) *marker {
	mk := &marker{h: h, hidden: hidden, m: m, workers: workers}
	mk.cond.L = &mk.mu
	return mk
}

// seed marks what roots refer to.
func (mk *marker) seed(refs []ref) {
	for _, r := range refs {
		if mk.set(r.slot) {
			mk.shared = append(mk.shared, r.slot)
		}
	}
}

// run works until nothing is left.
func (mk *marker) run() {
	var wg sync.WaitGroup
	for range mk.workers {
		wg.Go(mk.work)
	}
	wg.Wait()
}

type marker struct {
	h       *heap
	m       *marks
	hidden  map[uint32]bool
	workers int

	mu     sync.Mutex
	cond   sync.Cond
	shared []uint32
	idle   int // workers that have nothing
	hungry atomic.Bool
}

// set marks a slot and reports whether it was not marked before.
func (mk *marker) set(slot uint32) bool {
	w, bit := &mk.m.bits[slot/64], uint64(1)<<(slot%64)
	if atomic.LoadUint64(w)&bit != 0 {
		return false
	}
	return atomic.OrUint64(w, bit)&bit == 0
}

// shareAbove is how much a worker keeps for itself.
const shareAbove = 1 << 10

func (mk *marker) work() {
	var todo []uint32
	var pointers [chunks]uint64
	found := uint64(0)
	h := mk.h
	visit := func(_, p uint64) {
		slot, s := h.find(p)
		if s == nil {
			return
		}
		found++
		if mk.set(slot) && s.mem != nil {
			todo = append(todo, slot)
		}
	}
	defer func() {
		mk.mu.Lock()
		defer mk.mu.Unlock()
		for i, n := range pointers {
			mk.m.pointers[i] += n
		}
	}()
	for {
		if todo = mk.take(todo); len(todo) == 0 {
			return
		}
		for len(todo) > 0 {
			slot := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			i := h.owner[slot/64]
			s := &h.spans[i]
			if s.mem == nil || mk.hidden[slot] {
				continue
			}
			h.pointers(s, slot, visit)
			pointers[h.chunkOf(int(i))] += found
			found = 0
			if len(todo) > shareAbove && mk.hungry.Load() {
				todo = mk.give(todo)
			}
		}
	}
}

// take gets work, and waits for it as long as somebody else has some.
func (mk *marker) take(todo []uint32) []uint32 {
	mk.mu.Lock()
	defer mk.mu.Unlock()
	mk.idle++
	for len(mk.shared) == 0 {
		if mk.idle == mk.workers {
			mk.cond.Broadcast()
			return nil
		}
		mk.hungry.Store(true)
		mk.cond.Wait()
	}
	cut := len(mk.shared) - (len(mk.shared)+mk.workers-1)/mk.workers
	todo = append(todo, mk.shared[cut:]...)
	mk.shared = mk.shared[:cut]
	mk.idle--
	return todo
}

// give puts the older half of the work where others find it.
func (mk *marker) give(todo []uint32) []uint32 {
	half := len(todo) / 2
	mk.mu.Lock()
	mk.shared = append(mk.shared, todo[:half]...)
	mk.hungry.Store(false)
	mk.mu.Unlock()
	mk.cond.Broadcast()
	return todo[:copy(todo, todo[half:])]
}

func (m *marks) has(slot uint32) bool { return m.bits[slot/64]>>(slot%64)&1 != 0 }

// rank counts, so that marked slots have numbers without gaps.
func (m *marks) rank() {
	m.before = make([]uint32, len(m.bits))
	n := 0
	for i, w := range m.bits {
		m.before[i] = uint32(n)
		n += bits.OnesCount64(w)
		for len(m.near)*nearStep < n {
			m.near = append(m.near, uint32(i))
		}
	}
	m.count = uint32(n)
}

// number is how many marked slots come before a slot.
func (m *marks) number(slot uint32) uint32 {
	w := slot / 64
	return m.before[w] + uint32(bits.OnesCount64(m.bits[w]&(1<<(slot%64)-1)))
}

// slot is the marked slot with a number.
func (m *marks) slot(n uint32) uint32 {
	lo, hi := int(m.near[n/nearStep]), len(m.before) // the last word with before <= n
	if next := n/nearStep + 1; next < uint32(len(m.near)) {
		hi = int(m.near[next]) + 1
	}
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) / 2); m.before[mid] <= n {
			lo = mid
		} else {
			hi = mid
		}
	}
	w := m.bits[lo]
	for range n - m.before[lo] {
		w &= w - 1
	}
	return uint32(lo)*64 + uint32(bits.TrailingZeros64(w))
}

// each visits the marked slots of a span.
func (m *marks) each(s *span, visit func(slot uint32)) {
	for w := s.first / 64; w < (s.first+s.count+63)/64; w++ {
		for v := m.bits[w]; v != 0; v &= v - 1 {
			visit(w*64 + uint32(bits.TrailingZeros64(v)))
		}
	}
}
