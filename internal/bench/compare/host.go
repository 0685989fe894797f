package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// host is the machine and what was built on it.
type host struct {
	cpu       string
	cores     int
	memory    int64 // bytes, 0 unknown
	available int64 // bytes of memory free for a new process, 0 unknown
	os        string
	goVersion string
	commit    string
	load      string // load averages before the first run, "" unknown
}

// describe asks the system; what it does not tell stays empty.
func describe(ctx context.Context) host {
	h := host{
		cpu:       procfs.Field("/proc/cpuinfo", "model name"),
		cores:     runtime.NumCPU(),
		memory:    procfs.Bytes("/proc/meminfo", "MemTotal"),
		available: procfs.Bytes("/proc/meminfo", "MemAvailable"),
		os:        runtime.GOOS + "/" + runtime.GOARCH,
	}
	ask := func(name string, args ...string) string {
		out, err := output(ctx, name, args...)
		if err != nil {
			return ""
		}
		return out
	}
	if runtime.GOOS == "darwin" {
		h.cpu = ask("sysctl", "-n", "machdep.cpu.brand_string")
		h.memory, _ = strconv.ParseInt(ask("sysctl", "-n", "hw.memsize"), 10, 64)
		h.available = h.memory / 4 * 3
	}
	// A container may have less than its machine.
	if data, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
			h.available = min(h.available, limit)
		}
	}
	h.goVersion = ask("go", "env", "GOVERSION")
	h.commit = ask("git", "rev-parse", "--short=12", "HEAD")
	if h.commit != "" && ask("git", "status", "--porcelain", "--untracked-files=no") != "" {
		h.commit += " with changes"
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(data)); len(f) >= 3 {
			h.load = strings.Join(f[:3], " ")
		}
	}
	return h
}

func (h host) lines() []string {
	known := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	lines := []string{
		fmt.Sprintf("machine: %s, %d cores, %.0f GiB, %s", known(h.cpu), h.cores, float64(h.memory)/gib, h.os),
		"go: " + known(h.goVersion),
		"commit: " + known(h.commit),
	}
	if h.load != "" {
		lines = append(lines, "load averages before the run: "+h.load)
	}
	return lines
}
