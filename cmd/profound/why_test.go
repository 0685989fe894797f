package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/reason"
	"github.com/profoundhq/profound/internal/why"
)

// keeper starts a program that keeps memory in many ways, and returns its
// process. It is started by another process: who has a child waits for it, and
// a copy would not be told apart from its end.
func keeper(t *testing.T) (pid string) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("copies a process: Linux on amd64 only")
	}
	exe := filepath.Join(t.TempDir(), "keeper")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = "../../internal/goheap/testdata/leaksvc"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(exe)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
	return strconv.Itoa(cmd.Process.Pid)
}

// whyRun runs commands as this program would, copies by the real binary.
func whyRun(t *testing.T, exe string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var o, s bytes.Buffer
	e := &env{stdin: strings.NewReader(""), stdout: &o, stderr: &s, getenv: func(string) string { return "" }, now: time.Now, exe: exe, width: func() int { return 0 }}
	code = run(t.Context(), args, e)
	return o.String(), s.String(), code
}

// binary builds this program.
func binary(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "profound")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return exe
}

// TestWhy asks one snapshot everything.
func TestWhy(t *testing.T) {
	exe, pid := binary(t), keeper(t)
	snapshot := filepath.Join(t.TempDir(), "keeper.snapshot")
	out, err := exec.Command(exe, "snapshot", "-contents", "-o", snapshot, pid).CombinedOutput()
	if strings.Contains(string(out), "no permission") {
		t.Skip(string(out))
	}
	if err != nil || !strings.Contains(string(out), "stood still for") || !strings.Contains(string(out), "written to") {
		t.Fatalf("snapshot: %v\n%s", err, out)
	}
	e := &env{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }, now: time.Now, exe: exe, width: func() int { return 0 }}
	h, err := analyse(t.Context(), snapshot, heapOptions{}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	for _, tt := range []struct {
		name string
		args string
		want []string
	}{
		{"everything", "-n=40", []string{"live objects", "*main.Session", ", with what they hold, are held by *main.cache (package variable) .byID map[string]*main.Session [elem]; without *main.cache.byID 4", "<- frees", "allocated, by samples, about", "one of them: 0x"}},
		{"a site", "-at=main.newSession", []string{`What was allocated at "main.newSession": about `, "allocated at main.newSession", "are held by *main.cache (package variable) .byID map[string]*main.Session [elem]", "without *main.cache.byID 4", "The rest, "}},
		{"a type", "-type=^main.Request$", []string{`Objects of types like "^main.Request$": `, "750 objects are alive; without all of them", "500 *main.Request", "are held by main.queue (package variable) chan *main.Request .buf []*main.Request []; without main.queue.buf 5"}},
		{"a type at a site", "-type=uint8 -at=main.newSession", []string{`Objects of types like "uint8" in what was allocated at "main.newSession"`, ".Payload"}},
		{"a type of goroutines", "-type=main.User -goroutine=blockedWorker", []string{`in what goroutines like "blockedWorker" hold: `, "50 *main.User", "50 goroutines [chan receive] at main.blockedWorker"}},
		{"paths", "-type=main.Session -n=1 -paths=3", []string{"the only path", "1 *main.cache (package variable) .byID map[string]*main.Session [elem] main.Session"}},
		{"goroutines", "-goroutine=blockedWorker", []string{"50 837 kB 10", "[chan receive] at main.blockedWorker created by main.block", "main.blockedWorker.req", "waits at", "main.blockedWorker main.go:"}},
		{"goroutines by state", "-goroutine=chan.receive", []string{"main.blockedWorker.req"}},
		{"a goroutine", "-goroutine=1", []string{"goroutine 1 [", "main.main main.go:"}},
		{"by root", "-by=root", []string{"How the heap (", "bytes objects frees root", "*main.cache (package variable)", "timers", "50 goroutines [chan receive]", "roots more)"}},
		{"a type by root", "-by=root -type=main.User", []string{`How objects of types like "main.User" (`, "main.hooks (package variable)"}},
		{"a site by root", "-by=root -at=main.newSession", []string{"about objects frees root", "*main.cache"}},
		{"by package", "-by=package", []string{"frees package", " main: *main.cache (", "runtime"}},
		{"by type", "-by=type", []string{"bytes objects retained type", " []uint8 ", "main.Blob", "types more)"}},
		{"a site by type", "-by=type -at=main.newSession", []string{"by samples.", "about objects type", "[]main.Event"}},
		{"goroutines by type", "-by=type -goroutine=blockedWorker", []string{"2.34 kB 50 808 kB main.Request"}},
		{"by site", "-by=site", []string{"about one in 16 kB", "[]uint8 at main.cutPieces main.go:", "main.heads (package variable) [][]uint8 []; without main.heads 3."}},
		{"a type by site", "-by=site -type=Blob", []string{"main.Blob at main.generic kinds.go:"}},
		{"by tree", "-by=tree", []string{"share bytes objects", "*main.cache", ".byID map[string]*main.Session", "[elem] main.Session x 2,000"}},
		{"a type by tree", "-by=tree -type=main.Tiny", []string{"main.wides"}},
		{"by drops", "-by=drops", []string{"where memory fans out", "50 main.heads (package variable) [][]uint8"}},
		{"by depth", "-by=depth", []string{"steps bytes objects", "8192-16383"}},
		{"by goroutines", "-by=goroutines", []string{"count heap stacks", "main.blockedWorker.req"}},
		{"by waste", "-by=waste", []string{"3.12 MB 3.12 MB 50 sub-slices or substrings keep whole arrays main.heads (package variable) [][]uint8 [] []uint8", "maps with many more slots than entries main.emptied", "arrays with room that is not used main.roomy", "100 the same string: \"again and again", "main.same", "Duplicate strings: "}},
		{"by queues", "-by=queues", []string{"50 cleanups, 50 weak handles", "200 timer that calls main.startTimers.func1"}},
		{"without", "-without=main.cache.byID,main.heads", []string{"Without main.cache.byID and main.heads (1 reference, 1 root) 7.", "33,918 objects go free", "bytes objects type", "Where it was allocated, by samples"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := ask(t, h, append(strings.Fields(tt.args), snapshot)...)
			var b strings.Builder
			if err := reason.Write(&b, d, reason.Options{}); err != nil {
				t.Fatal(err)
			}
			stdout := b.String()
			flat := strings.Join(strings.Fields(stdout), " ")
			for _, w := range tt.want {
				if !strings.Contains(flat, w) {
					t.Errorf("no %q in\n%s", w, stdout)
				}
			}
			for l := range strings.Lines(stdout) {
				if utf8.RuneCountInString(strings.TrimRight(l, "\n")) > 80 {
					t.Errorf("wider than 80 columns: %s", l)
				}
			}
			checkWhyJSON(t, d)
		})
	}
	t.Run("all of it", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-n=2", snapshot)
		var b strings.Builder
		reason.Write(&b, ask(t, h, "-n=2", snapshot), reason.Options{})
		if code != exitOK || stdout != b.String() {
			t.Errorf("code %d: %s%s", code, stdout, stderr)
		}
		stdout, stderr, code = whyRun(t, exe, "why", "-json", "-by=root", snapshot)
		if code != exitOK || !strings.HasPrefix(stdout, `{"schema":"why/1"`) {
			t.Errorf("code %d: %s%s", code, stdout, stderr)
		}
	})
	t.Run("a child", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-by=waste", pid)
		if code != exitOK || !strings.Contains(stdout, "main.heads") || !strings.Contains(stdout, "Duplicate strings: ") || strings.Contains(stdout, "-contents") {
			t.Errorf("code %d: %s%s", code, stdout, stderr)
		}
	})
	t.Run("an address", func(t *testing.T) { checkWhyAddress(t, exe, snapshot) })
	t.Run("cuts", func(t *testing.T) { checkCuts(t, h) })
	t.Run("nothing", func(t *testing.T) {
		for _, tt := range []struct{ args, want string }{
			{"-at=nobody", "nothing that was sampled there is alive"},
			{"-type=nobody", "no live object is of such a type; -by type lists"},
			{"-goroutine=nobody", "none of the 5"},
			{"-goroutine=123456789", "none of the 5"},
			{"-without=main.cach", "near to it are: main.cache,"},
			{"-without=main.cache.byid", "main.cache has no such field that refers to something; it has: .byID"},
			{"-type=Session -goroutine=blockedWorker", "no live object is of such a type"},
		} {
			_, stderr, code := whyRun(t, exe, append(append([]string{"why"}, strings.Fields(tt.args)...), snapshot)...)
			if code != exitError || !strings.Contains(stderr, tt.want) {
				t.Errorf("%s: code %d: %s", tt.args, code, stderr)
			}
		}
		if _, stderr, code := whyRun(t, exe, "why", snapshot, "0x10"); code != exitError || !strings.Contains(stderr, "no live object") {
			t.Errorf("code %d: %s", code, stderr)
		}
	})
}

