package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/watch"
	"github.com/profoundhq/profound/internal/why"
)

// heldWays is how many ways to hold what a finding is about are told.
const heldWays = 2

// keptObjects is the snapshot that is kept with the profiles of a run.
const keptObjects = "objects.snapshot"

// liveObjects is the first of the targets whose objects can be asked for, ""
// if none is a process of this machine.
func liveObjects(targets []*watch.Target) string {
	at := slices.IndexFunc(targets, func(t *watch.Target) bool { return t.PID() != 0 })
	if at < 0 {
		return ""
	}
	return strconv.Itoa(targets[at].PID())
}

// savedObjects is the snapshot kept in one of the folders, "" if there is none.
func savedObjects(dirs []string) string {
	for _, dir := range dirs {
		path := filepath.Join(dir, keptObjects)
		if isHeap(path) {
			return path
		}
	}
	return ""
}

// reasons asks a process or a snapshot, "" for none, who holds what the
// findings of a verdict are about, by the index of the finding. It asks only
// when there is something to ask, and what goes wrong is a remark.
func reasons(ctx context.Context, v *leak.Verdict, spec string, o heapOptions, e *env) (map[int][]string, error) {
	if spec == "" || !slices.ContainsFunc(v.Findings, func(f leak.Finding) bool { return askable(&f) }) {
		return nil, nil
	}
	h, err := analyse(ctx, spec, o, e)
	if errors.Is(err, proc.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("who holds it could not be asked: %w", err)
	}
	defer h.close()
	held := map[int][]string{}
	for i := range v.Findings {
		f := &v.Findings[i]
		if !askable(f) {
			continue
		}
		if f.Resource == leak.Goroutines {
			held[i] = heldByGoroutines(h.Analysis, f)
			continue
		}
		held[i] = heldByReferences(h.Analysis, f)
	}
	return held, nil
}

// askable tells findings about things that references hold.
func askable(f *leak.Finding) bool {
	return (f.Class == leak.Leak || f.Class == leak.Growing) && len(f.Path) > 0 && (f.Resource == leak.Heap || f.Resource == leak.Goroutines)
}

// allocatedBy matches the allocation stacks that run through the last frame of
// a finding's path, by way of the function to blame.
func allocatedBy(f *leak.Finding) func(stack []goheap.Frame) bool {
	through := []string{f.Path[len(f.Path)-1].Function}
	if at := verdict.Blame(f); at != nil {
		through = append(through, at.Function)
	}
	return func(stack []goheap.Frame) bool {
		for _, name := range through {
			if !slices.ContainsFunc(stack, func(s goheap.Frame) bool { return s.Func == name }) {
				return false
			}
		}
		return true
	}
}

// heldByReferences says which references hold what a finding's path has
// allocated; ways that end at the same reference are told once, the one that
// holds most.
func heldByReferences(a *why.Analysis, f *leak.Finding) []string {
	const look = 20
	var out []string
	told := map[string]bool{}
	for _, w := range a.Sites(look, allocatedBy(f)) {
		cut := reason.CutName(&w)
		if told[cut] || len(out) == heldWays {
			continue
		}
		told[cut] = true
		out = append(out, reason.HeldBy(&w))
	}
	return out
}

// heldByGoroutines says how the goroutines of a finding wait and what goes
// free with them.
func heldByGoroutines(a *why.Analysis, f *leak.Finding) []string {
	var out []string
	for _, g := range a.Goroutines(func(stack []goheap.Frame) bool {
		return slices.ContainsFunc(stack, func(s goheap.Frame) bool { return s.Func == f.Path[0].Function })
	}) {
		if len(out) == heldWays {
			break
		}
		out = append(out, reason.HeldByGroup(&g))
	}
	return out
}
