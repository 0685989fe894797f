package main

import "syscall"

func (system) offHeap() []service {
	return []service{
		{"leak-mmap", 2, nil, true, &mapped{keep: 1 << 20}},
		{"ok-mmap-ring", 2, nil, true, &mapped{keep: 16}},
	}
}

// mapped holds memory outside the heap: it leaks when it keeps more than it
// will ever get, and is a decoy when it gives the oldest back.
type mapped struct {
	keep   int
	blocks [][]byte
}

func (m *mapped) work(i int) {
	b, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return
	}
	fill(b, i)
	m.blocks = append(m.blocks, b)
	if len(m.blocks) > m.keep && syscall.Munmap(m.blocks[0]) == nil {
		m.blocks = m.blocks[1:]
	}
}
