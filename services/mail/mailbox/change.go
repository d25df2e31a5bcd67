package mailbox

import (
	"cmp"
	"slices"

	"cairn/store/object"
)

// SetFlags gives messages the flags that f says. UIDs that are absent are passed over. It returns those messages that
// changed, as they are now, by UID. f may be called for other versions of the messages again, when the Edit runs again.
func (e *Edit) SetFlags(mailbox string, uids []UID, f func(Message) Flags) ([]Message, error) {
	d, err := e.change(mailbox)
	if err != nil {
		return nil, err
	}
	var changed []Message
	err = e.each(d, uids, func(g *draftGroup, i int) error {
		m := &g.msgs[i]
		flags := f(*m)
		if flags == m.Flags {
			return nil
		}
		e.count(d, m, -1)
		m.Flags, m.ModSeq = flags, d.bump()
		e.count(d, m, 1)
		g.dirty = true
		changed = append(changed, *m)
		return nil
	})
	return changed, err
}

// each calls f for the messages of these UIDs that are there, in the order of the UIDs. f may remove the i-th.
func (e *Edit) each(d *draft, uids []UID, f func(g *draftGroup, i int) error) error {
	if !slices.IsSortedFunc(uids, cmp.Compare) {
		uids = slices.Clone(uids)
		slices.Sort(uids)
	}
	var last UID
	for _, uid := range uids {
		if uid == last {
			continue
		}
		last = uid
		g, err := e.group(d, groupOf(uid))
		if err != nil {
			return err
		}
		if i, ok := g.find(uid); ok {
			if err := f(g, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// Expunge removes those of the messages for which f is true (nil: all) and returns their UIDs.
func (e *Edit) Expunge(mailbox string, uids []UID, f func(Message) bool) ([]UID, error) {
	d, err := e.change(mailbox)
	if err != nil {
		return nil, err
	}
	var gone []UID
	err = e.each(d, uids, func(g *draftGroup, i int) error {
		m := g.msgs[i]
		if f != nil && !f(m) {
			return nil
		}
		gone = append(gone, m.UID)
		return e.drop(d, g, i)
	})
	return gone, err
}

// drop removes the i-th message of a group.
func (e *Edit) drop(d *draft, g *draftGroup, i int) error {
	m := g.msgs[i]
	if err := e.tx.Remove(rawPath(d.dir, m.UID)); err != nil {
		return err
	}
	if m.Trace != object.Zero {
		if err := e.tx.Remove(tracePath(d.dir, m.UID)); err != nil {
			return err
		}
	}
	d.bump()
	e.count(d, &m, -1)
	g.msgs = slices.Delete(g.msgs, i, i+1)
	g.dirty = true
	return nil
}
