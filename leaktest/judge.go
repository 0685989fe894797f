package leaktest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	format "github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/verdict"
)

// seen is a look, decoded.
type seen struct{ heap, goroutine, leaked *profile.Profile }

// judgement is what the looks so far amount to.
type judgement struct {
	verdict *leak.Verdict
	scope   *scope
	// leaks are the findings that fail the test, in their order.
	leaks []leak.Finding
	// doubtful is set when something grew that is no leak so far: it may go on
	// in steps, as a slice does that doubles.
	doubtful bool
}

// judge judges all looks so far.
func (c *check) judge() (*judgement, error) {
	for _, l := range c.looks[len(c.known):] {
		s, err := l.decode()
		if err != nil {
			return nil, err
		}
		c.known = append(c.known, s)
	}
	s := c.scopeOf(c.known)
	h := leak.NewRounds()
	for i, k := range c.known {
		l := leak.Look{
			At: time.Unix(int64(i), 0), Target: "test", Fresh: true, // a second stands for a round
			Heap: s.heap(k.heap), Goroutine: s.goroutines(k.goroutine), Gauges: leak.NoGauges(),
		}
		if k.leaked != nil {
			l.Leaked = s.goroutines(k.leaked)
		}
		if !s.others {
			l.Gauges[leak.Descriptors] = countOf(c.looks[i].open)
		}
		h.Add(l)
	}
	j := &judgement{verdict: leak.Judge(h, leak.Options{}), scope: s}
	for i := range j.verdict.Findings {
		f := &j.verdict.Findings[i]
		switch {
		case c.tolerated(f):
		case f.Class == leak.Leak:
			j.leaks = append(j.leaks, *f)
		case f.Class >= leak.Step:
			j.doubtful = true
		}
	}
	return j, nil
}

// scopeOf is what belongs to the check by all that was seen.
func (c *check) scopeOf(seens []seen) *scope {
	s := &scope{o: c.o, test: c.t.Name(), round: functionName(c.round), entries: map[string]bool{}, waiters: waiters()}
	for _, k := range seens {
		s.survey(k.goroutine)
	}
	return s
}

// amount is a number of objects and their size.
type amount struct{ objects, bytes int64 }

// allocated adds up what a heap profile says was allocated so far. The
// runtime writes the columns in this order.
func allocated(p *profile.Profile) (a amount) {
	for i := range p.Samples.Stack {
		a.objects += p.Samples.Values[0][i]
		a.bytes += p.Samples.Values[1][i]
	}
	return a
}

// decode reads the profiles of a look.
func (l *look) decode() (s seen, err error) {
	for _, part := range []struct {
		raw []byte
		to  **profile.Profile
	}{{l.heap, &s.heap}, {l.goroutine, &s.goroutine}, {l.leaked, &s.leaked}} {
		if part.raw == nil {
			continue
		}
		if *part.to, err = decode(part.raw); err != nil {
			return s, err
		}
	}
	scale(s.heap, l.rate)
	return s, nil
}

// scale makes estimates of the sampled values of a heap profile, in place, as
// the runtime does: an object of size s is sampled with the probability
// 1-exp(-s/rate).
func scale(p *profile.Profile, rate int) {
	p.Period = int64(rate)
	if rate <= 1 {
		return
	}
	for i := range p.Samples.Labels {
		size := float64(sizeOf(p, i))
		if size == 0 {
			continue
		}
		for _, values := range p.Samples.Values {
			values[i] = int64(math.Round(float64(values[i]) / -math.Expm1(-size/float64(rate))))
		}
	}
}

// tolerated tells growth of the heap that is allowed, or that only replaces
// what was allocated before the check, at a rate of then: the exact size of
// the heap does not grow with it.
func (c *check) tolerated(f *leak.Finding) bool {
	if f.Resource != leak.Heap {
		return false
	}
	if c.o.maxGrowth > 0 && !(f.Slope.Low > float64(c.o.maxGrowth)) {
		return true
	}
	nets := make([]float64, 0, len(c.looks))
	for _, l := range c.looks[1:] {
		nets = append(nets, l.net)
	}
	return mostly(nets) < f.Slope.Value/2
}

// mostly is as much as the values may be on average: the larger of their
// median and of their mean with four times its error. Growth in steps has a
// small median; other tests, which take and give back much at once, lower the
// mean.
func mostly(values []float64) float64 {
	n := float64(len(values))
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	sorted := slices.Sorted(slices.Values(values))
	return max(sorted[len(sorted)/2], mean+4*math.Sqrt(squares/(n*(n-1))))
}

