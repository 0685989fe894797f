package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// The parity test runs profound and go tool pprof with the same arguments and
// compares what they print, byte for byte.

// differences are the deliberate ones. A case they match is not compared.
var differences = []struct {
	why   string
	match func(c parityCase) bool
}{
	{"goroutine, heap and mutex texts keep the symbols they have, debug=2 is read at all", func(c parityCase) bool {
		return c.mentions("_debug1", "_debug2", "jemalloc")
	}},
	{"symbolizing finds inlined calls and where functions start", func(c parityCase) bool { return c.mentions("-symbolize=force", "-symbolize=local:force") }},
	{"sources are found in GOROOT and the module cache", func(c parityCase) bool { return c.mentions("-list=") && c.mentions("default.pgo") }},
	{"a tag range may have a decimal point, pprof takes 1.5kb: for a regular expression", func(c parityCase) bool {
		return slices.ContainsFunc(c.args, regexp.MustCompile(`^-tag(focus|ignore)=.*\d\.\d`).MatchString)
	}},
	{"options after a source are options, pprof takes them for sources", func(c parityCase) bool {
		source := false
		for _, a := range c.args {
			if source && strings.HasPrefix(a, "-") {
				return true
			}
			source = source || !strings.HasPrefix(a, "-")
		}
		return false
	}},
}

// optionLines are run on every profile.
var optionLines = []string{
	"-top", "-top -cum", "-text -nodecount=15", "-tree", "-tree -nodecount=20 -cum", "-traces", "-tags", "-raw", "-comments",
	"-topproto", "-proto", "-dot", "-dot -nodecount=30", "-callgrind",
	"-top -lines", "-top -files", "-top -filefunctions", "-top -addresses", "-tree -lines",
	"-peek=.*alloc.*", "-top -focus=runtime", "-top -ignore=runtime", "-top -hide=runtime", "-top -show=main|runtime",
	"-top -show_from=main", "-top -prune_from=runtime", "-top -noinlines", "-top -nodefraction=0.01 -edgefraction=0.01",
	"-top -trim=false -nodecount=40", "-top -unit=kb", "-top -unit=ms", "-top -divide_by=3", "-top -mean",
	"-top -sample_index=0", "-top -relative_percentages -focus=runtime", "-tree -call_tree", "-dot -call_tree -nodecount=25",
	"-top -compact_labels=false", "-dot -lines -nodecount=20", "-top -inuse_objects", "-top -alloc_space", "-top -alloc_objects",
	"-top -inuse_space", "-top -contentions", "-top -tagfocus=.*", "-tree -tagroot=key", "-top -tagleaf=key", "-dot -sample_index=0",
	"-top -diff_base={self}", "-top -base={self}", "-tree -granularity=files", "-dot -granularity=files", "-traces -lines", "-top -symbolize=none",
	"-top -drop_negative -diff_base={self}", "-top -normalize -base={self}", "-dot -diff_base={self}",
}

