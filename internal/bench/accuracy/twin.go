package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/bench/procfs"
	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
)

// A twin does the same work as a service at the same time, and its profiles
// are exact: MemProfileRate is 1, and each poll collects garbage first.
type twin struct {
	Polls []poll

	client *http.Client
	heaps  bool // heap profiles are exact and asked for
}

func newTwin(heaps bool) *twin {
	return &twin{heaps: heaps, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
}

// poll is a twin at one moment, or as good as one.
type poll struct {
	At              time.Time // of the system's figures
	Heap, Goroutine *exact
	Descriptors     float64 // NaN where the system does not tell
	Resident        float64 // bytes; NaN where the system does not tell
	OffHeap         float64 // resident memory that the Go runtime did not ask for, bytes
}

// exact is a profile as sums by stack.
type exact struct {
	At    time.Time // as the profile has it: after the collection it asked for
	Rows  []exactRow
	Total float64
}

type exactRow struct {
	Frames []frame // root first
	Value  float64
}

// twinEvery is the pace: a collection each time, of a heap of up to 200 MB.
const twinEvery = 2500 * time.Millisecond

// watch polls p until ctx is done.
func (t *twin) watch(ctx context.Context, p *process) error {
	defer t.client.CloseIdleConnections()
	ticks := time.NewTicker(twinEvery)
	defer ticks.Stop()
	for {
		// The requests outlive ctx, so that the last poll is a whole one.
		at, err := t.poll(context.WithoutCancel(ctx), p)
		if err != nil {
			return fmt.Errorf("poll the exact twin: %w", err)
		}
		t.Polls = append(t.Polls, at)
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func (t *twin) poll(ctx context.Context, p *process) (at poll, err error) {
	if t.heaps {
		if at.Heap, err = t.fetch(ctx, p.url+"/debug/pprof/heap?gc=1", "inuse_space"); err != nil {
			return at, err
		}
	}
	if at.Goroutine, err = t.fetch(ctx, p.url+"/debug/pprof/goroutine", "goroutine"); err != nil {
		return at, err
	}
	text, err := t.get(ctx, p.url+"/debug/pprof/heap?debug=1")
	if err != nil {
		return at, err
	}
	at.At = time.Now()
	at.Descriptors, at.Resident = descriptors(p.pid), resident(p.pid)
	at.OffHeap = at.Resident - memstat(text, "Sys") + memstat(text, "HeapReleased")
	return at, nil
}

func (t *twin) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

func (t *twin) fetch(ctx context.Context, url, column string) (*exact, error) {
	data, err := t.get(ctx, url)
	if err != nil {
		return nil, err
	}
	p, _, err := format.Decode(bytes.NewReader(data), url, format.Options{})
	if err != nil {
		return nil, err
	}
	return sums(p, column)
}

// sums reads one column of a profile.
func sums(p *profile.Profile, column string) (*exact, error) {
	c, err := p.SampleIndex(column)
	if err != nil {
		return nil, err
	}
	e := &exact{At: time.Unix(0, p.TimeNanos)}
	for i, s := range p.Samples.Stack {
		v := float64(p.Samples.Values[c][i])
		if v == 0 {
			continue
		}
		var frames []frame // leaf first
		for _, l := range p.Stacks.Of(s) {
			for _, line := range p.Locations.LinesOf(l) {
				frames = append(frames, frame{p.FunctionName(line.Function), p.FunctionFile(line.Function), line.Line})
			}
		}
		slices.Reverse(frames)
		e.Rows = append(e.Rows, exactRow{frames, v})
		e.Total += v
	}
	return e, nil
}

// below is the sum over the stacks that path leads to. A path may leave out
// frames of the runtime at the root.
func (e *exact) below(path []frame) float64 {
	if len(path) == 0 {
		return e.Total
	}
	sum := 0.0
	for _, r := range e.Rows {
		if leadsTo(path, r.Frames) {
			sum += r.Value
		}
	}
	return sum
}

func leadsTo(path, frames []frame) bool {
	for at := 0; at+len(path) <= len(frames); at++ {
		if slices.EqualFunc(path, frames[at:at+len(path)], func(a, b frame) bool {
			return a.Function == b.Function && (a.Line == 0 || b.Line == 0 || a.Line == b.Line)
		}) {
			return true
		}
	}
	return false
}

// truth is the exact level at the first and the last poll and the slope by
// least squares, a second; NaN when it is not known.
type truth struct{ first, last, slope float64 }

// withoutLines is a path that leads to every line: a goroutine that is stuck
// moves between places of one function.
func withoutLines(path []frame) []frame {
	some := slices.Clone(path)
	for i := range some {
		some[i].Line = 0
	}
	return some
}

// save keeps a twin, loadTwin reads it again.
func (t *twin) save(path string) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(t); err != nil {
		return fmt.Errorf("keep the exact twin: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func loadTwin(path string) (*twin, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &twin{}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(t); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return t, nil
}

// of is the truth about a finding.
func (t *twin) of(f *finding) truth {
	path := f.Path
	switch {
	case f.Resource == "goroutines":
		path = withoutLines(path)
	case len(path) > 0 && len(f.Below) > 0:
		// Several lines of the last function grow; it names the main one.
		path = slices.Concat(path[:len(path)-1], withoutLines(path[len(path)-1:]))
	}
	var at, level []float64
	for i := range t.Polls {
		moment, v := t.Polls[i].level(f.Resource, path)
		at, level = append(at, moment.Sub(t.Polls[0].At).Seconds()), append(level, v)
	}
	if len(level) < 3 {
		return truth{math.NaN(), math.NaN(), math.NaN()}
	}
	return truth{level[0], level[len(level)-1], leastSquares(at, level)}
}

// level is how much of a resource there was below a path, and when; NaN if it
// is not known.
func (p *poll) level(resource string, path []frame) (time.Time, float64) {
	switch resource {
	case "heap":
		if p.Heap != nil {
			return p.Heap.At, p.Heap.below(path)
		}
	case "goroutines":
		return p.Goroutine.At, p.Goroutine.below(path)
	case "descriptors":
		return p.At, p.Descriptors
	case "off-heap":
		return p.At, p.OffHeap
	case "resident":
		return p.At, p.Resident
	}
	return p.At, math.NaN()
}

// leastSquares is the slope of the line with the smallest sum of squared
// distances.
func leastSquares(x, y []float64) float64 {
	var mx, my float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(y))
	}
	var xy, xx float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	return xy / xx
}

// descriptors counts what a process of this machine has open.
func descriptors(pid int) float64 {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		return math.NaN()
	}
	return float64(len(open))
}

// resident is the resident memory of a process of this machine, bytes.
func resident(pid int) float64 {
	if kb := procfs.Bytes(filepath.Join("/proc", strconv.Itoa(pid), "status"), "VmRSS"); kb > 0 {
		return float64(kb)
	}
	return math.NaN()
}

// memstat reads one line "# Name = 123" at the end of heap?debug=1.
func memstat(text []byte, name string) float64 {
	_, rest, ok := strings.Cut(string(text), "\n# "+name+" = ")
	if !ok {
		return math.NaN()
	}
	line, _, _ := strings.Cut(rest, "\n")
	v, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// levels prints what the twin held at a third, two thirds and the end, and
// the slopes of the second half.
func (t *twin) levels() string {
	n := len(t.Polls)
	if n < 6 {
		return fmt.Sprintf("only %d polls", n)
	}
	var at []float64
	columns := [4][]float64{}
	for _, p := range t.Polls {
		at = append(at, p.At.Sub(t.Polls[0].At).Seconds())
		for i, v := range [4]float64{p.Heap.Total / 1e6, p.Goroutine.Total, p.Descriptors, p.OffHeap / 1e6} {
			columns[i] = append(columns[i], v)
		}
	}
	var cells []string
	for _, c := range columns {
		cells = append(cells, fmt.Sprintf("%.3g %.3g %.3g", c[n/3], c[2*n/3], c[n-1]))
	}
	for _, c := range columns[:3] {
		cells = append(cells, fmt.Sprintf("%.3f", leastSquares(at[n/2:], c[n/2:])))
	}
	return strings.Join(cells, "\t")
}
