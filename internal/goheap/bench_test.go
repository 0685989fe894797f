package goheap

import (
	"testing"

	"github.com/profoundhq/profound/internal/retain"
)

// BenchmarkRead reads a heap of 3 M objects. Its metrics are objects a second,
// for Read alone and with dominators.
func BenchmarkRead(b *testing.B) {
	exe := leaksvc(b)
	p := openExe(b, exe, nil)
	img := snapshot(b, run(b, exe, "-n", "30", "-rate", "524288"), p.Plan(Options{}))
	objects := 0
	for b.Loop() {
		h, err := Read(p, img, Options{})
		if err != nil {
			b.Fatal(err)
		}
		objects += int(h.Stats.Objects)
	}
	b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkReadAndCompute goes on to the dominators.
func BenchmarkReadAndCompute(b *testing.B) {
	exe := leaksvc(b)
	p := openExe(b, exe, nil)
	img := snapshot(b, run(b, exe, "-n", "30", "-rate", "524288"), p.Plan(Options{}))
	objects := 0
	for b.Loop() {
		h, err := Read(p, img, Options{})
		if err != nil {
			b.Fatal(err)
		}
		retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
		objects += int(h.Stats.Objects)
	}
	b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
}
