// Zoo is a house of small services that leak, each in one way of its own, and
// of decoys: services that grow for a while, or much, and leak nothing. The
// verdict is tried on them; manifest.json says what it should be for each.
//
//	go run ./examples/zoo -list
//	go run ./examples/zoo -case leak-map -addr 127.0.0.1:6060
//	profound leak http://127.0.0.1:6060
//
// A service is a worker that is called hz times a second, sometimes with
// healthy work beside it. It serves /debug/pprof on a loopback address and
// prints where. MEMRATE in the environment sets runtime.MemProfileRate: with 1
// the profile is exact, which makes a twin to measure a service against.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// worker is the part of a service that leaks, or does not.
type worker interface {
	// work is the i-th request. It is called by one goroutine.
	work(i int)
}

// opener is a worker that needs something before the first request.
type opener interface{ open(*site) error }

// service is one animal of the zoo.
type service struct {
	name string
	hz   float64
	// load bends the rate; nil is an even one.
	load load
	// beside is set when healthy work goes on in the same process.
	beside bool
	worker worker
}

// services is all of them, leaks first.
func services() []service {
	all := slices.Concat(keptLeaks(), retainedLeaks(), contextLeaks(), loadLeaks(), goroutineLeaks(), descriptorLeaks(),
		caches(), steps(), pools(), garbage())
	// Files of single systems give system the method.
	if s, ok := any(system{}).(interface{ offHeap() []service }); ok {
		all = append(all, s.offHeap()...)
	}
	return all
}

// system has what only some systems have.
type system struct{}

// site is what a worker finds around it.
type site struct {
	url string // of the service itself
	mux *http.ServeMux
}

func main() {
	// Before anything is allocated that a worker keeps.
	if rate, err := strconv.Atoi(os.Getenv("MEMRATE")); err == nil {
		runtime.MemProfileRate = rate
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "zoo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("zoo", flag.ContinueOnError)
	name := flags.String("case", "", "`name` of the service")
	addr := flags.String("addr", "127.0.0.1:0", "loopback `address` to serve on; port 0 takes a free one")
	hz := flags.Float64("hz", 0, "requests a second; 0: what the service is made for")
	during := flags.Duration("for", time.Hour, "how long to run")
	list := flags.Bool("list", false, "print the names of the services")
	if err := flags.Parse(args); err != nil {
		return err
	}
	all := services()
	if *list {
		for _, s := range all {
			fmt.Fprintln(stdout, s.name)
		}
		return nil
	}
	at := slices.IndexFunc(all, func(s service) bool { return s.name == *name })
	if at < 0 {
		return fmt.Errorf("no service is called %q; -list prints the names", *name)
	}
	s := all[at]
	if *hz > 0 {
		s.hz = *hz
	}
	ctx, cancel := context.WithTimeout(ctx, *during)
	defer cancel()
	return s.serve(ctx, *addr, stdout)
}

// serve runs the service until ctx is done, which is no error.
func (s *service) serve(ctx context.Context, addr string, stdout io.Writer) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer l.Close()
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fmt.Errorf("listen on %s: not a loopback address, and profiles are not for everybody", addr)
	}
	here := &site{url: "http://" + l.Addr().String(), mux: http.NewServeMux()}
	here.mux.HandleFunc("/debug/pprof/", pprof.Index)
	here.mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	here.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	here.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	here.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	here.mux.HandleFunc("/upstream", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	if o, ok := s.worker.(opener); ok {
		if err := o.open(here); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	server := &http.Server{Handler: here.mux, ReadHeaderTimeout: time.Minute}
	go server.Serve(l)
	defer server.Close()
	if s.beside {
		go besideWork(ctx)
	}
	if _, err := fmt.Fprintf(stdout, "zoo: %s on %s\n", s.name, here.url); err != nil {
		return err
	}
	drive(ctx, s)
	return nil
}
