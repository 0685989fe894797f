package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Child is the other end of Start, run by the hidden sub-command: it reads
// ServiceOptions from stdin, serves, says on stdout that it is ready, and ends
// when stdin does.
func Child(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	// A demo of seconds has little to sample: at the default of 512 KiB the
	// profile would be off by a third.
	runtime.MemProfileRate = 64 << 10
	lines := bufio.NewReader(stdin)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("demo: read options: %w", err)
	}
	var opt ServiceOptions
	if err := json.Unmarshal(line, &opt); err != nil {
		return fmt.Errorf("demo: read options: %w", err)
	}
	opt.Ready, opt.Parent = stdout, lines
	return Serve(ctx, opt)
}

// StartOptions say how Start runs the service.
type StartOptions struct {
	// Args make the executable call Child.
	Args []string
	// Env is the environment of the process; nil is that of this one.
	Env     []string
	Service ServiceOptions
	// Timeout bounds the wait for readiness; 0 is ten seconds.
	Timeout time.Duration
}

const (
	readyTimeout = 10 * time.Second
	// killAfter is how long a process may take to end when asked to. It is
	// more than Serve takes.
	killAfter = 3 * time.Second
	// stderrTail is how much of what the process says is kept for errors.
	stderrTail = 4 << 10
)

// Process is a running service. It ends with Stop, with the ctx of Start, or
// by itself.
type Process struct {
	// URL is where the service answers, without a slash at the end.
	URL string
	PID int

	cancel context.CancelFunc
	done   chan struct{} // closed when the process is gone; cmd is settled then
	cmd    *exec.Cmd
	err    error // of cmd.Wait, valid after done
	stderr *tailBuffer
}

// Start runs exe as the service and waits until it answers. The process lives
// until ctx is done or Stop is called.
func Start(ctx context.Context, exe string, opt StartOptions) (*Process, error) {
	options, err := json.Marshal(opt.Service)
	if err != nil {
		return nil, fmt.Errorf("demo: encode options: %w", err)
	}
	life, cancel := context.WithCancel(ctx)
	p := &Process{cancel: cancel, done: make(chan struct{}), stderr: &tailBuffer{}}
	ready := &firstLine{line: make(chan []byte, 1)}
	p.cmd = exec.CommandContext(life, exe, opt.Args...)
	p.cmd.Env = opt.Env
	p.cmd.Stdout, p.cmd.Stderr = ready, p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("demo: start %s: %w", exe, err)
	}
	// The end of stdin asks the process to end, on every system alike; os/exec
	// kills it if it does not within WaitDelay.
	p.cmd.Cancel = stdin.Close
	p.cmd.WaitDelay = killAfter
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("demo: start %s: %w", exe, err)
	}
	p.PID = p.cmd.Process.Pid
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	// A process that does not read its options does not become ready either,
	// and its own words are the better error.
	_, _ = stdin.Write(append(options, '\n'))
	if err := p.awaitReady(ctx, ready, opt.Timeout); err != nil {
		// Its end is no news: the error already says what went wrong.
		_ = p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *Process) awaitReady(ctx context.Context, ready *firstLine, timeout time.Duration) error {
	if timeout == 0 {
		timeout = readyTimeout
	}
	late := time.NewTimer(timeout)
	defer late.Stop()
	select {
	case line := <-ready.line:
		var r Ready
		if err := json.Unmarshal(line, &r); err != nil || r.URL == "" {
			return fmt.Errorf("demo: the service said %q instead of its address", line)
		}
		p.URL = r.URL
		return nil
	case <-p.done:
		return p.Err()
	case <-late.C:
		return fmt.Errorf("demo: the service was not ready after %v%s", timeout, p.stderr.suffix())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the process is gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is why the process is gone: nil while it runs and after it ended as it
// was asked to.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	// os/exec reports the context when Cancel ran, even if all went well.
	if p.err == nil || p.cmd.ProcessState != nil && p.cmd.ProcessState.Success() {
		return nil
	}
	if errors.Is(p.err, exec.ErrWaitDelay) {
		return nil // gone, but something it started still holds its output
	}
	return fmt.Errorf("demo: the service ended: %w%s", p.err, p.stderr.suffix())
}

// Stop ends the process and returns when it is gone: it is asked first and
// killed if it does not listen. Stopping twice is no error.
func (p *Process) Stop() error {
	p.cancel()
	<-p.done
	return p.Err()
}

// firstLine passes on the first line written to it and drops the rest.
type firstLine struct {
	line chan []byte // of capacity 1
	buf  []byte
	sent bool
}

func (f *firstLine) Write(b []byte) (int, error) {
	if f.sent {
		return len(b), nil
	}
	f.buf = append(f.buf, b...)
	if i := bytes.IndexByte(f.buf, '\n'); i >= 0 {
		f.line <- f.buf[:i]
		f.sent = true
	}
	return len(b), nil
}

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tailBuffer) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - stderrTail; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(b), nil
}

// suffix is what was written, made to follow an error message.
func (t *tailBuffer) suffix() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := bytes.TrimSpace(t.buf); len(text) > 0 {
		return "\n" + string(text)
	}
	return ""
}
