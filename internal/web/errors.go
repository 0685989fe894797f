package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
)

// Error is a failure the page shows as a sentence and a way on.
type Error struct {
	// Status is the HTTP status: 400, 403, 404, 410, 500.
	Status int
	// Text says what was wrong, Hint what to do next, "" if there is nothing.
	Text, Hint string
}

// Error is the sentence.
func (e *Error) Error() string { return e.Text }

func badRequest(hint, format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...), hint}
}

func notFound(hint, format string, args ...any) error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...), hint}
}

func forbidden(hint, format string, args ...any) error {
	return &Error{http.StatusForbidden, fmt.Sprintf(format, args...), hint}
}

// asError is err as the page shows it.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{http.StatusRequestEntityTooLarge, fmt.Sprintf("what was sent is larger than %d bytes", tooLarge.Limit), "Open it by its name on the command line."}
	}
	return &Error{http.StatusInternalServerError, err.Error(), ""}
}

// panicError is a bug of ours that was caught.
type panicError struct {
	value any
	stack []byte
}

func newPanic(value any) error { return &panicError{value, debug.Stack()} }

// Error is the sentence.
func (p *panicError) Error() string {
	return fmt.Sprintf("this is a bug of profound: %v", p.value)
}

// joinWords is a list in a sentence.
func joinWords(list []string) string { return strings.Join(list, ", ") }
