package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update-docs", false, "write the outputs of the commands in README.md and docs")

// TestDocs runs the commands in the documentation: in blocks marked
// ```console a line that begins with "$ " is a command for sh, the lines below
// it are what it prints. They run in a copy of docs/guide/orders, where the
// profiles are that the documentation talks about.
func TestDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for sh")
	}
	const root = "../.."
	pages := []string{filepath.Join(root, "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shell := docsShell(t, filepath.Join(root, "docs", "guide", "orders"))
	passed, failed := 0, 0
	for _, page := range pages {
		old, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text, commands := replay(string(old), shell)
		if text == string(old) {
			passed += commands
			continue
		}
		if *updateDocs {
			if err := os.WriteFile(page, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		failed++
		t.Errorf("%s: the commands print something else now; look at it, then run go test ./cmd/profound -run Docs -update-docs\n%s",
			strings.TrimPrefix(page, root+"/"), firstNewLine(string(old), text))
	}
	t.Logf("%d passed, %d failed", passed, failed)
}

// firstNewLine shows the first line in which two texts differ.
func firstNewLine(old, text string) string {
	was, is := strings.Split(old, "\n"), strings.Split(text, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			return fmt.Sprintf("line %d was  %q\nline %d is   %q", i+1, was[i], i+1, is[i])
		}
	}
	return "one has more lines"
}

// replay runs the commands of a page and returns the page with what they
// printed.
func replay(page string, shell func(command string) string) (text string, commands int) {
	var b strings.Builder
	in, skip := false, false // within a block; within an old output
	for line := range strings.Lines(page) {
		bare := strings.TrimRight(line, "\n")
		command, isCommand := strings.CutPrefix(bare, "$ ")
		switch {
		case bare == "```console":
			in, skip = true, false
		case bare == "```":
			in, skip = false, false
		case in && isCommand:
			commands++
			b.WriteString(line + shell(command))
			skip = true
			continue
		}
		if !skip {
			b.WriteString(line)
		}
	}
	return b.String(), commands
}

// docsShell makes a function that runs a command in a copy of dir, with our
// program in the search path, and returns all it prints.
func docsShell(t *testing.T, dir string) func(command string) string {
	t.Helper()
	home := t.TempDir()
	// The copy has the name of the original, by which sources are found.
	work := filepath.Join(home, "docs", "guide", filepath.Base(dir))
	if err := os.CopyFS(work, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "HOME="+home, "PPROF_TMPDIR="+home, "PPROF_BINARY_PATH=", "TZ=UTC", "NO_COLOR=1", "TERM=dumb",
		"PATH="+filepath.Dir(buildSelf(t))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func(command string) string {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = work, env
		out, err := cmd.CombinedOutput()
		text := string(out)
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		if _, ok := err.(*exec.ExitError); err != nil && !ok {
			t.Errorf("%s: %v", command, err)
		}
		return text
	}
}

func TestDocsReplay(t *testing.T) {
	page := "text\n```console\n$ one\nold\nold\n$ two\n```\n```sh\n$ not run\n```\n"
	want := "text\n```console\n$ one\n<one>\n$ two\n<two>\n```\n```sh\n$ not run\n```\n"
	got, commands := replay(page, func(c string) string { return "<" + c + ">\n" })
	if got != want || commands != 2 {
		t.Errorf("%d commands\n%s", commands, got)
	}
	if again, _ := replay(got, func(c string) string { return "<" + c + ">\n" }); again != got {
		t.Errorf("a second run changes the page:\n%s", again)
	}
}
