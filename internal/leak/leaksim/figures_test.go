package leaksim

import (
	"math"
	"testing"

	"github.com/profoundhq/profound/internal/leak"
)

// TestFigures: what was not measured, or not said, is no success.
func TestFigures(t *testing.T) {
	none := Accuracy(Options{Seeds: 0})
	for name, v := range map[string]float64{"precision": none.Precision, "recall": none.Recall, "false at two looks": none.FalseTwice, "slow": none.Slow, "end": none.EndsMedian} {
		if !math.IsNaN(v) {
			t.Errorf("%s of no runs is %v", name, v)
		}
	}
	r := Scenarios()[0].New(1)
	if got := r.endError(nil); !math.IsInf(got, 1) {
		t.Errorf("no date is off by %v", got)
	}
	resident := &leak.Verdict{Findings: []leak.Finding{{Resource: leak.ResidentMemory, Class: leak.Leak}}}
	if worst(resident, true) == nil || worst(resident, false) != nil {
		t.Error("a leak of resident memory counts against what does not leak, and for nothing else")
	}
	flags := []bool{true, true, true, false}
	for settled, want := range map[float64]bool{0.5: true, 1: true, 2: false} {
		if twice(flags, []float64{1, 2, 3, 4}, settled) != want {
			t.Errorf("settled at %v: want %v", settled, want)
		}
	}
}
