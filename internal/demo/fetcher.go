package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// MetricsFetcher polls the metrics of all containers of a node. Each variant
// has a field of its own, so that whoever follows a retention path arrives at
// the name of the mistake.
type MetricsFetcher struct {
	endpoint string
	client   *http.Client
	leak     string
	limit    int64 // bytes; held does not pass it

	history     []*containerSample          // LeakAppend
	byContainer map[string]*containerSample // LeakMap
	podNames    []string                    // LeakSubstring
	recent      [][]*containerSample        // LeakNone: a ring of fixed length
	next        int                         // where recent is overwritten

	delivered atomic.Int64 // samples acknowledged: never any
	held      atomic.Int64 // bytes kept alive, see Stats.Held
	fetches   atomic.Int64
	failures  atomic.Int64
}

// containerSample is one line of an answer.
type containerSample struct {
	metric    string
	container string
	id        string
	image     string
	namespace string
	pod       string
	value     float64
	at        time.Time
}

// maxResponse bounds an answer, bytes.
const maxResponse = 64 << 20

// recentBytes is what the ring of the decoy holds when full: some seconds of
// filling at the default rate, then nothing more.
const recentBytes = 8 << 20

func newMetricsFetcher(endpoint string, opt ServiceOptions) *MetricsFetcher {
	f := &MetricsFetcher{
		endpoint: endpoint,
		// No idle connection is left behind for the runtime to count.
		client:      &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		leak:        opt.Leak,
		limit:       opt.Cap,
		byContainer: map[string]*containerSample{},
	}
	if opt.Leak == LeakNone {
		f.recent = make([][]*containerSample, max(1, min(recentBytes, opt.Cap)/bytesPerTick(opt)))
	}
	return f
}

// start fetches, parses and keeps once for each tick until ctx is done.
func (f *MetricsFetcher) start(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		body, err := f.fetch(ctx)
		if err != nil {
			f.failures.Add(1) // shown by the stats; the next tick tries again
			continue
		}
		samples := parseContainerMetricsResponse(body, f.leak == LeakSubstring)
		f.keep(samples, len(body))
		f.fetches.Add(1)
	}
}

func (f *MetricsFetcher) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.endpoint, nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", f.endpoint, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxResponse))
}

// parseContainerMetricsResponse reads an answer in the Prometheus text format.
// When shared is set the strings of the samples are parts of one copy of the
// answer, which is what makes parsers fast and LeakSubstring possible; else
// each string is a copy of its own.
//
// Not inlined so that the frame has this name in every profile.
//
//go:noinline
func parseContainerMetricsResponse(body []byte, shared bool) []*containerSample {
	text := string(body)
	samples := make([]*containerSample, 0, strings.Count(text, "\n"))
	// Plain loops: the closures of range-over-func would be frames of their
	// own in every stack.
	for line, left := "", text; left != ""; {
		line, left, _ = strings.Cut(left, "\n")
		metric, rest, ok := strings.Cut(line, "{")
		if !ok {
			continue
		}
		labels, figures, ok := strings.Cut(rest, "} ")
		if !ok {
			continue
		}
		figure, stamp, _ := strings.Cut(strings.TrimSpace(figures), " ")
		value, err := strconv.ParseFloat(figure, 64)
		if err != nil {
			continue // as the format wants: a bad line spoils no other
		}
		millis, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			continue
		}
		s := &containerSample{metric: metric, value: value, at: time.UnixMilli(millis)}
		for _, label := range strings.Split(labels, ",") {
			key, quoted, _ := strings.Cut(label, "=")
			s.set(key, strings.Trim(quoted, `"`))
		}
		if !shared {
			s.own()
		}
		samples = append(samples, s)
	}
	return samples
}

// set stores a label of a sample.
func (s *containerSample) set(key, value string) {
	switch key {
	case "container":
		s.container = value
	case "id":
		s.id = value
	case "image":
		s.image = value
	case "namespace":
		s.namespace = value
	case "pod":
		s.pod = value
	}
}

// own gives the sample copies of its strings.
func (s *containerSample) own() {
	for _, p := range []*string{&s.metric, &s.container, &s.id, &s.image, &s.namespace, &s.pod} {
		*p = strings.Clone(*p)
	}
}

// keep is the mistake: it holds on to the samples of one answer of that many
// bytes in the manner of the variant.
func (f *MetricsFetcher) keep(samples []*containerSample, answer int) {
	if len(samples) == 0 {
		return
	}
	size := heldBy(f.leak, samples, answer)
	if f.leak == LeakNone {
		f.held.Add(size - heldBy(f.leak, f.recent[f.next], answer))
		f.recent[f.next] = samples
		f.next = (f.next + 1) % len(f.recent)
		return
	}
	if f.held.Load()+size > f.limit {
		return // the demo is over; go on fetching, keep nothing
	}
	f.held.Add(size)
	switch f.leak {
	case LeakAppend:
		f.history = append(f.history, samples...)
	case LeakMap:
		for _, s := range samples {
			f.byContainer[mapKey(s)] = s
		}
	case LeakSubstring:
		f.podNames = append(f.podNames, samples[0].pod)
	case LeakGoroutine:
		go f.deliver(samples, make(chan struct{}))
	}
}

// mapKey is new for every answer; that is the leak of LeakMap. The metric is
// in it as one container has several lines.
func mapKey(s *containerSample) string {
	return s.id + "/" + s.metric + "@" + strconv.FormatInt(s.at.UnixMilli(), 10)
}

// deliver waits until the samples are acknowledged and counts those that say
// something. Nobody acknowledges. It has to look into the samples afterwards:
// of a slice of which only the length is used the compiler keeps only the
// length, and the goroutine would hold nothing.
func (f *MetricsFetcher) deliver(samples []*containerSample, acknowledged <-chan struct{}) {
	<-acknowledged
	for _, s := range samples {
		if s.value != 0 {
			f.delivered.Add(1)
		}
	}
}

// heldBy is how many bytes of the heap a variant keeps alive for one answer.
// Lengths stand for size classes, which are a few percent larger.
func heldBy(leak string, samples []*containerSample, answer int) int64 {
	if leak == LeakSubstring {
		return int64(answer) + int64(unsafe.Sizeof(""))
	}
	var size int64
	for _, s := range samples {
		size += int64(unsafe.Sizeof(*s)) + int64(unsafe.Sizeof(s))
		size += int64(len(s.metric) + len(s.container) + len(s.id) + len(s.image) + len(s.namespace) + len(s.pod))
		if leak == LeakMap {
			size += int64(len(mapKey(s))) + int64(unsafe.Sizeof(""))
		}
	}
	return size
}

// bytesPerTick is what a variant is to keep alive each tick.
func bytesPerTick(opt ServiceOptions) int64 {
	return max(1, opt.Rate*int64(tickEvery)/int64(time.Second))
}

// linesPerResponse is how long the answers must be for the variant to leak at
// the rate asked for: measured on a small answer rather than calculated.
func linesPerResponse(opt ServiceOptions) int {
	const probe = 64
	body := newKubelet(probe).render(time.Now())
	samples := parseContainerMetricsResponse(body, opt.Leak == LeakSubstring)
	return max(1, int(bytesPerTick(opt)*probe/heldBy(opt.Leak, samples, len(body))))
}
