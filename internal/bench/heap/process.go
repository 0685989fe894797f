package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// usage is what reading a service once took.
type usage struct {
	cpu, wall time.Duration
	peak      int64         // largest resident set, bytes
	gap       time.Duration // longest the service noticed that it stood still
	told      statement     // of profound
}

// read runs a program on a service and measures both.
func read(ctx context.Context, t *target, argv ...string) (usage, error) {
	var u usage
	if _, err := t.gap(); err != nil { // a new start
		return u, err
	}
	var text bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &text, &text
	start := time.Now()
	err := cmd.Run()
	u.wall = time.Since(start)
	if err != nil {
		return u, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, text.Bytes())
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.peak = procfs.Peak(cmd.ProcessState)
	u.told = parseStatement(text.String())
	u.gap, err = t.gap()
	return u, err
}

// statement is what profound says that it did to the process.
type statement struct {
	pause   time.Duration
	copied  float64 // bytes
	objects int64
}

var (
	pauseLine   = regexp.MustCompile(`stood still for ([\d.]+) ms and runs on; ([\d.]+) ([kMG]?B) copied`)
	objectsLine = regexp.MustCompile(`(?m)^read ([\d,]+) objects in`)
)

// parseStatement finds the statement in what profound says; what is not there
// is 0.
func parseStatement(text string) statement {
	var s statement
	if m := pauseLine.FindStringSubmatch(text); m != nil {
		ms, _ := strconv.ParseFloat(m[1], 64)
		s.pause = time.Duration(ms * float64(time.Millisecond))
		s.copied, _ = strconv.ParseFloat(m[2], 64)
		s.copied *= map[string]float64{"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[m[3]]
	}
	if m := objectsLine.FindStringSubmatch(text); m != nil {
		s.objects, _ = strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
	}
	return s
}

// median takes the median of each figure by itself.
func median(runs []usage) usage {
	if len(runs) == 0 {
		return usage{}
	}
	m := runs[0]
	m.cpu = middle(runs, func(u usage) time.Duration { return u.cpu })
	m.wall = middle(runs, func(u usage) time.Duration { return u.wall })
	m.peak = middle(runs, func(u usage) int64 { return u.peak })
	m.gap = middle(runs, func(u usage) time.Duration { return u.gap })
	m.told.pause = middle(runs, func(u usage) time.Duration { return u.told.pause })
	return m
}

func middle[T int64 | time.Duration](runs []usage, get func(usage) T) T {
	values := make([]T, len(runs))
	for i, u := range runs {
		values[i] = get(u)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
