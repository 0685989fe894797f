package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gprofile "github.com/google/pprof/profile"

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
	{"an absent label names its frame where pprof would not know the functions", func(c parityCase) bool {
		return c.mentions("legacy_java.cpu") && c.mentions("-tagroot", "-tagleaf")
	}},
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

// parityCase is one command line.
type parityCase struct {
	args   []string // without {}
	binary bool     // the output is a gzipped profile
}

func newCase(line string, files map[string]string, sources ...string) parityCase {
	var c parityCase
	for _, a := range strings.Fields(line) {
		for k, v := range files {
			a = strings.ReplaceAll(a, "{"+k+"}", v)
		}
		c.args = append(c.args, a)
	}
	c.args = append(c.args, sources...)
	c.binary = slices.Contains(c.args, "-proto") || slices.Contains(c.args, "-topproto")
	return c
}

func (c parityCase) mentions(parts ...string) bool {
	for _, a := range c.args {
		for _, p := range parts {
			if strings.Contains(a, p) {
				return true
			}
		}
	}
	return false
}

func (c parityCase) String() string {
	short := make([]string, len(c.args))
	for i, a := range c.args {
		if at := strings.LastIndex(a, "/"); at >= 0 && !strings.HasPrefix(a, "-") {
			a = a[at+1:]
		}
		short[i] = a
	}
	return strings.Join(short, " ")
}

// parity runs both programs.
type parity struct {
	ours, theirs string
	env          []string
	dir          string
}

func newParity(t *testing.T) *parity {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("pprof prints other paths there")
	}
	theirs, err := exec.Command("go", "tool", "-n", "pprof").Output()
	if err != nil {
		t.Skipf("go tool pprof: %v", err)
	}
	p := &parity{theirs: strings.TrimSpace(string(theirs)), dir: t.TempDir()}
	if _, err := os.Stat(p.theirs); err != nil {
		t.Skipf("go tool pprof: %v", err)
	}
	p.ours = buildSelf(t)
	home := t.TempDir()
	p.env = append(os.Environ(), "HOME="+home, "PPROF_TMPDIR="+home, "NO_COLOR=1", "TERM=dumb", "PPROF_BINARY_PATH=", "GOCACHE="+goEnv(t, "GOCACHE"))
	return p
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

var selfPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "profound-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "profound")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

// buildSelf builds the command once for all tests.
func buildSelf(t *testing.T) string {
	t.Helper()
	path, err := selfPath()
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return path
}

type outcome struct {
	code           int
	stdout, stderr []byte
}

func runProgram(env []string, path string, args ...string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, env
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return outcome{code: -1, stderr: []byte(err.Error())}
	}
	return outcome{cmd.ProcessState.ExitCode(), out.Bytes(), errs.Bytes()}
}

// check compares one case; "" means equal.
func (p *parity) check(c parityCase) string {
	want := runProgram(p.env, p.theirs, c.args...)
	got := runProgram(p.env, p.ours, c.args...)
	switch {
	case want.code != got.code:
		return fmt.Sprintf("exit code %d, pprof's is %d\n\tpprof: %s\n\tours:  %s", got.code, want.code, firstLine(want.stderr), firstLine(got.stderr))
	case want.code != 0:
		return ""
	}
	fail := c.compare(want.stdout, got.stdout)
	if fail == "" {
		return ""
	}
	// pprof is not stable where values tie: ask it again. If it contradicts
	// itself the order does not count; if even what it shows differs, because
	// the tie is where it cuts off, the uncut reports must agree.
	wantLines, gotLines := c.lines(want.stdout), c.lines(got.stdout)
	sameSet := true
	for range 20 {
		again := runProgram(p.env, p.theirs, c.args...).stdout
		if c.compare(again, got.stdout) == "" {
			return ""
		}
		stable := c.compare(again, want.stdout) == ""
		sameSet = sameSet && slices.Equal(c.lines(again), wantLines)
		if !stable && slices.Equal(wantLines, gotLines) {
			return ""
		}
		if !sameSet && !slices.Contains(c.args, uncut[0]) {
			c.args = slices.Concat(uncut, c.args)
			return p.check(c)
		}
	}
	return fail
}

// uncut makes reports complete.
var uncut = []string{"-trim=false", "-nodecount=0"}

