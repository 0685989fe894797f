package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// buildVerify builds the service and the load of the tests.
func buildVerify(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verify")
	if out, err := exec.Command("go", "build", "-o", path, "./testdata/verify").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// serveVerify runs the service until the test ends and returns its address.
func serveVerify(t *testing.T, exe, kind string) string {
	t.Helper()
	cmd := exec.Command(exe, "serve", kind)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

func TestVerifyLoad(t *testing.T) {
	exe := buildVerify(t)
	c := newCLI(t)
	leaky, steady := serveVerify(t, exe, "leak"), serveVerify(t, exe, "steady")
	o := c.run("verify", leaky, "--", exe, "load", leaky, "40")
	c.want(o, exitFinding, "LEAK", "14 rounds of")
	for _, want := range []string{"main.leak", "a round", "main.go:"} {
		if !bytes.Contains(o.stdout, []byte(want)) {
			t.Errorf("the verdict does not say %q:\n%s", want, o.stdout)
		}
	}
	o = c.run("verify", "-json", "-fail-on=none", leaky, "--", exe, "load", leaky, "40")
	c.want(o, 0, `"a round`[1:], "14 rounds of")
	var v struct{ Findings []struct{ Class string } }
	if err := json.Unmarshal(o.stdout, &v); err != nil || len(v.Findings) == 0 || v.Findings[0].Class != "leak" {
		t.Errorf("%v: %s", err, o.stdout)
	}
	c.want(c.run("verify", "http://"+steady+"/debug/pprof/", "--", exe, "load", steady, "40"), 0, "No leak", "14 rounds of")

	c.want(c.run("verify", leaky, "--", exe, "load", "127.0.0.1:1", "1"), 1, "", "verify: Get \"http://127.0.0.1:1/work\"")
	c.want(c.run("verify", "127.0.0.1:1", "--", exe), 1, "", "127.0.0.1:1")
	c.want(c.run("verify", leaky, "--", exe+"-not"), 1, "", "-not")
}

func TestVerifyProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the port is found by /proc")
	}
	exe := buildVerify(t)
	c := newCLI(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"leak", []string{exe, "serve", "leak", "self"}, exitFinding, "main.leak"},
		{"grandchild", []string{exe, "parent", "serve", "leak", "self"}, exitFinding, "main.leak"},
		{"steady", []string{exe, "serve", "steady", "self"}, 0, "No leak"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(c.run(append([]string{"verify", "-every=100ms", "--"}, tt.args...)...), tt.code, tt.want, "rounds of 0.1 s")
			left, err := exec.Command("pgrep", "-f", exe).Output()
			if err == nil && len(left) > 0 {
				t.Errorf("processes are left: %s", left)
			}
		})
	}
	c.want(c.run("verify", "-every=100ms", "--", exe, "serve", "blind", "self"), 1, "No", "nothing is proved: its heap could not be judged")
	c.want(c.run("verify", "-rounds=6", "-warmup=0", "-every=50ms", "--", exe, "serve", "deaf"), 0, "No leak", "after an interrupt and was killed")
	c.want(c.run("verify", "--", exe, "load", "127.0.0.1:1", "1"), 1, "", "ended with exit status 1")
	c.want(c.run("verify", "-start=300ms", "--", "sleep", "60"), 1, "", "does not serve net/http/pprof after 300ms")
}

// TestVerifyInterrupt: ctrl-C gives the verdict so far.
func TestVerifyInterrupt(t *testing.T) {
	exe := buildVerify(t)
	address := serveVerify(t, exe, "leak")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out, errs bytes.Buffer
	e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }, now: time.Now, width: func() int { return 80 }}
	args := []string{"-rounds=1000", address, "--", exe, "load", address, "40"}
	o, err := parseVerify(args, e)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 0
	r, err := newRounds(ctx, o, e)
	if err != nil {
		t.Fatal(err)
	}
	work := r.work
	r.work = func(ctx context.Context) error {
		if rounds++; rounds == 20 {
			cancel()
		}
		return work(ctx)
	}
	code := finish(r.finish(ctx, r.run(ctx)), exitError, e)
	if code != exitFinding || !strings.Contains(out.String(), "LEAK") || !strings.Contains(errs.String(), "interrupted; this is the verdict so far") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
}

func TestVerifyUsage(t *testing.T) {
	c := newCLI(t)
	file := c.file("file.txt", nil)
	for _, tt := range []struct{ line, want string }{
		{"verify", "no command; put it behind --"},
		{"verify localhost:6060", "no command"},
		{"verify localhost:6060 --", "no command"},
		{"verify a:1 b:2 -- x", "one target at a time, not a:1 b:2"},
		{"verify -rounds=3 a:1 -- x", "6 rounds are needed"},
		{"verify -warmup=-1 a:1 -- x", "0 or more"},
		{"verify -every=0s -- x", "longer than nothing"},
		{"verify -fail-on=step a:1 -- x", "choose leak or growing"},
		{"verify -gc=often a:1 -- x", "choose auto, always or never"},
		{"verify -nonsense a:1 -- x", "-nonsense"},
		{"verify -limit=1gb a:1 -- x", "-limit"},
		{"verify " + file + " -- x", "is a file or no address"},
	} {
		c.want(c.run(strings.Fields(tt.line)...), exitUsage, "", tt.want)
	}
	c.want(c.run("verify", "-h"), 0, "usage: profound verify", "")
	fits(t, "verify -h", verifyHelp)
	if findCommand("verify") == nil {
		t.Error("verify is no command")
	}
}
