package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

func savedProfile(t testing.TB, binary string, types ...string) *profile.Profile {
	t.Helper()
	var vt []profile.ValueType
	for _, name := range types {
		vt = append(vt, profile.ValueType{Type: name, Unit: "count"})
	}
	b := profile.NewBuilder(vt...)
	if binary != "" {
		b.AddMapping(profile.Mapping{File: binary})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writeText(w io.Writer, _ *profile.Profile) error {
	_, err := io.WriteString(w, "text")
	return err
}

// list is the names in dir, hidden ones too.
func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "pprof")
	p := savedProfile(t, "/usr/bin/app", "alloc", "inuse")
	for _, want := range []string{"pprof.app.alloc.inuse.001.pb.gz", "pprof.app.alloc.inuse.002.pb.gz"} {
		path, err := Save(p, []string{dir}, writeText)
		if err != nil || path != filepath.Join(dir, want) {
			t.Fatalf("Save = %s, %v; want %s", path, err, want)
		}
		if data, err := os.ReadFile(path); string(data) != "text" || err != nil {
			t.Errorf("%s holds %q, %v", path, data, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "pprof.app.alloc.inuse.001.pb.gz")); err != nil {
		t.Fatal(err)
	}
	path, err := Save(p, []string{dir}, writeText)
	if err != nil || filepath.Base(path) != "pprof.app.alloc.inuse.001.pb.gz" {
		t.Errorf("the free number is not used: %s, %v", path, err)
	}
	if runtime.GOOS != "windows" {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^0o022 != 0o644&^0o022 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	if names := list(t, dir); len(names) != 2 {
		t.Errorf("files %v", names)
	}
	if got := SavedMessage(path); got != "Saved profile in "+path {
		t.Error(got)
	}
}

func TestSaveNames(t *testing.T) {
	long := strings.Repeat("ä", 300)
	for _, c := range []struct {
		binary string
		types  []string
		want   string
	}{
		{"", []string{"cpu"}, "pprof.cpu.001.pb.gz"},
		{"app", nil, "pprof.app.001.pb.gz"},
		{"/a/b", []string{"../../etc/x", "a\nb"}, "pprof.b..._.._etc_x.a_b.001.pb.gz"},
		{"/", []string{"x"}, "pprof._.x.001.pb.gz"},
	} {
		dir := t.TempDir()
		path, err := Save(savedProfile(t, c.binary, c.types...), []string{dir}, writeText)
		if err != nil || path != filepath.Join(dir, c.want) {
			t.Errorf("Save = %s, %v; want %s", path, err, c.want)
		}
	}
	if path, err := Save(savedProfile(t, long, long), []string{t.TempDir()}, writeText); err != nil || len(filepath.Base(path)) > 255 {
		t.Errorf("long name: %s, %v", path, err)
	}
}

func TestSaveCandidates(t *testing.T) {
	tmp := t.TempDir()
	file := writeFile(t, filepath.Join(tmp, "file"), nil)
	good := filepath.Join(tmp, "good")
	p := savedProfile(t, "app", "cpu")
	path, err := Save(p, []string{filepath.Join(file, "sub"), good}, writeText)
	if err != nil || filepath.Dir(path) != good {
		t.Errorf("Save = %s, %v", path, err)
	}
	_, err = Save(p, []string{filepath.Join(file, "sub")}, writeText)
	wantError(t, err, "could not save profile: could not use dir "+filepath.Join(file, "sub"))
	_, err = Save(p, nil, writeText)
	wantError(t, err, "could not save profile: no directory")
}

func TestSaveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	p := savedProfile(t, "app", "cpu")
	broken := errors.New("encoder broke")
	_, err := Save(p, []string{dir}, func(w io.Writer, p *profile.Profile) error {
		writeText(w, p)
		if names := list(t, dir); len(names) != 1 || !strings.HasPrefix(names[0], ".") {
			t.Errorf("while writing: files %v", names)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		Save(p, []string{dir}, func(io.Writer, *profile.Profile) error { panic("interrupted") })
	}()
	if names := list(t, dir); len(names) != 0 {
		t.Errorf("files left: %v", names)
	}
}

func TestSaveTogether(t *testing.T) {
	dir := t.TempDir()
	p := savedProfile(t, "app", "cpu")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := Save(p, []string{dir}, writeText); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	names := list(t, dir)
	if len(names) != 20 || names[0] != "pprof.app.cpu.001.pb.gz" || names[19] != "pprof.app.cpu.020.pb.gz" {
		t.Errorf("files %v", names)
	}
}

func TestSaveDirs(t *testing.T) {
	env := map[string]string{"PPROF_TMPDIR": "/p", "HOME": "/h", "USERPROFILE": "/u", "home": "/9"}
	getenv := func(k string) string { return env[k] }
	for goos, home := range map[string]string{"linux": "/h", "windows": "/u", "plan9": "/9"} {
		want := []string{"/p", filepath.Join(home, "pprof"), "/tmp"}
		if got := SaveDirs(getenv, goos, "/tmp"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", goos, got, want)
		}
	}
	if got := SaveDirs(func(string) string { return "" }, "linux", "/tmp"); !slices.Equal(got, []string{"/tmp"}) {
		t.Errorf("bare: %v", got)
	}
}

func TestTempName(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "profile001.svg"), nil)
	got, err := TempName(dir, "profile", ".svg")
	if err != nil || got != filepath.Join(dir, "profile002.svg") {
		t.Errorf("TempName = %s, %v", got, err)
	}
	t.Chdir(dir)
	if got, err = TempName("", "profile", ".png"); err != nil || got != "profile001.png" {
		t.Errorf("TempName = %s, %v", got, err)
	}
	_, err = TempName(filepath.Join(dir, "profile001.svg"), "profile", ".svg")
	wantError(t, err, "not a directory")
}

func commitText(t testing.TB, path, text string) {
	t.Helper()
	f, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	io.WriteString(f, text)
	if f.Name() != path {
		t.Errorf("name %s, want %s", f.Name(), path)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v", err)
	}
}

func wantText(t testing.TB, path, want string) {
	t.Helper()
	if data, err := os.ReadFile(path); err != nil || string(data) != want {
		t.Errorf("%s holds %q, %v; want %q", path, data, err, want)
	}
}

func TestAtomicFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	commitText(t, path, "one")
	wantText(t, path, "one")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := CreateAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "half")
	wantText(t, path, "one")
	f.Abort()
	f.Abort()
	wantText(t, path, "one")
	commitText(t, path, "two")
	wantText(t, path, "two")
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want that of the old file", info.Mode())
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("files %v", names)
	}
	_, err = CreateAtomic(dir)
	wantError(t, err, "is a directory")
	_, err = CreateAtomic(filepath.Join(dir, "no", "out"))
	wantError(t, err, "create "+filepath.Join(dir, "no", "out"), "no such file")
}

func TestAtomicFileLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Skip(err)
	}
	for _, text := range []string{"through a dangling link", "through a link"} {
		commitText(t, link, text)
		wantText(t, target, text)
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link was replaced: %v, %v", info, err)
		}
	}
}

func TestAtomicFileDirect(t *testing.T) {
	r, w := pipe(t)
	path := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("no /dev/fd here")
	}
	commitText(t, path, "through the pipe")
	w.Close()
	if data, err := io.ReadAll(r); string(data) != "through the pipe" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	// Redirected output follows what is there and the file stays the same.
	file, err := os.Create(filepath.Join(t.TempDir(), "redirected"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	io.WriteString(file, "before ")
	commitText(t, fmt.Sprintf("/dev/fd/%d", file.Fd()), "after")
	wantText(t, file.Name(), "before after")
	commitText(t, os.DevNull, "gone")
}

func TestAtomicFileInFixedDir(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "out"), []byte("a long old text"))
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	commitText(t, path, "new")
	wantText(t, path, "new")
}
