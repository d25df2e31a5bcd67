package mailbox

import (
	"context"
	"fmt"

	"cairn/services/tomlfile"
	"cairn/store"
)

// An Edit is a user's mail being changed. Its methods see what was changed so far. It is for one goroutine,
// until the function that was given it returns. After an error of one of its methods that function has to return one, too,
// unless the method says otherwise.
type Edit struct {
	boxes *Boxes
	user  string
	tx    *store.Tx
	listing
	used   Quota
	begun  bool              // the branch has been prepared
	drafts map[string]*draft // by name: what is not in tx yet
}

func (b *Boxes) edit(tx *store.Tx, user string) (*Edit, error) {
	e := &Edit{boxes: b, user: user, tx: tx}
	return e, e.relist()
}

// relist reads what mailboxes there are in tx.
func (e *Edit) relist() (err error) {
	e.drafts = map[string]*draft{}
	if e.listing, err = readListing(e.tx, e.boxes.folders); err != nil {
		return fmt.Errorf("mail of %q: %w", e.user, err)
	}
	e.used = e.listing.used()
	return nil
}

// Tx gives access to what else is on the branch. Mailboxes are not to be changed through it.
func (e *Edit) Tx() *store.Tx { return e.tx }

// User returns whose mail it is.
func (e *Edit) User() string { return e.user }

// Mailboxes lists the mailboxes, INBOX first, then by name.
func (e *Edit) Mailboxes() []Info {
	list := make([]Info, len(e.all))
	for i := range e.all {
		list[i] = e.info(&e.all[i])
	}
	return list
}

// Info is the entry of Mailboxes with this name; absent is ErrNoMailbox.
func (e *Edit) Info(name string) (Info, error) {
	p, err := e.find(name)
	if err != nil {
		return Info{}, err
	}
	return e.info(p), nil
}

func (e *Edit) info(p *place) Info {
	i := e.listing.info(p)
	if d, ok := e.drafts[p.name]; ok {
		i.take(d.rec)
	}
	return i
}

// ByUse returns the mailbox of a special use; ErrNoMailbox when there is none.
func (e *Edit) ByUse(use SpecialUse) (Info, error) {
	for i := range e.all {
		if r := e.all[i].record; r != nil && r.Use == use {
			return e.info(&e.all[i]), nil
		}
	}
	return Info{}, fmt.Errorf("mailbox for %s: %w", use, ErrNoMailbox)
}

// Used is how much the user has, in all mailboxes.
func (e *Edit) Used() Quota { return e.used }

// begin prepares the branch for a change: with the first one the default mailboxes are really there.
func (e *Edit) begin() error {
	if e.begun {
		return nil
	}
	e.begun = true
	if !e.there {
		if err := e.putSubs(); err != nil {
			return err
		}
		// Elsewhere git must not change the line ends of messages.
		if err := e.tx.Put(attributeFile, []byte("* -text\n")); err != nil {
			return err
		}
	}
	made := false
	for i := range e.all {
		p := &e.all[i]
		if !p.imagined {
			continue
		}
		made, p.imagined = true, false
		e.root.UIDValidity = max(e.root.UIDValidity, p.record.UIDValidity)
		if err := e.put(p.dir+"/"+recordFile, p.record); err != nil {
			return err
		}
	}
	if made || !e.there {
		e.there = true
		return e.put(rootFile, e.root)
	}
	return nil
}

// put writes a record.
func (e *Edit) put(path string, record any) error {
	data, err := tomlfile.Encode(record)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return e.tx.Put(path, data)
}

// Message returns a message as it is now; absent is ErrNoMessage.
func (e *Edit) Message(mailbox string, uid UID) (Message, error) {
	d, err := e.open(mailbox)
	if err != nil {
		return Message{}, err
	}
	return e.message(d, uid)
}

func (e *Edit) message(d *draft, uid UID) (Message, error) {
	g, err := e.group(d, groupOf(uid))
	if err != nil {
		return Message{}, err
	}
	if i, ok := g.find(uid); ok {
		return g.msgs[i], nil
	}
	return Message{}, fmt.Errorf("message %d of mailbox %q: %w", uid, d.name, ErrNoMessage)
}

// Content reads a message; absent is ErrNoMessage.
func (e *Edit) Content(ctx context.Context, mailbox string, uid UID) (Content, error) {
	d, err := e.open(mailbox)
	if err != nil {
		return Content{}, err
	}
	m, err := e.message(d, uid)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Content{}, err
	}
	return readMessage(e.tx, d.dir, m)
}
