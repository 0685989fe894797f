package watch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/leak"
)

// memStats is what is wanted of runtime.MemStats, by its names there.
type memStats struct {
	HeapAlloc, HeapInuse, HeapIdle, HeapReleased *float64
	StackInuse, Sys, TotalAlloc                  *float64
	NextGC, NumGC, LastGC, GCCPUFraction         *float64
	// MaxRSS is no part of it but stands beside it in heap?debug=1.
	MaxRSS *float64
}

// fields are the values by name.
func (m *memStats) fields() map[string]**float64 {
	return map[string]**float64{
		"HeapAlloc": &m.HeapAlloc, "HeapInuse": &m.HeapInuse, "HeapIdle": &m.HeapIdle, "HeapReleased": &m.HeapReleased,
		"StackInuse": &m.StackInuse, "Stack": &m.StackInuse, "Sys": &m.Sys, "TotalAlloc": &m.TotalAlloc,
		"NextGC": &m.NextGC, "NumGC": &m.NumGC, "LastGC": &m.LastGC, "GCCPUFraction": &m.GCCPUFraction,
		"MaxRSS": &m.MaxRSS,
	}
}

// put enters what is known into the gauges.
func (m *memStats) put(g *leak.Gauges) {
	for _, set := range [...]struct {
		gauge leak.Gauge
		value *float64
	}{
		{leak.HeapAlloc, m.HeapAlloc}, {leak.HeapInuse, m.HeapInuse}, {leak.HeapIdle, m.HeapIdle}, {leak.HeapReleased, m.HeapReleased},
		{leak.StackInuse, m.StackInuse}, {leak.Sys, m.Sys}, {leak.TotalAlloc, m.TotalAlloc},
		{leak.NextGC, m.NextGC}, {leak.NumGC, m.NumGC}, {leak.GCCPUFraction, m.GCCPUFraction},
		{leak.ResidentPeak, m.MaxRSS},
	} {
		if set.value != nil {
			g[set.gauge] = *set.value
		}
	}
	if m.LastGC != nil && *m.LastGC > 0 {
		g[leak.LastGC] = *m.LastGC / 1e9
	}
	// NaN if one of them is not known.
	g[leak.RuntimeOther] = g[leak.Sys] - g[leak.HeapInuse] - g[leak.HeapIdle] - g[leak.StackInuse]
}

// memory asks for what the runtime tells of its memory.
func (v *visit) memory(ask Ask) {
	var m memStats
	var err error
	switch {
	case v.t.vars:
		err = v.timed(func() (err error) {
			m, err = v.t.getVars(v.ctx, &v.seen.Gauges)
			return err
		})
	case (ask.MemStats || v.blind) && v.t.has(heapProfile): // a profile without samples is cheap, and nothing else tells of the heap
		err = v.timed(func() (err error) {
			m, err = v.t.getComments(v.ctx)
			return err
		})
	default:
		return
	}
	if err != nil {
		v.warn(err)
		return
	}
	m.put(&v.seen.Gauges)
}

// maxVars bounds the answer of /debug/vars, bytes.
const maxVars = 16 << 20

// varsPath is where package expvar puts itself.
const varsPath = "/debug/vars"

// hasVars tells whether /debug/vars has memstats.
func (t *Target) hasVars(ctx context.Context) bool {
	g := leak.NoGauges()
	m, err := t.getVars(ctx, &g)
	return err == nil && m.HeapAlloc != nil
}

// runtimeMetrics are metrics of package runtime/metrics a program may publish
// in /debug/vars, by their names or below one of the keys of metricsKeys.
var runtimeMetrics = [...]struct {
	name  string
	gauge leak.Gauge
}{
	{"/gc/heap/live:bytes", leak.HeapLive},
	{"/gc/gogc:percent", leak.GOGC},
	{"/gc/gomemlimit:bytes", leak.MemoryLimit},
	{"/sched/goroutines:goroutines", leak.GoroutineCount},
}

var metricsKeys = [...]string{"runtime/metrics", "runtime_metrics"}

// getVars reads /debug/vars, a JSON object one of whose keys is memstats.
func (t *Target) getVars(ctx context.Context, g *leak.Gauges) (memStats, error) {
	var vars struct {
		MemStats memStats `json:"memstats"`
	}
	err := t.server.Get(ctx, varsPath, nil, 0, func(r io.Reader) error {
		data, err := readAll(r, maxVars)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &vars); err != nil {
			return err
		}
		putMetrics(data, g)
		return nil
	})
	return vars.MemStats, err
}

// putMetrics looks for runtimeMetrics in the JSON object data.
func putMetrics(data []byte, g *leak.Gauges) {
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return
	}
	put := func(m map[string]json.RawMessage) {
		for _, metric := range runtimeMetrics {
			var n float64
			if raw, ok := m[metric.name]; ok && json.Unmarshal(raw, &n) == nil {
				g[metric.gauge] = n
			}
		}
	}
	put(all)
	for _, key := range metricsKeys {
		var inner map[string]json.RawMessage
		if json.Unmarshal(all[key], &inner) == nil {
			put(inner)
		}
	}
}

// getComments reads the comments at the end of heap?debug=1, passing over the
// records before them:
//
//	# runtime.MemStats
//	# HeapAlloc = 1234
//	# Stack = 5678 / 9012
func (t *Target) getComments(ctx context.Context) (memStats, error) {
	var m memStats
	err := t.server.Get(ctx, heapProfile, url.Values{"debug": {"1"}}, 0, func(r io.Reader) error {
		return readComments(&m, io.LimitReader(r, maxProfile))
	})
	return m, err
}

func readComments(m *memStats, r io.Reader) error {
	fields := m.fields()
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		// A line that is too long for the buffer comes in parts, none of which
		// is one of those wanted.
		line, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			continue
		}
		if rest, ok := bytes.CutPrefix(line, []byte("# ")); ok {
			key, value, _ := strings.Cut(strings.TrimSpace(string(rest)), " = ")
			if to := fields[key]; to != nil {
				value, _, _ = strings.Cut(value, " / ")
				if n, err := strconv.ParseFloat(value, 64); err == nil && n >= 0 {
					*to = &n
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
