package format_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	oracle "github.com/google/pprof/profile"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/profoundhq/profound/internal/format"
)

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// protoProfile is a small uncompressed profile.proto.
func protoProfile(t testing.TB) []byte {
	t.Helper()
	fn := &oracle.Function{ID: 1, Name: "main.f", SystemName: "main.f", Filename: "f.go"}
	loc := &oracle.Location{ID: 1, Address: 0x401000, Line: []oracle.Line{{Function: fn, Line: 3}}}
	p := &oracle.Profile{
		SampleType: []*oracle.ValueType{{Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &oracle.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 10,
		Function: []*oracle.Function{fn}, Location: []*oracle.Location{loc},
		Sample: []*oracle.Sample{{Location: []*oracle.Location{loc}, Value: []int64{7}}},
	}
	var buf bytes.Buffer
	if err := p.WriteUncompressed(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

const (
	countText     = "goroutine profile: total 1\n1 @ 0x401001 0x402001\n"
	goroutineText = "goroutine 7 [chan receive, 5 minutes]:\nmain.f(0x1)\n\t/src/f.go:12 +0x14\n"
	jemallocText  = "heap_v2/524288\n  t*: 2: 4096 [0: 0]\n@ 0x401001 0x402001\n  t*: 2: 4096 [0: 0]\n"
	foldedText    = "main;f 3\nmain;g 4\n"
	perfText      = "app 12 [000] 1.5: 100 cycles:\n\t401000 f+0x1 (/bin/app)\n\n"
)

func TestDecodeKinds(t *testing.T) {
	proto := protoProfile(t)
	trace, err := os.ReadFile("gotrace/testdata/sample.trace")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want format.Kind
	}{
		{"proto", proto, format.KindProto},
		{"proto in gzip", gz(t, proto), format.KindProto},
		{"proto in zstd", zst(t, proto), format.KindProto},
		{"proto in gzip in zstd", zst(t, gz(t, proto)), format.KindProto},
		{"proto in gzip in gzip", gz(t, gz(t, proto)), format.KindProto},
		{"count", []byte(countText), format.KindGoCount},
		{"count in zstd", zst(t, []byte(countText)), format.KindGoCount},
		{"count behind a byte order mark", []byte("\xef\xbb\xbf" + countText), format.KindGoCount},
		{"goroutines", []byte(goroutineText), format.KindGoroutines},
		{"goroutines with CRLF", []byte(strings.ReplaceAll(goroutineText, "\n", "\r\n")), format.KindGoroutines},
		{"panic", []byte("panic: oh\n\n" + goroutineText), format.KindGoroutines},
		{"jemalloc", []byte(jemallocText), format.KindJemalloc},
		{"folded", []byte(foldedText), format.KindFolded},
		{"folded behind a byte order mark", []byte("\xef\xbb\xbf" + foldedText), format.KindFolded},
		{"perf", []byte(perfText), format.KindPerfScript},
		{"trace", trace, format.KindTrace},
		{"trace in gzip", gz(t, trace), format.KindTrace},
		{"go heap", []byte("heap profile: 1: 2 [1: 2] @ heap/1048576\n1: 2 [1: 2] @ 0x401001\n"), format.KindHeap},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, kind, err := format.Decode(bytes.NewReader(tt.in), "x", format.Options{SizeHint: int64(len(tt.in))})
			if err != nil {
				t.Fatal(err)
			}
			if kind != tt.want {
				t.Errorf("kind %q, want %q", kind, tt.want)
			}
			if p.Samples.Len() == 0 {
				t.Error("no samples")
			}
			if len(p.Warnings) != 0 {
				t.Error(p.Warnings)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	proto := protoProfile(t)
	gzProto := gz(t, proto)
	for _, tt := range []struct {
		name string
		in   []byte
		is   error
		want string // part of the text
	}{
		{"empty", nil, format.ErrEmpty, "f: empty input file"},
		{"empty in gzip", gz(t, nil), format.ErrEmpty, "empty input file"},
		{"blank", []byte(" \n\n"), format.ErrUnrecognized, "white space"},
		{"html", []byte("\n<!DOCTYPE html><title>x</title>"), format.ErrUnrecognized, "/debug/pprof/heap"},
		{"json", []byte(`{"error": "no such profile"}`), format.ErrUnrecognized, "JSON"},
		{"elf", []byte("\x7fELF\x02\x01\x01"), format.ErrUnrecognized, "ELF"},
		{"perf.data", []byte("PERFILE2\x68\x00\x00\x00\x00\x00\x00\x00"), format.ErrUnrecognized, "perf script"},
		{"utf-16", []byte("\xff\xfeg\x00o\x00"), format.ErrUnrecognized, "UTF-16"},
		{"zip", []byte("PK\x03\x04\x14\x00"), format.ErrUnrecognized, "zip"},
		{"xz", []byte("\xfd7zXZ\x00\x00"), format.ErrUnrecognized, "xz -d"},
		{"error text", []byte("404 page not found\n"), format.ErrUnrecognized, `"404 page not found"`},
		{"binary", []byte("\x07\x07\x07\x07"), format.ErrUnrecognized, "07 07 07 07"},
		{"three wrappers", gz(t, gz(t, gz(t, proto))), nil, "more than 2 times"},
		{"truncated gzip", gzProto[:len(gzProto)-9], io.ErrUnexpectedEOF, "gzip data ends early"},
		{"gzip head only", gzProto[:5], io.ErrUnexpectedEOF, "gzip data ends early after 0"},
		{"gzip with garbage", append(bytes.Clone(gzProto), "garbage behind it"...), gzip.ErrHeader, "followed by something else"},
		{"damaged gzip", flip(gzProto, len(gzProto)-6), nil, "damaged"},
		{"truncated zstd", zst(t, bytes.Repeat([]byte(countText), 9))[:30], io.ErrUnexpectedEOF, "zstd data ends early"},
		{"truncated proto", proto[:len(proto)-3], nil, "profile.proto"},
		{"count line", []byte("goroutine profile: total 1\n1 @ 0x401001\nx @ 0x1\n"), nil, `f: go count: line 3: want "N @ 0xADDRESS ...", found "x @ 0x1"`},
		{"two counts", []byte(countText + "\n" + countText), nil, `line 4: another profile begins here, "goroutine profile: total 1"`},
		{"two heaps", []byte("heap profile: 1: 2 [1: 2] @ heap/2\nheap profile: 1: 2 [1: 2] @ heap/2\n"), nil, "line 2: another profile begins here"},
		{"count overflow", []byte("goroutine profile: total 1\n9999999999999999999 @ 0x401001\n"), nil, "line 2: count does not fit"},
		{"wide address", []byte("goroutine profile: total 1\n1 @ 0x11111111111111111\n"), nil, "line 2: address 0x11111111111111111"},
		{"heap line", []byte("heap profile: 1: 2 [1: 2] @ heap/2\n\nwhat\n"), nil, `legacy heap: line 3: want "N: BYTES`},
		{"heap no objects", []byte("heap profile: 1: 2 [1: 2] @ heap/2\n0: 5 [0: 0] @ 0x1\n"), nil, "line 2: no objects but 5 bytes"},
		{"contention attribute", []byte("--- contentionz 1 ---\nfoo = 3\n"), nil, "line 2: unknown attribute"},
		{"java attribute", []byte("--- heapz 1 ---\nformat = cpp\n"), nil, "line 2: unknown attribute"},
		{"java resolution", []byte("--- heapz 1 ---\nformat = java\n"), nil, "resolution"},
		{"thread line", []byte("--- threadz 1 ---\n--- x ---\n"), nil, "line 2: want"},
		{"jemalloc line", []byte("heap_v2/524288\nfoo\n"), nil, "line 2: want"},
		{"cpu claims", append(cpuProfile(8, le, "", 0, 3, 0, 100, 0, 1, 1<<60, 5), 1, 2), nil, "byte 40: the stack claims 1152921504606846976 frames, the file ends after 1"},
		{"cpu cut", append(cpuProfile(8, le, "", 0, 3, 0, 100, 0), 1, 2), nil, "byte 40: the file ends inside a stack header"},
		{"folded line", []byte("a;b 1\na;c 2\n" + strings.Repeat("a;b 1\n", 20) + "a;b\n"), nil, "folded: line 23: want"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := format.Decode(bytes.NewReader(tt.in), "f", format.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is no %v", err, tt.is)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want %q in it", err, tt.want)
			}
		})
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x55
	return b
}

func TestDecodeBounds(t *testing.T) {
	bomb := gz(t, gz(t, make([]byte, 64<<20)))
	text := []byte(foldedText + strings.Repeat("main;f 3\n", 100_000))
	for name, in := range map[string][]byte{
		"plain": text, "gzip": gz(t, text), "zstd": zst(t, text), "bomb": bomb, "count": gz(t, []byte(countText+strings.Repeat("1 @ 0x1\n", 100_000))),
		"proto": gz(t, append(protoProfile(t), bytes.Repeat([]byte{0x50, 1}, 200_000)...)),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := format.Decode(bytes.NewReader(in), "f", format.Options{MaxBytes: 100_000})
			if err == nil {
				t.Fatal("no error")
			}
			if name == "bomb" {
				return // zero bytes are no profile, whatever their number
			}
			if !errors.Is(err, format.ErrTooLarge) || !strings.Contains(err.Error(), "-max_size") {
				t.Errorf("error %q does not name the flag", err)
			}
		})
	}
}

// TestDecodeDeepStack has the depth that makes anything quadratic hang.
func TestDecodeDeepStack(t *testing.T) {
	const depth = 1_000_000
	var folded, count, dump strings.Builder
	count.WriteString("goroutine profile: total 1\n1 @")
	dump.WriteString("goroutine 1 [running]:\n")
	for i := range depth {
		if i > 0 {
			folded.WriteString(";")
		}
		folded.WriteString("f")
		count.WriteString(" 0x401001")
		dump.WriteString("main.f(0x1)\n\t/f.go:1 +0x1\n")
	}
	folded.WriteString(" 1\n")
	count.WriteString("\n")
	for range depth {
		count.WriteString("#\t0x401000\tmain.f+0x1\t/f.go:1\n")
	}
	start := time.Now()
	for kind, text := range map[format.Kind]string{
		format.KindFolded: folded.String(), format.KindGoCount: count.String(), format.KindGoroutines: dump.String(),
		format.KindCPU: string(cpuProfile(8, le, "", append([]uint64{0, 3, 0, 1, 0, 1, depth}, make([]uint64, depth)...)...)),
	} {
		p, k, err := format.Decode(strings.NewReader(text), "", format.Options{})
		if err != nil || k != kind {
			t.Fatalf("%s: %q, %v", kind, k, err)
		}
		if n := len(p.Stacks.Of(p.Samples.Stack[0])); n < depth-3 { // two handler frames and the leaf seen twice are dropped
			t.Errorf("%s: %d frames", kind, n)
		}
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestDecodeRuntimeTexts reads what the running Go writes.
func TestDecodeRuntimeTexts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		debug int
		kind  format.Kind
	}{
		{"goroutine", 0, format.KindProto}, {"goroutine", 1, format.KindGoCount}, {"goroutine", 2, format.KindGoroutines},
		{"heap", 0, format.KindProto}, {"heap", 1, format.KindHeap}, {"allocs", 1, format.KindHeap},
		{"threadcreate", 1, format.KindGoCount}, {"block", 1, format.KindContention}, {"mutex", 1, format.KindContention},
	} {
		var buf bytes.Buffer
		if err := pprof.Lookup(tt.name).WriteTo(&buf, tt.debug); err != nil {
			t.Fatal(err)
		}
		p, kind, err := format.Decode(bytes.NewReader(buf.Bytes()), tt.name, format.Options{})
		if err != nil || kind != tt.kind {
			t.Errorf("%s debug=%d: %q, %v\n%s", tt.name, tt.debug, kind, err, buf.Bytes())
			continue
		}
		if len(p.Warnings) > 0 {
			t.Errorf("%s debug=%d: %v", tt.name, tt.debug, p.Warnings)
		}
		if p.Samples.Len() > 0 && p.Functions.Len() == 1 && tt.name != "threadcreate" {
			t.Errorf("%s debug=%d: no functions", tt.name, tt.debug)
		}
		if tt.debug == 1 {
			compareWithOracle(t, buf.Bytes(), tt.kind, p.Functions.Len() > 1)
		}
	}
}

func TestDecodeCancelledInput(t *testing.T) {
	broken := errors.New("connection reset")
	for _, text := range []string{countText, "", foldedText, string(protoProfile(t))} {
		_, _, err := format.Decode(io.MultiReader(strings.NewReader(text), &failing{broken}), "u", format.Options{})
		if !errors.Is(err, broken) {
			t.Errorf("input %q: %v", text, err)
		}
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzDecode(f *testing.F) {
	for _, s := range []string{countText, goroutineText, jemallocText, foldedText, perfText, "", "<html>", "{}", "PERFILE2"} {
		f.Add([]byte(s))
		f.Add(gz(f, []byte(s)))
		f.Add(zst(f, []byte(s)))
	}
	f.Add(gz(f, gz(f, protoProfile(f))))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, kind, err := format.Decode(bytes.NewReader(data), "f", format.Options{MaxBytes: 1 << 20})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		if kind == "" {
			t.Error("no kind")
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkDecodeText(b *testing.B) {
	heap := "heap profile: 1: 2 [1: 2] @ heap/1048576\n" + strings.Repeat("12: 4096 [123: 456789] @ 0x401001 0x402001 0x403001 0x404001 0x405001 0x406001 0x407001 0x408001\n#\t0x401000\tmain.f+0x1\t/src/main.go:12\n", 20_000)
	for name, text := range map[string]string{
		"heap":       heap,
		"count":      countText + strings.Repeat("1 @ 0x401001 0x402001 0x403001 0x404001 0x405001 0x406001 0x407001 0x408001\n", 20_000),
		"goroutines": strings.Repeat(goroutineText+"\n", 20_000),
		"folded":     strings.Repeat("main;runtime.main;net/http.(*conn).serve;main.handler;runtime.mallocgc 12\n", 20_000),
		"perf":       strings.Repeat(perfText, 20_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := format.Decode(strings.NewReader(text), "", format.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestUnsampleLargeCounts(t *testing.T) {
	p, _, err := format.Decode(strings.NewReader("heap profile: 1: 2 [1: 2] @ heapz_v2/524288\n1152921504606846976: 9223372036854775807 [0: 0] @ 0x1\n"), "", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v := p.Samples.Values[0][0]; v <= 0 && v != math.MinInt64 {
		t.Errorf("value %d", v)
	}
}
