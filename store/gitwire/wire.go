package gitwire

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"cairn/store"
)

// agent is what this server calls itself in the agent capability.
const agent = "cairn"

// A requestError is something the client did wrong. Its text is sent to the
// client; the text of other errors is not.
type requestError string

func (e requestError) Error() string { return string(e) }

func badRequest(format string, args ...any) error {
	return requestError(fmt.Sprintf(format, args...))
}

// clientText is what a client may know of an error.
func clientText(err error) string {
	var bad requestError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &bad):
		return string(bad)
	case errors.Is(err, errPktLength):
		return err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the request ends too early"
	case errors.Is(err, store.ErrTemporary):
		return "the storage is unavailable for the moment, try again later"
	case errors.As(err, &slow) && slow.Timeout():
		return "the request took too long"
	}
	return "internal error"
}

// A panicError is a panic that guard caught, with the stack it came from.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// guard runs f and turns a panic into an error, so that one request cannot take
// the server with it.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	return f()
}
