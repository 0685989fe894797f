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

// chunkOf is the chunk of a span, by its index; chunk is the first span of one.
func (h *heap) chunkOf(span int) int { return span * chunks / len(h.spans) }

func (h *heap) chunk(i int) int { return (i*len(h.spans) + chunks - 1) / chunks }

// part is the edges of a chunk of spans.
type part struct {
	lo, hi  int // spans
	at      int // where in the edges of all there is room for them
	targets []uint32
}

// build makes the graph: roots first, then the marked slots in the order of
// their addresses. Marking has counted the pointers, so that all edges are
// written into one array, and then moved together.
func (h *heap) build(list []root, hidden map[uint32]bool, m *marks, workers int) (*retain.Graph, error) {
	first := uint32(len(list))
	n := uint64(first) + uint64(m.count)
	sizes, offsets := make([]uint32, n), make([]uint32, n+1)
	roots := rootEdges(list, m, offsets)
	parts, room := make([]part, chunks), len(roots)
	for i := range parts {
		parts[i] = part{lo: h.chunk(i), hi: h.chunk(i + 1), at: room}
		room += int(m.pointers[i])
	}
	all := make([]uint32, room)
	total := copy(all, roots)
	var big sync.Map // vertex -> size
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(parts); i = next.Add(1) - 1 {
				p := &parts[i]
				end := p.at + int(m.pointers[i])
				p.targets = all[p.at:p.at:end]
				h.edges(p, m, hidden, first, sizes, offsets)
				for j := p.lo; j < p.hi; j++ {
					if s := &h.spans[j]; s.elem >= 1<<32-1 && m.has(s.first) {
						big.Store(first+m.number(s.first), s.elem)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range parts {
		total += copy(all[total:], parts[i].targets)
	}
	for i := range offsets[1:] {
		offsets[i+1] += offsets[i]
	}
	g, err := retain.FromCSR(int(first), sizes, offsets, all[:total])
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
