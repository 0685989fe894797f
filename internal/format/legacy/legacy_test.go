package legacy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// dump is a profile as text: values, labels and leaf-first stacks.
func dump(p *profile.Profile) string {
	var b strings.Builder
	for i := range p.Samples.Len() {
		for t := range p.Samples.Values {
			fmt.Fprintf(&b, "%d ", p.Samples.Values[t][i])
		}
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			if l.Str != 0 {
				fmt.Fprintf(&b, "%s=%s ", p.Str(l.Key), p.Str(l.Str))
			} else {
				fmt.Fprintf(&b, "%s=%d%s ", p.Str(l.Key), l.Num, p.Str(l.Unit))
			}
		}
		b.WriteString("@")
		for _, id := range p.Stacks.Of(p.Samples.Stack[i]) {
			fmt.Fprintf(&b, " %x", p.Locations.Address[id])
			for _, ln := range p.Locations.LinesOf(id) {
				fmt.Fprintf(&b, "(%s %s:%d)", p.FunctionName(ln.Function), p.FunctionFile(ln.Function), ln.Line)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestSymbolComments(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{
			"hidden runtime frames and goexit",
			"1 @ 0x11 0x21 0x31 0x41\n#\t0x30\tmain.f+0x5\t\t/src/a b.go:12\n",
			"1 @ 10(runtime.[hidden] runtime:0) 20(runtime.[hidden] runtime:0) 30(main.f /src/a b.go:12) 40(runtime.goexit runtime:0)\n",
		},
		{
			"a symbol of another stack names a hidden frame",
			"1 @ 0x11 0x31\n#\t0x30\tmain.f+0x5\ta.go:12\n\n2 @ 0x11\n#\t0x10\truntime.g+0x5\tg.go:1\n",
			"1 @ 10(runtime.g g.go:1) 30(main.f a.go:12)\n2 @ 10(runtime.g g.go:1)\n",
		},
		{
			"a frame at the entry of its function keeps its address",
			"1 @ 0x30 0x41\n#\t0x30\tmain.f+0x0\ta.go:12\n#\t0x40\tmain.g+0x1\ta.go:13\n",
			"1 @ 2f(main.f a.go:12) 40(main.g a.go:13)\n",
		},
		{
			"one address, several names: inlined calls",
			"1 @ 0x31\n#\t0x30\tinner+0x1\ta.c:1\n#\t0x30\touter+0x1\ta.c:2\n#\t\tmost+0x1\ta.c:3\n",
			"1 @ 30(inner a.c:1)(outer a.c:2)(most a.c:3)\n",
		},
		{
			"recursion is no inlining",
			"1 @ 0x31 0x31 0x31\n#\t0x30\tf+0x1\ta.go:1\n#\t0x30\tf+0x1\ta.go:1\n#\t0x30\tf+0x1\ta.go:1\n",
			"1 @ 30(f a.go:1) 30(f a.go:1) 30(f a.go:1)\n",
		},
		{
			"labels, tabs turned into blanks, names with blanks and pluses",
			"2 @ 0x31\n# labels: {\"a\":\"b\", \"c d\":\"e\\\"f\"}\n#   0x30   main.f[go.shape.struct { A+0x1 int }]+0x5   C:/a.go:12\n",
			"2 a=b c d=e\"f @ 30(main.f[go.shape.struct { A+0x1 int }] C:/a.go:12)\n",
		},
		{
			"no comments, no names",
			"2 @ 0x31 0x41\n# runtime.MemStats\n# Alloc = 5\n#\t0x30\n",
			"2 @ 30 40\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := DecodeCount(strings.NewReader("goroutine profile: total 9\n" + tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := dump(p); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if len(p.Warnings) > 0 {
				t.Error(p.Warnings)
			}
		})
	}
}

func TestBadLabelsWarn(t *testing.T) {
	p, err := DecodeCount(strings.NewReader("goroutine profile: total 9\n1 @ 0x5\n# labels: {\"a\":b}\n"))
	if err != nil || len(p.Warnings) != 1 {
		t.Fatal(err, p)
	}
}

