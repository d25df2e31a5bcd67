package mailbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cairn/store"
)

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

func validUse(u SpecialUse) bool {
	return slices.Contains([]SpecialUse{Drafts, Sent, Archive, Junk, Trash}, u)
}

// defaults are the mailboxes of somebody whose branch has none yet. Their UIDVALIDITY is their place
// in this list, so that it is the same before and after the first write.
var defaults = []struct {
	name string
	use  SpecialUse
}{{Inbox, ""}, {"Drafts", Drafts}, {"Sent", Sent}, {"Archive", Archive}, {"Junk", Junk}, {"Trash", Trash}}

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

// ID is the mailbox's MAILBOXID (RFC 8474), which no other mailbox of the user ever has.
func (i Info) ID() string { return "m" + strconv.FormatUint(uint64(i.UIDValidity), 10) }

func (i *Info) take(r record) {
	i.Selectable = true
	i.Use, i.UIDValidity, i.UIDNext, i.HighestModSeq = r.Use, r.UIDValidity, r.UIDNext, r.ModSeq
	i.Messages, i.Unseen, i.Deleted, i.Bytes = r.Messages, r.Unseen, r.Deleted, r.Bytes
}

// A listing is the mailboxes of a branch, sorted: INBOX first, then by name. It follows from the branch's content
// alone.
type listing struct {
	root  rootRecord
	there bool // mail.toml is; else the mailboxes are those of somebody who has none yet
	all   []place
	subs  []string // sorted
	odd   []string // folders that are not shown because of their names
}

// readListing reads what mailboxes there are.
func readListing(from reading, known *cache[store.Hash, *folder]) (l listing, err error) {
	if l.root, l.there, err = readRoot(from, false); err != nil {
		return l, err
	}
	if err := l.readPlaces(from, known); err != nil {
		return l, err
	}
	if l.subs, err = readSubs(from); err != nil {
		return l, err
	}
	for _, p := range l.all {
		if p.record != nil {
			l.root.UIDValidity = max(l.root.UIDValidity, p.record.UIDValidity)
		}
	}
	if !l.there {
		l.root = rootRecord{format, max(l.root.UIDValidity, uint32(len(defaults)))}
		for i, d := range defaults {
			l.imagine(d.name, newRecord(uint32(i+1), d.use))
		}
		l.subs = defaultSubs()
	}
	l.imagine(Inbox, newRecord(l.root.UIDValidity+1, ""))
	slices.SortFunc(l.all, func(a, b place) int {
		if (a.name == Inbox) != (b.name == Inbox) {
			if a.name == Inbox {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return l, nil
}

// imagine adds a mailbox that is not there yet.
func (l *listing) imagine(name string, r record) {
	i := slices.IndexFunc(l.all, func(p place) bool { return p.name == name })
	if i < 0 {
		l.all = append(l.all, place{name: name, dir: dirOf(name), record: &r, imagined: true})
	} else if l.all[i].record == nil {
		l.all[i].record, l.all[i].imagined = &r, true
	}
}

// find returns the mailbox of a name.
func (l *listing) find(name string) (*place, error) {
	name, err := Canonical(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoMailbox, err)
	}
	if name == Inbox {
		return &l.all[0], nil
	}
	rest := l.all[1:]
	if i, ok := slices.BinarySearchFunc(rest, name, func(p place, name string) int { return strings.Compare(p.name, name) }); ok {
		return &rest[i], nil
	}
	return nil, fmt.Errorf("mailbox %q: %w", name, ErrNoMailbox)
}

func (l *listing) info(p *place) Info {
	i := Info{Name: p.name, Children: p.parent}
	_, i.Subscribed = slices.BinarySearch(l.subs, p.name)
	if p.record != nil {
		i.take(*p.record)
	}
	return i
}

// used sums up all mailboxes.
func (l *listing) used() (q Quota) {
	for _, p := range l.all {
		if p.record != nil {
			q.Bytes += p.record.Bytes
			q.Messages += int64(p.record.Messages)
		}
	}
	return q
}

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

// A Quota is how much a user may have, or has; as a limit, zero fields are none.
type Quota struct {
	Bytes    int64
	Messages int64
}

// room is a *QuotaError when there is no room for more.
func (limit Quota) room(used, more Quota) error {
	if limit.Bytes > 0 && used.Bytes+more.Bytes > limit.Bytes || limit.Messages > 0 && used.Messages+more.Messages > limit.Messages {
		return &QuotaError{used, limit}
	}
	return nil
}

// A QuotaError says that there is no room (452 and 552 in SMTP, OVERQUOTA of RFC 9208 in IMAP).
type QuotaError struct{ Used, Limit Quota }

func (e *QuotaError) Error() string {
	if e.Limit.Messages > 0 && e.Used.Messages >= e.Limit.Messages {
		return fmt.Sprintf("the mailbox is full: it has %d messages of %d", e.Used.Messages, e.Limit.Messages)
	}
	return fmt.Sprintf("the mailbox is full: it has %d bytes of %d", e.Used.Bytes, e.Limit.Bytes)
}

// What callers tell apart. A name that cannot be a mailbox's is a *NameError.
var (
	ErrNoMailbox = errors.New("there is no such mailbox")
	ErrExists    = errors.New("there is a mailbox of that name already")
	ErrNoMessage = errors.New("there is no such message")
)

// A NameError says why a mailbox cannot be called that.
type NameError struct{ Name, Reason string }

func (e *NameError) Error() string { return fmt.Sprintf("mailbox name %q %s", e.Name, e.Reason) }
