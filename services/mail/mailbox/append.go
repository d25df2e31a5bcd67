package mailbox

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// New is a message to be put into a mailbox.
type New struct {
	Trace    []byte      // header fields put before it for this recipient, each with its CRLF; may be empty
	Raw      *store.Blob // the message exactly as received
	Hide     []Span      // fields of Raw that are not served, ascending
	Flags    Flags
	Internal time.Time // INTERNALDATE; zero: now
}

var errUIDs = errors.New("the mailbox has given out all its UIDs: make another one")

// Append puts a message into a mailbox. A mailbox that is absent is ErrNoMailbox, no room a *QuotaError: nothing has
// been changed then, and the Edit may go on.
func (e *Edit) Append(mailbox string, n New) (UID, error) {
	m := Message{Flags: n.Flags, Blob: n.Raw.Hash()}
	var err error
	if m.hide, err = formatSpans(n.Hide); err != nil {
		return 0, err
	}
	c, err := newContent(n.Trace, n.Raw.Bytes(), m.hide)
	if err != nil {
		return 0, err
	}
	if len(c.Raw) > store.MaxObject || len(c.Trace) > store.MaxObject {
		return 0, store.ErrTooLarge
	}
	m.Size = uint32(c.Size())
	if n.Internal.IsZero() {
		n.Internal = e.boxes.o.Now()
	}
	m.received = storable(n.Internal)
	if err := e.room(Quota{c.Size(), 1}); err != nil {
		return 0, err
	}
	d, err := e.change(mailbox)
	if err != nil {
		return 0, err
	}
	err = e.add(d, &m, func() error {
		if len(n.Trace) > 0 {
			trace := store.NewBlob(slices.Clone(n.Trace))
			m.Trace = trace.Hash()
			if err := e.tx.PutBlob(tracePath(d.dir, m.UID), trace); err != nil {
				return err
			}
		}
		return e.tx.PutBlob(rawPath(d.dir, m.UID), n.Raw)
	})
	return m.UID, err
}

// storable is a time in seconds that a line can hold.
func storable(t time.Time) int64 {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return 0
	}
	return t.Unix()
}

func (e *Edit) room(more Quota) error { return e.boxes.o.Quota(e.user).room(e.used, more) }

// add gives a message the next UID of a mailbox; write puts its files.
func (e *Edit) add(d *draft, m *Message, write func() error) error {
	g, err := e.next(d)
	if err != nil {
		return err
	}
	m.UID, m.ModSeq = d.rec.UIDNext, d.bump()
	if err := write(); err != nil {
		return fmt.Errorf("mailbox %q: %w", d.name, err)
	}
	d.rec.UIDNext++
	g.msgs = append(g.msgs, *m)
	g.dirty = true
	e.count(d, m, 1)
	return nil
}

// next makes sure that UIDNEXT can be given out, and opens its group. Something that lies there already keeps its UID.
func (e *Edit) next(d *draft) (*draftGroup, error) {
	for {
		if d.rec.UIDNext == math.MaxUint32 {
			return nil, errUIDs
		}
		uid := d.rec.UIDNext
		g, err := e.group(d, groupOf(uid))
		if err != nil {
			return nil, err
		}
		taken := slices.ContainsFunc(g.stray, func(f files) bool { return f.uid == uid })
		if i, _ := g.find(uid); i == len(g.msgs) && !taken {
			return g, nil
		}
		d.rec.UIDNext++
	}
}

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

// A Moved is where a message went.
type Moved struct{ From, To UID }

// Copy puts messages into another mailbox, or the same, with their flags and dates; no content is written. Those
// that are absent are passed over. No room for all is a *QuotaError.
func (e *Edit) Copy(from string, uids []UID, to string) ([]Moved, error) {
	return e.carry(from, uids, to, false)
}

// Move is Copy and Expunge. It needs no room.
func (e *Edit) Move(from string, uids []UID, to string) ([]Moved, error) {
	return e.carry(from, uids, to, true)
}

func (e *Edit) carry(from string, uids []UID, to string, move bool) ([]Moved, error) {
	source, err := e.change(from)
	if err != nil {
		return nil, err
	}
	target, err := e.change(to)
	if err != nil {
		return nil, err
	}
	var moved []Moved
	err = e.each(source, uids, func(g *draftGroup, i int) error {
		m := g.msgs[i]
		if !move {
			if err := e.room(Quota{int64(m.Size), 1}); err != nil {
				return err
			}
		}
		if err := e.add(target, &m, func() error { return e.link(target, &m) }); err != nil {
			return err
		}
		moved = append(moved, Moved{g.msgs[i].UID, m.UID})
		if move {
			return e.drop(source, g, i)
		}
		return nil
	})
	return moved, err
}

// link names a message's content again.
func (e *Edit) link(d *draft, m *Message) error {
	if m.Trace != object.Zero {
		if err := e.tx.Link(tracePath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Trace}); err != nil {
			return err
		}
	}
	return e.tx.Link(rawPath(d.dir, m.UID), object.Entry{Mode: object.ModeFile, Hash: m.Blob})
}
