package pprof

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// shapes are the random messages of these tests.
var shapes = map[string]profiletest.Shape{
	"plain":  {},
	"labels": {Labels: true, Inlines: true, Negative: true, Zeros: true},
	"sparse": {Bare: true, Labels: true, Numbering: profiletest.Sparse},
	"huge":   {Odd: true, Inlines: true, Labels: true, Numbering: profiletest.Huge},
	"types": {Types: []profiletest.ValueType{
		{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}, {Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"}}, Negative: true},
	"large": {Samples: 2000, Functions: 400, Depth: 60, Labels: true},
}

// wires are the ways to write one.
var wires = map[string]profiletest.Wire{
	"usual":         {},
	"unpacked":      {Unpacked: true},
	"unknown":       {Unknown: true},
	"strings first": {Order: []int{6, 1, 2, 3, 4, 5, 7}},
	"strings last":  {Order: []int{7, 1, 3, 4, 5, 2, 6}},
	"backwards":     {Order: []int{7, 6, 5, 4, 3, 2, 1}},
	"types last":    {Order: []int{2, 6, 5, 4, 3, 7, 1}, Unpacked: true, Unknown: true},
}

func decode(t testing.TB, data []byte) *profile.Profile {
	t.Helper()
	p, err := Decode(bytes.NewReader(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t testing.TB, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oracle is what pprof's own package writes after reading data.
func oracle(t testing.TB, data []byte) []byte {
	t.Helper()
	p, err := gprofile.ParseUncompressed(data)
	if err != nil {
		t.Fatal(err)
	}
	return rewrite(t, p)
}

func rewrite(t testing.TB, p *gprofile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same fails unless the encoded profiles say the same, and are the same.
func same(t *testing.T, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	text := func(b []byte) []string {
		p, err := gprofile.ParseUncompressed(b)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(p.String(), "\n")
	}
	w, g := text(want), text(got)
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Fatalf("line %d\nwant %q\ngot  %q", i+1, w[i], g[i])
		}
	}
	if len(w) != len(g) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
	t.Fatalf("equal text but other bytes: %d, want %d", len(got), len(want))
}

func TestRoundTrip(t *testing.T) {
	for name, shape := range shapes {
		for how, wire := range wires {
			t.Run(name+"/"+how, func(t *testing.T) {
				for seed := range uint64(4) {
					data := profiletest.Random(seed, shape).Bytes(wire)
					got := encode(t, decode(t, data))
					same(t, oracle(t, data), got)
					if again := encode(t, decode(t, got)); !bytes.Equal(got, again) {
						t.Fatal("encoding is not stable")
					}
				}
			})
		}
	}
}

// TestRoundTripCorpus reads real profiles of many producers, where a checkout
// has them beside it.
func TestRoundTripCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/corpus/*")
	if root, err := exec.Command("go", "env", "GOROOT").Output(); len(files) == 0 && err == nil {
		files = []string{filepath.Join(strings.TrimSpace(string(root)), "src/cmd/compile/default.pgo")}
	}
	read := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if zr, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			if data, err = io.ReadAll(zr); err != nil {
				continue
			}
		}
		want, err := gprofile.ParseUncompressed(data)
		if err == nil {
			err = want.CheckValid()
		}
		if err != nil {
			continue // another format
		}
		read++
		t.Run(filepath.Base(file), func(t *testing.T) {
			same(t, rewrite(t, want), encode(t, decode(t, data)))
		})
	}
	if read == 0 {
		t.Skip("no corpus")
	}
}

// TestReaders feeds the decoder in pieces of every kind.
func TestReaders(t *testing.T) {
	data := profiletest.Random(1, shapes["labels"]).Bytes(profiletest.Wire{})
	want := encode(t, decode(t, data))
	for name, r := range map[string]io.Reader{
		"one byte":  iotest.OneByteReader(bytes.NewReader(data)),
		"half":      iotest.HalfReader(bytes.NewReader(data)),
		"data, err": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		p, err := Decode(r, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(want, encode(t, p)) {
			t.Errorf("%s: another profile", name)
		}
	}
	boom := errors.New("boom")
	_, err := Decode(io.MultiReader(bytes.NewReader(data[:100]), iotest.ErrReader(boom)), Options{})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "byte 100") {
		t.Errorf("error of the reader: %v", err)
	}
	// A field larger than the buffer.
	m := profiletest.Random(1, profiletest.Shape{})
	m.Comments = []string{strings.Repeat("long ", streamBuffer)}
	data = m.Bytes(profiletest.Wire{})
	same(t, oracle(t, data), encode(t, decode(t, data)))
}

func small() *profiletest.Message {
	return profiletest.Random(3, profiletest.Shape{Samples: 4, Functions: 3, Depth: 4, Labels: true, Inlines: true})
}

// TestTruncated cuts a profile at every byte: an error or a valid profile,
// and the same verdict as the oracle's.
func TestTruncated(t *testing.T) {
	for how, wire := range wires {
		data := small().Bytes(wire)
		for n := 1; n < len(data); n++ {
			p, err := Decode(bytes.NewReader(data[:n]), Options{})
			if err == nil {
				encode(t, p)
			}
			if theirs := oracleVerdict(data[:n]); (err == nil) != (theirs == nil) {
				t.Errorf("%s: %d of %d bytes: %v, pprof says %v", how, n, len(data), err, theirs)
			}
		}
	}
}

// oracleVerdict is the error of pprof's own package for data.
func oracleVerdict(data []byte) error {
	p, err := gprofile.ParseUncompressed(data)
	if err != nil {
		return err
	}
	return p.CheckValid()
}

// field is one field with a length.
func field(num int, content string) string {
	return string(appendVarint([]byte{byte(num<<3 | 2)}, uint64(len(content)))) + content
}

// TestErrors breaks one rule of the format at a time.
func TestErrors(t *testing.T) {
	breakage := func(f func(m *profiletest.Message)) []byte {
		m := small()
		f(m)
		return m.Bytes(profiletest.Wire{})
	}
	good := small().Bytes(profiletest.Wire{})
	for _, tt := range []struct {
		name string
		data []byte
		want string
		is   error
	}{
		{"empty", nil, "empty input file", ErrEmpty},
		{"two profiles", append(good[:len(good):len(good)], good...), "concatenated profiles", ErrConcatenated},
		{"no strings", small().Bytes(profiletest.Wire{Order: []int{7}})[:10], "no string table", profile.ErrMalformed},
		{"first string", append([]byte(field(6, "first")), good...), "profile.proto at byte 0: string_table[0] must be ''", nil},
		{"dangling location", breakage(func(m *profiletest.Message) { m.Samples[1].Locations = []uint64{77} }), "location 77", profile.ErrMalformed},
		{"dangling huge location", breakage(func(m *profiletest.Message) { m.Samples[1].Locations = []uint64{1 << 40, 5} }), "refers to location", profile.ErrMalformed},
		{"location 0", breakage(func(m *profiletest.Message) { m.Samples[1].Locations = []uint64{0} }), "nil location", profile.ErrMalformed},
		{"dangling function", breakage(func(m *profiletest.Message) { m.Locations[0].Lines[0].Function = 99 }), "line with nil function", profile.ErrMalformed},
		{"function 0", breakage(func(m *profiletest.Message) { m.Locations[0].Lines[0].Function = 0 }), "line with nil function", profile.ErrMalformed},
		{"location id 0", breakage(func(m *profiletest.Message) { m.Locations[2].ID = 0 }), "location with reserved id=0", nil},
		{"function id 0", breakage(func(m *profiletest.Message) { m.Functions[1].ID = 0 }), "function with reserved id=0", nil},
		{"mapping id 0", breakage(func(m *profiletest.Message) { m.Mappings[1].ID = 0 }), "mapping with reserved ID=0", profile.ErrMalformed},
		{"location twice", breakage(func(m *profiletest.Message) { m.Locations = append(m.Locations, m.Locations[0]) }), "multiple locations with same id", profile.ErrMalformed},
		{"function twice", breakage(func(m *profiletest.Message) { m.Functions = append(m.Functions, m.Functions[0]) }), "multiple functions with same id", profile.ErrMalformed},
		{"mapping twice", breakage(func(m *profiletest.Message) { m.Mappings = append(m.Mappings, m.Mappings[0]) }), "multiple mappings with same id", profile.ErrMalformed},
		{"too few values", breakage(func(m *profiletest.Message) { m.Samples[2].Values = m.Samples[2].Values[:1] }), "mismatch: sample has 1 values vs. 2 types", nil},
		{"too many values", breakage(func(m *profiletest.Message) { m.Samples[2].Values = []int64{1, 2, 3} }), "mismatch: sample has 3 values vs. 2 types", nil},
		{"no values", breakage(func(m *profiletest.Message) { m.Samples[2].Values = nil }), "sample 2: mismatch: sample has 0 values", nil},
		{"all too few values", breakage(func(m *profiletest.Message) {
			for i := range m.Samples {
				m.Samples[i].Values = m.Samples[i].Values[:1]
			}
		}), "mismatch", profile.ErrMalformed},
		{"no types", breakage(func(m *profiletest.Message) { m.Types = nil }), "missing sample type", profile.ErrMalformed},
		{"string out of range", append(good[:len(good):len(good)], 7<<3, 0x7f), "drop_frames refers to string 127", profile.ErrMalformed},
		{"label string out of range", append(good[:len(good):len(good)], field(2, field(2, "\x01\x02")+field(3, "\x08\x7f\x10\x7f"))...), "label", nil},
		{"label string far out of range", append(good[:len(good):len(good)], field(2, field(2, "\x01\x02")+field(3, "\x08\xff\xff\xff\xff\xff\x01\x10\x01"))...), "label refers to no string", nil},
		{"huge length", append([]byte{2<<3 | 2}, appendVarint(nil, 1<<60)...), "profile.proto at byte 0: field of 1152921504606846976 bytes: truncated", nil},
		{"largest length", append([]byte{2<<3 | 2}, appendVarint(nil, math.MaxUint64)...), "truncated", nil},
		{"huge inner length", []byte(field(2, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f")), "sample 0: truncated", nil},
		{"huge unknown field", append([]byte{0xa2, 0x06}, appendVarint(nil, 1<<60)...), "truncated", nil},
		{"endless varint", bytes.Repeat([]byte{0xff}, 20), "truncated", nil},
		{"wire type 3", []byte{2<<3 | 3}, "unknown wire type 3", nil},
		{"a number for a message", []byte{2 << 3, 1}, "field 2: a number where a message belongs", nil},
		{"a message for a number", []byte(field(9, "x")), "field 9: a message where a number belongs", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader(tt.data), Options{})
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %q is no %v", err, tt.is)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			if theirs := oracleVerdict(tt.data); theirs == nil && tt.data != nil {
				t.Error("pprof accepts it")
			}
		})
	}
}

// TestErrorPosition wants the byte and the row of the mistake.
func TestErrorPosition(t *testing.T) {
	head := field(1, "\x08\x01") + field(6, "") + field(6, "t") + field(2, "\x10\x05")
	_, err := Decode(strings.NewReader(head+field(2, "\x10\x05\x0a\xff")), Options{})
	if want := fmt.Sprintf("profile.proto at byte %d: sample 1: truncated message", len(head)); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestAccepted are inputs at the edge that are right.
func TestAccepted(t *testing.T) {
	deep := small()
	frames := make([]uint64, 1_000_000)
	for i := range frames {
		frames[i] = deep.Locations[i%len(deep.Locations)].ID
	}
	deep.Samples[0].Locations = frames
	odd := small()
	odd.Functions[0].Name = "not\xff\xfeUTF-8\x00"
	odd.Comments = []string{"\xc3\x28"}
	noMapping := small()
	noMapping.Locations[0].Mapping = 4711
	noPeriod := small()
	noPeriod.PeriodType, noPeriod.Period = nil, 0
	noSamples := small()
	noSamples.Samples = nil
	empty := &profiletest.Message{}
	emptyStack := small()
	emptyStack.Samples[0].Locations = nil
	largest := small()
	largest.Samples[0].Values = []int64{math.MaxInt64, math.MinInt64}
	largest.Samples[0].Labels = []profiletest.Label{{Key: "most", Num: math.MaxInt64}, {Key: "least", Num: math.MinInt64, Unit: "u"}}
	largest.Mappings[0].Limit = math.MaxUint64
	largest.Locations[0].Address = math.MaxUint64
	largest.Locations[0].Lines[0].Line = math.MinInt64
	largest.Functions[0].Start = math.MinInt64
	kernel := small()
	kernel.Mappings[1].File = "[kernel.kallsyms]_stext"
	for name, m := range map[string]*profiletest.Message{
		"deep": deep, "odd": odd, "no mapping": noMapping, "no period": noPeriod, "no samples": noSamples, "empty": empty,
		"empty stack": emptyStack, "largest": largest, "kernel": kernel,
	} {
		t.Run(name, func(t *testing.T) {
			data := m.Bytes(profiletest.Wire{})
			same(t, oracle(t, data), encode(t, decode(t, data)))
		})
	}
	p := decode(t, kernel.Bytes(profiletest.Wire{}))
	if got := p.Mappings[2].KernelRelocation; got != "_stext" {
		t.Errorf("kernel relocation %q", got)
	}
}

// TestLabelsThatSayNothing: the format cannot tell a label without value from
// no label, nor an empty string value.
func TestLabelsThatSayNothing(t *testing.T) {
	m := small()
	m.Samples[0].Labels = []profiletest.Label{{Key: "zero"}, {Key: "", Str: "value"}, {Key: "unit only", Unit: "bytes"}}
	p := decode(t, m.Bytes(profiletest.Wire{}))
	var got []string
	for _, l := range p.LabelSets.Of(p.Samples.Labels[0]) {
		got = append(got, fmt.Sprintf("%s:%s:%d:%s", p.Str(l.Key), p.Str(l.Str), l.Num, p.Str(l.Unit)))
	}
	if want := ":value:0: unit only::0:bytes"; strings.Join(got, " ") != want {
		t.Errorf("labels %q, want %q", got, want)
	}
}

// TestShared checks that equal stacks and label sets are stored once.
func TestShared(t *testing.T) {
	m := small()
	for i := range m.Samples {
		m.Samples[i].Locations = m.Samples[0].Locations
		// The order of labels does not tell sets apart.
		m.Samples[i].Labels = []profiletest.Label{{Key: "a", Str: "1"}, {Key: "b", Str: "2"}, {Key: "n", Num: 3}}
		if i%2 == 1 {
			l := m.Samples[i].Labels
			l[0], l[2] = l[2], l[0]
		}
	}
	p := decode(t, m.Bytes(profiletest.Wire{}))
	if p.Stacks.Len() != 2 || p.LabelSets.Len() != 2 {
		t.Errorf("%d stacks and %d label sets, want none and one of each", p.Stacks.Len(), p.LabelSets.Len())
	}
}

func TestMaxBytes(t *testing.T) {
	big := profiletest.Random(1, profiletest.Shape{Samples: 5000, Functions: 200, Depth: 50}).Bytes(profiletest.Wire{})
	if _, err := Decode(bytes.NewReader(big), Options{MaxBytes: int64(len(big)) / 2}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("half the size: %v", err)
	}
	if _, err := Decode(bytes.NewReader(big), Options{MaxBytes: 64 << 20}); err != nil {
		t.Errorf("enough: %v", err)
	}
	// Tables larger than the input that makes them: a mapping of two bytes
	// takes a row of a hundred.
	tables := strings.Repeat(field(3, ""), 1<<20)
	if _, err := Decode(strings.NewReader(tables), Options{MaxBytes: 16 << 20}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("tables: %v", err)
	}
}

// TestBoundedAllocation: what an input claims to hold costs nothing.
func TestBoundedAllocation(t *testing.T) {
	for name, data := range map[string]string{
		"length":        "\x12\xff\xff\xff\xff\x0f",
		"inner length":  field(2, "\x0a\xff\xff\xff\xff\x0f"),
		"huge id":       field(4, "\x08\xff\xff\xff\xff\x0f") + field(2, "\x08\xfe\xff\xff\xff\x0e\x10\x01"),
		"huge string":   field(1, "\x08\xff\xff\xff\xff\x0f") + field(6, ""),
		"endless input": strings.Repeat(field(2, "\x10\x01"), 100),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(strings.NewReader(data), Options{MaxBytes: 1 << 20})
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
	// A size hint that lies reserves no more than the limit allows.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	decodeHint := func() {
		if _, err := Decode(bytes.NewReader(small().Bytes(profiletest.Wire{})), Options{MaxBytes: 1 << 20, SizeHint: 1 << 50}); err != nil {
			t.Error(err)
		}
	}
	decodeHint()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("size hint: %d bytes allocated", used)
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestEncodeError(t *testing.T) {
	p := decode(t, profiletest.Random(1, shapes["large"]).Bytes(profiletest.Wire{}))
	for _, n := range []int{0, 70 << 10} {
		if err := Encode(&failingWriter{n}, p); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestLooks(t *testing.T) {
	for name, m := range map[string]*profiletest.Message{"small": small(), "odd": profiletest.Random(1, shapes["huge"])} {
		for how, wire := range wires {
			if data := m.Bytes(wire); !Looks(data[:min(len(data), 512)]) {
				t.Errorf("%s, %s: not recognized", name, how)
			}
		}
	}
	for _, s := range []string{"", "\x00", "<html>", "{}", "\x1f\x8b\x08", "\x7fELF"} {
		if Looks([]byte(s)) {
			t.Errorf("%q taken for a profile", s)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data := profiletest.Random(1, profiletest.Shape{Samples: 20_000, Functions: 2000, Depth: 60, Labels: true}).Bytes(profiletest.Wire{})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		decode(b, data)
	}
}

func BenchmarkEncode(b *testing.B) {
	data := profiletest.Random(1, profiletest.Shape{Samples: 20_000, Functions: 2000, Depth: 60, Labels: true}).Bytes(profiletest.Wire{})
	p := decode(b, data)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Encode(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
}
