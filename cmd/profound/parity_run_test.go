package main

import (
	"bytes"
	"context"
	"fmt"
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
)

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

// buildSelf builds the command.
func buildSelf(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profound")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
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
