package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// takeTwo takes the two names of -diff.
func (o *whyOptions) takeTwo(names []string) error {
	switch {
	case len(names) != 2:
		return usagef("why: -diff: name two heaps of one program, the earlier one first: processes, core files or snapshots\n\n%s", whyHelp)
	case o.at != "" || o.out != "":
		return usagef("why: -diff goes with -n, -json, -exe and -plain only")
	case o.n < 1:
		return usagef("why: -n=%d: at least 1", o.n)
	}
	o.base, o.spec = names[0], names[1]
	return nil
}

// whyDiff is "profound why -diff": which paths grow. Of the earlier heap only
// sums are kept, so that no more than one heap is in memory.
func whyDiff(ctx context.Context, o *whyOptions, e *env) error {
	r := newHeapReader(heapOptions{exe: o.exe, plain: o.plain, lists: true}, e)
	defer r.line.end()
	d, err := r.difference(ctx, o)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("why: %w", err)
	}
	if o.json {
		return reason.WriteGrowthsJSON(e.stdout, d.before, d.after, d.growths)
	}
	if text := reason.Differ(d.before.Program, d.after.Program); text != "" {
		r.e.say("note: " + text)
	}
	fmt.Fprintln(e.stdout, reason.DiffSummary(d.before, d.after)+"\n")
	if len(d.growths) == 0 {
		fmt.Fprintln(e.stdout, "No path holds more than before.")
	}
	return reason.WriteGrowths(e.stdout, d.growths, reasonOptions(e))
}

// difference is what -diff has found.
type difference struct {
	before, after *why.Sums
	growths       []why.Growth
}

// difference reads two heaps, one after the other.
func (r *heapReader) difference(ctx context.Context, o *whyOptions) (*difference, error) {
	first, err := r.sums(ctx, o.base, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.base, err)
	}
	debug.FreeOSMemory()
	both, err := r.sums(ctx, o.spec, first.after, o.n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.spec, err)
	}
	return both, nil
}

// sums reduces a heap, and compares it with sums of an earlier one, if there
// are any.
func (r *heapReader) sums(ctx context.Context, spec string, before *why.Sums, n int) (*difference, error) {
	h, err := r.analyse(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer h.close()
	r.line.begin("adding up paths")
	return await(ctx, func() (*difference, error) {
		d := &difference{before: before, after: h.Sums(h.program, h.taken)}
		if before != nil {
			d.growths = h.Growths(before, d.after, n)
		}
		return d, nil
	})
}
