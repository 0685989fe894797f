package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/source"
)

func main() {
	f, _ := os.Create("/tmp/cpu.prof")
	pprof.StartCPUProfile(f)
	var fetch, merge, write time.Duration
	for i := 0; i < 30; i++ {
		t := time.Now()
		rs, err := source.Fetch(context.Background(), os.Args[1:], source.Options{})
		if err != nil {
			panic(err)
		}
		fetch += time.Since(t)
		t = time.Now()
		var ps []*profile.Profile
		for _, r := range rs {
			ps = append(ps, r.Profile)
		}
		p, err := profile.Merge(ps)
		if err != nil {
			panic(err)
		}
		merge += time.Since(t)
		t = time.Now()
		report.WriteProfile(io.Discard, p)
		write += time.Since(t)
	}
	fmt.Fprintln(os.Stderr, "fetch", fetch/30, "merge", merge/30, "write", write/30)
	pprof.StopCPUProfile()
}
