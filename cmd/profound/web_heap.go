package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/web"
)

// openHeap notes a core, a snapshot or a process whose objects can be asked
// for; they are read when they are.
func (o *opener) openHeap(spec string) {
	e, exe := o.s.env, o.inv.exec
	var line atomic.Pointer[progressLine]
	o.in.Heap = func(ctx context.Context) (*web.Heap, error) {
		r := newHeapReader(heapOptions{exe: exe, plain: true}, e)
		defer r.line.end()
		line.Store(r.line)
		a, err := r.analyse(ctx, spec)
		if err != nil {
			return nil, err
		}
		return &web.Heap{Analysis: a.Analysis, Program: a.program, Taken: a.taken, Close: a.close}, nil
	}
	o.in.HeapDoing = func() string {
		if p := line.Load(); p != nil {
			return p.doing()
		}
		return ""
	}
	if o.in.Title == "" && len(o.inv.sources) == 1 {
		o.in.Title = filepath.Base(spec)
	}
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
		return fmt.Sprintf("process %d: %s. It runs on afterwards, and nothing of it is changed. Here this takes what is copied, and about 76 bytes an object.", pid, willDo(target.Estimate())), nil
	}
}
