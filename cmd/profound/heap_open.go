package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// analyse reads the heap of a process, core or snapshot and computes who
// dominates whom. What is done to a process is said before and after.
func analyse(ctx context.Context, spec, exe string, e *env) (*why.Analysis, error) {
	began := e.now()
	h, err := readHeap(ctx, spec, exe, e)
	if err != nil {
		return nil, err
	}
	for _, w := range h.Warnings {
		e.say("note: " + w.Error())
	}
	a := why.New(h)
	e.say(fmt.Sprintf("read %s objects in %s", reason.Count(h.Stats.Objects), verdict.Duration(e.now().Sub(began))))
	return a, nil
}

func readHeap(ctx context.Context, spec, exe string, e *env) (*goheap.Heap, error) {
	if pid, err := strconv.Atoi(spec); err == nil {
		return processHeap(ctx, pid, e)
	}
	head, err := headOf(spec)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		img, err := proc.OpenCore(spec, proc.CoreOptions{Exe: exe})
		if err != nil {
			return nil, err
		}
		return imageHeap(img, nil, e)
	}
	s, err := proc.OpenSnapshot(spec, proc.SnapshotOptions{Exe: exe})
	if err != nil {
		return nil, err
	}
	saved, err := s.Section(goheap.SectionName)
	if err != nil {
		return nil, err
	}
	if saved == nil {
		return imageHeap(s, nil, e)
	}
	p, err := goheap.LoadProgram(saved)
	if err != nil {
		return nil, err
	}
	return imageHeap(s, p, e)
}

func headOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a process by its number, a core file or a snapshot", err)
	}
	defer f.Close()
	head := make([]byte, 8)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return head[:n], nil
}

// imageHeap reads the heap out of an image that needs no process.
func imageHeap(img proc.Image, p *goheap.Program, e *env) (*goheap.Heap, error) {
	for _, w := range img.Info().Warnings {
		e.say("note: " + w.Error())
	}
	if p == nil {
		var err error
		if p, err = openProgram(img.Info(), e); err != nil {
			return nil, err
		}
	}
	return goheap.Read(p, img, goheap.Options{})
}

// processHeap copies a live process and reads its heap.
func processHeap(ctx context.Context, pid int, e *env) (*goheap.Heap, error) {
	if isChild(pid) {
		return snapshotByAnother(ctx, pid, e)
	}
	target, p, err := attach(pid, e)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	img, err := copyProcess(ctx, target, p.Plan(goheap.Options{}), e)
	if err != nil {
		return nil, err
	}
	return goheap.Read(p, img, goheap.Options{})
}

func attach(pid int, e *env) (*proc.Target, *goheap.Program, error) {
	target, err := proc.Attach(pid, proc.Options{Now: e.now})
	if err != nil {
		return nil, nil, err
	}
	p, err := openProgram(target.Info(), e)
	if err != nil {
		target.Close()
		return nil, nil, err
	}
	return target, p, nil
}

// copyProcess says what it will do to a process, does it, and says what it did.
func copyProcess(ctx context.Context, target *proc.Target, plan proc.Plan, e *env) (proc.Image, error) {
	est := target.Estimate()
	how := "fork it and copy from the fork"
	if est.Mode == proc.Stop {
		how = "stop it and copy"
	}
	if est.Reason != "" {
		how += " (" + est.Reason + ")"
	}
	e.say(fmt.Sprintf("process %d: %s resident; will %s: it stands still for about %s",
		target.Info().PID, reason.Size(float64(est.Resident)), how, pause(est.Pause)))
	img, did, err := target.Snapshot(ctx, plan)
	if err != nil {
		return nil, err
	}
	e.say(fmt.Sprintf("process %d stood still for %s and runs on; %s copied", target.Info().PID, pause(did.Pause()), reason.Size(float64(did.Copied))))
	return img, nil
}

func pause(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// openProgram opens the executable of an image. One that is stripped is read
// with the layouts of this program, if the same Go made both.
func openProgram(info proc.Info, e *env) (*goheap.Program, error) {
	if info.Exe == "" {
		return nil, fmt.Errorf("the executable %s is not to be found; name it with -exe", info.Name)
	}
	f, err := os.Open(info.Exe)
	if err != nil {
		return nil, fmt.Errorf("open the executable: %w", err)
	}
	p, err := goheap.OpenProgram(f, nil)
	if err == nil {
		return p, nil
	}
	own, ownErr := os.Open(e.exe)
	if ownErr != nil {
		return nil, err
	}
	layouts, ownErr := goheap.OpenProgram(own, nil)
	if ownErr != nil {
		return nil, err
	}
	if q, err := goheap.OpenProgram(f, layouts); err == nil {
		return q, nil
	}
	return nil, err
}
