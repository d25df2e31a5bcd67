package mailbox

import (
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
