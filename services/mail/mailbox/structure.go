package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
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
	name, dir := p.name, p.dir
	if err := e.restructure(); err != nil {
		return err
	}
	if err := e.empty(dir); err != nil {
		return fmt.Errorf("delete mailbox %q: %w", name, err)
	}
	return e.relist()
}

// empty removes what makes a folder a mailbox, and leaves what else is there: those below it.
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
