package watch

import (
	"encoding/json"
	"math"

	"github.com/profoundhq/profound/internal/leak"
)

// gaugeNames are the names of the gauges in process.jsonl, in the order of
// package leak. A name is never given to something else.
var gaugeNames = [len(leak.Gauges{})]string{
	leak.StartTime:       "start_time",
	leak.StartTicks:      "start_ticks",
	leak.ProcessID:       "pid",
	leak.Resident:        "resident",
	leak.ResidentPeak:    "resident_peak",
	leak.ResidentAnon:    "resident_anon",
	leak.Descriptors:     "descriptors",
	leak.DescriptorLimit: "descriptor_limit",
	leak.Threads:         "threads",
	leak.GoroutineCount:  "goroutines",
	leak.HeapAlloc:       "heap_alloc",
	leak.HeapLive:        "heap_live",
	leak.HeapInuse:       "heap_inuse",
	leak.HeapIdle:        "heap_idle",
	leak.HeapReleased:    "heap_released",
	leak.StackInuse:      "stack_inuse",
	leak.RuntimeOther:    "runtime_other",
	leak.Sys:             "sys",
	leak.TotalAlloc:      "total_alloc",
	leak.NextGC:          "next_gc",
	leak.NumGC:           "num_gc",
	leak.LastGC:          "last_gc",
	leak.GCCPUFraction:   "gc_cpu_fraction",
	leak.GOGC:            "gogc",
	leak.MemoryLimit:     "memory_limit",
	leak.GroupMax:        "group_max",
	leak.GroupHigh:       "group_high",
	leak.GroupCurrent:    "group_current",
	leak.GroupCache:      "group_cache",
	leak.NodeMemory:      "node_memory",
	leak.NodeAvailable:   "node_available",
}

// gaugesJSON are the known gauges by name.
func gaugesJSON(g *leak.Gauges) map[string]float64 {
	m := map[string]float64{}
	for i, v := range g {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			m[gaugeNames[i]] = v
		}
	}
	return m
}

// parseGauges is the reverse. A name that is not known, or a value that is no
// number, is left out.
func parseGauges(m map[string]json.RawMessage) leak.Gauges {
	g := leak.NoGauges()
	for i, name := range gaugeNames {
		var v float64
		if raw, ok := m[name]; ok && json.Unmarshal(raw, &v) == nil {
			g[i] = v
		}
	}
	return g
}
