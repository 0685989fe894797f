package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/format"
)

// heapProfile is a real heap profile of this process.
func heapProfile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("heap").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// fetch1 fetches one source that must give one result.
func fetch1(t testing.TB, spec string, opt Options) Result {
	t.Helper()
	results, err := Fetch(t.Context(), []string{spec}, opt)
	if len(results) != 1 {
		t.Fatalf("Fetch(%q) = %d results, %v", spec, len(results), err)
	}
	if (err != nil) != (results[0].Err != nil) {
		t.Fatalf("Fetch(%q): error %v, result %v", spec, err, results[0].Err)
	}
	return results[0]
}

func wantProfile(t testing.TB, r Result) {
	t.Helper()
	if r.Err != nil {
		t.Fatalf("%s: %v", r.Spec, r.Err)
	}
	if r.Profile == nil || r.Profile.Samples.Len() == 0 && len(r.Profile.SampleTypes) != 4 || r.Kind != format.KindProto {
		t.Fatalf("%s: profile %v of kind %q", r.Spec, r.Profile, r.Kind)
	}
}

// wantError checks that err has all of parts in its text.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q\nlacks %q", err, p)
		}
	}
}

// noLeak fails the test if goroutines of this package or of its HTTP client
// outlive it. They may still be on their way out, so it yields until they are.
func noLeak(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		buf := make([]byte, 1<<20)
		deadline := time.Now().Add(10 * time.Second)
		for {
			all := string(buf[:runtime.Stack(buf, true)])
			var left []string
			for _, g := range strings.Split(all, "\n\n") {
				if strings.Contains(g, "testing.tRunner") {
					continue
				}
				if strings.Contains(g, "internal/source.") || strings.Contains(g, "net/http.(*persistConn)") {
					left = append(left, g)
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("goroutines left:\n%s", strings.Join(left, "\n\n"))
				return
			}
			runtime.Gosched()
		}
	})
}

// fakeClock is a clock that stands still until it is advanced.
type fakeClock struct {
	mu     sync.Mutex
	change *sync.Cond
	now    time.Time
	timers []*fakeTimer
	armed  int // timers ever
}

type fakeTimer struct {
	at time.Time
	f  func()
}

func newFakeClock() *fakeClock {
	c := &fakeClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	c.change = sync.NewCond(&c.mu)
	return c
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	c.armed++
	c.change.Broadcast()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.remove(t)
	}
}

// await returns when n timers were armed in all.
func (c *fakeClock) await(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.armed < n {
		c.change.Wait()
	}
}

func (c *fakeClock) remove(t *fakeTimer) bool {
	for i := range c.timers {
		if c.timers[i] == t {
			c.timers = append(c.timers[:i:i], c.timers[i+1:]...)
			return true
		}
	}
	return false
}

// advance moves the clock, running what falls due on the way.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	for {
		var next *fakeTimer
		for _, t := range c.timers {
			if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
				next = t
			}
		}
		if next == nil {
			break
		}
		c.remove(next)
		c.now = next.at
		c.mu.Unlock()
		next.f()
		c.mu.Lock()
	}
	c.now = end
	c.mu.Unlock()
}

func TestFetchFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	data := heapProfile(t)
	var specs []string
	for i := range 20 {
		specs = append(specs, writeFile(t, filepath.Join(dir, fmt.Sprintf("%02d.pb.gz", 19-i)), data))
	}
	clock := newFakeClock()
	results, err := Fetch(t.Context(), specs, Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		wantProfile(t, r)
		if r.Spec != specs[i] || r.Name != specs[i] || r.Remote || r.URL != "" || r.Bytes != int64(len(data)) || !r.Time.Equal(clock.now) {
			t.Errorf("result %d: %+v", i, r)
		}
	}
}

func TestFetchNothing(t *testing.T) {
	if _, err := Fetch(t.Context(), nil, Options{}); err == nil {
		t.Error("no error for no sources")
	}
}

func TestSomeFail(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, filepath.Join(dir, "good.pb.gz"), heapProfile(t))
	gone := filepath.Join(dir, "gone")
	results, err := Fetch(t.Context(), []string{gone, good}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantProfile(t, results[1])
	if !errors.Is(results[0].Err, fs.ErrNotExist) || results[0].Profile != nil {
		t.Errorf("result of a missing file: %+v", results[0])
	}
	got := strings.Join(Failures(results, "source"), "\n")
	if want := results[0].Err.Error() + "\nFetched 1 source profiles out of 2"; got != want {
		t.Errorf("Failures = %q, want %q", got, want)
	}
}

