package profjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

func testProfile(t *testing.T) *profile.Profile {
	t.Helper()
	b := profile.NewBuilder(
		profile.ValueType{Type: "contentions", Unit: "count"}, profile.ValueType{Type: "delay", Unit: "microseconds"},
		profile.ValueType{Type: "space", Unit: "kilobytes"})
	h := b.Header()
	h.PeriodType, h.Period = profile.ValueType{Type: "cpu", Unit: "ms"}, 10
	h.TimeNanos, h.DefaultSampleType = 5, "delay"
	h.Comments = []string{"a comment"}
	h.Warnings = []error{errors.New("line 3: odd")}
	m := b.Mapping(profile.Mapping{Start: 0x400000, Limit: math.MaxUint64, File: "/bin/x", HasFunctions: true})
	f := b.Function("main.f", "main.f", "f.go", 7)
	l := b.AddLocation(m, 0xffffffffffff1234, true, profile.Line{Function: f, Line: 9, Column: 2})
	b.Sample([]profile.LocationID{l, l}, []int64{1, 2, math.MaxInt64}, b.StringLabel("k", "v"), b.StringLabel("k", "w"), b.NumLabel("bytes", 16, "bytes"))
	b.Sample(nil, []int64{3, 4, 5})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const wantJSON = `{
	"schema": "profile/1",
	"sample_types": [{"type": "contentions", "unit": "count"}, {"type": "delay", "unit": "nanoseconds"}, {"type": "space", "unit": "kilobytes"}],
	"default_sample_type": "delay",
	"period_type": {"type": "cpu", "unit": "nanoseconds"},
	"period": 10000000,
	"time_nanos": 5,
	"comments": ["a comment"],
	"warnings": ["line 3: odd"],
	"mappings": [{"id": 1, "start": "0x400000", "limit": "0xffffffffffffffff", "offset": "0x0", "file": "/bin/x", "has_functions": true}],
	"functions": [{"id": 1, "name": "main.f", "system_name": "main.f", "file": "f.go", "start_line": 7}],
	"locations": [{"id": 1, "mapping": 1, "address": "0xffffffffffff1234", "folded": true, "lines": [{"function": 1, "line": 9, "column": 2}]}],
	"samples": [
		{"locations": [1, 1], "values": [1, 2000, 9223372036854775807], "labels": {"k": ["v", "w"]}, "num_labels": {"bytes": [{"value": 16, "unit": "bytes"}]}},
		{"locations": [], "values": [3, 4000, 5]}
	]
}`

func TestEncode(t *testing.T) {
	var buf bytes.Buffer
	if err := Encode(&buf, testProfile(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := parse(t, buf.String()), parse(t, wantJSON); !reflect.DeepEqual(got, want) {
		t.Errorf("got %s", buf.String())
	}
	buf.Reset()
	if err := Encode(&buf, profile.NewEmpty()); err != nil {
		t.Fatal(err)
	}
	if m := parse(t, buf.String()).(map[string]any); len(m["samples"].([]any)) != 0 || len(m["sample_types"].([]any)) != 0 {
		t.Errorf("empty profile: %s", buf.String())
	}
}

func parse(t *testing.T, s string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return v
}

func TestEncodeWriteError(t *testing.T) {
	full := errors.New("disk full")
	if err := Encode(&failing{full}, testProfile(t)); !errors.Is(err, full) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f *failing) Write([]byte) (int, error) { return 0, f.err }

// TestDocumented checks that the page of the format names every field.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/formats/profile-json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{header{}, valueType{}, mapping{}, function{}, location{}, line{}, sample{}, number{}} {
		rt := reflect.TypeOf(v)
		for i := range rt.NumField() {
			name, _, _ := strings.Cut(rt.Field(i).Tag.Get("json"), ",")
			if !bytes.Contains(page, []byte("`"+name+"`")) {
				t.Errorf("profile-json.md does not name `%s` of %s", name, rt.Name())
			}
		}
	}
}
