package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
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

func TestWhy(t *testing.T) {
	exe, pid := binary(t), keeper(t)
	snapshot := filepath.Join(t.TempDir(), "keeper.snapshot")
	out, err := exec.Command(exe, "snapshot", "-o", snapshot, pid).CombinedOutput()
	if strings.Contains(string(out), "no permission") {
		t.Skip(string(out))
	}
	if err != nil || !strings.Contains(string(out), "stood still for") || !strings.Contains(string(out), "written to") {
		t.Fatalf("snapshot: %v\n%s", err, out)
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"everything", []string{"-n=40", snapshot}, []string{"live objects", "main.cache", "<- frees", "allocated (about)"}},
		{"a child", []string{pid}, []string{"live objects", "go free"}},
		{"a site", []string{"-at=main.newSession", snapshot}, []string{"allocated at main.newSession", "are held by *main.cache (package variable) .byID map[string]*main.Session [elem]", "without *main.cache.byID 4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := whyRun(t, exe, append([]string{"why"}, tt.args...)...)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			flat := strings.Join(strings.Fields(stdout), " ")
			for _, w := range tt.want {
				if !strings.Contains(flat, w) {
					t.Errorf("no %q in\n%s", w, stdout)
				}
			}
		})
	}
	t.Run("JSON", func(t *testing.T) {
		stdout, stderr, code := whyRun(t, exe, "why", "-json", snapshot)
		var j struct {
			Schema   string
			Total    struct{ Bytes, Objects uint64 }
			Holdings []struct {
				Sentence string
				Amount   struct{ Bytes uint64 }
			}
		}
		if err := json.Unmarshal([]byte(stdout), &j); code != exitOK || err != nil || j.Schema != "why/1" || len(j.Holdings) != 5 || j.Total.Objects < 50000 {
			t.Errorf("code %d, error %v, %+v, %s", code, err, j, stderr)
		}
	})
	t.Run("no such site", func(t *testing.T) {
		if _, stderr, code := whyRun(t, exe, "why", "-at=nobody", snapshot); code != exitError || !strings.Contains(stderr, "nothing that was sampled there is alive") {
			t.Errorf("code %d: %s", code, stderr)
		}
	})
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
		{[]string{"why"}, exitUsage, "name one process"},
		{[]string{"why", "-n=0", "1"}, exitUsage, "at least 1"},
		{[]string{"why", "-at=(", "1"}, exitUsage, "missing closing"},
		{[]string{"why", notes}, exitError, "profheap"},
		{[]string{"why", notes + ".gone"}, exitError, "name a process by its number"},
		{[]string{"snapshot", "x"}, exitUsage, "not the number of a process"},
	} {
		if _, stderr, code := whyRun(t, "", tt.args...); code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: code %d, %s", tt.args, code, stderr)
		}
	}
}
