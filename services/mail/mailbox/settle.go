package mailbox

import (
	"context"
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// Settle brings a user's mail in order after a push: what was removed counts no more and has a modseq, flags edited by hand
// get theirs, and files that were put into a mailbox's folder become messages with UIDs. Where there is nothing to do it does
// nothing. It costs what differs from what was seen last.
func (b *Boxes) Settle(ctx context.Context, user string) error {
	return b.Update(ctx, store.Change{Message: "mail: in order after a push"}, user, func(e *Edit) error { return e.settle(ctx) })
}

func (e *Edit) settle(ctx context.Context) error {
	validities := map[uint32]bool{}
	for i := range e.all {
		p := &e.all[i]
		if p.hash == object.Zero || p.record == nil && !p.loose {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.settleBox(p, validities); err != nil {
			return fmt.Errorf("mailbox %q of %q: %w", p.name, e.user, err)
		}
	}
	return nil
}

// settleBox brings one mailbox in order. taken are the UIDVALIDITYs of those before.
func (e *Edit) settleBox(p *place, taken map[uint32]bool) error {
	var known *content
	if p.record != nil {
		known, _ = e.boxes.contents.get(contentKey{e.user, p.record.UIDValidity})
	}
	c, err := readContent(e.tx, p.dir, p.hash, known)
	if err != nil {
		return err
	}
	drops, err := e.dropped(p.dir)
	if err != nil {
		return err
	}
	rec := c.summary(p.record)
	if rec.UIDValidity == 0 || taken[rec.UIDValidity] {
		if err := e.begin(); err != nil {
			return err
		}
		if rec.UIDValidity, err = e.validity(); err != nil {
			return err
		}
	}
	taken[rec.UIDValidity] = true
	if p.record != nil && !p.imagined && rec == *p.record && len(drops) == 0 && !c.untidy() {
		return nil
	}
	if err := e.begin(); err != nil {
		return err
	}
	d := &draft{name: p.name, dir: p.dir, rec: rec, groups: map[uint32]*draftGroup{}}
	e.drafts[p.name] = d
	d.bump()
	for _, g := range c.groups {
		if err := e.settleGroup(d, g); err != nil {
			return err
		}
	}
	for _, name := range drops {
		if err := e.takeIn(d, p.dir+"/"+name, ""); err != nil {
			return err
		}
	}
	return nil
}

// summary is the record that a mailbox's content asks for, if r (nil: none) is the one that it has.
func (c *content) summary(r *record) record {
	rec := newRecord(0, "")
	if r != nil {
		rec = *r
	}
	for _, g := range c.groups {
		for i := range g.msgs {
			rec.ModSeq = max(rec.ModSeq, g.msgs[i].ModSeq)
			rec.UIDNext = max(rec.UIDNext, after(g.msgs[i].UID))
		}
		for _, f := range g.stray {
			rec.UIDNext = max(rec.UIDNext, after(f.uid))
		}
	}
	rec.Messages, rec.Unseen, rec.Deleted, rec.Bytes = c.sums.messages, c.sums.unseen, c.sums.deleted, c.sums.bytes
	return rec
}

func after(uid UID) UID { return max(uid, uid+1) }

// untidy says that groups need to be settled.
func (c *content) untidy() bool {
	return slices.ContainsFunc(c.groups, func(g *group) bool { return g.missing || len(g.stray) > 0 })
}

// dropped lists the messages that somebody has put into a mailbox's folder.
func (e *Edit) dropped(dir string) (names []string, err error) {
	for entry, err := range e.tx.Entries(dir) {
		if err != nil {
			return nil, err
		}
		if isDrop(entry) {
			names = append(names, entry.Name)
		}
	}
	return names, nil
}

func (e *Edit) settleGroup(d *draft, read *group) error {
	if !read.missing && len(read.stray) == 0 {
		return nil
	}
	g, err := e.group(d, read.n)
	if err != nil {
		return err
	}
	g.dirty = true
	for i := range g.msgs {
		if g.msgs[i].ModSeq == 0 {
			g.msgs[i].ModSeq = d.bump()
		}
	}
	stray := g.stray
	g.stray = nil
	for _, f := range stray {
		switch {
		case f.raw != object.Zero && f.trace != object.Zero:
			err = e.takeIn(d, rawPath(d.dir, f.uid), tracePath(d.dir, f.uid))
		case f.raw != object.Zero:
			err = e.takeIn(d, rawPath(d.dir, f.uid), "")
		default: // what belonged to a message that was removed
			err = e.tx.Remove(tracePath(d.dir, f.uid))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