// forget takes findings back.
func (j *judgement) forget(which func(*leak.Finding) bool) {
	if j != nil {
		j.leaks = slices.DeleteFunc(j.leaks, func(f leak.Finding) bool { return which(&f) })
	}
}

// lowered tells a series of which at least half the growth is gone at the
// last look.
func lowered(f *leak.Finding) bool {
	n := len(f.Values)
	if n < 3 {
		return false
	}
	return f.Values[n-1]-f.Values[0] < (f.Values[n-2]-f.Values[0])/2
}

// remark notes what the check could not tell.
func (c *check) remark(j *judgement) {
	for i := range j.verdict.Findings {
		if f := &j.verdict.Findings[i]; f.Class == leak.Growing && !c.tolerated(f) {
			c.remarks = append(c.remarks, verdict.Sentence(j.verdict, f, verdict.Options{Rounds: true}))
		}
	}
	if j.scope.others {
		c.remarks = append(c.remarks, besides)
	}
}

// besides is what is said when other tests ran.
const besides = "other tests run in parallel: goroutines of programs started before the check, and descriptors, were left out"

// lineWidth is how wide a message is; wide, so that the sentence stays on one
// line of a log.
const lineWidth = 160

// message is what the failing test prints.
func (c *check) message(j *judgement) string {
	v := *j.verdict
	v.Findings, v.Totals, v.Forecast, v.Ledger, v.Warnings = withCauses(j), nil, nil, nil, nil
	var b strings.Builder
	b.WriteString("leaktest: ")
	next := func(f *leak.Finding) []string { return c.next(f) }
	if err := verdict.Write(&b, &v, verdict.Options{Now: v.To, Width: lineWidth, Rounds: true, ASCII: true, Next: next}); err != nil {
		return err.Error() // a Builder has none
	}
	text := strings.TrimRight(b.String(), "\n")
	if j.scope.others {
		text += "\n  (" + besides + ")"
	}
	return text
}

// withCauses are the findings that fail the test, each referring to its cause
// if that is among them.
func withCauses(j *judgement) []leak.Finding {
	out := slices.Clone(j.leaks)
	for i := range out {
		cause := out[i].Cause
		out[i].Cause = -1
		if cause < 0 || cause >= len(j.verdict.Findings) {
			continue
		}
		want := &j.verdict.Findings[cause]
		out[i].Cause = slices.IndexFunc(out, func(f leak.Finding) bool {
			return f.Resource == want.Resource && slices.Equal(f.Path, want.Path)
		})
	}
	return out
}

// next is what to do about a finding.
func (c *check) next(f *leak.Finding) []string {
	switch f.Resource {
	case leak.Goroutines:
		if len(f.Path) > 0 {
			return []string{"see what " + origin.ShortName(f.Path[0].Function) + " waits for: a channel nobody closes, a context nobody cancels"}
		}
	case leak.FileDescriptors:
		first, last := c.looks[0].open, c.looks[len(c.looks)-1].open
		return []string{"close what each round opens: " + newDescriptors(first, last)}
	case leak.Heap:
		return append([]string{"see what keeps it reachable: a map or slice that only grows, a callback never taken back, a goroutine that does not end"}, c.keep()...)
	}
	return nil
}

// keep writes the heap profiles of the first and the last round to the
// artifacts of the test, and says how to look at them.
func (c *check) keep() []string {
	dir := c.t.ArtifactDir()
	for name, p := range map[string]*profile.Profile{"first.pb.gz": c.known[0].heap, "last.pb.gz": c.known[len(c.known)-1].heap} {
		if err := write(filepath.Join(dir, name), p); err != nil {
			return []string{fmt.Sprintf("(the heap profiles could not be kept: %v)", err)}
		}
	}
	return []string{"go test -artifacts keeps the heap profiles; then: profound -base first.pb.gz last.pb.gz"}
}

// write writes a profile to a file.
func write(name string, p *profile.Profile) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(format.Encode(z, p), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// newDescriptors names what is open in last and was not in first, the most
// frequent kind first.
func newDescriptors(first, last map[string]string) string {
	count := map[string]int{}
	for fd, target := range last {
		if first[fd] == target {
			continue
		}
		if kind, _, ok := strings.Cut(target, ":["); ok {
			target = kind // socket:[123], pipe:[4]: each has its own number
		}
		count[target]++
	}
	names := make([]string, 0, len(count))
	for name := range count {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	const shown = 3
	rest := len(names) - shown
	names = names[:min(len(names), shown)]
	for i, name := range names {
		if n := count[name]; n > 1 {
			names[i] = fmt.Sprintf("%s (%d)", name, n)
		}
	}
	text := strings.Join(names, ", ")
	if rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
