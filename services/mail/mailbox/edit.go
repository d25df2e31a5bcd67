package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"cairn/services/tomlfile"
	"cairn/store"
	"cairn/store/object"
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

// A draft is a mailbox that was opened.
type draft struct {
	name, dir string
	rec, was  record // was: as it is in tx
	bumped    bool   // this Edit has a modseq
	groups    map[uint32]*draftGroup
}

// A draftGroup is a group that was opened.
type draftGroup struct {
	*group
	there bool // its folder is
	dirty bool
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

// open opens a mailbox to be read; absent or not selectable is ErrNoMailbox.
func (e *Edit) open(mailbox string) (*draft, error) {
	p, err := e.find(mailbox)
	if err != nil {
		return nil, err
	}
	if d, ok := e.drafts[p.name]; ok {
		return d, nil
	}
	if p.record == nil {
		return nil, fmt.Errorf("mailbox %q only has others below it: %w", p.name, ErrNoMailbox)
	}
	d := &draft{name: p.name, dir: p.dir, rec: *p.record, was: *p.record, groups: map[uint32]*draftGroup{}}
	e.drafts[p.name] = d
	return d, nil
}

// change opens a mailbox to be changed.
func (e *Edit) change(mailbox string) (*draft, error) {
	if err := e.begin(); err != nil {
		return nil, err
	}
	return e.open(mailbox)
}

// bump returns the modseq of what this Edit does to a mailbox.
func (d *draft) bump() uint64 {
	if !d.bumped {
		d.bumped = true
		d.rec.ModSeq++
	}
	return d.rec.ModSeq
}

// count adds a message to the sums, or takes one away.
func (e *Edit) count(d *draft, m *Message, by int) {
	var s sums
	s.count(m, by)
	d.rec.Messages = max(d.rec.Messages+s.messages, 0)
	d.rec.Unseen = max(d.rec.Unseen+s.unseen, 0)
	d.rec.Deleted = max(d.rec.Deleted+s.deleted, 0)
	d.rec.Bytes = max(d.rec.Bytes+s.bytes, 0)
	e.used.Messages += int64(s.messages)
	e.used.Bytes += s.bytes
}

// group opens the group n of a mailbox, which may be empty.
func (e *Edit) group(d *draft, n uint32) (*draftGroup, error) {
	if g, ok := d.groups[n]; ok {
		return g, nil
	}
	dir := d.dir + "/" + groupDir(n)
	entry, err := e.tx.Lookup(dir)
	g := &draftGroup{group: &group{n: n}}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case entry.Mode != object.ModeDir:
		return nil, &store.ClashError{Path: dir + "/" + stateFile, At: dir}
	default:
		g.there = true
		if g.group, err = readGroup(e.tx, dir, n, entry.Hash); err != nil {
			return nil, err
		}
	}
	d.groups[n] = g
	return g, nil
}

// find returns the index of a message, which may be that of the one after it.
func (g *draftGroup) find(uid UID) (int, bool) {
	return slices.BinarySearchFunc(g.msgs, uid, func(m Message, uid UID) int { return int(int64(m.UID) - int64(uid)) })
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

// flush writes into tx what was changed.
func (e *Edit) flush() error {
	for _, name := range slices.Sorted(maps.Keys(e.drafts)) {
		if err := e.flushDraft(e.drafts[name]); err != nil {
			return fmt.Errorf("mailbox %q of %q: %w", name, e.user, err)
		}
	}
	return nil
}

func (e *Edit) flushDraft(d *draft) error {
	for _, n := range slices.Sorted(maps.Keys(d.groups)) {
		g := d.groups[n]
		if !g.dirty {
			continue
		}
		path := d.dir + "/" + groupDir(n) + "/" + stateFile
		var err error
		if len(g.msgs) > 0 {
			err = e.tx.Put(path, appendState(nil, g.msgs))
		} else if err = e.tx.Remove(path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return err
		}
		g.dirty = false
	}
	if d.rec == d.was {
		return nil
	}
	d.was = d.rec
	return e.put(d.dir+"/"+recordFile, d.rec)
}

// ReadFile reads a file of the branch that is no mail, such as sieve/active.sieve; absent is fs.ErrNotExist.
func (e *Edit) ReadFile(path string) ([]byte, error) { return e.tx.ReadFile(path) }

// PutFile writes a file of the branch that is no mail.
func (e *Edit) PutFile(path string, data []byte) error {
	if err := e.foreign(path); err != nil {
		return err
	}
	return e.tx.Put(path, data)
}

// RemoveFile removes a file of the branch that is no mail; absent is fs.ErrNotExist.
func (e *Edit) RemoveFile(path string) error {
	if err := e.foreign(path); err != nil {
		return err
	}
	return e.tx.Remove(path)
}

// foreign prepares for a change of what is no mail.
func (e *Edit) foreign(path string) error {
	first, _, _ := strings.Cut(path, "/")
	if slices.Contains([]string{boxesDir, rootFile, subsFile}, first) {
		return fmt.Errorf("file %q is mail: %w", path, fs.ErrInvalid)
	}
	return e.begin()
}
