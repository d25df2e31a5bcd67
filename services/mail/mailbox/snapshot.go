package mailbox

import (
	"cairn/store"
)

// A Snapshot is a user's mail at one commit. It is immutable and safe for concurrent use.
type Snapshot struct{}

// Info says what is known of a mailbox without opening it (LIST, STATUS).
type Info struct {
	Name       string     // with a slash between levels, UTF-8; INBOX in capitals
	Use        SpecialUse // "" for most
	Selectable bool       // false for a name that only has mailboxes below it
	Children   bool       // there are mailboxes below it
	Subscribed bool

	UIDValidity   uint32
	UIDNext       UID
	HighestModSeq uint64
	Messages      int
	Unseen        int
	Deleted       int   // with \Deleted
	Bytes         int64 // as served
}

// ID is the mailbox's MAILBOXID (RFC 8474).
func (i Info) ID() string { return "" }

// A SpecialUse is an attribute of RFC 6154, such as \Drafts.
type SpecialUse string

// The special uses that mailboxes can have.
const (
	Drafts  SpecialUse = `\Drafts`
	Sent    SpecialUse = `\Sent`
	Archive SpecialUse = `\Archive`
	Junk    SpecialUse = `\Junk`
	Trash   SpecialUse = `\Trash`
)

// Mailboxes lists the mailboxes, INBOX first, then by name.
func (s *Snapshot) Mailboxes() []Info { return nil }

// Info is the entry of Mailboxes with this name; absent is ErrNoMailbox.
func (s *Snapshot) Info(name string) (Info, error) { return Info{}, errStub }

// Mailbox opens a mailbox. One that is absent or not selectable is ErrNoMailbox.
func (s *Snapshot) Mailbox(name string) (*Mailbox, error) { return nil, errStub }

// ByUse returns the mailbox of a special use; ErrNoMailbox when there is none.
func (s *Snapshot) ByUse(use SpecialUse) (Info, error) { return Info{}, errStub }

// Subscriptions are the names that the user has subscribed to, whether or not they exist.
func (s *Snapshot) Subscriptions() []string { return nil }

// Used is how much the user has, in all mailboxes.
func (s *Snapshot) Used() Quota { return Quota{} }

// Room is a *QuotaError when one more message of size bytes would be more than the user may have.
func (s *Snapshot) Room(size int64) error { return nil }

// ReadFile reads a file of the branch that is no mail, such as sieve/active.sieve; absent is fs.ErrNotExist.
func (s *Snapshot) ReadFile(path string) ([]byte, error) { return nil, errStub }

// Tree returns the branch's files.
func (s *Snapshot) Tree() *store.Tree { return nil }
