// Package demo is a small service that leaks on purpose, and the means to run
// it beside the program and look at it: what `profound demo` shows.
//
// The story is that of a metrics fetcher. Ten times a second
// MetricsFetcher.start asks a real local HTTP endpoint, the kubelet of a made-up
// node, for the metrics of its containers; parseContainerMetricsResponse turns
// the answer into samples; and something keeps what it parsed alive. What keeps
// it is the variant (Leaks). Beside it the service does healthy work: it holds
// a catalog, renders orders out of a bounded cache, and churns JSON.
//
//	        Start ── stdin: ServiceOptions ──► Child ─► Serve
//	          │  ◄── stdout: Ready ────────────  │
//	          │                                  ├─ kubelet        /metrics/cadvisor
//	          ▼                                  ├─ MetricsFetcher.start ─► parseContainerMetricsResponse
//	Collect ── /debug/pprof/, /debug/demo ─────► └─ shop           /orders/{id}
//
// Serve is the service, Start runs it as a process of its own, Collect takes
// profiles of it. The package does not read profiles: that is for others.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"
)

// The variants: what keeps the parsed responses alive.
const (
	// LeakAppend appends every sample to a slice that is never trimmed.
	LeakAppend = "append"
	// LeakMap stores every sample in a map under container id and time, so
	// that no entry is ever replaced and none is deleted.
	LeakMap = "map"
	// LeakSubstring keeps one pod name of each response; the name is a part
	// of the response text and keeps all of it.
	LeakSubstring = "substring"
	// LeakGoroutine hands each response to a goroutine that waits for an
	// acknowledgement nobody sends.
	LeakGoroutine = "goroutine"
	// LeakNone is the decoy: a ring of recent responses that fills and then
	// stays, and batch work with short peaks. Nothing leaks.
	LeakNone = "none"
)

// Leaks is the names of all variants.
func Leaks() []string {
	return []string{LeakAppend, LeakMap, LeakSubstring, LeakGoroutine, LeakNone}
}

const (
	// DefaultRate is how fast a variant leaks, bytes a second: at the default
	// memory profile rate of 512 KiB about three sampled objects a second.
	DefaultRate = 3 << 19
	// DefaultCap is where a variant stops leaking, bytes: some two minutes at
	// the default rate, and nothing that hurts a machine.
	DefaultCap = 200 << 20

	// tickEvery is the time between two requests to the kubelet.
	tickEvery = 100 * time.Millisecond
	// shutdownTime is how long open requests may take once the service ends.
	shutdownTime = time.Second
)

// ServiceOptions say what Serve does. Start sends them to the process it
// starts, except for Ready and Parent.
type ServiceOptions struct {
	Leak string `json:"leak"`           // one of Leaks
	Addr string `json:"addr,omitempty"` // loopback; "" is 127.0.0.1:0
	Rate int64  `json:"rate,omitempty"` // bytes a second; 0 is DefaultRate
	Cap  int64  `json:"cap,omitempty"`  // bytes; 0 is DefaultCap

	// Ready receives one line of JSON, a Ready, once the service answers.
	Ready io.Writer `json:"-"`
	// Parent, if set, is read to its end; the service ends with it. When it is
	// a pipe from the parent process that is when the parent is gone, however
	// it went and on every system.
	Parent io.Reader `json:"-"`
}

// Ready is what the service says about itself when it answers.
type Ready struct {
	URL  string `json:"url"` // without a slash at the end
	PID  int    `json:"pid"`
	Leak string `json:"leak"`
}

func (opt ServiceOptions) withDefaults() (ServiceOptions, error) {
	if !slices.Contains(Leaks(), opt.Leak) {
		return opt, fmt.Errorf("demo: unknown leak %q, want one of %s", opt.Leak, strings.Join(Leaks(), ", "))
	}
	if opt.Rate < 0 || opt.Cap < 0 {
		return opt, fmt.Errorf("demo: rate %d and cap %d must not be negative", opt.Rate, opt.Cap)
	}
	if opt.Addr == "" {
		opt.Addr = "127.0.0.1:0"
	}
	if opt.Rate == 0 {
		opt.Rate = DefaultRate
	}
	if opt.Cap == 0 {
		opt.Cap = DefaultCap
	}
	return opt, nil
}

