package main

import (
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/profoundhq/profound/internal/textart"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	// exitPprof is what pprof exits with on any error.
	exitPprof = 2
)

// env is the outside world, handed to everything that needs it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	dir            string // current directory, "" if unknown
	exe            string // path of this program
	// stdoutTTY, stderrTTY and stdinTTY tell which streams are terminals.
	stdoutTTY, stderrTTY, stdinTTY bool
	// width is the number of columns of the terminal, 0 if unknown.
	width func() int
}

func systemEnv() *env {
	tty := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	dir, err := os.Getwd()
	if err != nil {
		dir = ""
	}
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return &env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now, dir: dir, exe: exe,
		stdoutTTY: tty(os.Stdout), stderrTTY: tty(os.Stderr), stdinTTY: tty(os.Stdin),
		width: func() int {
			w, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0
			}
			return w
		},
	}
}

// program is how the user calls this program: go run leaves no other way.
func (e *env) program() string {
	if strings.Contains(filepath.ToSlash(e.exe), "/go-build") {
		return "go run ./cmd/profound"
	}
	return "profound"
}

// home is the user's home directory by the variable of the platform.
func (e *env) home() string {
	if runtime.GOOS == "windows" {
		return e.getenv("USERPROFILE")
	}
	return e.getenv("HOME")
}

// colour tells whether text on standard output is marked up: on a terminal,
// unless NO_COLOR is set or the terminal is dumb; CLICOLOR_FORCE forces it.
func (e *env) colour() bool {
	if e.getenv("NO_COLOR") != "" {
		return false
	}
	if e.forcedColour() {
		return true
	}
	return e.stdoutTTY && e.getenv("TERM") != "dumb"
}

// forcedColour tells whether the environment asks for colour everywhere.
func (e *env) forcedColour() bool {
	f := e.getenv("CLICOLOR_FORCE")
	return f != "" && f != "0" && e.getenv("NO_COLOR") == ""
}

// binaryPath is where object files are searched.
func (e *env) binaryPath() []string {
	if p := e.getenv("PPROF_BINARY_PATH"); p != "" {
		return filepath.SplitList(p)
	}
	return []string{filepath.Join(e.home(), "pprof", "binaries")}
}

// lookPath finds a program, "" when there is none.
func (e *env) lookPath(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// say writes lines to standard error, without what a terminal would obey: they
// may have names from a process or a file in them.
func (e *env) say(text string) {
	for line := range strings.Lines(cmp.Or(text, "\n")) {
		io.WriteString(e.stderr, textart.Clean(strings.TrimSuffix(line, "\n"))+"\n")
	}
}
