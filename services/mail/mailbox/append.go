package mailbox

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"cairn/store"
)

// New is a message to be put into a mailbox.
type New struct {
	Trace    []byte      // header fields put before it for this recipient, each with its CRLF; may be empty
	Raw      *store.Blob // the message exactly as received
	Hide     []Span      // fields of Raw that are not served, ascending; of more than 200 the last are hidden with what is between
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
