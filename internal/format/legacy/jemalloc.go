package legacy

import (
	"bytes"
	"io"
	"regexp"
	"strconv"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A heap dump of jemalloc (prof.dump, jeprof):
//
//	heap_v2/524288
//	  t*: 28106: 56637512 [0: 0]
//	  t0: 28106: 56637512 [0: 0]
//	@ 0x5f86da 0x5f5a1d 0x7f47a543
//	  t*: 13: 6688 [0: 0]
//	  t0: 13: 6688 [0: 0]
//	MAPPED_LIBRARIES:
//
// that is: mean bytes between two samples, then for each stack (return
// addresses, leaf first) live objects: live bytes [all objects: all bytes],
// first of all threads together, then of each. The brackets are 0 unless
// jemalloc ran with prof_accum. Values are samples; they are scaled up like
// those of a heapz_v2 text, as jeprof does.
var (
	jemallocHeader = regexp.MustCompile(`^heap_v2/(\d+)\s*$`)
	jemallocValues = regexp.MustCompile(`^\s*t(\*|\d+): *(-?\d+): *(-?\d+) *\[ *(-?\d+): *(-?\d+) *\]`)
)

// LooksJemalloc knows a jemalloc heap dump by its first line.
func LooksJemalloc(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return jemallocHeader.Match(line)
}

// DecodeJemalloc reads a heap dump of jemalloc. The shares of the threads are
// left out: jemalloc numbers threads, and the numbers mean nothing outside.
func DecodeJemalloc(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	in.Next()
	f := jemallocHeader.FindSubmatch(in.Bytes())
	if f == nil {
		return nil, headerError(in, `"heap_v2/RATE"`)
	}
	rate, err := strconv.ParseInt(string(f[1]), 10, 64)
	if err != nil {
		return nil, in.Errorf("rate does not fit in 64 bits")
	}
	d := jemallocDump{in: in, rate: rate}
	if err := d.read(); err != nil {
		return nil, err
	}
	t := heapTable(rate, d.hasAlloc, count("inuse_objects"), bytesOf("inuse_space"))
	for _, s := range d.stacks {
		values := s.values[:2]
		if d.hasAlloc {
			values = []int64{s.values[2], s.values[3], s.values[0], s.values[1]}
		}
		row := t.add(d.addrs[s.first:s.end], adjustAll, values...)
		row.blockSize, row.hasBlock = s.block, true
	}
	if err := t.readTail(in); err != nil {
		return nil, err
	}
	p, err := t.finish(false)
	if err == nil {
		p.DropFrames += `|je_.*|prof_backtrace.*|mallocx|rallocx|xallocx|aligned_alloc|newImpl.*|fallback_impl.*`
	}
	return p, err
}

// jemallocDump collects the stacks of a dump, because only the last line
// tells whether there are allocated values.
type jemallocDump struct {
	in       *lines.Reader
	rate     int64
	addrs    []uint64
	stacks   []jemallocStack
	hasAlloc bool
}

type jemallocStack struct {
	first, end int      // addrs[first:end]
	values     [4]int64 // live objects and bytes, all objects and bytes
	block      int64
}

// read reads up to the memory map.
func (d *jemallocDump) read() error {
	in := d.in
	first, open := 0, false
	for in.Next() && !isMapStart(in.Bytes()) {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if line[0] == '@' {
			var err error
			first, open = len(d.addrs), true
			if d.addrs, err = hexAddresses(in, d.addrs, line); err != nil {
				return err
			}
			continue
		}
		f := jemallocValues.FindSubmatch(line)
		if f == nil {
			return in.Bad(`"@ 0xADDRESS ..." or "t*: N: BYTES [N: BYTES]"`)
		}
		// The lines before the first stack are totals, those with a number
		// the shares of a thread.
		if !open || string(f[1]) != "*" {
			continue
		}
		open = false
		s := jemallocStack{first: first, end: len(d.addrs)}
		for i := range s.values {
			var err error
			if s.values[i], err = strconv.ParseInt(string(f[2+i]), 10, 64); err != nil {
				return in.Errorf("value does not fit in 64 bits: %s", lines.Quote(line))
			}
		}
		d.add(s)
	}
	return in.Err()
}

func (d *jemallocDump) add(s jemallocStack) {
	for _, i := range []int{2, 0} {
		objects, size := s.values[i], s.values[i+1]
		if objects == 0 {
			continue
		}
		s.block = size / objects
		s.values[i], s.values[i+1] = unsample(objects, size, d.rate)
	}
	d.hasAlloc = d.hasAlloc || s.values[2] != 0 || s.values[3] != 0
	d.stacks = append(d.stacks, s)
}
