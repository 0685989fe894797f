// Zoo keeps memory in one of the ways a Go program does:
//
//	zoo KIND
//
// It says "ready" when it has done so, and ends with its input.
package main

import (
	"fmt"
	"io"
	_ "net/http/pprof" // a service has it; it turns the memory profile on
	"os"
	"runtime"
)

// sink keeps the compiler from leaving things out.
var sink int

func kinds() map[string]func() {
	return map[string]func(){
		"ways": ways, "fields": fields, "tree": tree, "queue": queue, "shop": shop, "names": names,
		"syncmap": syncMap, "lru": lru, "contexts": contexts, "timers": timers, "pool": pool, "conns": conns,
		"group": group, "labels": labels, "bus": bus, "tickers": tickers, "finalizers": finalizers, "shards": shards, "backlog": backlog, "selects": selects,
	}
}

func main() {
	runtime.MemProfileRate = 4096
	kind := kinds()[os.Args[1]]
	if kind == nil {
		fmt.Fprintln(os.Stderr, "no such kind:", os.Args[1])
		os.Exit(2)
	}
	kind()
	runtime.GC() // no more than one: what is in a sync.Pool would go
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	fmt.Fprintln(io.Discard, sink)
}
