package legacy

import (
	"bytes"
	"io"
	"math"
	"regexp"
	"strconv"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A heap text of gperftools or of the Go runtime (debug=1):
//
//	heap profile:    144:  8498176 [   144:  8498176] @ heapz_v2/524288
//	     1:     9216 [     1:     9216] @ 0xc635c8 0x42ecc3
//
// that is: live objects: live bytes [allocated objects: allocated bytes] @
// return addresses, leaf first. The word behind the first @ names the origin
// and the mean bytes between two samples.
var (
	heapTotals = `heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *`
	heapHeader = regexp.MustCompile(heapTotals + `(heap[_a-z0-9]*)/?(\d*)`)
	// Growth and fragmentation texts hold exact figures, no samples.
	exactHeader = regexp.MustCompile(`heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] @ (?:growthz?|fragmentationz?)`)
	heapSample  = regexp.MustCompile(`(-?\d+): *(-?\d+) *\[ *(\d+): *(\d+) *\] @`)
)

// heapKind is what the header of a heap text says.
type heapKind struct {
	rate     int64 // mean bytes between two samples; 1 or less: all recorded
	sampled  bool  // values are samples and must be scaled up
	hasAlloc bool  // the bracketed values differ from the others
}

// parseHeapHeader reads the first line.
func parseHeapHeader(line []byte) (k heapKind, ok bool) {
	f := heapHeader.FindSubmatch(line)
	if f == nil {
		return heapKind{rate: 1}, exactHeader.Match(line)
	}
	if len(f[6]) > 0 {
		rate, err := strconv.ParseInt(string(f[6]), 10, 64)
		if err != nil {
			return k, false
		}
		k.rate = rate
	}
	differs := func(alloc, inuse []byte) bool { return !bytes.Equal(alloc, inuse) && string(alloc) != "0" }
	k.hasAlloc = differs(f[3], f[1]) || differs(f[4], f[2])
	switch string(f[5]) {
	case "heapz_v2", "heap_v2":
		k.sampled = true
	case "heapprofile":
		k.rate = 1
	case "heap":
		// Go's debug=1 text says twice its rate.
		k.sampled = true
		k.rate /= 2
	default:
		return k, false
	}
	return k, true
}

// LooksHeap knows a heap, growth or fragmentation text by its first line.
func LooksHeap(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	_, ok := parseHeapHeader(line)
	return ok
}

// heapTable starts a table with the value types of a heap profile.
func heapTable(rate int64, hasAlloc bool, live ...profile.ValueType) *table {
	if hasAlloc {
		// Live values last, because the last type is the default.
		live = []profile.ValueType{count("alloc_objects"), bytesOf("alloc_space"), count("inuse_objects"), bytesOf("inuse_space")}
	}
	return newTable(bytesOf("space"), rate, live...)
}

// DecodeHeap reads a heap, growth or fragmentation text, with the symbols of
// a Go debug=1 text. The runtime.MemStats behind such a text are not kept.
func DecodeHeap(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	in.Next()
	k, ok := parseHeapHeader(in.Bytes())
	if !ok {
		return nil, headerError(in, `"heap profile: N: BYTES [N: BYTES] @ heap/RATE"`)
	}
	t := heapTable(k.rate, k.hasAlloc, count("objects"), bytesOf("space"))
	var st symbolState
	var addrs []uint64
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		if line[0] == '#' {
			t.comment(line, &st)
			continue
		}
		if isMapStart(line) {
			break
		}
		values, block, rest, err := parseHeapSample(in, line, k)
		if err != nil {
			return nil, err
		}
		if addrs, err = hexAddresses(in, addrs[:0], addressPart(rest)); err != nil {
			return nil, err
		}
		row := t.add(addrs, adjustAll, values...)
		row.blockSize, row.hasBlock = block, true
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if err := t.readTail(in); err != nil {
		return nil, err
	}
	return t.finish(false)
}

// parseHeapSample reads the values of one line; rest is what follows the @.
// block is the mean size of an object in bytes.
func parseHeapSample(in *lines.Reader, line []byte, k heapKind) (values []int64, block int64, rest []byte, err error) {
	// pprof takes such a header for a sample without a stack.
	if bytes.HasPrefix(line, []byte("heap profile:")) {
		return nil, 0, nil, secondProfile(in)
	}
	at := heapSample.FindSubmatchIndex(line)
	if at == nil {
		return nil, 0, nil, in.Bad(`"N: BYTES [N: BYTES] @ 0xADDRESS ..."`)
	}
	var n [4]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(string(line[at[2+2*i]:at[3+2*i]]), 10, 64); err != nil {
			return nil, 0, nil, in.Errorf("value %d does not fit in 64 bits: %s", i+1, lines.Quote(line))
		}
	}
	pairs := [][2]int64{{n[0], n[1]}}
	if k.hasAlloc {
		pairs = [][2]int64{{n[2], n[3]}, {n[0], n[1]}}
	}
	for _, p := range pairs {
		objects, size := p[0], p[1]
		if objects == 0 && size != 0 {
			return nil, 0, nil, in.Errorf("no objects but %d bytes: %s", size, lines.Quote(line))
		}
		if objects != 0 {
			block = size / objects
			if k.sampled {
				objects, size = unsample(objects, size, k.rate)
			}
		}
		values = append(values, objects, size)
	}
	return values, block, line[at[1]:], nil
}

// unsample estimates how many objects and bytes stand behind a sample of an
// allocator that records on average one object every rate bytes. Recording is
// a Poisson process, so an object of size s is recorded with probability
// 1-exp(-s/rate), and what was recorded is divided by that.
func unsample(objects, size, rate int64) (int64, int64) {
	if objects == 0 || size == 0 {
		return 0, 0
	}
	if rate <= 1 {
		return objects, size
	}
	mean := float64(size) / float64(objects)
	scale := 1 / (1 - math.Exp(-mean/float64(rate)))
	return int64(float64(objects) * scale), int64(float64(size) * scale)
}

// headerError says what the first line should have been.
func headerError(in *lines.Reader, want string) error {
	if in.Err() != nil {
		return in.Err()
	}
	return in.Bad(want)
}

// addressPart is the beginning of b that can hold addresses: blanks, "x" and
// lower-case hex digits.
func addressPart(b []byte) []byte {
	for i, c := range b {
		if !(c == ' ' || c == 'x' || c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return b[:i]
		}
	}
	return b
}

// hexAddresses appends every 0x number of b to addrs.
func hexAddresses(in *lines.Reader, addrs []uint64, b []byte) ([]uint64, error) {
	for {
		i := bytes.Index(b, []byte("0x"))
		if i < 0 {
			return addrs, nil
		}
		b = b[i+2:]
		n := hexLen(b)
		if n == 0 {
			continue
		}
		v, err := strconv.ParseUint(string(b[:n]), 16, 64)
		if err != nil {
			return addrs, in.Errorf("address 0x%.20s... does not fit in 64 bits", b[:n])
		}
		addrs = append(addrs, v)
		b = b[n:]
	}
}
