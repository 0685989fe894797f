package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/source"
)

const snapshotHelp = `usage: profound snapshot [-o FILE] [-contents] [-plain] PID

Writes what "profound why" needs of a process to a file, so that it can be
looked at later and elsewhere: objects with pointers, types, stacks. Strings
and buffers are left out unless -contents asks for them.

  -o FILE     where to (default PID.snapshot)
  -contents   the contents of strings and buffers too
  -plain      no progress on the terminal
`

// runSnapshot is "profound snapshot".
func runSnapshot(ctx context.Context, args []string, e *env) error {
	fs := flag.NewFlagSet("snapshot", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	out := fs.String("o", "", "")
	contents := fs.Bool("contents", false, "")
	plain := fs.Bool("plain", false, "")
	rest, err := parseArgs(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(e.stdout, snapshotHelp)
		return err
	case err != nil:
		return usagef("snapshot: %w\n\n%s", err, snapshotHelp)
	case len(rest) != 1:
		return usagef("snapshot: name one process\n\n%s", snapshotHelp)
	}
	pid, err := strconv.Atoi(rest[0])
	if err != nil {
		return usagef("snapshot: %q is not the number of a process\n\n%s", rest[0], snapshotHelp)
	}
	if *out == "" {
		*out = rest[0] + ".snapshot"
	}
	r := newHeapReader(heapOptions{plain: *plain}, e)
	defer r.line.end()
	if err := r.writeSnapshot(ctx, pid, *out, *contents); err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("snapshot: %w", err)
	}
	r.e.say(fmt.Sprintf("written to %s; look at it with: %s why %s", *out, e.program(), *out))
	return nil
}

// writeSnapshot copies a process into a file.
func (r *heapReader) writeSnapshot(ctx context.Context, pid int, path string, contents bool) error {
	src, err := r.copy(ctx, pid, goheap.Options{SelfContained: true, Contents: contents, Need: r.mayWrite})
	if err != nil {
		return err
	}
	defer src.close()
	for _, w := range src.image.Info().Warnings {
		r.e.say("note: " + w.Error())
	}
	r.line.begin("writing " + path)
	saved, err := src.program.Save()
	if err != nil {
		return err
	}
	f, err := source.CreateAtomic(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	section := proc.Section{Name: goheap.SectionName, Data: saved}
	if err := proc.WriteSnapshot(writerUntil{ctx, f}, src.image, proc.SnapshotContents{Sections: []proc.Section{section}}); err != nil {
		return err
	}
	return f.Commit()
}

// writerUntil fails when its context ends.
type writerUntil struct {
	ctx context.Context
	w   io.Writer
}

// Write writes.
func (w writerUntil) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}

// byAnother lets a process of its own copy a child of ours: who has a child
// waits for it, and would take the stops of the copy for its end.
func (r *heapReader) byAnother(ctx context.Context, pid int) (*heapSource, error) {
	path := r.o.keep
	if path == "" {
		dir, err := os.MkdirTemp("", "profound-why-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir) // what is opened stays readable
		path = filepath.Join(dir, "snapshot")
	}
	var said strings.Builder
	r.line.begin(fmt.Sprintf("copying process %d", pid))
	args := []string{"snapshot", "-plain", "-o", path, strconv.Itoa(pid)}
	if r.o.contents {
		args = append(args, "-contents")
	}
	cmd := exec.CommandContext(ctx, r.e.exe, args...)
	cmd.Stderr = &said
	// It ends the fork and its own files by itself, if it is let.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if text := strings.TrimSpace(said.String()); text != "" {
			return nil, errors.New(strings.TrimPrefix(text, "snapshot: "))
		}
		return nil, fmt.Errorf("copy process %d: %w", pid, err)
	}
	for l := range strings.Lines(said.String()) {
		if !strings.HasPrefix(l, "written to") {
			r.e.say(l)
		}
	}
	return r.open(ctx, path)
}

// isChild tells whether a process is a child of this one.
func isChild(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	return len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid())
}
