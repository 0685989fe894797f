package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/source"
)

const (
	// historyLines is how many lines the history keeps; the file may grow to
	// twice that before it is cut.
	historyLines = 1000
	// historyLineBytes bounds a line, so that each is appended in one write.
	historyLineBytes = 4 << 10
)

// history is what was typed, in a file that several shells share: each line
// is appended by one write, and cutting replaces the file as a whole. A line
// another shell appends while it is cut may be lost; no line is ever torn.
type history struct {
	path   string // "" keeps it in memory only
	warn   func(string)
	warned bool
	torn   bool // the file does not end with a line
	lines  []string
	added  func(line string) // told of each new line
}

// historyPath is where the history lives, "" when the user has no place for
// configuration.
func historyPath(e *env) string {
	dir := configDir(e)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "profound", "history")
}

// configDir is os.UserConfigDir of the environment e.
func configDir(e *env) string {
	switch runtime.GOOS {
	case "windows":
		return e.getenv("AppData")
	case "darwin", "ios":
		if h := e.home(); h != "" {
			return filepath.Join(h, "Library", "Application Support")
		}
		return ""
	}
	if dir := e.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if h := e.home(); h != "" {
		return filepath.Join(h, ".config")
	}
	return ""
}

// openHistory reads the history at path.
func openHistory(path string, warn func(string)) *history {
	h := &history{path: path, warn: warn}
	if path == "" {
		return h
	}
	data, err := os.ReadFile(path)
	if err != nil {
		if !os.IsNotExist(err) {
			h.trouble(err)
		}
		return h
	}
	h.torn = len(data) > 0 && data[len(data)-1] != '\n'
	raw := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, line := range raw {
		line = strings.TrimRight(line, "\r")
		if keepable(line) {
			h.lines = append(h.lines, line)
		}
	}
	h.lines = h.lines[max(0, len(h.lines)-historyLines):]
	if len(raw) > 2*historyLines {
		h.cut()
	}
	return h
}

// keepable tells whether line may stand in the history: what came out of a
// broken file must not drive the terminal.
func keepable(line string) bool {
	return line != "" && len(line) <= historyLineBytes && utf8.ValidString(line) && strings.IndexFunc(line, unicode.IsControl) < 0
}

// cut replaces the file by the lines in memory.
func (h *history) cut() {
	f, err := source.CreateAtomic(h.path)
	if err != nil {
		h.trouble(err)
		return
	}
	if _, err = f.Write([]byte(strings.Join(h.lines, "\n") + "\n")); err != nil {
		f.Abort()
	} else {
		err = f.Commit()
	}
	if err != nil {
		h.trouble(err)
		return
	}
	h.torn = false
}

// add remembers a line, unless it is like the one before or begins with a
// space.
func (h *history) add(line string) {
	if strings.HasPrefix(line, " ") {
		return
	}
	line = strings.TrimSpace(line)
	if !keepable(line) || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if h.added != nil {
		h.added(line)
	}
	if h.path == "" {
		return
	}
	if err := h.append(line); err != nil {
		h.trouble(err)
	}
}

func (h *history) append(line string) error {
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if h.torn {
		b.WriteByte('\n')
	}
	b.WriteString(line)
	b.WriteByte('\n')
	_, err = f.Write(b.Bytes())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		h.torn = false
	}
	return err
}

// trouble says once that the history is not kept.
func (h *history) trouble(err error) {
	if !h.warned {
		h.warned = true
		h.warn(fmt.Sprintf("The history is not kept: %v", err))
	}
}
