//go:build linux && (amd64 || arm64)

package proc

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

const (
	// pagePresent are the bits of an entry of /proc/PID/pagemap of which none is
	// set for a page that is neither in memory nor swapped out.
	pagePresent = 3 << 62
	// shortGap is how many pages that nobody has touched are copied with those
	// around them: a call of its own costs more.
	shortGap = 16
)

// present returns the parts of ranges that have been touched: private memory
// without a file reads as zero before, and programs may have much of it
// (crypto of Go 1.24 and later has 32 MB of variables for a mode that is
// seldom on). Ranges are as joined makes them. Where the kernel does not tell,
// all is taken for touched.
func present(pid int, ranges []Range, maps []Mapping, page uint64) []Range {
	f, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return ranges
	}
	defer f.Close()
	var out []Range
	add := func(lo, hi, gap uint64) {
		if n := len(out); n > 0 && out[n-1].End+gap >= lo {
			out[n-1].End = hi
		} else {
			out = append(out, Range{lo, hi})
		}
	}
	buf := make([]byte, 64<<10)
	i := 0
	for _, r := range ranges {
		from := len(out) // parts of different ranges stay apart
		for i < len(maps) && maps[i].End <= r.Start {
			i++
		}
		for j := i; j < len(maps) && maps[j].Start < r.End; j++ {
			lo, hi := max(r.Start, maps[j].Start), min(r.End, maps[j].End)
			if !maps[j].zeroed() {
				add(lo, hi, 0)
				continue
			}
			for lo < hi {
				b := buf[:min(uint64(len(buf)), (hi-lo)/page*8)]
				if _, err := f.ReadAt(b, int64(lo/page*8)); err != nil || len(b) == 0 {
					add(lo, hi, 0)
					break
				}
				for ; len(b) > 0; b, lo = b[8:], lo+page {
					if binary.LittleEndian.Uint64(b)&pagePresent == 0 {
						continue
					}
					gap := shortGap * page
					if len(out) == from {
						gap = 0
					}
					add(lo, lo+page, gap)
				}
			}
		}
	}
	return out
}

// zeroed tells whether pages of the mapping are zero until they are touched.
func (m *Mapping) zeroed() bool {
	return m.Perm&Shared == 0 && (m.File == "" || strings.HasPrefix(m.File, "[anon:"))
}
