package dial

import (
	"errors"
	"net"
	"strings"
)

// failures are the errors of several attempts, in the order in which they failed.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.Is and errors.As see every attempt.
func (f failures) Unwrap() []error { return f }

// Timeout reports whether every attempt ran out of time.
func (f failures) Timeout() bool {
	for _, err := range f {
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return false
		}
	}
	return true
}

// worse returns the error of two lookups that says more. That one family's
// addresses do not exist says nothing of a name when the other family could not be
// looked up.
func worse(a, b error) error {
	var e *net.DNSError
	if a == nil || errors.As(a, &e) && e.IsNotFound {
		return b
	}
	return a
}
