package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"time"
)

// load says how many seconds of even load have come by t seconds.
type load func(t float64) float64

// sine swings between 1-depth and 1+depth of the rate.
func sine(period, depth float64) load {
	w := 2 * math.Pi / period
	return func(t float64) float64 { return t + depth/w*(1-math.Cos(w*t)) }
}

// bursts brings the load of a period at its end.
func bursts(period float64) load {
	return func(t float64) float64 { return period * math.Floor(t/period) }
}

// doubled is twice the rate after at seconds.
func doubled(at float64) load {
	return func(t float64) float64 { return t + max(0, t-at) }
}

// drive calls the worker at its rate until ctx is done. What is late is made
// up for, so that a slow twin does the same work.
func drive(ctx context.Context, s *service) {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	start := time.Now()
	for i := 0; ; {
		t := time.Since(start).Seconds()
		if s.load != nil {
			t = s.load(t)
		}
		for due := int(t * s.hz); i < due && ctx.Err() == nil; i++ {
			s.worker.work(i)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// fill writes text into b, different for each seed, and returns it. The
// caller allocates, so that profiles show whose memory it is.
func fill(b []byte, seed int) []byte {
	for i := range b {
		b[i] = 'a' + byte((seed*7+i*13+i*i)%26)
	}
	return b
}

// besideWork is a healthy service: it renders orders to JSON, reads them
// again, and keeps the last of each customer.
func besideWork(ctx context.Context) {
	type order struct {
		ID    int
		Lines []string
		Note  string
	}
	const customers = 3000
	last := make([]*order, customers)
	rng := rand.New(rand.NewPCG(1, 2))
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for id := 0; ; id++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		o := order{ID: id, Note: string(fill(make([]byte, 400), id))}
		for n := range 1 + rng.IntN(8) {
			o.Lines = append(o.Lines, string(fill(make([]byte, 40), n)))
		}
		var text bytes.Buffer
		var again order
		if json.NewEncoder(&text).Encode(o) == nil && json.Unmarshal(text.Bytes(), &again) == nil {
			last[rng.IntN(customers)] = &again
		}
	}
}
