package mailbox

import (
	"time"

	"cairn/store"
)

// An Edit is a user's mail being changed. Its methods see what was changed so far. It is for one goroutine,
// until the function that was given it returns.
type Edit struct{ *Snapshot }

// New is a message to be put into a mailbox.
type New struct {
	Trace    []byte      // header fields put before it for this recipient, each with its CRLF; may be empty
	Raw      *store.Blob // the message exactly as received
	Hide     []Span      // fields of Raw that are not served, ascending
	Flags    Flags
	Internal time.Time // INTERNALDATE; zero: now
}

// Append puts a message into a mailbox. A mailbox that is absent is ErrNoMailbox, no room a *QuotaError.
func (e *Edit) Append(mailbox string, n New) (UID, error) { return 0, errStub }

// Message returns a message as it is now; absent is ErrNoMessage.
func (e *Edit) Message(mailbox string, uid UID) (Message, error) { return Message{}, errStub }

// SetFlags gives messages the flags that f says, in the order of their UIDs; UIDs that are absent are passed over. It returns
// those that changed, as they are now.
func (e *Edit) SetFlags(mailbox string, uids []UID, f func(Message) Flags) ([]Message, error) {
	return nil, errStub
}

// Expunge removes those of the messages for which f is true (nil: all) and returns their UIDs.
func (e *Edit) Expunge(mailbox string, uids []UID, f func(Message) bool) ([]UID, error) {
	return nil, errStub
}

// A Moved is where a message went.
type Moved struct{ From, To UID }

// Copy puts messages into another mailbox, or the same, with their flags and dates; no content is written.
func (e *Edit) Copy(from string, uids []UID, to string) ([]Moved, error) { return nil, errStub }

// Move is Copy and Expunge. It needs no room.
func (e *Edit) Move(from string, uids []UID, to string) ([]Moved, error) { return nil, errStub }

// Create makes a mailbox and those above it. One that is there is ErrExists.
func (e *Edit) Create(mailbox string, use SpecialUse) error { return errStub }

// Delete removes a mailbox with its messages; those below it stay. INBOX cannot be deleted.
func (e *Edit) Delete(mailbox string) error { return errStub }

// Rename renames a mailbox and those below it. Of INBOX the messages are moved instead (RFC 9051 §6.3.6).
func (e *Edit) Rename(from, to string) error { return errStub }

// Subscribe and Unsubscribe change what the user is subscribed to. The name need not exist.
func (e *Edit) Subscribe(mailbox string) error   { return errStub }
func (e *Edit) Unsubscribe(mailbox string) error { return errStub }

// PutFile writes a file of the branch that is no mail, such as sieve/active.sieve, and RemoveFile removes one.
func (e *Edit) PutFile(path string, data []byte) error { return errStub }
func (e *Edit) RemoveFile(path string) error           { return errStub }

// Tx gives access to what else is on the branch. Mailboxes are not to be changed through it.
func (e *Edit) Tx() *store.Tx { return nil }