// moreLines are run on the small profiles besides.
var moreLines = []string{
	"-dot -addresses", "-dot -files -nodecount=10", "-dot -call_tree -lines", "-tree -addresses -nodecount=12", "-tree -files",
	"-callgrind -call_tree", "-callgrind -lines", "-callgrind -focus=a", "-traces -addresses", "-traces -files -unit=us", "-traces -showcolumns -lines", "-raw -focus=a", "-raw -noinlines",
	"-top -lines -showcolumns", "-top -unit=auto", "-top -unit=B", "-top -unit=s", "-top -unit=nonsense", "-tags -unit=mb", "-tags -sample_index=0", "-tags -mean",
	"-top -mean_delay", "-top -total_delay", "-top -inuse_space -alloc_space", "-top -mean -cum -sample_index=1", "-tree -mean", "-dot -mean",
	"-tags -tagfocus=endpoint=/cart", "-tags -tagignore=worker", "-top -tagfocus=bytes=1kb:", "-top -tagfocus=:64kb", "-top -tagfocus=16b:1mb", "-top -tagignore=wait=30ms", "-top -tagfocus=/cart,worker",
	"-top -tagfocus=nothing_like_it", "-tags -tagshow=end", "-tags -taghide=end", "-traces -tagshow=thread|bytes", "-traces -taghide=.", "-proto -tagshow=end", "-proto -focus=a -tagfocus=.",
	"-top -tagroot=endpoint", "-tree -tagroot=endpoint,thread", "-top -tagleaf=wait,bytes", "-dot -tagroot=thread -tagleaf=endpoint", "-traces -tagleaf=bytes -unit=kb", "-proto -tagroot=endpoint", "-top -tagroot=queue", "-tree -tagroot=tenant -nodecount=9",
	"-peek=.", "-peek=Do1 -lines", "-peek=nothing_like_it", "-list=nothing_like_it", "-disasm=nothing_like_it", "-peek=main -focus=runtime", "-peek=. -noinlines -cum",
	"-top -focus=Do1.*|main -ignore=Do2 -hide=T3 -show_from=.", "-tree -show=Do", "-dot -hide=Do[0-4]", "-raw -hide=Do", "-traces -prune_from=T1", "-top -focus=/src/shop/pkg1", "-top -focus=libc", "-top -hide=libc", "-traces -show_from=libc", "-top -show=vdso",
	"-top -focus=(", "-top -tagfocus=(", "-top -tagshow=(", "-top -nodecount=x", "-top -unknown_flag", "-top -sample_index=99", "-top -sample_index=nothing", "-top -divide_by=0", "-top -normalize", "-top -tree", "-top -flat -cum", "-top -lines -files", "-top -granularity=nothing", "-top -base={self} -diff_base={self}", "-top -http=:0", "-top -no_browser",
	"-top -trim=false", "-dot -trim=false", "-tree -nodefraction=0.1", "-tree -edgefraction=0.2", "-dot -nodefraction=0 -edgefraction=0 -nodecount=0", "-dot -nodecount=5", "-dot -nodecount=1", "-text -nodecount=3 -cum", "-topproto -nodecount=5", "-topproto -lines", "-top -compact_labels", "-tree -compact_labels -cum",
	"-top -add_comment=hello", "-comments -add_comment=hello", "-top -buildid=abc", "-raw -divide_by=2", "-proto -divide_by=2", "-proto -sample_index=0", "-proto -divide_by=0.5 -lines",
	"-dot -focus=a -ignore=b", "-dot -relative_percentages -focus=Do1", "-top -source_path=/src", "-top -trim_path=/src/shop -lines", "-dot -trim_path=/src -files", "-top -source_path=/nowhere/shop -lines", "-top -drop_negative", "-tree -drop_negative", "-dot -drop_negative",
	"-dot -unit=ms", "-dot -divide_by=1000", "-tree -divide_by=7.5", "-traces -divide_by=10", "-tags -divide_by=2", "-dot -compact_labels", "-dot -cum", "-traces -mean", "-proto -mean", "-raw -mean",
	"-topproto -diff_base={self}", "-proto -base={self}", "-proto -diff_base={self}", "-raw -diff_base={self}", "-tags -diff_base={self}", "-traces -diff_base={self}", "-tree -normalize -diff_base={self}",
}

// pairLines are run on pairs of profiles of one kind.
var pairLines = []string{
	"-top {a} {b}", "-raw {a} {b}", "-proto {a} {b}", "-dot -nodecount=20 {a} {b}", "-traces {a} {b}", "-raw {b} {a} {b}", "-tags {a} {b}", "-comments {a} {b}",
	"-top -base={a} {b}", "-top -diff_base={a} {b}", "-top -diff_base={b} {a}", "-raw -base={a} {b}", "-raw -diff_base={a} {b}", "-proto -diff_base={a} {b}", "-proto -base={a} {b}",
	"-dot -diff_base={a} {b}", "-dot -base={a} -nodecount=20 {b}", "-tree -diff_base={a} {b}", "-tree -cum -base={a} {b}", "-peek=. -diff_base={a} {b}", "-traces -base={a} {b}", "-tags -diff_base={a} {b}",
	"-top -normalize -base={a} {b}", "-top -normalize -diff_base={a} {b}", "-raw -normalize -base={a} {b}", "-top -drop_negative -base={a} {b}", "-dot -drop_negative -diff_base={a} {b}",
	"-top -diff_base={a} -focus=main|Do1 {b}", "-top -diff_base={a} -relative_percentages -ignore=runtime {b}", "-top -mean -diff_base={a} {b}", "-top -lines -diff_base={a} -cum {b}", "-callgrind -base={a} {b}", "-topproto -diff_base={a} {b}", "-top -sample_index=0 -base={a} {b}", "-dot -call_tree -diff_base={a} {b}",
}

