package mailbox

import (
	"fmt"
	"slices"

	"cairn/store"
)

// A Snapshot is a user's mail at one commit. It is immutable and safe for concurrent use.
type Snapshot struct {
	boxes *Boxes
	user  string
	tree  *store.Tree
	*listing
}

func (b *Boxes) snapshot(user string, tree *store.Tree) (*Snapshot, error) {
	l, ok := b.listings.get(tree.Hash())
	if !ok {
		read, err := readListing(tree, b.folders)
		if err != nil {
			return nil, fmt.Errorf("mail of %q: %w", user, err)
		}
		l = &read
		b.listings.put(tree.Hash(), l, int64(256*len(l.all)+64*len(l.subs)))
	}
	return &Snapshot{b, user, tree, l}, nil
}

// Mailboxes lists the mailboxes, INBOX first, then by name.
func (s *Snapshot) Mailboxes() []Info {
	list := make([]Info, len(s.all))
	for i := range s.all {
		list[i] = s.info(&s.all[i])
	}
	return list
}

// Info is the entry of Mailboxes with this name; absent is ErrNoMailbox.
func (s *Snapshot) Info(name string) (Info, error) {
	p, err := s.find(name)
	if err != nil {
		return Info{}, err
	}
	return s.info(p), nil
}

// ByUse returns the mailbox of a special use; ErrNoMailbox when there is none.
func (s *Snapshot) ByUse(use SpecialUse) (Info, error) {
	for i := range s.all {
		if r := s.all[i].record; r != nil && r.Use == use {
			return s.info(&s.all[i]), nil
		}
	}
	return Info{}, fmt.Errorf("mailbox for %s: %w", use, ErrNoMailbox)
}

// Mailbox opens a mailbox. One that is absent or not selectable is ErrNoMailbox.
func (s *Snapshot) Mailbox(name string) (*Mailbox, error) {
	p, err := s.find(name)
	if err == nil && p.record == nil {
		err = fmt.Errorf("mailbox %q only has others below it: %w", p.name, ErrNoMailbox)
	}
	if err != nil {
		return nil, err
	}
	return s.boxes.open(s, p)
}

// Subscriptions are the names that the user has subscribed to, sorted, whether or not they exist.
func (s *Snapshot) Subscriptions() []string { return slices.Clone(s.subs) }

// Used is how much the user has, in all mailboxes.
func (s *Snapshot) Used() Quota { return s.used() }

// Room is a *QuotaError when one more message of size bytes would be more than the user may have.
func (s *Snapshot) Room(size int64) error {
	return s.boxes.o.Quota(s.user).room(s.used(), Quota{size, 1})
}

// ReadFile reads a file of the branch that is no mail, such as sieve/active.sieve; shared: nobody
// changes it. Absent is fs.ErrNotExist.
func (s *Snapshot) ReadFile(path string) ([]byte, error) {
	data, _, err := s.tree.Blob(path)
	return data, err
}

// Tree returns the branch's files.
func (s *Snapshot) Tree() *store.Tree { return s.tree }
