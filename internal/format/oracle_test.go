package format_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	oracle "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
)

// corpusFile is the content of a file of the corpus that lies beside the
// repository on developers' machines; the test is skipped where it does not.
func corpusFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repositoryRoot(t), "..", "shared", "corpus", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no corpus file %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func repositoryRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// toOracle copies a columnar profile into the shape of the pprof library,
// row by row and with the same numbers.
func toOracle(p *profile.Profile) *oracle.Profile {
	vt := func(v profile.ValueType) *oracle.ValueType { return &oracle.ValueType{Type: v.Type, Unit: v.Unit} }
	q := &oracle.Profile{
		PeriodType: vt(p.PeriodType), Period: p.Period, TimeNanos: p.TimeNanos, DurationNanos: p.DurationNanos,
		DropFrames: p.DropFrames, KeepFrames: p.KeepFrames, Comments: p.Comments, DefaultSampleType: p.DefaultSampleType,
	}
	for _, t := range p.SampleTypes {
		q.SampleType = append(q.SampleType, vt(t))
	}
	for _, m := range p.Mappings[1:] {
		q.Mapping = append(q.Mapping, &oracle.Mapping{
			ID: m.ID, Start: m.Start, Limit: m.Limit, Offset: m.Offset, File: m.File, BuildID: m.BuildID,
			HasFunctions: m.HasFunctions, HasFilenames: m.HasFilenames, HasLineNumbers: m.HasLineNumbers, HasInlineFrames: m.HasInlineFrames,
		})
	}
	for i := 1; i < p.Functions.Len(); i++ {
		id := profile.FunctionID(i)
		q.Function = append(q.Function, &oracle.Function{
			ID: p.Functions.Number(id), Name: p.FunctionName(id), SystemName: p.Str(p.Functions.SystemName[i]),
			Filename: p.FunctionFile(id), StartLine: p.Functions.StartLine[i],
		})
	}
	for i := 1; i < p.Locations.Len(); i++ {
		id := profile.LocationID(i)
		l := &oracle.Location{ID: p.Locations.Number(id), Address: p.Locations.Address[i], IsFolded: p.Locations.IsFolded(id)}
		if m := p.Locations.Mapping[i]; m != 0 {
			l.Mapping = q.Mapping[m-1]
		}
		for _, ln := range p.Locations.LinesOf(id) {
			l.Line = append(l.Line, oracle.Line{Function: q.Function[ln.Function-1], Line: ln.Line, Column: ln.Column})
		}
		q.Location = append(q.Location, l)
	}
	for i := range p.Samples.Len() {
		s := &oracle.Sample{}
		for _, l := range p.Stacks.Of(p.Samples.Stack[i]) {
			s.Location = append(s.Location, q.Location[l-1])
		}
		for _, v := range p.Samples.Values {
			s.Value = append(s.Value, v[i])
		}
		for _, l := range p.LabelSets.Of(p.Samples.Labels[i]) {
			key := p.Str(l.Key)
			if l.Str != 0 {
				if s.Label == nil {
					s.Label = map[string][]string{}
				}
				s.Label[key] = append(s.Label[key], p.Str(l.Str))
				continue
			}
			if s.NumLabel == nil {
				s.NumLabel = map[string][]int64{}
				s.NumUnit = map[string][]string{}
			}
			s.NumLabel[key] = append(s.NumLabel[key], l.Num)
			if u := p.Str(l.Unit); u != "" {
				s.NumUnit[key] = append(s.NumUnit[key], u)
			}
		}
		q.Sample = append(q.Sample, s)
	}
	return q
}

// dropSymbols takes away what pprof does not read from a debug=1 text.
func dropSymbols(q *oracle.Profile) {
	for _, l := range q.Location {
		l.Line = nil
	}
	for _, m := range q.Mapping {
		m.HasFunctions, m.HasFilenames, m.HasLineNumbers = false, false, false
	}
	for _, s := range q.Sample {
		s.Label = nil
	}
	q.Function = nil
}

// compareWithOracle decodes data with pprof and with us and compares the text
// dump, which shows every field but the frame expressions, and those.
func compareWithOracle(t *testing.T, data []byte, want format.Kind, symbols bool) {
	t.Helper()
	o, err := oracle.ParseData(data)
	if err != nil {
		t.Fatalf("pprof: %v", err)
	}
	p, kind, err := format.Decode(bytes.NewReader(data), "", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if kind != want {
		t.Errorf("kind %q, want %q", kind, want)
	}
	q := toOracle(p)
	if symbols {
		if len(q.Function) == 0 {
			t.Error("no symbols were read")
		}
		dropSymbols(q)
	}
	if got, want := q.String(), o.String(); got != want {
		t.Errorf("differs from pprof at %s", firstDifference(got, want))
	}
	if q.DropFrames != o.DropFrames || q.KeepFrames != o.KeepFrames {
		t.Errorf("frame expressions:\n got %s | %s\nwant %s | %s", q.DropFrames, q.KeepFrames, o.DropFrames, o.KeepFrames)
	}
	if err := q.CheckValid(); err != nil {
		t.Error(err)
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "\n got " + a + "\nwant " + b
		}
	}
	return "no line"
}

func TestCorpusAgainstOracle(t *testing.T) {
	for _, tt := range []struct {
		file    string
		kind    format.Kind
		symbols bool
	}{
		{"legacy_cppbench.cpu", format.KindCPU, false},
		{"legacy_go.crc32.cpu", format.KindCPU, false},
		{"legacy_java.cpu", format.KindCPU, false},
		{"pprof_driver_cppbench.cpu", format.KindCPU, false},
		{"legacy_cppbench.heap", format.KindHeap, false},
		{"gen_heap_debug1.txt", format.KindHeap, true},
		{"legacy_go.godoc.thread", format.KindGoCount, false},
		{"gen_goroutine_debug1.txt", format.KindGoCount, true},
		{"go_goroutine_debug1.txt", format.KindGoCount, true},
		{"legacy_cppbench.thread.all", format.KindThread, false},
		{"legacy_cppbench.thread.none", format.KindThread, false},
		{"legacy_cppbench.contention", format.KindContention, false},
		{"gen_mutex_debug1.txt", format.KindContention, true},
		{"legacy_java.contention", format.KindJava, false},
		{"gen_cpu_labels.pb.gz", format.KindProto, false},
		{"go_cpu_labels.pb", format.KindProto, false},
	} {
		t.Run(tt.file, func(t *testing.T) {
			compareWithOracle(t, corpusFile(t, tt.file), tt.kind, tt.symbols)
		})
	}
}

// TestWholeCorpus checks that what pprof reads is read here too, and alike.
func TestWholeCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repositoryRoot(t), "..", "shared", "corpus", "*"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpus")
	}
	for _, f := range files {
		name := filepath.Base(f)
		if strings.HasSuffix(name, ".tsv") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			data := corpusFile(t, name)
			o, oracleErr := oracle.ParseData(data)
			p, kind, err := format.Decode(bytes.NewReader(data), name, format.Options{SizeHint: int64(len(data))})
			if (err != nil) != (oracleErr != nil) {
				t.Fatalf("kind %q, error %v, pprof's %v", kind, err, oracleErr)
			}
			if err != nil {
				return
			}
			q := toOracle(p)
			if strings.Contains(name, "debug1") {
				dropSymbols(q)
			}
			if got, want := q.String(), o.String(); got != want {
				t.Errorf("differs from pprof at %s", firstDifference(got, want))
			}
		})
	}
}