func TestAllFail(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	results, err := Fetch(t.Context(), []string{gone, gone}, Options{Role: "base"})
	if len(results) != 2 || err == nil || err.Error() != "failed to fetch any base profiles" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%d results, error %v", len(results), err)
	}
	if lines := Failures(results, "base"); len(lines) != 2 {
		t.Errorf("Failures = %q", lines)
	}
	if _, err = Fetch(t.Context(), []string{gone}, Options{}); err.Error() != "failed to fetch any source profiles" {
		t.Error(err)
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, "heap.pb.gz", heapProfile(t))
	writeFile(t, "empty", nil)
	writeFile(t, "notes.txt", []byte("# just some words\n"))
	for _, c := range []struct {
		spec  string
		parts []string
	}{
		{"", []string{"empty source name"}},
		{"-focus=x", []string{"-focus=x: no such file or directory; it looks like a flag", "./-focus=x"}},
		{"heap", []string{"heap: no such file or directory; did you mean heap.pb.gz?"}},
		{"haep.pb.gz", []string{"did you mean heap.pb.gz?"}},
		{"HEAP.PB.GZ", []string{"did you mean heap.pb.gz?"}},
		{dir + "/heap.pb.g", []string{"did you mean " + dir + "/heap.pb.gz?"}},
		{"no/such/dir/heap.pb.gz", []string{"there is no directory no"}},
		{"zzzzzzzzzzzz", []string{"zzzzzzzzzzzz: no such file or directory"}},
		{"*.nothing", []string{"no file matches this pattern"}},
		{"[a-", []string{"pattern: syntax error"}},
		{"~/x*", []string{"~ stands for the home directory"}},
		{"localhost", []string{"for a server write localhost:PORT"}},
		{"localhost/debug/pprof/heap", []string{"for a server write http://localhost/debug/pprof/heap"}},
		{"ftp://h/x", []string{`url scheme "ftp" is not one of`}},
		{"http://h:port/", []string{"url: invalid port"}},
		{"unix:", []string{"unix socket without a path"}},
		{"-", []string{"there is no standard input"}},
		{"file:///no/such/file", []string{"no such file"}},
		{"empty", []string{"empty: empty input file"}},
		{"notes.txt", []string{"notes.txt: unrecognized profile format"}},
	} {
		r := fetch1(t, c.spec, Options{})
		wantError(t, r.Err, c.parts...)
	}
}

func TestPermissionDenied(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "secret"), heapProfile(t))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	wantError(t, fetch1(t, path, Options{}).Err, "permission denied", "this user may not read it")
}

func TestFileURL(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "a b.pb.gz"), heapProfile(t))
	wantProfile(t, fetch1(t, "file://"+strings.ReplaceAll(filepath.ToSlash(path), " ", "%20"), Options{}))
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	data := heapProfile(t)
	for _, name := range []string{"b.pb.gz", "a.pb.gz", ".hidden"} {
		writeFile(t, filepath.Join(dir, name), data)
	}
	writeFile(t, filepath.Join(dir, "README"), []byte("# how these were taken\n"))
	writeFile(t, filepath.Join(dir, "cut.pb.gz"), data[:len(data)/2])
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{dir, filepath.Join(dir, "[a-zR]*")} {
		results, err := Fetch(t.Context(), []string{spec}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range results {
			names = append(names, filepath.Base(r.Name))
			if r.Spec != spec {
				t.Errorf("spec %q, want %q", r.Spec, spec)
			}
		}
		if got := strings.Join(names, " "); got != "README a.pb.gz b.pb.gz cut.pb.gz" {
			t.Fatalf("%s: files %s", spec, got)
		}
		wantError(t, results[0].Err, filepath.Join(dir, "README")+": unrecognized profile format")
		wantProfile(t, results[1])
		wantProfile(t, results[2])
		wantError(t, results[3].Err, "cut.pb.gz: ")
		// The README is no failed source, the damaged profile is.
		lines := Failures(results, "source")
		if len(lines) != 3 || lines[2] != "Fetched 2 source profiles out of 3" {
			t.Errorf("Failures = %q", lines)
		}
	}
}

func TestDirectoryWithoutProfiles(t *testing.T) {
	dir := t.TempDir()
	wantError(t, fetch1(t, dir, Options{}).Err, dir+": directory without profiles")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	wantError(t, fetch1(t, dir, Options{}).Err, "directories inside it are not searched")
	wantError(t, fetch1(t, filepath.Join(dir, "*"), Options{}).Err, "pattern matches directories")
	writeFile(t, filepath.Join(dir, "README"), []byte("# words\n"))
	writeFile(t, filepath.Join(dir, "TODO"), []byte("# words\n"))
	wantError(t, fetch1(t, dir, Options{}).Err, dir+": no profiles among 2 files; the first: ", "README: unrecognized")
}

func TestLimit(t *testing.T) {
	data := heapProfile(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "heap.pb.gz"), data)
	r := fetch1(t, path, Options{MaxBytes: 100})
	if !errors.Is(r.Err, format.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", r.Err)
	}
}

