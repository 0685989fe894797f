package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// usage is what one whole process took.
type usage struct {
	cpu  time.Duration // user + system, all threads
	wall time.Duration
	peak int64 // largest resident set, bytes; 0 when the system does not tell
	// stopped says why the process was ended before it was done, "" if it was
	// not; the other figures are then lower bounds.
	stopped string
}

// limits bound a process; 0 is unlimited.
type limits struct {
	wall   time.Duration
	memory int64 // address space, bytes; ignored where there is no sh
}

// runProcess runs argv to its end and returns what it took. A process ended by
// the limits is a result, any other failure an error.
func runProcess(ctx context.Context, argv, env []string, lim limits) (usage, error) {
	if lim.wall > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, lim.wall, errWallLimit)
		defer cancel()
	}
	argv = limitMemory(argv, lim.memory)
	var stderr head
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(start)}
	if cmd.ProcessState == nil {
		return u, err
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.peak = procfs.Peak(cmd.ProcessState)
	switch {
	case err == nil:
		return u, nil
	case errors.Is(context.Cause(ctx), errWallLimit):
		u.stopped = "time limit"
		return u, nil
	case lim.memory > 0 && bytes.Contains(stderr.Bytes(), []byte("out of memory")):
		u.stopped = "memory limit"
		return u, nil
	case ctx.Err() != nil:
		return u, ctx.Err()
	}
	return u, fmt.Errorf("%s: %w\n%s", argv[0], err, stderr.Bytes())
}

var errWallLimit = errors.New("time limit")

// limitMemory wraps argv in a shell that sets the limit and then becomes the
// program: the same process id, so the figures are the program's.
func limitMemory(argv []string, memory int64) []string {
	if memory == 0 || runtime.GOOS == "windows" {
		return argv
	}
	script := fmt.Sprintf(`ulimit -v %d 2>/dev/null; exec "$0" "$@"`, memory>>10)
	return append([]string{"sh", "-c", script}, argv...)
}

// head keeps the start of what is written to it, enough for an error message.
type head struct{ buf bytes.Buffer }

const headSize = 8 << 10

func (h *head) Write(p []byte) (int, error) {
	if room := headSize - h.buf.Len(); room > 0 {
		h.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (h *head) Bytes() []byte { return h.buf.Bytes() }
