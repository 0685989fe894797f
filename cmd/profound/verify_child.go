package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/watch"
)

// stopAfter is how long a command may take to end when it is asked to.
const stopAfter = 3 * time.Second

// maxTail is how much of what a command prints is kept for errors, bytes.
const maxTail = 2 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - maxTail; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

// suffix is the text to put behind an error.
func (t *tail) suffix() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return "; it printed nothing"
	}
	return "; it printed last:\n" + text
}

// commandOf makes a command whose output is kept, and that is interrupted
// when ctx ends and killed if it does not end then.
func commandOf(ctx context.Context, words []string) (*exec.Cmd, *tail) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = stopAfter
	return cmd, out
}

// interrupt asks a process to end, where the system has a way to ask.
func interrupt(p *os.Process) error {
	if err := p.Signal(os.Interrupt); err == nil || errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.Kill()
}

// runCommand runs a command to its end.
func runCommand(ctx context.Context, words []string) error {
	cmd, out := commandOf(ctx, words)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w%s", strings.Join(words, " "), err, out.suffix())
	}
	return nil
}

// child is the program under test.
type child struct {
	name   string
	cmd    *exec.Cmd
	out    *tail
	cancel context.CancelFunc
	done   chan struct{} // closed when it is gone
	err    error         // of Wait, valid after done
	// server is the process that serves: itself, or one it started (go run,
	// go test); 0 while none does.
	server atomic.Int64
}

// startProgram starts the program and waits until it, or a process it
// started, serves profiles.
func startProgram(ctx context.Context, o *verifyOptions, e *env) (*child, *watch.Target, error) {
	if err := (procstat.Roots{}).Check(); err != nil {
		return nil, nil, fmt.Errorf("find the port of %s: %w; start it yourself and name its address: profound verify localhost:6060 -- LOAD", o.command[0], err)
	}
	life, cancel := context.WithCancel(ctx)
	c := &child{name: strings.Join(o.command, " "), cancel: cancel, done: make(chan struct{})}
	c.cmd, c.out = commandOf(life, o.command)
	c.cmd.Cancel = func() error {
		if p := c.grandchild(); p != nil {
			_ = interrupt(p) // the one in between is told as well
		}
		return interrupt(c.cmd.Process)
	}
	if err := c.cmd.Start(); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	t, err := c.await(ctx, o, e)
	return c, t, err
}

// await looks for the port until there is one.
func (c *child) await(ctx context.Context, o *verifyOptions, e *env) (*watch.Target, error) {
	late := time.NewTimer(time.Duration(o.start))
	defer late.Stop()
	wo := o.watchOptions(e)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		for _, pid := range wo.Proc.Family(c.cmd.Process.Pid) {
			if ports, err := wo.Proc.Listening(pid); err != nil || len(ports) == 0 {
				continue
			}
			t, err := watch.Connect(ctx, strconv.Itoa(pid), wo)
			if err != nil {
				continue // gone again
			}
			if t.URL() != "" {
				c.server.Store(int64(pid))
				return t, nil
			}
			t.Close()
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-late.C:
			again.Stop()
			return nil, fmt.Errorf("%s does not serve net/http/pprof after %v; have it import net/http/pprof and listen, or give it more time with -start%s", c.name, time.Duration(o.start), c.out.suffix())
		case <-c.done:
			again.Stop()
			return nil, c.explain(errors.New("it must serve net/http/pprof and run on until it is stopped; a command that gives work to a server needs the server's address in front of --"))
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

// explain puts the end of the program before an error that follows from it.
func (c *child) explain(err error) error {
	if c == nil {
		return err
	}
	select {
	case <-c.done:
		how := "by itself"
		if c.err != nil {
			how = "with " + c.err.Error()
		}
		return fmt.Errorf("%s ended %s; %w%s", c.name, how, err, c.out.suffix())
	default:
		return err
	}
}

// stop ends the program and the process that served, and waits for it. The
// error is that it had to be killed.
func (c *child) stop() error {
	if c == nil {
		return nil
	}
	c.cancel()
	<-c.done
	status, _ := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if errors.Is(c.err, exec.ErrWaitDelay) || status.Signaled() && status.Signal() == syscall.SIGKILL {
		if p := c.grandchild(); p != nil {
			_ = p.Kill() // it holds the output open: it did not end with its parent
		}
		return fmt.Errorf("%s did not end %v after an interrupt and was killed", c.name, stopAfter)
	}
	return nil
}

// grandchild is the process that serves if the program started it; else nil.
func (c *child) grandchild() *os.Process {
	pid := int(c.server.Load())
	if pid == 0 || pid == c.cmd.Process.Pid {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	return p
}
