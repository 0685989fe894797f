package main

import "time"

// steps are decoys that jump, or go up and come down again.
func steps() []service {
	return []service{
		{"ok-step-reload", 20, nil, true, &config{reloads: []reload{{0, 5000}, {20, 40000}}}},
		{"ok-steps-two", 20, nil, false, &config{reloads: []reload{{0, 5000}, {15, 20000}, {38, 40000}}}},
		{"ok-start-large", 100, nil, true, &ballast{}},
		{"ok-batch", 50, nil, true, &batch{}},
		{"ok-log-flushed", 4000, nil, false, &flushed{}},
		{"ok-map-rebuilt", 20, nil, true, &config{reloads: []reload{
			{0, 30000}, {5, 31000}, {10, 29000}, {15, 30500}, {20, 31500}, {25, 30000}, {30, 29500},
			{35, 30200}, {40, 31000}, {45, 29800}, {50, 30400}, {55, 31200}, {60, 30000}}}},
		{"ok-load-doubles", 60, doubled(30), true, &inFlight{}},
		{"ok-load-sine", 60, sine(25, 0.8), true, &inFlight{}},
	}
}

// config is read again at certain moments, and has another size then.
type config struct {
	reloads []reload // in the order of time
	values  map[int]string
}

type reload struct {
	after float64 // seconds of 20 requests
	size  int
}

func (c *config) work(i int) {
	if len(c.reloads) > 0 && float64(i) >= c.reloads[0].after*20 {
		c.read(c.reloads[0].size)
		c.reloads = c.reloads[1:]
	}
}

func (c *config) read(size int) {
	values := map[int]string{}
	for key := range size {
		values[key] = string(fill(make([]byte, 380), key))
	}
	c.values = values
}

// ballast is one large allocation at the start.
type ballast struct{ index []byte }

func (b *ballast) open(*site) error {
	b.index = fill(make([]byte, 64<<20), 1)
	return nil
}

func (b *ballast) work(i int) { b.index[i%len(b.index)]++ }

// batch collects 16 MB in two of every twenty seconds and is done with them a
// second later.
type batch struct{ rows [][]byte }

func (b *batch) work(i int) {
	switch at := i % 1000; {
	case at >= 500 && at < 600:
		b.rows = append(b.rows, fill(make([]byte, 160<<10), i))
	case at == 650:
		b.rows = nil
	}
}

// flushed collects lines for ten seconds and sends them: the teeth of a saw.
type flushed struct{ lines [][]byte }

func (f *flushed) work(i int) {
	if i%40_000 == 0 {
		f.lines = nil
	}
	f.lines = append(f.lines, fill(make([]byte, 120), i))
}

// inFlight holds 64 KiB for each request for the second it takes, so that the
// heap goes with the load.
type inFlight struct{ open []request }

type request struct {
	until time.Time
	body  []byte
}

func (f *inFlight) work(i int) {
	now := time.Now()
	for len(f.open) > 0 && f.open[0].until.Before(now) {
		f.open[0].body = nil
		f.open = f.open[1:]
	}
	f.open = append(f.open, request{now.Add(time.Second), fill(make([]byte, 64<<10), i)})
}
