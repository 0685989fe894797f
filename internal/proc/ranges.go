package proc

import (
	"cmp"
	"slices"
)

// joined returns the memory that ranges cover, as far as the mappings allow it
// to be read: whole pages, ascending, disjoint, and with no two that touch.
// Mappings ascend.
func joined(ranges []Range, maps []Mapping, page uint64) []Range {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	var out []Range
	add := func(r Range) {
		if n := len(out); n > 0 && out[n-1].End >= r.Start {
			out[n-1].End = max(out[n-1].End, r.End)
		} else if r.Start < r.End {
			out = append(out, r)
		}
	}
	i := 0
	for _, r := range ranges {
		if r.End <= r.Start {
			continue
		}
		start, end := r.Start&^(page-1), r.End
		if end += -end & (page - 1); end < r.End {
			end = ^uint64(0) &^ (page - 1) // at the very end of the addresses
		}
		// Starts ascend, so mappings before i are of no further use.
		for i < len(maps) && maps[i].End <= start {
			i++
		}
		for j := i; j < len(maps) && maps[j].Start < end; j++ {
			if maps[j].readable() {
				add(Range{max(start, maps[j].Start), min(end, maps[j].End)})
			}
		}
	}
	return out
}

// readable tells whether there is memory to copy. What the kernel shows of
// itself cannot be read by another process.
func (m *Mapping) readable() bool {
	return m.Perm&Read != 0 && m.File != "[vvar]" && m.File != "[vvar_vclock]" && m.File != "[vsyscall]"
}

// total is the length of all ranges.
func total(ranges []Range) uint64 {
	var sum uint64
	for _, r := range ranges {
		sum += r.Len()
	}
	return sum
}

// mappingAt returns the mapping that holds the address, nil if none does.
func mappingAt(maps []Mapping, addr uint64) *Mapping {
	i, found := slices.BinarySearchFunc(maps, addr, func(m Mapping, a uint64) int {
		switch {
		case m.End <= a:
			return -1
		case m.Start > a:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &maps[i]
}
