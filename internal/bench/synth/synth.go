// Package synth writes synthetic CPU profiles of any size for benchmarks: the
// shape of a large Go service, from a seed, the same bytes each time.
//
// It has its own protobuf writer and imports nothing of the program, so the
// flat and cum figures it can count while writing (Truth) are an oracle that
// shares no code with what they judge. Its neighbours are internal/bench/gen,
// the command around it, and internal/bench/compare, which feeds its files to
// two programs.
//
// A stack is a walk over a random call graph. It starts at the runtime and one
// of a few entry points; each function calls one of a fixed set of others,
// picked anew for each frame, from one of its own lines. So frames repeat and
// edges are far fewer than frames, as in a real service, but long common
// prefixes are rare: a hard case for compression and for anything that wins by
// sharing prefixes.
//
//	go.. entry ──► f ──► g ──► ... ──► leaf    depth uniform in Depth ± Depth/2
//	               │      └ one of fanOut callees of f
//	               └ one of Locations/Functions lines of f
package synth

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Version is part of the names of files kept between runs: it goes up when the
// same options come to mean other bytes.
const Version = 1

// Options say how large the profile is. Every count is of rows.
type Options struct {
	Samples   int
	Functions int
	Locations int // at least Functions; spread evenly over them
	Depth     int // mean number of locations in a stack
	Labels    bool
	Seed      uint64
}

// Truth is what was written, counted while writing.
type Truth struct {
	Samples int
	Frames  int64 // locations over all stacks
	Raw     int64 // bytes before compression
	Total   int64 // sum of cpu over all samples, nanoseconds

	// Names, Flat and Cum have one entry for each function, in the order of
	// the function table. Flat and Cum are cpu nanoseconds: Flat goes to the
	// innermost line of the leaf, Cum once to each function of a stack.
	Names     []string
	Flat, Cum []int64
}

const (
	endpoints = 200
	tenants   = 5000
	// traceEvery makes 5% of the samples carry a trace id of their own.
	traceEvery = 20
	// fanOut is how many different functions one function calls.
	fanOut = 24
	// entries is how many functions the runtime starts: handlers, workers.
	entries = 40
	// inlineEvery makes one location in so many hold a second, inlined line.
	inlineEvery = 11

	textStart = 0x401000
	// locationStep is the distance of two addresses, bytes.
	locationStep = 32

	periodNanos   = 10_000_000
	startNanos    = 1_750_000_000_000_000_000
	durationNanos = 600_000_000_000
)

// maker is one run of Write.
type maker struct {
	opt     Options
	rnd     source
	out     *writer
	strings *stringTable
	truth   *Truth

	callees []uint32 // fanOut for each function
	lines   int      // locations for each function, at least
	body    []byte   // the message being built
	inner   []byte   // a message within it
	stack   []uint32 // locations of the sample, root first
	stamp   []uint32 // by function: 1 + the last sample it was seen in

	keys      [3]uint64 // string ids of the label keys
	endpoints []uint64  // string ids of the label values
	tenants   []uint64
}

// Write writes one gzipped profile to w and returns what is in it.
func Write(w io.Writer, opt Options) (*Truth, error) {
	if opt.Samples < 1 || opt.Functions < 2 || opt.Depth < 2 {
		return nil, errors.New("synth: need at least 1 sample, 2 functions, depth 2")
	}
	if opt.Locations < opt.Functions {
		return nil, fmt.Errorf("synth: %d locations for %d functions: need one each", opt.Locations, opt.Functions)
	}
	buffered := bufio.NewWriterSize(w, flushAt)
	m := newMaker(buffered, opt)
	m.writeTypes()
	for i := range opt.Samples {
		m.writeSample(i)
	}
	m.writeMapping()
	m.writeLocations()
	m.writeFunctions()
	for _, s := range m.strings.list {
		m.out.str(profileStringTable, s)
	}
	m.out.number(profileTimeNanos, startNanos)
	m.out.number(profileDurationNanos, durationNanos)
	m.writeValueType(profilePeriodType, "cpu", "nanoseconds")
	m.out.number(profilePeriod, periodNanos)
	if err := m.out.close(); err != nil {
		return nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, fmt.Errorf("write profile: %w", err)
	}
	m.truth.Raw = m.out.raw
	return m.truth, nil
}

func newMaker(w io.Writer, opt Options) *maker {
	m := &maker{
		opt:     opt,
		rnd:     source{opt.Seed},
		out:     newWriter(w),
		strings: newStringTable(),
		truth: &Truth{
			Samples: opt.Samples,
			Names:   make([]string, opt.Functions),
			Flat:    make([]int64, opt.Functions),
			Cum:     make([]int64, opt.Functions),
		},
		callees: make([]uint32, opt.Functions*fanOut),
		lines:   opt.Locations / opt.Functions,
		stamp:   make([]uint32, opt.Functions),
	}
	for i := range m.callees {
		m.callees[i] = uint32(m.rnd.skewed(opt.Functions))
	}
	for f := range opt.Functions {
		m.truth.Names[f] = functionNameOf(f)
	}
	if opt.Labels {
		for i, k := range []string{"endpoint", "tenant", "trace_id"} {
			m.keys[i] = m.strings.id(k)
		}
		for i := range endpoints {
			m.endpoints = append(m.endpoints, m.strings.id(fmt.Sprintf("/api/v2/%s/%03d", nouns[i%len(nouns)], i)))
		}
		for i := range tenants {
			m.tenants = append(m.tenants, m.strings.id(fmt.Sprintf("tenant-%04d", i)))
		}
	}
	return m
}

func (m *maker) writeValueType(field int, typ, unit string) {
	m.body = appendUint(m.body[:0], valueTypeType, m.strings.id(typ))
	m.body = appendUint(m.body, valueTypeUnit, m.strings.id(unit))
	m.out.message(field, m.body)
}

