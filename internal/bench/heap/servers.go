package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// server is a program nobody here has written.
type server struct {
	name, pkg string
	// prepare writes what it needs into a folder and gives its arguments. It
	// listens on the ports, all of this machine; the second is for
	// net/http/pprof.
	prepare func(dir string, ports [3]int) (args []string, err error)
	// load gives it something to keep. What must stay open is closed by done.
	load func(ctx context.Context, ports [3]int) (done func(), err error)
	// what is said of the load.
	what string
}

// servers are the real programs.
func servers() []server {
	return []server{
		{"nats-server", "github.com/nats-io/nats-server/v2@latest", prepareNATS, loadNATS, "3,000 subscriptions, 20,000 messages of 512 B in a stream in memory"},
		{"caddy", "github.com/caddyserver/caddy/v2/cmd/caddy@latest", prepareCaddy, loadCaddy, "1,000 open connections, 5,000 requests"},
		{"coredns", "github.com/coredns/coredns@latest", prepareCoreDNS, loadCoreDNS, "a zone of 20,000 names, 20,000 queries"},
	}
}

// serverRow is one of them, read.
type serverRow struct {
	name, version, what string
	seconds             float64 // with the copy
	heapStats
	holders []string // sentences
}

func (b *bench) readServers(ctx context.Context) ([]serverRow, error) {
	var rows []serverRow
	for _, s := range servers() {
		row, err := b.readServer(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (b *bench) readServer(ctx context.Context, s server) (row serverRow, err error) {
	bin := filepath.Join(b.dir, "bin")
	exe := filepath.Join(bin, s.name)
	if _, err := os.Stat(exe); err != nil {
		b.say("building %s", s.pkg)
		if _, err := output(ctx, []string{"GOBIN=" + bin}, "go", "install", s.pkg); err != nil {
			return row, err
		}
	}
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		return row, err
	}
	row = serverRow{name: s.name, version: info.Main.Version + ", " + info.GoVersion, what: s.what}
	dir, err := os.MkdirTemp(b.dir, s.name)
	if err != nil {
		return row, err
	}
	defer os.RemoveAll(dir)
	ports, err := freePorts()
	if err != nil {
		return row, err
	}
	args, err := s.prepare(dir, ports)
	if err != nil {
		return row, err
	}
	pid, stop, err := startServer(ctx, dir, exe, args, ports)
	if err != nil {
		return row, err
	}
	defer stop()
	done, err := s.load(ctx, ports)
	if err != nil {
		return row, fmt.Errorf("load: %w", err)
	}
	defer done()
	if err := ask(ctx, ports[1], "heap?gc=1"); err != nil {
		return row, err
	}
	start := time.Now()
	h, _, closed, err := heapOf(ctx, pid)
	if err != nil {
		return row, err
	}
	defer closed()
	a := why.New(h)
	row.heapStats = statsOf(a)
	for _, x := range a.Holders(3, 0.01) {
		row.holders = append(row.holders, reason.Sentence(&x))
	}
	row.seconds = time.Since(start).Seconds()
	b.say("%s: %+v\n%s", s.name, row.heapStats, strings.Join(row.holders, "\n"))
	return row, nil
}

// startServer starts a program and waits until it answers.
func startServer(ctx context.Context, dir, exe string, args []string, ports [3]int) (pid int, stop func(), err error) {
	var text bytes.Buffer
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &text, &text
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait() // killed: an error is what is expected
	}
	const timeout, every = 20 * time.Second, 50 * time.Millisecond
	for began := time.Now(); ; {
		if err = ask(ctx, ports[1], ""); err == nil {
			return cmd.Process.Pid, stop, nil
		}
		if ctx.Err() != nil || time.Since(began) > timeout {
			stop()
			return 0, nil, fmt.Errorf("it does not answer: %w\n%s", err, text.Bytes())
		}
		time.Sleep(every)
	}
}

// ask gets a page below /debug/pprof/.
func ask(ctx context.Context, port int, page string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/%s", port, page), nil)
	if err != nil {
		return err
	}
	req.Close = true // so that it keeps nothing of it
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := (&bytes.Buffer{}).ReadFrom(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/debug/pprof/%s: %s", page, resp.Status)
	}
	return nil
}

// freePorts are three nobody listens on at the moment.
func freePorts() (ports [3]int, err error) {
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ports, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