// sample keeps about one of n cases, always the same ones.
func sample(cases []parityCase, n int, seed uint64) []parityCase {
	if n <= 1 {
		return cases
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var out []parityCase
	for _, c := range cases {
		if r.IntN(n) == 0 {
			out = append(out, c)
		}
	}
	return out
}

// thin is how much of a test is left out: about one case of n is run.
func thin(short, full int) int {
	if testing.Short() {
		return short
	}
	return full
}

func linesFor(lines []string, file string) []parityCase {
	var out []parityCase
	for _, l := range lines {
		out = append(out, newCase(l, map[string]string{"self": file}, file))
	}
	return out
}

// workload runs the program in testdata and returns its binary and the
// directory of its profiles.
func (p *parity) workload(t *testing.T) (binary, dir string) {
	t.Helper()
	binary = filepath.Join(p.dir, "workload")
	if out, err := exec.Command("go", "build", "-o", binary, "./testdata/workload").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	dir = filepath.Join(p.dir, "profiles")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(binary, dir).CombinedOutput(); err != nil {
		t.Fatalf("workload: %v\n%s", err, out)
	}
	return binary, dir
}

// shapes are the synthetic profiles.
var shapes = map[string]profiletest.Shape{
	"plain":    {},
	"labels":   {Labels: true, Inlines: true},
	"negative": {Labels: true, Inlines: true, Negative: true, Zeros: true},
	"bare":     {Bare: true, Numbering: profiletest.Sparse},
	"odd":      {Odd: true, Inlines: true, Labels: true, Zeros: true, Numbering: profiletest.Huge},
	"heap": {Labels: true, Zeros: true, Functions: 60, Samples: 300, Depth: 30, Types: []profiletest.ValueType{
		{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"}, {Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"}}},
	"delay": {Inlines: true, Functions: 90, Samples: 500, Depth: 40, Types: []profiletest.ValueType{{Type: "contentions", Unit: "count"}, {Type: "delay", Unit: "nanoseconds"}}},
}

func (p *parity) synthetic(t *testing.T, seed uint64) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, s := range shapes {
		path := filepath.Join(p.dir, fmt.Sprintf("%s-%d.pb", name, seed))
		if err := os.WriteFile(path, profiletest.Random(seed, s).Bytes(profiletest.Wire{}), 0o666); err != nil {
			t.Fatal(err)
		}
		files[name] = path
	}
	return files
}

func sortedValues(m map[string]string) []string {
	var keys, out []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		out = append(out, m[k])
	}
	return out
}

// TestParity is the whole test. With -short it runs a few cases of each part.
func TestParity(t *testing.T) {
	p := newParity(t)
	t.Run("runtime profiles", p.testRuntimeProfiles)
	t.Run("synthetic profiles", p.testSynthetic)
	t.Run("compiler profile", p.testCompilerProfile)
	t.Run("corpus", p.testCorpus)
	t.Run("random options", p.testRandom)
	t.Run("errors", p.testErrors)
	t.Run("output", p.testOutput)
}

