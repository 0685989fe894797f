package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/web"
	"github.com/profoundhq/profound/internal/why"
)

// namedHeap is a core, a snapshot or a process whose objects can be asked for.
type namedHeap struct {
	spec  string
	taken time.Time // zero if not known
	live  bool
	id    string // tells it from all others
}

// processID tells a process from others that had its number.
func processID(spec string) string {
	pid, err := strconv.Atoi(spec)
	if err != nil {
		return spec
	}
	r, _ := procstat.Roots{}.Read(pid) // where there is no /proc the number must do
	return fmt.Sprintf("process %d started %g", pid, r.StartTicks)
}

// nameHeap notes a core or snapshot.
func (o *opener) nameHeap(path string) {
	h := namedHeap{spec: path, id: path}
	if info, err := os.Stat(path); err == nil {
		h.id = fmt.Sprintf("file of %d bytes, %d", info.Size(), info.ModTime().UnixNano())
	}
	if head, err := headOf(path); err == nil && proc.Sniff(head) == "snapshot" {
		if info, err := proc.SnapshotInfo(path); err == nil { // else reading it will say what is wrong
			h.taken = info.Taken
			h.id = fmt.Sprintf("heap of %d %s, %d", info.PID, info.Name, info.Taken.UnixNano())
		}
	}
	o.heaps = append(o.heaps, h)
}

// openHeaps lets the page ask for the objects of the latest heap that was
// named, beside those of the earliest: files in order of time, those without
// one as they were named; a process, which is asked now, comes last.
func (o *opener) openHeaps() {
	list := o.heaps
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b namedHeap) int {
		switch {
		case a.live != b.live:
			if a.live {
				return 1
			}
			return -1
		case a.taken.IsZero() || b.taken.IsZero():
			return 0
		}
		return a.taken.Compare(b.taken)
	})
	last, earlier := list[len(list)-1], ""
	o.in.HeapID = last.id
	for i, h := range list[:len(list)-1] {
		if i == 0 && !h.live {
			earlier = h.spec
			o.in.HeapID += ", since " + h.id
			continue
		}
		o.in.Warnings = append(o.in.Warnings, fmt.Sprintf("the heap of %s is left out: the page shows the latest, %s, beside the earliest that was kept in a file", h.spec, last.spec))
	}
	if last.live {
		o.planHeap(last.spec)
	}
	o.openHeap(earlier, last.spec)
	if o.in.Title == "" && !slices.ContainsFunc(o.inv.sources, func(s string) bool { return !isHeap(s) }) {
		o.in.Title = filepath.Base(last.spec)
		if earlier != "" {
			o.in.Title = filepath.Base(earlier) + " → " + o.in.Title
		}
	}
}

// openHeap lets the page ask for the objects of a heap, compared with an
// earlier one, "" for none.
func (o *opener) openHeap(earlier, spec string) {
	e, exe := o.s.env, o.inv.exec
	var line atomic.Pointer[progressLine]
	o.in.Heap = func(ctx context.Context) (*web.Heap, error) {
		r := newHeapReader(heapOptions{exe: exe, plain: true, lists: true}, e)
		defer r.line.end()
		line.Store(r.line)
		h := &web.Heap{}
		if earlier != "" {
			var err error
			if h.Earlier, err = r.earlier(ctx, earlier); err != nil {
				if ctx.Err() != nil {
					return nil, err
				}
				h.Remark = fmt.Sprintf("the earlier heap could not be read, so nothing is compared with it: %s: %v", earlier, err)
			}
		}
		a, err := r.analyse(ctx, spec)
		if err != nil {
			return nil, err
		}
		h.Analysis, h.Program, h.Taken, h.Close = a.Analysis, a.program, a.taken, a.close
		return h, nil
	}
	o.in.HeapDoing = func() string {
		if p := line.Load(); p != nil {
			return p.doing()
		}
		return ""
	}
}

// earlier reduces a heap to what a later one is compared with, and gives its
// memory back.
func (r *heapReader) earlier(ctx context.Context, spec string) (*why.Earlier, error) {
	h, err := r.analyse(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer debug.FreeOSMemory()
	defer h.close()
	r.line.begin("adding up the earlier heap")
	return await(ctx, func() (*why.Earlier, error) { return h.Earlier(h.program, h.taken), nil })
}

// planHeap makes the page ask before a process is copied.
func (o *opener) planHeap(spec string) {
	now := o.s.env.now
	o.in.HeapPlan = func(context.Context) (string, error) {
		pid, err := strconv.Atoi(spec)
		if err != nil {
			return "", err
		}
		target, err := proc.Attach(pid, proc.Options{Now: now})
		if err != nil {
			return "", err
		}
		defer target.Close()
		return fmt.Sprintf("process %d: %s. It runs on afterwards, and nothing of it is changed. Here this takes what is copied, and about 80 bytes an object with its references.", pid, willDo(target.Estimate())), nil
	}
}
