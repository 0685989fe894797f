package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a service that runs.
type process struct {
	url string // without a slash at the end
	pid int
	cmd *exec.Cmd
	out bytes.Buffer
}

const (
	startTimeout = 20 * time.Second
	// readyEvery is how often a starting service is asked whether it answers.
	readyEvery = 50 * time.Millisecond
)

// start runs a service for at most life and waits until it answers. rate is
// its MemProfileRate; 0 leaves the default.
func start(ctx context.Context, argv []string, life time.Duration, rate int) (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := append(append([]string{}, argv[1:]...), "-addr", addr, "-for", life.String())
	p := &process{url: "http://" + addr, cmd: exec.CommandContext(ctx, argv[0], args...)}
	p.cmd.Env = os.Environ()
	if rate > 0 {
		p.cmd.Env = append(p.cmd.Env, fmt.Sprint("MEMRATE=", rate))
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(argv, " "), err)
	}
	p.pid = p.cmd.Process.Pid
	if err := p.ready(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", strings.Join(argv, " "), err, p.out.Bytes())
	}
	return p, nil
}

// freeAddress is one nobody listens on at the moment. Services of other zoos
// do not say which port they got, so they must be told one.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/debug/pprof/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		case <-time.After(readyEvery):
		}
	}
}

// stop ends the service.
func (p *process) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait() // killed: an error is what is expected
}