func (p *parity) testRuntimeProfiles(t *testing.T) {
	binary, dir := p.workload(t)
	names := []string{"cpu", "heap", "allocs", "goroutine", "block", "mutex", "threadcreate", "open_handles"}
	var cases []parityCase
	for i, name := range names {
		file := filepath.Join(dir, name+".pb.gz")
		some := sample(append(linesFor(optionLines, file), linesFor(moreLines, file)...), thin(20, 2), uint64(i))
		cases = append(cases, some...)
	}
	files := map[string]string{"a": filepath.Join(dir, "heap1.pb.gz"), "b": filepath.Join(dir, "heap.pb.gz"), "bin": binary, "cpu": filepath.Join(dir, "cpu.pb.gz"), "goroutine": filepath.Join(dir, "goroutine.pb.gz")}
	for _, l := range every(pairLines, thin(8, 1)) {
		cases = append(cases, newCase(l, files))
	}
	for _, l := range []string{
		"-list=shop {b}", "-list=main {cpu}", "-list=burn|fib -cum {cpu}", "-list=fib -unit=ms {cpu}", "-list=add -diff_base={a} {b}", "-list=sort {cpu}", "-list=main.sum {cpu}", "-list=main -noinlines {cpu}",
		"-list=. -focus=burn {cpu}", "-list=main -source_path=/nowhere {cpu}", "-list=main -trim_path=/nowhere {cpu}", "-list=park {goroutine}",
		"-disasm=burn {cpu}", "-disasm=fib {bin} {cpu}", "-disasm=main {b}", "-disasm=shop.*add {b}", "-disasm=insertionSort {cpu}", "-disasm=burn -divide_by=2 {cpu}", "-disasm=main -focus=fib {cpu}",
		"-peek=burn {cpu}", "-peek=fib|add {b}", "-top {bin} {cpu}", "-raw {bin} {b}", "-top -symbolize=force {bin} {cpu}", "-raw -symbolize=force {b}", "-tree -symbolize=local:force {cpu}", "-top -symbolize=none {bin} {cpu}",
		"-raw -symbolize=force:demangle=none {cpu}", "-top {a} {goroutine}", "-top -base={cpu} {b}", "-top -buildid=abc {bin} {cpu}", "-raw {bin} {a} {b}",
	} {
		cases = append(cases, newCase(l, files))
	}
	p.run(t, cases)
}

// every keeps each nth line.
func every(lines []string, n int) []string {
	var out []string
	for i, l := range lines {
		if i%n == 0 {
			out = append(out, l)
		}
	}
	return out
}

func (p *parity) testSynthetic(t *testing.T) {
	files := p.synthetic(t, 1)
	var cases []parityCase
	for i, file := range sortedValues(files) {
		cases = append(cases, sample(append(linesFor(optionLines, file), linesFor(moreLines, file)...), thin(16, 1), uint64(i))...)
	}
	others := p.synthetic(t, 2)
	for i, name := range []string{"negative", "odd", "heap", "delay", "bare", "labels"} {
		pair := map[string]string{"a": files[name], "b": others[name]}
		var some []parityCase
		for _, l := range pairLines {
			some = append(some, newCase(l, pair))
		}
		cases = append(cases, sample(some, thin(10, 1), uint64(100+i))...)
	}
	p.run(t, cases)
}

func (p *parity) testCompilerProfile(t *testing.T) {
	file := filepath.Join(goEnv(t, "GOROOT"), "src/cmd/compile/default.pgo")
	if _, err := os.Stat(file); err != nil {
		t.Skip(err)
	}
	cases := linesFor(optionLines, file)
	for _, l := range []string{"-disasm=gcDrain", "-peek=ssa\\.Compile", "-dot -call_tree", "-tree -cum -nodecount=60", "-callgrind -call_tree"} {
		cases = append(cases, newCase(l, nil, file))
	}
	p.run(t, sample(cases, thin(6, 1), 1))
}