func TestJemalloc(t *testing.T) {
	const rate = 1000
	in := `heap_v2/1000
  t*: 15: 6100 [0: 0]
  t0: 15: 6100 [0: 0]
@ 0x401001 0x402001
  t*: 10: 1000 [0: 0]
  t0: 4: 400 [0: 0]
  t1: 6: 600 [0: 0]
@ 0x403001
  t*: 5: 5100 [%s]

MAPPED_LIBRARIES:
00400000-00500000 r-xp 00000000 fd:01 7 /bin/app
`
	scaled := func(n, size int64) string {
		scale := 1 / (1 - math.Exp(-float64(size)/float64(n)/rate))
		return fmt.Sprintf("%d %d ", int64(float64(n)*scale), int64(float64(size)*scale))
	}
	p, err := DecodeJemalloc(strings.NewReader(fmt.Sprintf(in, "0: 0")))
	if err != nil {
		t.Fatal(err)
	}
	want := scaled(10, 1000) + "bytes=100 @ 401000 402000\n" + scaled(5, 5100) + "bytes=1020 @ 403000\n"
	if got := dump(p); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := strings.Join(p.TypeNames(), " "); got != "inuse_objects inuse_space" {
		t.Error(got)
	}
	if p.Mappings[1].File != "/bin/app" || p.Period != rate {
		t.Errorf("mapping %+v period %d", p.Mappings[1], p.Period)
	}
	p, err = DecodeJemalloc(strings.NewReader(fmt.Sprintf(in, "7: 7140")))
	if err != nil {
		t.Fatal(err)
	}
	want = "0 0 " + scaled(10, 1000) + "bytes=100 @ 401000 402000\n" + scaled(7, 7140) + scaled(5, 5100) + "bytes=1020 @ 403000\n"
	if got := dump(p); got != want {
		t.Errorf("with allocated values\n got %s\nwant %s", got, want)
	}
}

// TestGoroutineTextKeepsLabelsAndNames compares with what the program knows
// of itself.
func TestGoroutineTextKeepsLabelsAndNames(t *testing.T) {
	release, ready := make(chan struct{}), make(chan struct{})
	defer close(release)
	go pprof.Do(context.Background(), pprof.Labels("shard", "17"), func(context.Context) { waitHere(ready, release) })
	<-ready
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		t.Fatal(err)
	}
	p, err := DecodeCount(&buf)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(dump(p), "\n") {
		if strings.Contains(l, "legacy.waitHere ") && strings.Contains(l, "shard=17 ") && strings.HasSuffix(l, "(runtime.goexit runtime:0)") {
			return
		}
	}
	t.Errorf("the goroutine is missing:\n%s", dump(p))
}

//go:noinline
func waitHere(ready, release chan struct{}) {
	close(ready)
	<-release
}

