package main

import (
	"fmt"
	"runtime"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// machine describes what the figures were measured on.
func machine() string {
	cpu := procfs.Field("/proc/cpuinfo", "model name")
	if cpu == "" {
		cpu = "unknown processor"
	}
	memory := ""
	if total := procfs.Bytes("/proc/meminfo", "MemTotal"); total > 0 {
		memory = fmt.Sprintf(", %.0f GiB", float64(total)/(1<<30))
	}
	return fmt.Sprintf("%s, %d cores%s, %s/%s, %s", cpu, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
