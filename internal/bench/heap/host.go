package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// about are the lines of a page about how it was made.
func about(ctx context.Context, command string, now time.Time) []string {
	cpu := procfs.Field("/proc/cpuinfo", "model name")
	if cpu == "" {
		cpu = "unknown processor"
	}
	lines := []string{
		"command: `" + command + "`",
		"date: " + now.UTC().Format("2006-01-02 15:04 MST"),
		fmt.Sprintf("machine: %s, %d cores, %.0f GiB, %s/%s, %s", cpu, runtime.NumCPU(),
			float64(procfs.Bytes("/proc/meminfo", "MemTotal"))/(1<<30), runtime.GOOS, runtime.GOARCH, runtime.Version()),
	}
	if commit, err := output(ctx, nil, "git", "rev-parse", "--short=12", "HEAD"); err == nil {
		if changes, err := output(ctx, nil, "git", "status", "--porcelain", "--untracked-files=no"); err == nil && changes != "" {
			commit += " with changes"
		}
		lines = append(lines, "commit: "+commit)
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(load)); len(f) >= 3 {
			lines = append(lines, "load averages before the run: "+strings.Join(f[:3], " "))
		}
	}
	return lines
}

// versionOf is the version of Go an executable was built by.
func versionOf(exe string) (string, error) {
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		return "", err
	}
	return info.GoVersion, nil
}
