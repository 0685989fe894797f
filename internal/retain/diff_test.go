package retain

import (
	"slices"
	"testing"
)

func TestDiff(t *testing.T) {
	before := map[string]Amount{"same": {5, 1}, "shrinks": {9, 2}, "gone": {100, 3}, "grows": {1, 1}}
	after := map[string]Amount{"same": {5, 1}, "shrinks": {3, 1}, "new": {50, 7}, "grows": {51, 2}}
	want := []Change[string]{
		{"grows", Amount{1, 1}, Amount{51, 2}},
		{"new", Amount{}, Amount{50, 7}},
		{"same", Amount{5, 1}, Amount{5, 1}},
		{"shrinks", Amount{9, 2}, Amount{3, 1}},
		{"gone", Amount{100, 3}, Amount{}},
	}
	if got := Diff(before, after); !slices.Equal(got, want) {
		t.Errorf("diff is %v, want %v", got, want)
	}
	if got := want[4].Growth(); got != -100 {
		t.Errorf("growth is %d", got)
	}
}
