package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func noWarning(t testing.TB) func(string) {
	return func(s string) { t.Errorf("warning: %s", s) }
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config", "profound", "history")
	h := openHistory(path, noWarning(t))
	for _, l := range []string{"top", "top\n", "  secret", "", "list π", "bad\x1b[2J", "x" + strings.Repeat("y", historyLineBytes), "top"} {
		h.add(l)
	}
	want := []string{"top", "list π", "top"}
	if got := openHistory(path, noWarning(t)).lines; !slices.Equal(got, want) {
		t.Errorf("read back %q, want %q", got, want)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v: %v", p, info.Mode().Perm(), want, err)
		}
	}
}

func TestHistoryBroken(t *testing.T) {
	path := writeFile(t, t.TempDir(), "history", "top\n\x00\xff\n\n"+strings.Repeat("z", 1<<16)+"\ntree\r\npeek\x1b[31m\nlas")
	h := openHistory(path, noWarning(t))
	if want := []string{"top", "tree", "las"}; !slices.Equal(h.lines, want) {
		t.Errorf("read %q, want %q", h.lines, want)
	}
	h.add("next")
	if data, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(data), "\nlas\nnext\n") {
		t.Errorf("after a torn line: %q, %v", data[len(data)-20:], err)
	}
}

func TestHistoryBounded(t *testing.T) {
	var b strings.Builder
	for i := range 2*historyLines + 10 {
		fmt.Fprintf(&b, "top%d\n", i)
	}
	path := writeFile(t, t.TempDir(), "history", b.String())
	h := openHistory(path, noWarning(t))
	if len(h.lines) != historyLines || h.lines[historyLines-1] != fmt.Sprintf("top%d", 2*historyLines+9) {
		t.Errorf("%d lines, the last %q", len(h.lines), h.lines[len(h.lines)-1])
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != historyLines {
		t.Errorf("the file has %d lines: %v", strings.Count(string(data), "\n"), err)
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}

// TestHistoryShared: shells that write at the same time tear no line.
func TestHistoryShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var wg sync.WaitGroup
	const shells, lines = 8, 50
	for s := range shells {
		wg.Go(func() {
			h := openHistory(path, noWarning(t))
			for i := range lines {
				h.add(fmt.Sprintf("peek shell%d line%d %s", s, i, strings.Repeat("x", 100*s+1)))
			}
		})
	}
	wg.Wait()
	h := openHistory(path, noWarning(t))
	if len(h.lines) != shells*lines {
		t.Errorf("%d lines, want %d", len(h.lines), shells*lines)
	}
	for _, l := range h.lines {
		var s, i int
		if n, _ := fmt.Sscanf(l, "peek shell%d line%d", &s, &i); n != 2 || !strings.HasSuffix(l, " "+strings.Repeat("x", 100*s+1)) {
			t.Errorf("torn line %q", l)
		}
	}
}

func TestHistoryTrouble(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(writeFile(t, dir, "file", ""), "history")
	var warnings []string
	h := openHistory(blocked, func(s string) { warnings = append(warnings, s) })
	h.add("top")
	h.add("tree")
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "The history is not kept: ") {
		t.Errorf("warnings %q", warnings)
	}
	if want := []string{"top", "tree"}; !slices.Equal(h.lines, want) {
		t.Errorf("in memory: %q", h.lines)
	}
	openHistory("", noWarning(t)).add("top")
}

func TestHistoryPath(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("other places")
	}
	for _, tc := range []struct {
		vars map[string]string
		want string
	}{
		{map[string]string{"HOME": "/home/x"}, "/home/x/.config/profound/history"},
		{map[string]string{"HOME": "/home/x", "XDG_CONFIG_HOME": "/cfg"}, "/cfg/profound/history"},
		{map[string]string{"HOME": "/home/x", "XDG_CONFIG_HOME": "relative"}, "/home/x/.config/profound/history"},
		{nil, ""},
	} {
		e := &env{getenv: func(k string) string { return tc.vars[k] }}
		if got := historyPath(e); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.vars, got, tc.want)
		}
	}
}
