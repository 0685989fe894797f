package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/why"
)

// stages is how long the parts of an analysis take inside.
type stages struct {
	objects, edges   int64
	read, dominators time.Duration
	firstPath        time.Duration // finds shortest paths for all that come after
	path, worstPath  time.Duration // with the names of its fields: median, longest
}

// heapOf copies a process and reads its heap.
func heapOf(ctx context.Context, pid int) (h *goheap.Heap, took time.Duration, done func(), err error) {
	t, err := proc.Attach(pid, proc.Options{Now: time.Now})
	if err != nil {
		return nil, 0, nil, err
	}
	defer t.Close()
	exe, err := os.Open(t.Info().Exe)
	if err != nil {
		return nil, 0, nil, err
	}
	fail := func(err error) (*goheap.Heap, time.Duration, func(), error) {
		exe.Close()
		return nil, 0, nil, err
	}
	p, err := goheap.OpenProgram(exe, nil)
	if err != nil {
		return fail(err)
	}
	img, _, err := t.Snapshot(ctx, p.Plan(goheap.Options{}))
	if err != nil {
		return fail(err)
	}
	start := time.Now()
	if h, err = goheap.Read(p, img, goheap.Options{}); err != nil {
		img.Close()
		return fail(err)
	}
	return h, time.Since(start), func() { img.Close(); exe.Close() }, nil
}

// pathQueries is how many paths are asked for.
const pathQueries = 1001

func measureStages(ctx context.Context, pid int) (*stages, error) {
	h, took, done, err := heapOf(ctx, pid)
	if err != nil {
		return nil, err
	}
	defer done()
	s := &stages{read: took, objects: int64(h.Stats.Objects)}
	start := time.Now()
	a := why.New(h)
	s.dominators, s.edges = time.Since(start), int64(a.Result.Edges())
	ask := func(v uint32) usage {
		start := time.Now()
		h.Hops(a.Result.Path(v))
		return usage{wall: time.Since(start)}
	}
	s.firstPath = ask(h.FirstObject).wall
	rnd := rand.New(rand.NewPCG(1, 2))
	var took1 []usage
	for range pathQueries {
		u := ask(h.FirstObject + rnd.Uint32N(uint32(a.Result.Vertices())-h.FirstObject))
		took1 = append(took1, u)
		s.worstPath = max(s.worstPath, u.wall)
	}
	s.path = median(took1).wall
	return s, nil
}

// semiNCAObjects is the size the goal for Semi-NCA is set for.
const semiNCAObjects = 12_000_000

var perOperation = regexp.MustCompile(`BenchmarkDominators\S*\s+\d+\s+([\d.]+) ns/op`)

// measureSemiNCA runs the benchmark of internal/retain.
func measureSemiNCA(ctx context.Context) (time.Duration, error) {
	out, err := output(ctx, nil, "go", "test", "github.com/profoundhq/profound/internal/retain", "-run", "^$",
		"-bench", "^BenchmarkDominators$", "-benchtime", "5x", "-args", "-objects", fmt.Sprint(semiNCAObjects))
	if err != nil {
		return 0, err
	}
	m := perOperation.FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("the benchmark of Semi-NCA printed no time:\n%s", out)
	}
	ns, err := strconv.ParseFloat(m[1], 64)
	return time.Duration(ns), err
}
