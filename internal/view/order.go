package view

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// sort orders the shown nodes: by flat value, by cumulative value, or, for
// pictures, by how much each tells.
func (g *Graph) sort(cum, visual bool) {
	switch {
	case visual:
		g.sortByScore(g.entropyScore)
	case cum:
		g.SortCum()
	default:
		g.SortFlat()
	}
}

// sortRow is a node with what its order depends on.
type sortRow struct {
	node  int32
	key   int64 // descending
	minor int64 // descending, after the name
}

// sortRows orders by key, name, minor value and finally every field of the
// frame. Addresses are compared as numbers. Nodes of a tree may still be equal;
// slices.SortFunc then leaves them as sort.Sort leaves pprof's: the two are made
// of one template.
func (g *Graph) sortRows(rows []sortRow) {
	slices.SortFunc(rows, func(a, b sortRow) int {
		if a.key != b.key {
			return cmp.Compare(b.key, a.key)
		}
		fa, fb := g.Nodes[a.node].Frame, g.Nodes[b.node].Frame
		if fa != fb {
			if fa.Address != 0 && fb.Address != 0 && fa.Address != fb.Address {
				return cmp.Compare(fa.Address, fb.Address)
			}
			if c := strings.Compare(g.Name(a.node), g.Name(b.node)); c != 0 {
				return c
			}
		}
		if a.minor != b.minor {
			return cmp.Compare(b.minor, a.minor)
		}
		if fa == fb {
			return 0
		}
		return strings.Compare(fa.sortKey(), fb.sortKey())
	})
	for i := range rows {
		g.Order[i] = rows[i].node
	}
}

func (g *Graph) rows(key, minor func(*Node) int64) []sortRow {
	rows := make([]sortRow, len(g.Order))
	for i, n := range g.Order {
		node := &g.Nodes[n]
		rows[i] = sortRow{node: n, key: abs(key(node)), minor: abs(minor(node))}
	}
	return rows
}

func flatOf(n *Node) int64 { return n.Flat }
func cumOf(n *Node) int64  { return n.Cum }

// SortFlat orders by flat value, then name.
func (g *Graph) SortFlat() { g.sortRows(g.rows(flatOf, cumOf)) }

// SortCum orders by cumulative value, then name.
func (g *Graph) SortCum() { g.sortRows(g.rows(cumOf, flatOf)) }

func (g *Graph) sortByScore(score func(*Node) int64) { g.sortRows(g.rows(score, flatOf)) }

// entropyScore values a node for a picture: a node through which everything
// just falls tells little, one that spreads or gathers tells much (Shannon
// entropy of its edge weights, as pprof defines it).
func (g *Graph) entropyScore(n *Node) int64 {
	score := 1.0
	if in := g.live(n.In); len(in) > 0 {
		score = edgeEntropy(in, 0)
	}
	if out := g.live(n.Out); len(out) > 0 {
		score += edgeEntropy(out, n.Flat)
	} else {
		score++
	}
	return int64(score*float64(n.Cum)) + n.Flat
}

func edgeEntropy(edges []*Edge, self int64) float64 {
	total := self
	for _, e := range edges {
		if e.Weight > 0 {
			total += e.Weight
		}
	}
	if total == 0 {
		return 0
	}
	score := 0.0
	for _, e := range edges {
		frac := float64(abs(e.Weight)) / float64(total)
		score += -frac * math.Log2(frac)
	}
	if self > 0 {
		frac := float64(self) / float64(total)
		score += -frac * math.Log2(frac)
	}
	return score
}
