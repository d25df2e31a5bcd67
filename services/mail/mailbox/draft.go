package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

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
	dirty bool
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