// testCorpus runs over real profiles of many producers, where a
// checkout has them beside it.
func (p *parity) testCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/corpus/*")
	if len(files) == 0 {
		t.Skip("no corpus")
	}
	var cases []parityCase
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.IsDir() || filepath.Ext(file) == ".tsv" {
			continue
		}
		// The larger a file, the fewer cases; which ones differs by file.
		n := thin(30, 8)
		if info.Size() > 100_000 {
			n = thin(60, 20)
		}
		cases = append(cases, sample(append(linesFor(optionLines, file), linesFor(moreLines, file)...), n, uint64(i))...)
	}
	p.run(t, cases)
}

// testRandom draws combinations of options.
func (p *parity) testRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	formats := []string{"-top", "-tree", "-dot", "-traces", "-tags", "-raw", "-callgrind", "-peek=Do|main", "-proto", "-topproto", "-text"}
	options := []func() string{
		func() string { return pick("-cum", "-flat") },
		func() string { return pick("-lines", "-files", "-functions", "-filefunctions", "-addresses") },
		func() string {
			return pick("-focus=", "-ignore=", "-hide=", "-show=", "-show_from=", "-prune_from=") + pick("Do1", "Do2.*", "T[03]", "mallocgc", "libc", "/src/shop", "pkg1|pkg2", "^example", "nothing")
		},
		func() string {
			return pick("-tagfocus=", "-tagignore=") + pick("endpoint=cart", "worker-1", "bytes=64b:4kb", "bytes=:1kb", "1kb:", "request=100:", "endpoint:/cart,thread:worker", "wait=20ms")
		},
		func() string { return pick("-tagshow=", "-taghide=") + pick("bytes", "e", "thread|wait") },
		func() string {
			return pick("-tagroot=", "-tagleaf=") + pick("endpoint", "thread", "bytes", "wait,thread")
		},
		func() string { return fmt.Sprintf("-nodecount=%d", r.IntN(30)) },
		func() string { return fmt.Sprintf("-nodefraction=%.3f", r.Float64()/10) },
		func() string { return fmt.Sprintf("-edgefraction=%.3f", r.Float64()/20) },
		func() string {
			return pick("-call_tree", "-noinlines", "-showcolumns", "-mean", "-drop_negative", "-compact_labels", "-relative_percentages", "-trim=false")
		},
		func() string { return pick("-unit=", "-unit=") + pick("ms", "auto", "kb", "minimum", "s", "us") },
		func() string { return pick("-sample_index=0", "-sample_index=1", "-divide_by=2", "-divide_by=0.3") },
		func() string { return pick("-base=", "-diff_base=") + "{other}" },
	}
	one, two := p.synthetic(t, 11), p.synthetic(t, 12)
	names := []string{"plain", "labels", "negative", "bare", "odd", "heap", "delay"}
	var cases []parityCase
	for range thin(40, 800) {
		name := names[r.IntN(len(names))]
		line := formats[r.IntN(len(formats))]
		used := map[int]bool{}
		for range 1 + r.IntN(4) {
			if i := r.IntN(len(options)); !used[i] {
				used[i] = true
				line += " " + options[i]()
			}
		}
		cases = append(cases, newCase(line, map[string]string{"other": two[name]}, one[name]))
	}
	p.run(t, cases)
}

// testErrors compares exit codes and that nothing but the report is
// written to standard output.
func (p *parity) testErrors(t *testing.T) {
	good := p.synthetic(t, 3)["plain"]
	bad := func(name, content string) string {
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	html := bad("page.html", "<!DOCTYPE html><html><body>404 not found</body></html>")
	empty := bad("empty", "")
	cut := bad("cut.pb", string(whole[:len(whole)/2]))
	zip := bad("cut.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x12")
	var cases []parityCase
	for _, src := range []string{html, empty, cut, zip, filepath.Join(p.dir, "absent"), p.dir + "/"} {
		for _, l := range []string{"-top", "-proto", "-raw"} {
			cases = append(cases, newCase(l, nil, src), newCase(l, nil, src, good), newCase(l, nil, good, src))
		}
		cases = append(cases, newCase("-top -base="+src, nil, good), newCase("-top -diff_base="+src, nil, good))
	}
	for _, c := range cases {
		if slices.Contains(c.args, p.dir+"/") {
			continue // a directory is a source here
		}
		want, got := runProgram(p.env, p.theirs, c.args...), runProgram(p.env, p.ours, c.args...)
		if want.code != got.code || c.args[0] == "-top" && !bytes.Equal(want.stdout, got.stdout) {
			t.Errorf("%v: code %d, pprof %d: %s %s", c, got.code, want.code, firstLine(got.stderr), firstLine(want.stderr))
		}
		if got.code != 0 && len(got.stdout) > 0 {
			t.Errorf("%v: output after an error: %.80q", c, got.stdout)
		}
	}
}

// testOutput compares what -output writes.
func (p *parity) testOutput(t *testing.T) {
	src := p.synthetic(t, 4)["labels"]
	for _, format := range []string{"-top", "-dot", "-proto", "-traces"} {
		var files [2][]byte
		for i, prog := range []string{p.theirs, p.ours} {
			path := filepath.Join(p.dir, fmt.Sprint("out", i))
			got := runProgram(p.env, prog, format, "-output="+path, src)
			if got.code != 0 || len(got.stdout) != 0 || !strings.Contains(string(got.stderr), "Generating report in "+path) {
				t.Errorf("%s %s: code %d, stdout %q, stderr %q", prog, format, got.code, got.stdout, got.stderr)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[i] = b
		}
		fail := ""
		if format == "-proto" {
			fail = compareProfiles(files[0], files[1])
		} else if !bytes.Equal(files[0], files[1]) {
			fail = firstDifference(files[0], files[1])
		}
		if fail != "" {
			t.Errorf("%s: %s", format, fail)
		}
	}
}
