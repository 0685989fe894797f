package symbol

import (
	"math/rand/v2"
	"testing"
)

// goAddrs returns n addresses spread over the Go functions of o, the same ones
// each time.
func goAddrs(b *testing.B, o *Object, n int) []uint64 {
	t, err := o.goTable()
	if err != nil || t == nil {
		b.Fatalf("no function table: %v", err)
	}
	lo, hi := t.entry(0), t.entry(t.count)
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]uint64, n)
	for i := range out {
		out[i] = lo + r.Uint64N(hi-lo)
	}
	return out
}

func benchmarkFrames(b *testing.B, inlines bool) {
	o := open(b, program(b, "default"), Options{Inlines: inlines})
	addrs := goAddrs(b, o, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		for _, a := range addrs {
			o.Frames(a)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(addrs)), "ns/addr")
}

// BenchmarkFrames looks up 100000 random addresses of a Go program.
func BenchmarkFrames(b *testing.B)        { benchmarkFrames(b, false) }
func BenchmarkFramesInlines(b *testing.B) { benchmarkFrames(b, true) }

// BenchmarkOpen opens a Go program and asks for one address.
func BenchmarkOpen(b *testing.B) {
	path := program(b, "default")
	b.ReportAllocs()
	for b.Loop() {
		o, err := Open(path, Options{Inlines: true})
		if err != nil {
			b.Fatal(err)
		}
		o.Frames(0x401000)
		if err := o.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFramesDWARF asks DWARF for 10000 addresses of a Go program, which
// Frames itself never does: its units stand for those of C programs.
func BenchmarkFramesDWARF(b *testing.B) {
	o := open(b, program(b, "default"), Options{Inlines: true})
	addrs := goAddrs(b, o, 10_000)
	d, err := o.debug()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, a := range addrs {
			d.frames(a)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(addrs)), "ns/addr")
}