// whyJSON is schema why/1, as far as the tests look.
type whyJSON struct {
	Schema    string
	Total     struct{ Bytes, Objects uint64 }
	Selection *struct {
		What   string
		Amount struct{ Bytes, Objects uint64 }
	}
	View     string
	Holdings []struct {
		Sentence, Cut, Example string
		Amount, Frees          struct{ Bytes, Objects uint64 }
		Paths                  [][]struct{ Name string }
	}
	Rows []struct {
		Name   string
		Amount *struct{ Bytes, Objects uint64 }
		Rest   bool
	}
	Objects []struct {
		Address, Start, Type string
		Retained             struct{ Bytes uint64 }
		Paths                [][]struct{ Name string }
		Dominators, Holders  []struct{ Name string }
	}
}

// ask asks a heap what a command line asks.
func ask(t *testing.T, h *heapAnalysis, args ...string) *reason.Document {
	t.Helper()
	o, err := parseWhy(args, &env{stdout: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	q, err := newWhyQuestion(o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := q.answer(h.Analysis)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// checkWhyJSON has the same for programs: answers of one sort, and rows by
// root, package or type have the sum of what was asked about.
func checkWhyJSON(t *testing.T, d *reason.Document) {
	t.Helper()
	var b bytes.Buffer
	var j whyJSON
	if err := reason.WriteJSON(&b, d); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil || j.Schema != "why/1" || j.Total.Objects < 50000 {
		t.Errorf("error %v, %s", err, b.String())
		return
	}
	if (len(j.Rows) > 0) == (len(j.Holdings) > 0) || (j.View == "") != (len(j.Rows) == 0) {
		t.Errorf("view %q, %d rows, %d holdings", j.View, len(j.Rows), len(j.Holdings))
	}
	if j.View != "root" && j.View != "package" && j.View != "type" {
		return
	}
	want := j.Total
	if j.Selection != nil {
		want = j.Selection.Amount
	}
	sum := uint64(0)
	for _, r := range j.Rows {
		sum += r.Amount.Bytes
	}
	if off := max(sum, want.Bytes) - min(sum, want.Bytes); off > 0 && !(d.Question.S.Estimated() && off < 200) {
		t.Errorf("rows add up to %d, want %d", sum, want.Bytes)
	}
}

// checkWhyAddress follows an example of an answer.
func checkWhyAddress(t *testing.T, exe, snapshot string) {
	stdout, stderr, code := whyRun(t, exe, "why", "-type=main.Session$", "-json", snapshot)
	var j whyJSON
	if err := json.Unmarshal([]byte(stdout), &j); code != exitOK || err != nil || len(j.Holdings) == 0 || j.Holdings[0].Example == "" {
		t.Fatalf("code %d, error %v: %s", code, err, stderr)
	}
	at := j.Holdings[0].Example
	stdout, stderr, code = whyRun(t, exe, "why", "-paths=2", snapshot, at)
	for _, w := range []string{at + " is main.Session, 128 B; without it ", "without this one *main.cache.byID[elem] ", "Every path to it leads through these", "These point to it:", "What goes free with it, by type:"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), w) || code != exitOK {
			t.Errorf("code %d, no %q in\n%s%s", code, w, stdout, stderr)
		}
	}
	stdout, _, code = whyRun(t, exe, "why", "-json", snapshot, at, at)
	j = whyJSON{}
	if err := json.Unmarshal([]byte(stdout), &j); code != exitOK || err != nil || len(j.Objects) != 2 || j.Objects[0].Start != at || j.Objects[0].Type != "main.Session" || len(j.Objects[0].Paths) != 1 {
		t.Errorf("code %d, error %v: %s", code, err, stdout)
	}
	stdout, _, code = whyRun(t, exe, "why", "-by=type", snapshot, at)
	if code != exitOK || !strings.Contains(stdout, "What") && !strings.Contains(stdout, "[]main.Event") {
		t.Errorf("code %d: %s", code, stdout)
	}
}

// checkCuts: what an answer says goes free without a reference, goes, asked by
// the name the answer gives to it.
func checkCuts(t *testing.T, h *heapAnalysis) {
	list := h.Holders(60, 0.0005)
	list = append(list, h.Ways(h.Select(why.Filter{Type: regexp.MustCompile("main|uint8|string").MatchString}), 200)...)
	asked := 0
	for i := range list {
		name := reason.CutName(&list[i])
		if list[i].Cut == 0 {
			continue
		}
		w, err := h.Without([]string{name})
		if err != nil {
			t.Errorf("%s: %v", reason.Sentence(&list[i]), err)
			continue
		}
		asked++
		// A name tells all elements of a container, and the variable of all
		// goroutines; a root by itself is what it is.
		if w.Variables+w.References == 1 && w.Frees != list[i].Frees || w.Frees.Bytes < list[i].Frees.Bytes {
			t.Errorf("-without %s: %v go free; %s", name, w.Frees, reason.Sentence(&list[i]))
		}
	}
	if asked < 50 {
		t.Errorf("only %d cuts", asked)
	}
}

// TestWhyWithoutContents: a snapshot without the contents of strings says so.
func TestWhyWithoutContents(t *testing.T) {
	exe := binary(t)
	snapshot := snapshotOf(t, exe, keeper(t), "keeper")
	stdout, stderr, code := whyRun(t, exe, "why", "-by=waste", snapshot)
	if code != exitOK || !strings.Contains(stdout, "main.heads") || !strings.Contains(strings.Join(strings.Fields(stdout), " "), "take it with profound snapshot -contents") {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
}

func TestWhyErrors(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(notes, []byte("hello, world"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"why"}, exitUsage, "name a process"},
		{[]string{"why", "-n=0", "1"}, exitUsage, "at least 1"},
		{[]string{"why", "-paths=0", "1"}, exitUsage, "at least 1"},
		{[]string{"why", "-at=(", "1"}, exitUsage, "missing closing"},
		{[]string{"why", "-type=(", "1"}, exitUsage, "-type: error parsing"},
		{[]string{"why", "-goroutine=(", "1"}, exitUsage, "-goroutine: error parsing"},
		{[]string{"why", "-type=", "1"}, exitUsage, "-type is empty"},
		{[]string{"why", "-by=size", "1"}, exitUsage, `no view "size"; choose from root, package, type, site, tree, drops, depth, goroutines, waste, queues`},
		{[]string{"why", "-by=", "1"}, exitUsage, "-by is empty"},
		{[]string{"why", "1", "12345"}, exitUsage, `"12345" is no address`},
		{[]string{"why", "1", "0xnone"}, exitUsage, `"0xnone" is no address`},
		{[]string{"why", "-by=root", "-paths=3", "1"}, exitUsage, "not with the tables of -by"},
		{[]string{"why", "-by=drops", "-at=x", "1"}, exitUsage, "counts all objects"},
		{[]string{"why", "-by=waste", "-at=x", "1"}, exitUsage, "counts all objects"},
		{[]string{"why", "-by=goroutines", "-type=x", "1"}, exitUsage, "lists goroutines, not objects"},
		{[]string{"why", "-by=queues", "-goroutine=x", "1"}, exitUsage, "leave the selection out"},
		{[]string{"why", "-by=queues", "1", "0x10"}, exitUsage, "leave the selection out"},
		{[]string{"why", "-without=main.x", "-type=x", "1"}, exitUsage, "-without does not go with -type"},
		{[]string{"why", "-without=main.x", "1", "0x10"}, exitUsage, "leave the address out"},
		{[]string{"why", "-goroutine=x", "1", "0x10"}, exitUsage, "ask two questions"},
		{[]string{"why", "-goroutine=x", "-paths=2", "1"}, exitUsage, "-paths leads to objects"},
		{[]string{"why", "-o=x", "-by=root", "1"}, exitUsage, "-o does not go with -by"},
		{[]string{"why", "-diff", "-type=x", "1", "2"}, exitUsage, "-diff does not go with -type"},
		{[]string{"why", notes}, exitError, "profheap"},
		{[]string{"why", notes + ".gone"}, exitError, "name a process by its number"},
		{[]string{"snapshot", "x"}, exitUsage, "not the number of a process"},
	} {
		if _, stderr, code := whyRun(t, "", tt.args...); code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: code %d, %s", tt.args, code, stderr)
		}
	}
}

func TestSplitPaths(t *testing.T) {
	for text, want := range map[string]string{
		"main.a":                     "main.a",
		"main.a,main.b.c[elem]":      "main.a|main.b.c[elem]",
		"main.f[go.shape.int,x].v,b": "main.f[go.shape.int,x].v|b",
		"a(b,c){d,e},f":              "a(b,c){d,e}|f",
	} {
		if got := strings.Join(splitPaths(text), "|"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
