package perfscript

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

func dump(p *profile.Profile) string {
	var b strings.Builder
	for _, t := range p.SampleTypes {
		fmt.Fprintf(&b, "%s/%s ", t.Type, t.Unit)
	}
	b.WriteString("\n")
	for i := range p.Samples.Len() {
		for t := range p.Samples.Values {
			fmt.Fprintf(&b, "%d ", p.Samples.Values[t][i])
		}
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			if l.Str != 0 {
				fmt.Fprintf(&b, "%s=%s ", p.Str(l.Key), p.Str(l.Str))
			} else {
				fmt.Fprintf(&b, "%s=%d ", p.Str(l.Key), l.Num)
			}
		}
		b.WriteString("\n")
		for _, id := range p.Stacks.Of(p.Samples.Stack[i]) {
			fmt.Fprintf(&b, "\t%x", p.Locations.Address[id])
			for _, ln := range p.Locations.LinesOf(id) {
				fmt.Fprintf(&b, " [%s %s:%d]", p.FunctionName(ln.Function), p.FunctionFile(ln.Function), ln.Line)
			}
			fmt.Fprintf(&b, " in %q\n", p.Mappings[p.Locations.Mapping[id]].File)
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
			"stacks",
			`# ========
# cmdline : perf record -g ./app
swapper     0/0   [000]  1234.500000:     250000 cpu-clock:pppH: 
	ffffffff8104f45a native_write_msr+0xa ([kernel.kallsyms])
	    7f2b3c4d5e6f [unknown] (/usr/lib/libc.so.6 (deleted))

swapper     0/0   [001]  1235.500000:     250000 cpu-clock:pppH: 
	ffffffff8104f45a native_write_msr+0xa ([kernel.kallsyms])
	    7f2b3c4d5e6f [unknown] (/usr/lib/libc.so.6 (deleted))

V8 Worker 1 25607/25612 [001]  1236.500000:  1 cpu-clock:pppH: 
	  401000 std::foo(int, char const*)+0x10 (/bin/app)
`,
			`samples/count cpu-clock/nanoseconds 
2 500000 comm=swapper pid=0 tid=0 
	ffffffff8104f45a [native_write_msr :0] in "[kernel.kallsyms]"
	7f2b3c4d5e6f in "/usr/lib/libc.so.6 (deleted)"
1 1 comm=V8 Worker 1 pid=25607 tid=25612 
	401000 [std::foo(int, char const*) :0] in "/bin/app"
`, 0,
		},
		{
			"several events, tracepoint, no period, frame on the header line, no stack",
			`app 12 [000] 1.000000: 100 cycles:u:  401000 f+0x1 (/bin/app)
app 12 [000] 1.100000: sched:sched_switch: prev_comm=app prev_pid=12
app 12 [000] 1.200000: 3 cycles:u: 
	401000 f+0x1 (/bin/app)

app 12 1.300000: PERF_RECORD_COMM: app:12/12
`,
			`samples/count cycles/count sched:sched_switch/count 
2 103 0 comm=app tid=12 
	401000 [f :0] in "/bin/app"
1 0 1 comm=app tid=12 
`, 0,
		},
		{
			"inlined calls, source lines, no object",
			`app 12 1.0: 1 cycles: 
	401000 inner (inlined)
  inner.c:4
	401000 middle (inlined)
	401000 outer+0x5 (/bin/app)
  outer.c:9
	402000 main

`,
			`samples/count cycles/count 
1 1 comm=app tid=12 
	401000 [inner inner.c:4] [middle :0] [outer outer.c:9] in "/bin/app"
	402000 [main :0] in ""
`, 0,
		},
		{
			"no time, junk between",
			"app 12 cycles: \n\t401000 f (/bin/app)\n\nno event here\napp 12 7 cycles: \r\n\t401000 f (/bin/app)\r\n",
			"samples/count cycles/count \n2 8 comm=app tid=12 \n\t401000 [f :0] in \"/bin/app\"\n", 1,
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
			if got := dump(p); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if len(p.Warnings) != tt.warnings {
				t.Error(p.Warnings)
			}
		})
	}
}

func TestDurationAndDefault(t *testing.T) {
	p, err := Decode(strings.NewReader("app 12 1.5: cycles: \n\t401 f (/a)\n\napp 12 4.0: faults: \n\t401 f (/a)\n"))
	if err != nil || p.DurationNanos != 2_500_000_000 || p.DefaultSampleType != "cycles" {
		t.Errorf("%v %+v", err, p)
	}
}

func TestManyEvents(t *testing.T) {
	var in strings.Builder
	for i := range 100 {
		fmt.Fprintf(&in, "app 12 1.5: event%c%c: \n\t401 f (/a)\n\n", 'a'+i/10, 'a'+i%10)
	}
	p, err := Decode(strings.NewReader(in.String()))
	if err != nil || len(p.SampleTypes) != 1+maxEvents || len(p.Warnings) != maxWarnings || p.Samples.Values[0][0] != 100 {
		t.Errorf("%v: %d types, %d warnings", err, len(p.SampleTypes), len(p.Warnings))
	}
}

func TestLooksRefuses(t *testing.T) {
	for _, in := range []string{"", "main;a 12\n", "total 12:\n", "a 1 b:\nc\n", "x\n\t401000 f (/bin/app)\n", "#\n#\n"} {
		if Looks([]byte(in)) {
			t.Errorf("claims %q", in)
		}
	}
	if _, err := Decode(strings.NewReader("nothing\n")); err == nil {
		t.Error("no error without an event")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"app 12/13 [000] 1.5: 100 cycles:u: \n\t401000 f+0x1 (/bin/app)\n\t402 g (inlined)\n a.c:3\n\n",
		"app 12 1.5: sched:x: a=b\n", "app 12 cycles:\n 401 f\n", "a 1 1.5: PERF_RECORD_X: y\n",
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
	})
}
