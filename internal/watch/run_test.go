package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
)

// look is a look of a run in brief.
type look struct {
	target                  string
	second                  float64 // since the first
	heap, goroutine, leaked bool
	fresh                   bool
	count                   float64 // of goroutines, NaN as -1
}

// looks reads all of a run.
func looks(t *testing.T, r *Run) []look {
	t.Helper()
	var all []look
	err := r.Each(t.Context(), func(l leak.Look) error {
		count := -1.0
		if l.Gauges.Has(leak.GoroutineCount) {
			count = l.Gauges[leak.GoroutineCount]
		}
		all = append(all, look{l.Target, l.At.Sub(r.From).Seconds(), l.Heap != nil, l.Goroutine != nil, l.Leaked != nil, l.Fresh, count})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSaveAndOpen(t *testing.T) {
	c := newClock()
	dir := filepath.Join(t.TempDir(), "run")
	s := &service{leaked: true, vars: `{"memstats":{"HeapAlloc":7}}`}
	target := connect(t, s.start(t, c).URL, options(t, c))
	for range 2 { // the second goes on where the first ended
		if err := SaveTo(dir, target); err != nil {
			t.Fatal(err)
		}
		if _, err := Collect(t.Context(), []*Target{target}, Plan{For: 2 * time.Second}); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Second)
	}
	r, err := Open(t.Context(), []string{dir}, options(t, c))
	if err != nil || len(r.Warnings) > 0 || r.Looks != 6 || len(r.Targets) != 1 || r.To.Sub(r.From) != 5*time.Second {
		t.Fatalf("%+v, %v", r, err)
	}
	want := look{target.Name(), 0, true, true, true, true, 17}
	got := looks(t, r)
	for i, l := range got {
		want.second, want.leaked = float64(i), i%3 != 1
		if l != want {
			t.Errorf("look %d: %+v, want %+v", i, l, want)
		}
	}
	r.Each(t.Context(), func(l leak.Look) error {
		if l.Gauges[leak.HeapAlloc] != 7 {
			t.Errorf("gauges %v", l.Gauges)
		}
		return nil
	})
	stop := errors.New("stop")
	if err := r.Each(t.Context(), func(leak.Look) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "heap-0005.pb.gz")); err != nil {
		t.Error(err)
	}
}

func TestSaveReplicas(t *testing.T) {
	dir := t.TempDir()
	var targets []*Target
	for range 2 {
		c := newClock()
		targets = append(targets, connect(t, (&service{}).start(t, c).URL, options(t, c)))
	}
	if err := SaveTo(dir, targets...); err != nil {
		t.Fatal(err)
	}
	if _, err := Collect(t.Context(), targets, Plan{For: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), []string{dir}, targets[0].opt)
	if err != nil || len(r.Warnings) > 0 || r.Looks != 6 || len(r.Targets) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := SaveTo(filepath.Join(write(t, dir, "file", nil), "x"), targets...); err == nil {
		t.Error("a file in the place of the folder")
	}
}

func TestOpenSaved(t *testing.T) {
	dir := t.TempDir()
	at := time.Unix(1_700_000_000, 0)
	write(t, dir, "run/heap-0000.pb.gz", heapBytes(t, "x", at, 1000))
	write(t, dir, "run/heap-0001.pb.gz", heapBytes(t, "x", at, 2000))
	write(t, dir, "outside.pb.gz", heapBytes(t, "x", at, 2000))
	write(t, dir, "run/process.jsonl", []byte(`{"schema":"leak-run/1","time":"2026-01-02T03:04:05Z","target":"host:1"}
{"time":"2026-01-02T03:04:05Z","heap":"heap-0000.pb.gz","fresh":true,"gauges":{"resident":5,"future":1,"sys":"x"}}
not json
{"time":"2026-01-02T03:04:07Z","heap":"../outside.pb.gz"}
{"time":"2026-01-02T03:04:08Z","heap":"heap-0009.pb.gz","gauges":{"resident":6}}
{"time":"2026-01-02T03:04:06Z","heap":"heap-0001.pb.gz"}
`))
	r, err := Open(t.Context(), []string{filepath.Join(dir, "run")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(looks(t, r))
	want := fmt.Sprint([]look{
		{"host:1", 0, true, false, false, true, -1}, {"host:1", 2, false, false, false, false, -1},
		{"host:1", 3, false, false, false, false, -1}, {"host:1", 4, true, false, false, false, -1}, // as far behind as the one before
	})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i, want := range []string{"process.jsonl:3: passed over", "not in this folder", "heap-0009.pb.gz, which is not there", "process.jsonl:6: the clock was set back by 2s"} {
		if i >= len(r.Warnings) || !strings.Contains(r.Warnings[i].Error(), want) {
			t.Errorf("warning %d: want %q in %v", i, want, r.Warnings)
		}
	}
	write(t, dir, "run/process.jsonl", []byte(`{"schema":"leak-run/2"}`))
	if _, err := Open(t.Context(), []string{filepath.Join(dir, "run")}, Options{}); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Error(err)
	}
}

func TestOpenFiles(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	at := func(second float64) time.Time { return start.Add(time.Duration(second * float64(time.Second))) }
	files := map[string][]byte{
		// Not in the order of their names, and goroutines now before, now after.
		"a/3.pb.gz": heapBytes(t, "x", at(0), 1000), "a/2.pb.gz": heapBytes(t, "x", at(10), 2000), "a/1.pb.gz": heapBytes(t, "x", at(20), 3000),
		"a/g1": countBytes(t, "goroutine", at(0.2), 5), "a/g2": countBytes(t, "goroutine", at(9.9), 6), "a/g3": countBytes(t, "goroutine", at(27), 7),
		"a/l1":        countBytes(t, "goroutineleak", at(10.1), 1),
		"a/cpu.pb.gz": countBytes(t, "samples", at(5), 1), "a/notes.txt": []byte("nothing to see here"), "a/.hidden": []byte("x"), "a/empty": nil,
		"b/1.pb.gz": heapBytes(t, "x", at(0), 1000), "b/2.pb.gz": heapBytes(t, "x", at(11), 1000),
		"old/heap.pb.gz": heapBytes(t, "x", at(0), 1000), "new/heap.pb.gz": heapBytes(t, "x", at(60), 1000),
		"c/heap1.pb.gz": heapBytes(t, "x", time.Time{}, 1), "c/heap2.pb.gz": heapBytes(t, "x", time.Time{}, 1),
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, data := range files {
		write(t, dir, name, data)
	}
	if err := errors.Join(os.Chtimes("c/heap1.pb.gz", at(0), at(0)), os.Chtimes("c/heap2.pb.gz", at(9), at(9))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		specs    []string
		want     []look
		warnings []string
	}{
		{
			"a folder", []string{"a"},
			[]look{{"a", 0, true, true, false, false, 5}, {"a", 10, true, true, true, false, 6}, {"a", 20, true, false, false, false, -1}, {"a", 27, false, true, false, false, 7}},
			[]string{"a" + string(filepath.Separator) + "empty: empty input file", "notes.txt: unrecognized profile format", "1 file passed over: neither heap nor goroutine profiles, the first is a" + string(filepath.Separator) + "cpu.pb.gz"},
		},
		{
			"a pattern", []string{"a/?.pb.gz"},
			[]look{{"", 0, true, false, false, false, -1}, {"", 10, true, false, false, false, -1}, {"", 20, true, false, false, false, -1}}, nil,
		},
		{"two files", []string{"new/heap.pb.gz", "old/heap.pb.gz"}, []look{{"", 0, true, false, false, false, -1}, {"", 60, true, false, false, false, -1}}, nil},
		{
			"two folders", []string{"b", "a"},
			[]look{{"b", 0, true, false, false, false, -1}, {"a", 0, true, true, false, false, 5}, {"a", 10, true, true, true, false, 6}, {"b", 11, true, false, false, false, -1}, {"a", 20, true, false, false, false, -1}, {"a", 27, false, true, false, false, 7}},
			[]string{"empty", "notes", "cpu"},
		},
		{
			"a pattern over folders with a series each", []string{"[ab]/?.pb.gz"},
			[]look{{"a", 0, true, false, false, false, -1}, {"b", 0, true, false, false, false, -1}, {"a", 10, true, false, false, false, -1}, {"b", 11, true, false, false, false, -1}, {"a", 20, true, false, false, false, -1}},
			nil,
		},
		{"no times inside", []string{"c"}, []look{{"c", 0, true, false, false, false, -1}, {"c", 9, true, false, false, false, -1}}, []string{"2 files without a time inside"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Open(t.Context(), tt.specs, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(looks(t, r)); got != fmt.Sprint(tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
			for i, want := range tt.warnings {
				if i >= len(r.Warnings) || !strings.Contains(r.Warnings[i].Error(), want) {
					t.Errorf("warning %d: want %q in %v", i, want, r.Warnings)
				}
			}
			if len(r.Warnings) != len(tt.warnings) {
				t.Errorf("warnings %v", r.Warnings)
			}
		})
	}
	for _, tt := range []struct {
		spec, want string
		one        bool
	}{
		{"old/heap.pb.gz", "there is only one look", true},
		{"a/notes.txt", "unrecognized profile format", true},
		{"a/cpu.pb.gz", "no heap or goroutine profile", true},
		{"missing", "no such file", false},
	} {
		if _, err := Open(t.Context(), []string{tt.spec}, Options{}); err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, ErrOneLook) != tt.one {
			t.Errorf("%s: %v, want %q", tt.spec, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, []string{"a"}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestOpenRecorded reads series of real services where they are.
func TestOpenRecorded(t *testing.T) {
	dirs, _ := filepath.Glob("../../../shared/recorded/*")
	if len(dirs) == 0 {
		t.Skip("no recorded series beside the repository")
	}
	for _, dir := range dirs {
		r, err := Open(t.Context(), []string{dir}, Options{})
		if err != nil || len(r.Warnings) > 0 {
			t.Errorf("%s: %v %v", dir, err, r.Warnings)
			continue
		}
		for i, l := range looks(t, r) {
			if !l.heap || !l.goroutine {
				t.Errorf("%s: look %d of %d has not both profiles", dir, i, r.Looks)
				break
			}
		}
	}
}

func TestGaugeNames(t *testing.T) {
	seen := map[string]bool{}
	for i, name := range gaugeNames {
		if name == "" || seen[name] {
			t.Errorf("gauge %d has the name %q", i, name)
		}
		seen[name] = true
	}
}

func FuzzSaved(f *testing.F) {
	f.Add([]byte(`{"schema":"leak-run/1","time":"2026-01-02T03:04:05Z","target":"host:1"}` + "\n" + `{"time":"2026-01-02T03:04:05Z","heap":"h","fresh":true,"gauges":{"sys":5}}`))
	f.Add([]byte(`{"waiting":"a/b","trace":"..","traced":1e300}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, processFile), in, 0o644); err != nil {
			t.Fatal(err)
		}
		r := &Run{clues: map[string]storedClues{}}
		if _, err := r.saved(dir); err != nil {
			return
		}
		for _, l := range r.looks {
			for _, path := range l.files {
				if path != "" && filepath.Dir(path) != dir {
					t.Errorf("outside: %s", path)
				}
			}
			if _, err := json.Marshal(gaugesJSON(&l.gauges)); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestClockSetBack: a leak that was kept while the clock was set back is still
// one run, in the order of its lines.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	lines := `{"schema":"leak-run/1","time":"2026-01-02T03:00:00Z","target":"host:1"}` + "\n"
	begin := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	for i := range 60 {
		at, back := begin.Add(time.Duration(i)*10*time.Second), 0
		if i >= 30 {
			back = 3600
			at = at.Add(-time.Hour)
		}
		lines += fmt.Sprintf(`{"time":%q,"gauges":{"descriptors":%d,"start_time":%d}}`+"\n", at.Format(time.RFC3339), 100+i, 1_700_000_000-back)
	}
	write(t, dir, "process.jsonl", []byte(lines))
	r, err := Open(t.Context(), []string{dir}, Options{})
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "process.jsonl:32: the clock was set back by 59m5") || r.To.Sub(r.From) != 590*time.Second {
		t.Fatalf("%v, %v", r.Warnings, err)
	}
	h := leak.NewHistory()
	if err := r.Each(t.Context(), func(l leak.Look) error { return errors.Join(h.Add(l)...) }); err != nil {
		t.Error(err)
	}
	v := leak.Judge(h, leak.Options{})
	if v.Worst() != leak.Leak || v.Restarts != 0 || v.Looks != 60 {
		t.Errorf("class %d, %d restarts, %d looks", v.Worst(), v.Restarts, v.Looks)
	}
}

// TestGarbageInARun: files of a kept run that cannot be read are told, a few
// by name.
func TestGarbageInARun(t *testing.T) {
	dir := t.TempDir()
	lines := `{"schema":"leak-run/1","time":"2026-01-02T03:00:00Z","target":"host:1"}` + "\n"
	for i := range 9 {
		name := fmt.Sprintf("heap-%04d.pb.gz", i)
		write(t, dir, name, []byte("garbage"))
		lines += fmt.Sprintf(`{"time":"2026-01-02T03:00:%02dZ","heap":%q}`+"\n", i, name)
	}
	write(t, dir, "process.jsonl", []byte(lines))
	r, err := Open(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	looks(t, r)
	if len(r.Warnings) != 4 || !strings.Contains(r.Warnings[0].Error(), "heap-0000") || !strings.Contains(r.Warnings[3].Error(), "6 files more cannot be read") {
		t.Errorf("%v", r.Warnings)
	}
}

// TestFolderLikeAPattern: the name of a folder is no pattern: what is there is
// not written over.
func TestFolderLikeAPattern(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run[1]")
	c := newClock()
	target := connect(t, (&service{}).start(t, c).URL, options(t, c))
	for range 2 {
		if err := SaveTo(dir, target); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Look(t.Context(), Ask{}); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Second)
	}
	if _, err := os.Stat(filepath.Join(dir, "heap-0001.pb.gz")); err != nil {
		t.Error(err)
	}
}
