package main

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/why"
)

// account is what of our own memory is alive at one moment, by the functions
// that allocated it. What lies outside the Go heap (the copy, files) is not
// counted, nor is garbage.
type account struct {
	stage      string
	objects    int64
	references int64
	live       int64 // bytes
	rows       []accountRow
}

type accountRow struct {
	site  string // function and line
	bytes int64
}

// takeAccount collects and lists what is left: what is as large as an array of
// all objects is sampled for sure.
func takeAccount(stage string) account {
	runtime.GC()
	a := account{stage: stage}
	var records []runtime.MemProfileRecord
	for n, ok := runtime.MemProfile(nil, false); !ok; {
		records = make([]runtime.MemProfileRecord, n+50)
		if n, ok = runtime.MemProfile(records, false); ok {
			records = records[:n]
		}
	}
	sums := map[string]int64{}
	for i := range records {
		if b := records[i].InUseBytes(); b > 0 {
			a.live += b
			sums[siteOf(records[i].Stack())] += b
		}
	}
	for site, b := range sums {
		a.rows = append(a.rows, accountRow{site, b})
	}
	slices.SortFunc(a.rows, func(x, y accountRow) int { return cmp.Or(cmp.Compare(y.bytes, x.bytes), cmp.Compare(x.site, y.site)) })
	return a
}

// siteOf is the first function of ours on a stack, leaf first.
func siteOf(stack []uintptr) string {
	const ours = "github.com/profoundhq/profound/internal/"
	first := "?"
	for frames := runtime.CallersFrames(stack); ; {
		f, more := frames.Next()
		if name, ok := strings.CutPrefix(f.Function, ours); ok {
			return fmt.Sprintf("%s %s:%d", name, path.Base(f.File), f.Line)
		}
		if first == "?" && f.Function != "" {
			first = f.Function
		}
		if !more {
			return first
		}
	}
}

// lookEvery is how long a peak may last without being seen.
const lookEvery = 20 * time.Millisecond

// highest is the account of the moment when most was alive while run ran, as
// far as it was looked at.
func highest(stage string, run func()) account {
	over := make(chan struct{})
	found := make(chan account)
	go func() {
		most := takeAccount(stage)
		for ticks := time.NewTicker(lookEvery); ; {
			select {
			case <-over:
				ticks.Stop()
				found <- most
				return
			case <-ticks.C:
				if a := takeAccount(stage); a.live > most.live {
					most = a
				}
			}
		}
	}()
	run()
	close(over)
	return <-found
}

// accountsOf analyses a process once more and says what is alive meanwhile.
func accountsOf(ctx context.Context, pid int) ([]account, error) {
	var h *goheap.Heap
	var a *why.Analysis
	var done func()
	var err error
	list := []account{highest("the heap is read", func() { h, _, done, err = heapOf(ctx, pid) })}
	if err != nil {
		return nil, err
	}
	defer done()
	list = append(list, highest("dominators are found", func() { a = why.New(h) }))
	list = append(list, highest("holders are found", func() { a.Holders(5, 0.01) }))
	for i := range list {
		list[i].objects, list[i].references = int64(h.Stats.Objects), int64(a.Result.Edges())
	}
	runtime.KeepAlive(a)
	return list, nil
}

// perObject is what is alive without references, in bytes an object.
func (a *account) perObject() float64 {
	return float64(a.live-perReference*a.references) / float64(max(1, a.objects))
}

// leastRow is how many bytes an object a row has at least.
const leastRow = 0.1

// String is a table: a line for each array.
func (a *account) String() string {
	var w strings.Builder
	fmt.Fprintf(&w, "alive when %s, %s objects: %.1f bytes an object and %d for each of %.2f references\n", a.stage, millions(a.objects), a.perObject(), perReference,
		float64(a.references)/float64(max(1, a.objects)))
	rest := 0.0
	for _, r := range a.rows {
		if each := float64(r.bytes) / float64(max(1, a.objects)); each >= leastRow {
			fmt.Fprintf(&w, "  %6.2f  %s\n", each, r.site)
		} else {
			rest += each
		}
	}
	fmt.Fprintf(&w, "  %6.2f  others", rest)
	return w.String()
}
