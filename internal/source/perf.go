package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// perfMagic begins a perf.data file.
const perfMagic = "PERFILE2"

// PerfTools are the programs that can read perf.data, by path; "" means that
// there is none.
type PerfTools struct {
	// ToProfile is perf_to_profile of github.com/google/perf_data_converter. It
	// is tried first, as in pprof.
	ToProfile string
	// Perf is perf, whose "script" command prints stacks.
	Perf string
	// TempDir is where ToProfile puts its result; "" means next to the input.
	TempDir string
}

// loadPerf converts the perf.data file at path.
func (s *session) loadPerf(ctx context.Context, path string, r *Result) error {
	tools := &s.opt.Perf
	if tools.ToProfile == "" && tools.Perf == "" {
		return &hinted{errors.New("is a perf.data file, and neither perf_to_profile nor perf was found to convert it"),
			fmt.Sprintf("where perf is installed, run: perf script -i %s > %s.txt, and name that file", path, path)}
	}
	s.say(fmt.Sprintf("Converting %s to a profile.proto... (May take a few minutes)", path))
	if tools.ToProfile != "" {
		return s.perfToProfile(ctx, path, r)
	}
	return s.perfScript(ctx, path, r)
}

func (s *session) perfToProfile(ctx context.Context, path string, r *Result) error {
	dir := s.opt.Perf.TempDir
	if dir == "" {
		dir = filepath.Dir(path)
	}
	out, err := os.CreateTemp(dir, "pprof_*.pb.gz")
	if err != nil {
		return fmt.Errorf("convert perf.data: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	// -f: the file exists already.
	cmd, stderr := command(ctx, s.opt.Perf.ToProfile, "-i", path, "-o", out.Name(), "-f")
	if err := cmd.Run(); err != nil {
		return &hinted{fmt.Errorf("failed to convert perf.data file: %w", stderr.explain(err)), "Try github.com/google/perf_data_converter"}
	}
	// By name: the tool may have made a new file of it.
	in, err := os.Open(out.Name())
	if err != nil {
		return fmt.Errorf("convert perf.data: %w", err)
	}
	defer in.Close()
	m := &meter{ctx: ctx, in: in, track: silent()}
	return s.decode(m, m, r, 0)
}

func (s *session) perfScript(ctx context.Context, path string, r *Result) error {
	cmd, stderr := command(ctx, s.opt.Perf.Perf, "script", "-F", "+pid", "-i", path) // else it prints the tid alone
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("convert perf.data: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("convert perf.data: %w", err)
	}
	m := &meter{ctx: ctx, in: out, track: silent()}
	decodeErr := s.decode(m, m, r, 0)
	if decodeErr != nil {
		out.Close() // lets a perf that still writes go
	}
	if err := cmd.Wait(); err != nil && (decodeErr == nil || stderr.tail.Len() > 0) {
		r.Profile = nil
		return fmt.Errorf("failed to convert perf.data file with perf script: %w", stderr.explain(err))
	}
	if decodeErr != nil {
		return fmt.Errorf("output of perf script: %w", decodeErr)
	}
	return nil
}

// killDelay is how long a program that was told to end may hold its pipes.
const killDelay = 2 * time.Second

func command(ctx context.Context, name string, args ...string) (*exec.Cmd, *lastWords) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = killDelay
	words := &lastWords{}
	cmd.Stderr = words
	return cmd, words
}

// lastWords keeps the end of what a program says on standard error.
type lastWords struct {
	tail bytes.Buffer
}

func (w *lastWords) Write(p []byte) (int, error) {
	const most = 4 << 10
	w.tail.Write(p)
	if n := w.tail.Len() - most; n > 0 {
		w.tail.Next(n)
	}
	return len(p), nil
}

func (w *lastWords) explain(err error) error {
	lines := strings.Split(strings.TrimSpace(printable(w.tail.String())), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}
