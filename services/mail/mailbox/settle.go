package mailbox

import (
	"context"
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// takeAtOnce is how many bytes of messages, changed while they are taken in, one Update of Settle has in memory.
const takeAtOnce = 32 << 20

// Settle brings a user's mail in order after a push: what was removed counts no more and has a modseq, flags edited by hand
// get theirs, and files that were put into a mailbox's folder become messages with UIDs. Where there is nothing to do it does
// nothing. It costs what differs from what was seen last.
func (b *Boxes) Settle(ctx context.Context, user string) error {
	for more := true; more; {
		err := b.Update(ctx, store.Change{Message: "mail: in order after a push"}, user, func(e *Edit) error {
			s := settling{Edit: e, left: b.takeAtOnce, taken: map[uint32]bool{}}
			err := s.all(ctx)
			more = s.left <= 0
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A settling is one Update of Settle.
type settling struct {
	*Edit
	left  int             // bytes that may be taken in
	taken map[uint32]bool // UIDVALIDITYs of the mailboxes before
}

func (s *settling) all(ctx context.Context) error {
	for i := range s.Edit.all {
		p := &s.Edit.all[i]
		if p.hash == object.Zero || p.record == nil && !p.loose {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.mailbox(p); err != nil {
			return fmt.Errorf("mailbox %q of %q: %w", p.name, s.user, err)
		}
	}
	return nil
}

// mailbox brings one mailbox in order.
func (s *settling) mailbox(p *place) error {
	var known *content
	if p.record != nil {
		known, _ = s.boxes.contents.get(contentKey{s.user, p.record.UIDValidity})
	}
	c, err := readContent(s.tx, p.dir, p.hash, known)
	if err != nil {
		return err
	}
	drops, err := s.dropped(p.dir)
	if err != nil {
		return err
	}
	rec := c.summary(p.record)
	twin := s.taken[rec.UIDValidity]
	if p.record != nil && !p.imagined && rec == *p.record && len(drops) == 0 && !c.untidy() && !twin {
		s.taken[rec.UIDValidity] = true
		return nil
	}
	if err := s.begin(); err != nil {
		return err
	}
	if rec.UIDValidity == 0 || twin {
		if rec.UIDValidity, err = s.validity(); err != nil {
			return err
		}
	}
	s.taken[rec.UIDValidity] = true
	d := &draft{name: p.name, dir: p.dir, rec: rec, groups: map[uint32]*draftGroup{}}
	if p.record != nil {
		d.was = *p.record
	}
	s.drafts[p.name] = d
	if err := s.contents(d, c, drops); err != nil {
		return err
	}
	if d.rec != d.was {
		d.bump()
	}
	return nil
}

// contents brings the messages of a mailbox in order.
func (s *settling) contents(d *draft, c *content, drops []string) error {
	for _, g := range c.groups {
		if err := s.group(d, g); err != nil {
			return err
		}
	}
	for _, name := range drops {
		if err := s.takeIn(d, d.dir+"/"+name, ""); err != nil {
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
func (s *settling) dropped(dir string) (names []string, err error) {
	for entry, err := range s.tx.Entries(dir) {
		if err != nil {
			return nil, err
		}
		if isDrop(entry) {
			names = append(names, entry.Name)
		}
	}
	return names, nil
}

func (s *settling) group(d *draft, read *group) error {
	if !read.missing && len(read.stray) == 0 {
		return nil
	}
	g, err := s.Edit.group(d, read.n)
	if err != nil {
		return err
	}
	g.dirty = g.missing
	if g.missing {
		d.bump()
	}
	for i := range g.msgs {
		if g.msgs[i].ModSeq == 0 {
			g.msgs[i].ModSeq = d.bump()
		}
	}
	for _, f := range slices.Clone(g.stray) {
		raw, trace := rawPath(d.dir, f.uid), tracePath(d.dir, f.uid)
		switch {
		case f.raw == object.Zero: // what belonged to a message that was removed
			err = s.tx.Remove(trace)
		case f.trace == object.Zero:
			err = s.takeIn(d, raw, "")
		default:
			err = s.takeIn(d, raw, trace)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