func TestStdin(t *testing.T) {
	data := heapProfile(t)
	for _, spec := range []string{"-", "/dev/stdin", "/dev/fd/0"} {
		wantProfile(t, fetch1(t, spec, Options{Stdin: bytes.NewReader(data)}))
		// A reader of unknown nature is read through the pump.
		wantProfile(t, fetch1(t, spec, Options{Stdin: struct{ io.Reader }{bytes.NewReader(data)}}))
	}
	results, err := Fetch(t.Context(), []string{"-", "-"}, Options{Stdin: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	wantProfile(t, results[0])
	wantError(t, results[1].Err, "standard input can be read only once")
	wantError(t, fetch1(t, "-", Options{Stdin: strings.NewReader("")}).Err, "standard input: empty input file")
}

// pipe is an os.Pipe whose ends are closed after the test.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestStdinPipe(t *testing.T) {
	noLeak(t)
	data := heapProfile(t)
	r, w := pipe(t)
	go func() {
		w.Write(data)
		w.Close()
	}()
	wantProfile(t, fetch1(t, "-", Options{Stdin: r}))
}

func TestDevFd(t *testing.T) {
	r, w := pipe(t)
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("no /dev/fd here")
	}
	data := heapProfile(t)
	go func() {
		w.Write(data)
		w.Close()
	}()
	wantProfile(t, fetch1(t, path, Options{}))
}

func mkfifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := exec.Command("mkfifo", path).Run(); err != nil {
		t.Skip("no mkfifo here")
	}
	return path
}

func TestNamedPipe(t *testing.T) {
	noLeak(t)
	path := mkfifo(t)
	data := heapProfile(t)
	go func() {
		if w, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			w.Write(data)
			w.Close()
		}
	}()
	wantProfile(t, fetch1(t, path, Options{}))
}

// chanReader tells when it is read, and then never returns until it is closed.
type chanReader struct {
	reading chan struct{}
	closed  chan struct{}
}

func (c *chanReader) Read([]byte) (int, error) {
	close(c.reading)
	<-c.closed
	return 0, io.EOF
}

func TestCancelLocal(t *testing.T) {
	noLeak(t)
	fifo := mkfifo(t)
	r, w := pipe(t)
	w.Write([]byte{0x1f, 0x8b}) // a gzip that does not go on
	stuck := &chanReader{make(chan struct{}), make(chan struct{})}
	defer close(stuck.closed)
	for name, c := range map[string]struct {
		spec string
		opt  Options
	}{
		"pipe nobody writes to":  {fifo, Options{}},
		"stdin pipe":             {"-", Options{Stdin: r}},
		"stdin without deadline": {"-", Options{Stdin: stuck}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			opt := c.opt
			go func() {
				if opt.Stdin == stuck {
					<-stuck.reading
				}
				cancel()
			}()
			results, err := Fetch(ctx, []string{c.spec}, opt)
			if err != context.Canceled || results != nil {
				t.Errorf("%v, %v; want context.Canceled", results, err)
			}
		})
	}
	// The pipe of the caller is usable again.
	w.Write([]byte("x"))
	buf := make([]byte, 8)
	if n, err := r.Read(buf); n == 0 || err != nil {
		t.Errorf("after a cancelled fetch: read %d, %v", n, err)
	}
}

func TestCancelOpenedPipe(t *testing.T) {
	noLeak(t)
	path := mkfifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan *os.File, 1)
	go func() {
		w, _ := os.OpenFile(path, os.O_WRONLY, 0) // returns when Fetch has opened its end
		opened <- w
		cancel()
	}()
	_, err := Fetch(ctx, []string{path}, Options{})
	if err != context.Canceled {
		t.Errorf("error %v", err)
	}
	if w := <-opened; w != nil {
		w.Close()
	}
}

func TestRedact(t *testing.T) {
	for spec, want := range map[string]string{
		"http://u:secret@h:1/x":  "http://u:xxxxx@h:1/x",
		"u:secret@h:1/x":         "u:xxxxx@h:1/x",
		"https+insecure://a:b@h": "https+insecure://a:xxxxx@h",
		"file.pb.gz":             "file.pb.gz",
		"h:6060":                 "h:6060",

		"https://h/x?access_token=s3cret&seconds=5":  "https://h/x?access_token=xxxxx&seconds=5",
		"h:1/heap?seconds=5&X-Amz-Signature=s3cret":  "h:1/heap?seconds=5&X-Amz-Signature=xxxxx",
		"https://u:p@h/x?api%4Bey=s3cret#y":          "https://u:xxxxx@h/x?api%4Bey=xxxxx#y",
		"unix:/run/x.sock:/heap?password=s3cret":     "unix:/run/x.sock:/heap?password=xxxxx",
		"https://h/x?debug=1&gc=1&seconds=2&token=&": "https://h/x?debug=1&gc=1&seconds=2&token=&",
	} {
		if got := Redact(spec); got != want {
			t.Errorf("Redact(%q) = %q, want %q", spec, got, want)
		}
	}
}