// Serve runs the service until ctx is done or Parent ends, which are no
// errors. It listens on loopback only: it serves profiles of itself.
func Serve(ctx context.Context, opt ServiceOptions) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	public, err := listenLoopback(opt.Addr)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	private, err := listenLoopback("127.0.0.1:0")
	if err != nil {
		public.Close()
		return fmt.Errorf("demo: kubelet: %w", err)
	}
	node := newKubelet(linesPerResponse(opt))
	fetcher := newMetricsFetcher("http://"+private.Addr().String()+kubeletPath, opt)
	shop := newShop("http://" + public.Addr().String())

	var group sync.WaitGroup
	failed := make(chan error, 2) // one for each server
	for _, s := range []struct {
		listener net.Listener
		handler  http.Handler
	}{{public, newMux(fetcher, shop)}, {private, node}} {
		group.Go(func() { failed <- serveHTTP(ctx, s.listener, s.handler) })
	}
	group.Go(func() {
		ticks := time.NewTicker(tickEvery)
		defer ticks.Stop()
		fetcher.start(ctx, ticks.C)
	})
	group.Go(func() { shop.run(ctx) })
	if opt.Leak == LeakNone {
		group.Go(func() { runBatches(ctx) })
	}
	if opt.Parent != nil {
		// Not in the group: a read of stdin cannot be interrupted.
		go func() {
			io.Copy(io.Discard, opt.Parent)
			cancel()
		}()
	}
	err = announce(opt, public)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	cancel()
	group.Wait()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

func announce(opt ServiceOptions, l net.Listener) error {
	if opt.Ready == nil {
		return nil
	}
	ready := Ready{URL: "http://" + l.Addr().String(), PID: os.Getpid(), Leak: opt.Leak}
	if err := json.NewEncoder(opt.Ready).Encode(ready); err != nil {
		return fmt.Errorf("write the ready line: %w", err)
	}
	return nil
}

func listenLoopback(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("listen on %s: not a loopback address", addr)
	}
	return l, nil
}

// serveHTTP serves until ctx is done, then lets open requests finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if server.Shutdown(grace) != nil {
		server.Close() // a request outlasted its grace; nothing depends on it
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newMux(f *MetricsFetcher, s *shop) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET "+statsPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(readStats(f)) // the client is gone: nobody to tell
	})
	mux.HandleFunc("GET /orders/{id}", s.serveOrder)
	return mux
}

const statsPath = "/debug/demo"

// Stats are figures of the running service that cost next to nothing to read.
type Stats struct {
	Leak string `json:"leak"`
	// Held is the bytes the variant keeps alive by its own count: the truth
	// to compare findings with. Small overheads of the runtime are not in it.
	Held       int64  `json:"held"`
	Fetches    int64  `json:"fetches"`     // answers parsed
	Failures   int64  `json:"failures"`    // requests without an answer
	Goroutines uint64 `json:"goroutines"`  // alive now
	HeapLive   uint64 `json:"heap_live"`   // bytes that survived the last GC
	HeapInUse  uint64 `json:"heap_in_use"` // bytes of objects, garbage included
	Total      uint64 `json:"total"`       // bytes of all memory the runtime has mapped
	GCCycles   uint64 `json:"gc_cycles"`   // since the start
}

func readStats(f *MetricsFetcher) Stats {
	s := Stats{Leak: f.leak, Held: f.held.Load(), Fetches: f.fetches.Load(), Failures: f.failures.Load()}
	fields := []*uint64{&s.Goroutines, &s.HeapLive, &s.HeapInUse, &s.Total, &s.GCCycles}
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	for i, m := range samples {
		if m.Value.Kind() == metrics.KindUint64 {
			*fields[i] = m.Value.Uint64()
		}
	}
	return s
}
