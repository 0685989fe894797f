package gotrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/trace"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/profoundhq/profound/internal/profile"
)

// sample is a trace of testdata/sample/main.go.
func sample(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/sample.trace")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// show is the samples with a function of the program on their stack: values,
// labels and leaf-first frames.
func show(p *profile.Profile, program string) string {
	var b strings.Builder
	for i := range p.Samples.Len() {
		var frames []string
		for _, id := range p.Stacks.Of(p.Samples.Stack[i]) {
			ln := p.Locations.LinesOf(id)[0]
			frames = append(frames, fmt.Sprintf("%s %s:%d", p.FunctionName(ln.Function), path.Base(p.FunctionFile(ln.Function)), ln.Line))
		}
		text := strings.Join(frames, " < ")
		if !strings.Contains(text, program) || strings.Contains(text, "trace.Start") {
			continue
		}
		fmt.Fprintf(&b, "%d %d", p.Samples.Values[created][i], p.Samples.Values[syscalls][i])
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			fmt.Fprintf(&b, " %s=%s", p.Str(l.Key), p.Str(l.Str))
		}
		fmt.Fprintf(&b, " %s\n", text)
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	data := sample(t)
	if !Looks(data) {
		t.Error("not recognized")
	}
	p, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got := show(p, "main.")
	for _, want := range []string{
		"5 0 started=main.watch main.reload main.go:13 < main.main main.go:34\n",
		"0 7 syscall.openat ",
		" < os.Open file.go:",
		" < main.load main.go:21 < main.main main.go:35\n",
		"0 7 syscall.Close ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(p.Warnings) != 0 || p.DefaultSampleType != "goroutines_created" {
		t.Errorf("warnings %v, default %q", p.Warnings, p.DefaultSampleType)
	}
	if p.TimeNanos == 0 || p.DurationNanos <= 0 || p.DurationNanos > 1e9 {
		t.Errorf("time %d, duration %d", p.TimeNanos, p.DurationNanos)
	}
}

// TestDecodeOwn traces this process.
func TestDecodeOwn(t *testing.T) {
	var buf bytes.Buffer
	if err := trace.Start(&buf); err != nil {
		t.Skip("somebody else is tracing: ", err)
	}
	done := make(chan struct{})
	startFive(done)
	trace.Stop()
	close(done)
	p, err := Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if got := show(p, "gotrace.startFive"); !strings.HasPrefix(got, "5 0 started=github.com/profoundhq/profound/internal/format/gotrace.park ") {
		t.Errorf("got %q", got)
	}
}

//go:noinline
func startFive(done chan struct{}) {
	for range 5 {
		go park(done)
	}
}

func park(done chan struct{}) { <-done }

func TestDecodeErrors(t *testing.T) {
	data := sample(t)
	old := append([]byte("go 1.21 trace\x00\x00\x00"), data[16:]...)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"header only", data[:16], ""},
		{"half a header", data[:9], "header of 9 bytes"},
		{"old", old, "go tool trace FILE"},
		{"future", append([]byte("go 1.99 trace\x00\x00\x00"), data[16:]...), "1.99"},
		{"cut off before the first event", data[:len(data)/2], "behind event 1"},
		{"damaged", append(append([]byte{}, data[:100]...), bytes.Repeat([]byte{0xff}, 200)...), "event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Decode(bytes.NewReader(tt.in))
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "" && p.Samples.Len() != 0:
				t.Errorf("%d samples", p.Samples.Len())
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestInputFails tells an input that fails from one that is damaged.
func TestInputFails(t *testing.T) {
	lost := errors.New("connection lost")
	in := io.MultiReader(bytes.NewReader(sample(t)), iotest.ErrReader(lost))
	if _, err := Decode(in); !errors.Is(err, lost) {
		t.Error(err)
	}
}

// TestCutOff reads a trace of two generations the second of which is cut off.
func TestCutOff(t *testing.T) {
	data := sample(t)
	second := append([]byte{}, data...)
	p, err := Decode(bytes.NewReader(append(second, data[16:len(data)/2]...)))
	if err == nil && len(p.Warnings) == 0 {
		t.Error("neither an error nor a warning")
	}
	if err == nil && !strings.Contains(show(p, "main."), "started=main.watch") {
		t.Error("what came before the cut is lost")
	}
}

func TestLooks(t *testing.T) {
	for _, tt := range []struct {
		head string
		want bool
	}{
		{"go 1.22 trace\x00\x00\x00", true},
		{"go 1.5 trace\x00\x00\x00\x00", true},
		{"go 1.22 trace", false},
		{"go 1.22 is out and has trace", false},
		{"go1.7 heap dump\n", false},
		{"", false},
	} {
		if got := Looks([]byte(tt.head)); got != tt.want {
			t.Errorf("%q: %v", tt.head, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data := sample(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add(append(append([]byte{}, data...), data[16:]...))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := Decode(bytes.NewReader(in))
		if err == nil {
			err = p.Check()
			if err != nil {
				t.Error(err)
			}
		}
	})
}
