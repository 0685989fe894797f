package leak

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestAttribution gives stacks that grow by so many MB an hour and wants the
// functions at which the leaks are reported. Frames with a slash are of
// dependencies.
func TestAttribution(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stacks map[string]float64 // calls, divided by spaces: MB/h
		want   []string           // last function and how many branches
		blame  []string
	}{
		{"one stack", map[string]float64{"main.main main.a x/lib.put": 8}, []string{"x/lib.put 0"}, []string{"main.a"}},
		{"a dependency allocates in several places", map[string]float64{
			"main.main main.a x/lib.put x/lib.key": 4, "main.main main.a x/lib.put x/lib.value": 5, "main.main main.a x/lib.put x/lib.node": 2},
			[]string{"x/lib.put 3"}, []string{"main.a"}},
		{"two leaks that part in the program's own code", map[string]float64{
			"main.main main.a x/lib.put": 8, "main.main main.b x/lib.put": 3},
			[]string{"x/lib.put 0", "x/lib.put 0"}, []string{"main.a", "main.b"}},
		{"nearly all in one", map[string]float64{
			"main.main main.a x/lib.put": 30, "main.main main.a x/lib.log": 1},
			[]string{"x/lib.put 0"}, []string{"main.a"}},
		{"a helper that main calls", map[string]float64{
			"main.main main.parse help.text": 8}, []string{"help.text 0"}, []string{"main.parse"}},
		{"a package of the program", map[string]float64{
			"main.main app.serve cache.add x/lib.put": 8}, []string{"x/lib.put 0"}, []string{"cache.add"}},
	} {
		v := Judge(growing(t, tt.stacks), Options{})
		var got, who []string
		for _, f := range v.Findings {
			if f.Class == Leak {
				got = append(got, f.Path[len(f.Path)-1].Function+" "+string(rune('0'+len(f.Below))))
				who = append(who, blamed(&f))
			}
		}
		if !slices.Equal(got, tt.want) || !slices.Equal(who, tt.blame) {
			t.Errorf("%s: reported at %v, blamed %v: %s", tt.name, got, who, describe(v))
		}
	}
}

// growing is two days of looks at stacks that grow evenly, MB an hour.
func growing(t *testing.T, stacks map[string]float64) *History {
	t.Helper()
	h := NewHistory()
	names := sortedKeys(stacks)
	for i := range 192 {
		var rows []heapRow
		for _, name := range names {
			const size = 1024
			p := sampled(size, servicePeriod)
			k := math.Floor(stacks[name] * (1 << 20) * float64(i) / 4 / size * p)
			rows = append(rows, heapRow{strings.Fields(name), size, int64(k / p), int64(k / p)})
		}
		rows = append(rows, heapRow{[]string{"main.main", "main.churn"}, 1024, 512 * int64(100+40*i), 512 * int64(100+i%3)})
		pr := heapProfile(t, servicePeriod, rows...)
		mustAdd(t, h, Look{At: every(i, 900), Heap: pr, Fresh: true, Gauges: NoGauges()})
	}
	return h
}
