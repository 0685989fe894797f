package goheap

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/profoundhq/profound/internal/retain"
)

// chunks is into how many parts the objects are cut, so that workers that are
// faster do more of them.
const chunks = 64

// part is the edges of a chunk of spans.
type part struct {
	lo, hi  int // spans
	targets []uint32
}

// build makes the graph: roots first, then the marked slots in the order of
// their addresses.
func (h *heap) build(list []root, hidden map[uint32]bool, m *marks, workers int) (*retain.Graph, error) {
	first := uint32(len(list))
	n := uint64(first) + uint64(m.count)
	sizes, offsets := make([]uint32, n), make([]uint32, n+1)
	parts := make([]part, min(chunks, len(h.spans)))
	for i := range parts {
		parts[i].lo, parts[i].hi = i*len(h.spans)/len(parts), (i+1)*len(h.spans)/len(parts)
	}
	var big sync.Map // vertex -> size
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(parts); i = next.Add(1) - 1 {
				h.edges(&parts[i], m, hidden, first, sizes, offsets)
				for j := parts[i].lo; j < parts[i].hi; j++ {
					if s := &h.spans[j]; s.elem >= 1<<32-1 && m.has(s.first) {
						big.Store(first+m.number(s.first), s.elem)
					}
				}
			}
		})
	}
	wg.Wait()
	targets := rootEdges(list, m, offsets)
	total := len(targets)
	for i := range parts {
		total += len(parts[i].targets)
	}
	all := append(make([]uint32, 0, total), targets...)
	for i := range parts {
		all = append(all, parts[i].targets...)
		parts[i].targets = nil
	}
	for i := range offsets[1:] {
		offsets[i+1] += offsets[i]
	}
	g, err := retain.FromCSR(int(first), sizes, offsets, all)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].kind == KindGoroutine {
			g.SetSize(uint32(i), list[i].size)
		}
	}
	big.Range(func(v, size any) bool {
		g.SetSize(v.(uint32), size.(uint64))
		return true
	})
	return g, nil
}

// rootEdges lists the edges of roots: to those below them, and to objects.
func rootEdges(list []root, m *marks, offsets []uint32) []uint32 {
	first := uint32(len(list))
	below := make([][]uint32, len(list))
	for v := 1; v < len(list); v++ {
		p := list[v].parent
		below[p] = append(below[p], uint32(v))
	}
	var targets []uint32
	for v := range list {
		n := len(targets)
		targets = append(targets, below[v]...)
		for i, r := range list[v].refs {
			if i == 0 || r.slot != list[v].refs[i-1].slot {
				targets = append(targets, first+m.number(r.slot))
			}
		}
		offsets[v+1] = uint32(len(targets) - n)
	}
	return targets
}

// edges lists the edges of the objects of a chunk, and sets their sizes and,
// one entry later, how many edges they have. An object's edges to itself, and
// a second one in a row to the same other, are left out.
func (h *heap) edges(p *part, m *marks, hidden map[uint32]bool, first uint32, sizes, offsets []uint32) {
	var self uint32
	prev := ^uint32(0)
	visit := func(_, q uint64) {
		slot, s := h.find(q)
		if s == nil || slot == self || slot == prev || s.pinned && h.pinned[slot] {
			return
		}
		prev = slot
		p.targets = append(p.targets, first+m.number(slot))
	}
	for i := p.lo; i < p.hi; i++ {
		s := &h.spans[i]
		size := uint32(min(s.elem, 1<<32-2))
		for w := s.first / 64; w < (s.first+s.count+63)/64; w++ {
			v := first + m.before[w]
			for b := m.bits[w]; b != 0; b &= b - 1 {
				self, prev = w*64+uint32(bits.TrailingZeros64(b)), ^uint32(0)
				sizes[v] = size
				if n := len(p.targets); s.mem != nil && !hidden[self] {
					h.pointers(s, self, visit)
					offsets[v+1] = uint32(len(p.targets) - n)
				}
				v++
			}
		}
	}
}
