package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/bench/procfs"
)

// target is a service that runs, and tells how long it stood still.
type target struct {
	pid int
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startTarget(ctx context.Context, argv ...string) (*target, error) {
	t := &target{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	t.pid, t.out = t.cmd.Process.Pid, bufio.NewScanner(out)
	if !t.out.Scan() || !strings.HasPrefix(t.out.Text(), "ready") {
		t.stop()
		return nil, fmt.Errorf("%s said %q instead of ready", argv[0], t.out.Text())
	}
	return t, nil
}

// gap is the longest time between two ticks of the service since it was asked
// the last time.
func (t *target) gap() (time.Duration, error) {
	if _, err := io.WriteString(t.in, "\n"); err != nil {
		return 0, fmt.Errorf("ask the service: %w", err)
	}
	if !t.out.Scan() {
		return 0, fmt.Errorf("the service has ended: %v", t.out.Err())
	}
	n, err := strconv.ParseInt(t.out.Text(), 10, 64)
	return time.Duration(n), err
}

// resident is the memory of the service in RAM, bytes.
func (t *target) resident() int64 {
	return procfs.Bytes(fmt.Sprintf("/proc/%d/status", t.pid), "VmRSS")
}

// stop ends the service.
func (t *target) stop() {
	t.in.Close()
	t.cmd.Process.Kill()
	t.cmd.Wait() // killed: an error is what is expected
}
