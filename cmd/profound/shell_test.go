package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/view"
)

// shopProfile is a small heap profile: a method name that is no valid regular
// expression, labels, all-zero inuse values, and no two equal values, so that
// reports have one order.
func shopProfile() *gprofile.Profile {
	p := &gprofile.Profile{
		SampleType: []*gprofile.ValueType{
			{Type: "alloc_objects", Unit: "count"}, {Type: "alloc_space", Unit: "bytes"},
			{Type: "inuse_objects", Unit: "count"}, {Type: "inuse_space", Unit: "bytes"},
		},
		DefaultSampleType: "alloc_space",
		PeriodType:        &gprofile.ValueType{Type: "space", Unit: "bytes"}, Period: 512 << 10,
		TimeNanos: 1700000000000000000,
	}
	m := &gprofile.Mapping{ID: 1, Start: 0x400000, Limit: 0x500000, File: "/bin/shop", HasFunctions: true, HasFilenames: true, HasLineNumbers: true}
	p.Mapping = []*gprofile.Mapping{m}
	locs := map[string]*gprofile.Location{}
	for i, name := range []string{"main.main", "shop.(*Cart).Add", "shop.(*Cart).AddAll", "shop.Serve", "net/http.(*conn).serve", "bytes.growSlice", "shop.Pair[int, string]"} {
		id := uint64(i + 1)
		f := &gprofile.Function{ID: id, Name: name, SystemName: name, Filename: "shop/cart.go", StartLine: int64(10 * i)}
		l := &gprofile.Location{ID: id, Mapping: m, Address: 0x400000 + 16*id, Line: []gprofile.Line{{Function: f, Line: int64(10*i + 3)}}}
		p.Function, p.Location = append(p.Function, f), append(p.Location, l)
		locs[name] = l
	}
	add := func(n, size int64, labels map[string][]string, frames ...string) {
		s := &gprofile.Sample{Value: []int64{n, n * size, 0, 0}, Label: labels, NumLabel: map[string][]int64{"bytes": {size}}}
		for _, f := range frames {
			s.Location = append(s.Location, locs[f])
		}
		p.Sample = append(p.Sample, s)
	}
	add(10, 4096, map[string][]string{"tenant": {"blue"}}, "bytes.growSlice", "shop.(*Cart).Add", "shop.(*Cart).AddAll", "shop.Serve", "net/http.(*conn).serve")
	add(3, 65536, map[string][]string{"tenant": {"red"}}, "shop.(*Cart).Add", "shop.Serve", "net/http.(*conn).serve")
	add(700, 48, nil, "shop.Pair[int, string]", "main.main")
	add(5, 1000, nil, "shop.(*Cart).AddAll", "main.main")
	return p
}

func shopFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.pb.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := shopProfile().Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func decodeShop(t testing.TB) *profile.Profile {
	t.Helper()
	var b bytes.Buffer
	if err := shopProfile().Write(&b); err != nil {
		t.Fatal(err)
	}
	p, _, err := format.Decode(&b, "", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// testShell is a session without a process.
type testShell struct {
	out, err bytes.Buffer
	s        *session
}

func newTestShell(t testing.TB, input string) *testShell {
	ts := &testShell{}
	e := &env{
		stdin: strings.NewReader(input), stdout: &ts.out, stderr: &ts.err,
		getenv: func(string) string { return "" }, now: time.Now, width: func() int { return 80 },
	}
	ts.s = &session{env: e, kinds: report.Kinds(), profile: decodeShop(t), objects: symbol.NewSet(symbol.Options{})}
	return ts
}

func (ts *testShell) run(t testing.TB) {
	t.Helper()
	if err := ts.s.interact(t.Context(), view.Defaults()); err != nil {
		t.Fatal(err)
	}
}

// shellScripts are fed to both programs. Those with a mark of our own
// commands are not here.
var shellScripts = []string{
	"",
	"\n\n  \n",
	"top",
	"top\n",
	"top\nquit\ntop",
	"exit now\ntop",
	"o",
	"nodecount=2\ntop\no\n",
	"nodecount = 3 //: a remark\ntop\nnodecount\nnodecount 7",
	"top2\ntop 3\ntop3 -cum\ntext1\ntop -cum 2",
	"topp\n10\n1top\ntop2x\nTop\n",
	"tree5\ntree 3 main\npeek Add\npeek\npeek nothing\npeek (",
	"alloc_objects\ntop\ntotal_alloc_space\ntop\nmean_alloc_space\ntop\ninuse_space\ntop",
	"sample_index=0\ntop\nsample_index=alloc_space\ntop\nsample_index=9\nsample_index=x\nsample_index=\no",
	"top Add\ntop\ntop Add -AddAll\ntop -Add\ntop Add Pair -bytes -conn\ntop Add|Pair",
	"focus=Add\ntop\nignore=AddAll\ntop\nhide=http\ntop\n:\ntop\no",
	"focus=(\ntop\nfocus=\ntop\ntop (",
	"show=Cart\ntree\nshow=\nshow_from=Serve\ntree",
	"tagfocus=tenant=red\ntop\ntags\n:\ntags\ntags red\ntags -red\ntags tenant",
	"tagroot=tenant\ntree\ntagroot=\ntagleaf=tenant\ntop",
	"granularity=lines\ntop\ngranularity=files\ntop\nlines=true\ntop\nfunctions=1\ntop\n",
	"mean\ntop\nmean=0\ntop\nmean=yes\ntop\nmean=n\ntop",
	"cum=true\ntop\nsort=flat\ntop\nflat=1\ntop",
	"top >one\ntop > two\ntop >\ntop >three -cum 2\n",
	"output=file\ntop\ntree >other",
	"unit=kb\ntop\nunit=nonsense\ntop\nunit=auto\ntop\ndivide_by=2\ntop\ndivide_by=0\ntop",
	"compact_labels=false\ntop\ncompact_labels\ntop",
	"traces\nraw\ntags\ncomments\ndot\n",
	"trim=false\nnodecount=1\ntop\ntrim\ntop",
	"relative_percentages\ntop Add\ncall_tree\ndot",
	"list nothing\ndisasm nothing\nlist\ndisasm",
	"nodefraction=0.5\ntop\nnodefraction=0\ntop\nedgefraction=0.3\ntree",
	"callgrind\ncallgrind >x\ncallgrind\n",
	"prune_from=Add\ntop\nnoinlines\ntop\nshowcolumns=t\nlines=t\ntop\n",
	"  top2  \n\ttop1\t\n o \r\ntop1\r\n",
	"foo=bar\n=\n=x\nfocus\nfocus =Add\ntop",
	"drop_negative=true\ntop -diff\nsource_path=/x\ntrim_path=/y\no",
}

// sortOptions drops what o may print differently: pprof names the last type
// where the profile has another default.
func sortOptions(stderr string) string {
	lines := strings.Split(stderr, "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "  sample_index ") || strings.HasPrefix(l, "  source_path ")
	})
	return strings.Join(lines, "\n")
}

// TestShellLikePprof feeds the same lines to go tool pprof and compares what
// comes out: standard output, standard error and files.
func TestShellLikePprof(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many processes")
	}
	p := newParity(t)
	file := shopFile(t)
	type result struct {
		out   outcome
		files map[string]string
	}
	run := func(program, script string) result {
		dir := t.TempDir()
		cmd := exec.Command(program, file)
		cmd.Env, cmd.Dir, cmd.Stdin = p.env, dir, strings.NewReader(script)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		cmd.Run()
		r := result{outcome{cmd.ProcessState.ExitCode(), out.Bytes(), errs.Bytes()}, map[string]string{}}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			r.files[e.Name()] = string(data)
		}
		return r
	}
	for _, script := range shellScripts {
		want, got := run(p.theirs, script), run(p.ours, script)
		if want.out.code != got.out.code {
			t.Errorf("%q: exit code %d, pprof's is %d", script, got.out.code, want.out.code)
		}
		// pprof changes its mind where values tie.
		for try := 0; try < 40 && !bytes.Equal(want.out.stdout, got.out.stdout); try++ {
			want = run(p.theirs, script)
		}
		if !bytes.Equal(want.out.stdout, got.out.stdout) {
			t.Errorf("%q: stdout: %s", script, firstDifference(want.out.stdout, got.out.stdout))
		}
		if w, g := sortOptions(string(want.out.stderr)), sortOptions(string(got.out.stderr)); w != g {
			t.Errorf("%q: stderr: %s", script, firstDifference([]byte(w), []byte(g)))
		}
		for name, w := range want.files {
			if g, ok := got.files[name]; g != w {
				t.Errorf("%q: file %s (written: %v): %s", script, name, ok, firstDifference([]byte(w), []byte(g)))
			}
		}
		if len(want.files) != len(got.files) {
			t.Errorf("%q: %d files, pprof writes %d", script, len(got.files), len(want.files))
		}
	}
}

