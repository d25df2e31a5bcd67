package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"cairn/store/object"
)

// restructure prepares for a change of what mailboxes there are: all is in tx, and relist has to be called
// after it.
func (e *Edit) restructure() error {
	if err := e.begin(); err != nil {
		return err
	}
	return e.flush()
}

// Create makes a mailbox and those above it. One that is there is ErrExists, a name that no mailbox can have a
// *NameError; the Edit may go on.
func (e *Edit) Create(mailbox string, use SpecialUse) error {
	name, err := Canonical(mailbox)
	if err != nil {
		return err
	}
	if use != "" && !validUse(use) {
		return fmt.Errorf("special use %q: %w", use, fs.ErrInvalid)
	}
	if p, err := e.find(name); err == nil && (p.record != nil || p.loose) {
		return fmt.Errorf("mailbox %q: %w", name, ErrExists)
	}
	if err := e.free(name, ""); err != nil {
		return err
	}
	if err := e.restructure(); err != nil {
		return err
	}
	if err := e.makeAbove(name); err != nil {
		return err
	}
	if err := e.make(name, use); err != nil {
		return err
	}
	return e.relist()
}

// free refuses a name that differs from one that is there only as not every file system can tell: in upper and lower
// case. What lies below except is no obstacle.
func (e *Edit) free(name, except string) error {
	if len(e.all)+strings.Count(name, "/") >= maxMailboxes {
		return errMailboxes
	}
	for i := range e.all {
		there := e.all[i].name
		if except != "" && (there == except || strings.HasPrefix(there, except+"/")) {
			continue
		}
		a, b := strings.Split(there, "/"), strings.Split(name, "/")
		for k := range min(len(a), len(b)) {
			if a[k] != b[k] {
				if strings.EqualFold(a[k], b[k]) {
					return &NameError{name, fmt.Sprintf("differs from %q only in upper and lower case: not every computer could keep both", strings.Join(a[:k+1], "/"))}
				}
				break
			}
		}
	}
	return nil
}

// makeAbove makes those of the mailboxes above a name that are not there.
func (e *Edit) makeAbove(name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		if p, err := e.find(name[:i]); err == nil && p.record != nil {
			continue
		}
		if err := e.make(name[:i], ""); err != nil {
			return err
		}
	}
	return nil
}

// make writes the record of a new mailbox.
func (e *Edit) make(name string, use SpecialUse) error {
	validity, err := e.validity()
	if err != nil {
		return err
	}
	return e.put(dirOf(name)+"/"+recordFile, newRecord(validity, use))
}

var errValidity = errors.New("no UIDVALIDITY is left")

// validity gives out a UIDVALIDITY that no mailbox of the user ever had: of the clock, or the next one.
func (e *Edit) validity() (uint32, error) {
	next := uint64(e.root.UIDValidity) + 1
	if now := e.boxes.o.Now().Unix(); now > int64(next) && now < math.MaxUint32 {
		next = uint64(now)
	}
	if next > math.MaxUint32 {
		return 0, errValidity
	}
	e.root.UIDValidity = uint32(next)
	return e.root.UIDValidity, e.put(rootFile, e.root)
}

// ErrInbox says that INBOX, which everybody has, cannot be deleted.
var ErrInbox = errors.New("INBOX cannot be deleted")

// Delete removes a mailbox with its messages; those below it stay. INBOX cannot be deleted (ErrInbox). A name that has only
// mailboxes below it is ErrNoMailbox.
func (e *Edit) Delete(mailbox string) error {
	p, err := e.find(mailbox)
	if err != nil {
		return err
	}
	switch {
	case p.name == Inbox:
		return ErrInbox
	case p.record == nil && !p.loose:
		return fmt.Errorf("mailbox %q only has others below it: %w", p.name, ErrNoMailbox)
	}
	name, dir, parent := p.name, p.dir, p.parent
	if err := e.restructure(); err != nil {
		return err
	}
	if !parent {
		err = e.tx.Remove(dir)
	} else {
		err = e.empty(dir)
	}
	if err != nil {
		return fmt.Errorf("delete mailbox %q: %w", name, err)
	}
	return e.relist()
}