func TestMapVariablesStayBounded(t *testing.T) {
	var in strings.Builder
	in.WriteString("heap profile: 1: 1 [1: 1] @ heapz_v2/1\n1: 1 [1: 1] @ 0x401\n--- Memory map: ---\na0=xxxxxxxx\n")
	for i := range 3000 {
		fmt.Fprintf(&in, "a%d=$a%d$a%d$a%d\n", i+1, i, i, i)
	}
	in.WriteString("0-1000: $a3000\n")
	p, err := DecodeHeap(strings.NewReader(in.String()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.Mappings[1].File); n > maxMapValue*maxMapDollars {
		t.Errorf("a file name of %d bytes", n)
	}
}

func TestPlacerGivesUp(t *testing.T) {
	p := newPlacer([]profile.Mapping{{Start: 1, Limit: 5}, {Start: 5, Limit: 9}})
	p.budget = 4
	if a, b := p.find(3), p.find(6); a != 0 || b != 1 || p.warning != nil {
		t.Errorf("mappings %d and %d, warning %v", a, b, p.warning)
	}
	if c := p.find(6); c != 2 || p.warning == nil {
		t.Errorf("mapping %d, warning %v", c, p.warning)
	}
}

func decoders() []struct {
	looks  func([]byte) bool
	decode func(io.Reader) (*profile.Profile, error)
} {
	return []struct {
		looks  func([]byte) bool
		decode func(io.Reader) (*profile.Profile, error)
	}{
		{LooksCPU, DecodeCPU}, {LooksJemalloc, DecodeJemalloc}, {LooksHeap, DecodeHeap}, {LooksCount, DecodeCount},
		{LooksThread, DecodeThread}, {LooksJava, DecodeJava}, {LooksContention, DecodeContention},
	}
}

// TestWrongInput gives every decoder what is not its own.
func TestWrongInput(t *testing.T) {
	for i, d := range decoders() {
		for _, in := range []string{"", "\n", "x", "--- ", "heap", strings.Repeat("\x00", 100), "\n\n# x\n"} {
			if d.looks([]byte(in)) {
				t.Errorf("decoder %d claims %q", i, in)
			}
			if p, err := d.decode(strings.NewReader(in)); err == nil {
				t.Errorf("decoder %d reads %q: %s", i, in, dump(p))
			}
		}
	}
}

// fuzzDecoder runs one decoder on anything and one on what it claims.
func fuzzDecoder(f *testing.F, i int, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	d := decoders()[i]
	f.Fuzz(func(t *testing.T, data []byte) {
		d.looks(data)
		p, err := d.decode(bytes.NewReader(data))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	})
}

const (
	seedMaps  = "--- Memory map: ---\n a=/x\n 400000-500000: $a/y (@10) abc\n00400000-00500000 r-xp 00000000 fd:01 7 /bin/app\n"
	seedStack = " @ 0x401001 0x402001\n#\t0x401000\tmain.f+0x1\t/a.go:3\n"
)

func FuzzCPU(f *testing.F) {
	word := func(vs ...byte) string { return string(bytes.Join(spread(vs), nil)) }
	fuzzDecoder(f, 0, word(0, 3, 0, 100, 0, 1, 2, 5, 6, 0, 1, 0)+seedMaps, word(0, 3, 1, 100, 0, 1, 2, 5, 6, 0, 1, 0)+"0x5 a.b (A.java:4)\n")
}

// spread makes little endian 64-bit words of bytes.
func spread(vs []byte) [][]byte {
	var out [][]byte
	for _, v := range vs {
		out = append(out, []byte{v, 0, 0, 0, 0, 0, 0, 0})
	}
	return out
}

func FuzzJemalloc(f *testing.F) {
	fuzzDecoder(f, 1, "heap_v2/1000\n  t*: 15: 6100 [0: 0]\n@ 0x401001 0x402001\n  t*: 10: 1000 [1: 2]\n  t0: 4: 400 [0: 0]\nMAPPED_LIBRARIES:\n"+seedMaps)
}

func FuzzHeap(f *testing.F) {
	fuzzDecoder(f, 2, "heap profile: 1: 9 [ 10: 90] @ heap/1000\n 1: 9 [10: 90]"+seedStack+seedMaps)
}

func FuzzCount(f *testing.F) {
	fuzzDecoder(f, 3, "goroutine profile: total 1\n1"+seedStack+"# labels: {\"a\":\"b\"}\n"+seedMaps)
}

func FuzzThread(f *testing.F) {
	fuzzDecoder(f, 4, "--- threadz 1 ---\n--- Thread 7e (name: main/25) stack: ---\n PC: 0x401: f\n--- Thread 7e (name: x/26) stack: ---\n [same as previous thread]\n"+seedMaps)
}

func FuzzJava(f *testing.F) {
	fuzzDecoder(f, 5, "--- heapz 1 ---\nformat = java\nresolution = bytes\n 1024 2 @ 0x3 0x4\n\n 0x3 a.b (A.java:3)\n 0x4 c (libc.so)\n",
		"--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 3\n 1024 2 @ 0x3 0x4\n")
}

func FuzzContention(f *testing.F) {
	fuzzDecoder(f, 6, "--- mutex:\ncycles/second = 3\nsampling period = 100\n 12 3"+seedStack+seedMaps)
}

func TestBoringFramesFollowTheTypes(t *testing.T) {
	for _, tt := range []struct {
		types []profile.ValueType
		part  string
	}{
		{[]profile.ValueType{count("objects"), bytesOf("space")}, "tc_malloc"},
		{[]profile.ValueType{count("contentions"), nanos("delay")}, "SpinLock"},
		{[]profile.ValueType{count("goroutine")}, "__restore"},
	} {
		drop, _ := boringFrames(&profile.Profile{SampleTypes: tt.types})
		if !slices.ContainsFunc(strings.Split(drop, "|"), func(s string) bool { return strings.Contains(s, tt.part) }) {
			t.Errorf("%v: %s", tt.types, drop)
		}
	}
}
