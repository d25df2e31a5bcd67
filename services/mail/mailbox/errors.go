package mailbox

import (
	"errors"
	"fmt"
)

// What callers tell apart. A name that cannot be a mailbox's is a *NameError.
var (
	ErrNoMailbox = errors.New("there is no such mailbox")
	ErrExists    = errors.New("there is a mailbox of that name already")
	ErrNoMessage = errors.New("there is no such message")
)

// A NameError says why a mailbox cannot be called that.
type NameError struct{ Name, Reason string }

func (e *NameError) Error() string { return fmt.Sprintf("mailbox name %q %s", e.Name, e.Reason) }
