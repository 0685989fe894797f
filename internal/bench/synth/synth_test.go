package synth

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"testing"

	"github.com/google/pprof/profile"
)

func small(labels bool) Options {
	return Options{Samples: 2000, Functions: 500, Locations: 2000, Depth: 40, Labels: labels, Seed: 1}
}

func write(t *testing.T, opt Options) ([]byte, *Truth) {
	t.Helper()
	var buf bytes.Buffer
	truth, err := Write(&buf, opt)
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), truth
}

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestBytes pins the bytes: figures of different days are comparable only
// while the profile is the same one. Who changes them raises Version.
func TestBytes(t *testing.T) {
	for _, test := range []struct {
		name   string
		labels bool
		want   string
	}{
		{"labelled", true, "1a5f33e4d15659ec2d482af8ec0de1cd0323e646ae6c92e9bb84e154e1196c3d"},
		{"unlabelled", false, "cc4ce5c961d0d56d6426776c95c0344432bd0a8fa754a98f8830a1f5d7f7e0c0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, truth := write(t, small(test.labels))
			raw := unzip(t, data)
			if int64(len(raw)) != truth.Raw {
				t.Errorf("truth has %d raw bytes, the file %d", truth.Raw, len(raw))
			}
			sum := sha256.Sum256(raw)
			if got := hex.EncodeToString(sum[:]); got != test.want {
				t.Errorf("sha256 of the profile is %s, want %s", got, test.want)
			}
		})
	}
}

// TestTruth reads the profile with another decoder and counts again.
func TestTruth(t *testing.T) {
	for _, labels := range []bool{true, false} {
		data, truth := write(t, small(labels))
		p, err := profile.ParseData(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CheckValid(); err != nil {
			t.Fatal(err)
		}
		if len(p.Sample) != truth.Samples || len(p.Function) != 500 || len(p.Location) != 2000 || len(p.Mapping) != 1 {
			t.Errorf("%d samples, %d functions, %d locations, %d mappings",
				len(p.Sample), len(p.Function), len(p.Location), len(p.Mapping))
		}
		flat, cum := make([]int64, 500), make([]int64, 500)
		var total, frames int64
		for _, s := range p.Sample {
			total += s.Value[1]
			frames += int64(len(s.Location))
			flat[s.Location[0].Line[0].Function.ID-1] += s.Value[1]
			seen := map[uint64]bool{}
			for _, l := range s.Location {
				for _, line := range l.Line {
					if id := line.Function.ID; !seen[id] {
						seen[id] = true
						cum[id-1] += s.Value[1]
					}
				}
			}
		}
		if total != truth.Total || frames != truth.Frames {
			t.Errorf("total %d over %d frames, truth has %d over %d", total, frames, truth.Total, truth.Frames)
		}
		if !slices.Equal(flat, truth.Flat) {
			t.Error("flat differs from the truth")
		}
		if !slices.Equal(cum, truth.Cum) {
			t.Error("cum differs from the truth")
		}
		for i, f := range p.Function {
			if f.Name != truth.Names[i] {
				t.Fatalf("function %d is %q, truth has %q", i, f.Name, truth.Names[i])
			}
		}
		if mean := float64(frames) / float64(truth.Samples); mean < 38 || mean > 42 {
			t.Errorf("mean depth is %.1f, want about 40", mean)
		}
	}
}

func TestLabels(t *testing.T) {
	data, _ := write(t, small(true))
	p, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]map[string]bool{}
	traced := 0
	for _, s := range p.Sample {
		for key, list := range s.Label {
			if values[key] == nil {
				values[key] = map[string]bool{}
			}
			values[key][list[0]] = true
		}
		if s.Label["trace_id"] != nil {
			traced++
		}
		if s.Label["endpoint"] == nil || s.Label["tenant"] == nil {
			t.Fatal("a sample lacks endpoint or tenant")
		}
	}
	if n := len(values["endpoint"]); n != 200 {
		t.Errorf("%d endpoints, want 200", n)
	}
	if n := len(values["tenant"]); n < 1000 || n > 5000 {
		t.Errorf("%d tenants in 2000 samples of 5000", n)
	}
	if len(values["trace_id"]) != traced {
		t.Errorf("%d trace ids on %d samples: they repeat", len(values["trace_id"]), traced)
	}
	if traced < 60 || traced > 140 {
		t.Errorf("%d of 2000 samples have a trace id, want about 100", traced)
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]int{}
	for f := range 50_000 {
		name := functionNameOf(f)
		if g, ok := seen[name]; ok {
			t.Fatalf("functions %d and %d are both %s", g, f, name)
		}
		seen[name] = f
	}
}

func TestOptionErrors(t *testing.T) {
	for _, opt := range []Options{
		{},
		{Samples: 1, Functions: 10, Locations: 9, Depth: 4},
		{Samples: 1, Functions: 10, Locations: 10, Depth: 1},
	} {
		if _, err := Write(io.Discard, opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteError(t *testing.T) {
	if _, err := Write(brokenWriter{}, small(true)); err == nil {
		t.Error("no error from a broken writer")
	}
}

func BenchmarkWrite(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		truth, err := Write(io.Discard, small(true))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(truth.Raw)
	}
}
