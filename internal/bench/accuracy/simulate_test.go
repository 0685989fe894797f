package main

import (
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/leak/leaksim"
)

func TestLargeHistoryLeaks(t *testing.T) {
	took, class, err := timeJudge(600, 200, 2)
	if err != nil || class != leak.Leak || len(took) != 2 {
		t.Errorf("class %v, took %v: %v", class, took, err)
	}
}

func TestGenerated(t *testing.T) {
	r := leaksim.Result{
		Looks: []float64{3600, 7200}, Precision: 1, Recall: 0.5, Slow: 1,
		Rows: []leaksim.Row{
			{Scenario: &leaksim.Scenario{Name: "grows", Leak: true}, Flagged: []int{0, 2}, Runs: 4, Path: 1, Covered: 2, Sloped: 2},
			{Scenario: &leaksim.Scenario{Name: "fills", Settled: 3600}, Flagged: []int{4, 0}, Runs: 4},
		},
	}
	s := generated(r, false, 4)
	p := &page{Extra: []section{s}}
	text := p.markdown()
	for _, want := range []string{"| grows | yes | 0 | 50 | 50 | 100 |", "| fills | no | 100* | 0 |", "recall | **0.500** | at least 0.98 |", "| scenario | leaks | 1 h | 2 h |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
