package profile_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// pair is one profile in our form and in the oracle's.
type pair struct {
	ours   *profile.Profile
	theirs *gprofile.Profile
}

func load(t testing.TB, m *profiletest.Message) pair {
	t.Helper()
	data := m.Bytes(profiletest.Wire{})
	ours, err := pprof.Decode(bytes.NewReader(data), pprof.Options{})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := gprofile.ParseUncompressed(data)
	if err != nil {
		t.Fatal(err)
	}
	return pair{ours, theirs}
}

// same compares by text, then by bytes.
func same(t *testing.T, want *gprofile.Profile, got *profile.Profile) {
	t.Helper()
	if err := got.Check(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pprof.Encode(&b, got); err != nil {
		t.Fatal(err)
	}
	back, err := gprofile.ParseUncompressed(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	w, g := strings.Split(want.String(), "\n"), strings.Split(back.String(), "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Fatalf("line %d\nwant %q\ngot  %q", i+1, w[i], g[i])
		}
	}
	if len(w) != len(g) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
	var wb bytes.Buffer
	if err := want.WriteUncompressed(&wb); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(wb.Bytes(), b.Bytes()) {
		t.Fatalf("equal text but other bytes: %d, want %d", b.Len(), wb.Len())
	}
}

var shapes = map[string]profiletest.Shape{
	"plain":    {},
	"labels":   {Labels: true, Inlines: true},
	"negative": {Labels: true, Inlines: true, Negative: true, Zeros: true},
	"bare":     {Bare: true, Numbering: profiletest.Sparse},
	"odd":      {Odd: true, Inlines: true, Labels: true, Zeros: true, Numbering: profiletest.Huge},
	"few":      {Functions: 3, Samples: 200, Depth: 4, Zeros: true, Labels: true},
}

// each runs f on three related profiles of each shape: the second has its
// mappings elsewhere, the third repeats the first.
func each(t *testing.T, f func(t *testing.T, a, b, c func() pair)) {
	for name, shape := range shapes {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s-%d", name, seed), func(t *testing.T) {
				moved := shape
				moved.Shift = 0x7f00_0000_0000
				f(t,
					func() pair { return load(t, profiletest.Random(seed, shape)) },
					func() pair { return load(t, profiletest.Random(seed, moved)) },
					func() pair { return load(t, profiletest.Random(seed+100, shape)) })
			})
		}
	}
}

