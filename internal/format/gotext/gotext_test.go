package gotext

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// show is a profile as text: values, labels and leaf-first stacks, inlined
// calls joined by "<".
func show(p *profile.Profile) string {
	var b strings.Builder
	for i := range p.Samples.Len() {
		fmt.Fprintf(&b, "%d", p.Samples.Values[0][i])
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			if l.Str != 0 {
				fmt.Fprintf(&b, " %s=%s", p.Str(l.Key), p.Str(l.Str))
			} else {
				fmt.Fprintf(&b, " %s=%d%s", p.Str(l.Key), l.Num, p.Str(l.Unit))
			}
		}
		b.WriteString("\n")
		for _, id := range p.Stacks.Of(p.Samples.Stack[i]) {
			b.WriteString("\t")
			for j, ln := range p.Locations.LinesOf(id) {
				if j > 0 {
					b.WriteString(" < ")
				}
				fmt.Fprintf(&b, "%s %s:%d", p.FunctionName(ln.Function), p.FunctionFile(ln.Function), ln.Line)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		warnings       int
	}{
		{
			name: "grouping, labels, arguments, inlined calls",
			in: `goroutine 18 [chan receive, 5 minutes, locked to thread]:
main.(*pool[...]).get(...)
	/src/pool.go:12
main.worker({0x1, 0x2}, 0xc000012345?)
	/src/a b.go:33 +0x14
created by main.start in goroutine 1
	/src/main.go:90 +0x29f

goroutine 19 [chan receive, 5 minutes, locked to thread]:
main.(*pool[...]).get(...)
	/src/pool.go:12
main.worker({0x1, 0x3}, 0xc000012346?)
	/src/a b.go:33 +0x14
created by main.start in goroutine 1
	/src/main.go:90 +0x29f

goroutine 20 [select (no cases)]:
main.f()
	C:/src/main.go:7 +0x1
`,
			want: `2 created_by=main.start locked_to_thread=true state=chan receive wait=5minutes
	main.(*pool[...]).get /src/pool.go:12 < main.worker /src/a b.go:33
	created by main.start /src/main.go:90
1 state=select (no cases)
	main.f C:/src/main.go:7
`,
		},
		{
			name: "panic with registers and system frames",
			in: "panic: runtime error: index out of range [5] with length 3 [recovered]\n\tpanic: again\n\n" +
				"goroutine 1 gp=0xc000002380 m=0 mp=0x5a2c40 [running]:\n" +
				"panic({0x45d2a0?, 0xc00001c0d8?})\n\t/go/src/runtime/panic.go:770 +0x132 fp=0xc00 sp=0xc01 pc=0x43\n" +
				"main.main()\n\t/src/main.go:9 +0x1d fp=0xc000 sp=0xc001 pc=0x4321\n" +
				"runtime.goexit({})\n\t/go/src/runtime/asm_amd64.s:1695 +0x1 fp=0xc000 sp=0xc00 pc=0x46\n\n" +
				"goroutine 2 gp=0xc000002e00 m=nil [force gc (idle)]:\nruntime.gopark(0x0?, 0x0?)\n\t/go/src/runtime/proc.go:402 +0xce fp=0x1 sp=0x2 pc=0x3\n\n" +
				"rax    0x0\nrbx    0x1\nexit status 2\n",
			want: "1 state=running\n\tpanic /go/src/runtime/panic.go:770\n\tmain.main /src/main.go:9\n\truntime.goexit /go/src/runtime/asm_amd64.s:1695\n" +
				"1 state=force gc (idle)\n\truntime.gopark /go/src/runtime/proc.go:402\n",
		},
		{
			name: "elided, cgo, ancestors, unavailable",
			in: "goroutine 3 [runnable]:\nmain.f(0x1)\n\t/m.go:1 +0x1\n...23 frames elided...\nmain.g()\n\t/m.go:2 +0x1\n" +
				"non-Go function at pc=0x1234\nnon-Go function\n\tpc=0x1235\n[originating from goroutine 1]:\nmain.h(...)\n\t/m.go:3 +0x5\n\n" +
				"goroutine 4 [running]:\n\tgoroutine running on other thread; stack unavailable\ncreated by main.x\n\t/m.go:9 +0x1\n\n" +
				"goroutine 5 [running]:\ngoroutine running on other thread; stack unavailable\n\n" +
				"goroutine 6 [idle]:\nmain.f(0x1)\n\t/m.go:1 +0x1\n...additional frames elided...\ncreated by main.x\n\t/m.go:9 +0x1\n",
			want: "1 state=runnable\n\tmain.f /m.go:1\n\t[23 frames elided] :0\n\tmain.g /m.go:2\n\tnon-Go function :0\n\tnon-Go function :0\n\t[originating from] :0\n\tmain.h /m.go:3\n" +
				"1 created_by=main.x state=running\n\t[stack unavailable] :0\n\tcreated by main.x /m.go:9\n" +
				"1 state=running\n\t[stack unavailable] :0\n" +
				"1 created_by=main.x state=idle\n\tmain.f /m.go:1\n\t[additional frames elided] :0\n\tcreated by main.x /m.go:9\n",
		},
		{
			name: "printed labels, leak, bubble, CRLF",
			in: "goroutine 9 [chan send (leaked), 12 minutes labels:{\"user\": \"a, b]\", \"k\": \"v\"}]:\r\nmain.f()\r\n\tm.go:1 +0x1\r\n\r\n" +
				"goroutine 10 [sleep (durable), synctest bubble 7]:\r\nmain.f()\r\n\tm.go:1 +0x1\r\n",
			want: "1 k=v state=chan send (leaked) user=a, b] wait=12minutes\n\tmain.f m.go:1\n1 state=sleep (durable) synctest_bubble=7\n\tmain.f m.go:1\n",
		},
		{
			name:     "truncated behind a function",
			in:       "goroutine 9 [select]:\nmain.f()",
			want:     "1 state=select\n\tmain.f :0\n",
			warnings: 1,
		},
		{
			name:     "a lost source line",
			in:       "goroutine 9 [select]:\nmain.f()\nmain.g()\n\t/m.go:2\n",
			want:     "1 state=select\n\tmain.f :0\n\tmain.g /m.go:2\n",
			warnings: 1,
		},
		{
			name:     "bad labels",
			in:       "goroutine 9 [select labels:{\"user\": x}]:\nmain.g()\n\t/m.go:2\n",
			want:     "1 state=select\n\tmain.g /m.go:2\n",
			warnings: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !Looks([]byte(tt.in)) {
				t.Error("not recognized")
			}
			p, err := Decode(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := show(p); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if len(p.Warnings) != tt.warnings {
				t.Error(p.Warnings)
			}
		})
	}
}

// TestDecodeOwnStacks reads the stacks of the test program itself.
func TestDecodeOwnStacks(t *testing.T) {
	const n = 25
	release := make(chan struct{})
	started := make(chan struct{})
	for range n {
		go func() { started <- struct{}{}; parkHere(release) }()
		<-started
	}
	defer close(release)
	// A goroutine that has answered may still be on its way to the channel.
	var p *profile.Profile
	for range 100_000 {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		total := int64(bytes.Count(buf, []byte("\ngoroutine ")) + 1)
		var err error
		if p, err = Decode(bytes.NewReader(buf)); err != nil {
			t.Fatal(err)
		}
		if len(p.Warnings) > 0 {
			t.Fatal(p.Warnings)
		}
		var sum int64
		for _, v := range p.Samples.Values[0] {
			sum += v
		}
		if sum != total {
			t.Fatalf("%d goroutines of %d\n%s", sum, total, show(p))
		}
		if parked(p) == n {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("no sample of %d parked goroutines:\n%s", n, show(p))
}

// parked is the value of the largest sample that waits in parkHere.
func parked(p *profile.Profile) (most int64) {
	for i, v := range p.Samples.Values[0] {
		for _, l := range p.Stacks.Of(p.Samples.Stack[i]) {
			for _, ln := range p.Locations.LinesOf(l) {
				if strings.HasSuffix(p.FunctionName(ln.Function), "gotext.parkHere") && ln.Line > 0 {
					most = max(most, v)
				}
			}
		}
	}
	return most
}

//go:noinline
func parkHere(release chan struct{}) { <-release }

func TestLooksRefuses(t *testing.T) {
	for _, in := range []string{"", "goroutine", "goroutine x [y]:", "goroutine profile: total 3\n", "goroutine 1 [running]", "\x00goroutine 1 [running]:\n"} {
		if Looks([]byte(in)) {
			t.Errorf("claims %q", in)
		}
	}
	if _, err := Decode(strings.NewReader("x\ny\n")); err == nil {
		t.Error("no error without a goroutine")
	}
}

func FuzzDecode(f *testing.F) {
	buf := make([]byte, 1<<16)
	f.Add(buf[:runtime.Stack(buf, true)])
	for _, s := range []string{
		"goroutine 1 gp=0x1 m=0 mp=0x2 [running, locked to thread]:\npanic({0x1, 0x2})\n\t/a.go:1 +0x1 fp=0x1 sp=0x2 pc=0x3\n",
		"goroutine 3 [select labels:{\"a\": \"b\"}]:\nmain.f(...)\n\t/m.go:1\n...23 frames elided...\nnon-Go function\n\tpc=0x1\ncreated by main.g in goroutine 1\n\t/m.go:4 +0x4\n",
		"goroutine 3 [sleep, 3 minutes, synctest bubble 4]:\n[originating from goroutine 1]:\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Looks(data)
		p, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if len(p.Warnings) > maxWarnings {
			t.Errorf("%d warnings", len(p.Warnings))
		}
	})
}
