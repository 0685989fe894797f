package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// heapOptions say how a heap is read.
type heapOptions struct {
	exe   string // the program of a core or snapshot, "" if it is where it was
	plain bool   // no progress on a terminal
	brief bool   // say what is done to the process, and nothing else
	// contents asks for the contents of strings and buffers of a process.
	contents bool
	// lists says that what is asked for needs lists of all objects.
	lists bool
	// keep is a file for the copy of a process, "" not to keep it.
	keep string
}

// analyse reads the heap of a process, core or snapshot and computes who
// dominates whom. What is done to a process is said before and after.
func analyse(ctx context.Context, spec string, o heapOptions, e *env) (*heapAnalysis, error) {
	r := newHeapReader(o, e)
	defer r.line.end()
	return r.analyse(ctx, spec)
}

// heapReader reads heaps, and tells what it does: in lines, and on a terminal
// by a line that changes.
type heapReader struct {
	o    heapOptions
	e    *env // what it says goes past the line of progress
	line *progressLine
	// reset puts back what reading has changed of this process.
	reset func()
}

func newHeapReader(o heapOptions, e *env) *heapReader {
	line := newProgressLine(e, o.plain)
	return &heapReader{o: o, e: line.past(e), line: line, reset: func() {}}
}

// heapAnalysis is an analysis with what it is of.
type heapAnalysis struct {
	*why.Analysis
	program why.Program
	taken   time.Time // zero if not known
	close   func()    // gives back the memory and the files it looks at
}

// heapSource is what a heap is read from: a copy of the memory and the program,
// with the files behind both.
type heapSource struct {
	image   proc.Image
	program *goheap.Program
	files   []io.Closer // of the program
}

func (s *heapSource) close() {
	s.image.Close()
	for _, f := range s.files {
		f.Close()
	}
}

// analyse reads a heap and finds dominators.
func (r *heapReader) analyse(ctx context.Context, spec string) (*heapAnalysis, error) {
	began := r.e.now()
	src, err := r.open(ctx, spec)
	if err != nil {
		return nil, err
	}
	a, err := await(ctx, func() (*why.Analysis, error) {
		h, err := goheap.Read(src.program, src.image, goheap.Options{Progress: r.line.stage, Need: r.mayRead})
		if err != nil {
			return nil, err
		}
		r.bound(h)
		r.line.begin("finding dominators")
		return why.New(h), nil
	})
	if err != nil {
		if ctx.Err() == nil { // else it is still being read
			src.close()
			r.reset()
		}
		return nil, err
	}
	info := src.image.Info()
	h := &heapAnalysis{Analysis: a, taken: info.Taken, program: why.Program{Path: info.Name, BuildID: proc.BuildID(src.image)}}
	h.close = func() {
		if ctx.Err() == nil { // else something may still be reading
			src.close()
			r.reset()
		}
	}
	if !r.o.brief {
		for _, w := range a.Heap.Warnings {
			r.e.say("note: " + w.Error())
		}
		r.e.say(fmt.Sprintf("read %s objects in %s", reason.Count(a.Heap.Stats.Objects), verdict.Duration(r.e.now().Sub(began))))
	}
	return h, nil
}

