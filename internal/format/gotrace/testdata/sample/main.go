// The program whose trace is sample.trace: a function that starts goroutines
// which never end, and one that reads a file again and again. Built with
// -trimpath.
package main

import (
	"os"
	"runtime/trace"
)

func reload(done chan struct{}) {
	for range 5 {
		go watch(done)
	}
}

func watch(done chan struct{}) { <-done }

func load() {
	for range 7 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			panic(err)
		}
		f.Close()
	}
}

func main() {
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	done := make(chan struct{})
	reload(done)
	load()
	trace.Stop()
}
