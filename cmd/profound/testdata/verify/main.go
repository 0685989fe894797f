// Command verify is what the tests of profound verify run: a service that
// leaks or not, and the load for it.
//
//	verify serve [leak|steady|blind|deaf] [self]   serve pprof and /work on a free port, printed to stdout
//	verify load ADDRESS N               ask for /work N times
//	verify parent ...                   run verify ... and wait for it, as go run does
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

var (
	mu   sync.Mutex
	kept [][]byte
)

// leak keeps 4 KiB for ever.
func leak() {
	mu.Lock()
	defer mu.Unlock()
	kept = append(kept, make([]byte, 4<<10))
}

func main() {
	args := os.Args[1:]
	switch args[0] {
	case "parent":
		cmd := exec.Command(os.Args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		check(cmd.Run())
	case "load":
		n, err := strconv.Atoi(args[2])
		check(err)
		for range n {
			resp, err := http.Get("http://" + args[1] + "/work")
			check(err)
			resp.Body.Close()
		}
	case "serve":
		switch args[1] {
		case "blind":
			runtime.MemProfileRate = 0
		case "deaf": // does not end when it is asked to
			signal.Ignore(os.Interrupt)
			fallthrough
		default:
			runtime.MemProfileRate = 1024
		}
		serve(args[1] == "leak" || args[1] == "blind", slices.Contains(args, "self"))
	}
}

func serve(leaks, self bool) {
	work := func() {
		if leaks {
			leak()
		}
	}
	http.HandleFunc("/work", func(http.ResponseWriter, *http.Request) { work() })
	if self {
		go func() {
			for range time.Tick(time.Millisecond) {
				work()
			}
		}()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(l.Addr())
	check(http.Serve(l, nil))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}
