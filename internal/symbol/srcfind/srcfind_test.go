package srcfind

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// machine is a file system rooted at /, for tables of Unix paths.
func machine(files map[string]string) func(string) (fs.File, error) {
	m := fstest.MapFS{}
	for name, text := range files {
		m[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text)}
	}
	return func(name string) (fs.File, error) {
		return m.Open(strings.TrimPrefix(filepath.ToSlash(name), "/"))
	}
}

func TestFind(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("table of Unix paths")
	}
	files := machine(map[string]string{
		"/usr/local/go/src/runtime/proc.go":                      "",
		"/usr/local/go/src/vendor/golang.org/x/net/idna/idna.go": "",
		"/mod/github.com/!foo/bar@v1.2.3/x.go":                   "",
		"/mod/github.com/foo/plain/v2@v2.0.0-rc.1/sub/y.go":      "",
		"/proj/app/go.mod":                                       "// app\nmodule github.com/me/app // main\n\ngo 1.26\n",
		"/proj/app/main.go":                                      "package main",
		"/proj/app/internal/x/x.go":                              "",
		"/proj/app/vendor/github.com/Ven/dored/z.go":             "",
		"/proj/app/cmd/tool/tool.go":                             "",
		"/proj/go.work":                                          "go 1.26\nuse (\n\t./app\n\t\"./lib\" // other\n)\n",
		"/proj/lib/go.mod":                                       "module example.com/lib\n",
		"/proj/lib/l.go":                                         "",
		"/src/my-project/foo/bar.c":                              "",
		"/src/up.c":                                              "",
		"/abs/file.go":                                           "",
		"/proc/self/cwd/should/not/be/used.c":                    "",
		"/src/my-project/sand/box.c":                             "",
	})
	opts := Options{
		SearchPath: []string{"/src/my-project"}, Dir: "/proj/app/cmd",
		GOROOT: "/usr/local/go", GOMODCACHE: "/mod", Open: files,
	}
	for _, c := range []struct {
		name, want string
		how        How
	}{
		// pprof's rule.
		{"/abs/file.go", "/abs/file.go", Tool},
		{"/remote/my-project/foo/bar.c", "/src/my-project/foo/bar.c", Tool},
		{"foo/bar.c", "/src/my-project/foo/bar.c", Tool},
		{"up.c", "/src/up.c", Tool},
		{"/proc/self/cwd/sand/box.c", "/src/my-project/sand/box.c", Tool},
		{"/proc/self/cwd/./sand/box.c", "/src/my-project/sand/box.c", Tool},
		{"abs/file.go", "/abs/file.go", Tool}, // the parents reach the root
		// GOROOT.
		{"runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"$GOROOT/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"/opt/go1.21.5/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"/home/u/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.25.1.linux-amd64/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"/opt/hostedtoolcache/go/1.22.1/x64/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"C:/Program Files/Go/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", GoRoot},
		{`C:\Go\src\runtime\proc.go`, "/usr/local/go/src/runtime/proc.go", GoRoot},
		{"vendor/golang.org/x/net/idna/idna.go", "/usr/local/go/src/vendor/golang.org/x/net/idna/idna.go", GoRoot},
		{"/strange/place/src/runtime/proc.go", "/usr/local/go/src/runtime/proc.go", Guess},
		// Module cache.
		{"github.com/Foo/bar@v1.2.3/x.go", "/mod/github.com/!foo/bar@v1.2.3/x.go", ModCache},
		{"/home/x/go/pkg/mod/github.com/!foo/bar@v1.2.3/x.go", "/mod/github.com/!foo/bar@v1.2.3/x.go", ModCache},
		{"C:/Users/x/go/pkg/mod/github.com/!foo/bar@v1.2.3/x.go", "/mod/github.com/!foo/bar@v1.2.3/x.go", ModCache},
		{"/cache/mod/github.com/foo/plain/v2@v2.0.0-rc.1/sub/y.go", "/mod/github.com/foo/plain/v2@v2.0.0-rc.1/sub/y.go", ModCache},
		// Vendor directories.
		{"github.com/Ven/dored@v0.1.0/z.go", "/proj/app/vendor/github.com/Ven/dored/z.go", Vendor},
		{"/build/app/vendor/github.com/Ven/dored/z.go", "/proj/app/vendor/github.com/Ven/dored/z.go", Vendor},
		{"/home/x/go/pkg/mod/github.com/!ven/dored@v0.1.0/z.go", "/proj/app/vendor/github.com/Ven/dored/z.go", Vendor},
		// Main module and workspace.
		{"github.com/me/app/internal/x/x.go", "/proj/app/internal/x/x.go", MainModule},
		{"/home/x/go/src/github.com/me/app/main.go", "/proj/app/main.go", MainModule},
		{"example.com/lib/l.go", "/proj/lib/l.go", MainModule},
		{"example.com/lib@v1.0.0/l.go", "/proj/lib/l.go", OtherRev},
		{"/ci/build/1234/internal/x/x.go", "/proj/app/internal/x/x.go", Guess},
		{"/ci/build/1234/cmd/tool/tool.go", "/proj/app/cmd/tool/tool.go", Guess},
	} {
		found, err := New(opts).Find(c.name)
		if err != nil || found.Path != c.want || found.How != c.how {
			t.Errorf("%s: %+v %v, want %s by %s", c.name, found, err, c.want, c.how)
		}
	}
}

func TestTrimPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("table of Unix paths")
	}
	f := New(Options{SearchPath: []string{"/src/proj"}, TrimPath: []string{"/a", "/b/"}, ToolOnly: true, Open: machine(map[string]string{"/src/proj/x.c": "x"})})
	for name, ok := range map[string]bool{"/a/x.c": true, "/b/x.c": true, "/remote/proj/x.c": false, "/ab/x.c": false} {
		if _, err := f.Find(name); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotFound(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("table of Unix paths")
	}
	opts := Options{SearchPath: []string{"/a/b"}, Dir: "/proj", GOROOT: "/go", GOMODCACHE: "/mod", Open: machine(nil)}
	_, err := New(opts).Find("example.com/X/y@v1.0.0/z.go")
	var nf *NotFoundError
	if !errors.As(err, &nf) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v", err)
	}
	if want := "could not find file example.com/X/y@v1.0.0/z.go on path /a/b"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	for _, want := range []string{"/a/b/example.com/X/y@v1.0.0/z.go", "/mod/example.com/!x/y@v1.0.0/z.go", "/proj/vendor/example.com/X/y/z.go"} {
		if !slices.Contains(nf.Tried, want) {
			t.Errorf("did not try %s but %q", want, nf.Tried)
		}
	}
	// Nothing leads out of the directories the Go rules look in.
	for _, name := range []string{"github.com/a/b@v1.0.0/../../../../etc/passwd", "$GOROOT/../etc/passwd", "/x/go/src/runtime/../../../etc/passwd"} {
		_, err := New(Options{Dir: "/proj", GOROOT: "/go", GOMODCACHE: "/mod", Open: machine(map[string]string{"/etc/passwd": ""})}).Find(name)
		if err == nil {
			t.Errorf("%s: found", name)
		}
	}
}

func TestLines(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.c")
	if err := os.WriteFile(file, []byte("one\r\ntwo\n\nfour"), 0o644); err != nil {
		t.Fatal(err)
	}
	lines, found, err := New(Options{SearchPath: []string{dir}}).Lines("x.c")
	if err != nil || found.Path != file || !slices.Equal(lines, []string{"one", "two", "", "four"}) {
		t.Errorf("%q %+v %v", lines, found, err)
	}
	if _, _, err := New(Options{SearchPath: []string{dir}, MaxBytes: 5}).Lines("x.c"); !errors.Is(err, errTooLong) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := New(Options{SearchPath: []string{filepath.Dir(dir)}}).Find(dir); err == nil {
		t.Error("a directory was found as a source file")
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"runtime/proc.go", "a@v1/b", "/x/pkg/mod/a@v1/b", "C:\\x", "$GOROOT/x", "/a/vendor/b.c/d", "", "/", "@v/"} {
		f.Add(s)
	}
	finder := New(Options{SearchPath: []string{"/s"}, Dir: "/proj", GOROOT: "/go", GOMODCACHE: "/mod", Open: machine(map[string]string{"/proj/go.mod": "module a.b/c"})})
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) < 200 {
			finder.Find(name)
		}
	})
}
