package leaktest

import (
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

// profileOf makes a profile with one sample for each stack, given root first
// and separated by blanks.
func profileOf(t *testing.T, values []int64, labels func(*profile.Builder, int) []profile.Label, stacks ...string) *profile.Profile {
	t.Helper()
	types := make([]profile.ValueType, len(values))
	for i := range types {
		types[i] = profile.ValueType{Type: string(rune('a' + i)), Unit: "count"}
	}
	b := profile.NewBuilder(types...)
	for i, s := range stacks {
		var frames []profile.LocationID
		for _, name := range strings.Fields(s) {
			f := b.Function(name, name, "file.go", 1)
			frames = append([]profile.LocationID{b.Location(0, 0, profile.Line{Function: f, Line: 1})}, frames...)
		}
		b.Sample(frames, values, labels(b, i)...)
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAllocations: what of the heap belongs to a check, alone and with other
// tests next to it, and how much of the stack is shown.
func TestAllocations(t *testing.T) {
	const round = "app.TestX.func1"
	for _, tt := range []struct {
		stack         string // root first
		frames        int    // kept, 0 if none
		alone, others bool
	}{
		{"testing.tRunner app.TestX " + self + "NoGrowth " + driver + " app.TestX.func1 app.put", 2, true, true},
		{"testing.tRunner app.TestX " + self + "NoGrowth " + self + "(*check).look runtime/pprof.writeHeap", 0, false, false},
		{"testing.tRunner app.TestX " + self + "NoGrowth " + driver + " app.TestX.func1 testing.(*common).Log", 0, false, false},
		{"testing.tRunner app.TestX " + self + "NoGrowth " + driver + " app.TestX.func1 app.skipped app.put", 0, false, false},
		{"app.TestX.func1.1 app.put", 2, true, true},       // go func() {...}() in the round
		{"app.TestX.func1.gowrap1 app.put", 2, true, true}, // go put() in the round
		{"app.TestX.func10 app.put", 2, true, false},
		{"testing.tRunner app.TestX.func1.2 app.put", 2, true, true}, // t.Run in the round
		{"testing.tRunner app.TestOther app.put", 0, false, false},
		{"net/http.(*conn).serve app.handle", 2, true, false},
		{"runtime.goexit app.worker app.put", 3, true, true}, // its entry has our label
		{"runtime.main main.main app.TestMain app.put", 4, true, false},
		{"runtime.mcall runtime.newm runtime.allocm", 0, false, false},
		{"runtime/pprof.profileWriter app.put", 0, false, false},
	} {
		o, err := optionsOf([]Option{Ignore(`^app\.skipped$`)})
		if err != nil {
			t.Fatal(err)
		}
		p := profileOf(t, []int64{1}, func(*profile.Builder, int) []profile.Label { return nil }, tt.stack)
		for _, others := range []bool{false, true} {
			s := scope{o: o, round: round, others: others, entries: map[string]bool{"app.worker": true}}
			want := tt.alone
			if others {
				want = tt.others
			}
			got := s.heap(p)
			if n := got.Samples.Len(); (n == 1) != want {
				t.Errorf("%s: other tests %v: %d samples", tt.stack, others, n)
			} else if want && len(got.Stacks.Of(got.Samples.Stack[0])) != tt.frames {
				t.Errorf("%s: %d frames, want %d", tt.stack, len(got.Stacks.Of(got.Samples.Stack[0])), tt.frames)
			}
		}
	}
}

func TestGoroutinesOfCheck(t *testing.T) {
	stacks := []string{
		"app.worker", "app.background", "os/signal.loop",
		"testing.tRunner app.TestX " + self + "NoGrowth", "testing.tRunner app.TestOther", "testing.tRunner testing.(*T).Run",
	}
	label := func(b *profile.Builder, i int) []profile.Label {
		if i == 0 || i == 3 {
			return []profile.Label{b.StringLabel(labelKey, "TestX")}
		}
		return nil
	}
	for n, want := range map[int]bool{len(stacks): true, 4: false} {
		p := profileOf(t, []int64{1}, label, stacks[:n]...)
		s := scope{o: &options{}, test: "TestX", entries: map[string]bool{}}
		s.survey(p)
		if s.others != want || !s.entries["app.worker"] || s.entries["app.background"] {
			t.Errorf("%d goroutines: other tests %v, entries %v", n, s.others, s.entries)
		}
		count := 2
		if want {
			count = 1
		}
		if got := s.goroutines(p); got.Samples.Len() != count {
			t.Errorf("%d goroutines: %d are of the check", n, got.Samples.Len())
		}
	}
}

func TestScale(t *testing.T) {
	size := func(b *profile.Builder, _ int) []profile.Label { return []profile.Label{b.NumLabel("bytes", 1000, "")} }
	p := profileOf(t, []int64{10, 10_000}, size, "app.put")
	scale(p, 1000)
	// One object in 1-1/e is sampled.
	if p.Samples.Values[0][0] != 16 || p.Samples.Values[1][0] != 15820 || p.Period != 1000 {
		t.Errorf("%d, period %d", p.Samples.Values, p.Period)
	}
	p = profileOf(t, []int64{10, 10_000}, size, "app.put")
	scale(p, 1)
	if p.Samples.Values[0][0] != 10 || p.Period != 1 {
		t.Errorf("%d, period %d", p.Samples.Values, p.Period)
	}
}

// TestTolerated: growth the size of the heap does not show is no leak, growth
// in steps is.
func TestTolerated(t *testing.T) {
	for name, tt := range map[string]struct {
		nets []float64
		want bool
	}{
		"every round":   {[]float64{100, 100, 100, 100, 100, 100}, false},
		"in steps":      {[]float64{0, 0, 0, 600, 0, 0}, false},
		"replaces":      {[]float64{0, 10, -10, 0, 0, 0}, true},
		"others freed":  {[]float64{-9000, 100, 100, -9000, 100, 100}, false},
		"others worked": {[]float64{9000, 100, 100, -9000, 100, 100}, false},
	} {
		c := &check{o: &options{}, looks: []look{{}}}
		for _, n := range tt.nets {
			c.looks = append(c.looks, look{net: n})
		}
		f := leak.Finding{Resource: leak.Heap, Slope: leak.Estimate{Value: 100, Low: 90, High: 110}}
		if got := c.tolerated(&f); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
		c.o.maxGrowth = 90
		if !c.tolerated(&f) {
			t.Errorf("%s: MaxGrowth does not help", name)
		}
	}
}

func TestNewDescriptors(t *testing.T) {
	first := map[string]string{"1": "/dev/null", "3": "socket:[1]"}
	last := map[string]string{"1": "/dev/null", "3": "socket:[1]", "4": "socket:[2]", "5": "/a", "6": "socket:[3]", "7": "/b", "8": "/c"}
	if got, want := newDescriptors(first, last), "socket (2), /a, /b and 1 more"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOptions(t *testing.T) {
	for want, opt := range map[string]Option{
		"Rounds(5): 6 rounds": Rounds(5), "Warmup(-1)": Warmup(-1), "Rate(0)": Rate(0),
		"MaxGrowth(-1)": MaxGrowth(-1), "Settle(-1ns)": Settle(-1), "Ignore: ": Ignore("("),
	} {
		if _, err := optionsOf([]Option{opt}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