// TestShellOnly has what pprof's shell cannot do or does worse.
func TestShellOnly(t *testing.T) {
	tests := []struct {
		name, input string
		out         string // last line but the prompt
		err         string // contained
	}{
		{"bare choice", "cum\no | grep -w sort", "  sort                      = cum                  //: [cum | flat]", ""},
		{"choice off", "cum=false", "", "cum cannot be turned off; set another sort: cum, flat"},
		{"option with choices", "sort 5", "", "did you mean: sort=5"},
		{"undo", "focus=Pair\nfocus=x\nundo\no | grep -w focus", "  focus                     = Pair                 ", "focus = Pair (was x)"},
		{"undo of shortcut", "focus=a\nhide=b\n:\nundo\no | grep -cE '= [ab] '", "2", `focus = a (was "")`},
		{"undo twice", "nodecount=1\nundo\nundo", "", "nothing to undo"},
		{"undo sample type", "mean_alloc_space\nundo", "", "mean = false (was true)"},
		{"no step for reports", "focus=Pair\ntop5 -cum Add\nundo\no | grep -w focus", "  focus                     = \"\"                   ", ""},
		{"pipe", "top | tail -1", "         0     0%   100%      232kB 86.02%  shop.Serve", ""},
		{"pipe with an early end", "raw | head -1", "PeriodType: space bytes", ""},
		{"pipe without command", "| cat", "", "no command before |"},
		{"pipe to nothing", "top |", "", "unexpected end of line after |"},
		{"pipe and file", "top >x | cat", "", "not to both"},
		{"bar in an expression", "top1 Pair|growSlice | wc -l", "", ""},
		{"picture into a pipe", "svg | grep -c '<svg'", "1", ""},
		{"page into a pipe", "web | grep -ci '<!doctype'", "1", ""},
		{"failed report starts nothing", "peek nothing | echo started", "", "no matches found"},
		{"help", "help", "", "Reports:"},
		{"help on a report", "help peek", "", "who calls this?"},
		{"help on an option", "help focus", "", "At the prompt:  focus=RE"},
		{"help on nothing", "help focsu", "", "did you mean focus?"},
		{"help through a pipe", "help units | head -1", "Values are kept in base units (bytes, nanoseconds, counts) and scaled when", ""},
		{"settings do not stay", "top1 -cum Pair >/dev/null\no | grep -cE 'nodecount +=.*default|focus +=.*\"\"|sort +=.*flat'", "4", ""},
	}
	if runtime.GOOS == "windows" {
		t.Skip("the commands of the pipes are Unix's")
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ts := newTestShell(t, tc.input)
			ts.run(t)
			lines := strings.Split(strings.TrimSuffix(ts.out.String(), "\n"+plainPrompt), "\n")
			last := strings.ReplaceAll(lines[len(lines)-1], plainPrompt, "")
			if tc.out != "" && last != tc.out {
				t.Errorf("last line %q, want %q\n%s", last, tc.out, ts.err.String())
			}
			if strings.Contains(ts.out.String(), "started") {
				t.Error("a command was started")
			}
			if !strings.Contains(ts.err.String(), tc.err) {
				t.Errorf("standard error %q does not contain %q", ts.err.String(), tc.err)
			}
		})
	}
}

