package remote

import (
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
)

// A RewoundError says that somebody has taken commits out of a ref at the host,
// or moved it to where the Follow function does not go, or to what cannot be had here: it is
// larger than there is room for, say. Reads stay on Good, and nothing is written to the ref
// until it is back there or its new value is accepted.
type RewoundError struct {
	Ref  string
	Good store.Hash // what reads see
	Host store.Hash // what the host has; Zero when the ref is gone
	Why  error      // what Follow said, or why it cannot be had; nil for the rule that Follow replaces
}

func (e *RewoundError) Error() string {
	text := fmt.Sprintf("%s was rewound at the host from %v to %v", e.Ref, e.Good, e.Host)
	switch {
	case e.Host.IsZero():
		text = fmt.Sprintf("%s was deleted at the host; it was %v", e.Ref, e.Good)
	case e.Good.IsZero():
		text = fmt.Sprintf("%s is new at the host, at %v, and not followed", e.Ref, e.Host)
	}
	if e.Why != nil {
		text += ": " + e.Why.Error()
	}
	return text
}

// Unwrap returns Why.
func (e *RewoundError) Unwrap() error { return e.Why }

// ErrAway is what a write gives while the host cannot be reached; it is
// store.ErrTemporary, too. Nothing has been written.
var ErrAway = fmt.Errorf("the host is away: %w", store.ErrTemporary)

// errStalled ends a conversation in which the host stands still.
var errStalled = fmt.Errorf("the host stands still: %w", store.ErrTemporary)

// A hereError went wrong on this side: the disk is full. The host is not away.
type hereError struct{ error }

// Unwrap returns what went wrong.
func (e *hereError) Unwrap() error { return e.error }

// temporary makes an error one that may go away by itself.
func temporary(err error) error {
	if errors.Is(err, store.ErrTemporary) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrTemporary, err)
}

func absent(name string) error { return fmt.Errorf("ref %s: %w", name, fs.ErrNotExist) }
