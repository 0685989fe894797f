package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/view"
)

const (
	// abandonAfter is how long an interrupted report may take to notice.
	abandonAfter = 200 * time.Millisecond
	// gateBytes is how much is written between two looks at an interrupt.
	gateBytes = 32 << 10
)

// gate passes writes on until its context ends.
type gate struct {
	ctx context.Context
	w   io.Writer
}

func (g gate) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if g.ctx.Err() != nil {
			return n, errInterrupted
		}
		m, err := g.w.Write(p[:min(len(p), gateBytes)])
		n += m
		if err != nil {
			return n, err
		}
		p = p[m:]
	}
	return n, nil
}

// report runs one report; Ctrl-C ends it.
func (sh *shell) report(ctx context.Context, c reportCommand, pipe string) error {
	if pipe != "" && c.options.Output != "" {
		return errors.New("a report goes to a file or to a command, not to both")
	}
	ctx, stop := sh.interruptible(ctx)
	defer stop()
	e := *sh.s.env
	e.stdout, e.stderr = gate{ctx, e.stdout}, gate{ctx, e.stderr}
	s := *sh.s
	s.env = &e
	kind := *c.kind
	var p *pipeWriter
	if pipe != "" {
		p = newPipe(pipe, sh.s.env)
		e.stdout, e.stdoutTTY, s.shell = gate{ctx, p}, p.colours && kind.Ext == "", false
		kind.Viewer = ""
	}
	var empty bool
	err := sh.await(ctx, func() error {
		r, err := s.prepare(&kind, c.param, c.options)
		if err != nil {
			return err
		}
		empty = allZero(r.View)
		return s.write(ctx, &kind, r, c.options)
	})
	if p != nil {
		if endErr := p.end(err); endErr != nil || errors.Is(err, syscall.EPIPE) {
			err = endErr // the command did not want it all: no error of ours
		}
	}
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	sh.hintReport(c, empty, err)
	return err
}

// interruptible makes a context that Ctrl-C ends.
func (sh *shell) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-sh.interrupts:
			cancel()
		case <-done:
		}
	}()
	return ctx, func() { close(done); cancel() }
}

// await runs f and, when the context ends before f does, leaves it alone: it
// computes on a profile nobody changes and finds its outputs closed.
func (sh *shell) await(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(abandonAfter):
	}
	// The report may still read the open binaries: it keeps them, and the
	// next one opens its own.
	objects := sh.s.objects
	sh.s.objects = symbol.NewSet(objectOptions())
	go func() {
		<-done
		objects.Close()
	}()
	return errInterrupted
}

func allZero(v *view.View) bool {
	for _, n := range v.Values {
		if n != 0 {
			return false
		}
	}
	return true
}

// print shows a text, through a command if there is one.
func (sh *shell) print(ctx context.Context, text, pipe string) error {
	if pipe == "" {
		sh.s.env.say(text)
		return nil
	}
	p := newPipe(pipe, sh.s.env)
	ctx, stop := sh.interruptible(ctx)
	defer stop()
	_, err := io.WriteString(gate{ctx, p}, text)
	if endErr := p.end(err); endErr != nil || errors.Is(err, syscall.EPIPE) {
		return endErr
	}
	return err
}

// pipeWriter feeds a command. The command starts at the first write, so that
// a report that fails leaves no empty pager behind.
type pipeWriter struct {
	cmd *exec.Cmd
	// colours is set when the command passes them on to a terminal.
	colours bool

	mu    sync.Mutex // an abandoned report may still be writing
	stdin io.WriteCloser
	err   error
}

// newPipe prepares a command line for the shell of the platform; "pager" is
// the user's pager.
func newPipe(line string, e *env) *pipeWriter {
	if line == "pager" {
		line = pager(e)
	}
	p := &pipeWriter{}
	if runtime.GOOS == "windows" {
		p.cmd = exec.Command("cmd", "/c", line)
	} else {
		p.cmd = exec.Command("/bin/sh", "-c", line)
	}
	p.cmd.Stdout, p.cmd.Stderr = e.stdout, e.stderr
	if strings.Fields(line + " .")[0] == "less" {
		less := e.getenv("LESS")
		if less == "" {
			// R passes colours on, F ends at once when all fits on the screen.
			less = "FRX"
			p.cmd.Env = append(os.Environ(), "LESS="+less)
		}
		p.colours = e.stdoutTTY && strings.Contains(less, "R")
	}
	return p
}

func pager(e *env) string {
	if p := e.getenv("PAGER"); p != "" {
		return p
	}
	if runtime.GOOS == "windows" {
		return "more"
	}
	if _, err := exec.LookPath("less"); err == nil {
		return "less"
	}
	return "more"
}

func (p *pipeWriter) start() (io.WriteCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stdin != nil || p.err != nil {
		return p.stdin, p.err
	}
	stdin, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.err = fmt.Errorf("run %s: %w", p.cmd.Args[len(p.cmd.Args)-1], err)
		return nil, p.err
	}
	p.stdin = stdin
	return stdin, nil
}

func (p *pipeWriter) started() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdin != nil
}

func (p *pipeWriter) Write(b []byte) (int, error) {
	w, err := p.start()
	if err != nil {
		return 0, err
	}
	return w.Write(b)
}

// end waits for the command. Its exit code says nothing about the report: it
// is not an error. After an error before the first byte nothing is started.
func (p *pipeWriter) end(err error) error {
	if err != nil && !p.started() {
		return nil
	}
	w, err := p.start()
	if err != nil {
		return err
	}
	w.Close()
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