func TestMerge(t *testing.T) {
	each(t, func(t *testing.T, a, b, c func() pair) {
		for _, list := range [][]func() pair{{a}, {a, b}, {b, a}, {a, c}, {a, a}, {c, b, a, c}} {
			var ours []*profile.Profile
			var theirs []*gprofile.Profile
			for _, f := range list {
				p := f()
				ours, theirs = append(ours, p.ours), append(theirs, p.theirs)
			}
			want, err := gprofile.Merge(theirs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := profile.Merge(ours)
			if err != nil {
				t.Fatal(err)
			}
			same(t, want, got)
		}
		p := a()
		same(t, p.theirs.Compact(), profile.Compact(p.ours))
		same(t, a().theirs, p.ours) // nothing was changed
	})
}

// TestMergeCancels: what adds up to zero goes away, and with it all that only
// it referred to.
func TestMergeCancels(t *testing.T) {
	each(t, func(t *testing.T, a, _, c func() pair) {
		p, q := a(), c()
		q.theirs.Scale(-1)
		want, err := gprofile.Merge([]*gprofile.Profile{p.theirs, q.theirs})
		if err != nil {
			t.Fatal(err)
		}
		got, err := profile.Diff(p.ours, q.ours, profile.DiffOptions{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
		got, err = profile.Diff(p.ours, p.ours, profile.DiffOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Samples.Len() != 0 || got.Stacks.Len() != 1 || got.Locations.Len() != 1 {
			t.Errorf("a profile minus itself has %d samples of %d stacks", got.Samples.Len(), got.Stacks.Len()-1)
		}
	})
}

func TestDiffMarked(t *testing.T) {
	each(t, func(t *testing.T, a, b, c func() pair) {
		for _, base := range []func() pair{a, b, c} {
			p, q := a(), base()
			q.theirs.SetLabel("pprof::base", []string{"true"})
			q.theirs.Scale(-1)
			want, err := gprofile.Merge([]*gprofile.Profile{p.theirs, q.theirs})
			if err != nil {
				t.Fatal(err)
			}
			got, err := profile.Diff(p.ours, q.ours, profile.DiffOptions{Mark: true})
			if err != nil {
				t.Fatal(err)
			}
			same(t, want, got)
			marked := 0
			for set, has := range got.HasStringLabel(profile.BaseLabel, "true") {
				if has {
					marked++
				}
				_ = set
			}
			if marked == 0 {
				t.Error("no label set is marked")
			}
		}
	})
}

func TestNormalize(t *testing.T) {
	each(t, func(t *testing.T, a, _, c func() pair) {
		p, q := a(), c()
		if err := p.theirs.Normalize(q.theirs); err != nil {
			t.Fatal(err)
		}
		got, err := p.ours.Normalize(q.ours)
		if err != nil {
			t.Fatal(err)
		}
		same(t, p.theirs, got)
	})
	p := load(t, profiletest.Random(1, profiletest.Shape{}))
	q := load(t, profiletest.Random(1, profiletest.Shape{Types: []profiletest.ValueType{{Type: "space", Unit: "bytes"}}}))
	if _, err := p.ours.Normalize(q.ours); !errors.Is(err, profile.ErrIncompatible) {
		t.Errorf("other types: %v", err)
	}
	if _, err := profile.Diff(p.ours, q.ours, profile.DiffOptions{Normalize: true}); !errors.Is(err, profile.ErrIncompatible) {
		t.Errorf("diff with other types: %v", err)
	}
}

func TestScale(t *testing.T) {
	each(t, func(t *testing.T, a, _, _ func() pair) {
		for _, ratio := range []float64{1, -1, 2, 0.5, 1e-4, 0} {
			p := a()
			p.theirs.Scale(ratio)
			same(t, p.theirs, p.ours.Scale(ratio))
		}
		p := a()
		ratios := []float64{0.001, 3}
		if err := p.theirs.ScaleN(ratios); err != nil {
			t.Fatal(err)
		}
		got, err := p.ours.ScaleTypes(ratios)
		if err != nil {
			t.Fatal(err)
		}
		same(t, p.theirs, got)
		if _, err := p.ours.ScaleTypes(ratios[:1]); err == nil {
			t.Error("one ratio for two types accepted")
		}
	})
}

func TestCommonTypes(t *testing.T) {
	typed := func(names ...string) *profiletest.Message {
		var types []profiletest.ValueType
		for _, n := range names {
			types = append(types, profiletest.ValueType{Type: n, Unit: "count"})
		}
		m := profiletest.Random(1, profiletest.Shape{Types: types})
		m.Default = names[0]
		return m
	}
	for _, lists := range [][][]string{
		{{"a", "b", "c"}, {"c", "a"}}, {{"a", "b"}, {"b", "a"}}, {{"a"}, {"a"}}, {{"x", "a", "b"}, {"b", "a", "y"}, {"a", "z", "b"}}, {{"b", "a"}, {"a", "c"}},
	} {
		var ours []*profile.Profile
		var theirs []*gprofile.Profile
		for _, l := range lists {
			p := load(t, typed(l...))
			ours, theirs = append(ours, p.ours), append(theirs, p.theirs)
		}
		if err := gprofile.CompatibilizeSampleTypes(theirs); err != nil {
			t.Fatal(err)
		}
		got, err := profile.CommonTypes(ours)
		if err != nil {
			t.Fatal(err)
		}
		for i := range theirs {
			same(t, theirs[i], got[i])
		}
	}
	a, b := load(t, typed("a")), load(t, typed("b"))
	if _, err := profile.CommonTypes([]*profile.Profile{a.ours, b.ours}); !errors.Is(err, profile.ErrIncompatible) {
		t.Errorf("nothing in common: %v", err)
	}
	if got, err := profile.CommonTypes(nil); got != nil || err != nil {
		t.Errorf("nothing at all: %v, %v", got, err)
	}
}

func TestMergeIncompatible(t *testing.T) {
	base := func() *profiletest.Message { return profiletest.Random(1, profiletest.Shape{}) }
	otherType, otherUnit, otherPeriod := base(), base(), base()
	otherType.Types = []profiletest.ValueType{{Type: "samples", Unit: "count"}, {Type: "wall", Unit: "nanoseconds"}}
	otherUnit.Types = []profiletest.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "ms"}}
	otherPeriod.PeriodType = &profiletest.ValueType{Type: "space", Unit: "bytes"}
	for name, m := range map[string]*profiletest.Message{"type": otherType, "unit": otherUnit, "period": otherPeriod} {
		a, b := load(t, base()), load(t, m)
		_, err := profile.Merge([]*profile.Profile{a.ours, b.ours})
		_, theirs := gprofile.Merge([]*gprofile.Profile{a.theirs, b.theirs})
		if !errors.Is(err, profile.ErrIncompatible) || theirs == nil {
			t.Errorf("%s: %v, pprof %v", name, err, theirs)
		}
	}
	if _, err := profile.Merge(nil); err == nil {
		t.Error("merged nothing")
	}
}

func TestMergeHeader(t *testing.T) {
	a, b := profiletest.Random(1, profiletest.Shape{}), profiletest.Random(2, profiletest.Shape{})
	a.Period, b.Period = 5, 7
	a.Comments, b.Comments = []string{"one", "two", "one"}, []string{"two", "three"}
	a.Drop, b.Drop, b.Keep = "first", "second", "second"
	b.Default, b.Doc = "cpu", "https://example.com"
	a.TimeNanos, b.TimeNanos = 900, 400
	p, q := load(t, a), load(t, b)
	want, err := gprofile.Merge([]*gprofile.Profile{p.theirs, q.theirs})
	if err != nil {
		t.Fatal(err)
	}
	got, err := profile.Merge([]*profile.Profile{p.ours, q.ours})
	if err != nil {
		t.Fatal(err)
	}
	same(t, want, got)
	if got.TimeNanos != 400 || got.Period != 7 || got.DurationNanos != a.DurationNanos+b.DurationNanos || got.DropFrames != "first" || got.KeepFrames != "" {
		t.Errorf("header: %+v", got)
	}
}

// TestTimeOfMerge is a deliberate difference: pprof lets a profile without a
// time reset that of the ones before it. Ours is the earliest there is.
func TestTimeOfMerge(t *testing.T) {
	var ours []*profile.Profile
	var theirs []*gprofile.Profile
	for _, at := range []int64{100, 0, 500} {
		m := profiletest.Random(1, profiletest.Shape{})
		m.TimeNanos = at
		p := load(t, m)
		ours, theirs = append(ours, p.ours), append(theirs, p.theirs)
	}
	got, err := profile.Merge(ours)
	if err != nil {
		t.Fatal(err)
	}
	want, err := gprofile.Merge(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if got.TimeNanos != 100 {
		t.Errorf("ours: %d, want 100", got.TimeNanos)
	}
	if want.TimeNanos != 500 {
		t.Errorf("pprof's is %d now, not 500: the difference is gone", want.TimeNanos)
	}
}

// TestColumnsInMerge is a deliberate difference from the pprof of Go 1.26: its
// key of a location loses the columns of all lines but the last, so that two
// locations that differ only there become one. Later versions are right.
func TestColumnsInMerge(t *testing.T) {
	m := profiletest.Random(1, profiletest.Shape{})
	m.Locations = m.Locations[:2]
	for i := range m.Locations {
		m.Locations[i] = profiletest.Location{ID: uint64(i + 1), Mapping: 1, Address: 0x400100, Lines: []profiletest.Line{{Function: 1, Line: 7, Column: int64(3 + i)}, {Function: 2, Line: 9, Column: 1}}}
	}
	m.Samples = []profiletest.Sample{{Locations: []uint64{1}, Values: []int64{1, 10}}, {Locations: []uint64{2}, Values: []int64{1, 10}}}
	p := load(t, m)
	if got := profile.Compact(p.ours); got.Samples.Len() != 2 || got.Locations.Len() != 3 {
		t.Errorf("ours: %d samples, %d locations, want 2 and 2", got.Samples.Len(), got.Locations.Len()-1)
	}
	same(t, p.theirs.Compact(), profile.Compact(p.ours))
}

// TestZeroAfterScaling is a deliberate difference: pprof drops a sample when
// the types it scales are zero, although one it does not scale is not.
func TestZeroAfterScaling(t *testing.T) {
	m := profiletest.Random(1, profiletest.Shape{Samples: 2})
	m.Samples[0].Values, m.Samples[1].Values = []int64{4, 0}, []int64{1, 10}
	p := load(t, m)
	got, err := p.ours.ScaleTypes([]float64{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]int64{{4, 1}, {0, 20}}; !slices.EqualFunc(got.Samples.Values, want, slices.Equal) {
		t.Errorf("ours: %v, want %v", got.Samples.Values, want)
	}
	if err := p.theirs.ScaleN([]float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if len(p.theirs.Sample) != 1 {
		t.Errorf("pprof has %d samples now, not 1: the difference is gone", len(p.theirs.Sample))
	}
}

func TestSampleIndex(t *testing.T) {
	p := load(t, profiletest.Random(1, profiletest.Shape{Types: []profiletest.ValueType{{Type: "objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}, {Type: "space", Unit: "bytes"}}}))
	for _, dflt := range []string{"", "alloc_space", "gone"} {
		p.ours.DefaultSampleType, p.theirs.DefaultSampleType = dflt, dflt
		for _, name := range []string{"", "0", "2", "3", "-1", "objects", "inuse_space", "inuse_objects", "alloc_space", "alloc_objects", "nothing", "1x"} {
			want, wantErr := p.theirs.SampleIndexByName(name)
			got, err := p.ours.SampleIndex(name)
			if (err == nil) != (wantErr == nil) || err == nil && got != want {
				t.Errorf("default %q, %q: %d %v, want %d %v", dflt, name, got, err, want, wantErr)
			}
		}
	}
	if _, err := profile.NewEmpty().SampleIndex(""); err == nil {
		t.Error("a profile without types has an index")
	}
}

func BenchmarkMerge(b *testing.B) {
	shape := profiletest.Shape{Samples: 20_000, Functions: 2000, Depth: 60, Labels: true}
	p, q := load(b, profiletest.Random(1, shape)), load(b, profiletest.Random(2, shape))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := profile.Merge([]*profile.Profile{p.ours, q.ours}); err != nil {
			b.Fatal(err)
		}
	}
}
