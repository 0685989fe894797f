package main

import "context"

// contextLeaks keep contexts alive.
func contextLeaks() []service {
	root, cancel := context.WithCancel(context.Background())
	return []service{
		{"leak-context-children", 3000, nil, true, &jobs{root: root, stop: cancel}},
		{"leak-context-afterfunc", 700, nil, false, &cleanups{root}},
		{"leak-context-chain", 4000, nil, false, &chain{root}},
	}
}

// jobs leaks: a context that is not cancelled stays a child of its parent, and
// the parent lives as long as the program.
type jobs struct {
	root    context.Context
	stop    context.CancelFunc
	current job
}

type job struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (j *jobs) work(i int) { j.begin() }

func (j *jobs) begin() {
	j.current.ctx, j.current.cancel = context.WithCancel(j.root) // the one before is forgotten
}

// cleanups leaks: what is to be done when the program ends is registered with
// the root for each request, and never taken back.
type cleanups struct{ root context.Context }

func (c *cleanups) work(i int) {
	scratch := fill(make([]byte, 800), i)
	context.AfterFunc(c.root, func() { clear(scratch) })
}

// chain leaks: each request derives its context from the one before it instead
// of from the root.
type chain struct{ ctx context.Context }

type requestID struct{}

func (c *chain) work(i int) {
	c.ctx = context.WithValue(c.ctx, requestID{}, fill(make([]byte, 64), i))
}
