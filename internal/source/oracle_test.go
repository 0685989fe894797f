package source

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// journal is what servers write down about their requests.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// take is the lines since the last take.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// pprofTool finds go tool pprof.
func pprofTool(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs go tool pprof")
	}
	out, err := exec.Command("go", "tool", "-n", "pprof").Output()
	if err != nil {
		t.Skip("no go tool pprof here")
	}
	return strings.TrimSpace(string(out))
}

// runPprof gives its chatter, line by line, and the requests the server saw.
func runPprof(t *testing.T, tool, saveDir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(tool, append([]string{"-symbolize=none", "-proto", "-output=" + os.DevNull}, args...)...)
	cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+saveDir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // some of the sources do not exist
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(stderr.String()), "\n") {
		if !strings.HasPrefix(l, "Generating report") {
			lines = append(lines, l)
		}
	}
	return lines
}

// TestOracleChatter runs go tool pprof and this package against the same
// server with the same names, and compares what both ask for, what both say and
// under which name both keep the profile.
func TestOracleChatter(t *testing.T) {
	noLeak(t)
	tool := pprofTool(t)
	heap := heapProfile(t)
	var asked journal
	mux := pprofMux(heap)
	mux.HandleFunc("/busy", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Go-Pprof", "1")
		w.WriteHeader(500)
		io.WriteString(w, "Could not enable CPU profiling: cpu profiling already in use\n")
	})
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.add(r.Method + " " + r.URL.String())
		mux.ServeHTTP(w, r)
	})
	host := strings.TrimPrefix(srv.URL, "http://")
	dir := t.TempDir()
	good := writeFile(t, filepath.Join(dir, "good.pb.gz"), heap)
	colon := writeFile(t, filepath.Join(dir, "mem_12:03:55"), heap)

	for _, c := range []struct {
		name    string
		seconds int
		specs   []string
	}{
		{"heap", 0, []string{srv.URL + "/debug/pprof/heap"}},
		{"host and port", 0, []string{host}},
		{"slash", 0, []string{srv.URL + "/"}},
		{"query", 0, []string{host + "/debug/pprof/heap?z=1&debug=0&a=b%20c"}},
		{"seconds", 3, []string{host}},
		{"seconds override", 3, []string{host + "/debug/pprof/profile?seconds=1"}},
		{"file", 0, []string{good}},
		{"file with colons", 0, []string{colon}},
		{"one of two", 0, []string{good, srv.URL + "/debug/pprof/nosuch"}},
		{"busy", 0, []string{srv.URL + "/busy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			theirDir, ourDir := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
			args := c.specs
			if c.seconds > 0 {
				args = append([]string{"-seconds=3"}, args...)
			}
			theirs := runPprof(t, tool, theirDir, args...)
			theyAsked := asked.take()
			ours := fetchLikePprof(t, ourDir, c.specs, Options{Seconds: c.seconds})
			if weAsked := asked.take(); !slices.Equal(theyAsked, weAsked) {
				t.Errorf("requests: pprof %q, ours %q", theyAsked, weAsked)
			}
			a := strings.ReplaceAll(strings.Join(theirs, "\n"), theirDir, "DIR")
			b := strings.ReplaceAll(strings.Join(ours, "\n"), ourDir, "DIR")
			if a != b {
				t.Errorf("pprof said\n%s\nwe say\n%s", a, b)
			}
		})
	}
}

// ourAdvice is what our lines have beyond pprof's.
var ourAdvice = regexp.MustCompile(`; .*$`)

// fetchLikePprof is pprof's sequence: fetch, report failures, keep a copy if
// anything came from a server.
func fetchLikePprof(t *testing.T, saveDir string, specs []string, opt Options) []string {
	t.Helper()
	var lines []string
	opt.Messages = func(s string) { lines = append(lines, s) }
	results, err := Fetch(t.Context(), specs, opt)
	for _, l := range Failures(results, "source") {
		lines = append(lines, ourAdvice.ReplaceAllString(l, ""))
	}
	if err != nil {
		return append(lines, err.Error())
	}
	for _, r := range results {
		if r.Err != nil || !r.Remote {
			continue
		}
		path, err := Save(r.Profile, []string{saveDir}, func(w io.Writer, _ *profile.Profile) error {
			_, err := w.Write(nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, SavedMessage(path))
	}
	return lines
}

// TestOracleSymbol compares the request for symbols: pprof asks for the
// addresses of a profile without functions where we would ask.
func TestOracleSymbol(t *testing.T) {
	noLeak(t)
	tool := pprofTool(t)
	// A legacy text profile: addresses and nothing else.
	const text = "goroutine profile: total 1\n1 @ 0x1001 0x2001\n"
	for _, path := range []string{"/debug/pprof/goroutine", "/pprof/heap", "/growthz", "/a/debug/pprof/heap"} {
		var asked journal
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "POST" {
				io.WriteString(w, text)
				return
			}
			body, _ := io.ReadAll(r.Body)
			asked.add(r.URL.String() + " " + r.Header.Get("Content-Type") + " " + string(body))
			io.WriteString(w, "0x1000 one\n0x2000 two\n")
		})
		cmd := exec.Command(tool, "-symbolize=remote", "-traces", srv.URL+path)
		cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
		out, err := cmd.Output()
		if err != nil || !bytes.Contains(out, []byte("one")) {
			t.Fatalf("pprof: %v\n%s", err, out)
		}
		theirs := asked.take()
		names, err := Symbolz(t.Context(), srv.URL+path, []uint64{0x1000, 0x2000}, Options{})
		if err != nil || names[0x1000] != "one" || names[0x2000] != "two" {
			t.Errorf("%s: names %v, %v", path, names, err)
		}
		if ours := asked.take(); !slices.Equal(theirs, ours) {
			t.Errorf("%s: pprof asked %q, we ask %q", path, theirs, ours)
		}
	}
}
