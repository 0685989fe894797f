package goheap

import (
	"math"
	"strings"
)

// samples reads the memory profile's records of objects that are alive, and
// the stacks they were allocated on.
func (h *Heap) samples(list []special) {
	a, rateKnown := h.global("runtime.MemProfileRate")
	if rateKnown {
		h.ProfileRate = int64(h.mem.u64(a))
	}
	known := map[uint64]int{}
	for _, sp := range list {
		if sp.kind != specialProfile || !h.marks.has(sp.slot) {
			continue
		}
		i, ok := known[sp.bucket]
		if !ok {
			i = len(h.Buckets)
			known[sp.bucket] = i
			h.Buckets = append(h.Buckets, h.bucket(sp.bucket))
		}
		h.Samples = append(h.Samples, Sample{h.FirstObject + h.marks.number(sp.slot), i})
	}
	if !rateKnown && len(h.Samples) > 0 { // as in stripped programs
		h.ProfileRate = h.guessRate()
	}
	for i := range h.Buckets {
		h.Buckets[i].Weight = weight(h.Buckets[i].Size, h.ProfileRate)
	}
}

// weight is how many allocations a sample stands for: sampled is one with the
// probability 1-exp(-size/rate).
func weight(size, rate int64) float64 {
	if rate <= 1 || size <= 0 {
		return 1
	}
	return 1 / -math.Expm1(-float64(size)/float64(rate))
}

// maxStack bounds the stack of a bucket; the runtime has 128 at most.
const maxStack = 1024

// bucket reads a runtime.bucket. Behind it are as many program counters as its
// stack has calls, inlined ones counted, each behind its call.
func (h *Heap) bucket(at uint64) Bucket {
	b := Bucket{Size: int64(h.mem.u64(at + h.lay.Bucket.Size_)), Type: h.bucketType(at)}
	for _, pc := range h.bucketStack(at) {
		if fs := h.frames.frames(h.mem, pc-1, nil); len(fs) > 0 {
			b.Stack = append(b.Stack, fs[0])
		}
	}
	for i := range b.Stack { // as pprof does, leave out the allocator
		if !ofAllocator(b.Stack[i].Func) {
			b.Stack = b.Stack[i:]
			break
		}
	}
	return b
}

// bucketType gives the type that is allocated at the site of a bucket, nil if
// it cannot be told.
func (v *heapView) bucketType(at uint64) *Type {
	for _, pc := range v.bucketStack(at) {
		if f := v.frames.functions.at(pc - 1); f != nil && !ofAllocator(f.name) {
			return v.siteType(pc)
		}
	}
	return nil
}

// bucketStack gives the program counters of a bucket.
func (v *heapView) bucketStack(at uint64) []uint64 {
	o := &v.lay.Bucket
	var out []uint64
	for i := range min(v.mem.u64(at+o.Stack), maxStack) {
		out = append(out, v.mem.u64(at+o.Size+i*8))
	}
	return out
}

// ofAllocator tells whether a function allocates for others.
func ofAllocator(name string) bool {
	return strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "internal/runtime/")
}
