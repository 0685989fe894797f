package why

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// sumsOf makes sums of lines: the path to a node by words, a dollar before
// global variables, a percent sign before groups, and how many there are, of
// which size.
func sumsOf(text string) *Sums {
	s := &Sums{nodes: []pathSum{{}}}
	index := map[string]uint32{"": 0}
	for line := range strings.Lines(text) {
		var path string
		var count, size uint64
		if n, _ := fmt.Sscan(line, &path, &count, &size); n != 3 {
			continue
		}
		at, parent := "", uint32(0)
		for _, word := range strings.Split(path, "/") {
			at += "/" + word
			i, ok := index[at]
			if !ok {
				i = uint32(len(s.nodes))
				index[at] = i
				label, name, _ := strings.Cut(word, ":")
				n := pathSum{pathKey: pathKey{parent, label, name}, kind: goheap.KindObject}
				switch word[0] {
				case '$':
					n.kind = goheap.KindGlobal
				case '%':
					n.kind = goheap.KindGroup
				}
				s.nodes = append(s.nodes, n)
			}
			parent = i
		}
		n := &s.nodes[parent]
		n.members = count
		if n.kind == goheap.KindObject {
			n.self = retain.Amount{Bytes: count * size, Objects: count}
		}
	}
	return s
}

// rowsOf compares and writes the rows: the node's label and the bytes before
// and after.
func rowsOf(before, after *Sums) (rows string, t *growth) {
	t = &growth{nodes: []growNode{{}}, index: map[pathKey]uint32{}}
	t.add(before, func(n *growNode) *side { return &n.before })
	t.add(after, func(n *growNode) *side { return &n.after })
	t.moved()
	t.least = max(leastBytes, int64(leastGrowth*float64(t.sum(0))))
	t.visit(0)
	var out []string
	for _, r := range t.rows {
		out = append(out, fmt.Sprintf("%s %d %d", t.nodes[r.node].label, r.before.Bytes, r.after.Bytes))
	}
	return strings.Join(out, "\n"), t
}

func TestGrowths(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"nothing", "$a/.m:map 1 48", "$a/.m:map 1 48", ""},
		{"elements of a map", "$a/.m:map 1 48\n$a/.m:map/[elem]:*T 10 1000", "$a/.m:map 1 48\n$a/.m:map/[elem]:*T 30 1000", ".m 10048 30048"},
		{"two fields", "$a/:S 1 8\n$a/:S/.x:[] 1 100\n$a/:S/.y:[] 1 100", "$a/:S 1 8\n$a/:S/.x:[] 1 100\n$a/:S/.x:[]/[]:T 9 1000\n$a/:S/.y:[] 1 100\n$a/:S/.y:[]/[]:T 5 1000",
			".x 100 9100\n.y 100 5100"},
		{"many that are each larger", "$a/[]:S 10 10\n$a/[]:S/.x:[] 10 10\n$a/[]:S/.x:[]/[]:T 10 100", "$a/[]:S 10 10\n$a/[]:S/.x:[] 10 10\n$a/[]:S/.x:[]/[]:T 90 100", ".x 1100 9100"},
		{"many more", "$a/[]:S 10 10\n$a/[]:S/.x:[] 10 1000", "$a/[]:S 90 10\n$a/[]:S/.x:[] 90 1000", "$a 10100 90900"},
		{"a list", "$a/:N 1 10\n$a/:N/.next:N 10 1000", "$a/:N 1 10\n$a/:N/.next:N 90 1000", " 10010 90010"},
		{"one that came", "$b/:S 1 8", "$b/:S 1 8\n$a/:[] 1 5000", " 0 5000"},
		{"one that moved", "$a/:S 1 8\n$a/:S/.x:[]/[]:T 10 1000", "%g/:S 1 8\n%g/:S/.x:[]/[]:T 15 1000", ".x 10000 15000"},
		{"two that moved", "$a/:S 1 2000\n$c/:S 1 2000", "%g/:S 1 2000\n%h/:S 1 2000", " 0 2000\n 0 2000"},
		{"what shrinks elsewhere", "$a/[]:T 10 1000\n$b/[]:T 10 1000", "$a/[]:T 20 1000\n$b/[]:T 1 1000", "$a 10000 20000"},
		{"more goroutines", "%g 2 0\n%g/:g 2 0\n%g/:g/.r:R 2 1000", "%g 9 0\n%g/:g 9 0\n%g/:g/.r:R 9 1000", "%g 2000 9000"},
		{"one goroutine", "%g 1 0\n%g/.r:R 1 1000\n%g/.r:R/.x:X 1 1000", "%g 1 0\n%g/.r:R 1 1000\n%g/.r:R/.x:X 9 1000", ".r 2000 10000"},
		{"too little", "$a/[]:T 10 10\n$b/[]:T 1 100000", "$a/[]:T 20 10\n$b/[]:T 9 100000", "$b 100000 900000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := rowsOf(sumsOf(tt.before), sumsOf(tt.after)); got != tt.want {
				t.Errorf("rows\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestGrowthsAddUp makes trees at random: what rows and the rest tell is the
// whole, each byte once.
func TestGrowthsAddUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := []string{"$a", "$b", "%g", ".x:T", ".y:T", "[]:S", "[elem]:*M"}
	random := func() (*Sums, retain.Amount) {
		var b strings.Builder
		for range rnd.IntN(40) {
			path := words[rnd.IntN(3)]
			for range rnd.IntN(5) {
				path += "/" + words[3+rnd.IntN(4)]
			}
			fmt.Fprintln(&b, path, rnd.IntN(5), rnd.IntN(5000))
		}
		s := sumsOf(b.String())
		var sum retain.Amount
		for i := range s.nodes {
			sum = sum.Add(s.nodes[i].self)
		}
		return s, sum
	}
	for range 500 {
		before, sumBefore := random()
		after, sumAfter := random()
		_, tree := rowsOf(before, after)
		var b, a retain.Amount
		for _, r := range tree.rows {
			b, a = b.Add(r.before), a.Add(r.after)
			if r.bytes() < tree.least {
				t.Errorf("a row of %d bytes, at least %d", r.bytes(), tree.least)
			}
		}
		if root := &tree.nodes[0]; root.before.sum != sumBefore || root.after.sum != sumAfter {
			t.Fatalf("in all %v -> %v, want %v -> %v", root.before.sum, root.after.sum, sumBefore, sumAfter)
		}
		if b.Bytes > sumBefore.Bytes || a.Bytes > sumAfter.Bytes || b.Objects > sumBefore.Objects || a.Objects > sumAfter.Objects {
			t.Fatalf("rows have %v -> %v of %v -> %v", b, a, sumBefore, sumAfter)
		}
	}
}
