// Command profound finds out what a Go program spends its CPU, memory and
// goroutines on. With a command of its own as first argument it runs that;
// any other command line is read as go tool pprof reads it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the program at once
	}()
	code := run(ctx, os.Args[1:], systemEnv())
	stop()
	os.Exit(code)
}
