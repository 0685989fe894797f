package speedscope

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

func testProfile(t *testing.T, values ...[]int64) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"}, profile.ValueType{Type: "cpu", Unit: "milliseconds"})
	b.Header().DefaultSampleType = "cpu"
	line := func(name string, n int64) profile.Line {
		return profile.Line{Function: b.Function(name, "", "a.go", 0), Line: n}
	}
	leaf := b.Location(0, 1, line("inner \"q\"", 5), line("outer", 6))
	root := b.Location(b.Mapping(profile.Mapping{File: "/bin/x"}), 0xab)
	stacks := [][]profile.LocationID{{leaf, root}, {root}, nil}
	for i, v := range values {
		b.Sample(stacks[i], v)
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEncode(t *testing.T) {
	var buf bytes.Buffer
	if err := Encode(&buf, testProfile(t, []int64{1, 10}, []int64{2, 0}, []int64{0, 3})); err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(buf.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, buf.Bytes())
	}
	err := json.Unmarshal([]byte(`{
		"$schema": "https://www.speedscope.app/file-format-schema.json", "exporter": "profound", "activeProfileIndex": 1,
		"shared": {"frames": [
			{"name": "0xab", "file": "/bin/x"},
			{"name": "outer", "file": "a.go", "line": 6},
			{"name": "inner \"q\"", "file": "a.go", "line": 5}]},
		"profiles": [
			{"type": "sampled", "name": "samples", "unit": "none", "startValue": 0, "endValue": 3, "samples": [[0, 1, 2], [0]], "weights": [1, 2]},
			{"type": "sampled", "name": "cpu", "unit": "nanoseconds", "startValue": 0, "endValue": 13000000, "samples": [[0, 1, 2], []], "weights": [10000000, 3000000]}]
	}`), &want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s", buf.Bytes())
	}
}

func TestEncodeErrors(t *testing.T) {
	err := Encode(&bytes.Buffer{}, testProfile(t, []int64{1, -10}))
	if err == nil || !strings.Contains(err.Error(), "negative") {
		t.Error(err)
	}
	full := errors.New("disk full")
	if err := Encode(&failing{full}, testProfile(t, []int64{1, 1})); !errors.Is(err, full) {
		t.Error(err)
	}
	if err := Encode(&bytes.Buffer{}, profile.NewEmpty()); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f *failing) Write([]byte) (int, error) { return 0, f.err }