func (m *maker) writeTypes() {
	m.writeValueType(profileSampleType, "samples", "count")
	m.writeValueType(profileSampleType, "cpu", "nanoseconds")
}

// walk fills m.stack with locations, counted from 1, root first.
func (m *maker) walk() {
	m.stack = m.stack[:0]
	half := m.opt.Depth / 2
	depth := m.opt.Depth - half + m.rnd.below(2*half+1)
	f := m.rnd.below(min(entries, m.opt.Functions))
	for range depth {
		// One draw serves both choices of a frame; its halves are independent.
		draw := m.rnd.next()
		line := int(draw>>32) % m.lines
		m.stack = append(m.stack, uint32(line*m.opt.Functions+f+1))
		f = int(m.callees[f*fanOut+int(uint32(draw))%fanOut])
	}
}

func (m *maker) writeSample(i int) {
	m.walk()
	count := int64(1 + m.rnd.skewed(4))
	m.count(uint32(i)+1, count*periodNanos)

	m.inner = m.inner[:0]
	for j := len(m.stack) - 1; j >= 0; j-- {
		m.inner = appendVarint(m.inner, uint64(m.stack[j]))
	}
	m.body = appendBytes(m.body[:0], sampleLocation, m.inner)
	m.inner = appendVarint(m.inner[:0], uint64(count))
	m.inner = appendVarint(m.inner, uint64(count*periodNanos))
	m.body = appendBytes(m.body, sampleValue, m.inner)
	if m.opt.Labels {
		m.label(0, m.endpoints[m.rnd.below(endpoints)])
		m.label(1, m.tenants[m.rnd.below(tenants)])
		if m.rnd.below(traceEvery) == 0 {
			// Not looked up: 128 random bits do not repeat.
			m.label(2, m.strings.add(fmt.Sprintf("%016x%016x", m.rnd.next(), m.rnd.next())))
		}
	}
	m.out.message(profileSample, m.body)
}

func (m *maker) label(key int, value uint64) {
	m.inner = appendUint(m.inner[:0], labelKey, m.keys[key])
	m.inner = appendUint(m.inner, labelStr, value)
	m.body = appendBytes(m.body, sampleLabel, m.inner)
}

// count adds the stack of m.stack to the truth; stamp is new for each sample.
func (m *maker) count(stamp uint32, nanos int64) {
	t := m.truth
	t.Total += nanos
	t.Frames += int64(len(m.stack))
	for _, loc := range m.stack {
		f, inlined := m.functionsOf(int(loc))
		for _, f := range [2]int{f, inlined} {
			if f >= 0 && m.stamp[f] != stamp {
				m.stamp[f] = stamp
				t.Cum[f] += nanos
			}
		}
	}
	leaf, inlined := m.functionsOf(int(m.stack[len(m.stack)-1]))
	if inlined >= 0 {
		leaf = inlined
	}
	t.Flat[leaf] += nanos
}

// functionsOf is the function that owns location loc (counted from 1) and the
// one inlined into it there, -1 for none. The last few locations, when
// Functions does not divide Locations, are never sampled.
func (m *maker) functionsOf(loc int) (outer, inlined int) {
	outer = (loc - 1) % m.opt.Functions
	if loc%inlineEvery != 0 {
		return outer, -1
	}
	return outer, int(mix(uint64(loc)) % uint64(m.opt.Functions))
}

func (m *maker) writeMapping() {
	b := appendUint(m.body[:0], mappingID, 1)
	b = appendUint(b, mappingStart, 0x400000)
	b = appendUint(b, mappingLimit, uint64(textStart+(m.opt.Locations+1)*locationStep+0xfff)&^0xfff)
	b = appendUint(b, mappingFile, m.strings.id("/srv/shop/bin/checkout"))
	b = appendUint(b, mappingBuildID, m.strings.id("6d1f0c5a9e3b47d28a10f4c2e7b85d936f0a1c2b"))
	for _, has := range [...]int{mappingHasFunctions, mappingHasFilenames, mappingHasLineNumbers, mappingHasInlineFrames} {
		b = appendUint(b, has, 1)
	}
	m.body = b
	m.out.message(profileMapping, b)
}

func (m *maker) writeLocations() {
	for loc := 1; loc <= m.opt.Locations; loc++ {
		outer, inlined := m.functionsOf(loc)
		b := appendUint(m.body[:0], locationID, uint64(loc))
		b = appendUint(b, locationMapping, 1)
		b = appendUint(b, locationAddress, uint64(textStart+loc*locationStep))
		if inlined >= 0 {
			b = m.appendLine(b, inlined, startLineOf(inlined)+3)
		}
		b = m.appendLine(b, outer, startLineOf(outer)+5+(loc-1)/m.opt.Functions*4)
		m.body = b
		m.out.message(profileLocation, b)
	}
}

func (m *maker) appendLine(b []byte, function, line int) []byte {
	m.inner = appendUint(m.inner[:0], lineFunction, uint64(function+1))
	m.inner = appendUint(m.inner, lineLine, uint64(line))
	return appendBytes(b, locationLine, m.inner)
}

func (m *maker) writeFunctions() {
	for f, name := range m.truth.Names {
		id := m.strings.id(name)
		b := appendUint(m.body[:0], functionID, uint64(f+1))
		b = appendUint(b, functionName, id)
		b = appendUint(b, functionSystemName, id)
		b = appendUint(b, functionFile, m.strings.id(fileNameOf(f)))
		b = appendUint(b, functionStartLine, uint64(startLineOf(f)))
		m.body = b
		m.out.message(profileFunction, b)
	}
}
