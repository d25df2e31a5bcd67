package dav

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Error is an answer other than success, with the precondition or postcondition that was missed where a
// standard names one (RFC 4918 §16).
type Error struct {
	Status       int    // HTTP status
	Precondition Name   // zero when none is named
	Text         string // for people: one line, without secrets

	// Hrefs, escaped already, go inside of the precondition: lock-token-submitted and
	// no-conflicting-lock (RFC 4918 §16), no-uid-conflict (RFC 4791 §5.3.2.1).
	Hrefs []string
	// Privileges go with each of Hrefs in need-privileges (RFC 3744 §7.1.1).
	Privileges []Name
	// RetryAfter is in seconds; 0 sends no such header.
	RetryAfter int
}

func (e *Error) Error() string {
	s := strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
	if e.Precondition.Local != "" {
		s += " (" + e.Precondition.Local + ")"
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Errorf returns an error with a status and no precondition.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

// Violated returns an error that names a precondition.
func Violated(status int, precondition Name, format string, args ...any) *Error {
	return &Error{Status: status, Precondition: precondition, Text: fmt.Sprintf(format, args...)}
}

// Write answers a request with e.
func (e *Error) Write(w http.ResponseWriter) {
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if e.Precondition.Local == "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(e.Status)
		fmt.Fprintln(w, e.textOrStatus())
		return
	}
	// If this fails the client is away: nobody is left to tell.
	Write(w, e.Status, D("error"), func(b *Builder) {
		e.condition(b)
		if e.Text != "" {
			b.Element(D("responsedescription"), e.Text)
		}
	})
}

// condition writes the precondition with what belongs inside.
func (e *Error) condition(b *Builder) {
	if len(e.Hrefs) == 0 {
		b.Empty(e.Precondition)
		return
	}
	b.Start(e.Precondition)
	for _, h := range e.Hrefs {
		if len(e.Privileges) == 0 {
			b.Href(h)
		}
		for _, p := range e.Privileges {
			b.Start(D("resource"))
			b.Href(h)
			b.Start(D("privilege"))
			b.Empty(p)
			b.End(D("privilege"))
			b.End(D("resource"))
		}
	}
	b.End(e.Precondition)
}

// why writes the DAV:error and DAV:responsedescription that go behind a status; err may be nil.
func (b *Builder) why(err *Error) {
	if err == nil {
		return
	}
	if err.Precondition.Local != "" {
		b.raw("<d:error>")
		err.condition(b)
		b.raw("</d:error>")
	}
	if err.Text != "" {
		b.Element(D("responsedescription"), err.Text)
	}
}

func (e *Error) textOrStatus() string {
	if e.Text != "" {
		return e.Text
	}
	return http.StatusText(e.Status)
}

// AsError returns the *Error in err's chain, or a 500 without any detail: what went wrong inside is for
// the log, not for the client.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Status: http.StatusInternalServerError}
}
