package retain

import (
	"cmp"
	"slices"
)

// Change is how much memory a key had before and has after.
type Change[K cmp.Ordered] struct {
	Key           K
	Before, After Amount
}

// Growth is by how many bytes the key grew.
func (c Change[K]) Growth() int64 { return int64(c.After.Bytes - c.Before.Bytes) }

// Diff compares two results by keys of the caller that survive a change of
// addresses: allocation site, generalised path, type. What grew most comes
// first, what shrank most last; equal growth by key.
func Diff[K cmp.Ordered](before, after map[K]Amount) []Change[K] {
	var out []Change[K]
	for k, a := range after {
		out = append(out, Change[K]{k, before[k], a})
	}
	for k, b := range before {
		if _, ok := after[k]; !ok {
			out = append(out, Change[K]{Key: k, Before: b})
		}
	}
	slices.SortFunc(out, func(a, b Change[K]) int {
		return cmp.Or(cmp.Compare(b.Growth(), a.Growth()), cmp.Compare(a.Key, b.Key))
	})
	return out
}
