package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// step waits until the screen shows a text, after what the step before waited
// for, and then types.
type step struct{ wait, keys string }

// terminal runs a command on a terminal that script(1) makes.
func terminal(t *testing.T, vars []string, command string, steps []step) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "script", "-qec", "stty cols 80 rows 24; exec "+command, os.DevNull)
	cmd.Env = append(vars, "TERM=xterm", "PATH="+os.Getenv("PATH"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var screen strings.Builder
	seen := 0
	buf := make([]byte, 4096)
	for _, s := range steps {
		for !strings.Contains(screen.String()[seen:], s.wait) {
			n, err := stdout.Read(buf)
			screen.Write(buf[:n])
			if err != nil {
				t.Fatalf("the screen never shows %q: %v\n%s", s.wait, err, screen.String())
			}
		}
		seen += strings.Index(screen.String()[seen:], s.wait) + len(s.wait)
		if _, err := io.WriteString(stdin, s.keys); err != nil {
			t.Fatal(err)
		}
	}
	io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, screen.String())
	}
}

// TestLineEditor presses keys and looks at the screen.
func TestLineEditor(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("needs script of util-linux")
	}
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip(err)
	}
	home := t.TempDir()
	vars := []string{"HOME=" + home, "NO_COLOR=1"}
	command := "'" + buildSelf(t) + "' '" + shopFile(t) + "'"
	terminal(t, vars, command, []step{
		{editPrompt, "pee\t"},
		{"peek ", "AddA\t"},
		{`shop\.\(\*Cart\)\.AddAll`, "\r"},
		{"shop.(*Cart).Add\r\n", ""},
		{editPrompt, "peek Add\t\t"},
		{"\nshop.(*Cart).Add  ", "\x15tpo\r"},
		{`unrecognized command: "tpo"`, ""},
		{"Hint: did you mean top?", ""},
		{editPrompt, "\x03"},
		{"Type q or press Ctrl-D to quit.", ""},
		{editPrompt, "raw | cat -A | tail -1\r"},
		{"[FN][FL][LN]$", ""},
		{editPrompt, "\x04"},
	})
	path := filepath.Join(home, ".config", "profound", "history")
	want := "peek shop\\.\\(\\*Cart\\)\\.AddAll\ntpo\nraw | cat -A | tail -1\n"
	if data, err := os.ReadFile(path); err != nil || string(data) != want {
		t.Errorf("history %q: %v", data, err)
	}
	// The next session finds it.
	terminal(t, vars, command, []step{
		{editPrompt, "\x12AddA"},
		{"(reverse-i-search)`AddA'", "\r"},
		{"shop.(*Cart).Add\r\n", ""},
		{editPrompt, "q\r"},
	})
}
