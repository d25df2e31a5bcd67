package mailbox

import (
	"context"
	"errors"
	"fmt"

	"cairn/store"
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

// A QuotaError says that there is no room.
type QuotaError struct{ Used, Limit Quota }

func (e *QuotaError) Error() string { return "the mailbox is full: delete mail, or ask for more room" }

// Check says what is wrong with a push that makes new of old (nil: the branch is made), in words for the pusher.
func Check(ctx context.Context, old, new *store.Tree) error { return errStub }
