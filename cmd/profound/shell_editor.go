package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterh/liner"
)

// editor reads lines with editing, completion and history on the terminal
// of the process.
type editor struct {
	state *liner.State
	// cooked is the terminal as it was found, raw as the editor wants it.
	cooked, raw liner.ModeApplier
}

// newEditor takes the terminal, or returns nil if it cannot.
func newEditor(c *completer, h *history) *editor {
	cooked, err := liner.TerminalMode()
	if err != nil || !liner.TerminalSupported() {
		return nil
	}
	e := &editor{state: liner.NewLiner(), cooked: cooked}
	if e.raw, err = liner.TerminalMode(); err != nil {
		e.state.Close()
		return nil
	}
	e.state.SetCtrlCAborts(true)
	e.state.SetBeep(false)
	e.state.SetWordCompleter(c.tab)
	for _, line := range h.lines {
		e.state.AppendHistory(line)
	}
	h.added = e.state.AppendHistory
	return e
}

func (e *editor) line() (string, error) {
	line, err := e.state.Prompt(editPrompt)
	switch {
	case errors.Is(err, liner.ErrPromptAborted):
		return "", errAborted
	case errors.Is(err, liner.ErrInternal):
		return "", fmt.Errorf("the terminal has no size any more: %w", io.ErrUnexpectedEOF)
	}
	return strings.TrimSuffix(line, "\n"), err
}

func (e *editor) ask()     { io.WriteString(os.Stdout, editPrompt) } // where liner writes
func (e *editor) suspend() { e.cooked.ApplyMode() }
func (e *editor) resume()  { e.raw.ApplyMode() }
func (e *editor) close()   { e.state.Close() }
