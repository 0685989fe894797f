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

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/source"
)

const snapshotHelp = `usage: profound snapshot [-o FILE] [-contents] PID

Writes what "profound why" needs of a process to a file, so that it can be
looked at later and elsewhere: objects with pointers, types, stacks. Strings
and buffers are left out unless -contents asks for them.

  -o FILE     where to (default PID.snapshot)
  -contents   the contents of strings and buffers too
`

// runSnapshot is "profound snapshot".
func runSnapshot(ctx context.Context, args []string, e *env) error {
	fs := flag.NewFlagSet("snapshot", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	out := fs.String("o", "", "")
	contents := fs.Bool("contents", false, "")
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
	if err := writeSnapshot(ctx, pid, *out, *contents, e); err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return fmt.Errorf("snapshot: %w", err)
	}
	e.say(fmt.Sprintf("written to %s; look at it with: %s why %s", *out, e.program(), *out))
	return nil
}

func writeSnapshot(ctx context.Context, pid int, path string, contents bool, e *env) error {
	target, p, err := attach(pid, e)
	if err != nil {
		return err
	}
	defer target.Close()
	img, err := copyProcess(ctx, target, p.Plan(goheap.Options{SelfContained: true, Contents: contents}), e)
	if err != nil {
		return err
	}
	defer img.Close()
	saved, err := p.Save()
	if err != nil {
		return err
	}
	f, err := source.CreateAtomic(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := proc.WriteSnapshot(f, img, proc.SnapshotContents{Sections: []proc.Section{{Name: goheap.SectionName, Data: saved}}}); err != nil {
		return err
	}
	return f.Commit()
}

// snapshotByAnother lets a process of its own copy a child of ours: who has a
// child waits for it, and would take the stops of the copy for its end.
func snapshotByAnother(ctx context.Context, pid int, e *env) (*goheap.Heap, error) {
	dir, err := os.MkdirTemp("", "profound-why-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "snapshot")
	var said strings.Builder
	cmd := exec.CommandContext(ctx, e.exe, "snapshot", "-o", path, strconv.Itoa(pid))
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(said.String()); text != "" {
			return nil, errors.New(strings.TrimPrefix(text, "snapshot: "))
		}
		return nil, fmt.Errorf("copy process %d: %w", pid, err)
	}
	for l := range strings.Lines(said.String()) {
		if !strings.HasPrefix(l, "written to") {
			e.say(l)
		}
	}
	return readHeap(ctx, path, "", e)
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
