package mailbox

import (
	"fmt"
	"strings"

	"cairn/store/object"
)

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
		err = e.fits(name, to)
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

// fits refuses a name under which a mailbox, or one below it, cannot be.
func (e *Edit) fits(from, to string) error {
	for i := range e.all {
		if below, ok := strings.CutPrefix(e.all[i].name, from+"/"); ok {
			if _, err := Canonical(to + "/" + below); err != nil {
				return err
			}
		}
	}
	return e.free(to, from)
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