func TestShellHints(t *testing.T) {
	tests := []struct{ input, want string }{
		{"tpo", "did you mean top?"},
		{"peek serve.*x", ""},
		{"peek cart", "upper and lower case differ; (?i)cart finds shop.(*Cart).Add"},
		{"peek (*Cart).Add", `write \(\*Cart\)\.Add`},
		{"top (*Cart).Add", ""},
		{"top pair", "no function matches focus=pair; upper and lower case differ; (?i)pair finds shop.Pair[int, string]"},
		{"tagfocus=green\ntop", "the filters leave nothing"},
		{"inuse_space\ntop", "all values are zero here; there are some in alloc_objects, alloc_space."},
		{"top", ""},
		{"peek Add", ""},
	}
	for _, tc := range tests {
		ts := newTestShell(t, tc.input)
		ts.s.env.stdinTTY = true
		ts.run(t)
		_, hint, found := strings.Cut(ts.err.String(), "Hint: ")
		if found != (tc.want != "") || !strings.Contains(hint, tc.want) {
			t.Errorf("%q: hint %q, want %q", tc.input, hint, tc.want)
		}
	}
}

// TestShellInterrupt: an interrupt ends the report and not the shell, even a
// report that does not notice.
func TestShellInterrupt(t *testing.T) {
	ts := newTestShell(t, "slow\ntop1\n")
	release, started := make(chan struct{}), make(chan struct{})
	finished := make(chan struct{})
	ts.s.kinds = append(ts.s.kinds, report.Kind{Name: "slow", Help: "waits", Compute: func(*report.Report) (report.Result, error) {
		close(started)
		<-release
		defer close(finished)
		return nil, errors.New("too late")
	}})
	sh := &shell{
		s: ts.s, options: view.Defaults(), fields: view.Fields(), shortcuts: shortcuts(nil), person: true,
		interrupts: make(chan os.Signal, 1),
	}
	sh.in = sh.newReader()
	go func() {
		<-started
		sh.interrupts <- os.Interrupt
	}()
	if err := sh.loop(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(release)
	<-finished
	if !strings.Contains(ts.err.String(), "interrupted") {
		t.Errorf("standard error %q", ts.err.String())
	}
	if !strings.Contains(ts.out.String(), "Showing nodes accounting for") {
		t.Errorf("the shell did not go on: %q", ts.out.String())
	}
	if strings.Contains(ts.err.String(), "too late") {
		t.Error("an abandoned report was heard of")
	}
}

// TestShellEnd: a script ends when its context does, also while it waits.
func TestShellEnd(t *testing.T) {
	ts := newTestShell(t, "")
	r, w := io.Pipe()
	defer w.Close()
	ts.s.env.stdin = r
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ts.s.interact(ctx, view.Defaults()); !errors.Is(err, errInterrupted) {
		t.Errorf("error %v", err)
	}
}

func TestGate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var b bytes.Buffer
	g := gate{ctx, &b}
	if n, err := g.Write(make([]byte, 3*gateBytes+1)); n != 3*gateBytes+1 || err != nil {
		t.Errorf("wrote %d: %v", n, err)
	}
	cancel()
	if n, err := g.Write([]byte("x")); n != 0 || !errors.Is(err, errInterrupted) {
		t.Errorf("wrote %d after the end: %v", n, err)
	}
}

func TestCutPipe(t *testing.T) {
	tests := []struct {
		in, command, pipe string
		piped             bool
	}{
		{"top", "top", "", false},
		{"top | less -S", "top", "less -S", true},
		{"top |less", "top", "less", true},
		{"top a|b", "top a|b", "", false},
		{"top a|b | grep 'x | y'", "top a|b", "grep 'x | y'", true},
		{"| less", "", "less", true},
		{"top |", "top", "", true},
	}
	for _, tc := range tests {
		command, pipe, piped := cutPipe(tc.in)
		if command != tc.command || pipe != tc.pipe || piped != tc.piped {
			t.Errorf("cutPipe(%q) = %q, %q, %v", tc.in, command, pipe, piped)
		}
	}
}
