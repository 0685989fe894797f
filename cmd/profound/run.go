package main

import (
	"context"
	"errors"
	"fmt"
)

// command is one command of ours.
type command struct {
	name    string
	summary string
	// args is the rest of the usage line.
	args string
	// hidden commands serve the program itself.
	hidden bool
	run    func(ctx context.Context, args []string, e *env) error
	// examples are command lines; a test runs them.
	examples []string
}

// usageError is a mistake in the command line: exit code 2.
type usageError struct{ error }

// errInterrupted ends a run that was cancelled.
var errInterrupted = codeError{exitError, errors.New("interrupted")}

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// codeError carries an exit code for an error that was already printed, or
// has a code of its own.
type codeError struct {
	code int
	err  error
}

func (c codeError) Error() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

func (c codeError) Unwrap() error { return c.err }

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, e *env) int {
	if len(args) == 0 {
		e.say(shortUsage())
		return exitUsage
	}
	if c := findCommand(args[0]); c != nil {
		err := c.run(ctx, args[1:], e)
		return finish(err, exitError, e)
	}
	return finish(runPprof(ctx, args, e), exitPprof, e)
}

// finish prints an error and picks the exit code.
func finish(err error, code int, e *env) int {
	if err == nil {
		return exitOK
	}
	var c codeError
	if errors.As(err, &c) {
		code = c.code
	}
	var u usageError
	if errors.As(err, &u) {
		code = exitUsage
	}
	if text := err.Error(); text != "" {
		e.say(text)
	}
	return code
}
