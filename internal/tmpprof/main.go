package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

func main() {
	f, _ := os.Create("/tmp/cpu.prof")
	runtime.SetCPUProfileRate(500)
	pprof.StartCPUProfile(f)
	t := time.Now()
	step := func(s string) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "%-10s %v heap %d MB sys %d MB gc %d\n", s, time.Since(t), m.HeapAlloc>>20, m.Sys>>20, m.NumGC)
		t = time.Now()
	}
	in, _ := os.Open(os.Args[1])
	st, _ := in.Stat()
	p, _, err := format.Decode(in, "", format.Options{SizeHint: st.Size()})
	if err != nil {
		panic(err)
	}
	step("decode")
	o := view.Defaults()
	o.NodeCount = 0
	v, err := view.Prepare(p, o, func(string) {})
	step("prepare")
	var res report.Result
	r := report.New(v)
	if len(os.Args) > 2 {
		v.Options.NodeCount = 80
		res = report.NewDot(r)
	} else {
		res = report.NewTop(r)
	}
	step("report")
	res.WriteText(io.Discard)
	step("write")
	pprof.StopCPUProfile()
}