// empty removes what makes a folder a mailbox, and leaves those below it.
func (e *Edit) empty(dir string) error {
	var gone []string
	for entry, err := range e.tx.Entries(dir) {
		if err != nil {
			return err
		}
		_, top := parseTop(entry.Name)
		if top || entry.Name == recordFile || isDrop(entry) {
			gone = append(gone, entry.Name)
		}
	}
	for _, name := range gone {
		if err := e.tx.Remove(dir + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

// Rename renames a mailbox and those below it, which keep their UIDs and UIDVALIDITY. Of INBOX the messages are moved
// instead, to a new mailbox, with their UIDs (RFC 9051 §6.3.6). A name that is taken is ErrExists; the Edit may go on
// then.
func (e *Edit) Rename(from, to string) error {
	to, err := Canonical(to)
	if err != nil {
		return err
	}
	p, err := e.find(from)
	if err != nil {
		return err
	}
	name, dir := p.name, p.dir
	if _, err := e.find(to); err == nil {
		return fmt.Errorf("mailbox %q: %w", to, ErrExists)
	}
	if strings.HasPrefix(to, name+"/") && name != Inbox {
		return &NameError{to, "is below the mailbox that is to be renamed"}
	}
	if name == Inbox {
		err = e.free(to, "")
	} else {
		err = e.free(to, name)
	}
	if err != nil {
		return err
	}
	if err := e.restructure(); err != nil {
		return err
	}
	if name == Inbox {
		err = e.moveInbox(dir, to)
	} else {
		err = e.moveFolder(dir, to)
	}
	if err != nil {
		return fmt.Errorf("rename mailbox %q to %q: %w", name, to, err)
	}
	return e.relist()
}

func (e *Edit) moveFolder(dir, to string) error {
	entry, err := e.tx.Lookup(dir)
	if err != nil {
		return err
	}
	if err := e.makeAbove(to); err != nil {
		return err
	}
	if err := e.tx.Remove(dir); err != nil {
		return err
	}
	return e.tx.Link(dirOf(to), entry)
}

// moveInbox links INBOX's messages into a new mailbox.
func (e *Edit) moveInbox(dir, to string) error {
	d, err := e.open(Inbox)
	if err != nil {
		return err
	}
	if err := e.makeAbove(to); err != nil {
		return err
	}
	rec := d.rec
	rec.Use = ""
	if rec.UIDValidity, err = e.validity(); err != nil {
		return err
	}
	tops, err := subdirs(e.tx, dir, parseTop)
	if err != nil {
		return err
	}
	for _, t := range tops {
		if err := e.tx.Link(dirOf(to)+"/"+topName(t.n), object.Entry{Mode: object.ModeDir, Hash: t.hash}); err != nil {
			return err
		}
		if err := e.tx.Remove(dir + "/" + topName(t.n)); err != nil {
			return err
		}
	}
	if err := e.put(dirOf(to)+"/"+recordFile, rec); err != nil {
		return err
	}
	d.bump()
	d.rec.Messages, d.rec.Unseen, d.rec.Deleted, d.rec.Bytes = 0, 0, 0, 0
	return e.flushDraft(d)
}

// Subscribe adds a name, which need not exist, to what the user is subscribed to.
func (e *Edit) Subscribe(mailbox string) error {
	name, err := Canonical(mailbox)
	if err != nil {
		return err
	}
	i, there := slices.BinarySearch(e.subs, name)
	if there {
		return nil
	}
	if len(e.subs) >= maxMailboxes || len(formatSubs(e.subs))+len(name) >= maxSubs {
		return errMailboxes
	}
	return e.setSubs(slices.Insert(slices.Clone(e.subs), i, name))
}

// Unsubscribe takes a name away.
func (e *Edit) Unsubscribe(mailbox string) error {
	name, err := Canonical(mailbox)
	if err != nil {
		return err
	}
	if i, there := slices.BinarySearch(e.subs, name); there {
		return e.setSubs(slices.Delete(slices.Clone(e.subs), i, i+1))
	}
	return nil
}

func (e *Edit) setSubs(list []string) error {
	if err := e.begin(); err != nil {
		return err
	}
	e.subs = list
	return e.putSubs()
}

func (e *Edit) putSubs() error { return e.tx.Put(subsFile, formatSubs(e.subs)) }