// compare compares two reports; "" means equal.
func (c parityCase) compare(want, got []byte) string {
	if c.binary {
		return compareProfiles(want, got)
	}
	if bytes.Equal(want, got) {
		return ""
	}
	return firstDifference(want, got)
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// nodeNumber is what changes in a picture's lines when nodes that tie change
// places.
var nodeNumber = regexp.MustCompile(`\b(N+|node)\d+(_\d+)?\b`)

// runningSum is top's third column, which depends on the rows above.
var runningSum = regexp.MustCompile(`^( *\S+ +\S+%) +\S+%( +\S+ +\S+%  )`)

// lines are the lines of a report without their order and what depends on it.
func (c parityCase) lines(report []byte) []string {
	if c.binary {
		return samplesOf(report)
	}
	text := nodeNumber.ReplaceAllString(string(report), "N")
	if strings.HasPrefix(text, "positions:") {
		text = expandCallgrind(text)
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = runningSum.ReplaceAllString(l, "$1$2")
	}
	slices.Sort(lines)
	return lines
}

// samplesOf lists the samples of an encoded profile with their frames.
func samplesOf(data []byte) []string {
	p, err := gprofile.ParseData(data)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, s := range p.Sample {
		text := fmt.Sprint(s.Value, s.Label, s.NumLabel, s.NumUnit)
		for _, l := range s.Location {
			text += fmt.Sprintf(" %x", l.Address)
			for _, ln := range l.Line {
				text += fmt.Sprintf(" %s %s %s:%d:%d", ln.Function.Name, ln.Function.SystemName, ln.Function.Filename, ln.Line, ln.Column)
			}
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// contextNumber tells callgrind's functions of one name apart.
var contextNumber = regexp.MustCompile(` \[\d+/\d+\]$`)

// expandCallgrind replaces what depends on the lines before: numbers of names
// and relative addresses.
func expandCallgrind(text string) string {
	names := map[string]string{}
	var addr, node int64 // of the node before and of this one
	position := func(s string) int64 {
		n, err := strconv.ParseInt(strings.TrimPrefix(s, "0x"), 16, 64)
		if s == "*" {
			return addr
		}
		if s[0] == '+' || s[0] == '-' {
			n, err = strconv.ParseInt(s, 10, 64)
			n += addr
		}
		if err != nil {
			return -1
		}
		return n
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if kind, value, ok := strings.Cut(l, "="); ok && strings.HasPrefix(value, "(") {
			key := strings.TrimPrefix(kind, "c")
			num, name, full := strings.Cut(value, " ")
			if full {
				names[key+num] = contextNumber.ReplaceAllString(name, "")
			}
			lines[i] = kind + "=" + names[key+num]
			continue
		}
		f := strings.Fields(l)
		switch {
		case len(f) == 3 && strings.HasPrefix(l, "calls="):
			lines[i] = fmt.Sprint("calls ", position(f[1]), f[2])
		case len(f) == 3 && f[0] != "positions:" && !strings.HasPrefix(l, "* * "):
			addr = node
			node = position(f[0])
			lines[i] = fmt.Sprint(node, f[1:])
		}
	}
	return strings.Join(lines, "\n")
}

func firstDifference(want, got []byte) string {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := 0; ; i++ {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			line := func(s []string) string {
				if i >= len(s) {
					return "(end)"
				}
				return fmt.Sprintf("%.200q", s[i])
			}
			return fmt.Sprintf("line %d\n\tpprof: %s\n\tours:  %s", i+1, line(w), line(g))
		}
	}
}

// compareProfiles compares encoded profiles by what they say and by how they
// are written.
func compareProfiles(want, got []byte) string {
	w, err := gprofile.ParseData(want)
	if err != nil {
		return fmt.Sprintf("pprof wrote a profile it cannot read: %v", err)
	}
	g, err := gprofile.ParseData(got)
	if err != nil {
		return fmt.Sprintf("pprof cannot read ours: %v", err)
	}
	if ws, gs := w.String(), g.String(); ws != gs {
		return firstDifference([]byte(ws), []byte(gs))
	}
	var wb, gb bytes.Buffer
	if err := w.WriteUncompressed(&wb); err != nil {
		return err.Error()
	}
	if err := g.WriteUncompressed(&gb); err != nil {
		return err.Error()
	}
	if !bytes.Equal(wb.Bytes(), gb.Bytes()) {
		return fmt.Sprintf("equal text, but other bytes: %d and %d; drop_frames %q %q, default %q %q", wb.Len(), gb.Len(), w.DropFrames, g.DropFrames, w.DefaultSampleType, g.DefaultSampleType)
	}
	return ""
}

// run checks cases in parallel and reports the score.
func (p *parity) run(t *testing.T, cases []parityCase) {
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	passed, failed, skipped := 0, 0, 0
	todo := make(chan parityCase)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for c := range todo {
				fail := p.check(c)
				mu.Lock()
				if fail == "" {
					passed++
				} else {
					failed++
					t.Errorf("%v: %s", c, fail)
				}
				mu.Unlock()
			}
		})
	}
next:
	for _, c := range cases {
		for _, d := range differences {
			if d.match(c) {
				skipped++
				continue next
			}
		}
		todo <- c
	}
	close(todo)
	wg.Wait()
	t.Logf("%d passed, %d failed (%d deliberately different, %.1fs)", passed, failed, skipped, time.Since(start).Seconds())
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

func TestParityRuntimeProfiles(t *testing.T) {
	p := newParity(t)
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

func TestParitySynthetic(t *testing.T) {
	p := newParity(t)
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

func TestParityCompilerProfile(t *testing.T) {
	p := newParity(t)
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

// TestParityCorpus runs over real profiles of many producers, where a
// checkout has them beside it.
func TestParityCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/corpus/*")
	if len(files) == 0 {
		t.Skip("no corpus")
	}
	p := newParity(t)
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

// TestParityRandom draws combinations of options.
func TestParityRandom(t *testing.T) {
	p := newParity(t)
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

// TestParityErrors compares exit codes and that nothing but the report is
// written to standard output.
func TestParityErrors(t *testing.T) {
	p := newParity(t)
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

// TestParityOutput compares what -output writes.
func TestParityOutput(t *testing.T) {
	p := newParity(t)
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
