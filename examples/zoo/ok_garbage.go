package main

import (
	"context"
	"encoding/json"
	"runtime"
	"time"
)

// garbage are decoys that allocate and keep nothing.
func garbage() []service {
	return []service{
		{"ok-churn-json", 1000, nil, false, &churn{}},
		{"ok-churn-sine", 700, sine(20, 0.9), false, &churn{}},
		{"ok-tickers", 500, nil, true, &tickers{}},
		{"ok-contexts", 3000, nil, true, &contexts{context.Background()}},
		{"ok-finalizers", 250, nil, false, &finalizers{}},
	}
}

// churn encodes and decodes, and holds on to the last answer only.
type churn struct{ last map[string]any }

func (c *churn) work(i int) {
	text, err := json.Marshal(map[string]any{"id": i, "body": string(fill(make([]byte, 2000), i))})
	if err == nil {
		c.last = nil
		json.Unmarshal(text, &c.last)
	}
}

// tickers starts tickers and stops none. Since Go 1.23 they are collected.
type tickers struct{}

func (tickers) work(i int) {
	request := fill(make([]byte, 500), i)
	select {
	case <-time.NewTicker(time.Hour).C:
		clear(request)
	default:
	}
}

// contexts cancels every context and stops every timer.
type contexts struct{ root context.Context }

func (c *contexts) work(i int) {
	ctx, cancel := context.WithTimeout(c.root, time.Hour)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {})
	defer stop()
	defer time.AfterFunc(time.Hour, cancel).Stop()
}

// finalizers has some that run.
type finalizers struct{}

func (finalizers) work(i int) {
	h := &handle{}
	runtime.SetFinalizer(h, func(h *handle) { h.data[0] = 1 })
}
