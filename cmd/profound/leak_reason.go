package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/watch"
)

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
		if askable(f) {
			held[i] = reason.Held(h.Analysis, f)
		}
	}
	return held, nil
}

// askable tells findings about things that references hold.
func askable(f *leak.Finding) bool {
	return (f.Class == leak.Leak || f.Class == leak.Growing) && reason.Holdable(f)
}