// await runs what only computes, and gives it up when ctx ends. That is the end
// of this process; until then it goes on, so what it reads must stay.
func await[T any](ctx context.Context, compute func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := compute()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// open copies a process or opens a file, and opens the program.
func (r *heapReader) open(ctx context.Context, spec string) (*heapSource, error) {
	if pid, err := strconv.Atoi(spec); err == nil {
		return r.process(ctx, pid)
	}
	head, err := headOf(spec)
	if err != nil {
		return nil, err
	}
	r.line.begin("opening " + spec)
	var img proc.Image
	var saved []byte
	switch {
	case proc.Sniff(head) == "snapshot":
		img, saved, err = openSnapshot(spec, r.o.exe)
	case isBinary(head):
		img, err = proc.OpenCore(spec, proc.CoreOptions{Exe: r.o.exe})
	default:
		err = fmt.Errorf("%s is neither a core file nor a snapshot, which begins with \"profheap\"", spec)
	}
	if err != nil {
		return nil, err
	}
	src := &heapSource{image: img}
	if saved != nil {
		src.image = &selfContained{img}
		src.program, err = goheap.LoadProgram(saved)
	} else {
		err = r.openProgram(ctx, src, img.Info())
	}
	if err != nil {
		src.close()
		return nil, err
	}
	return src, nil
}

// openSnapshot opens a snapshot file; saved is what it has of the program, nil
// if the executable is needed.
func openSnapshot(path, exe string) (img proc.Image, saved []byte, err error) {
	s, err := proc.OpenSnapshot(path, proc.SnapshotOptions{Exe: exe, MaxBytes: proc.Available()})
	if err != nil {
		return nil, nil, err
	}
	if saved, err = s.Section(goheap.SectionName); err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, saved, nil
}

// selfContained is an image that needs no executable, so that it is no matter
// where that is.
type selfContained struct{ proc.Image }

// Info leaves out remarks about the executable.
func (s *selfContained) Info() proc.Info {
	info := s.Image.Info()
	info.Warnings = slices.DeleteFunc(slices.Clone(info.Warnings), func(err error) bool {
		return strings.HasPrefix(err.Error(), "executable of the snapshot:")
	})
	return info
}

// isBinary tells executables and cores, of other systems too: what is wrong
// with them is told when they are opened.
func isBinary(head []byte) bool {
	for _, magic := range []string{"\x7fELF", "MDMP", "\xcf\xfa\xed\xfe"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// headOf gives the first bytes of a file.
func headOf(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a process by its number, a core file or a snapshot", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file; name a process by its number, a core file or a snapshot", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var head bytes.Buffer
	if _, err := io.CopyN(&head, f, 64); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return head.Bytes(), nil
}

// process copies a live process.
func (r *heapReader) process(ctx context.Context, pid int) (*heapSource, error) {
	switch {
	case isChild(pid):
		return r.byAnother(ctx, pid)
	case r.o.keep != "":
		if err := r.writeSnapshot(ctx, pid, r.o.keep, r.o.contents); err != nil {
			return nil, err
		}
		return r.open(ctx, r.o.keep)
	}
	return r.copy(ctx, pid, goheap.Options{Contents: r.o.contents, Need: r.mayCopy})
}

// copy copies a process as a plan with these options says. It says before what
// it will do to the process, and afterwards what it did.
func (r *heapReader) copy(ctx context.Context, pid int, o goheap.Options) (*heapSource, error) {
	r.line.begin(fmt.Sprintf("reading the program of process %d", pid))
	target, err := proc.Attach(pid, proc.Options{Now: r.e.now, Step: r.step})
	if err != nil {
		return nil, err
	}
	defer target.Close()
	src := &heapSource{}
	if err := r.openProgram(ctx, src, target.Info()); err != nil {
		return nil, err
	}
	est := target.Estimate()
	r.e.say(fmt.Sprintf("process %d: %s", pid, willDo(est)))
	img, did, err := target.Snapshot(ctx, src.program.Plan(o))
	if err != nil {
		for _, f := range src.files {
			f.Close()
		}
		return nil, err
	}
	src.image = img
	if did.Mode != est.Mode {
		r.e.say("note: it was stopped: " + did.Reason)
	}
	r.e.say(fmt.Sprintf("process %d stood still for %s and runs on; %s copied", pid, pause(did.Pause()), reason.Size(float64(did.Copied))))
	return src, nil
}

// willDo says what copying a process will do to it.
func willDo(est proc.Estimate) string {
	how := "fork it and copy from the fork"
	if est.Mode == proc.Stop {
		how = "stop it and copy"
	}
	if est.Reason != "" {
		how += " (" + est.Reason + ")"
	}
	return fmt.Sprintf("%s resident; will %s: it stands still for about %s", reason.Size(float64(est.Resident)), how, pause(est.Pause))
}

// step shows what is done to the process. It is called while that stands
// still, and only remembers.
func (r *heapReader) step(name string) {
	switch name {
	case proc.StepRehearse, proc.StepPlan:
		r.line.begin("looking what to copy")
	case proc.StepSeize, proc.StepSecond:
		r.line.begin("stopping the process for a moment")
	case proc.StepCopy:
		r.line.begin("copying")
	case proc.StepEnd:
		r.line.begin("ending the fork")
	}
}

func pause(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
