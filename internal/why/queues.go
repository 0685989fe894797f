package why

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
)

// Queue is what the runtime keeps to do later, or to clean up: timers,
// finalizers, cleanups, weak handles.
type Queue struct {
	Name string // "finalizers"
	// Count is how many there are, also those that keep nothing alive.
	Count int
	Rows  []QueueRow // those that keep something, the most first
}

// QueueRow are entries of a queue that are alike.
type QueueRow struct {
	Name  string // "finalizer", "queued cleanup", ...
	About string // the type of the object they are for, "" if it is gone or not known
	Func  string // what will be called, "" if not known
	Count int
	// Frees is what goes free without these entries.
	Frees retain.Amount

	vertices []uint32
}

// Queues are the runtime's queues, in a fixed order.
func (a *Analysis) Queues() []Queue {
	st := &a.Heap.Stats
	counts := map[string]int{"finalizers": st.Finalizers, "cleanups": st.Cleanups, "weak handles": st.WeakHandles}
	var out []Queue
	for v := uint32(1); v < a.Heap.FirstObject; v++ {
		if d, ok := a.Result.Dominator(v); !ok || d != 0 || a.Heap.Kind(v) != goheap.KindSpecial {
			continue
		}
		q := Queue{Name: a.Heap.Name(v), Count: counts[a.Heap.Name(v)]}
		seen := map[uint32]bool{}
		for e := range a.Result.Targets(v) {
			if !seen[e] {
				seen[e] = true
				a.entry(&q, e)
			}
		}
		q.Count = max(q.Count, len(seen))
		for i := range q.Rows {
			q.Rows[i].Frees = a.Result.WhatIf(nil, q.Rows[i].vertices).Amount
		}
		slices.SortFunc(q.Rows, func(x, y QueueRow) int {
			return cmp.Or(cmp.Compare(y.Frees.Bytes, x.Frees.Bytes), cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name+x.About+x.Func, y.Name+y.About+y.Func))
		})
		out = append(out, q)
	}
	return out
}

// entry adds a vertex to a queue: a root for one object, or a timer.
func (a *Analysis) entry(q *Queue, v uint32) {
	row := QueueRow{Name: a.Heap.Name(v)}
	switch {
	case a.Heap.IsObject(v):
		row.Name = strings.TrimSuffix(q.Name, "s")
	case a.Heap.Vertex(v).Addr != 0:
		if o, ok := a.Heap.Find(a.Heap.Vertex(v).Addr); ok {
			row.About = a.Heap.Name(o)
		}
	}
	for to := range a.Result.Targets(v) {
		name, isFunc := strings.CutPrefix(a.Heap.Name(to), "func ")
		switch {
		case isFunc && (row.Func == "" || strings.HasPrefix(row.Func, "runtime.")): // the runtime wraps functions
			row.Func = name
		case !isFunc && row.About == "" && a.Heap.IsObject(v):
			row.About = name
		}
	}
	i := slices.IndexFunc(q.Rows, func(r QueueRow) bool { return r.Name == row.Name && r.About == row.About && r.Func == row.Func })
	if i < 0 {
		i = len(q.Rows)
		q.Rows = append(q.Rows, row)
	}
	q.Rows[i].Count++
	q.Rows[i].vertices = append(q.Rows[i].vertices, v)
}
