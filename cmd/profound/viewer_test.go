package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// viewerSession is a session whose browser is a script that notes what it got.
func viewerSession(t *testing.T, script string) (s *session, ts *testShell, note string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script")
	}
	dir := t.TempDir()
	note = filepath.Join(dir, "note")
	path := writeFile(t, dir, "my browser", "#!/bin/sh\n"+strings.ReplaceAll(script, "NOTE", note)+"\n")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	ts = newTestShell(t, "")
	ts.s.env.getenv = func(k string) string {
		if k == "BROWSER" {
			return path
		}
		return ""
	}
	ts.s.temps = &tempDir{}
	return ts.s, ts, note
}

func page(w io.Writer) error {
	_, err := io.WriteString(w, "<page>")
	return err
}

func TestView(t *testing.T) {
	s, _, note := viewerSession(t, `echo "$1" >'NOTE'; cat "$1" >>'NOTE'; ls -l "$1" | cut -c1-10 >>'NOTE'; ls -ld "${1%/*}" | cut -c1-10 >>'NOTE'`)
	d := destination{s: s, ext: "html", viewer: "browser"}
	for i := range 2 {
		if err := d.view(t.Context(), page); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		file := lines[0]
		if want := fmt.Sprintf("profile%03d.html", i+1); filepath.Base(file) != want {
			t.Errorf("file %s, want %s", file, want)
		}
		if got := strings.Join(lines[1:], "\n"); got != "<page>-rw-------\ndrwx------\n" {
			t.Errorf("the viewer saw %q", got)
		}
	}
	dir := s.temps.path
	s.temps.remove()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestViewFails(t *testing.T) {
	t.Run("viewer fails", func(t *testing.T) {
		s, _, _ := viewerSession(t, "exit 3")
		err := destination{s: s, ext: "svg", viewer: "browser"}.view(t.Context(), page)
		s.temps.remove()
		if err == nil || !strings.Contains(err.Error(), "my browser: exit status 3\nThe report is in ") {
			t.Fatalf("error %v", err)
		}
		checkLeft(t, s, err)
	})
	t.Run("no viewer", func(t *testing.T) {
		t.Setenv("PATH", "")
		ts := newTestShell(t, "")
		ts.s.temps = &tempDir{}
		err := destination{s: ts.s, ext: "svg", viewer: "browser"}.view(t.Context(), page)
		ts.s.temps.remove()
		if err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), "Tried: chrome (not found), google-chrome (not found), chromium (not found), firefox") {
			t.Fatalf("error %v", err)
		}
		checkLeft(t, ts.s, err)
	})
	t.Run("report fails", func(t *testing.T) {
		s, _, note := viewerSession(t, "touch 'NOTE'")
		broken := errors.New("broken")
		err := destination{s: s, ext: "svg", viewer: "browser"}.view(t.Context(), func(io.Writer) error { return broken })
		if !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		if _, err := os.Stat(note); err == nil {
			t.Error("the viewer was started")
		}
		s.temps.remove()
	})
	t.Run("interrupted", func(t *testing.T) {
		s, _, _ := viewerSession(t, "true")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := (destination{s: s, ext: "svg", viewer: "browser"}).view(ctx, page); !errors.Is(err, errInterrupted) {
			t.Errorf("error %v", err)
		}
		s.temps.remove()
	})
}

// checkLeft looks for the file that err names.
func checkLeft(t *testing.T, s *session, err error) {
	t.Helper()
	_, file, _ := strings.Cut(err.Error(), "The report is in ")
	if data, err := os.ReadFile(file); err != nil || string(data) != "<page>" {
		t.Errorf("the report was not kept: %v", err)
	}
	os.RemoveAll(s.temps.path)
}

func TestViewers(t *testing.T) {
	e := &env{getenv: func(string) string { return "" }}
	if got := viewers("gv", e); !slices.Equal(got, []string{"gv --noantialias"}) {
		t.Errorf("gv: %q", got)
	}
	if got := viewers("eog", e); !slices.Equal(got, []string{"eog"}) {
		t.Errorf("eog: %q", got)
	}
	if runtime.GOOS != "linux" {
		return
	}
	vars := map[string]string{"BROWSER": "w3m -T text/html"}
	e.getenv = func(k string) string { return vars[k] }
	want := []string{"w3m -T text/html", "chrome", "google-chrome", "chromium", "firefox", "sensible-browser"}
	if got := viewers("browser", e); !slices.Equal(got, want) {
		t.Errorf("browsers: %q", got)
	}
	vars["DISPLAY"] = ":0"
	if got := viewers("browser", e); got[len(got)-1] != "xdg-open" {
		t.Errorf("with a display: %q", got)
	}
}

func TestViewerArgs(t *testing.T) {
	for line, want := range map[string][]string{
		"firefox":              {"firefox", "/t/f"},
		"firefox --new-window": {"firefox", "--new-window", "/t/f"},
		"open %s --wait":       {"open", "/t/f", "--wait"},
		"see file://%s":        {"see", "file:///t/f"},
	} {
		if got := viewerArgs(line, "/t/f"); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
